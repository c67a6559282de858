"""Clusters of t over the lattice and time, and how large they get if the labels mean nothing."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.hexgrid import neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NOTHING = 1e-10
"""A sum of squares up to this share of its total is rounding error, not variance."""
_SAME = 1e-9
"""Masses that differ by up to this share are equal: mirrored arrangements differ by rounding."""
_BLOCK_VALUES = 8_000_000
"""Most sums computed at once, over all arrangements: 64 MB."""


class Arrangements(NamedTuple):
    """Ways to assign signs or labels; the first is the observed one.

    Attributes
    ----------
    weights
        (n_arrangements, n_observations): signs, or 1 in the first group and 0 in the other.
    scale
        ``scale * sum`` is the mean, or the difference of the means of centred values.
    n_free
        Degrees of freedom.
    exact
        Whether these are all possible arrangements.
    """

    weights: npt.NDArray[np.int8]
    scale: float
    n_free: int
    exact: bool


def sign_flips(n: int, most: int, seed: int) -> Arrangements:
    """Return signs of `n` differences: all combinations if at most `most`, else random ones."""
    exact = n < 63 and 2**n <= most
    if exact:
        signs = np.array(list(itertools.product((1, -1), repeat=n)), dtype=np.int8)
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, (most, n), dtype=np.int8)
        signs = (1 - 2 * drawn).astype(np.int8)
        signs[0] = 1
    return Arrangements(signs, 1.0 / n, n - 1, exact)


def shuffled_labels(n_first: int, n_other: int, most: int, seed: int) -> Arrangements:
    """Return which observations are in the first group: all ways if at most `most`, else random."""
    n = n_first + n_other
    exact = math.comb(n, n_first) <= most
    if exact:
        chosen = np.array(list(itertools.combinations(range(n), n_first)))
    else:
        chosen = np.random.default_rng(seed).random((most, n)).argsort(axis=1)[:, :n_first]
        chosen[0] = np.arange(n_first)
    labels = np.zeros((len(chosen), n), dtype=np.int8)
    np.put_along_axis(labels, chosen, 1, axis=1)
    return Arrangements(labels, 1.0 / n_first + 1.0 / n_other, n - 2, exact)


class Lattice:
    """Cells of (time, hex), with adjacent hexagons of a bin and adjacent bins as neighbours.

    Parameters
    ----------
    i, j
        (n_hexes,) grid indices.
    n_bins
        Number of bins of the time axis.
    """

    def __init__(self, i: npt.ArrayLike, j: npt.ArrayLike, n_bins: int) -> None:
        ahead = neighbours(i, j)[:, :3]  # half of the directions: each pair once
        n_hexes = len(ahead)
        self.n_cells = n_hexes * n_bins
        first = n_hexes * np.arange(n_bins)[:, None, None]
        table = np.full((n_bins, n_hexes, 4), self.n_cells, dtype=np.int64)
        table[..., :3] = np.where(ahead >= 0, ahead + first, self.n_cells)
        table[:-1, :, 3] = first[1:, :, 0] + np.arange(n_hexes)
        self._ahead = table.reshape(self.n_cells, 4)
        self._position = np.zeros(self.n_cells + 1, dtype=np.int64)
        self._sign = np.zeros(self.n_cells + 1, dtype=np.int8)

    def labels(self, cells: Ints, t: Floats) -> tuple[int, npt.NDArray[np.int32]]:
        """Return the number of clusters of same-sign neighbours, and the cluster of each cell."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        self._position[cells] = np.arange(len(cells))
        self._sign[cells] = np.where(t > 0, 1, -1)
        ahead = self._ahead[cells]
        mine, step = np.nonzero(self._sign[ahead] == self._sign[cells][:, None])
        theirs = self._position[ahead[mine, step]]
        self._sign[cells] = 0
        ones = np.ones(len(mine), dtype=np.int8)
        graph = coo_array((ones, (mine, theirs)), shape=(len(cells), len(cells)))
        found: tuple[int, npt.NDArray[np.int32]] = connected_components(graph, directed=False)
        return found


class Clusters(NamedTuple):
    """Clusters of the observed arrangement.

    Attributes
    ----------
    t
        (n_cells,); NaN if a cell has no value or no variance.
    label
        (n_cells,) number of the cluster from 1, by falling absolute mass; 0 for none.
    mass, p
        (n_clusters,) sum of t, and family-wise p.
    """

    t: Floats
    label: npt.NDArray[np.int32]
    mass: Floats
    p: Floats


