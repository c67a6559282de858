"""Picks without a mouse: which hexagon is where, numbers and colours, and what a layer tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, sheet_cube, wave_cube

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.picks import COLOURS, HexLookup, colour_of, give_slots
from napari_hexrecruit.hexgrid import HexGrid, hex_names, ij_to_rowcol


class TestLookup:
    @given(st.floats(-900, 900), st.floats(-900, 900))
    def test_is_the_hexagon_that_a_neuron_there_belongs_to(self, x, y):
        cube, grid = sheet_cube(200, 2), HexGrid(50.0)
        i, j = grid.xy_to_hex([x], [y])
        (name,) = hex_names(*ij_to_rowcol(i, j))
        names = cube["hex"].to_numpy().tolist()
        expected = names.index(name) if name in names else None
        assert HexLookup.of(cube).at(x, y) == expected

    def test_far_places_and_no_places_are_in_no_hexagon(self):
        lookup = HexLookup.of(sheet_cube(20, 2))
        for x in (1e300, -1e20, np.nan, np.inf):
            assert lookup.at(x, 0.0) is None

    @given(st.floats(-300, 300), st.floats(-300, 300))
    def test_of_columns_beside_the_grid_it_is_the_nearest(self, x, y):
        cube = columns_cube()
        dx, dy = cube["x"].to_numpy() - x, cube["y"].to_numpy() - y
        nearest = int(np.argmin(np.hypot(dx, dy)))
        at = HexLookup.of(cube).at(x, y)
        across = np.maximum(np.abs(dx), np.abs(dx) / 2 + np.sqrt(0.75) * np.abs(dy))
        is_inside = across[nearest] <= 50 * np.sqrt(0.75)
        assert at == (nearest if is_inside else None)

    @given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), max_size=8))
    def test_a_lasso_holds_the_centres_within_it(self, corners):
        cube = sheet_cube(60, 2)
        x, y = np.array(corners).reshape(-1, 2).T
        found = set(HexLookup.of(cube).inside(x, y).tolist())
        if len(corners) < 3:
            assert found == set()
        for k, (cx, cy) in enumerate(zip(cube["x"].to_numpy(), cube["y"].to_numpy(), strict=True)):
            turns = winding(corners, cx, cy)
            if turns is not None:  # not on the line itself
                assert (k in found) == (turns != 0)

    def test_a_single_hexagon(self):
        lookup = HexLookup.of(cube_of([[5]], row=[0], col=[0]))
        assert lookup.at(0.0, 49.0) == 0
        assert lookup.at(0.0, 51.0) is None


def winding(corners, cx, cy):
    """How often a closed line goes around a place; None where it touches it."""
    if len(corners) < 3:
        return 0
    z = np.array([complex(x - cx, y - cy) for x, y in [*corners, corners[0]]])
    if np.abs(z).min() < 1e-6:
        return None
    turn = np.angle(z[1:] / z[:-1])
    if np.abs(np.abs(turn) - np.pi).min() < 1e-6:
        return None
    return round(turn.sum() / (2 * np.pi))


def columns_cube():
    """Columns of an atlas: a few µm beside their places on the grid."""
    cube = sheet_cube(19, 3, start_ms=0.0)
    shift = np.random.default_rng(5).uniform(-20, 20, (2, cube.sizes["hex"]))
    return cube.assign_coords(
        x=cube["x"] + shift[0], y=cube["y"] + shift[1], hex=[str(k) for k in range(19)]
    ).assign(
        {name: cube[name].assign_coords(hex=[str(k) for k in range(19)]) for name in cube.data_vars}
    )


class TestSlots:
    @given(
        st.lists(st.lists(st.sampled_from("abcdefghijkl"), unique=True), max_size=6),
    )
    def test_a_pick_keeps_its_number_and_no_two_share_one(self, steps):
        slots = {}
        for names in steps:
            before, slots = slots, give_slots(names, slots)
            assert list(slots) == names
            assert len(set(slots.values())) == len(slots)
            end = max(7, len(names))
            kept = [name for name in names if before.get(name, end) < end]
            assert all(slots[name] == before[name] for name in kept)
            new = [slots[name] for name in names if name not in kept]
            assert new == sorted(new)
            assert max(slots.values(), default=0) < end

    def test_colours_begin_again(self):
        assert [colour_of(slot) for slot in range(8)] == [*COLOURS, COLOURS[0]]


class TestSelectedHexes:
    def test_is_readable_settable_and_tells(self, cube):
        layer, told = RecruitmentLayer(cube), []
        layer.events.selection_changed.connect(lambda event: told.append(event.value))
        assert layer.selected_hexes == ()
        layer.selected_hexes = ["R1;C2", "R0;C0", "R1;C2"]
        assert layer.selected_hexes == ("R1;C2", "R0;C0")
        layer.selected_hexes = ("R1;C2", "R0;C0")
        layer.selected_hexes = np.array(["R0;C0"])
        layer.selected_hexes = ()
        assert told == [("R1;C2", "R0;C0"), ("R0;C0",), ()]

    def test_refuses_names_that_the_cube_does_not_have(self, cube):
        layer = RecruitmentLayer(cube)
        layer.selected_hexes = "R0;C1"
        with pytest.raises(ValueError, match="no hexagon 'R9;C9': names look like R0;C0"):
            layer.selected_hexes = ["R0;C0", "R9;C9"]
        assert layer.selected_hexes == ("R0;C1",)

    def test_another_cube_keeps_the_picks_that_are_in_the_same_place(self, cube):
        layer, told = RecruitmentLayer(cube), []
        layer.selected_hexes = ["R0;C0", "R2;C3"]
        layer.events.selection_changed.connect(lambda event: told.append(event.value))
        layer.cube = wave_cube(n_rows=2, n_cols=4, n_bins=7)
        assert layer.selected_hexes == ("R0;C0",)
        layer.cube = wave_cube(n_rows=2, n_cols=4, n_bins=7, radius=60.0)
        assert layer.selected_hexes == ()
        assert told == [("R0;C0",), ()]

    def test_linked_layers_do_not_share_picks(self, cube):
        from napari.experimental import link_layers

        one, other = RecruitmentLayer(cube), RecruitmentLayer(wave_cube(2, 2, 5))
        link_layers([one, other])
        one.selected_hexes = ["R2;C3"]
        assert other.selected_hexes == ()
