"""Several threads that need the same of one simulation: read once, and whoever waits can end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.support.sonata_files import SonataFiles
from tests.support.waiting import PATIENCE_S

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.sonata import _simulation
from napari_hexrecruit.system.waiting import Kept, held, interrupted_by


class Ended(Exception):
    """What a progress callback raises once the user has cancelled."""


class Cancel:
    """A progress callback that ends the work after `cancel`; `waits` once it was called."""

    def __init__(self):
        self.waits, self._cancelled = threading.Event(), threading.Event()

    def __call__(self, what, done, total):
        if what.startswith("waiting"):
            self.waits.set()
        if self._cancelled.is_set():
            raise Ended

    def cancel(self):
        self._cancelled.set()


class Slow:
    """Stands for a reader and waits, like a slow disk, until it may go on."""

    def __init__(self, read):
        self._read = read
        self.calls, self.begun, self.may_go_on = 0, threading.Event(), threading.Event()

    def __call__(self, *args, **options):
        self.calls += 1
        self.begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        return self._read(*args, **options)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def sim(tmp_path):
    files = SonataFiles(
        columns={
            "ss_flat_x": np.zeros(20),
            "ss_flat_y": np.arange(20.0),
            "layer": np.arange(20) % 3,
        },
        times_ms=np.arange(20.0),
        node_ids=np.arange(20),
    )
    return open_simulation(files.write(tmp_path))


@pytest.fixture
def slow_spikes(monkeypatch):
    slow = Slow(_simulation.read_spikes)
    monkeypatch.setattr(_simulation, "read_spikes", slow)
    yield slow
    slow.may_go_on.set()


class TestKept:
    def test_computes_once_for_all_that_ask_at_the_same_time(self, pool):
        kept, slow = Kept(), Slow(lambda: object())
        asked = [pool.submit(kept.get, "key", slow) for _ in range(4)]
        assert slow.begun.wait(PATIENCE_S)
        slow.may_go_on.set()
        assert len({id(one.result(PATIENCE_S)) for one in asked}) == 1
        assert slow.calls == 1

    def test_another_key_does_not_wait(self, pool):
        kept, slow = Kept(), Slow(lambda: 1)
        first = pool.submit(kept.get, "first", slow)
        assert slow.begun.wait(PATIENCE_S)
        assert kept.get("second", lambda: 2) == 2
        slow.may_go_on.set()
        assert first.result(PATIENCE_S) == 1

    def test_one_that_waits_computes_where_the_first_has_failed(self, pool):
        kept, slow = Kept(), Slow(lambda: 1 / 0)
        first = pool.submit(kept.get, "key", slow)
        assert slow.begun.wait(PATIENCE_S)
        second = pool.submit(kept.get, "key", lambda: 2)
        slow.may_go_on.set()
        with pytest.raises(ZeroDivisionError):
            first.result(PATIENCE_S)
        assert second.result(PATIENCE_S) == 2
        assert kept.get("key", lambda: 3) == 2

    def test_keeps_those_that_were_used_last(self):
        kept = Kept(2)
        for key in ("a", "b", "a", "c"):
            kept.get(key, lambda: 1)
        found = {key: kept.get(key, lambda: 2) for key in ("a", "c", "b")}
        assert found == {"a": 1, "c": 1, "b": 2}

    def test_a_value_may_need_others(self):
        kept = Kept()
        assert kept.get("sum", lambda: kept.get("one", lambda: 1) + kept.get("two", lambda: 2)) == 3


def test_waiting_for_a_lock_ends_when_progress_raises(pool):
    lock, cancel = threading.RLock(), Cancel()

    def wait():
        with interrupted_by(cancel), held(lock):
            return "held"

    with lock:
        waiting = pool.submit(wait)
        assert cancel.waits.wait(PATIENCE_S)
        cancel.cancel()
        with pytest.raises(Ended):
            waiting.result(PATIENCE_S)
    assert pool.submit(wait).result(PATIENCE_S) == "held"


class TestSimulation:
    def test_cancel_works_while_another_cube_reads_the_spikes(self, sim, pool, slow_spikes):
        first = pool.submit(recruitment_cube, sim)
        assert slow_spikes.begun.wait(PATIENCE_S)
        cancel = Cancel()
        second = pool.submit(recruitment_cube, sim, bin_ms=20.0, progress=cancel)
        assert cancel.waits.wait(PATIENCE_S)
        cancel.cancel()
        with pytest.raises(Ended):
            second.result(PATIENCE_S)
        assert not first.done()
        slow_spikes.may_go_on.set()
        assert int(first.result(PATIENCE_S)["n_spikes"].sum()) == 20

    def test_the_spikes_are_read_once_for_two_cubes(self, sim, pool, slow_spikes):
        cubes = [pool.submit(recruitment_cube, sim, bin_ms=width) for width in (10.0, 20.0)]
        assert slow_spikes.begun.wait(PATIENCE_S)
        slow_spikes.may_go_on.set()
        assert [int(cube.result(PATIENCE_S)["n_spikes"].sum()) for cube in cubes] == [20, 20]
        assert slow_spikes.calls == 1

    def test_a_cube_goes_on_where_the_one_that_read_was_cancelled(self, sim, pool, monkeypatch):
        cancel = Cancel()
        read = _simulation.read_spikes

        def read_in_parts(train, rows_of, progress):
            if progress is cancel:
                begun.set()
                assert slow.wait(PATIENCE_S)
                progress("reading spikes", 1, 2)
            return read(train, rows_of, progress)

        begun, slow = threading.Event(), threading.Event()
        monkeypatch.setattr(_simulation, "read_spikes", read_in_parts)
        first = pool.submit(recruitment_cube, sim, progress=cancel)
        assert begun.wait(PATIENCE_S)
        second = pool.submit(recruitment_cube, sim)
        cancel.cancel()
        slow.set()
        with pytest.raises(Ended):
            first.result(PATIENCE_S)
        assert int(second.result(PATIENCE_S)["n_spikes"].sum()) == 20

    def test_what_the_window_asks_for_does_not_wait_for_the_spikes(self, sim, pool, slow_spikes):
        reading = pool.submit(sim.spikes, "cortex")
        assert slow_spikes.begun.wait(PATIENCE_S)
        asked = (
            lambda: sim.n_neurons("cortex"),
            lambda: sim.columns("cortex"),
            lambda: sim.column("cortex", "layer"),
            lambda: sim.node_sets,
            lambda: sim.duration_ms,
            lambda: sim.memo("anything", lambda: 1),
        )
        for ask in asked:
            pool.submit(ask).result(PATIENCE_S)
        assert not reading.done()