@dataclass(frozen=True)
class Statistic:
    """t of every cell under any arrangement; it follows from one sum and the fixed squares.

    Attributes
    ----------
    values
        (n_observations, n_cells) differences, or values centred over all observations; 0 if a cell
        is left out or does not vary.
    squares
        (n_cells,) their sum of squares; infinite if the cell is left out or does not vary.
    arrangements
        Arrangements of signs or labels.
    """

    values: Floats
    squares: Floats
    arrangements: Arrangements

    @classmethod
    def of(cls, values: Floats, arrangements: Arrangements, *, centred: bool) -> Statistic:
        """Make the statistic of differences, or, with `centred`, of the values of two groups."""
        size = np.einsum("nc,nc->c", values, values)
        if centred:
            values = values - values.mean(axis=0)
        squares = np.einsum("nc,nc->c", values, values)
        varies = squares > _NOTHING * size  # False for NaN
        return cls(np.where(varies, values, 0.0), np.where(varies, squares, np.inf), arrangements)

    def t(self, sums: Floats, cells: Ints | slice = slice(None)) -> Floats:
        """Return t of cells from their sums; NaN if they do not vary within the groups."""
        scale, n_free = self.arrangements.scale, self.arrangements.n_free
        squares = self.squares[cells]
        within = squares - scale * sums**2
        within[~(within > _NOTHING * squares) | np.isinf(squares)] = np.nan
        return np.asarray(sums * scale / np.sqrt(within / n_free * scale))

    def sum_at(self, threshold: float) -> Floats:
        """Return the (n_cells,) sums at which t equals the threshold."""
        scale, n_free = self.arrangements.scale, self.arrangements.n_free
        share = threshold**2 / (n_free + threshold**2)
        return np.asarray(np.sqrt(self.squares * share / scale))


def clusters(
    statistic: Statistic,
    lattice: Lattice,
    *,
    threshold: float,
    tail: int,
    progress: Progress | None = None,
) -> Clusters:
    """Compare the clusters of the observed arrangement with the largest of each arrangement."""
    weights = statistic.arrangements.weights
    limit = statistic.sum_at(threshold)
    at_once = max(1, min(64, _BLOCK_VALUES // max(1, lattice.n_cells)))
    largest: list[float] = []
    observed: tuple[Floats, Ints, npt.NDArray[np.int32], Floats] | None = None
    for first in range(0, len(weights), at_once):
        for sums in weights[first : first + at_once].astype(np.float64) @ statistic.values:
            cells, t = _beyond(statistic, sums, limit, tail)
            n_found, label = lattice.labels(cells, t)
            mass: Floats = np.bincount(label, t, n_found).astype(np.float64)
            largest.append(float(np.abs(mass).max(initial=0.0)))
            if observed is None:
                observed = statistic.t(sums), cells, label, mass
        if progress is not None:
            progress("permutations", len(largest), len(weights))
    if observed is None:
        raise ValueError("n_permutations is less than 1: ask for one or more")
    return _judged(*observed, np.sort(largest))


def _beyond(statistic: Statistic, sums: Floats, limit: Floats, tail: int) -> tuple[Ints, Floats]:
    """Return the cells beyond the threshold, and their t."""
    sides: dict[int, Callable[[], Any]] = {
        0: lambda: np.abs(sums) > limit,
        1: lambda: sums > limit,
        -1: lambda: sums < -limit,
    }
    cells = np.flatnonzero(sides[tail]())
    t = statistic.t(sums[cells], cells)
    varies = np.isfinite(t)
    return cells[varies], t[varies]


def _judged(
    t: Floats, cells: Ints, label: npt.NDArray[np.int32], mass: Floats, largest: Floats
) -> Clusters:
    order = np.argsort(-np.abs(mass), kind="stable")
    rank = np.empty(len(mass), dtype=np.int32)
    rank[order] = np.arange(1, len(mass) + 1)
    labels = np.zeros(len(t), dtype=np.int32)
    labels[cells] = rank[label]
    mass = mass[order]
    below = np.searchsorted(largest, np.abs(mass) * (1.0 - _SAME), side="left")
    return Clusters(t, labels, mass, (len(largest) - below) / len(largest))
