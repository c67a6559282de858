"""Columns of a ready-made parcellation as hexagons: centres, and cells of a regular grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.members import NO_HEX, HexMembers
from napari_hexrecruit.hexgrid import HexGrid, ij_to_rowcol

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_SQRT3 = math.sqrt(3.0)
_NEIGHBOUR = 4
"""Neighbour whose distance is the spacing: columns at a straight edge have four of six."""
_BLOCK = 1 << 22


def group_medians(
    groups: npt.NDArray[np.integer], values: npt.NDArray[np.floating], n_groups: int
) -> Floats:
    """Compute the median of the values of each group.

    Parameters
    ----------
    groups
        (n_values,) group of each value, 0 to ``n_groups - 1``.
    values
        (n_values,) finite numbers.
    n_groups
        Number of groups.

    Returns
    -------
    (n_groups,) float64
        Medians; the mean of the middle two for an even number, NaN for a group without values.

    Examples
    --------
    >>> group_medians(np.array([0, 0, 0, 2, 2]), np.array([5.0, 1.0, 2.0, 3.0, 4.0]), 3)
    array([2. , nan, 3.5])
    """
    ordered = values[np.lexsort((values, groups))].astype(np.float64)
    sizes = np.bincount(groups, minlength=n_groups)
    first = np.cumsum(sizes) - sizes
    medians = np.full(n_groups, np.nan)
    used = sizes > 0
    low, high = first + (sizes - 1) // 2, first + sizes // 2
    medians[used] = (ordered[low[used]] + ordered[high[used]]) / 2.0
    return medians


def fit_grid(
    x: npt.ArrayLike, y: npt.ArrayLike, *, radius_of_one: float = 50.0
) -> tuple[HexGrid, Ints, Ints]:
    """Fit a regular grid to centres of columns, and assign each column its own hexagon.

    Parameters
    ----------
    x, y
        (n_columns,) finite centres.
    radius_of_one
        Radius if there is no spacing: a single column, or all columns at one position.

    Returns
    -------
    grid : HexGrid
        Grid with the spacing of the columns: the median, over the columns, of the distance to the
        fourth nearest other centre. Its origin makes grid centres and columns coincide best.
    i, j : (n_columns,) int32
        Hexagon of each column: the one that contains it. If a hexagon contains several columns, it
        belongs to the one nearest to its centre, and the others get the nearest free hexagons.

    Raises
    ------
    ValueError
        If there are no columns, or a centre is not finite.

    Notes
    -----
    In a complete hexagonal map, the distance to the *fourth* neighbour is the spacing both for
    inner columns and for columns at a straight edge. Grids are pointy-top; a rotated map is fitted
    as well as this allows.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.size == 0 or not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        raise ValueError("a grid is fitted to at least one centre, and all must be finite")
    radius = _spacing(xs, ys) / _SQRT3 or radius_of_one
    rise = ys / (1.5 * radius)
    shift = _common_phase(xs / (_SQRT3 * radius) - rise / 2.0), _common_phase(rise)
    origin = _SQRT3 * radius * (shift[0] + shift[1] / 2.0), 1.5 * radius * shift[1]
    grid = HexGrid(radius, origin)
    return grid, *_own_hexagons(grid, xs, ys)


def group_columns(
    column_of_neuron: npt.NDArray[np.integer],
    ids: npt.NDArray[np.integer],
    x: Floats,
    y: Floats,
    *,
    radius_of_one: float = 50.0,
) -> HexMembers:
    """Group neurons by column instead of hexagon.

    Parameters
    ----------
    column_of_neuron
        (n_neurons,) id of each neuron's column; ids that are not in `ids` are in no column.
    ids
        (n_columns,) ascending ids.
    x, y
        (n_columns,) centres; columns without a finite centre are left out.
    radius_of_one
        As for `fit_grid`, which fits the grid to all columns with a centre.

    Returns
    -------
    HexMembers
        Columns with neurons, with the ids as `names` and the given `centres`.

    Raises
    ------
    ValueError
        If no column has a centre.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if known.size == 0:
        raise ValueError("no column has a flat position: name another flat or column atlas")
    ids, centres = ids[known], np.stack([x[known], y[known]], axis=1)
    grid, i, j = fit_grid(centres[:, 0], centres[:, 1], radius_of_one=radius_of_one)
    order = np.lexsort(ij_to_rowcol(i, j)[::-1])
    position = np.empty(len(ids), dtype=np.int32)
    position[order] = np.arange(len(ids), dtype=np.int32)
    at = np.minimum(np.searchsorted(ids, column_of_neuron), len(ids) - 1)
    hex_of_neuron = np.where(ids[at] == column_of_neuron, position[at], np.int32(NO_HEX))
    n_neurons = np.bincount(hex_of_neuron + 1, minlength=len(ids) + 1)[1:].astype(np.int32)
    names = ids[order].astype(np.str_)
    members = HexMembers(grid, i[order], j[order], hex_of_neuron, n_neurons, names, centres[order])
    return members.keep(np.ones(len(hex_of_neuron), dtype=bool))


def _spacing(x: Floats, y: Floats) -> float:
    """Return the median distance to the fourth nearest other centre, or to the last of fewer."""
    nth = min(_NEIGHBOUR, len(x) - 1)
    rows = max(1, _BLOCK // len(x))
    parts = []
    for at in range(0, len(x), rows):
        part = slice(at, at + rows)
        distance = np.hypot(x[part, None] - x, y[part, None] - y)
        parts.append(np.partition(distance, nth, axis=1)[:, nth])
    return float(np.median(np.concatenate(parts)))


def _common_phase(turns: Floats) -> float:
    """Return the circular mean of the fractional parts, from -0.5 to 0.5."""
    return float(np.angle(np.exp(2j * np.pi * turns).sum()) / (2.0 * np.pi))


def _own_hexagons(grid: HexGrid, x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Assign a hexagon to each column, taking pairs in the order of their distance."""
    i, j = grid.xy_to_hex(x, y)
    taken: dict[tuple[int, int], int] = {}
    free = np.arange(len(x))
    reach = 2
    while free.size:
        pairs = _pairs_by_distance(grid, x[free], y[free], i[free], j[free], reach)
        placed: set[int] = set()
        for which, at_i, at_j in pairs:
            if which not in placed and (at_i, at_j) not in taken:
                taken[at_i, at_j] = int(free[which])
                placed.add(which)
        free = np.delete(free, list(placed))
        reach *= 2
    for (at_i, at_j), column in taken.items():
        i[column], j[column] = at_i, at_j
    return i, j


def _pairs_by_distance(
    grid: HexGrid, x: Floats, y: Floats, i: Ints, j: Ints, reach: int
) -> list[tuple[int, int, int]]:
    """Return (column, i, j) for all hexagons within some steps of each column, nearest first."""
    steps = np.arange(-2 * reach, 2 * reach + 1)
    di, dj = (step.ravel() for step in np.meshgrid(steps, steps))
    lattice = (dj - di) % 3 == 0
    at_i, at_j = i[:, None] + di[lattice], j[:, None] + dj[lattice]
    cx, cy = grid.hex_to_xy(at_i.ravel(), at_j.ravel())
    which = np.repeat(np.arange(len(x)), at_i.shape[1])
    order = np.argsort(np.hypot(cx - x[which], cy - y[which]), kind="stable")
    columns = which[order], at_i.ravel()[order], at_j.ravel()[order]
    return list(zip(*(column.tolist() for column in columns), strict=True))
