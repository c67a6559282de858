"""What an empty panel offers, and when it goes."""

from __future__ import annotations

import pytest
from napari._qt.dialogs.preferences_dialog import PreferencesDialog
from napari.settings import get_plugin_settings
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLabel
from tests.napari.widgets.windowless import PanelUser
from tests.support.mouse import LEFT
from tests.support.widget_helpers import PLUGIN, User, neurons_in_a_row

from napari_hexrecruit._napari import samples
from napari_hexrecruit._napari.recruitment.settings import load_settings
from napari_hexrecruit.synthetic import Story


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Settings and samples are in folders of the test, and the sample is small."""
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "napari.yaml"))
    monkeypatch.setattr(samples, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setitem(samples.SAMPLES, "small", Story(n_neurons=200))


def is_offered(user, field=None):
    field = user.form.start_here.section if field is None else field
    return not field.native.isHidden()


def test_the_sample_is_one_click_away(qtbot):
    user = PanelUser(qtbot)
    start = user.form.start_here
    assert is_offered(user)
    assert not is_offered(user, start.recent)
    QTest.mouseClick(start.sample.native, LEFT)
    user.wait_until_idle()
    (layer,) = user.viewer.layers
    assert layer.cube.attrs["n_neurons_selected"] > 0
    assert user.form.load.enabled
    assert not is_offered(user)
    assert user.told == []


def test_a_cache_that_cannot_be_written_to_is_told_in_the_panel(qtbot, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in the way")
    user = PanelUser(qtbot)
    QTest.mouseClick(user.form.start_here.sample.native, LEFT)
    assert "sample cannot be written" in user.form.info.wrong
    assert "hexrecruit demo" in user.form.info.wrong


def test_opened_ones_are_recent(qtbot, tmp_path, monkeypatch):
    user = PanelUser(qtbot)
    paths = [neurons_in_a_row().write(tmp_path / name) for name in ("one", "two")]
    start = user.form.start_here
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(paths[0]), ""))
    QTest.mouseClick(start.open.native, LEFT)
    user.wait_until_idle()
    assert user.form.file.line_edit.value == str(paths[0])
    assert not is_offered(user)
    user.choose(paths[1])
    user.wait(lambda: load_settings().recent.splitlines() == [str(paths[1]), str(paths[0])])

    paths[1].unlink()  # the last one is gone: the panel is empty next time
    user.close()
    again = PanelUser(qtbot, viewer=user.viewer)
    start = again.form.start_here
    assert is_offered(again, start.recent)
    assert start.recent.choices == ("", str(paths[0]))
    start.recent.value = str(paths[0])
    again.wait_until_idle()
    assert again.form.load.enabled


def test_preferences_are_in_naparis_dialog_and_take_effect(make_napari_viewer, qtbot, tmp_path):
    viewer = make_napari_viewer(show=True)
    preferences = get_plugin_settings(PLUGIN).panel
    dialog = PreferencesDialog(parent=viewer.window._qt_window)
    qtbot.addWidget(dialog)
    pages = [dialog._list.item(k).text() for k in range(dialog._list.count())]
    assert "Hexagon Recruitment" in pages
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    assert "Simulations under Recent" in shown
    preferences.recent, preferences.reopen = 1, False
    try:
        user = User(viewer, qtbot)
        paths = [neurons_in_a_row().write(tmp_path / name) for name in ("one", "two")]
        for path in paths:
            user.choose(path)
        user.wait(lambda: load_settings().recent == str(paths[1]))
        viewer.window.remove_dock_widget(user.widget.native)
        again = User(viewer, qtbot)
        assert is_offered(again)
        assert again.form.start_here.recent.choices == ("", str(paths[1]))
    finally:
        preferences.recent, preferences.reopen = 8, True
