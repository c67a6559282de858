"""Hours in front of one window: nothing is kept, and threads end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from tests.support.qt_events import let_events_pass, wait_until_work_ends
from tests.support.sonata_files import SonataFiles
from tests.support.thorough import repetitions
from tests.support.waiting import PATIENCE_MS, PATIENCE_S, wait_until
from tests.support.widget_helpers import User

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit._napari.recruitment import request
from napari_hexrecruit.sonata import _spikes

N_ROUNDS = repetitions(4, 50)


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch):
    """A user in front of a viewer with the widget, who has never used it before."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(), qtbot)


@pytest.fixture(scope="module")
def simulations(tmp_path_factory):
    """Three simulations whose cubes are large beside what else a round needs."""
    return [_scattered(tmp_path_factory.mktemp("run"), seed) for seed in range(3)]


def _scattered(folder, seed):
    rng = np.random.default_rng(seed)
    n_neurons, n_spikes = 2_000, 10_000
    return SonataFiles(
        columns={
            "ss_flat_x": rng.uniform(0, 1_500, n_neurons),
            "ss_flat_y": rng.uniform(0, 1_500, n_neurons),
            "synapse_class": rng.choice(["EXC", "INH"], n_neurons).tolist(),
        },
        times_ms=rng.uniform(0, 5_000, n_spikes),
        node_ids=rng.integers(0, n_neurons, n_spikes),
        tstop_ms=5_000.0,
    ).write(folder)


class Memory:
    """What is alive of the rounds so far."""

    def __init__(self, qtbot) -> None:
        self._qtbot = qtbot
        self._refs: list[weakref.ref[object]] = []

    def watch(self, *things: object) -> None:
        self._refs += [weakref.ref(thing) for thing in things]

    def alive(self, *, besides: int = 0) -> list[object]:
        """What is left, once Qt has deleted what it deletes later."""
        self._qtbot.waitUntil(lambda: self._n_left() <= besides, timeout=PATIENCE_MS)
        return [ref() for ref in self._refs if ref() is not None]

    def _n_left(self) -> int:
        let_events_pass()
        gc.collect()
        return sum(ref() is not None for ref in self._refs)


@pytest.mark.slow
class TestMemory:
    def test_holds_the_last_of_many_simulations(self, user, simulations):
        memory = Memory(user.qtbot)
        for k in range(N_ROUNDS):
            layer = user.open_and_load(simulations[k % 3])
            memory.watch(layer, layer.cube, user.widget._chooser.opened.simulation)
            user.viewer.layers.remove(layer)
            del layer
        chosen = user.widget._chooser.opened.simulation
        assert {id(one) for one in memory.alive(besides=1)} == {id(chosen)}

    def test_changes_of_one_layer_and_splits_leave_nothing(self, user, simulations):
        memory = Memory(user.qtbot)
        layer = user.open_and_load(simulations[0])
        for k in range(12):
            memory.watch(layer.cube)
            user.form.radius.value = 50.0 + k % 2
            user.load()
        assert memory.alive() == []
        del layer

        memory = Memory(user.qtbot)
        for column in ("synapse_class", "") * 2:
            memory.watch(*user.viewer.layers, *(layer.cube for layer in user.viewer.layers))
            user.form.split_by.value = column
            user.wait_until_idle()
        (layer,) = user.viewer.layers
        memory.watch(layer)
        assert {id(one) for one in memory.alive(besides=2)} <= {id(layer), id(layer.cube)}

    def test_what_is_dropped_on_the_canvas_goes_with_its_layer(
        self, make_napari_viewer, qtbot, simulations, tmp_path
    ):
        file = tmp_path / "run.hexrecruit.nc"
        write_cube(recruitment_cube(simulations[0]), file)
        viewer, memory = make_napari_viewer(), Memory(qtbot)
        for path in [simulations[0], file] * 2:
            (layer,) = viewer.open(path, plugin="napari-hexrecruit")
            memory.watch(layer, layer.cube)
            viewer.layers.remove(layer)
            del layer
        assert memory.alive() == []

    def test_a_closed_viewer_leaves_nothing(
        self, make_napari_viewer, qtbot, monkeypatch, simulations
    ):
        monkeypatch.setenv("NAPARI_CONFIG", "")
        memory = Memory(qtbot)
        for _ in range(3):
            _look_and_close(User(make_napari_viewer(), qtbot), simulations[0], memory)
            let_events_pass()
        assert memory.alive() == []


def _look_and_close(user, path, memory):
    layer = user.open_and_load(path)
    memory.watch(user.widget, layer, layer.cube, user.widget._chooser.opened.simulation)
    user.viewer.close()


# --- the window is closed in the middle -----------------------------------------------------------


class Middle:
    """Work in parts that is in its middle until the window is closed, however slow all else is."""

    n_before = 3

    def __init__(self):
        self.closed, self.n_done = threading.Event(), 0

    def pass_part(self):
        self.n_done += 1
        if self.n_done > self.n_before:
            assert self.closed.wait(PATIENCE_S)

    @property
    def ended_early(self):
        """Whether at most the part that was at hand has been finished, and not the hundreds."""
        return self.n_done <= self.n_before + 3


