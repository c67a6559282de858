"""Flat positions of neurons, read in blocks, to the hexagon of each neuron."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.members import HexMembers, smallest_kind
from napari_hexrecruit.hexgrid import (
    NEAR_EDGE,
    TOO_FAR_OUT,
    ij_to_rowcol,
    place_like_conntility,
    rowcol_to_ij,
)
from napari_hexrecruit.system.threads import n_cores, parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_hexrecruit.hexgrid import HexGrid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.signedinteger[Any]]

_FIRST_CELLS = 1 << 12
_TILE = 1 << 11
"""Neurons in a batch: its intermediate values stay in the fastest cache."""
_SPARSE = 4
_SMALL_TABLE = 1 << 20
"""Places (of 4 bytes) of a table that is always allowed, even for few cells of large extent."""
BLOCK = 1 << 16
"""Neurons read at a time by default: reading them takes longer than the call itself."""


class Positions(Protocol):
    """Flat coordinates of the neurons of a population, which several threads can read."""

    @property
    def size(self) -> int:
        """Number of neurons."""

    @property
    def block(self) -> int:
        """Number of neurons that is efficient to read at a time."""

    def read(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Return x and y of the neurons `first` to `last`."""


class InMemory(NamedTuple):
    """Positions in arrays."""

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    block: int = BLOCK

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.x)

    def read(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Return x and y of the neurons `first` to `last`."""
        return self.x[first:last], self.y[first:last]


def place_neurons(
    grid: HexGrid,
    positions: Positions,
    *,
    outside_value: bool,
    n_workers: int | None = None,
    placed: Callable[[int], None] = lambda n_neurons: None,
) -> HexMembers:
    """Find the hexagon of each neuron.

    Parameters
    ----------
    grid
        Tiling.
    positions
        Flat coordinates; neurons with a coordinate that is not finite are in no hexagon.
    outside_value
        If True, neurons at (-1, -1), an atlas's value for outside, are in no hexagon.
    n_workers
        Number of threads that read and place; by default one per core that this process can use.
    placed
        Called in this thread with the number of neurons done; an exception that it raises ends the
        work.

    Returns
    -------
    HexMembers

    Raises
    ------
    ValueError
        If a position is too far out for the radius.

    Notes
    -----
    One thread reads, places and numbers a block while it is in the cache of its core. Each thread
    has its own numbers of hexagons; when all hexagons are known, the numbers become positions in
    the order of row and column.
    """
    workers = n_workers or n_cores()
    idle = [_Numbered(grid, outside_value) for _ in range(workers)]
    blocks: list[tuple[_Numbered, Ints]] = []

    def work(first: int) -> tuple[_Numbered, Ints]:
        mine = idle.pop()
        try:
            x, y = positions.read(first, min(first + positions.block, positions.size))
            return mine, mine.numbers(x, y)
        finally:
            idle.append(mine)

    with ThreadPoolExecutor(workers, "hexrecruit-place") as pool:
        done = 0
        for block in pool.map(work, range(0, positions.size, positions.block)):
            blocks.append(block)
            done += len(block[1])
            placed(done)
        return _joined(grid, positions, idle, blocks, pool)


class _Numbered:
    """Hexagons found by one thread, numbered from 0 in order of occurrence."""

    def __init__(self, grid: HexGrid, outside_value: bool) -> None:
        scratch = np.empty(_TILE, np.int64), np.empty(_TILE, np.uint8)
        self._how = (*grid.origin, grid.radius, int(outside_value), NEAR_EDGE, *scratch)
        self._found = np.empty(_FIRST_CELLS, np.int64)
        self._n_found = np.zeros(2, np.int64)
        self._numbers = np.empty(0, np.int32)
        self._make_table()

    @property
    def cells(self) -> npt.NDArray[np.int64]:
        """Cells of the hexagons, in the order of their numbers."""
        return self._found[: self._n_found[0]]

    def numbers(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Ints:
        """Return the number of the hexagon of each position; -1 for none."""
        from napari_hexrecruit.counting import place_kernel

        xs, ys = (np.ascontiguousarray(axis, dtype=np.float64) for axis in (x, y))
        if len(self._numbers) < len(xs):
            self._numbers = np.empty(len(xs), np.int32)
        first = 0
        while first < len(xs):
            first = place_kernel.place(xs, ys, first, *self._how, *self._known())
            if first < len(xs):
                first = self._tile(xs, ys, first)
        return self._numbers[: len(xs)].astype(smallest_kind(int(self._n_found[0])))

    def _known(self) -> tuple[Any, ...]:
        return self._table, self._col_bits, self._found, self._n_found, self._numbers

    def _tile(self, x: Floats, y: Floats, first: int) -> int:
        """Number a batch of positions, placing those on edges as conntility does."""
        from napari_hexrecruit.counting import place_kernel

        x0, y0, radius, *_, cells, on_edge = self._how
        n = min(len(cells), len(x) - first)
        n_edge = place_kernel.find_cells(x, y, first, n, *self._how)
        if n_edge < 0:
            raise ValueError(TOO_FAR_OUT)
        if n_edge:
            edge = np.flatnonzero(on_edge[:n])
            xs, ys = x[first + edge] - x0, y[first + edge] - y0
            at = ij_to_rowcol(*place_like_conntility(xs, ys, radius))
            cells[edge] = place_kernel.cells_of(*at)
        if self._n_found[0] + n > len(self._found):
            self._found = np.concatenate([self._found, np.empty_like(self._found)])
            self._make_table()
        elif self._n_found[1] and self._col_bits:
            self._make_table()
        place_kernel.number_cells(cells, n, *self._known(), first)
        return first + n

    def _make_table(self) -> None:
        """Make a table in which each cell has its own place, if the cells are close together."""
        from napari_hexrecruit.counting import place_kernel

        row_bits, col_bits = place_kernel.bits_of(self.cells)
        size = 2 * len(self._found)
        fits = 1 << (row_bits + col_bits) <= max(_SPARSE * size, _SMALL_TABLE)
        self._col_bits = col_bits if fits else 0
        self._table = np.full(max(size, 1 << (row_bits + col_bits) if fits else 0), -1, np.int32)
        self._n_found[1] = 0
        place_kernel.put_cells(self._found, int(self._n_found[0]), self._table, self._col_bits)


def _joined(
    grid: HexGrid,
    positions: Positions,
    threads: list[_Numbered],
    blocks: list[tuple[_Numbered, Ints]],
    pool: ThreadPoolExecutor,
) -> HexMembers:
    """Join the hexagons of all threads, by row and column; this empties the blocks."""
    from napari_hexrecruit.counting import place_kernel

    every = np.sort(np.concatenate([thread.cells for thread in threads]))
    cells = every[np.append(True, every[1:] != every[:-1])[: len(every)]]  # faster than np.unique
    labels = {id(thread): _labels(cells, thread.cells) for thread in threads}
    hex_of_neuron = np.empty(positions.size, smallest_kind(len(cells)))
    step = positions.block

    def label(part: tuple[int, int]) -> npt.NDArray[np.int32]:
        n_neurons = np.zeros(len(cells), np.int32)
        for k in range(*part):
            thread, numbers = blocks[k]
            here = hex_of_neuron[k * step : k * step + len(numbers)]
            place_kernel.label_numbers(numbers, labels[id(thread)], here, n_neurons)
            blocks[k] = thread, numbers[:0]
        return n_neurons

    n_neurons = np.zeros(len(cells), np.int32)
    for counted in pool.map(label, parts(len(blocks), len(threads))):
        n_neurons += counted
    i, j = rowcol_to_ij(*place_kernel.rows_and_cols(cells))
    return HexMembers(grid, i, j, hex_of_neuron, n_neurons)


def _labels(cells: npt.NDArray[np.int64], own: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return the positions of a thread's cells among all; sorted look-ups stay in the cache."""
    order = np.argsort(own)
    labels = np.empty(len(own), np.int32)
    labels[order] = np.searchsorted(cells, own[order])
    return labels
