"""Rules on columns: like conntility's where types agree, and never silently empty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_hexrecruit.filters import matches, parse_where, typed_rule

TEXT = pd.Categorical(["EXC", "INH", "EXC", None], categories=["EXC", "INH", "unused"])
LAYERS_AS_TEXT = pd.Categorical(["1", "2", "3", "3"])
LAYERS = np.array([1, 2, 3, 3])
DEPTH = np.array([0.0, 100.0, np.nan, 250.5])


def kept(where, column):
    (rule,) = parse_where(where)
    return matches(typed_rule(rule, column), column).tolist()


@pytest.mark.parametrize(
    ("where", "column", "expected"),
    [
        ("c=INH", TEXT, [False, True, False, False]),
        ("c=EXC,INH", TEXT, [True, True, True, False]),
        ("c=3", LAYERS, [False, False, True, True]),
        ("c=3", LAYERS_AS_TEXT, [False, False, True, True]),
        ("c = 1, 2", LAYERS, [True, True, False, False]),
        ("c=2:3", LAYERS, [False, True, False, False]),
        ("c=0:100", DEPTH, [True, False, False, False]),
        ("c=250.5", DEPTH, [False, False, False, True]),
        ({"column": "c", "value": 3}, LAYERS_AS_TEXT, [False, False, True, True]),
        ({"column": "c", "value": 3.0}, LAYERS_AS_TEXT, [False, False, True, True]),
        ({"column": "c", "value": "3"}, LAYERS, [False, False, True, True]),
        ({"column": "c", "values": np.array([1, 3])}, LAYERS, [True, False, True, True]),
        ({"column": "c", "values": "INH"}, TEXT, [False, True, False, False]),
        ({"column": "c", "interval": (100, 300)}, DEPTH, [False, True, False, True]),
    ],
)
def test_what_a_rule_keeps(where, column, expected):
    assert kept(where, column) == expected


def test_a_colon_in_a_name_is_no_interval():
    mtypes = pd.Categorical(["L5_TPC:A", "L5_TPC:B"])
    assert kept("mtype=L5_TPC:A", mtypes) == [True, False]


@pytest.mark.parametrize(
    ("where", "column", "said"),
    [
        ("layer=7", LAYERS, "where='layer': no neuron has '7'; there are: 1, 2, 3"),
        ("c=inh", TEXT, "no neuron has 'inh'; there are: EXC, INH"),
        ("c=IHN", TEXT, "did you mean 'INH'"),
        ("c=unused", TEXT, "no neuron has 'unused'"),
        ("c=EXC,INHH", TEXT, "no neuron has 'INHH'"),
        ("c=x", LAYERS, "no neuron has 'x'"),
        ("c=5.5", DEPTH, "no neuron has '5.5'; the values go from 0 to 250.5: give an interval"),
        ("c=a:b", LAYERS, "must be numbers"),
        ("c=3:2", LAYERS, "is empty"),
        ("c=nan:2", LAYERS, "is empty"),
        ({"column": "c", "interval": [0, 1]}, TEXT, "a column of text has no interval"),
        ({"column": "c", "interval": [0]}, LAYERS, "an interval is two numbers"),
        ({"column": "c", "values": []}, LAYERS, "no value is given"),
    ],
)
def test_a_rule_that_can_match_nothing_is_refused(where, column, said):
    (rule,) = parse_where(where)
    with pytest.raises(ValueError) as error:
        typed_rule(rule, column)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "where",
    [
        "layer",
        "=3",
        "layer=",
        [3],
        {"value": 3},
        {"column": "c"},
        {"column": "c", "value": 1, "values": [1]},
        {"column": "c", "value": 1, "oops": 2},
    ],
)
def test_what_is_no_rule_is_refused(where):
    with pytest.raises(ValueError, match="where"):
        parse_where(where)


def test_long_lists_of_values_are_cut():
    column = pd.Categorical([f"type {k}" for k in range(100)])
    with pytest.raises(ValueError, match="and 70 more"):
        typed_rule({"column": "c", "value": "none of them at all"}, column)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
    st.floats(-1, 6),
    st.floats(0.1, 6),
)
def test_equals_conntility(numbers, wanted, lo, width):
    from conntility.circuit_models.neuron_groups.grouping_config import evaluate_filter_config

    column = np.array(numbers)
    frame = pd.DataFrame({"c": column})
    wanted = [value for value in wanted if value in numbers] or [numbers[0]]
    for rule in (
        {"column": "c", "values": wanted},
        {"column": "c", "value": wanted[0]},
        {"column": "c", "interval": [lo, lo + width]},
    ):
        theirs = evaluate_filter_config(frame, [dict(rule)])
        np.testing.assert_array_equal(matches(typed_rule(rule, column), column), theirs)
