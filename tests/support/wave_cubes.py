"""Cubes with waves that are known: where each begins, when, how fast it runs, and past what."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from tests.support.cubes import cube_of

from napari_hexrecruit.hexgrid import HexGrid, rowcol_to_ij

RADIUS_UM = 50.0
BIN_MS = 10.0
_RISE_MS, _TAIL_MS = 6.0, 25.0
_PEAK = 0.45


@dataclass(frozen=True)
class Known:
    """A wave: circles around a source, or a straight front where it has a direction.

    Attributes
    ----------
    start_ms
        When it begins at its source, or at the first hexagon.
    source
        (x, y), µm.
    speed
        µm/ms.
    direction_deg
        Where a straight front runs to; None for circles.
    reach_um
        How far it runs from its source.
    """

    start_ms: float
    source: tuple[float, float] = (0.0, 0.0)
    speed: float = 10.0
    direction_deg: float | None = None
    reach_um: float = math.inf

    def arrival_ms(self, x, y):
        """When it gets to places; NaN where it does not."""
        if self.direction_deg is not None:
            angle = math.radians(self.direction_deg)
            way = x * math.cos(angle) + y * math.sin(angle)
            way = way - way.min()
        else:
            way = np.hypot(x - self.source[0], y - self.source[1])
        return np.where(way <= self.reach_um, self.start_ms + way / self.speed, np.nan)


def centres(n_rows=20, n_cols=20):
    """Row, column, x and y of the hexagons of a rectangular sheet."""
    row, col = (a.ravel() for a in np.mgrid[0:n_rows, 0:n_cols])
    x, y = HexGrid(RADIUS_UM).hex_to_xy(*rowcol_to_ij(row, col))
    return row, col, x, y


def way_around(xy, blocked, source):
    """(n,) length of the shortest way from a point over hexagons that are not blocked, µm."""
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import cKDTree

    free = np.flatnonzero(~blocked)
    tree = cKDTree(xy[free])
    # far steps, so that ways are nearly straight; none across what is blocked
    graph = tree.sparse_distance_matrix(tree, 4.1 * math.sqrt(3.0) * RADIUS_UM).tocoo()
    holes = cKDTree(xy[blocked])
    ends = np.stack([xy[free][graph.row], xy[free][graph.col]])
    crosses = np.zeros(graph.nnz, dtype=bool)
    for share in (0.25, 0.5, 0.75):
        middle = (1.0 - share) * ends[0] + share * ends[1]
        crosses |= np.isfinite(holes.query(middle, distance_upper_bound=RADIUS_UM)[0])
    graph.data[crosses] = 0.0
    graph.eliminate_zeros()
    way = np.full(len(xy), np.nan)
    way[free] = dijkstra(graph.tocsr(), indices=tree.query(source)[1])
    return way


def cube_with(arrivals, *, n_bins=60, n_neurons=80, rest=0.01, seed=0, sheet=None, silent=None):
    """Cube of a sheet on which neurons fire by chance, more of them after each arrival.

    Parameters
    ----------
    arrivals
        (n_hexes,) ms of each wave; where several have come a hexagon follows the strongest.
    n_bins, n_neurons
        Bins of 10 ms, and neurons of each hexagon.
    rest
        Share of the neurons that fires in a bin at rest.
    seed
        Of the chance.
    sheet
        What `centres` gives.
    silent
        (n_hexes,) hexagons whose neurons never fire.
    """
    row, col, x, _ = centres() if sheet is None else sheet
    since = np.arange(1, n_bins + 1)[:, None] * BIN_MS
    share = np.zeros((n_bins, len(x)))
    for arrival in arrivals:
        t = np.maximum(np.nan_to_num(since - arrival, nan=0.0), 0.0)
        course = -np.expm1(-t / _RISE_MS) * np.exp(-t / _TAIL_MS)
        share = np.maximum(share, _PEAK * course / 0.62)
    share = np.minimum(share + rest, 1.0)
    if silent is not None:
        share[:, silent] = 0.0
    counts = np.random.default_rng(seed).binomial(n_neurons, share)
    return cube_of(counts, row=row, col=col, n_neurons=n_neurons, bin_ms=BIN_MS)
