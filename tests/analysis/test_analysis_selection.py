"""Hexagons by name, region and number of neurons, and their neurons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import letter_cube, wave_cube

from napari_hexrecruit.analysis import (
    hex_positions,
    hexes_by_neurons,
    hexes_in_region,
    neurons_of,
    neurons_table,
    share_of_neurons,
)
from napari_hexrecruit.counting.members import group_neurons
from napari_hexrecruit.hexgrid import HexGrid

CUBE = wave_cube(n_rows=3, n_cols=4, n_bins=2)
NAMES = CUBE["hex"].to_numpy().tolist()


@given(st.lists(st.sampled_from(range(12))))
def test_names_positions_and_masks_pick_the_same(picked):
    once = list(dict.fromkeys(picked))
    assert hex_positions(CUBE, picked).tolist() == once
    assert hex_positions(CUBE, [NAMES[k] for k in picked]).tolist() == once
    mask = np.isin(np.arange(12), picked)
    assert hex_positions(CUBE, mask).tolist() == sorted(once)


@pytest.mark.parametrize("one", ["R1;C2", ["R1;C2"], 6, np.array(["R1;C2"], dtype=object)])
def test_a_single_hexagon_may_stand_alone(one):
    assert hex_positions(CUBE, one).tolist() == [6]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("R1;C22", r"no hexagon 'R1;C22' \(did you mean R1;C2\?\)"),
        ("zzz", "no hexagon 'zzz': names look like R0;C0"),
        (12, "no hexagon 12: the cube has 0 to 11"),
        (-1, "no hexagon -1"),
        ([True, False], "a mask of 2 for 12 hexagons"),
        ([[0, 1]], "must be names such as"),
        (1.5, "must be names such as"),
    ],
)
def test_a_hexagon_that_is_not_there_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        hex_positions(CUBE, wrong)


def test_hexagons_by_number_of_neurons_both_ends_included():
    cube = letter_cube(n_neurons=[100, 60, 70, 80, 90, 110, 120, 130])
    numbers = cube["n_neurons"].to_numpy()
    assert set(numbers[hexes_by_neurons(cube, at_least=80, at_most=110)]) == {80, 90, 100, 110}
    assert set(numbers[hexes_by_neurons(cube, at_least=120)]) == {120, 130}
    assert len(hexes_by_neurons(cube)) == 8
    assert len(hexes_by_neurons(cube, at_least=131)) == 0


def test_hexagons_in_regions():
    region, names = [2, 0, -1, 1, 2], ["A", "B", "C"]
    assert hexes_in_region(region, names, "C").tolist() == [0, 4]
    assert hexes_in_region(region, names, ["A", "B"]).tolist() == [1, 3]
    with pytest.raises(ValueError, match="no region 'D': use one of A, B, C"):
        hexes_in_region(region, names, "D")


@pytest.fixture(scope="module")
def members():
    """300 neurons over some hexagons, a tenth of them without a place, and 50 not counted."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 400, (2, 300))
    grouped = group_neurons(HexGrid(50.0), x, y, rng.uniform(size=300) > 0.1)
    made = grouped.keep(np.arange(300) >= 50)
    assert (made.hex_of_neuron == -1).sum() > 50 and len(made.i) > 12
    return made


def test_neurons_of_hexagons_are_those_that_count(members):
    picked = np.array([3, 0, 7])
    found = neurons_of(members, picked)
    slow = [n for n, h in enumerate(members.hex_of_neuron.tolist()) if h in (3, 0, 7)]
    assert found.tolist() == slow
    assert len(found) == members.n_neurons[picked].sum()
    assert neurons_of(members, np.zeros(0, int)).size == 0


def test_all_hexagons_give_all_neurons_and_each_once(members):
    parts = [neurons_of(members, np.array([k])) for k in range(len(members.i))]
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together) == members.n_neurons.sum()
    assert np.array_equal(np.sort(together), neurons_of(members, np.arange(len(members.i))))


def test_the_table_names_the_hexagon_of_each_neuron(members):
    table = neurons_table(members, np.array([2, 5]), population="cortex")
    assert list(table) == ["population", "node_id", "hex", "x", "y"]
    names, (x, y) = members.hex_names(), members.xy()
    for row in table.itertuples():
        at = members.hex_of_neuron[row.node_id]
        assert (row.hex, row.x, row.y) == (names[at], x[at], y[at])
    assert set(table["hex"]) == set(names[[2, 5]])


def test_the_table_has_sonata_ids_where_they_are_others(members):
    ids = 1000 + 3 * np.arange(300)
    table = neurons_table(members, np.array([2]), population="cortex", node_ids=ids)
    assert table["node_id"].tolist() == ids[neurons_of(members, np.array([2]))].tolist()


@given(st.data())
def test_neurons_of_hexagons_select_these_hexagons_again(members, data):
    n_hexes = len(members.i)
    picked = data.draw(st.lists(st.sampled_from(range(n_hexes)), unique=True))
    share = share_of_neurons(members, neurons_of(members, np.array(picked, dtype=int)))
    assert np.flatnonzero(share > 0).tolist() == sorted(picked)
    assert set(share.tolist()) <= {0.0, 1.0}


def test_the_share_counts_each_neuron_once_and_none_without_a_hexagon(members):
    theirs = neurons_of(members, np.array([4]))
    nowhere = np.flatnonzero(members.hex_of_neuron < 0)
    some = np.concatenate([theirs[:2], theirs[:2], nowhere])
    share = share_of_neurons(members, some)
    assert share[4] == 2 / members.n_neurons[4] and np.count_nonzero(share) == 1
    assert share_of_neurons(members, []).sum() == 0.0


@pytest.mark.parametrize("wrong", [[-1], [300], [0, 999]])
def test_neurons_that_there_are_not_are_refused(members, wrong):
    with pytest.raises(ValueError, match="rows 0 to 299"):
        share_of_neurons(members, wrong)
