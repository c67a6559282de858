"""Spikes of an open file, block by block, as `napari_hexrecruit.streaming` takes them."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.ordering import is_ascending
from napari_hexrecruit.timebins import first_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.sonata import Simulation, SpikeTrain
    from napari_hexrecruit.streaming import Block

__all__ = ["SpikeStream", "open_stream"]

_BLOCKS = (1 << 18, 1 << 19, 1 << 20)
"""Spikes of a block: small ones first, for there is nothing to count while the first is read."""
_PAGE = 1 << 12
"""Spikes whose times take hardly longer to read than that of one."""
_N_PROBES = 64


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
    order
        Their order; where it is not given, the one that the file says, if that can be used.
    """

    def __init__(
        self, sim: Simulation, population: str, train: SpikeTrain, order: str | None = None
    ) -> None:
        self.train = train
        self._order = order
        self._sim = sim
        self._population = population
        self._ids_are_rows = not sim.has_own_ids(population)

    @property
    def n_spikes(self) -> int:
        """How many spikes there are."""
        return len(self.train)

    @cached_property
    def order(self) -> str:
        """``by_time``, ``by_id`` or ``none``.

        A file that says it is sorted by time, and is not where some times are looked at, is not
        believed. Ids that are not rows may be in another order than the rows.
        """
        if self._order is not None:
            return self._order
        if self.train.order == "by_time" and self._probes_ascend():
            return "by_time"
        return "by_id" if self.train.order == "by_id" and self._ids_are_rows else "none"

    @property
    def is_mismarked(self) -> bool:
        """Whether the file says that it is sorted by time, and that is not believed."""
        return self.train.order == "by_time" and self.order != "by_time"

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the file does not say, or says wrongly."""
        said = (f"{self.train.where}: is marked by_time, but its times are not sorted; sorted",)
        return self.train.assumed + (said if self.is_mismarked else ())

    def in_no_order(self) -> SpikeStream:
        """The same spikes, whose order is not believed."""
        return SpikeStream(self._sim, self._population, self.train, "none")

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        """Rows of neurons, and times; of a file that is sorted by time only those of the window."""
        first, last = 0, self.n_spikes
        if self.order == "by_time":
            first, last = self._first_at(start_ms), self._first_at(stop_ms)
        for ids, times in self.train.blocks(_BLOCKS, first, last):
            rows = ids if self._ids_are_rows else self._sim.rows_of(self._population, ids)
            yield rows, times if times.dtype in (np.float32, np.float64) else times.astype(float)

    def _first_at(self, time_ms: float) -> int:
        """The first spike that is not before a time; NaN is behind all times."""
        pages = range(0, self.n_spikes, _PAGE)
        page = bisect_left(pages, True, key=lambda spike: not self._time(spike) < time_ms)
        first = max(page - 1, 0) * _PAGE
        times = self.train.times_ms(first, min(first + _PAGE, self.n_spikes))
        return first + int(first_at(times, np.array([time_ms]))[0])

    def _probes_ascend(self) -> bool:
        spikes = np.linspace(0, self.n_spikes - 1, min(_N_PROBES, self.n_spikes)).astype(np.int64)
        return is_ascending(np.array([self._time(int(spike)) for spike in spikes]))

    def _time(self, spike: int) -> float:
        return float(self.train.times_ms(spike, spike + 1)[0])


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
