"""Two hemispheres with the same flat coordinates lie side by side, each as it is alone."""

from __future__ import annotations

import json
import re

import imageio.v3 as iio
import numpy as np
import pytest
from tests.support.commands import hexrecruit
from tests.support.sonata_files import SonataFiles
from tests.support.two_populations import A, B, two_populations

from napari_hexrecruit import large_cube, read_cube, recruitment_cube
from napari_hexrecruit.counting.hemispheres import Layout
from napari_hexrecruit.flatmap import FlatImage, neuron_regions, under_hemispheres
from napari_hexrecruit.hexgrid import HexGrid, hex_names
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import validate_cube
from napari_hexrecruit.sonata import open_simulation

N = 400


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    rng = np.random.default_rng(8)
    x, side = rng.uniform(20.0, 320.0, N), rng.choice(["left", "right"], N)
    x[:4], side[4:6] = np.nan, "left"
    ids = rng.integers(0, N, 3_000)
    files = SonataFiles(
        columns={
            "ss_flat_x": x,
            "ss_flat_y": rng.uniform(-150.0, 150.0, N),
            "hemisphere": side.tolist(),
            "number": (side == "right").astype(int),
            "layer": rng.integers(1, 7, N),
            "depth": rng.uniform(0, 1, N),
        },
        times_ms=np.sort(rng.uniform(0.0, 100.0, 3_000)),
        node_ids=ids.astype("u8"),
        sorting=2,
    )
    return files.write(tmp_path_factory.mktemp("hemispheres") / "run")


def laid(cube, layout, side):
    """Names of a hemisphere's own hexagons where the layout puts them."""
    row, col = cube["row"].values, cube["col"].values
    if layout.mirrored[side]:
        col = -col - (row & 1)
    return hex_names(row, col + layout.columns[side])


@pytest.mark.parametrize("mirror", [None, "left", "right"])
@pytest.mark.parametrize("options", [{}, {"where": "layer=2,3"}, {"radius": 20.0, "bin_ms": 5.0}])
def test_each_is_equal_to_itself_alone(config, mirror, options):
    cube = recruitment_cube(config, hemisphere="hemisphere", mirror=mirror, **options)
    validate_cube(cube)
    layout = Layout.of(cube.attrs)
    assert len(set(cube["hex"].values)) == cube.sizes["hex"]
    where = options.get("where")
    found = []
    for side, value in enumerate(("left", "right")):
        rules = [f"hemisphere={value}", *([where] if where else [])]
        alone = recruitment_cube(config, **(options | {"where": rules}))
        names = laid(alone, layout, side)
        found += names.tolist()
        own = cube.sel(hex=names)
        for name in ("n_recruited", "n_spikes", "n_neurons"):
            np.testing.assert_array_equal(own[name], alone[name])
        x = -alone["x"].values if layout.mirrored[side] else alone["x"].values
        grid = HexGrid(cube.attrs["hex_radius"])
        np.testing.assert_allclose(own["x"], x + layout.columns[side] * grid.spacing, atol=1e-9)
        np.testing.assert_array_equal(own["y"], alone["y"])
        assert (layout.side_of(own["col"].values) == side).all()
    assert sorted(found) == sorted(cube["hex"].values.tolist())
    fixed = 1 if mirror == "left" else 0
    assert layout.columns[fixed] == 0
    assert not layout.mirrored[fixed]


def test_names_do_not_depend_on_the_filter_and_the_recipe_says_how_they_lie(config):
    whole, part = (
        recruitment_cube(config, hemisphere="hemisphere", mirror="left", where=where)
        for where in ((), "layer=1")
    )
    assert whole.attrs["hemispheres"] == part.attrs["hemispheres"]
    recipe = CubeRecipe.of(whole)
    assert (recipe.hemisphere, recipe.mirror) == ("hemisphere", "left")
    assert "--hemisphere hemisphere --mirror left" in recipe.to_command("a.nc")
    assert "(hemisphere) lie side by side: 'left' mirrored and moved" in whole.attrs["notes"]
    by_number = recruitment_cube(config, hemisphere="number", mirror="0")
    np.testing.assert_array_equal(by_number["n_spikes"], whole["n_spikes"])


