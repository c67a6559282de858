"""What is written on the canvas lies beside the hexagons: bars, labels, names, time, scale bar."""

from __future__ import annotations

import itertools

import numpy as np
from tests.support.cubes import wave_cube
from tests.support.looking import canvas, controls, scene
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.points import FramePoints

SPARE = 1.0
"""Pixels by which texts of other fonts may reach out of their place."""


def rectangles(viewer, qapp):
    """Places (left, top, right, bottom) of all overlays that are seen, and of all hexagons."""
    for _ in range(4):
        qapp.processEvents()
    drawn = viewer.window._qt_viewer.canvas
    drawn.on_draw()
    height, width = canvas(viewer).size
    written = {}
    for overlay, visual, view in drawn._get_ordered_visible_canvas_overlays():
        at = np.asarray(visual.node.transform.translate[:2])
        at = at + (0 if view is None else np.asarray(drawn.grid_views[view].pos))
        above = getattr(overlay, "room_above", 0.0)
        text = getattr(overlay, "text", "")
        if visual.node.visible and (text or not hasattr(overlay, "text")):
            key = f"{type(overlay).__name__} {text} {len(written)}"
            written[key] = (at[0], at[1] + above, at[0] + visual.x_size, at[1] + visual.y_size)
    field = np.asarray(canvas(viewer).viewbox_size(viewer.layers))
    shape = canvas(viewer).grid.actual_shape(viewer.layers)
    hexagons = []
    camera = scene(viewer).camera
    for index, layer in enumerate(viewer.layers):
        if layer.visible and isinstance(layer, FramePoints):
            row, col = canvas(viewer).grid.position(index, viewer.layers)
            middle = (np.array([row, col]) + 0.5) * (height / shape[0], width / shape[1])
            y, x = (layer.data[:, -2:] - camera.center[-2:]).T * camera.zoom
            radius = layer.size[0] / 2 * camera.zoom
            y, x = middle[0] - y, middle[1] + x
            assert (np.abs(y - middle[0]) + radius <= field[0] / 2 + SPARE).all()
            assert (np.abs(x - middle[1]) + radius <= field[1] / 2 + SPARE).all()
            hexagons.append(np.stack([x - radius, y - radius, x + radius, y + radius], axis=1))
    return written, np.concatenate(hexagons)


def overlap(one, other):
    one, other = np.asarray(one), np.atleast_2d(other)
    apart = (one[2] <= other[:, 0] + SPARE) | (other[:, 2] <= one[0] + SPARE)
    apart |= (one[3] <= other[:, 1] + SPARE) | (other[:, 3] <= one[1] + SPARE)
    return (~apart).any()


def assert_nothing_is_covered(viewer, qapp, *, n_bars):
    written, hexagons = rectangles(viewer, qapp)
    assert sum(name.startswith("HexColorBar ") for name in written) == n_bars, list(written)
    for name, place in written.items():
        assert not overlap(place, hexagons), f"{name} lies over hexagons"
    for (name, place), (other, beside) in itertools.combinations(written.items(), 2):
        assert not overlap(place, beside), f"{name} lies over {other}"


def test_of_one_layer(make_napari_viewer, qapp):
    viewer = make_napari_viewer(show=True)
    size = viewer.window._qt_window.size()
    for shape in ((4, 40), (12, 12), (40, 4)):
        viewer.window.resize(size.width(), size.height())
        nothing_is_covered_of_one_layer(viewer, qapp, shape)
        viewer.layers.clear()


def nothing_is_covered_of_one_layer(viewer, qapp, shape):
    layer = add_recruitment_layer(viewer, wave_cube(*shape, 2))
    assert_nothing_is_covered(viewer, qapp, n_bars=1)
    layer.metric = "rate"
    viewer.window.resize(1000, 700)
    assert_nothing_is_covered(viewer, qapp, n_bars=1)
    camera = scene(viewer).camera
    camera.zoom *= 2
    mine = (camera.zoom, camera.center)
    viewer.window.resize(900, 800)
    qapp.processEvents()
    assert (camera.zoom, camera.center) == mine  # what was moved by hand stays
    viewer.reset_view()
    assert_nothing_is_covered(viewer, qapp, n_bars=1)


def test_of_a_split_with_one_bar(make_napari_viewer, qtbot, qapp, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(show=True), qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    user.form.split_by.value = "synapse_class"
    user.load()
    assert_nothing_is_covered(user.viewer, qapp, n_bars=1)
    first, last = user.viewer.layers
    assert last.colorbar_label.text == "Recruited (%)"  # the name says the rest
    first.metric = "rate"
    assert_nothing_is_covered(user.viewer, qapp, n_bars=1)
    user.viewer.layers.unlink_layers([first, last])
    first.face_contrast_limits = (0.0, 3.0)
    assert_nothing_is_covered(user.viewer, qapp, n_bars=2)
    controls(user.viewer).bar_check.click()
    assert_nothing_is_covered(user.viewer, qapp, n_bars=1)
    user.form.split_by.value = ""
    user.wait_until_idle()
    (layer,) = user.viewer.layers
    assert isinstance(layer, RecruitmentLayer)
    assert not layer.face_colorbar.visible  # the layer that was looked at had none
    layer.face_colorbar.visible = True
    assert layer.face_colorbar.size == (25.0, 150.0)
    assert_nothing_is_covered(user.viewer, qapp, n_bars=1)


def test_of_a_comparison(make_napari_viewer, qtbot, qapp):
    from napari_hexrecruit._napari.analysis.compare import CompareWidget

    viewer = make_napari_viewer(show=True)
    for name in ("A", "B"):
        add_recruitment_layer(viewer, wave_cube(8, 9, 20), name=name)
    panel = CompareWidget(viewer)
    viewer.window.add_dock_widget(panel)
    panel.compare.native.click()
    qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)
    assert_nothing_is_covered(viewer, qapp, n_bars=2)
    original = viewer.layers["B: recruited (%)"]
    original.face_contrast_limits = (0.0, 33.0)
    assert viewer.layers["A: recruited (%)"].face_contrast_limits == (0.0, 33.0)
    assert_nothing_is_covered(viewer, qapp, n_bars=2)
    panel.back.native.click()
    assert_nothing_is_covered(viewer, qapp, n_bars=2)
