"""Values with commas, equals signs, colons, quotes and blanks, from a shell and back to one."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.node_files import texts, write_nodes
from typer.testing import CliRunner

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit.cli import app
from napari_hexrecruit.filters import matches, parse_where, rule_to_text, typed_rule, value_to_text
from napari_hexrecruit.values import values_meant

NAMES = pd.Categorical(
    ["L2/3,PV", "e=0.5", "PV", " Vip ", "Vip", "1:2", 'a"b', '"q"', "", "L2/3", "full  ", " front"]
)


def found(text, column=NAMES):
    (rule,) = parse_where(text)
    return typed_rule(rule, column).get("values")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("c=L2/3,PV", ["L2/3,PV"]),  # as a whole, though L2/3 and PV are values too
        ('c="L2/3,PV"', ["L2/3,PV"]),
        ('c="L2/3","PV"', ["L2/3", "PV"]),
        ("c=PV,L2/3", ["PV", "L2/3"]),
        ('c=PV,"L2/3,PV"', ["PV", "L2/3,PV"]),
        ('c = "L2/3,PV" , PV ', ["L2/3,PV", "PV"]),
        ("c=e=0.5", ["e=0.5"]),
        ('c="e=0.5",PV', ["e=0.5", "PV"]),
        ("c= Vip ", [" Vip "]),
        ("c=Vip ", ["Vip"]),
        ('c=" Vip "', [" Vip "]),
        ("c=PV, Vip ", ["PV", "Vip"]),
        ("c=1:2", ["1:2"]),
        ('c=a"b', ['a"b']),
        ('c="a""b"', ['a"b']),
        ('c="""q"""', ['"q"']),
        ('c=""', [""]),
        ("c=PV,,Vip", ["PV", "Vip"]),
        ("c=PV,PV", ["PV"]),
        ("c=full", ["full  "]),
        ("c=full  ", ["full  "]),
        ("c=front", [" front"]),
    ],
)
def test_what_a_text_means(text, values):
    assert found(text) == values


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('c="PV', "a double quote is not closed"),
        ('c="PV"x', "or text stands beside it"),
        ('c= "PV', "a double quote is not closed"),
        ("c=L2/3,PX", "no neuron has 'PX'; there are"),
        ('c="q"', "no neuron has 'q'"),
        ("c=other", 'there are: "",'),
        ("c=,", "no value is given"),
    ],
)
def test_what_means_nothing_is_refused(text, sentence):
    with pytest.raises(ValueError) as caught:
        found(text)
    assert sentence in str(caught.value)


def test_a_colon_is_an_interval_of_numbers_only():
    (rule,) = parse_where("c=1:2")
    assert typed_rule(rule, np.array([1, 2]))["interval"] == [1.0, 2.0]
    (rule,) = parse_where('c="1:2"')
    with pytest.raises(ValueError, match="no neuron has '1:2'"):
        typed_rule(rule, np.array([1, 2]))


awkward = st.text(st.sampled_from("a,\"=: \n\r\tb\\'é7"), max_size=5) | st.text(max_size=4)


@given(st.lists(awkward, min_size=1, max_size=6, unique=True), st.data())
def test_any_values_come_back(values, data):
    column = pd.Categorical(values)
    chosen = data.draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
    rule = typed_rule({"column": "c", "values": chosen}, column)
    text = rule_to_text(rule)
    if text.partition("=")[2].strip():
        (read,) = parse_where(text)
        assert typed_rule(read, column) == rule


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), min_size=1, max_size=5),
    st.data(),
)
def test_whole_numbers_come_back(values, data):
    column = np.array(values, dtype=np.int64)
    chosen = data.draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
    rule = typed_rule({"column": "c", "values": chosen}, column)
    (read,) = parse_where(rule_to_text(rule))
    assert typed_rule(read, column) == rule
    assert matches(rule, column).tolist() == [value in chosen for value in values]


@given(
    st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=5),
    st.sampled_from(["f4", "f8"]),
    st.data(),
)
def test_real_numbers_and_intervals_come_back(values, kind, data):
    column = np.array(values, dtype=kind)
    chosen = data.draw(st.lists(st.sampled_from(column.tolist()), min_size=1))
    ends = data.draw(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)))
    rules = [{"column": "c", "values": chosen}]
    rules += [{"column": "c", "interval": sorted(ends)}] if ends[0] != ends[1] else []
    for given_rule in rules:
        rule = typed_rule(given_rule, column)
        (read,) = parse_where(rule_to_text(rule))
        assert typed_rule(read, column) == rule


def test_a_single_precision_value_is_found_as_it_is_written():
    column = np.array([0.1, 0.2], dtype=np.float32)
    assert matches(typed_rule({"column": "c", "value": 0.1}, column), column).tolist() == [1, 0]


def test_neighbours_of_large_whole_numbers_are_told_apart():
    for kind in (np.int64, np.uint64):
        column = np.array([2**53, 2**53 + 1], dtype=kind)
        (rule,) = parse_where(f"c={2**53 + 1}")
        assert matches(typed_rule(rule, column), column).tolist() == [False, True]


@pytest.mark.parametrize(
    ("value", "column", "meant"),
    [
        (3.0, pd.Categorical(["3"]), ["3"]),
        (12345678.0, pd.Categorical(["12345678"]), ["12345678"]),
        (np.float32(2.5), pd.Categorical(["2.5"]), ["2.5"]),
        (2.5, np.array([2]), []),
        (300, np.array([44], np.uint8), []),
        ("nan", np.array([np.nan]), []),
        ("yes", np.array([True]), []),
        (2, np.array([True]), []),
        (True, pd.Categorical(["True", "maybe"]), ["True"]),
        ("true", pd.Categorical(["True", "maybe"]), []),
        ("1", pd.Categorical(["True", "true", "False"]), ["True", "true"]),
        ("1", pd.Categorical(["1", "True"]), ["1"]),
    ],
)
def test_values_in_the_type_of_the_column(value, column, meant):
    assert values_meant(value, column) == meant


@pytest.mark.parametrize("column", ["a=b", " a", "", "a "])
def test_a_column_that_a_text_cannot_name_is_refused(column):
    with pytest.raises(ValueError, match="cannot be written as text"):
        rule_to_text({"column": column, "values": ["x"]})


def test_rules_that_are_not_typed_are_written_too():
    assert rule_to_text({"column": "c", "value": np.int64(3)}) == "c=3"
    assert rule_to_text({"column": "c", "values": {"a,b"}}) == 'c="a,b"'
    assert rule_to_text({"column": "c", "text": "1:2"}) == "c=1:2"
    assert rule_to_text({"column": "c", "values": [True]}) == "c=true"
    assert value_to_text(np.float64(2.0)) == "2"


@pytest.fixture
def config(tmp_path):
    names = texts("L2/3,PV", "e=0.5", "PV", " Vip ")
    return write_nodes(tmp_path, {0: {"pop_name": names}})


@pytest.mark.parametrize(
    ("where", "hexagon"),
    [
        ("pop_name=L2/3,PV", "R0;C0"),
        ('pop_name="L2/3,PV"', "R0;C0"),
        ("pop_name=e=0.5", "R0;C1"),
        ("pop_name= Vip ", "R0;C3"),
    ],
)
def test_on_the_command_line_and_in_the_recipe(config, tmp_path, where, hexagon):
    from napari_hexrecruit import read_cube

    out = tmp_path / "a.hexrecruit.nc"
    words = ["cube", str(config), "-o", str(out), "--where", where]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    cube = read_cube(out)
    assert cube["hex"].to_numpy().tolist() == [hexagon]
    (rule,) = json.loads(cube.attrs["recipe"])["where"]
    again = recruitment_cube(config, where=rule_to_text(rule))
    assert again.identical(recruitment_cube(config, where=rule))
    assert again["hex"].to_numpy().tolist() == [hexagon]


def test_the_title_tells_one_value_with_a_comma_from_two(config):
    one = recruitment_cube(config, where={"column": "pop_name", "value": "L2/3,PV"})
    two = recruitment_cube(config, where={"column": "pop_name", "values": ["PV", "e=0.5"]})
    assert one.attrs["title"] == 'Recruitment, cortex, pop_name "L2/3,PV"'
    assert two.attrs["title"] == "Recruitment, cortex, pop_name PV, e=0.5"
