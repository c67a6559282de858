"""The picture: colours, seams, outlines and orientation, as pixels of the canvas."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.cubes import cube_of, letter_cube
from tests.support.looking import go_to, pixel_of, scene

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

ZOOMS = [0.02, 0.07, 0.31, 1.0, 4.7, 60.0]
"""Canvas pixels per µm: from hexagons of 2 pixels to hexagons larger than the canvas."""


def centres_of(cube):
    return np.stack([cube["y"], cube["x"]], axis=1)


def look_at(viewer, cube, zoom):
    camera = scene(viewer).camera
    camera.zoom = zoom
    camera.center = tuple(centres_of(cube).mean(axis=0))


def sheet(n, percent):
    row, col = (a.ravel() for a in np.mgrid[0:n, 0:n])
    return cube_of(np.broadcast_to(percent, (1, n * n)), row=row, col=col)


def inside_of(viewer, image, cube, depth=0.0):
    """Pixels whose centre is at least `depth` pixels inside the hexagons' union."""
    camera, (height, width) = scene(viewer).camera, image.shape[:2]
    centre_y, centre_x = camera.center[-2:]
    down = 1 if str(camera.orientation2d[0]) == "down" else -1
    ys = centre_y + down * (np.arange(height) + 0.5 - height / 2) / camera.zoom
    xs = centre_x + (np.arange(width) + 0.5 - width / 2) / camera.zoom
    radius = cube.attrs["hex_radius"]
    inside = np.zeros((height, width), dtype=bool)
    for y, x in centres_of(cube):
        dy, dx = np.abs(ys - y)[:, None], np.abs(xs - x)[None, :]
        across = np.maximum(dx, 0.5 * dx + np.sqrt(0.75) * dy)
        inside |= across <= radius * np.sqrt(0.75) - depth / camera.zoom
    return inside


@pytest.fixture
def put(add, photograph):
    """Shows one cube after the other in one window; the layer is as at first."""
    shown = []

    def show(cube):
        if not shown:
            shown.extend(add(cube, show=True))
        viewer, layer = shown
        for other in [one for one in viewer.layers if one is not layer]:
            viewer.layers.remove(other)
        layer.cube = cube
        layer.opacity, layer.blending, layer.selected_data = 1.0, "translucent", set()
        go_to(viewer, float(cube["time"][0]))
        viewer.reset_view()
        return viewer, layer

    return show


@pytest.mark.smoke
def test_colours_rims_and_layers_on_top(put, cube, photograph):
    for check in (
        centres_have_the_colour_of_their_value,
        selected_hexagons_have_a_hexagonal_rim,
        another_layer_on_top_covers_it,
    ):
        check(*put(cube), photograph)


def test_many_hexagons_have_no_gaps_and_no_seams(put, photograph):
    yellow, n = sheet(12, 50), 12
    striped = sheet(n, (np.arange(n * n) % 2 * 50)[None, :])
    for check, cube in (
        (no_background_shows_between_hexagons, yellow),
        (no_seam_shows_through_translucent_hexagons, yellow),
        (between_two_colours_there_are_only_mixtures, striped),
        (a_view_with_swapped_axes_has_no_gaps_either, yellow),
        (no_background_shows_in_3d, yellow),
    ):
        check(*put(cube), photograph)


def test_single_and_few_hexagons(put, gappy_cube, photograph):
    single = cube_of([[50]], row=[0], col=[0])
    empty = cube_of([[0]], row=[0], col=[0], n_neurons=1, min_neurons=10)
    two_bins = cube_of([[50], [50]], row=[0], col=[0])
    values = two_bins["recruitment"].to_numpy().copy()
    values[0] = np.nan
    filled_later = two_bins.assign(recruitment=two_bins["recruitment"].copy(data=values))
    for check, cube in (
        (corners_point_up, single),
        (outside_is_background_and_the_rim_is_smooth, sheet(3, 50)),
        (no_value_shows_the_background_inside_an_outline, gappy_cube),
        (the_outline_is_as_thin_at_any_zoom, empty),
        (a_value_in_the_next_bin_fills_it, filled_later),
        (the_letter_f_stands_as_the_camera_says, letter_cube()),
    ):
        check(*put(cube), photograph)


