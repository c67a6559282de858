"""Spikes of an open file, block by block, for `napari_hexrecruit.counting.slabs`."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from napari_hexrecruit.counting.slab_job import OrderError
from napari_hexrecruit.timebins import first_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_hexrecruit.counting.slab_job import Block
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation, SpikeTrain
    from napari_hexrecruit.timebins import Clock, TimeBins

T = TypeVar("T")

_BLOCKS = (1 << 18, 1 << 19, 1 << 20)
"""Spikes per block: small ones first, because nothing can be counted while the first is read."""
_PAGE = 1 << 12
"""Number of spike times that take hardly longer to read than one."""


class SpikeStream:
    """Spikes of one population in an open file.

    Parameters
    ----------
    sim
        Simulation, which gives the row of each id.
    population
        The population.
    train
        Spikes of the population.

    Attributes
    ----------
    order
        ``by_time``, ``by_id`` or ``none``. If ids are not rows, order by id is not assumed to be
        order by row. The file's claim about its times is trusted until they were read once.
    """

    def __init__(self, sim: Simulation, population: str, train: SpikeTrain) -> None:
        self.train = train
        self._sim = sim
        self._population = population
        self._ids_are_rows = not sim.has_own_ids(population)
        self.order = self._order()

    def _order(self) -> str:
        if self.train.order == "by_id" and self._ids_are_rows:
            return "by_id"
        known = self.train.order_record.get()
        ascending = self.train.order == "by_time" if known is None else known
        return "by_time" if ascending else "none"

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return len(self.train)

    @property
    def clock(self) -> Clock:
        """Precision of the times."""
        return self.train.clock

    @property
    def assumed(self) -> tuple[str, ...]:
        """Assumptions about what the file does not state, or states wrongly."""
        mismarked = self.train.order == "by_time" and self.order != "by_time"
        return self.train.assumed + ((self.train.mismarked,) if mismarked else ())

    def check_order(self, bins: TimeBins, progress: Progress | None = None) -> None:
        """Read all times once, unless counting these bins does so or the order is known.

        Raises
        ------
        OrderError
            If the file claims that the times ascend, and they do not.
        """
        start_ms, stop_ms = bins.cuts(self.clock)[[0, -1]].tolist()
        if self.order == "by_id" or self.train.order_record.get() is not None:
            return
        if self.order == "none" or self._range(start_ms, stop_ms) != (0, self.n_spikes):
            self._read_order(progress)

    def settle_order(self, progress: Progress | None = None) -> None:
        """Verify the order, so that several streams can be counted together, slab by slab."""
        if self.order == "by_time" and self.train.order_record.get() is None:
            try:
                self._read_order(progress)
            except OrderError:
                self.count_in_no_order()

    def note_order(self) -> None:
        """Record that all times ascend, after all of them were counted in order."""
        if self.order == "by_time" and self.train.order_record.get() is None:
            self.train.order_record.put(ascending=True)

    def count_in_no_order(self) -> None:
        """Stop trusting the order that the file claims."""
        if self.order == "by_time":
            self.train.order_record.put(ascending=False)
        self.order = "none"

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        """Yield rows of neurons, and times; from a file sorted by time only those of the window."""
        first, last = 0, self.n_spikes
        if self.order == "by_time":
            first, last = self._range(start_ms, stop_ms)
            if (first, last) != (0, self.n_spikes):
                self._read_order(None)
        for ids, times in self.train.blocks(_BLOCKS, first, last):
            yield ids if self._ids_are_rows else self._sim.rows_of(self._population, ids), times

    def _read_order(self, progress: Progress | None) -> None:
        ascending = self.train.is_ascending(progress)
        if self.order == "by_time" and not ascending:
            raise OrderError("the times of spikes are not ascending, as by_time promises")
        self.order = "by_time" if ascending else "none"

    def _range(self, start_ms: float, stop_ms: float) -> tuple[int, int]:
        """Find the first and last spike of a window by binary search; valid if times ascend."""
        return self._first_at(start_ms), self._first_at(stop_ms)

    def index_at(self, time_ms: float) -> int:
        """Return the first spike at or after a time, in a file sorted by time."""
        return self._first_at(time_ms)

    def _first_at(self, time_ms: float) -> int:
        """Return the first spike at or after a time; NaN comes after all times."""
        pages = range(0, self.n_spikes, _PAGE)
        page = bisect_left(pages, True, key=lambda spike: not self._time(spike) < time_ms)
        first = max(page - 1, 0) * _PAGE
        times = self.train.times_ms(first, min(first + _PAGE, self.n_spikes))
        return first + int(first_at(times, np.array([time_ms]))[0])

    def _time(self, spike: int) -> float:
        return float(self.train.times_ms(spike, spike + 1)[0])


def counted_in_order(
    stream: SpikeStream,
    bins: TimeBins,
    progress: Progress | None,
    count: Callable[[SpikeStream], T],
) -> T:
    """Count the spikes; if the order that the file claims is wrong, count them as unsorted.

    Parameters
    ----------
    stream
        Spikes to count; afterwards their order is known.
    bins
        Bins of time.
    progress
        Called while the order is checked.
    count
        Counts the spikes; after an `OrderError` it is called a second time.
    """
    try:
        stream.check_order(bins, progress)
        found = count(stream)
    except OrderError:
        stream.count_in_no_order()
        return count(stream)
    stream.note_order()
    return found


@contextmanager
def open_stream(sim: Simulation, population: str) -> Iterator[SpikeStream | None]:
    """Open the spikes of a population; None if it never fired.

    Raises
    ------
    SimulationDataError
        If the spikes file cannot be read.
    """
    with sim.spike_train(population) as train:
        yield SpikeStream(sim, population, train) if train is not None else None
