"""Files that change on the disk while the panel is used, or are not all there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from tests.napari.widgets.windowless import PanelUser
from tests.support.viewers import a_viewer
from tests.support.waiting import PATIENCE_S
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit._napari.recruitment import request


@contextmanager
def written_elsewhere(file, change):
    """Another process has a file open for writing, and does `change` to it before it ends."""
    script = f"""
import sys, h5py
with h5py.File({str(file)!r}, "r+") as file:
    print("open", flush=True)
    sys.stdin.readline()
    {change}
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "open\n"
        yield
    finally:
        process.communicate("\n", timeout=PATIENCE_S)
    assert process.returncode == 0


class TestFilesBeingWritten:
    @pytest.fixture
    def user(self, qtbot, monkeypatch):
        """A user in front of the panel, for the first time."""
        monkeypatch.setenv("NAPARI_CONFIG", "")
        return PanelUser(qtbot)

    def test_spikes_open_in_another_process(self, user, tmp_path):
        path = neurons_in_a_row().write(tmp_path)
        spikes = tmp_path / "output" / "spikes.h5"
        with written_elsewhere(spikes, change="file['spikes/cortex/timestamps'][:] = 5.0"):
            user.choose(path)
            user.load()
            assert len(user.told) == 2  # the warning when it is chosen, the error when it is loaded
            sentence = (
                "the spikes file is open in a program that writes it: wait until that has ended"
            )
            assert user.told == [
                f"{spikes}: {sentence}",
                f"{sentence} (panel Hexagon recruitment)",
            ]
            assert user.form.status.value == f"T{sentence[1:]}\nWhere: {spikes}"
            assert list(user.viewer.layers) == []
        user.load()
        assert len(user.told) == 2
        (layer,) = user.viewer.layers
        assert layer.cube["n_spikes"].sum("hex").to_numpy().tolist() == [40] + [0] * 9
        assert "40 spikes" in user.form.info.value

    def test_spikes_that_grow(self, user, tmp_path):
        """What is shown is what is in the file when it is loaded."""
        sim = neurons_in_a_row()
        path = sim.write(tmp_path)
        layer = user.open_and_load(path)
        for n_spikes in (60, 80):
            sim.times_ms = np.linspace(0.0, 99.0, n_spikes)
            sim.node_ids = np.arange(n_spikes) % 40
            sim.write(tmp_path)
            user.load()
            assert int(layer.cube["n_spikes"].sum()) == n_spikes
            assert f"{n_spikes} spikes" in user.form.info.value
        assert user.told == []

    @pytest.mark.parametrize("name", ["output/spikes.h5", "nodes.h5", "simulation_config.json"])
    def test_a_file_that_is_not_all_there(self, qtbot, monkeypatch, tmp_path, name):
        monkeypatch.setenv("NAPARI_CONFIG", "")
        path = neurons_in_a_row().write(tmp_path)
        whole = (tmp_path / name).read_bytes()
        for part in (0.0, 0.02, 0.5, 0.95):
            user = PanelUser(qtbot)
            (tmp_path / name).write_bytes(whole[: int(part * len(whole))])
            _nothing_is_shown_and_the_file_is_named(user, path, tmp_path / name)
            user.told.clear()
            (tmp_path / name).write_bytes(whole)
            user.choose(path)
            user.load()
            assert user.told == [], part
            assert user.viewer.layers[0].cube.identical(recruitment_cube(path)), part
            user.close()

    def test_a_simulation_that_was_run_again_on_another_circuit(self, user, tmp_path):
        """Choices follow the files: neurons, properties and the end are others now."""
        path = neurons_in_a_row().write(tmp_path)
        layer = user.open_and_load(path)
        again = neurons_in_a_row(60, tstop_ms=200.0)
        again.columns["etype"] = ["bAC", "cAC", "dNAC"] * 20
        again.write(tmp_path)
        user.load()
        assert user.told == []
        assert layer.cube.identical(recruitment_cube(path))
        assert user.form.stop.value == 200.0
        assert "etype" in user.form.filter_column.choices

    def test_a_file_that_changes_while_it_is_read(self, user, tmp_path, monkeypatch):
        path = neurons_in_a_row().write(tmp_path)
        cube = request.computed_cube

        def meanwhile(sim, **options):
            result = cube(sim, **options)
            neurons_in_a_row(tstop_ms=300.0).write(tmp_path)
            return result

        user.choose(path)
        with monkeypatch.context() as patched:
            patched.setattr(request, "computed_cube", meanwhile)
            user.load()
        assert user.told == [
            f"{path}: a file of the simulation has changed while it was read:"
            " load again when it is complete"
        ]
        user.load()
        assert user.viewer.layers[0].cube.attrs["n_spikes_read"] == 40
        assert len(user.told) == 1

    def test_what_is_dropped_on_the_canvas(self, tmp_path):
        path = neurons_in_a_row().write(tmp_path)
        viewer = a_viewer()
        with (
            written_elsewhere(tmp_path / "output" / "spikes.h5", change="pass"),
            pytest.raises(ValueError, match="open in a program that writes it: wait until"),
        ):
            viewer.open(path, plugin="napari-hexrecruit")
        (layer,) = viewer.open(path, plugin="napari-hexrecruit")
        assert layer.cube.identical(recruitment_cube(open_simulation(path)))


def _nothing_is_shown_and_the_file_is_named(user, path, file):
    """Told in one or two lines, without a layer."""
    user.choose(path)
    if user.form.load.enabled:
        user.load()
    assert list(user.viewer.layers) == []
    assert 1 <= len(set(user.told)) <= 2
    for told in user.told:
        assert "\n" not in told
    user.wait_until_idle()
    user.wait_for_details()
    entries = map(str, user.widget.details.entries)
    shown = [user.form.info.value, user.form.status.value, *entries]
    assert any(str(file) in text for text in (*user.told, *shown))
