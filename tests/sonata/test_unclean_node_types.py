"""Tables of node types as BMTK, other programs and people write them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.node_files import values_of, write_nodes
from tests.support.sonata_files import POPULATION

from napari_hexrecruit import open_simulation
from napari_hexrecruit.errors import SimulationDataError

HEADER = "node_type_id pop_name layer ei\n"


def sim_of(folder, table, types=(100, 101)):
    columns = {"other": np.zeros(len(types))}
    return open_simulation(write_nodes(folder, {0: columns}, types=types, table=table))


def columns_of(folder, table, types=(100, 101)):
    sim = sim_of(folder, table, types)
    names = [name for name in sim.columns(POPULATION) if name not in ("other", "ss_flat_x")]
    found = {name: values_of(sim.column(POPULATION, name)) for name in names}
    found.pop("ss_flat_y", None)
    return found


@pytest.mark.parametrize("name", ["NA", "None", "nan", "null", "N/A", "NaN", "-", "inf", "#N/A"])
def test_only_null_is_nothing(tmp_path, name):
    found = columns_of(tmp_path, f"{HEADER}100 {name} 4 e\n101 NULL 5 i\n")
    assert found["pop_name"] == [name, None]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("101 PV  i", ["PV", None, "i"]),
        ("101  5 i", [None, 5, "i"]),
        ("101 PV 5 ", ["PV", 5, None]),
        ("101   ", [None, None, None]),
        ('101 "" 5 i', ["", 5, "i"]),
        ('101 "L2/3 PV" 5 i', ["L2/3 PV", 5, "i"]),
        ('101 "a ""b"" c" 5 i', ['a "b" c', 5, "i"]),
        ('101 " x" 5 i', [" x", 5, "i"]),
        ('101 "NULL" 5 i', [None, 5, "i"]),
        ("101 L5\"x' 5 i", ["L5\"x'", 5, "i"]),
    ],
)
def test_fields_between_single_blanks(tmp_path, row, expected):
    found = columns_of(tmp_path, f"{HEADER}100 Rorb 4 e\n{row}\n")
    assert [found[name][1] for name in ("pop_name", "layer", "ei")] == expected
    assert [found[name][0] for name in ("pop_name", "layer", "ei")] == ["Rorb", 4, "e"]


@pytest.mark.parametrize(
    "table",
    [
        "node_type_id pop_name layer\n100          Rorb     4\n101          PV       NULL\n",
        "node_type_id\tpop_name\tlayer\n100\tRorb\t4\n101\tPV\t\n",
        "node_type_id\tpop_name\tlayer\n100\tRorb\t\t4\n101\tPV\t\tNULL\n",
        "node_type_id \t pop_name layer\n100 Rorb 4\n 101\tPV\tNULL\n",
        "node_type_id pop_name layer\r\n100 Rorb 4\r\n101 PV NULL\r\n",
        "\ufeffnode_type_id pop_name layer\n100 Rorb 4\n101 PV NULL",
        "node_type_id pop_name layer \n100 Rorb 4 \n101 PV NULL \n",
        "node_type_id pop_name layer \n100 Rorb 4 \n101 PV  \n",
        "pop_name node_type_id layer\n\nRorb 100 4\n\nPV 101 NULL\n\n",
        '"node_type_id" "pop_name" "layer"\n"100" "Rorb" "4"\n"101" "PV" "NULL"\n',
        "node_type_id pop_name layer\n100.0 Rorb 4\n101.0 PV NULL\n",
        "node_type_id pop_name layer\n100 Rorb 4\n100 Rorb 4\n101 PV NULL\n",
    ],
)
def test_the_same_table_in_many_ways(tmp_path, table):
    assert columns_of(tmp_path, table) == {"pop_name": ["Rorb", "PV"], "layer": [4, None]}


def test_tabs_may_stand_between_names_with_blanks(tmp_path):
    found = columns_of(tmp_path, "node_type_id\tpop_name\n100\tL2/3 PV\n101\t\n")
    assert found == {"pop_name": ["L2/3 PV", None]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("4", "NULL"), [4, None]),
        (("4", "5.5"), [4.0, 5.5]),
        (("1e3", "-.5"), [1000.0, -0.5]),
        (("True", "False"), [True, False]),
        (("TRUE", "NULL"), ["true", None]),
        (("True", "1"), ["True", "1"]),
        (("007", "7"), ["007", "7"]),
        (("1_0", "2"), ["1_0", "2"]),
        (("99999999999999999999", "2"), ["99999999999999999999", "2"]),
        (("9223372036854775807", "1"), [9223372036854775807, 1]),
        (("NULL", "NULL"), [None, None]),
    ],
)
def test_a_column_has_the_type_of_what_stands_there(tmp_path, fields, expected):
    rows = "".join(f"{100 + k} {field}\n" for k, field in enumerate(fields))
    found = columns_of(tmp_path, f"node_type_id value\n{rows}")["value"]
    assert found == expected
    assert [type(value) for value in found] == [
        float if isinstance(value, int) and None in expected else type(value) for value in expected
    ]


def test_the_types_that_nodes_have_decide_whether_one_is_missing(tmp_path):
    found = columns_of(tmp_path, "node_type_id layer\n100 4\n101 NULL\n102 5\n", (102, 100))
    assert found["layer"] == [5, 4] and isinstance(found["layer"][0], int)
    found = columns_of(tmp_path / "gap", "node_type_id layer\n100 4\n", (100, 777))
    assert found["layer"] == [4, None]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (f"{HEADER}100 Rorb 4 e\n101 PV i\n", "line 3 has 3 fields below 4 names"),
        (f"{HEADER}100 L2/3 PV 4 e\n", "line 2 has 5 fields below 4 names"),
        (f"{HEADER}100 'L2/3 PV' 4 e\n", "line 2 has 5 fields below 4 names"),
        (f'{HEADER}100 "Rorb 4 e\n', "line 2 has a double quote that does not begin or end"),
        (f'{HEADER}100 "a"b 4 e\n', "line 2 has a double quote that does not begin or end"),
        (f"{HEADER}100   Rorb 4  e\n101  4 e\n", "line 3 has an empty field between single blanks"),
        (f"{HEADER}x Rorb 4 e\n", "line 2 has the node_type_id 'x', not a whole number"),
        (f"{HEADER}1.5 Rorb 4 e\n", "line 2 has the node_type_id '1.5', not a whole number"),
        (f"{HEADER}NULL Rorb 4 e\n", "line 2 has the node_type_id None, not a whole number"),
        (f"{HEADER}1 a 4 e\n2 a 4 e\n1 b 4 e\n", "lines 2 and 4 differ but both describe"),
        ("node_type_id a a\n1 2 3\n", "two columns have the name 'a'"),
        ("node_type_id,a\n1,2\n", "line 1 names no column node_type_id"),
        ("\n\n", "it is empty"),
        (b"\xff\xfen\x00o\x00", "can't decode byte"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, table, sentence):
    with pytest.raises(SimulationDataError) as caught:
        sim_of(tmp_path, table).columns(POPULATION)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'types.csv'}: is not a table of node types (")


names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t\0"), min_size=1).filter(
    lambda text: text != "NULL"
)


@pytest.mark.slow
@given(st.lists(st.none() | names, min_size=1, max_size=4))
def test_what_pandas_writes_is_read_as_it_was(tmp_path_factory, values):
    """BMTK writes its tables so."""
    types = list(range(len(values)))
    frame = pd.DataFrame({"node_type_id": types, "name": ["text", *values][1:], "last": "end"})
    frame.loc[len(values)] = [len(values), "certainly text", "end"]
    written = io.StringIO()
    frame.to_csv(written, sep=" ", na_rep="NULL", index=False)
    found = columns_of(tmp_path_factory.mktemp("pandas"), written.getvalue(), types)
    assert found["last"] == ["end"] * len(values)
    assert found["name"] == values
