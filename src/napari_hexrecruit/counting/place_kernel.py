"""Compiled loops from positions to hexagons. Importing this module imports llvmlite.

Here a hexagon is one number, its *cell*: row in the upper 32 bits and column in the lower ones, so
that ascending cells are hexagons by row and column. Cells are numbered from 0 in order of
occurrence; a hash table with open addressing finds their numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.jit import jit, part

NO_CELL = np.iinfo(np.int64).min
"""Stands for no hexagon."""
_LARGEST_INDEX = float(2**30)
_SQRT3 = float(np.sqrt(3.0))
_THIRD = 1.0 / 3.0
_COLUMN_0 = 1 << 31
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def cells_of(row: npt.NDArray[Any], col: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the cells of hexagons from row and column."""
    cells: npt.NDArray[np.int64] = np.asarray(row, np.int64) << 32
    cells += np.asarray(col, np.int64) + _COLUMN_0
    return cells


def rows_and_cols(cells: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return the rows and columns of cells: the inverse of `cells_of`."""
    return cells >> 32, (cells & 0xFFFFFFFF) - _COLUMN_0


def bits_of(cells: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the bits needed for the range of the rows of some cells, and of the columns."""
    if not len(cells):
        return 1, 1
    ends = [(int(axis.min()), int(axis.max())) for axis in rows_and_cols(cells)]
    rows, cols = (max(1, (high - low).bit_length()) for low, high in ends)
    return rows, cols


@part
def _find(
    x: Any,
    y: Any,
    first: int,
    n: int,
    x0: float,
    y0: float,
    radius: float,
    outside: int,
    tie: float,
    cells: Any,
    on_edge: Any,
) -> Any:
    """Write the cells of n positions, and whether each is on an edge; return the number on edges.

    Positions that are not finite, and (-1, -1) with `outside`, have `NO_CELL`. The result is -1 if
    a position is too far out for an index.

    The hexagon is that of `HexGrid.xy_to_hex`, computed without branches and divisions, so that the
    processor handles several positions at once.
    """
    per_y = 1.0 / radius
    per_x = per_y / _SQRT3
    n_edge, n_far = 0, 0
    for k in range(n):
        px, py = x[first + k], y[first + k]
        is_place = (px - px == 0.0) & (py - py == 0.0)
        if outside:
            is_place &= (px != -1.0) | (py != -1.0)
        right, up = (px - x0) * per_x, (py - y0) * per_y
        u, v = right - up, right + up
        far = max(abs(u), abs(v))
        is_far = is_place & (far >= _LARGEST_INDEX)
        n_far += is_far
        is_place &= far < _LARGEST_INDEX
        u, v = (u if is_place else 0.5), (v if is_place else 0.25)
        i, j = np.floor(u), np.floor(v)
        du, dv = u - i, v - j
        row = np.floor((j - i + 0.5) * _THIRD)
        kind = j - i - 3.0 * row
        over = du + dv - 1.0
        upper = (kind == 0.0) & (over >= 0.0)
        row += 1.0 if kind == 2.0 else 0.0
        j += 1.0 if upper | (kind == 2.0) else 0.0
        col = j - np.ceil(1.5 * row)
        cell = (np.int64(np.int32(row)) << 32) + (np.int64(np.int32(col)) + _COLUMN_0)
        cells[k] = cell if is_place else NO_CELL
        side = min(min(min(du, 1.0 - du), min(dv, 1.0 - dv)), abs(over))
        is_edge = side < tie * max(1.0, far)
        is_edge &= is_place
        on_edge[k] = is_edge
        n_edge += is_edge
    return n_edge if n_far == 0 else -1


@part
def _home_of(cell: int, table: Any, col_bits: int) -> Any:
    """Return the preferred place of a cell's number in the table.

    With bits for the column, adjacent cells have adjacent places, and if the sheet fits, each cell
    has its own place. Without these bits, places are spread evenly.
    """
    mask = table.size - 1
    if col_bits:
        return (((cell >> 32) << col_bits) + (cell & ((1 << col_bits) - 1))) & mask
    mixed = np.uint64(cell) * _MIX
    return np.int64((mixed ^ (mixed >> _HALF)) & np.uint64(mask))


@part
def _place_of(cell: int, table: Any, col_bits: int, found: Any) -> Any:
    """Return the place of a cell's number in the table, or the free place for it."""
    place = _home_of(cell, table, col_bits)
    while table[place] >= 0 and found[table[place]] != cell:
        place = (place + 1) & (table.size - 1)
    return place


@part
def _number(
    cells: Any,
    n: int,
    table: Any,
    col_bits: int,
    found: Any,
    n_found: Any,
    numbers: Any,
    first: int,
) -> None:
    """Write the numbers of n cells from position `first` on, -1 for none.

    New cells are added to `found`. The first value of `n_found` counts them, the second one counts
    those whose preferred place was taken.
    """
    n_now = n_found[0]
    for k in range(n):
        cell = cells[k]
        number = -1
        if cell != NO_CELL:
            place = _place_of(cell, table, col_bits, found)
            number = table[place]
            if number < 0:
                number = n_now
                table[place] = number
                found[number] = cell
                n_found[1] += place != _home_of(cell, table, col_bits)
                n_now += 1
        numbers[first + k] = number
    n_found[0] = n_now


@jit(reads="x y")
def find_cells(
    x: Any,
    y: Any,
    first: int,
    n: int,
    x0: float,
    y0: float,
    radius: float,
    outside: int,
    tie: float,
    cells: Any,
    on_edge: Any,
) -> Any:
    """Find the cells of n positions from `first` on; return the number on edges, or -1."""
    return _find(x, y, first, n, x0, y0, radius, outside, tie, cells, on_edge)


@jit(reads="cells")
def number_cells(
    cells: Any,
    n: int,
    table: Any,
    col_bits: int,
    found: Any,
    n_found: Any,
    numbers: Any,
    first: int,
) -> None:
    """Write the numbers of n cells from position `first` on; `found` must have room for all."""
    _number(cells, n, table, col_bits, found, n_found, numbers, first)


@jit(reads="x y")
def place(
    x: Any,
    y: Any,
    first: int,
    x0: float,
    y0: float,
    radius: float,
    outside: int,
    tie: float,
    cells: Any,
    on_edge: Any,
    table: Any,
    col_bits: int,
    found: Any,
    n_found: Any,
    numbers: Any,
) -> Any:
    """Write the number of each position's hexagon from `first` on, -1 for none; return the end.

    Works on batches of the size of `cells`, so that intermediate values stay in the cache of a
    core. It stops before a batch in which a position is on an edge or too far out, or for whose
    cells `found` can be too small, and after a cell's own place was taken by another one.
    """
    while first < x.size:
        n = min(cells.size, x.size - first)
        if n_found[0] + n > found.size or (col_bits and n_found[1]):
            break
        if _find(x, y, first, n, x0, y0, radius, outside, tie, cells, on_edge) != 0:
            break
        _number(cells, n, table, col_bits, found, n_found, numbers, first)
        first += n
    return first


@jit(reads="found")
def put_cells(found: Any, n_found: int, table: Any, col_bits: int) -> None:
    """Put the numbers of cells, 0, 1, 2, ..., in an empty table."""
    for number in range(n_found):
        table[_place_of(found[number], table, col_bits, found)] = number


@jit(reads="numbers labels")
def label_numbers(numbers: Any, labels: Any, hexes: Any, n_neurons: Any) -> None:
    """Write the label of each number, -1 for none, and count each label."""
    for k in range(numbers.size):
        label = -1
        if numbers[k] >= 0:
            label = labels[numbers[k]]
            n_neurons[label] += 1
        hexes[k] = label


@jit(reads="hex_of_neuron bits")
def count_kept(hex_of_neuron: Any, bits: Any, n_neurons: Any) -> None:
    """Add the neurons in a mask to the (n_hexes,) number of neurons of each hexagon."""
    for neuron in range(hex_of_neuron.size):
        hexagon = hex_of_neuron[neuron]
        if hexagon >= 0 and (bits[neuron >> 3] >> (neuron & 7)) & 1:
            n_neurons[hexagon] += 1


@jit(reads="hex_of_neuron bits labels")
def relabel_kept(hex_of_neuron: Any, bits: Any, labels: Any, relabelled: Any) -> None:
    """Write the (n_hexes,) new label of each neuron's hexagon; -1 for neurons not in a mask."""
    for neuron in range(hex_of_neuron.size):
        hexagon = hex_of_neuron[neuron]
        kept = hexagon >= 0 and (bits[neuron >> 3] >> (neuron & 7)) & 1
        relabelled[neuron] = labels[hexagon] if kept else -1
