"""The command line and the run file that make the same movie as the section Export."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import voxcell
import xarray as xr
import yaml
from qtpy.QtWidgets import QApplication, QFileDialog
from tests.napari.export.exporting import Exporter
from tests.support.commands import hexrecruit
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import open_simulation, read_cube, recruitment_cube, write_cube
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit.filters import parse_where, typed_rule
from napari_hexrecruit.pipeline.cubes import cumulative_cube
from napari_hexrecruit.recipe import CubeRecipe


@pytest.fixture
def user(qtbot, monkeypatch):
    """Whose widget is in no window."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return Exporter(a_viewer(), qtbot)


@pytest.fixture
def opener(make_napari_viewer, qtbot, monkeypatch):
    """In front of a window that opens files."""
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
    """Run commands, taken apart as a shell does."""
    for line in command.split(" && \\\n"):
        program, *words = shlex.split(line)
        assert program == "hexrecruit"
        done = hexrecruit(*words)
        assert done.returncode == 0, done.stderr


def run_in_shell(command):
    """Run commands in a shell, with this Python's hexrecruit."""
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
        run_in_shell(copied(user, tmp_path / "the command"))
        pictures = files_of(tmp_path / "widget")
        assert len(pictures) == 3
        assert files_of(tmp_path / "the command") == pictures

    def test_of_an_interval_without_bar_and_time(self, user, simulation, tmp_path):
        user.choose(simulation)
        user.pick_filter("depth")
        user.form.filter_high.value = 250.5
        user.load()
        user.form.timestamp.value = False
        (layer,) = user.viewer.layers
        layer.face_colorbar.visible = False
        layer.metric, layer.face_colormap = "rate", "magma"
        user.export(tmp_path / "widget", **SMALL, background="black", speed_kind="dilation")
        command = copied(user, tmp_path / "command")
        assert "--dilation 5 " in command
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")

    @pytest.mark.smoke
    def test_of_a_cube(self, opener, simulation, tmp_path):
        """An updated layer no longer matches its file."""
        user = opener
        path = tmp_path / "run.hexrecruit.nc"
        write_cube(recruitment_cube(simulation), path)
        user.viewer.open(path, plugin="napari-hexrecruit")
        user.wait_until_idle()
        user.export(tmp_path / "widget", **SMALL)
        command = copied(user, tmp_path / "command")
        assert shlex.split(command)[2] == str(path)
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert shlex.split(copied(user, "wave.mp4"))[2] == str(simulation)

    def test_of_a_split_simulation(self, user, simulation, tmp_path):
        user.choose(simulation)
        user.form.split_by.value = "synapse_class"
        user.load()
        user.export(tmp_path / "widget", **SMALL)
        command = copied(user, tmp_path / "command")
        assert command.count("hexrecruit cube ") == 2
        run_in_shell(command)
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


def test_names_the_volumes_that_a_cube_was_computed_with(user, cube, simulation):
    """And refuses a cube of another simulation, or with what the command has no option for."""
    made = json.loads(recruitment_cube(simulation).attrs["recipe"])
    recipe = made | {"flat": "/atlas/flat map.nrrd", "column_atlas": "/atlas/columns.nrrd"}
    layer = add_recruitment_layer(user.viewer, cube.assign_attrs(recipe=json.dumps(recipe)))
    user.wait_until_idle()
    words = shlex.split(copied(user, "wave.mp4"))
    assert words[words.index("--flatmap") + 1] == "/atlas/flat map.nrrd"
    assert words[words.index("--column-atlas") + 1] == "/atlas/columns.nrrd"
    assert "--flat" not in words

    layer.cube = cube.assign_attrs(recipe=json.dumps(made | {"jitter": True}))
    user.wait_until_idle()
    user.panel.copy.native.click()
    assert "was computed with jitter" in user.told[0]
    assert "save the layer as .hexrecruit.nc" in user.told[0]

    user.told.clear()
    layer.cube = cube
    user.wait_until_idle()
    user.panel.copy.native.click()
    assert "was computed with jitter" not in user.told[0]
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


