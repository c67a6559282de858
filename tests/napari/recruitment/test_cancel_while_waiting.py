"""Two panels with one simulation: Cancel of the one that waits works while the other one reads."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import QObject
from tests.support.waiting import PATIENCE_MS, PATIENCE_S
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers import simulation_source
from napari_hexrecruit._napari.layers.simulation_source import SimulationSource
from napari_hexrecruit._napari.widgets.loading import Jobs
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import _neurons, _simulation


class Panel(QObject):
    """What a panel has for its work: one job at a time, which says what it does."""

    def __init__(self):
        super().__init__()
        self.said, self.outcomes, self.ended = [], [], threading.Event()
        self.jobs = Jobs(self._report, self)

    def _report(self, monitor):
        if monitor is not None:
            self.said.append(monitor.what)

    def start(self, work):
        def watched(progress):
            try:
                return work(progress)
            finally:
                self.ended.set()

        self.jobs.start(watched, self.outcomes.append)

    @property
    def waits(self):
        return any(what.startswith("waiting") for what in self.said)


@pytest.fixture
def slow_disk(monkeypatch):
    """Lets a reader wait; gives the events "it has begun" and "it may go on"."""
    begun, may_go_on = threading.Event(), threading.Event()

    def slow(module, name):
        read = getattr(module, name)

        def slowly(*args, **options):
            begun.set()
            assert may_go_on.wait(PATIENCE_S)
            return read(*args, **options)

        monkeypatch.setattr(module, name, slowly)
        return begun, may_go_on

    yield slow
    may_go_on.set()


@pytest.mark.parametrize(
    ("module", "reader", "work"),
    [
        pytest.param(
            _simulation,
            "read_spikes",
            lambda source, cube, progress: source.simulation().spikes("cortex", progress),
            id="spikes",
        ),
        pytest.param(
            _neurons,
            "Nodes",
            lambda source, cube, progress: source.simulation().column("cortex", "layer"),
            id="a-column",
        ),
        pytest.param(
            _neurons,
            "matching",
            lambda source, cube, progress: source.simulation().node_set_ids("Even", "cortex"),
            id="a-node-set",
        ),
        pytest.param(
            simulation_source,
            "cube_members",
            lambda source, cube, progress: source.members(cube, progress),
            id="hexagons",
        ),
        pytest.param(
            simulation_source,
            "open_recipe",
            lambda source, cube, progress: source.simulation(),
            id="opening",
        ),
    ],
)
def test_cancel_of_the_second_panel(qtbot, tmp_path, slow_disk, module, reader, work):
    path = neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}}).write(tmp_path)
    cube = recruitment_cube(path)
    source = SimulationSource(CubeRecipe.of(cube))
    begun, may_go_on = slow_disk(module, reader)
    first, second = Panel(), Panel()
    first.start(lambda progress: work(source, cube, progress))
    assert begun.wait(PATIENCE_S)
    second.start(lambda progress: work(source, cube, progress))
    qtbot.waitUntil(lambda: second.waits, timeout=PATIENCE_MS)
    second.jobs.cancel()
    assert second.ended.wait(PATIENCE_S)
    assert not first.ended.is_set()
    may_go_on.set()
    qtbot.waitUntil(lambda: bool(first.outcomes), timeout=PATIENCE_MS)
    assert first.outcomes[0].error is None
    assert second.outcomes == []
