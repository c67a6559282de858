"""Laws of the raster: the hexagon of each pixel, shares on borders, orientation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import LETTER_F, letter_cube

from napari_hexrecruit import render_frames
from napari_hexrecruit.hexgrid import HexGrid, rowcol_to_ij
from napari_hexrecruit.render.raster import View, cover

grids = st.builds(
    HexGrid,
    st.floats(0.5, 200.0),
    st.tuples(st.floats(-100.0, 100.0), st.floats(-100.0, 100.0)),
)
some_hexes = st.sets(
    st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=20
).map(sorted)
far_hexes = st.sets(
    st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000)), min_size=1, max_size=5
).map(sorted)


@st.composite
def scenes(draw, hexes=some_hexes):
    """A grid, some of its hexagons, and a view that shows at least a part of them."""
    grid, chosen = draw(grids), np.array(draw(hexes))
    i, j = rowcol_to_ij(chosen[:, 0], chosen[:, 1])
    x, y = grid.hex_to_xy(i, j)
    px_per_radius = draw(st.floats(0.3, 30.0))
    width, height = draw(st.integers(3, 60)), draw(st.integers(3, 60))
    scale = grid.radius / px_per_radius
    shift = draw(st.floats(-1.0, 1.0)) * grid.radius
    view = View(x[0] + shift - scale * width / 2, y[0] + scale * height / 2, scale, width, height)
    return grid, i, j, view


def by_name(grid, i, j, x, y):
    """Position in (i, j) of the hexagon of each point, found pair by pair; len(i) for none."""
    place = {pair: k for k, pair in enumerate(zip(i.tolist(), j.tolist(), strict=True))}
    pairs = zip(*(a.tolist() for a in grid.xy_to_hex(x, y)), strict=True)
    return np.array([place.get(pair, len(i)) for pair in pairs])


def full_shares(coverage):
    """(n_pixels, n_hexes) share of each pixel that each hexagon covers."""
    shares = np.zeros((coverage.owner.size, coverage.n_hexes + 1))
    shares[np.arange(coverage.owner.size), coverage.owner.ravel()] = 1.0
    shares[coverage.mixed] = 0.0
    for own, share in coverage.shares:
        shares[coverage.mixed[: len(own)], own] += share
    return shares[:, :-1]


@given(scenes())
def test_owner_is_the_hexagon_of_the_pixel_centre(scene):
    grid, i, j, view = scene
    px, py = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    x, y = view.to_flat(px.ravel(), py.ravel())
    assert np.array_equal(cover(view, grid, i, j).owner.ravel(), by_name(grid, i, j, x, y))


@given(scenes(far_hexes))
def test_hexagons_far_apart_are_found_too(scene):
    grid, i, j, view = scene
    px, py = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    x, y = view.to_flat(px.ravel(), py.ravel())
    assert np.array_equal(cover(view, grid, i, j).owner.ravel(), by_name(grid, i, j, x, y))


@pytest.mark.slow
@given(scenes())
def test_shares_are_those_of_many_points_of_the_pixel(scene):
    grid, i, j, view = scene
    shares = full_shares(cover(view, grid, i, j))
    fine = (np.arange(8) + 0.5) / 8
    px = np.arange(view.width)[None, :, None, None] + fine[None, None, None, :]
    py = np.arange(view.height)[:, None, None, None] + fine[None, None, :, None]
    px, py = np.broadcast_arrays(px, py)
    x, y = view.to_flat(px.ravel(), py.ravel())
    owners = by_name(grid, i, j, x, y).reshape(view.width * view.height, -1)
    counted = np.stack([(owners == k).mean(axis=1) for k in range(len(i))], axis=1)
    # 16 samples a pixel; a whole hexagon inside of one pixel is the hardest
    allowed = 0.2 if view.scale < grid.radius / 2 else 0.3
    assert np.abs(shares - counted).max() <= allowed
    assert np.abs(shares.sum(axis=1) - counted.sum(axis=1)).max() <= allowed
    assert shares.sum(axis=1).max(initial=0.0) <= 1.0 + 1e-6


@given(scenes())
def test_pixels_with_more_hexagons_come_first(scene):
    grid, i, j, view = scene
    coverage = cover(view, grid, i, j)
    lengths = [len(own) for own, _ in coverage.shares]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[:1] in ([], [len(coverage.mixed)])
    assert len(np.unique(coverage.mixed)) == len(coverage.mixed)


@given(
    st.tuples(st.floats(-1e4, 1e4), st.floats(1.0, 1e4), st.floats(-1e4, 1e4), st.floats(1.0, 1e4)),
    st.integers(1, 2000),
    st.integers(1, 2000),
)
def test_a_fitted_view_shows_all_bounds_with_equal_aspect_and_y_up(bounds, width, height):
    x0, dx, y0, dy = bounds
    view = View.fitted((x0, x0 + dx, y0, y0 + dy), width, height)
    left, right, bottom, top = view.bounds
    slack = 1e-9 * (abs(x0) + dx + abs(y0) + dy)
    assert left <= x0 + slack and right >= x0 + dx - slack
    assert bottom <= y0 + slack and top >= y0 + dy - slack
    assert (right - left) / width == pytest.approx((top - bottom) / height)
    px, py = view.to_pixels(*view.to_flat([0.5, width], [0.5, height]))
    assert px == pytest.approx([0.5, width], abs=1e-6 * width)
    assert py == pytest.approx([0.5, height], abs=1e-6 * height)


def plain(cube, **options):
    """First frame without anything but hexagons."""
    parts = {"colorbar": False, "timestamp": False, "scale_bar": False}
    return render_frames(cube, **(parts | options))[0]


def test_an_f_looks_like_an_f():
    picture = plain(letter_cube(), size=(120, 160), clim=(0, 50), colormap="gray_r")
    dark = picture[..., 0] < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    letter = dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = letter.shape
    top, bottom = letter[: height // 5], letter[-height // 5 :]
    assert top.mean() > 0.6 > 0.5 > bottom.mean()
    assert letter[:, : width // 4].mean() > 2 * letter[:, -width // 4 :].mean()
    assert letter[-1, : width // 3].any() and not letter[-1, width // 3 :].any()


def test_each_hexagon_of_an_f_is_where_its_centre_says():
    frames = render_frames(letter_cube(), size=(120, 160), clim=(0, 50), colormap="gray_r")
    panel, picture = frames.scene.panels[0], frames[0]
    row, col = (a.ravel() for a in np.mgrid[-1:6, -1:5])
    px, py = panel.view.to_pixels(*panel.hexes.grid.hex_to_xy(*rowcol_to_ij(row, col)))
    inside = (px > 0) & (px < panel.box.width) & (py > 0) & (py < panel.box.height)
    for r, c, x, y in zip(row[inside], col[inside], px[inside], py[inside], strict=True):
        colour = picture[panel.box.top + int(y), panel.box.left + int(x)]
        assert (colour == (0 if (r, c) in LETTER_F else 255)).all(), (r, c)


def test_borders_between_equal_hexagons_do_not_show():
    frames = render_frames(
        letter_cube(),
        size=(300, 400),
        clim=(0, 50),
        colormap="gray_r",
        colorbar=False,
        timestamp=False,
        scale_bar=False,
    )
    panel, picture = frames.scene.panels[0], frames[0]
    x, y = panel.hexes.grid.hex_to_xy(*rowcol_to_ij([0, 1, 1, 2], [0, 0, 0, 0]))
    px, py = panel.view.to_pixels(x.reshape(2, 2).mean(axis=1), y.reshape(2, 2).mean(axis=1))
    at = picture[panel.box.top + py.astype(int), panel.box.left + px.astype(int)]
    assert (at == 0).all()
