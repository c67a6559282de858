"""Counting of spikes grouped by neuron: one pass per slab, without a state per neuron."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.ordering import is_ascending
from napari_hexrecruit.counting.slab_job import Job, OrderError, Slab
from napari_hexrecruit.system.threads import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKED_BYTES = np.dtype(np.uint64).itemsize


def by_id(job: Job) -> Iterator[Slab]:
    """Yield slabs from spikes with ascending ids; the spikes of an id can have any order."""
    n_hexes, n_workers = job.counter.n_hexes, job.counter.n_workers
    packed = _PACKED_BYTES * (n_hexes + 3)
    ranges = job.ranges((n_workers + 1) * packed)
    job.n_passes = len(ranges)
    for k0, k1 in ranges:
        slab = job.open_slab(k0, k1)
        counts = _count(job, k0, k1)
        slab.put(np.ascontiguousarray(counts.T), slice(None))
        yield slab.done()


class _Worker(NamedTuple):
    """Arrays of one thread: the last neuron of each bin, and (n_hexes + 2, n_bins) counts."""

    latest: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint64]


def _count(job: Job, k0: int, k1: int) -> npt.NDArray[np.uint64]:
    """Return the packed counts of some bins, (n_hexes + 2, n_bins)."""
    from napari_hexrecruit.counting import kernel

    n_bins, cuts = k1 - k0, job.cuts[k0 : k1 + 1]
    nobody_yet = np.iinfo(np.uint64).max
    workers = [
        _Worker(np.full(n_bins, nobody_yet), np.zeros((job.counter.n_hexes + 2, n_bins), np.uint64))
        for _ in range(job.counter.n_workers)
    ]
    latest_id = None
    with job.blocks(k0, k1) as blocks:
        for ids, times in blocks:
            if (latest_id is not None and ids[0] < latest_id) or not is_ascending(ids):
                raise OrderError("ids of spikes are not ascending, as by_id promises")
            latest_id = ids[-1]

            def work(worker: _Worker, first: int, last: int, ids: Any, times: Any) -> None:
                hexes = job.counter.hexes
                kernel.add_grouped(ids, times, first, last, cuts, job.per_ms, hexes, *worker)

            groups = _between_ids(ids, len(workers))
            tasks = [
                job.counter.pool.submit(work, worker, *group, ids, times)
                for worker, group in zip(workers, groups, strict=False)
            ]
            for task in tasks:
                task.result()
            # The worker of the last spikes goes first: the next block can start with that neuron.
            workers.insert(0, workers.pop(len(groups) - 1))
    return sum((worker.counts for worker in workers[1:]), start=workers[0].counts)


def _between_ids(ids: npt.NDArray[Any], n_parts: int) -> list[tuple[int, int]]:
    """Return consecutive ranges of about equal length that do not split the spikes of a neuron."""
    cuts = [int(np.searchsorted(ids, ids[first])) for first, _ in parts(len(ids), n_parts)]
    ends = sorted({0, *cuts, len(ids)})
    return list(itertools.pairwise(ends))