def centres_have_the_colour_of_their_value(viewer, layer, photograph):
    cube = layer.cube
    for bin_ in (0, 3):
        go_to(viewer, 3000.0 + 10 * bin_)
        image = photograph(viewer)
        for index, (y, x) in enumerate(centres_of(cube)):
            expected = layer.face_color[index, :3] * 255
            seen = image[pixel_of(viewer, image, y, x)]
            np.testing.assert_allclose(seen, expected, atol=2)


def no_background_shows_between_hexagons(viewer, layer, photograph):
    cube = layer.cube
    for blending, zooms in (
        ("translucent", ZOOMS),
        ("translucent_no_depth", (0.31,)),
        ("opaque", (0.31, 4.7)),
    ):
        layer.blending = blending
        for zoom in zooms:
            look_at(viewer, cube, zoom)
            image = photograph(viewer)
            inside = inside_of(viewer, image, cube)
            assert inside.any(), (blending, zoom)
            colour = np.broadcast_to(layer.face_color[0, :3] * 255, image[inside].shape)
            at = f"{blending}, {zoom}"
            np.testing.assert_allclose(image[inside], colour, atol=2, err_msg=at)


def no_seam_shows_through_translucent_hexagons(viewer, layer, photograph):
    cube, layer.opacity = layer.cube, 0.5
    for zoom in (0.31, 1.0, 4.7):
        look_at(viewer, cube, zoom)
        image = photograph(viewer).astype(float)
        inside = inside_of(viewer, image, cube)
        colour = layer.face_color[0, :3] * 255 / 2
        off = np.abs(image[inside] - colour).max(axis=1) > 3
        # A pixel right on a side may be drawn by both neighbours.
        assert off.mean() < 2e-3, zoom
        assert (image[inside] >= colour - 3).all(), zoom


def between_two_colours_there_are_only_mixtures(viewer, layer, photograph):
    """Neither a dark nor a light seam: sides of yellow and blue are on the line between them."""
    cube = layer.cube
    low, high = (c[:3] * 255 for c in layer.face_colormap.map([0.0, 1.0]))
    for zoom in (0.31, 1.0, 4.7):
        look_at(viewer, cube, zoom)
        image = photograph(viewer)
        seen = image[inside_of(viewer, image, cube)].astype(float)
        along = (seen - low) @ (high - low) / ((high - low) @ (high - low))
        beside = seen - low - along[:, None] * (high - low)
        assert np.abs(beside).max() <= 3, zoom
        assert along.min() >= -0.02, zoom
        assert along.max() <= 1.02, zoom


def outside_is_background_and_the_rim_is_smooth(viewer, layer, photograph):
    cube = layer.cube
    look_at(viewer, cube, 1.0)
    image = photograph(viewer).max(axis=-1)
    assert (image[~inside_of(viewer, image, cube, depth=-3.0)] == 0).all()
    rim = inside_of(viewer, image, cube, depth=-1.0) & ~inside_of(viewer, image, cube)
    levels = np.unique(image[rim])
    assert len(levels) > 10


def no_value_shows_the_background_inside_an_outline(viewer, layer, photograph):
    gappy_cube = layer.cube
    look_at(viewer, gappy_cube, 2.0)
    image = photograph(viewer)
    row, col = pixel_of(viewer, image, *centres_of(gappy_cube)[4])
    assert image[row, col].max() == 0
    layer.outline_nan = False
    bare = photograph(viewer)
    assert bare[row, col].max() == 0
    outline = (image != bare).any(axis=-1)
    corner_to_corner, side_to_side = (np.ptp(at) for at in np.nonzero(outline))
    assert corner_to_corner == pytest.approx(200, abs=3)
    assert side_to_side == pytest.approx(200 * np.sqrt(0.75), abs=3)
    side = col - int(100 * np.sqrt(0.75))
    left = image[row, side - 2 : side + 3].astype(int)
    assert ((np.ptp(left, axis=-1) == 0) & (left[:, 0] > 60)).any()
    layer.outline_nan = True


def the_outline_is_as_thin_at_any_zoom(viewer, layer, photograph):
    cube = layer.cube
    for zoom in (1.0, 2.0, 5.0):
        look_at(viewer, cube, zoom)
        image = photograph(viewer)
        row, col = pixel_of(viewer, image, 0.0, 0.0)
        assert 1 <= (image[row, col:, 0] > 20).sum() <= 3, zoom


