"""A mistyped path stays to be corrected, and choices are there the next time."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.napari.widgets.windowless import PanelUser
from tests.support.mouse import LEFT
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit._napari.export import panel as export_panel
from napari_hexrecruit._napari.recruitment.settings import load_settings
from napari_hexrecruit.recipe import CubeRecipe


@pytest.fixture
def user(qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "settings" / "napari.yaml"))
    return PanelUser(qtbot, show=True)


def typed(user, field, text):
    """Type a path in place of what is there, and press Enter."""
    line = field.line_edit.native
    QTest.mouseClick(line, LEFT)
    QTest.keySequence(line, "Ctrl+A")
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)
    user.wait_until_idle()
    return line.text()


def test_a_mistyped_path_stays_until_it_is_corrected(user, tmp_path):
    path = str(neurons_in_a_row().write(tmp_path / "run"))
    mistyped = path.replace("run", "rum")
    assert typed(user, user.form.file, mistyped) == mistyped
    assert user.form.info.wrong.startswith("Does not exist")
    line = user.form.file.line_edit.native
    line.setCursorPosition(mistyped.rindex("rum") + 3)
    QTest.keyClick(line, Qt.Key.Key_Backspace)
    QTest.keyClicks(line, "n")
    QTest.keyClick(line, Qt.Key.Key_Return)
    user.wait_until_idle()
    assert user.form.info.wrong == ""
    assert user.form.load.enabled
    user.load()
    (layer,) = user.viewer.layers

    other = str(tmp_path / "nowhere.json")  # a mistake later leaves the hexagons as they are
    assert typed(user, user.form.file, other) == other
    user.form.radius.value = 80.0
    user.wait_until_idle()
    assert CubeRecipe.of(layer.cube).radius == 80.0


def test_choices_of_export_are_there_the_next_time_and_its_folder_opens(
    user, qtbot, tmp_path, monkeypatch
):
    user.open_and_load(neurons_in_a_row().write(tmp_path / "run"))
    export = user.widget.export
    export.width.value, export.height.value = 640, 480
    export.background.value, export.speed_kind.value, export.speed.value = "black", "dilation", 2.5
    export.file.value = str(tmp_path / "movies" / "wave.gif")
    (tmp_path / "movies").mkdir()
    assert not export.folder.enabled
    QTest.mouseClick(export.export.native, LEFT)
    user.wait_until_idle()
    opened = []
    monkeypatch.setattr(export_panel.QDesktopServices, "openUrl", opened.append)
    QTest.mouseClick(export.folder.native, LEFT)
    assert [url.toLocalFile() for url in opened] == [str(tmp_path / "movies")]
    user.wait(lambda: load_settings().export.get("speed") == 2.5)

    user.close()
    again = PanelUser(qtbot, viewer=user.viewer)
    export = again.widget.export
    assert (export.width.value, export.height.value) == (640, 480)
    assert (export.background.value, export.speed_kind.value) == ("black", "dilation")
    assert export.speed.value == 2.5
