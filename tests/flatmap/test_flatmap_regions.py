"""Regions from the neurons alone, and columns in the place of hexagons."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import LETTER_F, cube_of, letter_cube
from tests.support.sonata_files import simple_files

from napari_hexrecruit import HexGrid, SimulationDataError, recruitment_cube, render_frames
from napari_hexrecruit.counting.columns import fit_grid, group_columns, group_medians
from napari_hexrecruit.counting.members import group_neurons
from napari_hexrecruit.flatmap import (
    density_image,
    hex_image,
    hex_regions,
    majority_codes,
    neuron_regions,
)
from napari_hexrecruit.hexgrid import NEIGHBOURS_IJ, rowcol_to_ij

RADIUS = 50.0


def sides(lines):
    """Every side of a hexagon on these lines, as an unordered pair of rounded points."""
    pairs = []
    for line in lines:
        points = [tuple(point) for point in np.round(line, 3).tolist()]
        pairs += [frozenset(pair) for pair in itertools.pairwise(points)]
    return pairs


def area(ring):
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    return float(np.sum(x0 * y1 - x1 * y0) / 2.0)


def regions_of(cells, labels, names="abc"):
    """Hexagons at (row, col) with these labels."""
    row, col = np.array(cells).T
    cube = cube_of(np.zeros((1, len(row))), row=row, col=col)
    order = np.lexsort((col, row))
    return hex_regions(cube, np.asarray(labels)[order], names)


class TestMajority:
    def members(self, *hex_of_neuron):
        x = HexGrid(RADIUS).spacing * np.array(hex_of_neuron, dtype=float)
        return group_neurons(HexGrid(RADIUS), x, np.zeros(len(x)), np.array(hex_of_neuron) >= 0)

    def test_the_most_frequent_wins(self):
        members = self.members(0, 0, 0, 1, 1)
        assert majority_codes(members, [2, 1, 2, 0, 0]).tolist() == [2, 0]

    def test_of_several_the_lowest(self):
        assert majority_codes(self.members(0, 0, 0, 0), [3, 1, 1, 3]).tolist() == [1]

    def test_unknown_codes_and_neurons_without_a_place_do_not_count(self):
        members = self.members(0, 0, 0, 1, -1)
        assert majority_codes(members, [-1, -1, 4, -1, 7]).tolist() == [4, -1]

    @given(data=st.data())
    def test_equals_counting_one_by_one(self, data):
        n = data.draw(st.integers(1, 60))
        hexes = data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
        codes = data.draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n))
        members = self.members(*hexes)
        found = majority_codes(members, codes)
        for k in range(len(members.i)):
            mine = [c for h, c in zip(members.hex_of_neuron, codes, strict=True) if h == k]
            count = {c: mine.count(c) for c in mine if c >= 0}
            best = min((c for c in count if count[c] == max(count.values())), default=-1)
            assert found[k] == best

    @pytest.mark.parametrize("codes", [[1, 2], [0.5, 1.0, 2.0], ["a", "b", "c"]])
    def test_mistakes(self, codes):
        with pytest.raises(ValueError, match="3 whole numbers, one a neuron"):
            majority_codes(self.members(0, 0, 0), codes)


class TestOutlines:
    def test_of_one_hexagon(self):
        (line,) = regions_of([(0, 0)], [0]).outlines()
        assert len(line) == 7 and line[0].tolist() == line[-1].tolist()
        np.testing.assert_allclose(np.hypot(*line.T), RADIUS)

    def test_of_the_letter(self):
        regions = regions_of(LETTER_F, [0] * len(LETTER_F))
        (ring,), (line,) = regions.polygons()[0], regions.outlines()
        assert area(ring) == pytest.approx(len(LETTER_F) * HexGrid(RADIUS).area)
        corners = HexGrid(RADIUS).hex_to_corners(*rowcol_to_ij(*np.array(LETTER_F).T))
        allowed = {tuple(point) for point in np.round(corners.reshape(-1, 2), 3).tolist()}
        assert {tuple(point) for point in np.round(ring, 3).tolist()} <= allowed
        assert len(line) == len(ring)

    @given(data=st.data())
    def test_every_border_is_there_once_and_nothing_else(self, data):
        cells = data.draw(
            st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, unique=True)
        )
        labels = data.draw(st.lists(st.integers(-1, 2), min_size=len(cells), max_size=len(cells)))
        regions = regions_of(cells, labels)
        label = dict(
            zip(
                zip(regions.i.tolist(), regions.j.tolist(), strict=True),
                regions.region,
                strict=True,
            )
        )
        expected = set()
        for (i, j), own in label.items():
            corners = np.round(regions.grid.hex_to_corners([i], [j])[0], 3)
            for k, (di, dj) in enumerate(NEIGHBOURS_IJ.tolist()):
                if own >= 0 and label.get((i + di, j + dj), -1) != own:
                    side = corners[k - 1].tolist(), corners[k].tolist()
                    expected.add(frozenset(map(tuple, side)))
        found = sides(regions.outlines())
        assert len(found) == len(set(found))
        assert set(found) == expected
        total = sum(area(ring) for rings in regions.polygons() for ring in rings)
        assert total == pytest.approx(sum(r >= 0 for r in label.values()) * regions.grid.area)

    def test_borders_are_joined_into_long_lines(self):
        row, col = (a.ravel() for a in np.mgrid[0:20, 0:20])
        regions = regions_of(list(zip(row.tolist(), col.tolist(), strict=True)), (col >= 10) * 1)
        assert len(regions.outlines()) == 1  # around all, then down the middle

    def test_a_hole_is_clockwise(self):
        ring = [(0, 0), (0, 1), (1, -1), (1, 1), (2, 0), (2, 1)]
        hole, around = sorted(regions_of(ring, [0] * 6).polygons()[0], key=area)
        assert area(hole) == pytest.approx(-HexGrid(RADIUS).area)
        assert area(around) == pytest.approx(7 * HexGrid(RADIUS).area)

    def test_in_a_picture_they_frame_the_letter(self):
        cube = letter_cube()
        lines = hex_regions(cube, np.zeros(8, dtype=int), ["F"]).outlines()
        options = {"size": (500, 700), "colorbar": False, "scale_bar": False, "timestamp": False}
        plain = render_frames(cube, clim=(0, 100), **options)
        framed = render_frames(cube, outlines=lines, clim=(0, 100), **options)
        panel, box = plain.scene.panels[0], plain.scene.layout.panels[0]
        assert panel.view == framed.scene.panels[0].view
        changed = (plain[0] != framed[0]).any(axis=-1)

        def at(x, y):
            px, py = panel.view.to_pixels(x, y)
            return changed[int(box.top + py), int(box.left + px)]

        (line,) = lines
        middles = (line[:-1] + line[1:]) / 2
        assert all(at(x, y) for x, y in middles)
        assert not any(at(x, y) for x, y in zip(cube.x.values, cube.y.values, strict=True))


class TestNames:
    def test_in_the_middle(self):
        regions = regions_of([(0, 0), (0, 1), (0, 2), (2, 0)], [0, 0, 0, 2])
        points = regions.centroids()
        np.testing.assert_allclose(points[0], [HexGrid(RADIUS).spacing, 0.0])
        assert np.isnan(points[1]).all()
        np.testing.assert_allclose(points[2], [0.0, 3 * RADIUS])

    def test_never_outside_of_the_region(self):
        ring = [(0, 0), (0, 1), (1, -1), (1, 1), (2, 0), (2, 1)]
        for middle in ([], [(1, 0)]):
            regions = regions_of([*ring, *middle], [0] * 6 + [1] * len(middle))
            i, j = regions.grid.xy_to_hex(*regions.centroids()[:1].T)
            which = np.flatnonzero((regions.i == i[0]) & (regions.j == j[0]))
            assert regions.region[which].tolist() == [0]

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([0], "3 whole numbers"),
            ([0.0] * 3, "whole numbers"),
            ([0, 1, 3], "region 3 has no name"),
        ],
    )
    def test_mistakes(self, labels, message):
        cube = cube_of([[0, 0, 0]], row=[0, 0, 0], col=[0, 1, 2])
        with pytest.raises(ValueError, match=message):
            hex_regions(cube, labels, "abc")


class TestFromASimulation:
    @pytest.mark.parametrize("column", ["mtype", "layer", "synapse_class"])
    def test_majority_of_a_column(self, tmp_path, column):
        files = simple_files()
        config = files.write(tmp_path)
        cube = recruitment_cube(config, where="x=100:900")
        regions = neuron_regions(config, cube, column)
        x, y = files.columns["ss_flat_x"], files.columns["ss_flat_y"]
        counted = np.isfinite(x) & np.isfinite(y) & ~((x == -1) & (y == -1))
        counted &= (files.columns["x"] >= 100) & (files.columns["x"] < 900)
        i, j = regions.grid.xy_to_hex(x[counted], y[counted])
        values = np.asarray(files.columns[column]).astype(str)[counted]
        for k in range(cube.sizes["hex"]):
            names, count = np.unique(
                values[(i == regions.i[k]) & (j == regions.j[k])], return_counts=True
            )
            assert count.sum() == cube["n_neurons"][k]
            assert regions.names[regions.region[k]] == names[count.argmax()]

    def test_mistakes(self, tmp_path):
        config = simple_files().write(tmp_path)
        cube = recruitment_cube(config)
        with pytest.raises(SimulationDataError, match="no property 'region'; there are: depth"):
            neuron_regions(config, cube)
        with pytest.raises(ValueError, match="holds real numbers"):
            neuron_regions(config, cube, "depth")


class TestImages:
    def test_density_is_the_number_of_neurons(self):
        cube = letter_cube(n_neurons=np.arange(100, 108))
        image = density_image(cube, pixel_size=5.0)
        x, y = cube.x.to_numpy(), cube.y.to_numpy()
        np.testing.assert_array_equal(image.pixels[image.pixel_at(x, y)], cube["n_neurons"])
        shown = np.isfinite(image.pixels)
        assert shown.sum() * 25.0 == pytest.approx(len(x) * HexGrid(RADIUS).area, rel=0.01)

    def test_every_pixel_is_of_its_hexagon(self):
        cube = letter_cube()
        image = hex_image(cube, np.arange(8))
        row, column = np.indices(image.shape).reshape(2, -1)
        x, y, _ = image.affine @ np.stack([column, row, np.ones(len(row))])
        i, j = HexGrid(RADIUS).xy_to_hex(x, y)
        which = {
            (a, b): k for k, (a, b) in enumerate(zip(cube.i.values, cube.j.values, strict=True))
        }
        expected = [which.get((a, b), np.nan) for a, b in zip(i, j, strict=True)]
        np.testing.assert_array_equal(image.pixels.ravel(), expected)

    def test_mistakes(self):
        with pytest.raises(ValueError, match="values must be 8"):
            hex_image(letter_cube(), [1.0])
        with pytest.raises(ValueError, match="greater pixel_size"):
            hex_image(letter_cube(), np.zeros(8), pixel_size=1e-3)

    def test_of_members(self):
        members = group_neurons(HexGrid(10.0), np.zeros(3), np.zeros(3), np.ones(3, bool))
        assert np.nanmax(density_image(members).pixels) == 3


class TestColumns:
    @given(
        groups=st.lists(st.integers(0, 5), min_size=1, max_size=40),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_medians(self, groups, seed):
        values = np.random.default_rng(seed).normal(size=len(groups))
        found = group_medians(np.array(groups), values, 7)
        for k in range(7):
            mine = values[np.array(groups) == k]
            np.testing.assert_equal(found[k], np.median(mine) if mine.size else np.nan)

    @given(
        radius=st.floats(1.0, 1e3),
        x=st.floats(-1e3, 1e3),
        y=st.floats(-1e3, 1e3),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_a_map_of_hexagons_is_found_again(self, radius, x, y, seed):
        """With centres that are off by up to a twentieth of the spacing, in any order."""
        rng = np.random.default_rng(seed)
        true = HexGrid(radius, (x, y))
        row, col = (a.ravel() for a in np.mgrid[0:8, 0:9])
        i, j = rowcol_to_ij(row, col)
        order = rng.permutation(len(i))
        cx, cy = true.hex_to_xy(i[order], j[order])
        noise = rng.uniform(-0.05, 0.05, (2, len(i))) * true.spacing
        grid, found_i, found_j = fit_grid(cx + noise[0], cy + noise[1])
        assert grid.radius == pytest.approx(radius, rel=0.1)
        assert len(set(zip(found_i.tolist(), found_j.tolist(), strict=True))) == len(i)
        steps = {(a, b) for a, b in np.stack([found_i - i[order], found_j - j[order]], 1).tolist()}
        assert len(steps) == 1  # the same map, maybe counted from another hexagon

    @given(data=st.data())
    def test_every_column_has_a_hexagon_of_its_own(self, data):
        n = data.draw(st.integers(1, 30))
        points = st.lists(st.sampled_from([0.0, 1.0, 2.0, 50.0]), min_size=n, max_size=n)
        x, y = data.draw(points), data.draw(points)
        grid, i, j = fit_grid(x, y)
        assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == n
        assert ((j - i) % 3 == 0).all()
        assert grid.radius > 0

    def test_one_column(self):
        grid, i, j = fit_grid([7.0], [8.0], radius_of_one=33.0)
        assert grid.radius == 33.0
        np.testing.assert_allclose(grid.hex_to_xy(i, j), [[7.0], [8.0]])

    def test_members(self):
        ids, x, y = np.array([3, 5, 8]), np.array([0.0, 100.0, np.nan]), np.array([0.0, 0.0, 1.0])
        members = group_columns(np.array([5, 0, 8, 3, 5, 4]), ids, x, y)
        assert members.hex_names().tolist() == ["3", "5"]
        assert members.hex_of_neuron.tolist() == [1, -1, -1, 0, 1, -1]
        assert members.n_neurons.tolist() == [1, 2]
        assert members.xy()[0].tolist() == [0.0, 100.0]
        kept = members.keep(np.array([1, 1, 1, 0, 0, 1], dtype=bool))
        assert kept.hex_names().tolist() == ["5"]
        assert kept.xy()[0].tolist() == [100.0]

    def test_mistakes(self):
        with pytest.raises(ValueError, match="no column has a flat position"):
            group_columns(np.array([1]), np.array([1]), np.array([np.nan]), np.array([0.0]))
        with pytest.raises(ValueError, match="at least one centre"):
            fit_grid([], [])
