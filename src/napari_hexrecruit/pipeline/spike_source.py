"""Count the spikes of a simulation: from memory, or block by block from the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.bin_counter import BinCounter, Counts, count_ascending
from napari_hexrecruit.counting.members import count_newly_recruited
from napari_hexrecruit.counting.slabs import count_blocks, count_newly_recruited_blocks
from napari_hexrecruit.pipeline.spike_stream import counted_in_order, open_stream
from napari_hexrecruit.system.memory import free_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.pipeline.spike_stream import SpikeStream
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation
    from napari_hexrecruit.timebins import Clock, TimeBins

_BYTES_PER_SPIKE = np.dtype(np.int32).itemsize + np.dtype(np.float64).itemsize
_SHARE_OF_MEMORY = 0.5
"""Share of the free memory that the spikes of an opened simulation can take."""


class Counted(NamedTuple):
    """Counts, the population's number of spikes, assumptions about them, and warnings."""

    counts: Counts
    n_read: int
    assumed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FromMemory:
    """Spikes that are read once and kept; `n_workers` threads count them."""

    sim: Simulation
    population: str
    n_workers: int | None = None

    def count(self, members: HexMembers, bins: TimeBins, progress: Progress | None) -> Counted:
        """Count the spikes in some bins."""
        spikes = self.sim.spikes(self.population, progress)
        neurons, times, clock = spikes.neurons, spikes.times_ms, spikes.clock
        with BinCounter(members.hex_of_neuron, len(members.i), self.n_workers) as counter:
            counts = count_ascending(neurons, times, counter, bins, clock, progress)
        warnings = too_coarse(self.sim.spikes_file, clock, bins)
        return Counted(counts, len(times), spikes.assumed, warnings)

    def newly_recruited(
        self, members: HexMembers, bins: TimeBins, progress: Progress | None
    ) -> npt.NDArray[np.int32]:
        """Count the neurons whose first spike of the window is in the bin."""
        spikes = self.sim.spikes(self.population, progress)
        neurons, times = spikes.neurons, spikes.times_ms
        return count_newly_recruited(neurons, times, members, bins, clock=spikes.clock)


@dataclass(frozen=True)
class FromFile:
    """Spikes that are read for each cube while `n_workers` threads count them, and not kept."""

    sim: Simulation
    population: str
    n_workers: int | None = None

    def count(self, members: HexMembers, bins: TimeBins, progress: Progress | None) -> Counted:
        """Count the spikes in some bins."""

        def count(stream: SpikeStream) -> Counts:
            return count_blocks(
                *(stream, members, bins),
                clock=stream.clock,
                progress=progress,
                n_workers=self.n_workers,
            )

        with open_stream(self.sim, self.population) as stream:
            if stream is None:
                return FromMemory(self.sim, self.population, self.n_workers).count(
                    members, bins, progress
                )
            counts = counted_in_order(stream, bins, progress, count)
            warnings = too_coarse(self.sim.spikes_file, stream.clock, bins)
            return Counted(counts, stream.n_spikes, stream.assumed, warnings)

    def newly_recruited(
        self, members: HexMembers, bins: TimeBins, progress: Progress | None
    ) -> npt.NDArray[np.int32]:
        """Count the neurons whose first spike of the window is in the bin."""

        def count(stream: SpikeStream) -> npt.NDArray[np.int32]:
            return count_newly_recruited_blocks(
                stream, members, bins, clock=stream.clock, progress=progress
            )

        with open_stream(self.sim, self.population) as stream:
            if stream is None:
                return FromMemory(self.sim, self.population, self.n_workers).newly_recruited(
                    members, bins, progress
                )
            return counted_in_order(stream, bins, progress, count)


def too_coarse(file: Path, clock: Clock, bins: TimeBins) -> tuple[str, ...]:
    """Return a warning if the file's type of times is too coarse for the bins.

    All windows of a file for which it holds get the same sentence.
    """
    if clock.stored.kind in "iu" and not bins.are_whole_ms:
        return (
            f"{file}: its times are whole ms ({clock.stored}), too coarse for the edges of these"
            f" bins of {bins.width_ms:g} ms: use bins of whole ms, or store the times as float64",
        )
    since_ms = clock.coarse_from_ms(bins.width_ms)
    if max(abs(bins.start_ms), abs(bins.stop_ms)) < since_ms:
        return ()
    return (
        f"{file}: its times are {clock.stored}, {np.spacing(clock.stored.type(since_ms)):g} ms"
        f" apart from {since_ms:.10g} ms on, too coarse for bins of {bins.width_ms:g} ms:"
        " use wider bins, or store the times as float64",
    )


def spikes_of(
    sim: Simulation, population: str, *, keep: bool, n_workers: int | None = None
) -> FromMemory | FromFile:
    """Return spikes to keep in memory, or from the file if they do not fit.

    Parameters
    ----------
    sim, population
        Simulation and population of the spikes.
    keep
        False: read them from the file each time, unless they are already kept.
    n_workers
        Threads that count; by default the cores available to this process.
    """
    from_memory = sim.keeps_spikes(population) or (keep and _fit_into_memory(sim, population))
    way = FromMemory if from_memory else FromFile
    return way(sim, population, n_workers)


def keep_spikes(sim: Simulation, population: str, progress: Progress | None = None) -> None:
    """Read spikes for later cubes, unless they need more than half of the free memory.

    Parameters
    ----------
    sim, population
        Simulation and population of the spikes.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.
    """
    if _fit_into_memory(sim, population):
        sim.spikes(population, progress)


def _fit_into_memory(sim: Simulation, population: str) -> bool:
    def fit() -> bool:
        with open_stream(sim, population) as stream:
            needed = 0 if stream is None else stream.n_spikes * _BYTES_PER_SPIKE
        free = free_bytes()
        return free is None or needed <= _SHARE_OF_MEMORY * free

    return sim.memo(("spikes fit into memory", population), fit)
