"""Flat positions that the nodes file lacks and conntility computes from the circuit's atlas."""

from __future__ import annotations

import json

import numpy as np
import pytest
import voxcell
from tests.sonata_files import POPULATION, SonataFiles

from napari_hexrecruit import SimulationDataError, open_simulation, recruitment_cube

VOXEL = 10.0


@pytest.fixture
def config(tmp_path):
    """Neurons in a slab; the flatmap takes voxel (i, j, k) to pixel (i, k); k = 9 is outside."""
    rng = np.random.default_rng(0)
    x, y, z = rng.uniform(0, 100, (3, 400))
    files = SonataFiles(
        {"x": x, "y": y, "z": z}, rng.uniform(0, 100, 900), rng.integers(0, 400, 900)
    )
    config = files.write(tmp_path)
    circuit = json.loads((tmp_path / "circuit_config.json").read_text())
    circuit["components"] = {"provenance": {"atlas_dir": "./atlas"}}
    (tmp_path / "circuit_config.json").write_text(json.dumps(circuit))
    flatmap = np.stack(np.meshgrid(*[np.arange(10)] * 3, indexing="ij"), axis=-1)[..., [0, 2]]
    flatmap[:, :, 9] = -1
    (tmp_path / "atlas").mkdir()
    voxcell.VoxelData(flatmap, (VOXEL,) * 3).save_nrrd(str(tmp_path / "atlas" / "flatmap.nrrd"))
    return config


def test_flat_columns_come_from_the_atlas(config):
    sim = open_simulation(config)
    x, z = (np.floor(sim.column(POPULATION, axis) / VOXEL) for axis in "xz")
    inside = z < 9
    np.testing.assert_array_equal(sim.column(POPULATION, "flat_x")[inside], x[inside])
    np.testing.assert_array_equal(sim.column(POPULATION, "flat_y")[inside], z[inside])
    cube = recruitment_cube(sim, flat=("flat_x", "flat_y"), radius=3.0)
    assert cube.attrs["n_neurons_without_place"] == np.count_nonzero(~inside)
    assert cube.attrs["flat_units"] == "pixel"
    assert cube["n_neurons"].sum() == np.count_nonzero(inside)


def test_an_atlas_that_lacks_what_is_needed_is_one_line(config):
    with pytest.raises(SimulationDataError, match="atlas does not give it") as error:
        recruitment_cube(config)  # supersampling needs an orientation field, which is not there
    assert "\n" not in str(error.value)
