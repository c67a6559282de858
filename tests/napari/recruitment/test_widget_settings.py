"""What was chosen last time."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.napari.widgets.windowless import PanelUser
from tests.support.waiting import PATIENCE_S
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit._napari.recruitment import settings as settings_module
from napari_hexrecruit._napari.recruitment.settings import (
    Saver,
    Settings,
    filter_column_of,
    load_settings,
    save_settings,
    settings_file,
)
from napari_hexrecruit.recipe import CubeRecipe

CHOSEN = Settings(
    recipe=CubeRecipe(
        simulation="/data/simulation_config.json",
        population="cortex",
        node_set="All",
        where=[{"column": "layer", "values": [2, 3]}],
        flat=Path("/data/flatmap.nrrd"),
        radius=80.0,
        stop=500.0,
        others={"from_a_later_version": 1},
    ),
    filter_column="layer",
    automatic=False,
    metric="rate",
    high=12.5,
    loop=False,
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Settings of napari, and so ours, are in a folder of the test."""
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "config" / "settings.yaml"))
    return tmp_path / "config"


class TestFile:
    def test_gives_back_what_was_saved(self, folder):
        save_settings(CHOSEN)
        assert settings_file().parent == folder
        assert load_settings() == CHOSEN

    def test_without_a_file_everything_is_as_at_first(self):
        assert load_settings() == Settings()

    @pytest.mark.parametrize(
        "content", ["", "{", "[1, 2]", "null", '"text"', "\x00", "[" * 100_000, '{"radius": 1e999}']
    )
    def test_a_broken_file_does_no_harm(self, folder, content):
        folder.mkdir()
        settings_file().write_text(content)
        assert load_settings() == Settings()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("radius", "wide"),
            ("radius", None),
            ("radius", float("nan")),
            ("radius", True),
            ("min_neurons", 1.5),
            ("automatic", 1),
            ("simulation", 3),
            ("where", "INH"),
            ("where", [["INH"]]),
            ("stop", "late"),
            ("flat", ["x"]),
        ],
    )
    def test_one_bad_value_does_not_spoil_the_others(self, folder, name, value):
        save_settings(CHOSEN)
        content = json.loads(settings_file().read_text())
        if name in content["recipe"]:
            content["recipe"][name] = value
            default = getattr(CubeRecipe(), name)
            expected = replace(CHOSEN, recipe=CHOSEN.recipe.replace(**{name: default}))
        else:
            content[name] = value
            expected = replace(CHOSEN, **{name: getattr(Settings(), name)})
        settings_file().write_text(json.dumps(content))
        assert load_settings() == expected

    def test_what_no_version_knows_is_left_out(self, folder):
        save_settings(CHOSEN)
        content = json.loads(settings_file().read_text())
        settings_file().write_text(json.dumps(content | {"unheard_of": 1}))
        assert load_settings() == CHOSEN

    def test_a_folder_that_cannot_be_made_is_no_error(self, folder):
        folder.write_text("a file")
        save_settings(CHOSEN)
        assert load_settings() == Settings()

    def test_nothing_waits_for_the_disk(self, folder, monkeypatch):
        synced = []
        monkeypatch.setattr(os, "fsync", synced.append)
        save_settings(CHOSEN)
        assert load_settings() == CHOSEN
        assert synced == []
        assert [path.name for path in folder.iterdir()] == [settings_file().name]

    def test_a_write_that_fails_leaves_the_file_of_before(self, folder, monkeypatch):
        save_settings(CHOSEN)

        def full(aside, final):
            raise OSError("No space left on device")

        monkeypatch.setattr(os, "replace", full)
        save_settings(replace(CHOSEN, speed=1.0))
        assert load_settings() == CHOSEN
        assert [path.name for path in folder.iterdir()] == [settings_file().name]

    def test_with_an_empty_variable_nothing_is_kept(self, monkeypatch):
        monkeypatch.setenv("NAPARI_CONFIG", "")
        save_settings(CHOSEN)
        assert settings_file() is None
        assert load_settings() == Settings()

    def test_otherwise_it_is_in_the_users_folder(self, monkeypatch):
        monkeypatch.delenv("NAPARI_CONFIG")
        assert "napari-hexrecruit" in settings_file().parts


class TestSaver:
    def test_does_not_wait_for_a_slow_disk_and_the_last_settings_win(self, monkeypatch):
        written, may_go_on = [], threading.Event()

        def slowly(settings):
            assert may_go_on.wait(PATIENCE_S)
            written.append(settings.speed)

        monkeypatch.setattr(settings_module, "save_settings", slowly)
        saver = Saver()
        for speed in (1.0, 2.0, 3.0):
            saver.save(replace(CHOSEN, speed=speed))
        assert written == []
        may_go_on.set()
        saver.wait()
        assert written[-1] == 3.0
        assert len(written) <= 2
        saver.save(replace(CHOSEN, speed=4.0))
        saver.wait()
        assert written[-1] == 4.0


