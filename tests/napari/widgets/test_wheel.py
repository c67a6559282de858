"""The mouse wheel over the panels: it scrolls, and changes no field that was not clicked."""

from __future__ import annotations

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QScrollArea,
    QScrollBar,
)
from tests.support.cubes import wave_cube
from tests.support.mouse import LEFT, turn_wheel
from tests.support.qt_events import let_events_pass, wait_until_work_ends
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer

PANELS = (
    *("Hexagon recruitment", "Flat map", "Traces", "Selection"),
    *("Compare", "Trials", "Maps", "Waves"),
)


def fields_of(panel):
    """What a wheel could change, with what it holds."""
    kinds = (QAbstractSpinBox, QComboBox, QAbstractSlider)
    found = [field for kind in kinds for field in panel.findChildren(kind)]
    return [field for field in found if not isinstance(field, QScrollBar)]


def value_of(field):
    if isinstance(field, QComboBox):
        return field.currentIndex()
    return field.text() if isinstance(field, QAbstractSpinBox) else field.value()


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    """A window with hexagons, so that all fields of the panels have something to change."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer(show=True)
    for name in ("one", "other"):
        add_recruitment_layer(viewer, wave_cube(n_rows=3, n_cols=4, n_bins=20), name=name)
    return viewer


def test_it_changes_nothing_that_was_not_clicked_in_any_panel(viewer, qtbot):
    seen = 0
    for name in PANELS:
        dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        wait_until_work_ends(qtbot)
        panel = getattr(widget, "native", widget)
        before = {field: value_of(field) for field in fields_of(panel)}
        for field in before:
            for notches in (1, -1):
                turn_wheel(field, notches)
                assert value_of(field) == before[field], (name, field.toolTip())
        assert not any(field.hasFocus() for field in before)
        seen += len(before)
        viewer.window.remove_dock_widget(dock)
        let_events_pass()
    assert seen > 60


def test_it_scrolls_the_panel_and_turns_the_field_that_was_clicked(viewer, qtbot):
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Hexagon recruitment")
    wait_until_work_ends(qtbot)
    bar = widget.native.findChild(QScrollArea).verticalScrollBar()
    radius = widget.form.radius
    turn_wheel(radius.native, -1)
    assert (radius.value, bar.value() > 0) == (50.0, True)
    at = bar.value()
    viewer.window._qt_window.activateWindow()
    QTest.mouseClick(radius.native.lineEdit(), LEFT)
    qtbot.waitUntil(radius.native.hasFocus)
    turn_wheel(radius.native, -1)
    assert (radius.value, bar.value()) == (45.0, at)
