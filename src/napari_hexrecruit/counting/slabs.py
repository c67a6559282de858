"""Spikes in blocks to counts in slabs of time, in constant memory. Must not know files.

There are three ways, by the order of the spikes; each gives exactly the counts of `count_spikes`:

by_time
    One pass. Whole bins of a block are divided among threads; the bin that continues in the next
    block stays open.
by_id
    One pass per slab. Each bin remembers its last neuron.
none
    One pass to count the spikes of each bin, and one per group of bins that fits in memory: its
    spikes are ordered by bin as they come, in linear time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.bin_counter import BinCounter, Counts
from napari_hexrecruit.counting.by_id import by_id
from napari_hexrecruit.counting.by_time import by_time, check_ascending
from napari_hexrecruit.counting.in_no_order import in_no_order
from napari_hexrecruit.counting.slab_job import (
    MEMORY_BYTES,
    SLAB_BYTES,
    Job,
    Slab,
    SpikeSource,
)
from napari_hexrecruit.timebins import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.timebins import Clock, TimeBins

_WAYS = {"by_time": by_time, "by_id": by_id, "none": in_no_order}


def count_blocks(
    source: SpikeSource,
    members: HexMembers,
    bins: TimeBins,
    *,
    clock: Clock = EXACT,
    memory_bytes: int = MEMORY_BYTES,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> Counts:
    """Count distinct neurons and spikes of each (bin, hexagon), block by block.

    Parameters
    ----------
    source, members, bins, clock, memory_bytes, progress, n_workers
        As for `count_slabs`; the result takes memory in addition to `memory_bytes`.

    Returns
    -------
    Counts
        `n_recruited` and `n_spikes` are (n_bins, n_hexes) int32, as from `count_spikes`.

    Raises
    ------
    OrderError, ValueError
        As for `count_slabs`.
    """
    with BinCounter(members.hex_of_neuron, len(members.i), n_workers) as counter:
        n_recruited, n_spikes = np.zeros((2, bins.n_bins, counter.n_hexes), dtype=np.int32)
        room, slab_bytes = (n_recruited, n_spikes), n_recruited.nbytes * 2
        job = Job(source, bins, clock, counter, memory_bytes, slab_bytes, progress, room)
        n_inside = n_unknown_id = 0
        for slab in _slabs(job):
            n_inside += slab.n_inside
            n_unknown_id += slab.n_unknown_id
    return Counts(n_recruited, n_spikes, n_inside, n_unknown_id)


def count_slabs(
    source: SpikeSource,
    members: HexMembers,
    bins: TimeBins,
    *,
    clock: Clock = EXACT,
    memory_bytes: int = MEMORY_BYTES,
    slab_bytes: int = SLAB_BYTES,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> Iterator[Slab]:
    """Count consecutive slabs of bins, from the first bin to the last one.

    The next block is read while one is counted.

    Parameters
    ----------
    source
        Spikes. Ids that are not rows of ``members.hex_of_neuron`` are unknown.
    members
        Hexagon of each neuron.
    bins
        Bins of time; spikes outside are ignored.
    clock
        Precision of the times.
    memory_bytes
        Approximate memory for counting, which determines how often spikes that are not sorted by
        time are read. Blocks, a slab, and 2 or 4 bytes per neuron take memory in addition.
    slab_bytes
        Approximate size of the counts of a slab.
    progress
        Called with ``"spikes"``, the number of spikes read, and the total; an exception that it
        raises ends the work.
    n_workers
        Number of threads that count; by default one per core that this process can use.

    Yields
    ------
    Slab

    Raises
    ------
    OrderError
        If the spikes are not in the order that the source claims; slabs yielded before the error
        are invalid.
    ValueError
        If the order is unknown, or a bin has more spikes than int32 can count.

    Examples
    --------
    >>> from napari_hexrecruit.hexgrid import HexGrid
    >>> from napari_hexrecruit.counting.members import group_neurons
    >>> from napari_hexrecruit.timebins import TimeBins
    >>> class TwoBlocks:
    ...     order, n_spikes = "by_time", 3
    ...     def blocks(self, start_ms, stop_ms):
    ...         yield np.array([0, 1]), np.array([1.0, 2.0])
    ...         yield np.array([0]), np.array([3.0])
    >>> x = y = np.zeros(2)
    >>> members = group_neurons(HexGrid(1.0), x, y, np.ones(2, dtype=bool))
    >>> slabs = count_slabs(TwoBlocks(), members, TimeBins(0.0, 10.0, 5.0))
    >>> [(slab.k0, slab.k1, slab.n_recruited.tolist(), slab.n_spikes.tolist()) for slab in slabs]
    [(0, 2, [[2], [0]], [[3], [0]])]
    """
    with BinCounter(members.hex_of_neuron, len(members.i), n_workers) as counter:
        yield from _slabs(Job(source, bins, clock, counter, memory_bytes, slab_bytes, progress))


def count_newly_recruited_blocks(
    source: SpikeSource,
    members: HexMembers,
    bins: TimeBins,
    *,
    clock: Clock = EXACT,
    progress: Progress | None = None,
) -> npt.NDArray[np.int32]:
    """Count the neurons of each (bin, hexagon) whose first spike of the window is in the bin.

    Parameters
    ----------
    source, members, bins, clock, progress
        As for `count_slabs`. The spikes are read once, in any order.

    Returns
    -------
    (n_bins, n_hexes) int32
        As from `count_newly_recruited`.

    Raises
    ------
    OrderError
        If the times are not ascending although the source claims that they are.
    """
    from napari_hexrecruit.counting import kernel

    first_bin = np.full(len(members.hex_of_neuron) + 1, bins.n_bins, dtype=np.int64)
    newly = np.zeros((bins.n_bins, len(members.i)), dtype=np.int32)
    with BinCounter(members.hex_of_neuron, len(members.i), 1) as counter:
        job = Job(source, bins, clock, counter, MEMORY_BYTES, SLAB_BYTES, progress)
        with job.blocks(0, job.n_bins) as blocks:
            latest = -np.inf
            for ids, times in blocks:
                if source.order == "by_time":
                    latest = check_ascending(times, latest)
                kernel.note_first_bins(ids, times, job.cuts, job.per_ms, first_bin)
        job.report_end()
    kernel.add_first_bins(first_bin, members.hex_of_neuron, newly)
    return newly


def _slabs(job: Job) -> Iterator[Slab]:
    order = job.source.order
    if order not in _WAYS:
        raise ValueError(f"order {order!r} is unknown: use {', '.join(_WAYS)}")
    yield from _WAYS[order](job)
    job.report_end()
