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
from tests.napari.widgets.windowless import empty, held
from tests.support.cubes import wave_cube
from tests.support.mouse import LEFT, turn_wheel
from tests.support.qt_events import let_events_pass, wait_until_work_ends
from tests.support.viewers import a_viewer

from napari_hexrecruit._napari.analysis.compare import CompareWidget
from napari_hexrecruit._napari.analysis.maps import MapsWidget
from napari_hexrecruit._napari.analysis.selection import SelectionWidget
from napari_hexrecruit._napari.analysis.trials import TrialsWidget
from napari_hexrecruit._napari.analysis.waves import WavesWidget
from napari_hexrecruit._napari.flatmap.widget import FlatMapWidget
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget
from napari_hexrecruit._napari.traces.widget import TracesWidget

PANELS = (
    *(RecruitmentWidget, FlatMapWidget, TracesWidget, SelectionWidget),
    *(CompareWidget, TrialsWidget, MapsWidget, WavesWidget),
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
def opened(qtbot, monkeypatch):
    """Puts a panel on the screen, beside hexagons, so that all of its fields can change."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = a_viewer()
    for name in ("one", "other"):
        add_recruitment_layer(viewer, wave_cube(n_rows=3, n_cols=4, n_bins=20), name=name)

    def open_panel(kind):
        widget = kind(viewer)
        holder = held(qtbot, getattr(widget, "native", widget), show=True)
        holder.resize(400, 600)
        wait_until_work_ends(qtbot)
        return holder, widget

    return open_panel


def test_it_changes_nothing_that_was_not_clicked_in_any_panel(opened):
    seen = 0
    for kind in PANELS:
        holder, widget = opened(kind)
        panel = getattr(widget, "native", widget)
        before = {field: value_of(field) for field in fields_of(panel)}
        for field in before:
            for notches in (1, -1):
                turn_wheel(field, notches)
                assert value_of(field) == before[field], (kind, field.toolTip())
        assert not any(field.hasFocus() for field in before)
        seen += len(before)
        empty(holder)
        let_events_pass()
    assert seen > 60


def test_it_scrolls_the_panel_and_turns_the_field_that_was_clicked(opened, qtbot):
    holder, widget = opened(RecruitmentWidget)
    bar = widget.native.findChild(QScrollArea).verticalScrollBar()
    radius = widget.form.radius
    turn_wheel(radius.native, -1)
    assert (radius.value, bar.value() > 0) == (50.0, True)
    at = bar.value()
    holder.activateWindow()
    QTest.mouseClick(radius.native.lineEdit(), LEFT)
    qtbot.waitUntil(radius.native.hasFocus)
    turn_wheel(radius.native, -1)
    assert (radius.value, bar.value()) == (45.0, at)