@pytest.fixture
def slow_reading(monkeypatch):
    """Spikes come a few at a time, as from a slow disk, whoever asks for them."""
    middle, blocks = Middle(), _spikes.SpikeTrain.blocks
    monkeypatch.setattr(_spikes, "_BLOCK", 20)

    def slowly(train, sizes=(), *of):
        for block in blocks(train, (), *of):
            middle.pass_part()
            yield block

    monkeypatch.setattr(_spikes.SpikeTrain, "blocks", slowly)
    yield middle
    middle.closed.set()


@pytest.fixture
def many_parts(monkeypatch):
    """Counting is asked for again and again, as for a large simulation."""
    middle, cube = Middle(), request.computed_cube

    def often(*args, **options):
        for _ in range(500):
            last = cube(*args, **options)
            middle.pass_part()
        return last

    monkeypatch.setattr(request, "computed_cube", often)
    yield middle
    middle.closed.set()


@contextmanager
def threads_end():
    """Each thread that was started inside ends, without events of Qt, and none complains."""
    before, complaints = _threads(), []
    hook, threading.excepthook = threading.excepthook, complaints.append
    try:
        yield
        wait_until(lambda: not _threads() - before)
    finally:
        threading.excepthook = hook
    assert complaints == []


def _threads():
    """Threads of Python's; those of Qt's pool rest until they are needed again."""
    every = threading.enumerate()
    return {thread for thread in every if not isinstance(thread, threading._DummyThread)}


def close_window(user):
    user.viewer.close()


def close_panel(user):
    user.viewer.window.remove_dock_widget(user.widget.native)


_VIEW = """
import atexit, sys, threading
from pathlib import Path
import napari
from qtpy.QtCore import QTimer
from napari_hexrecruit._napari.launch import launch
from napari_hexrecruit.sonata import _spikes

_spikes._BLOCK, blocks = 20, _spikes.SpikeTrain.blocks
closed, read = threading.Event(), []

def slowly(train, sizes=(), *of):
    for block in blocks(train, (), *of):
        read.append(len(block))
        if len(read) > 3:
            closed.wait()
        yield block

_spikes.SpikeTrain.blocks = slowly

def close():
    viewer = napari.current_viewer()
    widget = next(iter(viewer.window.dock_widgets.values()))
    if widget.form.status.value.startswith(("Reading spikes", "Spikes")):
        timer.stop()
        viewer.close()
        closed.set()

app = napari.qt.get_qapp()
timer = QTimer()
timer.timeout.connect(close)
timer.start(20)
atexit.register(lambda: print(len(read), flush=True))
launch(Path(sys.argv[1]))
"""


class TestClosing:
    @pytest.fixture(params=[close_window, close_panel], ids=["window", "panel"])
    def close(self, request):
        return request.param

    def test_while_spikes_are_read(self, user, simulations, close, slow_reading, capsys):
        user.choose(simulations[0])
        with threads_end():
            user.form.load.native.click()
            user.wait(lambda: user.form.status.value.startswith(("Reading spikes", "Spikes")))
            close(user)
            slow_reading.closed.set()
        assert slow_reading.ended_early
        self._assert_silence(user, capsys)

    def test_while_it_counts(self, user, simulations, close, many_parts, capsys):
        user.choose(simulations[0])
        with threads_end():
            user.form.load.native.click()
            user.wait(lambda: user.form.status.value.startswith("Spikes"))
            close(user)
            many_parts.closed.set()
        assert many_parts.ended_early
        self._assert_silence(user, capsys)

    def test_while_it_fails(self, user, simulations, close, slow_reading, capsys):
        """The sentence of a load that fails as the window closes is for nobody."""
        user.choose(simulations[0])
        with threads_end():
            user.form.radius.value = 0.0
            user.form.load.native.click()
            close(user)
            slow_reading.closed.set()
        self._assert_silence(user, capsys)

    @pytest.mark.parametrize("what", ["hexagons", "canvas"])
    def test_while_a_movie_is_written(self, user, simulations, close, what, tmp_path, capsys):
        user.open_and_load(simulations[0])
        user.wait_for_details()
        export = user.widget.export
        export.what.value, export.file.value = what, str(tmp_path / "movie.mp4")
        with threads_end():
            export.export.native.click()
            user.wait(lambda: export.status.value.startswith("Frame"))
            close(user)
        self._assert_silence(user, capsys)
        assert list(tmp_path.iterdir()) == []

    def test_while_the_files_are_looked_at(self, user, simulations, close, slow_reading, capsys):
        user.choose(simulations[0])
        with threads_end():
            user.wait(lambda: user.widget.details.looking)
            close(user)
            slow_reading.closed.set()
        assert slow_reading.ended_early
        self._assert_silence(user, capsys)

    def test_its_layers_can_still_be_used(self, user, simulations):
        layer = user.open_and_load(simulations[0])
        close_window(user)
        let_events_pass()
        layer.metric = "rate"
        user.viewer.layers.clear()
        user.viewer.theme = "light"
        let_events_pass()

    @pytest.mark.slow
    def test_the_process_ends(self, simulations, tmp_path):
        """``hexrecruit view``, closed in the middle of reading."""
        script = tmp_path / "view.py"
        script.write_text(_VIEW)
        run = subprocess.run(
            [sys.executable, str(script), str(simulations[0])],
            env=os.environ | {"NAPARI_CONFIG": ""},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert run.returncode == 0, run.stderr
        assert "Traceback" not in run.stderr
        assert int(run.stdout) < 10  # of 500 blocks

    def _assert_silence(self, user, capsys):
        wait_until_work_ends(user.qtbot)
        assert user.told == []
        assert "Traceback" not in capsys.readouterr().err
