"""Properties in several groups, in the table of node types, as codes and as truth values."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.node_files import STEP, texts, values_of, write_nodes
from tests.support.sonata_files import POPULATION
from typer.testing import CliRunner

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.cli import app
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata.info import simulation_info


def column(config, name):
    return values_of(open_simulation(config).column(POPULATION, name))


def said(config, name):
    with pytest.raises(SimulationDataError) as caught:
        open_simulation(config).column(POPULATION, name)
    return str(caught.value)


def hexes(config, **options):
    return recruitment_cube(config, **options)["hex"].to_numpy().tolist()


class TestGroupsAndTypes:
    """Each node has the value of its group where there is one, and else that of its type."""

    @pytest.mark.parametrize(
        ("in_group", "in_table", "expected"),
        [
            (np.array([2, 3]), "4", [4, 4, 2, 3]),
            (np.array([2.5, np.nan]), "4", [4.0, 4.0, 2.5, None]),
            (np.array([2, 3], np.uint8), "NULL", [None, None, 2.0, 3.0]),
            (texts("2", "3"), "4", [4, 4, 2, 3]),
            (np.array([2, 3]), "L4", ["L4", "L4", "2", "3"]),
            (np.array([2.0, 3.5]), "L4", ["L4", "L4", "2", "3.5"]),
            (texts("L2", "L3"), "4", ["4", "4", "L2", "L3"]),
            (texts("e", "i"), "i", ["i", "i", "e", "i"]),
            (np.array([True, False]), "True", [True, True, True, False]),
            (np.array([True, False]), "NULL", [None, None, "true", "false"]),
            (texts("True", "False"), "True", [True, True, True, False]),
            (np.array([True, False]), "7", [7, 7, 1, 0]),
        ],
    )
    def test_types_join(self, tmp_path, in_group, in_table, expected):
        config = write_nodes(
            tmp_path,
            {0: {"other": np.zeros(2)}, 1: {"kind": in_group}},
            group_ids=[0, 0, 1, 1],
            group_index=[0, 1, 0, 1],
            types=[100, 100, 101, 101],
            table=f"node_type_id kind\n100 {in_table}\n101 NULL\n",
        )
        assert column(config, "kind") == expected

    def test_a_library_in_one_group_joins_strings_in_another(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {
                5: {"ei": np.array([1, 0], np.uint8), "@ei": texts("e", "i")},
                -3: {"ei": texts("e", "x")},
            },
            group_ids=[-3, 5, 5, -3],
            group_index=[1, 0, 1, 0],
        )
        assert column(config, "ei") == ["x", "i", "e", "e"]

    def test_hdf5_wins_and_missing_values_are_the_tables(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {
                0: {
                    "layer": np.array([1.0, np.nan, 3.0]),
                    "ei": np.array([0, 1, -1]),
                    "@ei": texts("e", "i"),
                }
            },
            types=[7, 7, 8],
            table="node_type_id layer ei\n7 6 x\n8 5 y\n",
        )
        assert column(config, "layer") == [1, 6, 3]
        assert column(config, "ei") == ["e", "i", "y"]

    def test_whole_numbers_that_floats_do_not_hold_are_refused_beside_missing_ones(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {0: {"uid": np.array([2**53 + 1])}, 1: {"layer": np.array([4])}},
            group_ids=[0, 1],
            group_index=[0, 0],
        )
        assert "property 'uid': its whole number 9007199254740993 is too large" in said(
            config, "uid"
        )
        assert column(config, "layer") == [None, 4]

    @pytest.mark.parametrize("group", [0, 12])
    def test_the_index_of_a_single_group_counts(self, tmp_path, group):
        config = write_nodes(
            tmp_path,
            {group: {"layer": np.array([1, 2, 3]), "ei": texts("a", "b", "c")}},
            group_ids=[group] * 3,
            group_index=[2, 0, 1],
        )
        assert column(config, "layer") == [3, 1, 2]
        assert column(config, "ei") == ["c", "a", "b"]

    def test_an_index_that_was_never_written_is_assumed_to_be_in_order(self, tmp_path):
        config = write_nodes(
            tmp_path, {0: {"layer": np.array([1, 2])}}, group_ids=[0, 0], group_index=[0, 0]
        )
        assert column(config, "layer") == [1, 2]
        notes = json.loads(recruitment_cube(config).attrs["notes"])
        assert any("'node_group_index' is 0 for all 2 nodes of group 0" in n for n in notes)

    @pytest.mark.parametrize(
        ("group_ids", "group_index", "sentence"),
        [
            ([0, 3], [0, 0], "'node_group_id' names the group 3, which is not there; there are: 0"),
            ([0, 0], [0, 2], "'node_group_index' exceeds property 'layer' of group 0"),
            ([0, 0], [0, -1], "'node_group_index' exceeds property 'layer' of group 0"),
            ([0, 0], [0, 1, 2], "'node_group_index': has 3 values for 2 nodes"),
        ],
    )
    def test_groups_that_do_not_fit_are_refused(self, tmp_path, group_ids, group_index, sentence):
        config = write_nodes(
            tmp_path,
            {0: {"layer": np.array([1, 2])}},
            group_ids=group_ids,
            group_index=group_index,
            places=False,
        )
        assert sentence in said(config, "layer")

    def test_positions_differ_from_group_to_group(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {
                0: {"positions": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])},
                1: {"x": np.array([7, 8]), "y": np.array([9.0, 10.0]), "z": np.array([11.0, 12.0])},
                2: {"layer": np.array([1])},
            },
            group_ids=[1, 0, 2, 0, 1],
            group_index=[0, 1, 0, 0, 1],
        )
        assert column(config, "x") == [7, 4, None, 1, 8]
        assert column(config, "y") == [9, 5, None, 2, 10]
        assert column(config, "z") == [11, 6, None, 3, 12]

    def test_flat_positions_of_one_group_leave_the_others_without(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {
                0: {"ss_flat_x": np.array([0.0, STEP]), "ss_flat_y": np.zeros(2)},
                1: {"layer": np.array([4])},
            },
            group_ids=[0, 1, 0],
            group_index=[1, 0, 0],
        )
        cube = recruitment_cube(config)
        assert cube["hex"].to_numpy().tolist() == ["R0;C0", "R0;C1"]
        assert cube.attrs["n_neurons_without_place"] == 1
        assert cube["n_recruited"].to_numpy().tolist() == [[0, 1], [0, 0], [1, 0]]

    def test_the_size_is_that_of_all_groups_where_types_are_missing(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {0: {"layer": np.array([1])}, 1: {"layer": np.array([2, 3])}},
            group_ids=[1, 0, 1],
            group_index=[0, 0, 1],
        )
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            del file[f"nodes/{POPULATION}/node_type_id"]
        assert column(config, "layer") == [2, 1, 3]


@st.composite
def populations(draw):
    """Groups, table, and the values that each node must have."""
    names = draw(st.lists(st.integers(-3, 200), min_size=1, max_size=3, unique=True))
    size = draw(st.integers(1, 10))
    ids = draw(st.lists(st.sampled_from(names), min_size=size, max_size=size))
    types = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    table = {k: draw(st.none() | st.integers(0, 5)) for k in (1, 2)}  # type 3 is not in the table
    index, groups, expected = [0] * size, {}, [table.get(k) for k in types]
    for name in names:
        nodes = [k for k in range(size) if ids[k] == name]
        order = draw(st.permutations(range(len(nodes))))
        values = draw(st.lists(st.integers(6, 9), min_size=len(nodes), max_size=len(nodes)))
        has = draw(st.booleans())
        for node, row in zip(nodes, order, strict=True):
            index[node] = row
            if has:
                expected[node] = values[row]
        groups[name] = {"v": np.array(values, np.int64)} if has else {"w": np.zeros(len(nodes))}
    rows = "".join(f"{k} {'NULL' if v is None else v}\n" for k, v in table.items())
    return groups, ids, index, types, f"node_type_id v\n{rows}", expected


@given(populations())
def test_every_node_has_the_value_of_its_group_or_its_type(tmp_path_factory, population):
    groups, ids, index, types, table, expected = population
    config = write_nodes(
        tmp_path_factory.mktemp("groups"),
        groups,
        group_ids=ids,
        group_index=index,
        types=types,
        table=table,
        places=False,
    )
    sim = open_simulation(config)
    assert values_of(sim.column(POPULATION, "v")) == expected
    whole = all(value is not None for value in expected)
    assert np.asarray(sim.column(POPULATION, "v")).dtype.kind == ("i" if whole else "f")


@pytest.fixture
def in_two_places(tmp_path):
    """Three nodes whose layer is that of the type, two whose layer is that of the group."""
    return write_nodes(
        tmp_path,
        {
            0: {"ss_flat_x": STEP * np.arange(3), "ss_flat_y": np.zeros(3)},
            1: {
                "ss_flat_x": STEP * np.arange(3, 5),
                "ss_flat_y": np.zeros(2),
                "layer": np.array([2, 3]),
                "kind": np.array([0, 0]),
                "@kind": texts("inner", "rare"),
            },
        },
        group_ids=[0, 0, 0, 1, 1],
        group_index=[0, 1, 2, 0, 1],
        types=[100, 100, 101, 101, 101],
        table="node_type_id layer kind flag\n100 4 outer True\n101 5 NULL False\n",
        node_sets={"deep": {"layer": [4, 5]}, "flagged": {"flag": True}, "out": {"kind": "outer"}},
    )


class TestEveryDoor:
    WANTED = ("R0;C0", "R0;C1", "R0;C2")

    def test_of_python(self, in_two_places):
        sim = open_simulation(in_two_places)
        for where in ("layer=4,5", "layer=4:6", {"column": "layer", "values": [5, "4"]}):
            assert tuple(hexes(sim, where=where)) == self.WANTED
        assert hexes(sim, where="kind=inner") == ["R0;C3", "R0;C4"]
        assert hexes(sim, where="flag=true") == ["R0;C0", "R0;C1"]

    def test_of_node_sets(self, in_two_places):
        assert tuple(hexes(in_two_places, node_set="deep")) == self.WANTED
        assert hexes(in_two_places, node_set="flagged") == ["R0;C0", "R0;C1"]
        assert hexes(in_two_places, node_set="out") == ["R0;C0", "R0;C1"]

    def test_of_the_command_line(self, in_two_places, tmp_path):
        out = tmp_path / "a.hexrecruit.nc"
        words = ["cube", str(in_two_places), "-o", str(out), "--where", "layer=4:6"]
        found = CliRunner().invoke(app, words)
        assert found.exit_code == 0 and "3 hexagons" in found.output

    def test_of_info(self, in_two_places):
        (population,) = simulation_info(open_simulation(in_two_places))["populations"]
        columns = population["columns"]
        assert columns["layer"]["values"] == {"2": 1, "3": 1, "4": 2, "5": 1}
        assert columns["kind"] == {
            "kind": "text",
            "values": {"inner": 2, "outer": 2},
            "n_values": 2,
            "n_missing": 1,
        }
        assert columns["flag"]["values"] == {"false": 3, "true": 2}

    def test_of_what_a_column_may_be(self, in_two_places):
        sim = open_simulation(in_two_places)
        assert sim.text_values(POPULATION, "kind") == ("inner", "outer", "rare")
        assert sim.text_values(POPULATION, "layer") is None
        assert sim.columns(POPULATION) == ("flag", "kind", "layer", "ss_flat_x", "ss_flat_y")


class TestCodes:
    """Codes into a library."""

    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            (np.array([0, -1, 1], np.int8), ["a", None, "b"]),
            (np.array([0, -1, 1], np.int32), ["a", None, "b"]),
            (np.array([0, 255, 1], np.uint8), ["a", None, "b"]),
            (np.array([0, 2**64 - 1, 1], np.uint64), ["a", None, "b"]),
            (np.array([0.0, np.nan, 1.0]), ["a", None, "b"]),
            (np.array([-1, -1, -1]), [None, None, None]),
        ],
    )
    def test_minus_one_is_no_value(self, tmp_path, codes, expected):
        config = write_nodes(tmp_path, {0: {"m": codes, "@m": texts("a", "b")}})
        assert column(config, "m") == expected
        sim = open_simulation(config)
        (population,) = simulation_info(sim)["populations"]
        assert population["columns"]["m"]["n_missing"] == expected.count(None)
        if "a" in expected:
            assert hexes(sim, where="m=a,b") == ["R0;C0", "R0;C2"]
        else:
            with pytest.raises(ValueError, match="no neuron has a value in this column"):
                recruitment_cube(sim, where="m=a")

    def test_of_a_library_that_is_as_long_as_the_type_the_greatest_is_a_code(self, tmp_path):
        names = texts(*(f"t{k:03}" for k in range(256)))
        config = write_nodes(tmp_path, {0: {"m": np.array([255, 0], np.uint8), "@m": names}})
        assert column(config, "m") == ["t255", "t000"]

    @pytest.mark.parametrize(
        ("codes", "code"),
        [
            (np.array([0, 7, 1]), "7"),
            (np.array([0, -2, 1]), "-2"),
            (np.array([0, 254, 1], np.uint8), "254"),
            (np.array([0.0, 0.5, 1.0]), "0.5"),
        ],
    )
    def test_a_code_beyond_the_library_is_named_with_its_node(self, tmp_path, codes, code):
        config = write_nodes(tmp_path, {0: {"m": codes, "@m": texts("a", "b")}})
        sentence = f"property 'm': node 1 has the code {code}, and its library has 2 values"
        assert sentence in said(config, "m")
        assert len(hexes(config)) == 3

    def test_nodes_are_named_by_their_id(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {3: {"m": np.array([9, 0, 0]), "@m": texts("a")}},
            group_ids=[3, 3, 3],
            group_index=[1, 2, 0],
        )
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            file[f"nodes/{POPULATION}/node_id"] = np.array([50, 51, 52])
        assert "node 52 has the code 9" in said(config, "m")

    def test_a_row_of_a_group_that_is_no_nodes_may_be_anything(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {3: {"m": np.array([9, 0, 0]), "@m": texts("a")}},
            group_ids=[3, 3],
            group_index=[1, 2],
            size=2,
            places=False,
        )
        assert column(config, "m") == ["a", "a"]

    def test_a_library_may_name_a_value_twice(self, tmp_path):
        names = texts("b", "a", "b")
        config = write_nodes(tmp_path, {0: {"m": np.array([0, 1, 2]), "@m": names}})
        assert column(config, "m") == ["b", "a", "b"]
        assert hexes(config, where="m=b") == ["R0;C0", "R0;C2"]

    @pytest.mark.parametrize("empty", [np.array([]), h5py.Empty("f8"), texts()[:0].astype("S1")])
    def test_an_empty_library_has_missing_values_only(self, tmp_path, empty):
        config = write_nodes(tmp_path, {0: {"m": np.array([-1, -1]), "@m": empty}})
        assert column(config, "m") == [None, None]

    def test_an_enumeration_gives_its_names(self, tmp_path):
        config = write_nodes(tmp_path, {0: {"other": np.zeros(3)}})
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            part = file[f"nodes/{POPULATION}/0"]
            kind = h5py.enum_dtype({"EXC": 3, "INH": 5}, basetype="i1")
            part.create_dataset("ei", data=np.array([5, 3, 5], "i1"), dtype=kind)
            part.create_dataset("odd", data=np.array([5, 4, 5], "i1"), dtype=kind)
        assert column(config, "ei") == ["INH", "EXC", "INH"]
        assert "node 1 has 4, which its enumeration does not name" in said(config, "odd")


class TestABadColumn:
    """It stops neither `info` nor a cube that does not use it."""

    @pytest.fixture
    def config(self, tmp_path):
        config = write_nodes(
            tmp_path,
            {0: {"ok": np.array([1, 2]), "m": np.array([0, 9]), "@m": texts("a")}},
        )
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            part = file[f"nodes/{POPULATION}/0"]
            part["linked"] = h5py.ExternalLink("elsewhere.h5", "/x")
            part["short"] = np.zeros(1)
            part["numbered"], part["@library/numbered"] = np.array([0, 0]), np.array([1.5, 2.5])
        return config

    def test_info_lists_it_with_its_error(self, config):
        (population,) = simulation_info(open_simulation(config))["populations"]
        columns = population["columns"]
        bad = {name: found["error"] for name, found in columns.items() if "error" in found}
        assert set(bad) == {"linked", "m", "numbered", "short"}
        assert "node 1 has the code 9" in bad["m"]
        assert "is a link into the file 'elsewhere.h5'" in bad["linked"]
        assert "has 1 values for 2 nodes" in bad["short"]
        assert "@library of 'numbered': is not a list of texts" in bad["numbered"]
        assert columns["ok"]["values"] == {"1": 1, "2": 1}
        found = CliRunner().invoke(app, ["info", str(config)])
        assert found.exit_code == 0 and "m          unreadable " in found.output

    def test_other_columns_can_be_used(self, config):
        assert hexes(config, where="ok=2") == ["R0;C1"]

    def test_it_is_refused_where_it_is_used(self, config, tmp_path):
        words = ["cube", str(config), "-o", str(tmp_path / "a.hexrecruit.nc"), "--where", "m=a"]
        found = CliRunner().invoke(app, words)
        assert found.exit_code != 0 and not (tmp_path / "a.hexrecruit.nc").exists()

    def test_what_a_simulation_offers_is_listed(self, config):
        sim = open_simulation(config)
        assert sim.text_values(POPULATION, "numbered") is None
        assert sim.text_values(POPULATION, "m") == ("a",)

    def test_a_population_that_cannot_be_read_stops_no_other(self, config):
        path = config.parent / "circuit_config.json"
        circuit = json.loads(path.read_text())
        entry = {"nodes_file": "gone.h5", "populations": {"gone": {"type": "point_neuron"}}}
        circuit["networks"]["nodes"].append(entry)
        path.write_text(json.dumps(circuit))
        found = simulation_info(open_simulation(config))["populations"]
        assert [population["name"] for population in found] == ["cortex", "gone"]
        assert "does not exist" in found[1]["error"] and found[0]["n_neurons"] == 2


STORED = {
    "enumeration": np.array([True, False, True]),
    "numbers": np.array([1, 0, 1], np.uint8),
    "reals": np.array([1.0, 0.0, 1.0]),
    "texts": texts("True", "False", "True"),
    "lower": texts("true", "false", "true"),
}


class TestTruthValues:
    """True and false, however they are stored and asked for."""

    @pytest.mark.parametrize("stored", STORED)
    @pytest.mark.parametrize("asked", ["True", "true", "TRUE", "1", '"true"'])
    def test_are_found(self, tmp_path, stored, asked):
        config = write_nodes(tmp_path, {0: {"recorded": STORED[stored]}})
        assert hexes(config, where=f"recorded={asked}") == ["R0;C0", "R0;C2"]

    @pytest.mark.parametrize("stored", STORED)
    @pytest.mark.parametrize("asked", [True, 1, "True", np.True_, 1.0])
    def test_are_found_from_python(self, tmp_path, stored, asked):
        config = write_nodes(tmp_path, {0: {"recorded": STORED[stored]}})
        where = {"column": "recorded", "value": asked}
        assert hexes(config, where=where) == ["R0;C0", "R0;C2"]

    @pytest.mark.parametrize("stored", STORED)
    def test_are_found_by_node_sets(self, tmp_path, stored):
        sets = {
            "on": {"recorded": True},
            "off": {"recorded": [False]},
            "both": {"recorded": [True, False]},
        }
        config = write_nodes(tmp_path, {0: {"recorded": STORED[stored]}}, node_sets=sets)
        sim = open_simulation(config)
        found = {name: sim.node_set_ids(name, POPULATION).tolist() for name in sets}
        assert found == {"on": [0, 2], "off": [1], "both": [0, 1, 2]}

    @pytest.mark.parametrize("names", [{"false": 0, "true": 1}, {"True": -1, "False": 0}])
    def test_of_other_enumerations(self, tmp_path, names):
        config = write_nodes(tmp_path, {0: {"other": np.zeros(2)}})
        wanted = [name.lower() == "true" for name in names]
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            kind = h5py.enum_dtype(names, basetype="i1")
            data = np.array(list(names.values()), "i1")
            file[f"nodes/{POPULATION}/0"].create_dataset("flag", data=data, dtype=kind)
        assert column(config, "flag") == wanted

    def test_another_number_in_such_an_enumeration_is_refused(self, tmp_path):
        config = write_nodes(tmp_path, {0: {"flag": np.array([True, False, True])}})
        with h5py.File(tmp_path / "nodes.h5", "r+") as file:
            item = file[f"nodes/{POPULATION}/0/flag"]
            raw = np.array([1, 0, 2], np.int8)
            item.id.write(h5py.h5s.ALL, h5py.h5s.ALL, raw, mtype=item.id.get_type())
        assert "node 2 has 2, neither FALSE (0) nor TRUE (1)" in said(config, "flag")

    def test_info_shows_them(self, tmp_path):
        config = write_nodes(tmp_path, {0: {"recorded": STORED["enumeration"]}})
        (population,) = simulation_info(open_simulation(config))["populations"]
        assert population["columns"]["recorded"] == {
            "kind": "boolean",
            "values": {"false": 1, "true": 2},
            "n_values": 2,
        }
        found = CliRunner().invoke(app, ["info", str(config)])
        assert "recorded   boolean  false (1), true (2)" in found.output

    def test_have_no_interval(self, tmp_path):
        config = write_nodes(tmp_path, {0: {"recorded": STORED["enumeration"]}})
        with pytest.raises(ValueError, match="a column of true and false has no interval"):
            recruitment_cube(config, where="recorded=0:1")

    def test_are_not_one_of_many_numbers(self, tmp_path):
        config = write_nodes(tmp_path, {0: {"layer": np.array([1, 2, 3])}})
        with pytest.raises(ValueError, match="no neuron has True; there are: 1, 2, 3"):
            recruitment_cube(config, where={"column": "layer", "value": True})
