"""The spikes of a simulation to counts: from memory, or block by block from the file."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._counting import BinCounter, Counts, count_ascending
from napari_hexrecruit._memory import free_bytes
from napari_hexrecruit._spike_stream import open_stream
from napari_hexrecruit.recruitment import count_newly_recruited
from napari_hexrecruit.streaming import OrderError, count_blocks, count_newly_recruited_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.recruitment import HexMembers, Progress
    from napari_hexrecruit.sonata import Simulation
    from napari_hexrecruit.timebins import TimeBins

__all__ = ["Counted", "FromFile", "FromMemory", "spikes_not_kept", "spikes_of"]

_BYTES_PER_SPIKE = np.dtype(np.int32).itemsize + np.dtype(np.float64).itemsize
_SHARE_OF_MEMORY = 0.5
"""Of the memory that is free, what the spikes of an opened simulation may take."""


_not_kept: ContextVar[bool] = ContextVar("spikes not kept", default=False)


class Counted(NamedTuple):
    """Counts, spikes of the population in all, what was assumed of them, and what is suspicious."""

    counts: Counts
    n_read: int
    assumed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FromMemory:
    """Spikes that are read once and kept."""

    sim: Simulation
    population: str

    def count(self, members: HexMembers, bins: TimeBins, progress: Progress | None) -> Counted:
        """Counts of the spikes in some bins."""
        spikes = self.sim.spikes(self.population, progress)
        with BinCounter(members.hex_of_neuron, len(members.i)) as counter:
            counts = count_ascending(spikes.neurons, spikes.times_ms, counter, bins, progress)
        return Counted(counts, len(spikes.times_ms), spikes.assumed)

    def newly_recruited(
        self, members: HexMembers, bins: TimeBins, progress: Progress | None
    ) -> npt.NDArray[np.int32]:
        """Neurons whose first spike of the window is in the bin."""
        spikes = self.sim.spikes(self.population, progress)
        return count_newly_recruited(spikes.neurons, spikes.times_ms, members, bins)


@dataclass(frozen=True)
class FromFile:
    """Spikes that are read each time, while they are counted, and not kept."""

    sim: Simulation
    population: str

    def count(self, members: HexMembers, bins: TimeBins, progress: Progress | None) -> Counted:
        """Counts of the spikes in some bins."""
        with open_stream(self.sim, self.population) as stream:
            if stream is None:
                return FromMemory(self.sim, self.population).count(members, bins, progress)
            try:
                counts = count_blocks(stream, members, bins, progress=progress)
            except OrderError:
                stream = stream.in_no_order()
                counts = count_blocks(stream, members, bins, progress=progress)
            return Counted(counts, stream.n_spikes, stream.assumed)

    def newly_recruited(
        self, members: HexMembers, bins: TimeBins, progress: Progress | None
    ) -> npt.NDArray[np.int32]:
        """Neurons whose first spike of the window is in the bin."""
        with open_stream(self.sim, self.population) as stream:
            if stream is None:
                return FromMemory(self.sim, self.population).newly_recruited(
                    members, bins, progress
                )
            try:
                return count_newly_recruited_blocks(stream, members, bins, progress=progress)
            except OrderError:
                stream = stream.in_no_order()
                return count_newly_recruited_blocks(stream, members, bins, progress=progress)


@contextmanager
def spikes_not_kept() -> Iterator[None]:
    """Let cubes of opened simulations that are computed in the block read the spikes each time."""
    token = _not_kept.set(True)
    try:
        yield
    finally:
        _not_kept.reset(token)


def spikes_of(sim: Simulation, population: str) -> FromMemory | FromFile:
    """Spikes to be kept, or from the file where half of the free memory would not hold them."""
    if _not_kept.get():
        return FromFile(sim, population)

    def fit() -> bool:
        with open_stream(sim, population) as stream:
            needed = 0 if stream is None else stream.n_spikes * _BYTES_PER_SPIKE
        free = free_bytes()
        return free is None or needed <= _SHARE_OF_MEMORY * free

    fits = sim.memo(("spikes fit into memory", population), fit)
    return FromMemory(sim, population) if fits else FromFile(sim, population)