@pytest.mark.parametrize(
    ("rules", "column"),
    [
        ([{"column": "depth", "interval": [0.0, 500.0]}, {"column": "x", "values": [1]}], "depth"),
        ([{"column": "depth", "interval": [5.0, 5.0]}], ""),
        ([{"column": "x", "values": [1]}], "x"),
        ([{"column": "x", "values": [1.5]}], ""),
        ([], ""),
    ],
)
def test_the_fields_of_the_filter_are_for_the_first_one_that_fits(rules, column):
    assert filter_column_of(CubeRecipe(where=rules)) == column


class TestWidget:
    def test_comes_back_as_it_was_left(self, qtbot, tmp_path):
        path = neurons_in_a_row().write(tmp_path / "sim")
        first = PanelUser(qtbot)
        first.choose(path)
        first.pick_filter("layer", 2, 5)
        first.form.radius.value = 80.0
        first.form.stop.value = 60.0
        first.load()
        layer = first.viewer.layers[0]
        layer.metric, layer.face_colormap, layer.outline_nan = "n_recruited", "magma", False
        layer.face_contrast_limits, layer.face_colorbar.visible = (5.0, 40.0), False
        first.form.speed.value = 33.0
        chosen = first.form.settings()
        first.wait(lambda: replace(load_settings(), recent="") == chosen)
        second = PanelUser(qtbot)
        second.wait(lambda: second.form.load.enabled)
        assert second.form.settings() == chosen
        assert second.form.filter_values.value == [2, 5]
        assert second.widget.form.request().recipe.rules == ({"column": "layer", "values": [2, 5]},)
        second.load()
        (again,) = second.viewer.layers
        for name in ("metric", "face_contrast_limits", "outline_nan"):
            assert getattr(again, name) == getattr(layer, name)
        assert again.face_colormap.name == "magma"
        assert not again.face_colorbar.visible
        assert second.told == []

    def test_is_saved_aside_from_the_window(self, qtbot, tmp_path, monkeypatch):
        threads, synced = [], []
        save = settings_module.save_settings

        def noted(settings):
            threads.append(threading.current_thread())
            save(settings)

        monkeypatch.setattr(settings_module, "save_settings", noted)
        monkeypatch.setattr(os, "fsync", synced.append)
        user = PanelUser(qtbot)
        user.choose(neurons_in_a_row().write(tmp_path / "sim"))
        user.form.radius.value = 75.0
        user.wait(lambda: settings_file().is_file() and load_settings().recipe.radius == 75.0)
        assert threading.main_thread() not in threads
        assert synced == []

    def test_what_is_chosen_just_before_the_panel_is_closed_is_kept(self, qtbot, tmp_path):
        user = PanelUser(qtbot)
        user.choose(neurons_in_a_row().write(tmp_path / "sim"))
        user.form.radius.value = 65.0
        user.close()
        user.wait(lambda: settings_file().is_file() and load_settings().recipe.radius == 65.0)

    def test_a_simulation_that_is_gone_is_forgotten(self, qtbot):
        gone = CHOSEN.recipe.replace(simulation="/nowhere/simulation_config.json")
        save_settings(replace(CHOSEN, recipe=gone))
        user = PanelUser(qtbot)
        assert user.form.file.line_edit.value == ""
        assert user.form.radius.value == 80.0
        assert user.told == []

    def test_what_the_new_simulation_lacks_falls_back(self, qtbot, tmp_path):
        path = neurons_in_a_row(tstop_ms=50.0).write(tmp_path / "sim")
        gone = CHOSEN.recipe.replace(
            simulation=str(path),
            population="gone",
            node_set="gone",
            where=[{"column": "gone", "values": [1]}],
            flat=("gone", "ss_flat_y"),
            others={},
        )
        chosen = replace(CHOSEN, recipe=gone, filter_column="gone", split_by="gone")
        save_settings(replace(chosen, colormap="gone"))
        user = PanelUser(qtbot)
        user.wait(lambda: user.form.load.enabled)
        chosen = user.form.settings()
        recipe = chosen.recipe
        assert (recipe.population, recipe.node_set, recipe.rules) == ("cortex", None, ())
        assert (recipe.columns, recipe.stop) == (("ss_flat_x", "ss_flat_y"), None)
        assert (chosen.filter_column, chosen.split_by) == ("", "")
        user.load()
        assert user.told == []
        assert user.viewer.layers[0].cube.attrs["hex_radius"] == 80.0
