"""Hexagons of significant clusters are outlined in their bin: movie, picture and web page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.support.browser import browser, need_browser, open_page
from tests.support.cubes import cube_of

from napari_hexrecruit import render_frames, write_frame, write_html
from napari_hexrecruit.hexgrid import rowcol_to_ij

N_BINS, WIDTH = 4, 6
ROW, COL = (a.ravel() for a in np.mgrid[0:WIDTH, 0:WIDTH])
INSIDE = np.zeros((N_BINS, WIDTH * WIDTH), dtype=bool)
INSIDE[1, [14, 15]] = True
INSIDE[2] = True
DARKEST = 40


@pytest.fixture(scope="module")
def plain():
    return cube_of(np.full((N_BINS, WIDTH * WIDTH), 50), row=ROW, col=COL)


@pytest.fixture(scope="module")
def cube(plain):
    return plain.assign(significant=(("time", "hex"), INSIDE))


def n_dark(frame):
    """Pixels that are black: the sheet is light, and so is the background."""
    return int((frame[..., :3].max(axis=-1) < DARKEST).sum())


OPTIONS = {"size": (500, 400), "colormap": "Greys", "clim": (0, 200), "colorbar": False}
OPTIONS |= {"timestamp": False, "scale_bar": False, "border": False}


def test_a_frame_has_the_outlines_of_its_bin_and_of_no_other(cube, plain):
    frames, without = render_frames(cube, **OPTIONS), render_frames(plain, **OPTIONS)
    dark = [n_dark(frame) for frame in frames]
    assert dark[0] == dark[3] == 0
    assert 0 < dark[1] < dark[2]
    assert (frames[3] == without[3]).all()
    again = frames[1]
    assert n_dark(again) == dark[1]


def test_lines_are_where_inside_ends(cube):
    """Of two hexagons the side between them has no line, and each of the ten others has one."""
    frames = render_frames(cube, **OPTIONS)
    frame, (panel,) = frames[1], frames.scene.panels
    i, j = rowcol_to_ij(ROW[[14, 15]], COL[[14, 15]])
    grid = panel.hexes.grid
    edges = grid.edges_around(cube["i"], cube["j"], INSIDE[1])
    assert len(edges) == 10

    def is_dark(x, y):
        px, py = panel.view.to_pixels(x, y)
        row, column = panel.box.top + int(py), panel.box.left + int(px)
        return frame[row - 1 : row + 2, column - 1 : column + 2].max(axis=-1).min() < 120

    assert all(is_dark(*edge.mean(axis=0)) for edge in edges)
    between = np.mean(grid.hex_to_xy(i, j), axis=1)
    assert not is_dark(*between)


def test_clusters_that_touch_have_a_line_between_them(plain):
    numbers = np.zeros(INSIDE.shape, dtype=np.int32)
    numbers[1, 14], numbers[1, 15] = 1, 2
    both = plain.assign(
        significant=(("time", "hex"), numbers > 0), cluster=(("time", "hex"), numbers)
    )
    one = plain.assign(significant=(("time", "hex"), numbers > 0))
    dark = [n_dark(render_frames(cube, **OPTIONS)[1]) for cube in (both, one)]
    assert dark[0] > dark[1]


def test_a_mask_and_a_map_of_the_same_name_outline_nothing(plain, cube, tmp_path):
    """xarray fills up with NaN, which is not significant; a number per hexagon has no bins."""
    masked = cube.assign(significant=cube["significant"].where(cube["time"] < 15.0))
    assert [n_dark(frame) > 0 for frame in render_frames(masked, **OPTIONS)] == [0, 1, 0, 0]
    of_hexes = plain.assign(significant=(("hex",), INSIDE[1]))
    assert not any(n_dark(frame) for frame in render_frames(of_hexes, **OPTIONS))
    page = write_html(of_hexes, tmp_path / "page.html").read_text()
    assert '"kind":"outlined"' not in page
    assert '"kind":"outlined"' in write_html(masked, tmp_path / "masked.html").read_text()


def test_a_transparent_frame_has_opaque_lines(cube):
    frame = render_frames(cube, **OPTIONS | {"background": "transparent"})[2]
    dark = frame[..., :3].max(axis=-1) < DARKEST
    assert dark.any()
    assert (frame[dark][:, 3] > 200).all()


def test_every_step_and_each_panel_has_its_own(cube, plain):
    frames = render_frames([plain, cube], step=20.0, **OPTIONS)
    left, right = np.split(frames[1], 2, axis=1)
    assert n_dark(left) == 0
    assert n_dark(right) > 0


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_a_picture_for_print_has_them_as_lines(cube, plain, tmp_path, ending):
    sizes = [
        write_frame(render_frames(one, **OPTIONS), tmp_path / f"{k}.{ending}", at=10.0)
        .stat()
        .st_size
        for k, one in enumerate([cube, plain])
    ]
    assert sizes[0] > sizes[1]
    if ending == "svg":
        text = (tmp_path / "0.svg").read_text()
        assert len(re.findall("stroke: #111111", text)) == 10


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    need_browser()
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


LINES = """
const canvas = document.querySelector('.map-box .above');
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
let n = 0;
for (let k = 0; k < data.length; k += 4) {
  if (data[k + 3] > 250 && Math.max(data[k], data[k + 1], data[k + 2]) < 40) n += 1;
}
return n;
"""


@pytest.mark.slow
def test_the_page_outlines_the_bin_that_it_shows(driver, cube, tmp_path):
    page = write_html(cube, tmp_path / "page.html")
    open_page(driver, page)
    found = []
    for _ in range(N_BINS):
        found.append(driver.execute_script(LINES))
        driver.find_element("tag name", "body").send_keys("\ue014")
    assert found[0] == found[3]
    assert found[0] < found[1] < found[2]
