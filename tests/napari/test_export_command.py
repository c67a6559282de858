"""The command line and the run file that make the same movie as the section Export."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest
import yaml
from qtpy.QtWidgets import QApplication, QFileDialog
from test_export import Exporter
from widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit._napari.layer import add_recruitment_layer


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return Exporter(make_napari_viewer(), qtbot)


@pytest.fixture
def simulation(tmp_path):
    return neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}}).write(
        tmp_path / "a run; with 'quotes'"
    )


SMALL = {"width": 320.0, "height": 240.0, "start": 20.0, "stop": 80.0, "step": 20.0}


def copied(user, output, **fields):
    user.fill(output, **fields)
    user.panel.copy.native.click()
    assert user.told == []
    return QApplication.clipboard().text()


def run(command):
    """Run commands of a shell with this Python's hexrecruit."""
    here = f"{shlex.quote(sys.executable)} -m napari_hexrecruit "
    text = "\n".join(here + line.removeprefix("hexrecruit ") for line in command.split("\n"))
    done = subprocess.run(text, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.skipif(os.name == "nt", reason="the command is quoted for a POSIX shell")
class TestSameBytes:
    def test_of_a_simulation(self, user, simulation, tmp_path):
        user.choose(simulation)
        user.form.node_set.value = "Even"
        user.pick_filter("layer", 1, 3, 5)
        user.form.radius.value, user.form.min_neurons.value = 60.0, 1
        user.load()
        user.viewer.layers[0].face_contrast_limits = (0.0, 33.3)
        user.export(tmp_path / "widget", **SMALL)
        run(copied(user, tmp_path / "the command"))
        pictures = files_of(tmp_path / "widget")
        assert len(pictures) == 3
        assert files_of(tmp_path / "the command") == pictures

    def test_of_an_interval_without_bar_and_time(self, user, simulation, tmp_path):
        user.choose(simulation)
        user.pick_filter("depth")
        user.form.filter_high.value = 250.5
        user.load()
        user.form.colorbar.value = user.form.timestamp.value = False
        user.form.metric.value, user.form.colormap.value = "rate", "magma"
        user.export(tmp_path / "widget", **SMALL, background="black", speed_kind="dilation")
        command = copied(user, tmp_path / "command")
        assert "--dilation 5 " in command
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")

    def test_of_a_cube(self, user, simulation, tmp_path):
        path = tmp_path / "run.hexrecruit.nc"
        write_cube(recruitment_cube(simulation), path)
        user.viewer.open(path, plugin="napari-hexrecruit")
        user.wait_until_idle()
        user.export(tmp_path / "widget", **SMALL)
        command = copied(user, tmp_path / "command")
        assert shlex.split(command)[2] == str(path)
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")

    def test_of_a_split_simulation(self, user, simulation, tmp_path):
        user.choose(simulation)
        user.form.split_by.value = "synapse_class"
        user.load()
        user.export(tmp_path / "widget", **SMALL)
        command = copied(user, tmp_path / "command")
        assert command.count("hexrecruit cube ") == 2
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")

    def test_of_a_run_file(self, user, simulation, tmp_path, monkeypatch):
        user.choose(simulation)
        user.pick_filter("synapse_class", "INH")
        user.load()
        user.export(tmp_path / "widget", **SMALL)
        file = tmp_path / "movie.yaml"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(file)[:-5], ""))
        user.panel.save.native.click()
        assert yaml.safe_load(file.read_text())["where"] == ["synapse_class=INH"]
        words = ["hexrecruit", "movie", simulation, "-o", tmp_path / "again", "--run-file", file]
        run(shlex.join(map(str, words)))
        assert files_of(tmp_path / "again") == files_of(tmp_path / "widget")


def test_an_updated_layer_is_no_longer_its_file(user, simulation, tmp_path):
    path = tmp_path / "run.hexrecruit.nc"
    write_cube(recruitment_cube(simulation), path)
    user.viewer.open(path, plugin="napari-hexrecruit")
    user.wait_until_idle()
    user.form.bin_ms.value = 20.0
    user.wait_until_idle()
    assert shlex.split(copied(user, "wave.mp4"))[2] == str(simulation)


def test_names_the_volumes_that_a_cube_was_computed_with(user, cube, simulation):
    recipe = json.loads(recruitment_cube(simulation).attrs["recipe"])
    recipe |= {"flat": "/atlas/flat map.nrrd", "column_atlas": "/atlas/columns.nrrd"}
    add_recruitment_layer(user.viewer, cube.assign_attrs(recipe=json.dumps(recipe)))
    user.wait_until_idle()
    words = shlex.split(copied(user, "wave.mp4"))
    assert words[words.index("--flatmap") + 1] == "/atlas/flat map.nrrd"
    assert words[words.index("--column-atlas") + 1] == "/atlas/columns.nrrd"
    assert "--flat" not in words


def test_refuses_what_the_command_has_no_option_for(user, cube, simulation):
    recipe = json.loads(recruitment_cube(simulation).attrs["recipe"]) | {"cumulative": True}
    add_recruitment_layer(user.viewer, cube.assign_attrs(recipe=json.dumps(recipe)))
    user.wait_until_idle()
    user.panel.copy.native.click()
    assert "was computed with cumulative" in user.told[0]
    assert "save the layer as .hexrecruit.nc" in user.told[0]


def test_says_when_the_simulation_is_not_here(user, cube):
    add_recruitment_layer(user.viewer, cube)
    user.panel.copy.native.click()
    assert "save the layer as .hexrecruit.nc" in user.told[0]


def test_a_run_file_that_exists_is_replaced_only_when_confirmed(
    user, simulation, tmp_path, monkeypatch
):
    user.open_and_load(simulation)
    file = tmp_path / "movie.yaml"
    file.write_text("mine")
    for answer in (tmp_path / "movie", file):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args, a=answer: (str(a), ""))
        user.panel.save.native.click()
        if answer != file:
            assert "exists" in user.told[0]
            assert file.read_text() == "mine"
    assert yaml.safe_load(file.read_text())["command"] == "movie"
