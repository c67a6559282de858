"""Hexagons of many neurons, read some at a time, beside `HexGrid.xy_to_hex` of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_hexrecruit import HexGrid
from napari_hexrecruit.counting.members import NO_HEX, smallest_kind
from napari_hexrecruit.counting.placing import InMemory, place_neurons
from napari_hexrecruit.hexgrid import TOO_FAR_OUT, ij_to_rowcol, rowcol_to_ij
from napari_hexrecruit.masks import Mask


class Blocks(NamedTuple):
    """Positions that are read `block` at a time."""

    x: np.ndarray
    y: np.ndarray
    block: int

    @property
    def size(self) -> int:
        return len(self.x)

    def read(self, first, last):
        assert 0 <= first < last <= self.size
        return self.x[first:last], self.y[first:last]


def assert_placed(members, grid, x, y, *, outside_value=False):
    """Names, order, members and counts are those of a plain computation."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    placed = np.isfinite(x) & np.isfinite(y)
    if outside_value:
        placed &= ~((x == -1) & (y == -1))
    i, j = grid.xy_to_hex(x[placed], y[placed])
    row, col = ij_to_rowcol(i, j)
    pairs, which, n_neurons = np.unique(
        np.stack([row, col], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    np.testing.assert_array_equal(np.stack(ij_to_rowcol(members.i, members.j), axis=1), pairs)
    np.testing.assert_array_equal(members.n_neurons, n_neurons)
    np.testing.assert_array_equal(members.hex_of_neuron[placed], which.ravel())
    assert (members.hex_of_neuron[~placed] == NO_HEX).all()
    assert members.hex_of_neuron.dtype == smallest_kind(len(pairs))
    assert (members.i.dtype, members.j.dtype, members.n_neurons.dtype) == (np.int32,) * 3


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 400),
    block=st.sampled_from([7, 64, 1 << 16]),
    workers=st.sampled_from([1, 3]),
    spread=st.sampled_from([1.0, 40.0, 1e5]),
    outside_value=st.booleans(),
)
@settings(max_examples=30)
def test_each_neuron_is_in_its_own_hexagon(seed, n, block, workers, spread, outside_value):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0.0, spread, (2, n))
    x[rng.random(n) < 0.1], y[rng.random(n) < 0.1] = np.nan, np.inf
    nowhere = rng.random(n) < 0.1
    x[nowhere], y[nowhere] = -1.0, -1.0
    grid = HexGrid(0.7, (0.3, -2.0))
    members = place_neurons(
        grid, Blocks(x, y, block), outside_value=outside_value, n_workers=workers
    )
    assert_placed(members, grid, x, y, outside_value=outside_value)


@pytest.mark.parametrize("radius", [50.0, 0.3])
def test_points_on_edges_and_corners_are_placed_as_conntility_does(radius):
    grid = HexGrid(radius)
    ij = rowcol_to_ij(*(a.ravel() for a in np.mgrid[-60:60, -60:60]))
    corners = grid.hex_to_corners(*ij)
    share = np.random.default_rng(0).random((len(corners), 6, 1))
    edges = share * corners + (1.0 - share) * np.roll(corners, 1, axis=1)
    middles = (corners + np.roll(corners, 1, axis=1)) / 2.0
    points = np.concatenate([p.reshape(-1, 2) for p in (corners, edges, middles)])
    x, y = points.T.copy()
    assert_placed(place_neurons(grid, InMemory(x, y), outside_value=True), grid, x, y)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.int64, ">f8", ">i4"])
def test_positions_of_any_type_of_number(kind):
    x, y = np.random.default_rng(1).integers(-3_000, 3_000, (2, 500)).astype(kind)
    grid = HexGrid(50.0)
    assert_placed(place_neurons(grid, InMemory(x, y), outside_value=False), grid, x, y)


@pytest.mark.parametrize(("radius", "n"), [(1.0, 200_000), (20.0, 50_000)])
def test_tables_grow_with_the_hexagons(radius, n):
    """Also where neurons come in the order of their places, and one is far off in between."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-400.0, 400.0, (2, n))
    x.sort()
    x[n // 2] = 1e7
    grid = HexGrid(radius)
    assert_placed(place_neurons(grid, Blocks(x, y, 5_000), outside_value=False), grid, x, y)


@pytest.mark.slow
@pytest.mark.parametrize("radius", [50.0, 7.3])
def test_ten_million_points(radius):
    x, y = np.random.default_rng(3).uniform(-4_000.0, 4_000.0, (2, 10_000_000))
    grid = HexGrid(radius)
    members = place_neurons(grid, InMemory(x, y), outside_value=False)
    i, j = grid.xy_to_hex(x, y)
    np.testing.assert_array_equal(members.i[members.hex_of_neuron], i)
    np.testing.assert_array_equal(members.j[members.hex_of_neuron], j)
    found = np.bincount(members.hex_of_neuron, minlength=len(members.i))
    np.testing.assert_array_equal(found, members.n_neurons)


def test_no_neuron_is_in_no_hexagon():
    nothing = np.zeros(0)
    members = place_neurons(HexGrid(1.0), InMemory(nothing, nothing), outside_value=True)
    assert (len(members.i), len(members.hex_of_neuron), members.n_neurons.sum()) == (0, 0, 0)
    one = np.array([np.nan])
    members = place_neurons(HexGrid(1.0), InMemory(one, one), outside_value=True)
    assert (len(members.i), members.hex_of_neuron.tolist()) == (0, [NO_HEX])


def test_what_is_too_far_out_or_cannot_be_read_ends_the_work():
    x = np.array([0.0, 1e12])
    with pytest.raises(ValueError, match=TOO_FAR_OUT.split("*")[0]):
        place_neurons(HexGrid(1.0), Blocks(x, x, 1), outside_value=False)

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_neurons(HexGrid(1.0), Blocks(x[:1], x[:1], 1), outside_value=False, placed=stop)


@given(st.lists(st.booleans(), max_size=40), st.lists(st.booleans(), max_size=40))
def test_a_mask_is_the_truth_values_that_it_is_made_of(one, other):
    n = min(len(one), len(other))
    a, b = np.array(one[:n], bool), np.array(other[:n], bool)
    both = Mask.of(a) & Mask.of(b)
    assert both.values().tolist() == (a & b).tolist()
    assert (both.count(), both.rows().tolist()) == ((a & b).sum(), np.flatnonzero(a & b).tolist())
    assert len(both) == n
    assert (Mask.every(n) & Mask.of(a)).values().tolist() == a.tolist()
    assert (Mask.every(n).count(), Mask.every(n).bits.tolist()) == (
        n,
        Mask.of(np.ones(n, bool)).bits.tolist(),
    )