def a_value_in_the_next_bin_fills_it(viewer, layer, photograph):
    seen = []
    for time_ms in (0.0, 10.0, 0.0):
        go_to(viewer, time_ms)
        image = photograph(viewer)
        seen.append(image[pixel_of(viewer, image, 0.0, 0.0)].tolist())
    full = (layer.face_colormap.map([1.0])[0, :3] * 255).round().tolist()
    assert seen[0] == seen[2] == [0, 0, 0]
    np.testing.assert_allclose(seen[1], full, atol=2)


def corners_point_up(viewer, layer, photograph):
    look_at(viewer, layer.cube, 3.0)
    lit = photograph(viewer).max(axis=-1) > 128
    height, width = np.ptp(np.nonzero(lit), axis=1) + 1
    assert height == pytest.approx(300, abs=3)
    assert width == pytest.approx(300 * np.sqrt(0.75), abs=3)


def a_view_with_swapped_axes_has_no_gaps_either(viewer, layer, photograph):
    cube = layer.cube
    viewer.dims.transpose()
    look_at(viewer, cube, 1.0)
    centre_y, centre_x = centres_of(cube).mean(axis=0)
    scene(viewer).camera.center = (centre_x, centre_y)
    image = photograph(viewer)
    middle = image[200:350, 300:450].reshape(-1, 3)
    colour = layer.face_color[0, :3] * 255
    np.testing.assert_allclose(middle, np.broadcast_to(colour, middle.shape), atol=2)
    viewer.dims.transpose()


def no_background_shows_in_3d(viewer, layer, photograph):
    viewer.dims.ndisplay = 3
    viewer.reset_view()
    for angles in ((0, 0, 0), (10, -40, 20)):
        scene(viewer).camera.angles = angles
        image = photograph(viewer)
        height, width = image.shape[0] // 2, image.shape[1] // 2
        middle = image[height - 60 : height + 60, width - 60 : width + 60].reshape(-1, 3)
        colour = np.broadcast_to(layer.face_color[0, :3] * 255, middle.shape)
        np.testing.assert_allclose(middle, colour, atol=2, err_msg=str(angles))


def the_letter_f_stands_as_the_camera_says(viewer, _layer, photograph):
    camera = scene(viewer).camera
    for orientation in ("up", "down"):
        camera.orientation2d = (orientation, "right")
        viewer.reset_view()
        lit = photograph(viewer).max(axis=-1) > 0
        rows, cols = np.nonzero(lit)
        top = lit[: int(rows.mean())].sum()
        assert (top > lit.sum() / 2) == (orientation == "up")
        assert cols.mean() < (cols.min() + cols.max()) / 2, orientation


def selected_hexagons_have_a_hexagonal_rim(viewer, layer, photograph):
    cube = layer.cube
    look_at(viewer, cube, 2.0)
    go_to(viewer, 3000.0)
    before = photograph(viewer)
    layer.selected_data = {5}
    changed = (photograph(viewer) != before).any(axis=-1)
    row, col = pixel_of(viewer, changed, *centres_of(cube)[5])
    rows, cols = np.nonzero(changed)
    assert np.ptp(rows) == pytest.approx(200, abs=6)
    assert np.ptp(cols) == pytest.approx(200 * np.sqrt(0.75), abs=6)
    # At the middle of an upper side a square or a disc would be elsewhere.
    apothem = 100 * np.sqrt(0.75)
    at = (int(row - apothem * np.sqrt(0.75)), int(col + apothem * 0.5))
    assert changed[at[0] - 3 : at[0] + 4, at[1] - 3 : at[1] + 4].any()
    assert not changed[row, col]


def another_layer_on_top_covers_it(viewer, layer, photograph):
    cube = layer.cube
    go_to(viewer, 3000.0)
    upper = RecruitmentLayer(cube, face_colormap="gray", face_contrast_limits=(-100, -50))
    viewer.add_layer(upper)
    image = photograph(viewer)
    y, x = centres_of(cube)[5]
    assert image[pixel_of(viewer, image, y, x)].tolist() == [255, 255, 255]
    upper.opacity = 0.5
    image = photograph(viewer)
    mixed = (layer.face_color[5, :3] * 255 + 255) / 2
    np.testing.assert_allclose(image[pixel_of(viewer, image, y, x)], mixed, atol=3)
