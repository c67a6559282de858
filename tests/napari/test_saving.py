"""Saving a cube: from the panel, from the Layers menu, and with napari's own dialog."""

from __future__ import annotations

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit import read_cube


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch, tmp_path):
    """A user who has loaded a simulation."""
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


@pytest.mark.parametrize(
    ("typed", "kind", "written"),
    [
        ("run", "", "run.hexrecruit.nc"),
        ("run.nc", "", "run.hexrecruit.nc"),
        ("run.hexrecruit.nc", "", "run.hexrecruit.nc"),
        (
            *("run", "Recruitment cube, zarr folder (*.hexrecruit.zarr)"),
            "run.hexrecruit.zarr",
        ),
    ],
)
def test_from_the_panel(user, answer, tmp_path, typed, kind, written):
    offered = answer(tmp_path / typed, kind)
    QTest.mouseClick(user.form.save_cube.native, LEFT)
    user.wait_until_idle()
    assert offered == ["cortex.hexrecruit.nc"]
    assert user.form.status.value.startswith(f"Saved {written}.")
    cube = read_cube(tmp_path / written)
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


def test_from_the_menu_and_without_a_layer(user, answer, tmp_path):
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
