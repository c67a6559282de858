"""Spikes in no order: one pass to look, and one per group of bins that fits into memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.ordering import follows, is_ascending
from napari_hexrecruit.streaming._by_time import by_time
from napari_hexrecruit.streaming._job import COUNT_BYTES, Job, OpenSlab, Slab

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["in_no_order"]

Positions = npt.NDArray[np.int64]

_ORDERED_BYTES = np.dtype(np.uint32).itemsize


def in_no_order(job: Job) -> Iterator[Slab]:
    """Slabs of spikes that come in any order."""
    job.n_passes = 2
    n_in_bin, ascending = _look(job)
    if ascending:
        yield from by_time(job)
        return
    groups = _groups(n_in_bin, COUNT_BYTES * job.counter.n_hexes, job.memory_bytes)
    job.n_passes = 1 + len(groups)
    for k0, k1 in groups:
        slab = job.open_slab(k0, k1)
        if k1 == k0 + 1:
            _count_one_bin(job, slab)
        else:
            _count_ordered(job, slab, n_in_bin[k0:k1])
        yield slab.done()


def _look(job: Job) -> tuple[Positions, bool]:
    """Spikes of each bin, and whether their times are ascending after all."""
    n_in_bin = np.zeros((job.counter.n_workers, job.n_bins), dtype=np.int64)
    ascending, latest = True, -np.inf
    with job.blocks(0, job.n_bins) as blocks:
        for _, times in blocks:
            _add_histograms(job, times, job.cuts, n_in_bin)
            ascending = ascending and follows(times[0], latest) and is_ascending(times)
            latest = times[-1]
    return n_in_bin.sum(axis=0), ascending


def _add_histograms(
    job: Job, times: npt.NDArray[Any], cuts: npt.NDArray[np.float64], n_in_bin: Positions
) -> None:
    """Add the spikes of each bin, a row for each worker's part of the block."""
    from napari_hexrecruit import _kernel

    def work(worker: int, first: int, last: int) -> None:
        _kernel.bin_histogram(times, first, last, cuts, job.per_ms, n_in_bin[worker])

    job.in_parts(work, len(times))


def _groups(n_in_bin: Positions, bytes_per_bin: int, memory_bytes: int) -> list[tuple[int, int]]:
    """Consecutive ranges of bins; spikes and counts of more than one bin fit into memory."""
    ends = [0]
    needed = np.cumsum(n_in_bin * _ORDERED_BYTES + bytes_per_bin)
    while ends[-1] < len(n_in_bin):
        first = ends[-1]
        before = int(needed[first - 1]) if first else 0
        end = int(np.searchsorted(needed, before + memory_bytes, side="right"))
        ends.append(max(end, first + 1))
    return list(itertools.pairwise(ends))


def _count_ordered(job: Job, slab: OpenSlab, n_in_bin: Positions) -> None:
    """Put the spikes in order of their bins as they come, and count them."""
    from napari_hexrecruit import _kernel

    cuts, n_workers = job.cuts[slab.k0 : slab.k1 + 1], job.counter.n_workers
    n_neurons = len(job.counter.hexes) - 1
    starts = np.concatenate([[0], np.cumsum(n_in_bin)])
    ordered = np.empty(starts[-1], dtype=np.uint32)
    free = starts[:-1].copy()
    here = np.zeros((n_workers, len(n_in_bin)), dtype=np.int64)
    with job.blocks(slab.k0, slab.k1) as blocks:
        for ids, times in blocks:
            here[:] = 0
            _add_histograms(job, times, cuts, here)
            ends = free + np.cumsum(here, axis=0)
            frees = ends - here

            def work(
                worker: int,
                first: int,
                last: int,
                ids: Any = ids,
                times: Any = times,
                frees: Positions = frees,
            ) -> None:
                _kernel.scatter_to_bins(
                    ids, times, first, last, cuts, job.per_ms, n_neurons, frees[worker], ordered
                )

            job.in_parts(work, len(ids))
            free = ends[-1]
    slab.count(job.counter, ordered, starts, slab.k0)


def _count_one_bin(job: Job, slab: OpenSlab) -> None:
    """Count a bin alone, whose spikes need not be in order, nor fit into memory."""
    from napari_hexrecruit import _kernel

    hexes = job.counter.hexes
    seen, counts = _kernel.seen_bits(hexes), job.packed(1)
    lo, hi = job.cuts[slab.k0], job.cuts[slab.k1]
    with job.blocks(slab.k0, slab.k1) as blocks:
        for ids, times in blocks:
            inside = ids[(times >= lo) & (times < hi)]
            _kernel.add_to_bin(inside, 0, len(inside), hexes, seen, counts[0])
    slab.put(counts, slice(None))
