"""Positions and radius in different units: the number is what was asked for, and a warning."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import voxcell
from tests.support.doubtful import doubtful
from tests.support.sonata_files import SonataFiles

from napari_hexrecruit import RecruitmentWarning, recruitment_cube
from napari_hexrecruit.pipeline.check import check_simulation

UNITS = "as if the radius were in another unit than the flat positions"
ALONE = "so most are alone in theirs"


def simulation(folder, *, per_um, n=1500, names=("ss_flat_x", "ss_flat_y")):
    rng = np.random.default_rng(3)
    columns = {name: rng.uniform(0.0, 900.0, n) * per_um for name in names}
    columns["layer"] = np.arange(n) % 6
    ids = np.arange(n).astype(np.uint64)
    return SonataFiles(columns=columns, times_ms=np.linspace(1.0, 99.0, n), node_ids=ids).write(
        folder
    )


def said_of(path, **options):
    cube = recruitment_cube(path, **options)
    return json.loads(cube.attrs["warnings"]), cube


@pytest.mark.parametrize(
    ("per_um", "radius", "expected"),
    [
        (1.0, 50.0, ""),
        (1e-3, 50.0, UNITS),
        (1e-6, 50.0, UNITS),
        (1e-3, 0.05, ""),
        (1.0, 5000.0, UNITS),
        (1.0, 2000.0, ""),
        (1e3, 50.0, ALONE),
        (1.0, 2.0, ALONE),
    ],
)
@doubtful
def test_hexagons_far_too_large_or_too_small_are_warned_of(tmp_path, per_um, radius, expected):
    path = simulation(tmp_path, per_um=per_um)
    warnings, cube = said_of(path, radius=radius)
    assert [expected in said for said in warnings] == ([True] if expected else [])
    x, y = (cube[axis].to_numpy() for axis in "xy")
    assert int(cube["n_neurons"].sum()) == 1500
    assert np.hypot(x, y).max() <= np.hypot(900.0, 900.0) * per_um + radius
    few = [said for said in said_of(path, radius=radius, where="layer=1")[0] if ALONE in said]
    assert bool(few) == (expected == ALONE)  # the filter changes nothing


@doubtful
def test_few_neurons_hidden_hexagons_and_one_place_are_not(tmp_path):
    sparse = simulation(tmp_path / "sparse", per_um=1e3, n=60)
    assert said_of(sparse)[0] == []
    hidden = simulation(tmp_path / "hidden", per_um=1e3)
    assert [ALONE in said for said in said_of(hidden, min_neurons=2)[0]] == [False]
    one_place = simulation(tmp_path / "place", per_um=0.0)
    assert said_of(one_place)[0] == []


def test_one_property_is_not_a_flat_position(tmp_path):
    path = simulation(tmp_path, per_um=1.0)
    with pytest.raises(ValueError, match="names 'ss_flat_x' twice: name two different properties"):
        recruitment_cube(path, flat=("ss_flat_x", "ss_flat_x"))


def test_check_lists_it_and_python_warns(tmp_path):
    path = simulation(tmp_path, per_um=1e-3)
    found = [one for one in check_simulation(path) if one.status == "warning"]
    assert [UNITS in one.sentence for one in found] == [True]
    with pytest.warns(RecruitmentWarning, match="choose a smaller radius, such as 0.04"):
        recruitment_cube(path)


@doubtful
def test_hemispheres_side_by_side_are_each_as_small(tmp_path):
    path = simulation(tmp_path, per_um=1e-3)
    with h5py.File(tmp_path / "nodes.h5", "r+") as file:
        file["nodes/cortex/0/side"] = np.arange(1500) % 2
    warnings, cube = said_of(path, hemisphere="side", mirror="0")
    assert cube.sizes["hex"] == 2
    assert [UNITS in said for said in warnings] == [True]


@doubtful
def test_a_minimum_that_no_hexagon_has_is_warned_of(tmp_path):
    path = simulation(tmp_path, per_um=1.0)
    most = int(recruitment_cube(path)["n_neurons"].max())
    assert said_of(path, min_neurons=most)[0] == []
    warnings, cube = said_of(path, min_neurons=most + 1)
    assert cube["recruitment"].isnull().all()
    assert warnings == [
        f"no hexagon has {most + 1} neurons, so none has a value: the largest has {most}: choose a"
        " smaller minimum of neurons, or a larger radius"
    ]


@doubtful
def test_neurons_in_mm_of_an_atlas_in_um_are_warned_of(tmp_path):
    path = simulation(tmp_path, per_um=1e-3, names=("x", "y", "z"))
    i, _, k = np.meshgrid(*[np.arange(9)] * 3, indexing="ij")
    flat = np.stack([i * 100.0 + 0.5, k * 100.0 + 0.5], axis=-1).astype("f4")
    voxcell.VoxelData(flat, (100.0,) * 3).save_nrrd(str(tmp_path / "map.nrrd"))
    warnings, cube = said_of(path, flat=str(tmp_path / "map.nrrd"), radius=300.0)
    assert cube.sizes["hex"] == 1
    (said,) = warnings
    assert said.endswith("within 0.9 um, as if x, y and z were in mm: give them in um")
