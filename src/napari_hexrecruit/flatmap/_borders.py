"""Borders between areas: single edges, joined into long lines or into rings around each area."""

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
    # step to the neighbour (row, column), and the side's two ends, counter-clockwise with y up
    ((1, 0), (1, 0), (1, 1)),
    ((0, 1), (1, 1), (0, 1)),
    ((-1, 0), (0, 1), (0, 0)),
    ((0, -1), (0, 0), (1, 0)),
)


@dataclass(frozen=True, eq=False)
class Borders:
    """Edges of areas towards what is not the same area.

    Attributes
    ----------
    points
        (n_points, 2) x and y.
    start, end
        (n_edges,) points of each edge; the area is on its left.
    own, other
        (n_edges,) the area, 0 or more, and what is beyond the edge, negative for nothing. An edge
        between two areas is there twice, once for each.
    """

    points: Floats
    start: Indices
    end: Indices
    own: Labels
    other: Labels

    def lines(self) -> list[Floats]:
        """Every edge once, in long lines; each (n_points, 2), closed where first equals last."""
        once = self.own > self.other
        chains = _join(zip(self.start[once].tolist(), self.end[once].tolist(), strict=True))
        return [_without_middles(self.points[chain]) for chain in chains]

    def rings(self, area: int) -> list[Floats]:
        """Closed lines around an area, each (n_points, 2) with the first point again at the end.

        Counter-clockwise around the area, clockwise around its holes. Parts that touch at a corner
        only have a ring each.
        """
        mine = self.own == area
        chains = _trace(self.points, self.start[mine].tolist(), self.end[mine].tolist())
        return [_without_middles(self.points[chain]) for chain in chains]


def pixel_borders(labels: Labels, affine: Floats) -> Borders:
    """Borders of the areas of an image, along the sides of its pixels.

    Parameters
    ----------
    labels
        (height, width); negative is none.
    affine
        (3, 3), (column, row, 1) of pixel centres to (x, y, 1); y must fall along the rows.
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
    """Chains of points that use every edge once: first those between junctions, then loops."""
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
    """Rings of directed edges; where two ways go on, the one further to the left."""
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
    """Angle to the left on the way from a over b to c."""
    (x0, y0), (x1, y1) = points[b] - points[a], points[c] - points[b]
    return math.atan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1)


def _without_middles(line: Floats) -> Floats:
    """The line without points that lie straight between their neighbours."""
    steps = np.diff(line, axis=0)
    size = np.hypot(*steps.T)
    bend = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    kept = np.ones(len(line), dtype=bool)
    kept[1:-1] = np.abs(bend) > 1e-9 * size[:-1] * size[1:]
    return line[kept]
