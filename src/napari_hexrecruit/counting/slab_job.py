"""Parts shared by all ways of counting a stream of spikes."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.bin_counter import TOO_MANY_SPIKES
from napari_hexrecruit.system.threads import ahead, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from napari_hexrecruit.counting.bin_counter import BinCounter
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.timebins import Clock, TimeBins

Ints = npt.NDArray[np.int32]
Packed = npt.NDArray[np.uint64]
Block = tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.floating[Any]]]

MEMORY_BYTES = 1 << 29
"""Default memory for counting, besides blocks and neurons."""
SLAB_BYTES = 1 << 27
"""Default size of the counts of a slab."""
COUNT_BYTES = 2 * np.dtype(np.int32).itemsize
"""Size of the counts of one hexagon in one bin of a slab."""
_SPIKES = np.uint64((1 << 32) - 1)


class OrderError(ValueError):
    """Spikes do not have the order that their source claims."""


class SpikeSource(Protocol):
    """Spikes that can be read block by block, several times."""

    @property
    def order(self) -> str:
        """``by_time`` (ascending, NaN last), ``by_id`` (ids ascending) or ``none``."""

    @property
    def n_spikes(self) -> int:
        """Total number of spikes."""

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        """Yield ids (any integer type) and times (float64 or float32, ms), in the source's order.

        The blocks have at least the spikes of ``start_ms <= time < stop_ms``; they can have others.
        """


class Slab(NamedTuple):
    """Counts of the bins ``k0 <= k < k1``.

    `n_recruited` and `n_spikes` are (k1 - k0, n_hexes) int32. `n_inside` spikes have a time in
    these bins, and `n_unknown_id` of them an id that the population does not have.
    """

    k0: int
    k1: int
    n_recruited: Ints
    n_spikes: Ints
    n_inside: int
    n_unknown_id: int


@dataclass
class OpenSlab:
    """A slab whose rows are being filled; unfilled rows are 0."""

    k0: int
    k1: int
    n_recruited: Ints
    n_spikes: Ints
    n_inside: int = 0
    n_unknown_id: int = 0
    _begun: deque[list[Future[tuple[int, int]]]] = field(default_factory=deque)

    def count(
        self, counter: BinCounter, ids: npt.NDArray[Any], starts: npt.NDArray[np.int64], first: int
    ) -> None:
        """Count whole bins from `first` on; ``starts[0]`` is the position of their first spike.

        On return, only the spikes of the previous call are counted, so that threads do not wait for
        each other at the end of a block; `done` waits for the last ones.
        """
        rows = slice(first - self.k0, first - self.k0 + len(starts) - 1)
        if starts[-1] > starts[0]:
            parts = counter.begin(ids, starts, self.n_recruited[rows], self.n_spikes[rows])
            self._begun.append(parts)
        self._wait(1)

    def _wait(self, n_left: int) -> None:
        """Wait for started work, except for the last `n_left` calls."""
        while len(self._begun) > n_left:
            for part in self._begun.popleft():
                n_inside, n_unknown_id = part.result()
                self.n_inside += n_inside
                self.n_unknown_id += n_unknown_id

    def put(self, counts: Packed, rows: slice) -> None:
        """Write (n_rows, n_hexes + 2) packed counts."""
        from napari_hexrecruit.counting import kernel

        n_spikes = self.n_spikes[rows]
        kernel.unpack(counts[:, :-2], self.n_recruited[rows], n_spikes)
        if n_spikes.size and n_spikes.min() < 0:
            raise ValueError(TOO_MANY_SPIKES)
        behind = (counts[:, -2:] & _SPIKES).sum(axis=0)
        self.n_unknown_id += int(behind[1])
        self.n_inside += int(behind.sum()) + int(n_spikes.sum(dtype=np.int64))

    def done(self) -> Slab:
        """Wait for all counts, and return the finished slab."""
        self._wait(0)
        return Slab(
            self.k0, self.k1, self.n_recruited, self.n_spikes, self.n_inside, self.n_unknown_id
        )


@dataclass
class Job:
    """Spikes, bins, threads and memory; optionally `room`, zeroed arrays for all counts."""

    source: SpikeSource
    bins: TimeBins
    clock: Clock
    counter: BinCounter
    memory_bytes: int
    slab_bytes: int
    progress: Progress | None
    room: tuple[Ints, Ints] | None = None
    n_passes: int = 1
    cuts: npt.NDArray[np.float64] = field(init=False)
    _n_read: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.cuts = self.bins.cuts(self.clock)

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.cuts) - 1

    @property
    def per_ms(self) -> float:
        """Bins per ms."""
        return 1.0 / self.bins.width_ms

    def packed(self, *shape: int) -> Packed:
        """Return packed counts of 0; the last axis has the hexagons and two more columns."""
        return np.zeros((*shape, self.counter.n_hexes + 2), dtype=np.uint64)

    def ranges(self, bytes_per_bin: int) -> list[tuple[int, int]]:
        """Return ranges of all bins that fit in memory and in a slab."""
        most = self.memory_bytes // max(bytes_per_bin, 1)
        return _ranges(self.n_bins, min(most, self._slab_rows))

    def slab_ranges(self, n_bins: int) -> list[tuple[int, int]]:
        """Return ranges of `n_bins` bins that fit in a slab."""
        return _ranges(n_bins, self._slab_rows)

    @property
    def _slab_rows(self) -> int:
        return self.slab_bytes // max(COUNT_BYTES * self.counter.n_hexes, 1)

    def open_slab(self, k0: int, k1: int) -> OpenSlab:
        """Return a slab of these bins, all 0."""
        if self.room is not None:
            return OpenSlab(k0, k1, self.room[0][k0:k1], self.room[1][k0:k1])
        return OpenSlab(k0, k1, *np.zeros((2, k1 - k0, self.counter.n_hexes), dtype=np.int32))

    @contextmanager
    def blocks(self, k0: int, k1: int) -> Iterator[Iterator[Block]]:
        """Yield blocks with at least the spikes of some bins, reading one block ahead."""
        with ahead(self.source.blocks(float(self.cuts[k0]), float(self.cuts[k1]))) as blocks:
            yield (self._plain(block) for block in blocks if len(block[0]))

    def in_parts(self, work: Callable[[int, int, int], object], n: int) -> None:
        """Call ``work(worker, first, last)`` in threads for equal parts of n spikes."""
        ranges = parts(n, self.counter.n_workers)
        list(self.counter.pool.map(work, range(len(ranges)), *zip(*ranges, strict=True)))

    def report_end(self) -> None:
        """Report that all spikes are read."""
        self._report(self.n_passes * self.source.n_spikes)

    def _plain(self, block: Block) -> Block:
        from napari_hexrecruit.counting import kernel

        self._n_read += len(block[0])
        self._report(self._n_read)
        return kernel.plain(block[0]), kernel.plain(block[1])

    def _report(self, n_read: int) -> None:
        total = self.n_passes * self.source.n_spikes
        if self.progress is not None:
            self.progress("spikes", min(n_read, total), total)


def _ranges(n: int, most: int) -> list[tuple[int, int]]:
    """Return consecutive ranges of about equal length, at most `most` or 1."""
    return parts(n, -(-n // max(most, 1)))
