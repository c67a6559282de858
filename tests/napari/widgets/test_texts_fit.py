"""No text of a panel is cut, at any width, size of the font and theme."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from napari.settings import get_settings
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QScrollArea, QToolTip, QWidget
from tests.support.cut_texts import cut_texts
from tests.support.qt_events import let_events_pass
from tests.support.thorough import repetitions
from tests.support.widget_helpers import PLUGIN, WIDGET, User, neurons_in_a_row

from napari_hexrecruit._napari.widgets.elided import Elided
from napari_hexrecruit._napari.widgets.reflow import Reflow

SCALE = "QT_SCALE_FACTOR"
"""Qt reads it once, so that another process looks, at the narrowest panels only."""
WIDTHS = (280,) if SCALE in os.environ else (400, 320, 280)
OTHERS = (
    *("Flat map", "Selection", "Compare", "Trials", "Maps", "Waves", "Wave list"),
    *("Significance", "Traces"),
)


@pytest.fixture
def panels(make_napari_viewer, qtbot, tmp_path):
    """The viewer and all panels, each in a window of its own; napari's own is not drawn."""
    user = User(make_napari_viewer(), qtbot)
    user.open_and_load(neurons_in_a_row().write(tmp_path))
    before = get_settings().appearance.font_size
    found = {WIDGET: user.widget}
    for name in OTHERS:
        found[name] = user.viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]
    for panel in found.values():
        dock = dock_of(native_of(panel))
        dock.setFloating(True)
        dock.show()
    yield user.viewer, found
    get_settings().appearance.font_size = before


def native_of(panel):
    """Qt's widget: a panel of forms wraps one."""
    return getattr(panel, "native", panel)


def dock_of(widget: QWidget) -> QDockWidget:
    while not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget


def cut_at(panels, *, font, widths=WIDTHS):
    """What is cut in all panels with a size of the font, pt, at widths, px; the last is left."""
    get_settings().appearance.font_size = font
    found = []
    for name, panel in panels.items():
        native = native_of(panel)
        for width in widths:
            dock = dock_of(native)
            dock.resize(dock.width() + width - native.width(), 700)
            let_events_pass()
            let_events_pass()
            assert native.isVisible()
            assert native.width() == width
            at = f"{name}, {font} pt, {width} px"
            found += [f"{at}: {text}" for text in cut_texts(native)]
    return found


@pytest.mark.slow
def test_at_all_widths_and_fonts(panels):
    viewer, shown = panels
    viewer.theme = "dark"
    assert cut_at(shown, font=9) == []
    assert labels_are_above(shown[WIDGET]) == {False}
    if SCALE not in os.environ:
        assert cut_at(shown, font=12) == []
    assert cut_at(shown, font=16) == []
    _what_does_not_fit_is_within_reach(shown[WIDGET])
    for source in ("atlas", "neurons"):
        shown["Flat map"].form.source.value = source
        assert cut_at({"Flat map": shown["Flat map"]}, font=16, widths=(280,)) == []
    shown["Flat map"].form.source.value = "image"

    if SCALE not in os.environ:
        viewer.theme = "light"
        for font in (12, 9, 16)[: repetitions(1, 3)]:
            assert cut_at(shown, font=font) == []


def _what_does_not_fit_is_within_reach(panel):
    """At the largest font and the least width."""
    assert labels_are_above(panel) == {True}
    scroll = panel.native.findChild(QScrollArea)
    assert scroll.verticalScrollBar().maximum() > 0
    field = panel.form.file.line_edit
    assert str(field.value) not in field.native.findChild(Elided).shown
    assert tool_tip(field.native).startswith(str(field.value))
    assert n_layouts_at_rest(panel) == 0


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["1.5", "1.25"][: repetitions(1, 2)])
def test_on_a_screen_of_many_dots(scale):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command += ["-k", test_at_all_widths_and_fonts.__name__]
    done = subprocess.run(command, env=os.environ | {SCALE: scale}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def labels_are_above(panel):
    """Whether the fields of a panel have their labels above them: one answer, for all alike."""
    fields = [panel.form.bin_ms, panel.form.radius, panel.form.population]
    natives = [field.native for field in fields]
    return {native.geometry().top() > native.height() / 2 for native in natives}


def tool_tip(native):
    """What is told where the mouse rests on a widget."""
    there = QPoint(5, 5)
    event = QHelpEvent(QEvent.Type.ToolTip, there, native.mapToGlobal(there))
    QApplication.sendEvent(native, event)
    return QToolTip.text()


def n_layouts_at_rest(panel):
    """How often a panel is laid out though nothing changes: it does not go on for ever."""
    counted = []
    panel.native.findChild(Reflow)._timer.timeout.connect(lambda: counted.append(1))
    for _ in range(3):
        let_events_pass()
    return len(counted)