def test_hemispheres_do_not_touch_and_members_regions_and_stores_know_them(config, tmp_path):
    sim = open_simulation(config)
    cube = recruitment_cube(sim, hemisphere="hemisphere", mirror="left")
    layout, grid = Layout.of(cube.attrs), HexGrid(50.0)
    side = layout.side_of(cube["col"].values)
    left, right = (cube["x"].values[side == k] for k in (0, 1))
    assert right.min() - left.max() >= 2.4 * grid.spacing
    assert left.max() < layout.middle(grid) < right.min()
    members = cube_members(sim, cube)
    of_neuron = np.asarray(sim.column("cortex", "hemisphere"))
    placed = members.hex_of_neuron >= 0
    assert ((of_neuron[placed] == "right") == side[members.hex_of_neuron[placed]]).all()
    regions = neuron_regions(sim, cube, "hemisphere")
    assert (regions.region == side).all()
    options = {"hemisphere": "hemisphere", "mirror": "left"}
    large = large_cube(sim, tmp_path / "a.hexrecruit.zarr", **options)
    assert large.load().identical(cube)
    run = ("cube", config, "-o", tmp_path / "a.hexrecruit.nc", "--hemisphere", "hemisphere")
    done = hexrecruit(*run, "--mirror", "left")
    assert done.returncode == 0, done.stderr
    assert read_cube(tmp_path / "a.hexrecruit.nc").identical(cube)


def test_an_image_lies_under_both(config):
    cube = recruitment_cube(config, hemisphere="hemisphere", mirror="left")
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[:, 30:] = 200  # the far end of x
    image = FlatImage(pixels, 10.0, (0.0, -150.0))
    both = under_hemispheres(image, cube)
    layout, grid = Layout.of(cube.attrs), HexGrid(50.0)
    for side in (0, 1):
        at = layout.x_at(np.array([305.0, 100.0]), side, grid)
        row, column = both.pixel_at(at, np.zeros(2))
        np.testing.assert_array_equal(both.pixels[row, column, 0], [200, 0])
        assert (both.pixels[row, column, 3] == 255).all()
    assert under_hemispheres(image, recruitment_cube(config)) is image


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hemisphere": "layer"}, "hemisphere='layer': neurons with a flat position have 6 values"),
        ({"hemisphere": "depth"}, "hemisphere='depth': holds real numbers"),
        ({"hemisphere": "side"}, "population 'cortex' has no property 'side'"),
        ({"mirror": "left"}, "name it with hemisphere="),
        (
            {"hemisphere": "hemisphere", "mirror": "up"},
            "mirror='up': is not a value of 'hemisphere': name mirror='left' or mirror='right'",
        ),
        ({"hemisphere": "hemisphere", "column_atlas": "a.nrrd"}, "leave it or column_atlas= out"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(config, options, said):
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        recruitment_cube(config, **options)
    assert "\n" not in str(caught.value)


def test_each_population_may_be_a_hemisphere(tmp_path):
    """Two values between them; edges, reports and node sets go on as without hemispheres."""
    config = two_populations(tmp_path / "run")
    cube = recruitment_cube(config, population=[A, B], hemisphere="side")
    layout = Layout.of(cube.attrs)
    side = layout.side_of(cube["col"].values)
    for k, name in enumerate((A, B)):
        alone = recruitment_cube(config, population=name)
        np.testing.assert_array_equal(cube["n_spikes"].values[:, side == k], alone["n_spikes"])
    assert json.loads(cube.attrs["recipe"])["hemisphere"] == "side"


@pytest.mark.slow
def test_the_movie_and_the_page_lay_an_image_under_both(config, tmp_path):
    pixels = np.full((40, 40, 3), 90, np.uint8)
    iio.imwrite(tmp_path / "map.png", pixels)
    look = ("--under", tmp_path / "map.png", "--under-pixel-size", "10")
    look += ("--under-origin", "0", "-200", "--regions", "hemisphere")
    laid_out = ("--hemisphere", "hemisphere", "--mirror", "left")
    for command, out in (("movie", "a.gif"), ("html", "a.html")):
        done = hexrecruit(command, config, "-o", tmp_path / out, *laid_out, *look)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / out).stat().st_size > 0
