"""The window handles events while each job of the large kind runs, and reads no file itself."""

from __future__ import annotations

import threading

import h5py
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from tests.napari.widgets.windowless import PanelUser
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.waiting import PATIENCE_MS, PATIENCE_S
from tests.support.widget_helpers import PLUGIN, User, neurons_in_a_row

from napari_hexrecruit import read_cube
from napari_hexrecruit._napari.recruitment import behind
from napari_hexrecruit._napari.widgets import loading
from napari_hexrecruit.pipeline import spike_source


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch, tmp_path):
    """A user in front of a simulation whose neurons have regions."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(), qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    return user


@pytest.fixture
def beside_a_model(qtbot, monkeypatch, tmp_path):
    """The same without a window."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = PanelUser(qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    return user


@pytest.fixture
def watched(monkeypatch, qapp):
    """Jobs that ran while the window went on, and files that the window's own thread opened."""
    handled, jobs, opened_here = threading.Condition(), [], []
    timer = QTimer()
    timer.timeout.connect(lambda: _notify(handled))
    timer.start(5)
    work_of_job, open_file = loading._guarded, h5py.File.__init__

    def guarded(work, monitor):
        with handled:
            jobs.append(handled.wait(PATIENCE_S) and handled.wait(PATIENCE_S))
        return work_of_job(work, monitor)

    def opened(self, *args, **options):
        if threading.current_thread() is threading.main_thread():
            opened_here.append(args)
        open_file(self, *args, **options)

    monkeypatch.setattr(loading, "_guarded", guarded)
    monkeypatch.setattr(h5py.File, "__init__", opened)
    yield jobs, opened_here
    timer.stop()


def _notify(condition):
    with condition:
        condition.notify_all()


def test_while_jobs_run(user, watched, monkeypatch, tmp_path):
    jobs, opened_here = watched

    def press(button, panel):
        before = len(jobs)
        QTest.mouseClick(button.native, LEFT)
        let_events_pass()
        user.wait(lambda: not panel.busy)
        assert len(jobs) > before
        assert all(jobs)

    press(user.form.load, user.widget)
    QTest.keyClick(user.form.bin_ms.native, Qt.Key.Key_Up)
    user.wait(lambda: user.viewer.layers[0].cube.attrs["bin_ms"] == 11.0)
    user.wait_until_idle()
    user.wait_for_details()
    path = tmp_path / "out.hexrecruit.nc"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    press(user.form.save_cube, user.widget)
    _, flat = user.viewer.window.add_plugin_dock_widget(PLUGIN, "Flat map")
    flat.form.source.value = "neurons"
    user.wait(lambda: not flat.busy)
    flat.form.region_column.value = "synapse_class"
    press(flat.form.add, flat)
    press(flat.form.check, flat)
    assert opened_here == []
    assert user.told == []
    assert [type(layer).__name__ for layer in user.viewer.layers] == [
        *("Image", "Labels", "RecruitmentLayer", "Vectors", "Points", "Points"),
    ]
    assert user.viewer.layers[1].data.dtype == "uint8", "napari compiles for seconds for others"
    assert read_cube(path).attrs["bin_ms"] == 11.0


def test_the_first_picture_is_there_before_the_spikes_are(beside_a_model, monkeypatch):
    user = beside_a_model
    free, keep = threading.Event(), spike_source.keep_spikes

    def keep_later(simulation, population, progress):
        progress("reading spikes", 3, 40)
        assert free.wait(PATIENCE_MS / 1000)
        keep(simulation, population, progress)

    monkeypatch.setattr(behind, "keep_spikes", keep_later)
    QTest.mouseClick(user.form.load.native, LEFT)
    user.wait(lambda: "Still reading the spikes" in user.form.status.value)
    (layer,) = user.viewer.layers
    first = layer.cube
    assert user.form.status.value.endswith("which makes changes quicker: 3 of 40.")
    assert user.form.status.value.startswith("cortex: 40 hexagons")

    QTest.keyClick(user.form.bin_ms.native, Qt.Key.Key_Up)  # counted from the file meanwhile
    user.wait(lambda: layer.cube.attrs["bin_ms"] == 11.0)
    assert layer.cube["n_spikes"].sum() == first["n_spikes"].sum() == 40
    simulation = user.widget._chooser.opened.simulation
    assert not simulation.keeps_spikes("cortex")
    free.set()
    user.wait_until_idle()
    assert simulation.keeps_spikes("cortex")
    assert "Still reading" not in user.form.status.value

    monkeypatch.setattr(spike_source.FromFile, "count", None)  # memory is enough from now on
    QTest.keyClick(user.form.bin_ms.native, Qt.Key.Key_Down)
    user.wait(lambda: layer.cube.attrs["bin_ms"] == 10.0)
    assert layer.cube.identical(first)
    user.wait_until_idle()
    assert user.told == []


def test_the_first_picture_is_drawn_before_the_spikes_are_read(
    make_napari_viewer, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(show=True), qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    events = []
    canvas = user.viewer.window._qt_viewer.canvas._scene_canvas
    canvas.events.draw.connect(lambda _: events.append(f"drawn {len(user.viewer.layers)}"))
    monkeypatch.setattr(behind, "keep_spikes", lambda *_: events.append("read"))
    QTest.mouseClick(user.form.load.native, LEFT)
    user.wait_until_idle()
    assert events.count("read") == 1
    assert "drawn 1" in events[: events.index("read")]