class TestSameCube:
    """Whatever a cube was computed with, the copied command computes it again."""

    @pytest.fixture
    def volumes(self, tmp_path):
        """A flatmap and a column atlas for the neurons of `brain`."""
        flat = np.stack([np.arange(40), np.zeros(40, int)], axis=1).reshape(40, 1, 1, 2)
        columns = (1 + np.arange(40) // 5).reshape(40, 1, 1)
        files = {}
        for name, values in (("flat map", flat), ("columns", columns)):
            files[name] = tmp_path / f"{name}.nrrd"
            voxcell.VoxelData(values.astype(np.int32), (10.0,) * 3).save_nrrd(str(files[name]))
        return files

    @pytest.fixture
    def brain(self, tmp_path):
        files = neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}})
        files.columns |= {"x": 10.0 * np.arange(40) + 5, "y": np.full(40, 5.0)}
        files.columns["z"] = np.full(40, 5.0)
        return files.write(tmp_path / "a brain")

    def test_of_a_simulation(self, user, brain, volumes, tmp_path):
        for name, options, cumulative, start in (
            ("atlas", {"flat": "flat map", "radius": 9.0}, False, 20.0),
            ("column-atlas", {"column_atlas": "columns"}, False, 20.0),
            (
                "three-filters",
                {"where": ["layer=1,2,3", "depth=10.5:250", "synapse_class=INH"]},
                False,
                20.0,
            ),
            ("node-set", {"node_set": "Even", "min_neurons": 2, "radius": 200.0}, False, 20.0),
            ("cumulative", {"bin_ms": 20.0}, True, 0.0),
            ("cumulative-and-a-later-start", {"bin_ms": 20.0}, True, 20.0),
            (
                "everything",
                {"flat": "flat map", "radius": 9.0, "where": ["layer=1,2", "depth=0:300"]},
                True,
                20.0,
            ),
        ):
            given = {key: volumes.get(str(value), value) for key, value in options.items()}
            cube = (cumulative_cube if cumulative else recruitment_cube)(brain, **given)
            self.check(user, cube, folder_in(tmp_path, name), start)

    def test_of_spikes_and_a_circuit(self, user, brain, tmp_path):
        for with_configuration, cumulative in itertools.product((True, False), repeat=2):
            sim = open_simulation(
                brain if with_configuration else None,
                spikes=brain.parent / "output" / "spikes.h5",
                circuit=brain.parent / "circuit_config.json",
            )
            cube = (cumulative_cube if cumulative else recruitment_cube)(sim, where="layer=1,2")
            folder = folder_in(tmp_path, f"{with_configuration}-{cumulative}")
            self.check(user, cube, folder, 20.0)

    def check(self, user, cube, tmp_path, start):
        add_recruitment_layer(user.viewer, cube)
        user.wait_until_idle()
        window = SMALL | {"start": start, "stop": 60.0}
        user.export(tmp_path / "widget", **window)
        command = copied(user, tmp_path / "command", **window)
        run(command)
        assert files_of(tmp_path / "command") == files_of(tmp_path / "widget")
        written = list(tmp_path.glob("command-*.hexrecruit.nc"))
        assert len(written) == command.count("hexrecruit cube ")
        for path in written:
            again = read_cube(path)
            xr.testing.assert_equal(again, cube)
            assert again.attrs["recipe"] == cube.attrs["recipe"]
        user.viewer.layers.clear()  # the next cube is the only one


def folder_in(folder, name):
    made = folder / name
    made.mkdir()
    return made


def test_a_run_file_that_would_count_from_later_on_is_refused(user, simulation, tmp_path):
    add_recruitment_layer(user.viewer, cumulative_cube(simulation))
    user.wait_until_idle()
    user.fill(tmp_path / "a.mp4", **SMALL)
    user.panel.save.native.click()
    assert "counts neurons from 0 ms on" in user.told[0]


def test_values_that_a_shell_or_a_comma_would_take_apart_come_back(simulation):
    """From the recipe of a cube to a command, through a shell, to the same rule."""
    names = pd.Categorical(["L2/3,PV", "PV", " Vip ", 'a"b', "it's", "e=0.5", "$x", "L2/3"])
    recipe = CubeRecipe.of(recruitment_cube(simulation))
    for values in (["L2/3,PV"], ["L2/3", "PV"], list(names)):
        rule = {"column": "pop_name", "values": values}
        words = shlex.split(recipe.replace(where=[rule]).to_command("out"))
        (read,) = parse_where(words[words.index("--where") + 1])
        assert typed_rule(read, names) == rule


def test_the_command_of_a_web_page_writes_the_same(user, simulation, tmp_path):
    user.choose(simulation)
    user.load()
    out = tmp_path / "page.html"
    line = copied(user, out, **SMALL)
    assert line.startswith("hexrecruit html ")
    run(line)
    there = values_of(out)
    out.unlink()
    user.export(out)
    assert values_of(out) == there


def values_of(page):
    """The packed values of a web page; what it says of its cube differs in the cube's window."""
    found = [line for line in page.read_text().splitlines() if 'id="values-' in line]
    assert found
    return found
