"""Reads spikes in the background, for later changes, while the user looks at the first picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.parts import one_shot
from napari_hexrecruit.pipeline.spike_source import keep_spikes

if TYPE_CHECKING:
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation


_AFTER_MS = 100
"""Pause in which the window draws the first picture, which takes twice as long beside a reader."""


class ReadingBehind:
    """Reads the spikes of the shown cube into memory, so that changes need not read the file again.

    Parameters
    ----------
    on_changed
        Called when `sentence` changes, and when the reading ends.
    parent
        The QObject that owns the job.

    Attributes
    ----------
    sentence
        Progress of the reading, or why it failed; empty when the spikes are in memory.
    """

    def __init__(self, on_changed: Callable[[], None], parent: QObject) -> None:
        self.sentence = ""
        self._on_changed = on_changed
        self._jobs = Jobs(self._show, parent)
        self._read: tuple[Any, tuple[str, ...]] | None = None
        self._timer = one_shot(parent, _AFTER_MS, self._begin)

    @property
    def running(self) -> bool:
        """Whether spikes are being read, or soon will be."""
        return self._timer.isActive() or self._jobs.running

    def start(self, simulation: Simulation, populations: tuple[str, ...]) -> None:
        """Read the spikes of populations, unless they are in memory or already being read."""
        kept = all(simulation.keeps_spikes(name) for name in populations)
        if kept or (self.running and self._read == (simulation, populations)):
            return
        self._jobs.cancel()
        self._read = (simulation, populations)
        self._timer.start()

    def cancel(self) -> None:
        """Stop reading."""
        self._timer.stop()
        self._jobs.cancel()

    def _begin(self) -> None:
        if self._read is None:
            return
        simulation, populations = self._read

        def read(progress: Progress) -> None:
            for name in populations:
                if not simulation.keeps_spikes(name):
                    keep_spikes(simulation, name, progress)

        self._jobs.start(read, self._on_read)

    def _show(self, monitor: Monitor | None) -> None:
        if monitor is None:
            self.sentence, self._read = "", None
        elif monitor.total:
            done = f"{monitor.done:,} of {monitor.total:,}"
            self.sentence = f" Still reading the spikes, which makes changes quicker: {done}."
        self._on_changed()

    def _on_read(self, outcome: Outcome[None]) -> None:
        if outcome.error is not None:
            self.sentence = f" The spikes are read again for every change: {outcome.error}."
            self._on_changed()
