"""Spikes of an open file, block by block, as `napari_hexrecruit.counting.slabs` takes them."""

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
"""Spikes of a block: small ones first, for there is nothing to count while the first is read."""
_PAGE = 1 << 12
"""Spikes whose times take hardly longer to read than that of one."""


class SpikeStream:
    """Spikes of one population in an open file.

    Parameters
    ----------
    sim
        Whose rows of neurons the ids of a block are.
    population
        The population.
    train
        Its spikes.

    Attributes
    ----------
    order
        ``by_time``, ``by_id`` or ``none``. Ids that are not rows may be in another order than the
        rows. What the file says of its times is believed until they were read once.
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
        """How many spikes there are."""
        return len(self.train)

    @property
    def clock(self) -> Clock:
        """How exactly the times are known."""
        return self.train.clock

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the file does not say, or says wrongly."""
        mismarked = self.train.order == "by_time" and self.order != "by_time"
        return self.train.assumed + ((self.train.mismarked,) if mismarked else ())

    def check_order(self, bins: TimeBins, progress: Progress | None = None) -> None:
        """Read all times once, unless counting these bins does so, or it is known what comes of it.

        Raises
        ------
        OrderError
            If the file says that they ascend, and they do not.
        """
        start_ms, stop_ms = bins.cuts(self.clock)[[0, -1]].tolist()
        if self.order == "by_id" or self.train.order_record.get() is not None:
            return
        if self.order == "none" or self._range(start_ms, stop_ms) != (0, self.n_spikes):
            self._read_order(progress)

    def settle_order(self, progress: Progress | None = None) -> None:
        """Know the order for certain, so that several streams can be counted side by side."""
        if self.order == "by_time" and self.train.order_record.get() is None:
            try:
                self._read_order(progress)
            except OrderError:
                self.count_in_no_order()

    def note_order(self) -> None:
        """Remember that all times ascend, after they were all counted as such."""
        if self.order == "by_time" and self.train.order_record.get() is None:
            self.train.order_record.put(ascending=True)

    def count_in_no_order(self) -> None:
        """Do not believe the order any more."""
        if self.order == "by_time":
            self.train.order_record.put(ascending=False)
        self.order = "none"

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        """Rows of neurons, and times; of a file that is sorted by time only those of the window."""
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
        """First and last spike of a window, by binary search; true where the times ascend."""
        return self._first_at(start_ms), self._first_at(stop_ms)

    def index_at(self, time_ms: float) -> int:
        """The first spike that is not before a time, where they are sorted by time."""
        return self._first_at(time_ms)

    def _first_at(self, time_ms: float) -> int:
        """The first spike that is not before a time; NaN is behind all times."""
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
    """Count the spikes, as ones in no order where they have not the order that the file claims.

    Parameters
    ----------
    stream
        The spikes; their order is known afterwards.
    bins
        Bins of time.
    progress
        Called while the order is checked.
    count
        Counts them; what it returned before an `OrderError` does not count.
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
    """Spikes of a population while its file is open; None where it never fired.

    Raises
    ------
    SimulationDataError
        If the spikes file cannot be read.
    """
    with sim.spike_train(population) as train:
        yield SpikeStream(sim, population, train) if train is not None else None
