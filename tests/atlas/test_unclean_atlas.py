"""Flat positions of unclean inputs: the outside value of an atlas, and volumes in other units."""

from __future__ import annotations

import json

import nrrd
import numpy as np
import pytest
from tests.support.atlas_files import no_turn, slab_flatmap, write_circuit
from tests.support.sonata_files import POPULATION, SonataFiles

from napari_hexrecruit import RecruitmentWarning, large_cube, open_simulation, recruitment_cube
from napari_hexrecruit.analysis import hex_map
from napari_hexrecruit.campaign import list_simulations, run_campaign, select_cube
from napari_hexrecruit.cli import main
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.flatmap import neuron_regions, read_flat_image
from napari_hexrecruit.pipeline.members import cube_members

N = 40
OUTSIDE = 10
"""Neurons at (-1, -1); the others are elsewhere."""


def command(*arguments):
    """Exit status of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def write(folder, names):
    """A simulation whose first neurons are at (-1, -1) in the two properties."""
    x = np.full(N, 200.0)
    x[:OUTSIDE] = -1.0
    columns = {names[0]: x, names[1]: x.copy(), "region": ["A"] * N}
    times = np.linspace(0.0, 99.0, N)
    return SonataFiles(columns, times, np.arange(N)).write(folder)


PLACES = [("x", "z"), ("x", "y"), ("my_x", "my_y"), ("ss_x", "ss_y"), ("flatx", "flaty")]
FLAT = [("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"), ("ss_flat_x_mm", "ss_flat_y_mm")]
MIXED = [("ss_flat_x", "depth"), ("x", "flat_y")]


@pytest.mark.parametrize("flat", PLACES + MIXED)
def test_minus_1_is_a_place_in_properties_that_are_not_flat(tmp_path, flat):
    cube = recruitment_cube(write(tmp_path, flat), flat=flat)
    assert cube.attrs["n_neurons_without_place"] == 0
    assert int(cube["n_neurons"].sum()) == N


@pytest.mark.parametrize("flat", FLAT)
def test_minus_1_in_both_is_outside_in_properties_that_are_flat(tmp_path, flat):
    cube = recruitment_cube(write(tmp_path, flat), flat=flat)
    assert cube.attrs["n_neurons_without_place"] == OUTSIDE


@pytest.mark.parametrize("lost", [(-1.0, 5.0), (5.0, -1.0), (-1.5, -1.5), (-1.0, -1.0001)])
def test_minus_1_in_one_is_a_place(tmp_path, lost):
    columns = {"ss_flat_x": np.full(4, lost[0]), "ss_flat_y": np.full(4, lost[1])}
    config = SonataFiles(columns, [1.0], [0]).write(tmp_path)
    assert recruitment_cube(config).attrs["n_neurons_without_place"] == 0


def test_whole_numbers_have_the_outside_value_too(tmp_path):
    columns = {"flat_x": np.array([-1, 3, -1]), "flat_y": np.array([-1, 3, 2])}
    config = SonataFiles(columns, [1.0], [1]).write(tmp_path)
    assert (
        recruitment_cube(config, flat=("flat_x", "flat_y"), radius=1.0).attrs[
            "n_neurons_without_place"
        ]
        == 1
    )


@pytest.mark.slow
def test_all_doors_have_the_same_places(tmp_path):
    config = write(tmp_path / "run", ("x", "z"))
    cube = recruitment_cube(config, flat=("x", "z"))
    for other in (
        recruitment_cube(open_simulation(config), flat=("x", "z")),
        large_cube(config, tmp_path / "run.hexrecruit.zarr", flat=("x", "z")),
        _campaign(config, tmp_path / "campaign", flat=("x", "z"), split_ms=50.0),
    ):
        np.testing.assert_array_equal(other["n_neurons"], cube["n_neurons"])
        np.testing.assert_array_equal(other["n_spikes"], cube["n_spikes"])
    members = cube_members(config, cube)
    np.testing.assert_array_equal(members.n_neurons, cube["n_neurons"])
    assert (members.hex_of_neuron >= 0).all()
    assert int((neuron_regions(open_simulation(config), cube, "region").region >= 0).sum()) == 2
    assert np.isfinite(hex_map(cube, "peak")).all()


def _campaign(config, folder, **options):
    run_campaign(list_simulations([str(config)]), folder, n_workers=1, **options)
    from napari_hexrecruit import open_campaign

    return select_cube(open_campaign(folder))


# --- volumes in other units ----------------------------------------------------------------------

UNITS = {
    "um": 1.0,
    "µm": 1.0,
    "\N{GREEK SMALL LETTER MU}m": 1.0,
    "micron": 1.0,
    "Microns": 1.0,
    "micrometers": 1.0,
    "mm": 1e-3,
    "MM": 1e-3,
    "millimeter": 1e-3,
    "cm": 1e-4,
    "m": 1e-6,
    "meters": 1e-6,
    "nm": 1e3,
}
SIZE = 100.0


def circuit(folder):
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, 1000, (30, 3))
    columns = {axis: xyz[:, k] for k, axis in enumerate("xyz")}
    return SonataFiles(columns, np.linspace(1.0, 99.0, 30), np.arange(30)).write(folder)


def write_volume(path, unit, size, *, by="space units", data=None, origin=(0.0, 0.0, 0.0)):
    """A flatmap of ten voxels a side; the head is ASCII but for the unit."""
    i, _, k = np.meshgrid(*[np.arange(10)] * 3, indexing="ij")
    flat = np.stack([i * SIZE + 0.5, k * SIZE + 0.25]).astype("f4") if data is None else data
    nan = [np.nan] * 3
    is_vector = flat.ndim == 4
    head = {"space dimension": 3, "space origin": list(origin)}
    directions = [[size, 0, 0], [0, size, 0], [0, 0, size]]
    head["space directions"] = np.array([nan, *directions] if is_vector else directions)
    head["kinds"] = [*(["vector"] if is_vector else []), *["domain"] * 3]
    if unit is not None:
        head[by] = ["UNIT"] * 3 if isinstance(unit, str) else list(unit)
    nrrd.write(str(path), flat, head)
    if isinstance(unit, str):
        path.write_bytes(path.read_bytes().replace(b"UNIT", unit.encode()))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    config = circuit(folder)
    flatmap = write_volume(folder / "plain.nrrd", None, SIZE)
    return config, recruitment_cube(config, flat=flatmap, radius=120.0)


def same(cube, other):
    for name in ("n_neurons", "n_spikes", "hex", "x", "y"):
        np.testing.assert_array_equal(cube[name], other[name])
    assert cube.attrs["hex_radius"] == other.attrs["hex_radius"]
    return True


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_of_a_flatmap_is_converted(files, tmp_path, unit):
    config, usual = files
    path = write_volume(tmp_path / "flatmap.nrrd", unit, SIZE * UNITS[unit])
    cube = recruitment_cube(config, flat=path, radius=120.0)
    assert int(usual["n_neurons"].sum()) == 30
    assert same(cube, usual)
    assert json.loads(cube.attrs["warnings"]) == []
    assert any("radius 120 is under three voxels" in n for n in json.loads(cube.attrs["notes"]))


def test_offsets_are_converted(files, tmp_path):
    config, _ = files
    um = write_volume(tmp_path / "um.nrrd", "um", SIZE, origin=(100.0, -50.0, 200.0))
    mm = write_volume(tmp_path / "mm.nrrd", "mm", SIZE / 1000, origin=(0.1, -0.05, 0.2))
    assert same(*(recruitment_cube(config, flat=path, radius=120.0) for path in (um, mm)))


@pytest.mark.parametrize("unit", [("", "", ""), None])
def test_a_missing_unit_is_um(files, tmp_path, unit):
    config, usual = files
    path = write_volume(tmp_path / "flatmap.nrrd", unit, SIZE)
    assert same(recruitment_cube(config, flat=path, radius=120.0), usual)


def test_spacings_have_units_of_their_axes(files, tmp_path):
    config, usual = files
    i, _, k = np.meshgrid(*[np.arange(10)] * 3, indexing="ij")
    flat = np.stack([i * SIZE + 0.5, k * SIZE + 0.25]).astype("f4")
    head = {
        "space dimension": 3,
        "spacings": [np.nan, 0.1, 0.1, 0.1],
        "units": ["", "mm", "mm", "mm"],
        "space origin": [0.0, 0.0, 0.0],
    }
    nrrd.write(str(tmp_path / "flatmap.nrrd"), flat, head)
    assert same(recruitment_cube(config, flat=tmp_path / "flatmap.nrrd", radius=120.0), usual)


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (("mm", "mm", "um"), "its axes have several units, mm, um: convert it to um"),
        ("furlong", "its unit 'furlong' is not known: give its positions in um or mm"),
        ("pixel", "its unit 'pixel' is not known"),
    ],
)
def test_other_units_are_refused_in_one_line(files, tmp_path, capsys, unit, said):
    config, _ = files
    path = write_volume(tmp_path / "flatmap.nrrd", unit, SIZE)
    with pytest.raises(SimulationDataError) as error:
        recruitment_cube(config, flat=path)
    assert str(error.value).startswith(f"{path}: {said}")
    out = tmp_path / "a.hexrecruit.nc"
    assert command("cube", config, "--flatmap", path, "-o", out) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_the_unit_of_a_column_atlas_is_converted(files, tmp_path):
    config, _ = files
    columns = np.zeros((10, 10, 10), np.int32)
    columns[:5], columns[5:] = 1, 2
    cubes = []
    for unit, size in (("um", SIZE), ("mm", SIZE / 1000)):
        flatmap = write_volume(tmp_path / f"flat-{unit}.nrrd", unit, size)
        atlas = write_volume(tmp_path / f"columns-{unit}.nrrd", unit, size, data=columns)
        cubes.append(recruitment_cube(config, flat=flatmap, column_atlas=atlas))
    assert same(*cubes)
    assert int(cubes[0]["n_neurons"].sum()) == 30


@pytest.mark.parametrize("unit", ["mm", "µm"])
def test_the_atlas_of_a_circuit_is_converted(tmp_path, unit):
    """conntility takes volumes that voxcell has read, which does not look at units."""
    flatmap = slab_flatmap()
    rng = np.random.default_rng(0)
    columns = {axis: rng.uniform(0, 90, 200) for axis in "xyz"}
    volumes = {"flatmap": flatmap, "orientation": no_turn(flatmap)}
    usual = recruitment_cube(write_circuit(tmp_path / "um", columns, volumes), radius=60.0)
    config = write_circuit(tmp_path / "other", columns, volumes)
    for name in volumes:
        _rewrite(tmp_path / "other" / "atlas" / f"{name}.nrrd", unit, UNITS[unit])
    assert same(recruitment_cube(config, radius=60.0), usual)
    for flat in ("atlas", ("flat_x", "flat_y")):
        assert int(recruitment_cube(config, flat=flat, radius=4.0)["n_neurons"].sum()) > 150


def _rewrite(path, unit, factor):
    data, head = nrrd.read(str(path))
    head["space directions"] = np.asarray(head["space directions"]) * factor
    head["space origin"] = np.asarray(head.get("space origin", np.zeros(3))) * factor
    head["space units"] = ["UNIT"] * 3
    nrrd.write(str(path), data, head)
    path.write_bytes(path.read_bytes().replace(b"UNIT", unit.encode()))


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1000.0), ("um", 1.0), ("", 1.0)])
def test_the_unit_of_an_image_is_converted(tmp_path, unit, factor):
    head = {
        "space dimension": 2,
        "space directions": np.array([[0.5, 0.0], [0.0, 0.5]]),
        "space origin": [1.0, 2.0],
        "space units": [unit] * 2,
    }
    nrrd.write(str(tmp_path / "image.nrrd"), np.ones((4, 6), "f4"), head)
    image = read_flat_image(tmp_path / "image.nrrd")
    assert image.pixel_size == pytest.approx((0.5 * factor, 0.5 * factor))
    assert image.origin == pytest.approx((0.75 * factor, 1.75 * factor))


def test_a_volume_in_mm_that_does_not_say_so(files, tmp_path, capsys):
    """Nothing has a place, or next to nothing: the sentence compares the sizes."""
    config, _ = files
    path = write_volume(tmp_path / "flatmap.nrrd", None, SIZE / 1000, origin=(-5.0, -5.0, -5.0))
    with pytest.raises(ValueError, match="none of the 30 neurons has a flat position") as error:
        recruitment_cube(config, flat=path)
    assert "its voxels are 0.1 um wide and end at 5 um, and the neurons reach 9" in str(error.value)
    assert "if it is in mm" in str(error.value)
    out = tmp_path / "a.hexrecruit.nc"
    assert command("cube", config, "--flatmap", path, "-o", out) == 2
    assert "if it is in mm" in capsys.readouterr().err


def test_a_neuron_by_chance_in_a_volume_in_mm(tmp_path):
    columns = {axis: np.array([0.5, 500.0, 700.0]) for axis in "xyz"}
    config = SonataFiles(columns, [1.0], [0]).write(tmp_path)
    path = write_volume(tmp_path / "flatmap.nrrd", None, SIZE / 1000)
    with pytest.warns(RecruitmentWarning, match="if it is in mm"):
        cube = recruitment_cube(config, flat=path, radius=400.0)
    assert cube.attrs["n_neurons_without_place"] == 2
    assert cube.attrs["population"] == POPULATION


def test_neurons_beside_a_volume_in_um_are_no_doubt(tmp_path):
    columns = {axis: np.array([50.0, 5000.0, 7000.0]) for axis in "xyz"}
    config = SonataFiles(columns, [1.0], [0]).write(tmp_path)
    path = write_volume(tmp_path / "flatmap.nrrd", None, SIZE)
    cube = recruitment_cube(config, flat=path, radius=400.0)
    assert json.loads(cube.attrs["warnings"]) == []
