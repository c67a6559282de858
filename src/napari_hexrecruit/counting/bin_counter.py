"""Whole bins of spikes to rows of counts, divided among threads."""

from __future__ import annotations

import itertools
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.system.threads import n_cores

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from napari_hexrecruit.timebins import Clock, TimeBins

Ints = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]

TOO_MANY_SPIKES = "a bin has more spikes than int32 can count: use narrower bins"

_CHUNKS_PER_WORKER = 16
_WORTH_A_CHUNK = 1 << 17
"""Spikes whose counting takes much longer than handing them to a thread."""
_VALUES_PER_SPIKE = 8
"""Values of the result that are written in the time of counting one spike, approximately."""
_MOST_SPIKES = np.iinfo(np.int32).max


class Counts(NamedTuple):
    """Counts of all bins.

    `n_recruited` and `n_spikes` are (n_bins, n_hexes) int32. `n_inside` spikes have a time in one
    of the bins, and `n_unknown_id` of them an id that the population does not have.
    """

    n_recruited: Ints
    n_spikes: Ints
    n_inside: int
    n_unknown_id: int


class BinCounter:
    """Counter of distinct neurons and spikes per bin and hexagon.

    It is a context manager; its threads end with the block.

    Parameters
    ----------
    hex_of_neuron
        (n_neurons,) int32 hexagon of each neuron; negative for none.
    n_hexes
        Number of hexagons.
    n_workers
        Number of threads; by default one per core that this process can use.
    """

    def __init__(self, hex_of_neuron: Ints, n_hexes: int, n_workers: int | None = None) -> None:
        from napari_hexrecruit.counting import kernel

        self.n_neurons = len(hex_of_neuron)
        self.n_hexes = n_hexes
        self.n_workers = n_workers or n_cores()
        self.pool = ThreadPoolExecutor(self.n_workers, "hexrecruit-count")
        self._hexes = self.pool.submit(kernel.hex_table, hex_of_neuron, n_hexes)
        self._idle = [kernel.seen_bits(self.n_neurons) for _ in range(self.n_workers)]

    @property
    def hexes(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Column of each neuron, then of unknown ids; made while the first spikes are read."""
        return self._hexes.result()

    def __enter__(self) -> BinCounter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.pool.shutdown(cancel_futures=True)

    def count(
        self,
        ids: npt.NDArray[Any],
        starts: Positions,
        n_recruited: Ints,
        n_spikes: Ints,
        counted: Callable[[int], None] = lambda n_spikes: None,
    ) -> int:
        """Write the counts of complete bins, and return the number of spikes with unknown ids.

        Parameters
        ----------
        ids
            (n_spikes,) ids in order of their bins.
        starts
            (n_bins + 1,) positions: the spikes of bin k are ``starts[k]`` to ``starts[k + 1]``.
        n_recruited, n_spikes
            (n_bins, n_hexes) output arrays.
        counted
            Called in this thread with the number of spikes of each finished part; an exception that
            it raises ends the work.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If a bin has more spikes than int32 can count.
        """
        tasks = self.begin(ids, starts, n_recruited, n_spikes)
        n_unknown = 0
        try:
            for task in as_completed(tasks):
                n_done, unknown = task.result()
                n_unknown += unknown
                counted(n_done)
        finally:
            for task in tasks:
                task.cancel()
        return n_unknown

    def begin(
        self, ids: npt.NDArray[Any], starts: Positions, n_recruited: Ints, n_spikes: Ints
    ) -> list[Future[tuple[int, int]]]:
        """Start threads that write the counts of bins; do not use the outputs until they end.

        Parameters
        ----------
        ids, starts, n_recruited, n_spikes
            As for `count`.

        Returns
        -------
        list of futures
            Numbers of counted spikes, and of those with unknown ids.

        Raises
        ------
        ValueError
            If a bin has more spikes than int32 can count.
        """
        from napari_hexrecruit.counting import kernel

        hexes = self.hexes
        if int(np.diff(starts).max()) > _MOST_SPIKES:
            raise ValueError(TOO_MANY_SPIKES)

        def work(first: int, last: int) -> tuple[int, int]:
            seen = self._idle.pop()
            try:
                n_unknown = kernel.count_bins(
                    ids, starts, first, last, hexes, seen, n_recruited, n_spikes
                )
            finally:
                self._idle.append(seen)
            return int(starts[last] - starts[first]), int(n_unknown)

        n_steps = int(starts[-1] - starts[0]) + n_recruited.size // _VALUES_PER_SPIKE
        n_chunks = min(-(-n_steps // _WORTH_A_CHUNK), self.n_workers * _CHUNKS_PER_WORKER)
        chunks = _even_chunks(starts, n_chunks)
        return [self.pool.submit(work, first, last) for first, last in chunks]


def count_ascending(
    ids: npt.NDArray[np.integer[Any]],
    times_ms: npt.NDArray[np.floating[Any]],
    counter: BinCounter,
    bins: TimeBins,
    clock: Clock | None,
    progress: Callable[[str, int, int], None] | None,
) -> Counts:
    """Count spikes in memory with ascending times."""
    from napari_hexrecruit.counting import kernel

    starts = bins.starts(times_ms, clock)
    n_recruited, n_spikes = np.empty((2, bins.n_bins, counter.n_hexes), dtype=np.int32)
    done, total = 0, int(starts[-1] - starts[0])

    def counted(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress("spikes", done, total)

    n_unknown = counter.count(kernel.plain(ids), starts, n_recruited, n_spikes, counted)
    return Counts(n_recruited, n_spikes, total, n_unknown)


def _even_chunks(starts: Positions, n_chunks: int) -> list[tuple[int, int]]:
    """Return consecutive ranges of bins with about the same number of spikes."""
    n_bins = len(starts) - 1
    goals = starts[0] + (starts[-1] - starts[0]) * np.arange(1, n_chunks) // n_chunks
    cuts = np.unique(np.concatenate([[0], np.searchsorted(starts, goals), [n_bins]]))
    return [(int(a), int(b)) for a, b in itertools.pairwise(cuts)]
