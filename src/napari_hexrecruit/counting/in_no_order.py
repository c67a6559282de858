"""Counting of unordered spikes: one pass to look, and one per group of bins that fits in memory."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.by_time import by_time
from napari_hexrecruit.counting.ordering import follows, is_ascending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.counting.slab_job import Job, Slab

Positions = npt.NDArray[np.int64]

_ORDERED_BYTES = np.dtype(np.uint32).itemsize


def in_no_order(job: Job) -> Iterator[Slab]:
    """Yield slabs from spikes in any order."""
    job.n_passes = 2
    n_in_bin, ascending = _look(job)
    if ascending:
        yield from by_time(job)
        return
    groups = _groups(n_in_bin * _ORDERED_BYTES, job.memory_bytes)
    job.n_passes = 1 + len(groups)
    for k0, k1 in groups:
        if k1 == k0 + 1:
            yield _count_one_bin(job, k0)
        else:
            yield from _count_ordered(job, k0, n_in_bin[k0:k1])


def _look(job: Job) -> tuple[Positions, bool]:
    """Return the number of spikes of each bin, and whether the times are ascending after all."""
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
    """Add the numbers of spikes of each bin, with a row for each worker's part of the block."""
    from napari_hexrecruit.counting import kernel

    def work(worker: int, first: int, last: int) -> None:
        kernel.bin_histogram(times, first, last, cuts, job.per_ms, n_in_bin[worker])

    job.in_parts(work, len(times))


def _groups(needed: Positions, memory_bytes: int) -> list[tuple[int, int]]:
    """Return consecutive ranges of bins; ranges of more than one bin fit in memory."""
    ends = [0]
    until = np.cumsum(needed)
    while ends[-1] < len(needed):
        first = ends[-1]
        before = int(until[first - 1]) if first else 0
        end = int(np.searchsorted(until, before + memory_bytes, side="right"))
        ends.append(max(end, first + 1))
    return list(itertools.pairwise(ends))


def _count_ordered(job: Job, k0: int, n_in_bin: Positions) -> Iterator[Slab]:
    """Order the spikes of a group by bin, and count them."""
    starts = np.concatenate([[0], np.cumsum(n_in_bin)])
    ordered = _ordered(job, k0, starts)
    for first, last in job.slab_ranges(len(n_in_bin)):
        slab = job.open_slab(k0 + first, k0 + last)
        slab.count(job.counter, ordered, starts[first : last + 1], slab.k0)
        yield slab.done()


def _ordered(job: Job, k0: int, starts: Positions) -> npt.NDArray[np.uint32]:
    """Return the ids of the spikes of some bins, ordered by bin (counting sort)."""
    from napari_hexrecruit.counting import kernel

    n_bins, n_neurons = len(starts) - 1, job.counter.n_neurons
    cuts = job.cuts[k0 : k0 + n_bins + 1]
    ordered = np.empty(starts[-1], dtype=np.uint32)
    free = starts[:-1].copy()
    here = np.zeros((job.counter.n_workers, n_bins), dtype=np.int64)
    with job.blocks(k0, k0 + n_bins) as blocks:
        for ids, times in blocks:
            here[:] = 0
            _add_histograms(job, times, cuts, here)
            ends = free + np.cumsum(here, axis=0)

            def work(
                worker: int,
                first: int,
                last: int,
                ids: Any = ids,
                times: Any = times,
                next_free: Positions = ends - here,
            ) -> None:
                kernel.scatter_to_bins(
                    *(ids, times, first, last, cuts, job.per_ms, n_neurons),
                    *(next_free[worker], ordered),
                )

            job.in_parts(work, len(ids))
            free = ends[-1]
    return ordered


def _count_one_bin(job: Job, k: int) -> Slab:
    """Count a single bin, whose spikes need not be ordered or fit in memory."""
    from napari_hexrecruit.counting import kernel

    hexes, slab = job.counter.hexes, job.open_slab(k, k + 1)
    seen, counts = kernel.seen_bits(job.counter.n_neurons), job.packed(1)
    lo, hi = job.cuts[k], job.cuts[k + 1]
    with job.blocks(k, k + 1) as blocks:
        for ids, stored in blocks:
            times = stored.astype(np.float64, copy=False)  # keeps the cuts in float64
            inside = ids[(times >= lo) & (times < hi)]
            kernel.add_to_bin(inside, 0, len(inside), hexes, seen, counts[0])
    slab.put(counts, slice(None))
    return slab.done()
