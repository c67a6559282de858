"""Node sets that are lists of ids, mix kinds, or are meant for other populations."""

from __future__ import annotations

import json

import libsonata
import numpy as np
import pytest
from tests.support.node_files import texts, write_nodes
from tests.support.sonata_files import POPULATION

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.errors import SimulationDataError


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    return write_nodes(
        tmp_path_factory.mktemp("sets"),
        {
            0: {
                "layer": np.array([1, 2, 3, 4]),
                "depth": np.array([1.0, np.nan, 3.0, np.inf]),
                "m": np.array([0, 1, -1, 1], np.int8),
                "@m": texts("a", "b"),
                "full": np.array([0, 1, 0, 1], np.int8),
                "@full": texts("a", "b"),
                "flag": np.array([True, False, True, False]),
                "filled": np.array([b"a   ", b"b   ", b"b   ", b"ab  "]),
            }
        },
    )


def members(simulation, rule, **others):
    sim = open_simulation(simulation)
    sim.__dict__["node_set_rules"] = {"set": rule, **others}
    return sim.node_set_ids("set", POPULATION).tolist()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ([1, 3], [1, 3]),
        ([3, 1, 1, 99], [1, 3]),
        ([], []),
        (["deep", 0], [0, 3]),
        (["deep", "other"], [3]),
        ({"node_id": [0.0, 2.0]}, [0, 2]),
        ({"population": [POPULATION, "x"], "node_id": [1]}, [1]),
        ({"population": "x", "nothing": 1}, []),
        ({"flag": True}, [0, 2]),
        ({"flag": [False]}, [1, 3]),
        ({"flag": "false"}, [1, 3]),
        ({"flag": 1, "layer": {"$gt": 1}}, [2]),
        ({"m": "b"}, [1, 3]),
        ({"filled": "b"}, [1, 2]),
        ({"filled": ["a", "ab  "]}, [0, 3]),
        ({"m": {"$regex": "."}}, [0, 1, 3]),
        ({"m": {"$regex": ""}}, [0, 1, 3]),
        ({"depth": {"$gt": 0}}, [0, 2, 3]),
        ({"depth": {"$lt": 1e9}}, [0, 2]),
        ({"layer": [1, "4", 2.5]}, [0, 3]),
        ({"layer": 2.0}, [1]),
        ({"layer": 2**70}, []),
    ],
)
def test_who_is_in(simulation, rule, expected):
    others = {"deep": {"layer": 4}, "other": {"population": "x", "nothing": 1}}
    assert members(simulation, rule, **others) == expected


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ([1, True], "its node_id are not whole numbers"),
        ([1, 0.5], "its node_id are not whole numbers"),
        ([1, [2]], "its node_id are not whole numbers"),
        ([1, -3], "its node_id -3 is negative"),
        ({"node_id": [-1]}, "its node_id -1 is negative"),
        ({"node_id": [float("nan")]}, "its node_id are not whole numbers"),
        ({"population": 5}, "its population is 5, not a name or a list of names"),
        ({"layer": True}, "'layer' asks for [True], but the property holds numbers"),
        ({"flag": "maybe"}, "'flag' asks for ['maybe'], but the property holds true and false"),
        ({"layer": None}, "neither text nor a number"),
        (["deep", "gone"], "node set 'gone', which 'set' names: is not defined"),
        ({"nothing": 1}, "it names the property 'nothing', which population 'cortex' lacks"),
    ],
)
def test_what_makes_no_sense_is_refused(simulation, rule, sentence):
    with pytest.raises(SimulationDataError) as caught:
        members(simulation, rule, deep={"layer": 4})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "rule",
    [
        {"node_id": [1, 99]},
        {"node_id": [1.0]},
        {"layer": 2.0},
        {"full": "a"},
        {"full": ["a", "b"]},
        {"full": {"$regex": "a|c"}},
        {"depth": {"$gt": 0}},
        {"depth": {"$lte": 3}},
        [],
    ],
)
def test_the_same_as_libsonata_where_it_has_an_answer(simulation, rule):
    nodes = libsonata.NodeStorage(str(simulation.parent / "nodes.h5"))
    reference = libsonata.NodeSets(json.dumps({"set": rule}))
    wanted = reference.materialize("set", nodes.open_population(POPULATION)).flatten()
    assert members(simulation, rule) == sorted(wanted.tolist())


def test_a_list_of_ids_of_a_file_gives_a_cube(tmp_path):
    config = write_nodes(
        tmp_path, {0: {"layer": np.zeros(4)}}, node_sets={"some": [2, 0], "more": ["some", 3]}
    )
    for name, hexes in (("some", ["R0;C0", "R0;C2"]), ("more", ["R0;C0", "R0;C2", "R0;C3"])):
        cube = recruitment_cube(config, node_set=name)
        assert cube["hex"].to_numpy().tolist() == hexes
