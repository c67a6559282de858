"""The real flatmap, columns and neurons of the rat's non-barrel somatosensory cortex."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.atlas_files import write_circuit
from tests.support.real_data import real_file, real_neurons
from tests.support.sonata_files import POPULATION

from napari_hexrecruit import HexGrid, open_simulation, recruitment_cube, render_frames
from napari_hexrecruit.counting.columns import fit_grid
from napari_hexrecruit.flatmap import (
    depth_image,
    flat_positions,
    footprint_image,
    neuron_regions,
    read_flatmap,
    read_ids,
    region_areas,
)
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.storage import cache

N_COLUMNS = 240


@pytest.fixture(scope="module")
def flatmap():
    return read_flatmap(real_file("ss_fm.nrrd"))


@pytest.fixture(scope="module")
def columns():
    return read_ids(real_file("column_identities.nrrd"))


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    """The real neurons with one spike each, and no flat columns in the nodes file."""
    neurons = real_neurons()
    folder = tmp_path_factory.mktemp("real")
    found = {name: neurons[name].to_numpy() for name in ("x", "y", "z", "layer")}
    config = write_circuit(folder / "sim", found | {"mtype": neurons["mtype"].tolist()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: folder / "cache")
        yield open_simulation(config)


def test_neurons_have_exactly_their_published_flat_positions(flatmap):
    neurons = real_neurons()
    assert len(neurons) == 6439
    x, y = flat_positions(flatmap, neurons.x, neurons.y, neurons.z)
    np.testing.assert_array_equal(x, neurons.ss_flat_x)
    np.testing.assert_array_equal(y, neurons.ss_flat_y)


def test_their_depth_is_that_of_the_same_voxels(flatmap):
    neurons = real_neurons()
    rows = flatmap.volume.rows_at(neurons.x, neurons.y, neurons.z)
    np.testing.assert_array_equal(flatmap.depth[rows], neurons.depth)


def test_a_cube_by_the_atlas_is_that_of_the_published_columns(simulation):
    neurons = real_neurons()
    cube = recruitment_cube(simulation, flat=real_file("ss_fm.nrrd"), radius=120.0)
    i, j = HexGrid(120.0).xy_to_hex(neurons.ss_flat_x, neurons.ss_flat_y)
    expected = np.unique(np.stack([j, i]), axis=1, return_counts=True)
    found = {
        (int(b), int(a)): int(n) for a, b, n in zip(cube.i, cube.j, cube.n_neurons, strict=True)
    }
    assert found == {tuple(p): n for p, n in zip(expected[0].T.tolist(), expected[1], strict=True)}
    assert cube.attrs["flat_units"] == "um"
    notes = json.loads(cube.attrs["notes"])
    assert any("of 6,439 neurons 0 lie outside of its box and 0 where" in note for note in notes)
    assert not any("under three voxels" in note for note in notes)


def test_the_default_radius_is_under_three_voxels(simulation):
    cube = recruitment_cube(simulation, flat=real_file("ss_fm.nrrd"))
    notes = json.loads(cube.attrs["notes"])
    (note,) = (note for note in notes if "under three voxels" in note)
    assert note.endswith("(116.2 um) and neurons are placed by voxel: use at least 117")


def test_the_footprint_is_where_the_voxels_are(flatmap):
    image = footprint_image(flatmap)
    assert image.pixels[image.pixel_at(flatmap.x, flatmap.y)].all()
    x0, _, _, y1 = image.extent
    assert x0 <= flatmap.x.min() < x0 + 39 and y1 - 39 < flatmap.y.max() <= y1
    assert 0.9 < image.pixels.mean() < 1.0
    depth = depth_image(flatmap)
    assert 1500 < np.nanmedian(depth.pixels) < 2500
    neurons = real_neurons()
    row, column = depth.pixel_at(neurons.ss_flat_x, neurons.ss_flat_y)
    assert (depth.pixels[row, column] >= neurons.depth - 1e-3).all()


class TestColumns:
    def test_there_are_240(self, columns):
        assert np.unique(columns.values).tolist() == list(range(1, N_COLUMNS + 1))

    def test_they_are_hexagons_of_radius_230_around_the_origin(self, flatmap, columns):
        """By the share of voxels that lie in the hexagon that most of their column lie in."""
        x, y = flat_positions(flatmap, *columns.centres().T)
        placed, ids = np.isfinite(x) & ~((x == -1) & (y == -1)), columns.values[:, 0]

        def purity(radius):
            i, j = HexGrid(radius).xy_to_hex(x[placed], y[placed])
            pairs = np.stack([ids[placed], i.astype(np.int64) * 1000 + j])
            (column, _), count = np.unique(pairs, axis=1, return_counts=True)
            most = np.zeros(N_COLUMNS + 1, dtype=np.int64)
            np.maximum.at(most, column, count)
            return most.sum() / placed.sum()

        assert purity(230.0) > 0.93 > max(purity(229.0), purity(231.0))

    def test_the_grid_that_is_fitted_to_them(self, flatmap, columns):
        """It is theirs: 238 of 240 lie in their own hexagon, two are splinters of one voxel."""
        x, y = flat_positions(flatmap, *columns.centres().T)
        ids = columns.values[:, 0]
        centres = [(np.median(x[ids == k]), np.median(y[ids == k])) for k in np.unique(ids)]
        grid, i, j = fit_grid(*np.array(centres).T)
        assert grid.radius == pytest.approx(230.0, abs=0.1)
        assert np.hypot(*grid.origin) < 0.2
        found_i, found_j = HexGrid(230.0).xy_to_hex(*np.array(centres).T)
        assert np.sum((i == found_i) & (j == found_j)) == 238
        assert len({*zip(i.tolist(), j.tolist(), strict=True)}) == N_COLUMNS

    def test_a_cube_of_columns(self, simulation, columns):
        options = {"flat": real_file("ss_fm.nrrd"), "column_atlas": columns.path}
        cube = recruitment_cube(simulation, **options)
        neurons = real_neurons()
        column = columns.values[columns.rows_at(neurons.x, neurons.y, neurons.z), 0]
        ids, count = np.unique(column, return_counts=True)
        found = dict(
            zip(cube["hex"].to_numpy().tolist(), cube["n_neurons"].to_numpy(), strict=True)
        )
        assert found == dict(zip(ids.astype(str).tolist(), count, strict=True))
        assert (cube["n_recruited"].sum("time") == cube["n_neurons"]).all()
        away = np.hypot(
            *np.subtract(
                cube_members(simulation, cube).grid.hex_to_xy(cube.i, cube.j), [cube.x, cube.y]
            )
        )
        assert away.max() < 5.0
        frames = render_frames(cube, size=(300, 300))
        assert frames[0].shape == (300, 300, 3)

    def test_outlines_hold_the_neurons_of_their_column(self, flatmap, columns):
        regions = region_areas(flatmap, columns)
        neurons = real_neurons()
        column = columns.values[columns.rows_at(neurons.x, neurons.y, neurons.z), 0]
        label = regions.image.pixels[regions.image.pixel_at(neurons.ss_flat_x, neurons.ss_flat_y)]
        names = np.array(["", *regions.names])
        assert np.mean(names[label] == column.astype(str)) > 0.9
        assert 200 < len(regions.outlines()) < 400

    def test_regions_from_the_neurons(self, simulation):
        cube = recruitment_cube(simulation, flat=real_file("ss_fm.nrrd"), radius=120.0)
        regions = neuron_regions(simulation, cube, "mtype")
        assert set(regions.names) == set(simulation.column(POPULATION, "mtype").categories)
        assert len(regions.outlines()) >= 1
