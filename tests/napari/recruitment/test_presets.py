"""Presets: choices by name, applied to a simulation, saved, and shared as run files."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu
from tests.napari.widgets.windowless import PanelUser
from tests.support.commands import hexrecruit
from tests.support.mouse import LEFT
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit._napari.recruitment.presets import read_preset, write_preset
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.storage.cubes import read_cube


@pytest.fixture
def user(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "settings" / "napari.yaml"))
    return PanelUser(qtbot, show=True)


def titles_after_click(user, chosen=""):
    """Press the button, look at the menu, and click one of its titles, as a person does."""
    seen = []

    def look() -> None:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        by_title = {action.text(): action for action in menu.actions() if action.text()}
        seen.extend(by_title)
        if chosen:
            place = menu.actionGeometry(by_title[chosen]).center()
            QTest.mouseClick(menu, LEFT, pos=QPoint(place))
        else:
            menu.close()

    QTimer.singleShot(0, look)
    QTest.mouseClick(user.form.presets.button.native, LEFT)
    user.wait(lambda: seen)
    user.wait_until_idle()
    return seen


def test_ready_ones_are_there_where_the_columns_are(user, tmp_path):
    assert not user.form.presets.button.enabled
    layer = user.open_and_load(neurons_in_a_row().write(tmp_path / "a"))
    assert layer.cube.attrs["n_neurons_selected"] == 40
    titles_after_click(user, "Inhibitory")
    assert user.form.filter_column.value == "synapse_class"
    assert user.form.filter_values.value == ["INH"]
    (layer,) = user.viewer.layers
    assert layer.cube.attrs["n_neurons_selected"] == 20
    titles_after_click(user, "By layer")
    assert len(user.viewer.layers) == 3  # neurons 1, 3, 5, ...: layers 2, 4 and 6
    bare = {"ss_flat_x": 100.0 * np.arange(40), "ss_flat_y": np.zeros(40)}
    user.choose(neurons_in_a_row(columns=bare).write(tmp_path / "b"))
    assert {"Excitatory", "Inhibitory", "By layer"}.isdisjoint(titles_after_click(user))
    assert user.told == []


def test_one_is_saved_shared_and_applied_to_another_simulation(user, tmp_path, monkeypatch):
    user.open_and_load(neurons_in_a_row().write(tmp_path / "a"))
    user.pick_filter("synapse_class", "EXC")
    user.form.radius.value = 150.0
    user.wait_until_idle()
    folder = tmp_path / "settings" / "hexrecruit-presets"
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: (str(folder / "Wide EXC.yaml"), "")
    )
    titles_after_click(user, "Save these choices ...")
    assert any("--run-file" in sentence for sentence in user.told)
    user.told.clear()

    other = neurons_in_a_row(60).write(tmp_path / "b")
    user.pick_filter("")
    user.form.radius.value = 50.0
    layer = user.open_and_load(other)
    assert layer.cube.attrs["n_neurons_selected"] == 60
    titles_after_click(user, "Wide EXC")
    assert user.form.filter_values.value == ["EXC"]
    assert user.form.radius.value == 150.0
    in_panel = user.viewer.layers[-1].cube
    assert in_panel.attrs["n_neurons_selected"] == 30

    output = tmp_path / "same.hexrecruit.nc"
    hexrecruit("cube", other, "-o", output, "--run-file", folder / "Wide EXC.yaml")
    np.testing.assert_array_equal(read_cube(output)["n_recruited"], in_panel["n_recruited"])


def test_what_does_not_fit_is_refused_and_changes_nothing(user, tmp_path, monkeypatch):
    user.open_and_load(neurons_in_a_row().write(tmp_path / "a"))
    for text, reason in (
        ("command: movie\nfps: 5\n", "is not a run file of 'hexrecruit cube'"),
        ("command: cube\nwhere: [mtype=L5]\n", "mtype"),
        ("command: cube\nwhere: [synapse_class=BOTH]\n", "BOTH"),
    ):
        path = tmp_path / "foreign.yaml"
        path.write_text(text)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
        titles_after_click(user, "Apply a run file ...")
        assert reason in user.form.info.wrong
        assert user.form.filter_column.value == ""
        assert user.viewer.layers[-1].cube.attrs["n_neurons_selected"] == 40


def test_a_preset_of_several_populations_is_a_run_file_too(tmp_path):
    recipe = CubeRecipe(population=("A", "B,1"), hemisphere="side", mirror="l", bin_ms=5.0)
    path = tmp_path / "both.yaml"
    write_preset(path, recipe, "A")
    assert read_preset(path) == recipe
