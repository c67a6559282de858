"""Time waits in the window: the first picture, a change, a flat map, and steps with a table.

    scripts/with-display.sh python benchmarks/bench_window.py SIMULATION_CONFIG.json

prints one line of JSON, from one process. The first picture is timed from the press of *Load*, a
change from the key, both to the end of drawing. ``stop`` is the longest time that the window's
thread worked without handling an event, without drawing, in ms of CPU. On a busy machine, run two
versions in turns and take the shortest times of each.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGIN = "napari-hexrecruit"
STEPS = 30


class Stops:
    """The longest stop of the window since the last `take`, ms of CPU."""

    def __init__(self) -> None:
        from vispy.app.backends import _qt  # only after napari has chosen the backend

        self._drawn, self._before, self._longest = 0.0, time.thread_time(), 0.0
        draw = _qt.CanvasBackendDesktop.paintGL

        def drawn(canvas: Any) -> None:
            start = time.thread_time()
            draw(canvas)
            self._drawn += time.thread_time() - start

        _qt.CanvasBackendDesktop.paintGL = drawn
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    def _tick(self) -> None:
        now = time.thread_time() - self._drawn
        self._longest, self._before = max(self._longest, now - self._before), now

    def take(self) -> float:
        """Return the longest stop since the last call, ms."""
        longest, self._longest = self._longest, 0.0
        return round(1000 * longest)


def wait(condition: Callable[[], bool]) -> None:
    """Handle events until something is the case; between events, leave the core to the threads."""
    while not condition():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    for _ in range(3):
        QApplication.processEvents()


def main(config: Path) -> None:
    viewer, stops, figures = napari.Viewer(), Stops(), {}
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Hexagon recruitment")
    panel.choose(config)
    wait(lambda: not panel.busy and not panel.details.busy)
    stops.take()

    start, cpu = time.perf_counter(), time.process_time()
    panel.form.load.native.click()
    wait(lambda: bool(viewer.layers))
    figures["first picture, s"] = round(time.perf_counter() - start, 2)
    figures["first picture, s of CPU"] = round(time.process_time() - cpu, 2)
    wait(lambda: not panel.busy and not panel.details.busy)
    figures["load, stop"] = stops.take()

    (layer,), times, field = viewer.layers, [], panel.form.bin_ms.native
    for _ in range(5):
        before, start = layer.cube, time.perf_counter()
        QTest.keyClick(field, Qt.Key.Key_Up)
        wait(lambda before=before: layer.cube is not before)
        times.append(time.perf_counter() - start)
        wait(lambda: not panel.busy and not panel.details.busy)
    figures["bin, s"], figures["bin, stop"] = round(min(times), 2), stops.take()

    _, flat = viewer.window.add_plugin_dock_widget(PLUGIN, "Flat map")
    flat.form.source.value = "neurons"
    wait(lambda: not flat.busy)
    stops.take()
    flat.form.add.native.click()
    wait(lambda: not flat.busy)
    figures["flat map, stop"] = stops.take()

    viewer.layers.selection.active = layer
    viewer.window.add_plugin_dock_widget("napari", "Features table widget")
    axis, spent = viewer.dims.ndim - 3, time.thread_time()
    for step in range(STEPS):
        viewer.dims.set_current_step(axis, step)
        QApplication.processEvents()
    figures["step with table, ms of CPU"] = round(1000 * (time.thread_time() - spent) / STEPS)
    print(json.dumps(figures))
    viewer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
