"""Counting of spikes with ascending times: one pass."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.ordering import follows, is_ascending
from napari_hexrecruit.counting.slab_job import Job, OpenSlab, OrderError, Slab
from napari_hexrecruit.timebins import first_at

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from concurrent.futures import Future


def by_time(job: Job) -> Iterator[Slab]:
    """Yield slabs from spikes with ascending times, NaN last."""
    slabs = (job.open_slab(*range_) for range_ in job.slab_ranges(job.n_bins))
    slab, opened = next(slabs), _OpenBin(job)
    with closing(_pieces(job)) as pieces:
        for piece in pieces:
            opened.add(piece, piece.first)
            if piece.last == piece.first:
                continue
            opened.close(slab, piece.first)
            if piece.last < job.n_bins:
                opened.begin(piece, piece.last)
            done = piece.first + 1
            while done < piece.last or done == slab.k1:
                to = min(piece.last, slab.k1)
                slab.count(job.counter, piece.ids, piece.starts_of(done, to), done)
                done = to
                if done == slab.k1:
                    yield slab.done()
                    if done == job.n_bins:
                        break
                    slab = next(slabs)


def check_ascending(times: npt.NDArray[Any], latest: float) -> float:
    """Return the last time of a block; refuse times that do not ascend from the latest one."""
    if not (follows(times[0], latest) and is_ascending(times)):
        raise OrderError("the times of spikes are not ascending, as by_time promises")
    return float(times[-1])


class _Piece(NamedTuple):
    """Spikes of the bins `first` to `last`; bin `last` can continue in the next piece.

    `starts` has the position at which the spikes of each of these bins start, and at which those of
    the last bin end. If `last` is the number of bins, bin `last` does not exist.
    """

    ids: npt.NDArray[Any]
    starts: npt.NDArray[np.int64]
    first: int
    last: int

    def starts_of(self, k0: int, k1: int) -> npt.NDArray[np.int64]:
        """Return the start of the spikes of each bin ``k0 <= k < k1``, and the end of the last."""
        return self.starts[k0 - self.first : k1 - self.first + 1]


def _pieces(job: Job) -> Generator[_Piece, None, None]:
    """Yield one piece per block, and a last one that ends all bins.

    The order of all blocks is checked, because a spike after the last bin can be followed by one
    of an earlier bin.
    """
    at, latest = 0, -np.inf
    ids: npt.NDArray[Any] = np.zeros(0, dtype=np.uint64)
    with job.blocks(0, job.n_bins) as blocks:
        for ids, times in blocks:
            latest = check_ascending(times, latest)
            if at == job.n_bins:
                continue
            found = int(np.searchsorted(job.cuts, latest, side="right")) - 1
            last = min(max(found, at), job.n_bins)
            yield _Piece(ids, first_at(times, job.cuts[at : last + 2]), at, last)
            at = last
    if at < job.n_bins:
        yield _Piece(ids[:0], np.zeros(job.n_bins - at + 1, dtype=np.int64), at, job.n_bins)


class _OpenBin:
    """Counts of a bin whose spikes come in several blocks."""

    def __init__(self, job: Job) -> None:
        from napari_hexrecruit.counting import kernel

        self._counter = job.counter
        self._seen = kernel.seen_bits(job.counter.n_neurons)
        self._counts = job.packed(1)
        self._begun: Future[None] | None = None

    def begin(self, piece: _Piece, k: int) -> None:
        """Start to add the spikes of bin k in the piece, in parallel with those of whole bins."""
        self._begun = self._counter.pool.submit(self._add, piece, k)

    def add(self, piece: _Piece, k: int) -> None:
        """Add the spikes of bin k in the piece."""
        if self._begun is not None:
            self._begun.result()
            self._begun = None
        self._add(piece, k)

    def _add(self, piece: _Piece, k: int) -> None:
        from napari_hexrecruit.counting import kernel

        start, stop = piece.starts_of(k, k + 1).tolist()
        if stop > start:
            hexes = self._counter.hexes
            kernel.add_to_bin(piece.ids, start, stop, hexes, self._seen, self._counts[0])

    def close(self, slab: OpenSlab, k: int) -> None:
        """Write the counts as those of bin k, and reset them."""
        slab.put(self._counts, slice(k - slab.k0, k - slab.k0 + 1))
        self._counts[:] = 0
        self._seen[:] = 0
