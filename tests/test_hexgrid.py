"""Laws of the tiling, and equality with conntility's."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.real_data import real_neurons

from napari_hexrecruit import HexGrid
from napari_hexrecruit.hexgrid import (
    NEIGHBOURS_IJ,
    hex_names,
    ij_to_rowcol,
    neighbours,
    rowcol_to_ij,
)

radii = st.floats(0.01, 1e4, allow_nan=False)
coordinates = st.floats(-1e5, 1e5, allow_nan=False)
rows_and_cols = st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))


def conntility_hexagons(x, y, radius):
    from conntility.circuit_models.neuron_groups import group_by_grid

    frame = pd.DataFrame({"ss_flat_x": x, "ss_flat_y": y})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return group_by_grid(frame, ["ss_flat_x", "ss_flat_y"], radius)


def assert_like_conntility(x, y, radius):
    theirs = conntility_hexagons(x, y, radius)
    grid = HexGrid(radius)
    i, j = grid.xy_to_hex(x, y)
    centre_x, centre_y = grid.hex_to_xy(i, j)
    np.testing.assert_array_equal(i, theirs.index.get_level_values("grid-i"))
    np.testing.assert_array_equal(j, theirs.index.get_level_values("grid-j"))
    np.testing.assert_array_equal(hex_names(*ij_to_rowcol(i, j)), theirs["grid-subtarget"])
    size = max(1.0, float(np.abs(x).max()), float(np.abs(y).max()))
    np.testing.assert_allclose(centre_x, theirs["grid-x"], rtol=0, atol=1e-12 * size)
    np.testing.assert_allclose(centre_y, theirs["grid-y"], rtol=0, atol=1e-12 * size)


@given(st.integers(0, 2**32 - 1), radii)
@settings(max_examples=25)
def test_equals_conntility_on_random_points(seed, radius):
    x, y = np.random.default_rng(seed).normal(0, 20 * radius, (2, 300))
    assert_like_conntility(x, y, radius)


@pytest.mark.parametrize("radius", [1.0, 2.0, 5.0, 7.3, 50.0])
def test_equals_conntility_on_a_lattice_of_whole_numbers(radius):
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(-60, 60), np.arange(-60, 60)))
    assert_like_conntility(x, y, radius)


@pytest.mark.parametrize("radius", [0.3, 50.0])
def test_equals_conntility_on_corners_and_edges(radius):
    grid = HexGrid(radius)
    corners = grid.hex_to_corners(*rowcol_to_ij(*np.mgrid[-9:9, -9:9].reshape(2, -1)))
    middles = (corners + np.roll(corners, 1, axis=1)) / 2
    for points in (corners, middles):
        assert_like_conntility(points[..., 0].ravel(), points[..., 1].ravel(), radius)


@pytest.mark.parametrize("radius", [20.0, 50.0, 120.0])
def test_equals_conntility_on_real_neurons(radius):
    neurons = real_neurons()
    assert_like_conntility(neurons["ss_flat_x"].to_numpy(), neurons["ss_flat_y"].to_numpy(), radius)


@given(coordinates, coordinates, radii)
def test_the_chosen_centre_is_the_nearest(x, y, radius):
    grid = HexGrid(radius)
    i, j = grid.xy_to_hex([x], [y])
    steps = np.vstack([[0, 0], NEIGHBOURS_IJ])
    centres = np.stack(grid.hex_to_xy(i + steps[:, 0], j + steps[:, 1]))
    apart = np.hypot(*(centres - [[x], [y]]))
    assert apart[0] <= apart.min() + 1e-9 * (radius + abs(x) + abs(y))


@given(rows_and_cols, radii, coordinates, coordinates)
def test_a_centre_lies_in_its_own_hexagon(rowcol, radius, x0, y0):
    grid = HexGrid(radius, (x0, y0)) if radius > 1 else HexGrid(radius)
    ij = rowcol_to_ij([rowcol[0]], [rowcol[1]])
    assert [v.tolist() for v in grid.xy_to_hex(*grid.hex_to_xy(*ij))] == [v.tolist() for v in ij]


@given(rows_and_cols)
def test_row_and_column_are_a_second_address(rowcol):
    row, col = ij_to_rowcol(*rowcol_to_ij([rowcol[0]], [rowcol[1]]))
    assert (row[0], col[0]) == rowcol


@given(st.integers(0, 2**32 - 1), rows_and_cols)
def test_a_shift_by_a_lattice_vector_shifts_the_hexagons(seed, rowcol):
    grid = HexGrid(10.0)
    x, y = np.random.default_rng(seed).uniform(-100, 100, (2, 50))
    step = [int(v[0]) for v in rowcol_to_ij([rowcol[0] % 50], [rowcol[1] % 50])]
    dx, dy = grid.hex_to_xy([step[0]], [step[1]])
    i, j = grid.xy_to_hex(x, y)
    shifted = grid.xy_to_hex(x + dx[0], y + dy[0])
    np.testing.assert_array_equal(shifted[0], i + step[0])
    np.testing.assert_array_equal(shifted[1], j + step[1])


def test_there_are_six_neighbours_one_spacing_away_and_neighbourhood_is_mutual():
    grid = HexGrid(50.0)
    x, y = grid.hex_to_xy(NEIGHBOURS_IJ[:, 0], NEIGHBOURS_IJ[:, 1])
    np.testing.assert_allclose(np.hypot(x, y), grid.spacing)
    np.testing.assert_allclose(np.rad2deg(np.arctan2(y, x)) % 360, np.arange(6) * 60.0, atol=1e-9)
    steps = {tuple(step) for step in NEIGHBOURS_IJ.tolist()}
    assert len(steps) == 6
    assert {(-i, -j) for i, j in steps} == steps


@given(st.sets(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1), st.data())
def test_edges_are_those_across_which_the_group_is_another(places, data):
    """Each edge stands in the middle between a hexagon of the group and one that is not in it."""
    grid, (row, col) = HexGrid(10.0), np.array(sorted(places)).T
    group = data.draw(st.lists(st.integers(0, 2), min_size=len(row), max_size=len(row)))
    i, j = rowcol_to_ij(row, col)
    known = dict(zip(zip(i.tolist(), j.tolist(), strict=True), group, strict=True))
    beside = neighbours(i, j)
    wanted = set()
    for k, (a, b) in enumerate(known):
        for side, (di, dj) in enumerate(NEIGHBOURS_IJ.tolist()):
            other = (a + di, b + dj)
            assert (beside[k, side] >= 0) == (other in known)
            if known[a, b] and known.get(other, 0) != known[a, b]:
                middle = np.mean(grid.hex_to_xy([a, a + di], [b, b + dj]), axis=1)
                wanted.add((known[a, b], *np.round(middle, 6).tolist()))
    edges = grid.edges_around(i, j, group)
    assert len(edges) == len(wanted)
    np.testing.assert_allclose(np.hypot(*(edges[:, 1] - edges[:, 0]).T), 10.0)
    middles = {tuple(m) for m in np.round(edges.mean(axis=1), 6).tolist()}
    assert middles == {(x, y) for _, x, y in wanted}


def test_corners_are_one_radius_away_and_pointy_top():
    corners = HexGrid(50.0).hex_to_corners([0], [0])[0]
    np.testing.assert_allclose(np.hypot(*corners.T), 50.0)
    assert corners[:, 1].max() == pytest.approx(50.0)
    assert corners[:, 0].max() == pytest.approx(50.0 * math.sqrt(3) / 2)


def test_row_and_column_grow_with_y_and_x():
    grid = HexGrid(50.0)
    x, y = grid.hex_to_xy(*rowcol_to_ij([0, 0, 1, 2], [0, 1, 0, 0]))
    np.testing.assert_allclose(x, np.array([0, 1, 0.5, 0]) * grid.spacing)
    np.testing.assert_allclose(y, [0, 0, 75, 150])


def test_attributes_give_the_grid_back():
    grid = HexGrid(12.5, (3.0, -4.0))
    assert HexGrid.from_attrs(grid.to_attrs()) == grid
    assert HexGrid.from_attrs({"hex_radius": 7.0}) == HexGrid(7.0)


def test_inputs_are_not_changed():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    HexGrid(1.0, (5.0, 5.0)).xy_to_hex(x, y)
    assert (x.tolist(), y.tolist()) == ([1.0, 2.0], [3.0, 4.0])


@pytest.mark.parametrize("radius", [0, -1.0, math.nan, math.inf, "50", True, None])
def test_a_radius_that_is_no_length_is_refused(radius):
    with pytest.raises(ValueError, match="radius must be a number greater than 0"):
        HexGrid(radius)


@pytest.mark.parametrize("origin", [(0.0,), (0.0, math.nan), ("a", "b")])
def test_an_origin_that_is_no_point_is_refused(origin):
    with pytest.raises(ValueError, match="origin must be two finite numbers"):
        HexGrid(1.0, origin)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e12])
def test_points_that_are_nowhere_are_refused(bad):
    with pytest.raises(ValueError, match="finite and within"):
        HexGrid(1.0).xy_to_hex([0.0, bad], [0.0, 0.0])


def test_points_of_unlike_shapes_are_refused():
    with pytest.raises(ValueError, match="1-d and alike"):
        HexGrid(1.0).xy_to_hex([0.0, 1.0], [0.0])


def test_indices_between_hexagons_are_refused():
    with pytest.raises(ValueError, match="is not a hexagon"):
        HexGrid(1.0).hex_to_xy([0], [1])
