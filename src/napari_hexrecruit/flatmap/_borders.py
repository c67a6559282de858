"""Borders between areas: single edges, joined to long lines or to rings around each area."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Labels = npt.NDArray[np.integer]

_SIDES = (
    # step to the neighbour (row, column), and the two ends of the side, counter-clockwise (y up)
    ((1, 0), (1, 0), (1, 1)),
    ((0, 1), (1, 1), (0, 1)),
    ((-1, 0), (0, 1), (0, 0)),
    ((0, -1), (0, 0), (1, 0)),
)


@dataclass(frozen=True, eq=False)
class Borders:
    """Edges between areas, and between an area and the outside.

    Attributes
    ----------
    points
        (n_points, 2) x and y.
    start, end
        (n_edges,) points of each edge; the area is on its left.
    own, other
        (n_edges,) area, 0 or more, and the area across the edge, negative for none. An edge between
        two areas appears twice, once for each.
    """

    points: Floats
    start: Indices
    end: Indices
    own: Labels
    other: Labels

    def lines(self) -> list[Floats]:
        """Join all edges, each once, to long lines (n_points, 2); closed if first equals last."""
        once = self.own > self.other
        chains = _join(zip(self.start[once].tolist(), self.end[once].tolist(), strict=True))
        return [_without_middles(self.points[chain]) for chain in chains]

    def rings(self, area: int) -> list[Floats]:
        """Return the closed lines around an area, each (n_points, 2), first point repeated.

        Counter-clockwise around the area, clockwise around its holes. Parts that only touch at a
        corner have separate rings.
        """
        mine = self.own == area
        chains = _trace(self.points, self.start[mine].tolist(), self.end[mine].tolist())
        return [_without_middles(self.points[chain]) for chain in chains]


def pixel_borders(labels: Labels, affine: Floats) -> Borders:
    """Find the borders of an image's areas, along the sides of its pixels.

    Parameters
    ----------
    labels
        (height, width) areas, negative for none.
    affine
        (3, 3), (column, row, 1) of pixel centres to (x, y, 1); y must decrease along the rows.
    """
    height, width = labels.shape
    padded = np.pad(labels, 1, constant_values=-1)
    parts: list[list[npt.NDArray[np.integer]]] = []
    for (down, right), first, second in _SIDES:
        beside = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        row, column = np.nonzero((labels >= 0) & (labels != beside))
        ends = [(row + r) * (width + 1) + column + c for r, c in (first, second)]
        parts.append([*ends, labels[row, column], beside[row, column]])
    start, end, own, other = (np.concatenate(part) for part in zip(*parts, strict=True))
    row, column = np.divmod(np.arange((height + 1) * (width + 1)), width + 1)
    corners = np.stack([column - 0.5, row - 0.5, np.ones(len(row))])
    return Borders((affine @ corners)[:2].T, start, end, own, other)


def _join(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Join edges to chains of points, each edge once: first between junctions, then loops."""
    beside: dict[int, list[int]] = defaultdict(list)
    for a, b in edges:
        beside[a].append(b)
        beside[b].append(a)
    odd = sorted(point for point, others in beside.items() if len(others) % 2)
    chains = []
    for point in [*odd, *sorted(beside)]:
        while beside[point]:
            chain = [point]
            while others := beside[chain[-1]]:
                following = others.pop()
                beside[following].remove(chain[-1])
                chain.append(following)
            chains.append(chain)
    return chains


def _trace(points: Floats, start: list[int], end: list[int]) -> list[list[int]]:
    """Join directed edges to rings; at a fork, take the leftmost edge."""
    following: dict[int, list[int]] = defaultdict(list)
    for a, b in zip(start, end, strict=True):
        following[a].append(b)
    rings = []
    for first in sorted(following):
        while following[first]:
            ring = [first, following[first].pop()]
            while ring[-1] != first:
                ways = following[ring[-1]]
                angles = [_turn(points, ring[-2], ring[-1], way) for way in ways]
                ring.append(ways.pop(angles.index(max(angles))))
            rings.append(ring)
    return rings


def _turn(points: Floats, a: int, b: int, c: int) -> float:
    """Return the angle of the turn to the left at b, on the way from a to c."""
    (x0, y0), (x1, y1) = points[b] - points[a], points[c] - points[b]
    return math.atan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1)


def _without_middles(line: Floats) -> Floats:
    """Remove points of a line that lie straight between their neighbours."""
    steps = np.diff(line, axis=0)
    size = np.hypot(*steps.T)
    bend = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    kept = np.ones(len(line), dtype=bool)
    kept[1:-1] = np.abs(bend) > 1e-9 * size[:-1] * size[1:]
    return line[kept]
