"""What is wrong stands in the panel, reason first, until it is mended; a toast points to it."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.napari.widgets.windowless import PanelUser, held
from tests.support.cubes import wave_cube
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import neurons_in_a_row, not_a_simulation

from napari_hexrecruit._napari.analysis.compare import CompareWidget
from napari_hexrecruit._napari.flatmap.widget import FlatMapWidget
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer


@pytest.fixture
def user(qtbot, monkeypatch):
    """A user in front of the panel, which is on the screen without napari's window."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = PanelUser(qtbot, show=True)
    let_events_pass()
    return user


def typed(edit, text):
    """Type a text in place of what stands there, and press Enter."""
    edit.selectAll()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    let_events_pass()


def press(user, button):
    QTest.mouseClick(button.native, LEFT)
    user.wait_until_idle()
    let_events_pass()


def test_a_file_that_is_not_a_simulation(user, tmp_path):
    form, wrong = user.form, not_a_simulation(tmp_path)
    typed(form.file.line_edit.native, str(wrong))
    user.wait_until_idle()
    reason, where = form.info.value.split("\n")
    assert not reason.startswith(("Where", "/"))
    assert where == f"Where: {wrong}"
    assert user.told[0].lower().startswith(reason[:40].lower())
    assert user.told[0].endswith("(panel Hexagon recruitment)")
    typed(form.file.line_edit.native, str(neurons_in_a_row().write(tmp_path)))
    user.wait_until_idle()
    assert form.info.wrong == ""
    assert form.info.value.startswith("40 neurons")


def test_a_parameter_stands_until_it_is_mended_in_the_same_room(user, tmp_path):
    user.choose(neurons_in_a_row().write(tmp_path))
    form = user.form
    press(user, form.load)
    assert user.told == []
    summary, room = form.status.value, form.status.native.height()
    press(user, form.automatic)
    typed(form.radius.native.lineEdit(), "0")
    press(user, form.load)
    assert "radius" in form.status.wrong.lower()
    assert form.status.value == form.status.wrong
    typed(form.bin_ms.native.lineEdit(), "20")  # mends nothing
    user.wait_until_idle()  # the change is computed by itself, soon
    assert form.status.value == form.status.wrong != ""
    assert form.status.native.height() == room
    typed(form.radius.native.lineEdit(), "50")
    press(user, form.load)
    assert form.status.wrong == ""
    assert form.status.value.startswith(summary.partition(",")[0])


def test_a_movie_that_cannot_be_written_is_not_said_to_be_saved(user, tmp_path):
    add_recruitment_layer(user.viewer, wave_cube(n_rows=3, n_cols=4, n_bins=3))
    export = user.widget.export
    typed(export.width.native.lineEdit(), "320")
    typed(export.height.native.lineEdit(), "240")
    typed(export.file.native, str(tmp_path / "wave.gif"))
    press(user, export.export)
    assert export.status.value.startswith("Saved wave.gif.")
    press(user, export.export)
    assert "xists" in export.status.value
    assert "Saved" not in export.status.value
    typed(export.height.native.lineEdit(), "250")  # the file is still there
    assert "xists" in export.status.value
    typed(export.file.native, str(tmp_path / "other.gif"))
    assert export.status.wrong == ""
    assert export.status.value.startswith("3 frames")


def test_what_an_analysis_refuses_stands_in_its_panel(user, tmp_path):
    add_recruitment_layer(user.viewer, wave_cube(n_rows=3, n_cols=4, n_bins=20))
    for kind, name, button in (
        (CompareWidget, "Compare", "compare"),
        (FlatMapWidget, "Flat map", "form.add"),
    ):
        widget = kind(user.viewer)
        holder = held(user.qtbot, getattr(widget, "native", widget), show=True)
        let_events_pass()
        for part in button.split("."):
            panel = widget
            widget = getattr(widget, part)
        QTest.mouseClick(widget.native, LEFT)
        let_events_pass()
        assert panel.status.wrong
        assert user.told == [f"{panel.status.wrong} (panel {name})"]
        user.told.clear()
        holder.close()
