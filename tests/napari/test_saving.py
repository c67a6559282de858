"""Saving a cube: from the panel, from the Layers menu, and with napari's own dialog."""

from __future__ import annotations

from threading import Event

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QMenu
from tests.napari.widgets.windowless import PanelUser
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit import read_cube
from napari_hexrecruit.errors import HexRecruitError


@pytest.fixture
def user(qtbot, monkeypatch, tmp_path):
    """A user who has loaded a simulation."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = PanelUser(qtbot)
    user.open_and_load(neurons_in_a_row().write(tmp_path))
    return user


@pytest.fixture
def in_window(make_napari_viewer, qtbot, monkeypatch, tmp_path):
    """A user who has loaded a simulation in a window."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(), qtbot)
    user.open_and_load(neurons_in_a_row().write(tmp_path))
    return user


@pytest.fixture
def answer(monkeypatch):
    """What the user answers in the dialog, and what it offered."""
    offered = []

    def say(path, kind=""):
        def get(parent, title, name, kinds, *args, **options):
            offered.append(name)
            return str(path), kind or kinds.split(";;")[0]

        monkeypatch.setattr(QFileDialog, "getSaveFileName", get)
        return offered

    return say


def test_from_the_panel(user, answer, tmp_path):
    for typed, kind, written in (
        ("run", "", "run.hexrecruit.nc"),
        ("run.nc", "", "run.hexrecruit.nc"),
        ("run.hexrecruit.nc", "", "run.hexrecruit.nc"),
        ("run", "Recruitment cube, zarr folder (*.hexrecruit.zarr)", "run.hexrecruit.zarr"),
    ):
        folder = tmp_path / f"{typed} as {written}"
        folder.mkdir()
        offered = answer(folder / typed, kind)
        offered.clear()
        QTest.mouseClick(user.form.save_cube.native, LEFT)
        user.wait_until_idle()
        assert offered == ["cortex.hexrecruit.nc"], typed
        assert user.form.status.value.startswith(f"Saved {written}."), typed
        cube = read_cube(folder / written)
        assert cube.attrs["recipe"] == user.viewer.layers[0].cube.attrs["recipe"]


def test_what_the_dialog_did_not_ask_about_is_not_replaced(user, answer, tmp_path):
    (tmp_path / "run.hexrecruit.nc").write_bytes(b"old")
    answer(tmp_path / "run")
    QTest.mouseClick(user.form.save_cube.native, LEFT)
    user.wait_until_idle()
    assert "xists" in user.form.status.wrong
    assert (tmp_path / "run.hexrecruit.nc").read_bytes() == b"old"
    answer(tmp_path / "run.hexrecruit.nc")
    QTest.mouseClick(user.form.save_cube.native, LEFT)
    user.wait_until_idle()
    assert user.form.status.wrong == ""


def test_from_the_menu_and_without_a_layer(in_window, answer, tmp_path):
    user = in_window
    from napari._app_model import get_app_model

    answer(tmp_path / "menu")
    command = get_app_model().commands.execute_command
    command("napari-hexrecruit.save_cube").result()
    assert read_cube(tmp_path / "menu.hexrecruit.nc").sizes["time"] == 10
    user.viewer.layers.clear()
    let_events_pass()
    assert not user.form.save_cube.enabled


def test_the_writer_takes_both_endings(user, tmp_path):
    for ending in ("nc", "zarr"):
        path = tmp_path / f"typed.hexrecruit.{ending}"
        assert user.viewer.layers.save(str(path)) == [str(path)]
        assert read_cube(path).sizes["time"] == 10


class TestNaparisDialog:
    """File > Save Selected Layers, where CSV is the first kind that napari offers."""

    @pytest.fixture
    def type_name(self, in_window, monkeypatch, tmp_path):
        """Choose it, type a name, leave the kind as it is; what went wrong."""

        def typed(name):
            kinds = []

            def get(parent, caption, offered, filter, options):
                kinds.append(filter.split(";;")[0])
                return str(tmp_path / name), kinds[0]

            monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(get))
            menu = in_window.viewer.window._qt_window.findChildren(QMenu)
            actions = {action for one in menu for action in one.actions()}
            (save,) = (one for one in actions if one.shortcut() == QKeySequence("Ctrl+S"))
            save.trigger()
            assert ".csv" in kinds[0]

        return typed

    def test_the_ending_that_was_typed_counts_and_the_window_goes_on(
        self, in_window, type_name, tmp_path, monkeypatch
    ):
        for name, written in (
            ("run.hexrecruit.nc", "run.hexrecruit.nc"),
            ("run.hexrecruit.zarr", "run.hexrecruit.zarr"),
            ("short.nc", "short.hexrecruit.nc"),
        ):
            type_name(name)
            assert read_cube(tmp_path / written).sizes["time"] == 10, name

        type_name("run.csv")  # is still CSV
        assert (tmp_path / "run.csv").read_text().startswith("index")

        (tmp_path / "run.hexrecruit.nc").write_bytes(b"old")  # no dialog asked to replace it
        with pytest.raises(FileExistsError, match="type the whole ending"):
            in_window.viewer.layers.save(str(tmp_path / "run.nc"), selected=True)
        assert (tmp_path / "run.hexrecruit.nc").read_bytes() == b"old"

        handled = _waited_for_when_written(monkeypatch)
        QTimer.singleShot(0, handled.set)
        type_name("last.hexrecruit.nc")
        assert (tmp_path / "last.hexrecruit.nc").is_file()

    def test_what_no_cube_can_hold_is_said(self, user, tmp_path):
        points = user.viewer.add_points([[0.0, 0.0]], name="cells")
        with pytest.raises(HexRecruitError, match="'cells' shows no recruitment cube: select"):
            user.viewer.layers.save(str(tmp_path / "run.hexrecruit.nc"), selected=True)
        user.viewer.layers.selection = {points, user.viewer.layers[0]}
        with pytest.raises(HexRecruitError, match="holds one layer, and 2 were to be saved"):
            user.viewer.layers.save(str(tmp_path / "run.hexrecruit.nc"))
        assert list(tmp_path.glob("run.*")) == []


def _waited_for_when_written(monkeypatch):
    """An event for which the next cubes wait before they are written."""
    from napari_hexrecruit._napari import writer

    handled, write = Event(), writer.write_cube

    def wait_for_the_window(*args, **options):
        assert handled.wait(PATIENCE_MS / 1000)
        return write(*args, **options)

    monkeypatch.setattr(writer, "write_cube", wait_for_the_window)
    return handled
