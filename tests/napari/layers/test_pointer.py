"""In grid mode the status line describes the hexagons under the pointer."""

from __future__ import annotations

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from tests.support.looking import canvas
from tests.support.mouse import LEFT
from tests.support.waiting import PATIENCE_MS

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer


@pytest.fixture
def beside(make_napari_viewer, cube, qapp):
    """Two layers side by side, and where their middles are on the canvas."""
    viewer = make_napari_viewer(show=True)
    for name in ("left", "right"):
        add_recruitment_layer(viewer, cube, name=name)
    canvas(viewer).grid.enabled = True
    viewer.reset_view()
    for _ in range(4):
        qapp.processEvents()
    height, width = canvas(viewer).size
    return viewer, {
        name: QPoint(width * k // 4, height // 2) for name, k in (("left", 1), ("right", 3))
    }


def told(viewer, at, field, qtbot):
    native = viewer.window._qt_viewer.canvas.native

    def is_there():
        QTest.mouseMove(native, at - QPoint(3, 3))
        QTest.mouseMove(native, at)
        return viewer.cursor.viewbox == field

    qtbot.waitUntil(is_there, timeout=PATIENCE_MS)
    return viewer._calc_status_from_cursor()[0]


def test_what_is_under_it_and_keys_and_buttons_beside_it(beside, qtbot):
    viewer, middles = beside
    viewer.mouse_over_canvas = True
    for active in ("left", "right", None):
        viewer.layers.selection.active = None if active is None else viewer.layers[active]
        it_is_that_of_the_field(viewer, middles, qtbot)
    escape_undoes_ctrl_a(viewer)
    in_3d_it_says_what_it_cannot_show_in_place_of_a_warning_of_units(viewer)
    # the grid is off, and the view is flat again
    viewer.layers.selection.active = viewer.layers["left"]
    assert viewer._calc_status_from_cursor()[0]["layer_name"] == "left"


def it_is_that_of_the_field(viewer, middles, qtbot):
    for column, (name, at) in enumerate(middles.items()):
        status = told(viewer, at, (0, column), qtbot)
        said = str(status if isinstance(status, str) else [*status.values()])
        other = {"left": "right", "right": "left"}[name]
        assert name in said, said
        assert other not in said, said
        assert "of 100 neurons" in said


def in_3d_it_says_what_it_cannot_show_in_place_of_a_warning_of_units(viewer):
    told = []
    notification_manager.notification_ready.connect(lambda one: told.append(str(one.message)))
    button = viewer.window._qt_viewer.viewerButtons.ndisplayButton
    bar = viewer.canvas.overlays.scale_bar
    for _ in range(2):  # the message appears once
        QTest.mouseClick(button, LEFT)
        assert viewer.dims.ndisplay == 3
        assert not bar.visible
        QTest.mouseClick(button, LEFT)
        assert bar.visible
    canvas(viewer).grid.enabled = False
    QTest.mouseClick(button, LEFT)
    (sentence,) = told
    assert "same button" in sentence
    QTest.mouseClick(button, LEFT)


def escape_undoes_ctrl_a(viewer):
    layer = viewer.layers["left"]
    viewer.layers.selection.active = layer
    native = viewer.window._qt_viewer.canvas.native
    QTest.keyClick(native, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(layer.selected_data) == len(layer.data)
    QTest.keyClick(native, Qt.Key.Key_Escape)
    assert not layer.selected_data
