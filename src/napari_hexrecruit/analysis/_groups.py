"""Groups of activations that belong together, separated by where they began to spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis import _fits
from napari_hexrecruit.analysis._activations import median_of

if TYPE_CHECKING:
    from napari_hexrecruit.analysis._activations import Activations, Links

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_AS_GOOD = 1.25
"""One front explains two groups if its error is at most this many times that of two fronts ..."""
_LEFT_OF_SPREAD = 0.45
"""... and at most this share of the standard deviation of the onsets, an R² of 0.8."""
_LEAST_BINS = 0.3
"""Precision of onsets, in bins: root mean square error of rounding to whole bins."""
_FEW_ACROSS = 0.1
"""A basin with less than this share of its links to another basin is not part of it."""


class Sheet(NamedTuple):
    """Positions of the hexagons, and the requirements for a group.

    Attributes
    ----------
    xy
        (n_hexes, 2) centres.
    min_hexes
        Fewest hexagons that a group reaches.
    lead
        Bins for which activity must spread before it meets earlier activity, to be a group of its
        own.
    """

    xy: Floats
    min_hexes: int
    lead: float


def groups(found: Activations, links: Links, sheet: Sheet) -> Ints:
    """Return the group of each activation: 0, 1, ... by first onset; -1 for none."""
    n = len(found.hex)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    flooded, met = _flooded(_smooth(found.onset, links), links, sheet)
    joined = _joined(flooded, met, found, sheet)
    _, group = np.unique(joined, return_inverse=True)
    pairs = np.unique(np.stack([group, found.hex]), axis=1)
    n_hexes = np.bincount(pairs[0])
    onset = np.full(len(n_hexes), np.inf)
    np.minimum.at(onset, group, found.onset)
    order = np.lexsort((np.arange(len(onset)), onset))
    order = order[n_hexes[order] >= sheet.min_hexes]
    number = np.full(len(n_hexes), -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return np.asarray(number[group])


def _smooth(onset: Floats, links: Links) -> Floats:
    """Return the (n,) lower median of the onsets of each activation and those linked to it."""
    n = len(onset)
    owner = np.concatenate([np.arange(n), links.one, links.other])
    values = onset[np.concatenate([np.arange(n), links.other, links.one])]
    return median_of(owner, values, n)


def _flooded(onset: Floats, links: Links, sheet: Sheet) -> tuple[Ints, set[tuple[int, int]]]:
    """Return the root of each activation, and the pairs of roots that touch but did not merge.

    Activations are added in the order of their onsets, as water rises. An activation without links
    to earlier ones begins a basin; others join the basin to which they have most links.
    """
    basins = _Basins(onset.tolist(), sheet)
    near = _neighbours(len(onset), links)
    wet = np.zeros(len(onset), dtype=bool)
    for at in np.lexsort((np.arange(len(onset)), onset)).tolist():
        wet[at] = True
        basins.add(at, [k for k in near[at] if wet[k]])
    root = np.array([basins.top(k) for k in range(len(onset))])
    return root, {(a, b) for a in np.unique(root).tolist() for b in basins.across[a] if a < b}


class _Basins:
    """Basins of linked activations, and the number of links between basins.

    When basins touch, the later one becomes part of the earlier one if it is small or has not led
    for long, and if more than a few of its links lead there. (Two waves that pass a hexagon in
    quick succession can have a single onset there, which links them.)
    """

    def __init__(self, onset: list[float], sheet: Sheet) -> None:
        self.across: list[dict[int, int]] = [{} for _ in onset]
        self._onset, self._sheet = onset, sheet
        self._root = list(range(len(onset)))
        self._size, self._inside = [1] * len(onset), [0] * len(onset)

    def top(self, at: int) -> int:
        """Return the root of an activation."""
        root = self._root
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    def add(self, at: int, others: list[int]) -> None:
        """Add an activation with its links to earlier ones."""
        counts: dict[int, int] = {}
        for k in others:
            root = self.top(k)
            counts[root] = counts.get(root, 0) + 1
        if not counts:
            return
        most = max(counts, key=lambda root: (counts[root], -self._onset[root]))
        self._inside[most] += counts.pop(most)
        self._merge(at, most)
        for root, n in counts.items():
            here, there = self.top(at), self.top(root)
            if here == there:
                self._inside[here] += n
                continue
            for one, other in ((here, there), (there, here)):
                self.across[one][other] = self.across[one].get(other, 0) + n
            late, early = sorted((here, there), key=lambda k: (-self._onset[k], k))
            if not self._stands_alone(late, early, self._onset[at]):
                self._merge(late, early)

    def _stands_alone(self, late: int, early: int, now: float) -> bool:
        n = self.across[late][early]
        if n < _FEW_ACROSS * (n + self._inside[late]):
            return True
        led = now - self._onset[late] >= self._sheet.lead
        return self._size[late] >= self._sheet.min_hexes and led

    def _merge(self, late: int, early: int) -> None:
        self._root[late] = early
        self._size[early] += self._size[late]
        self._inside[early] += self._inside[late] + self.across[late].pop(early, 0)
        self.across[early].pop(late, None)
        for other, n in self.across[late].items():
            self.across[other].pop(late)
            for one, two in ((early, other), (other, early)):
                self.across[one][two] = self.across[one].get(two, 0) + n
        self.across[late] = {}


def _neighbours(n: int, links: Links) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in zip(links.one.tolist(), links.other.tolist(), strict=True):
        near[a].append(b)
        near[b].append(a)
    return near


def _joined(
    root: Ints, met: set[tuple[int, int]], found: Activations, sheet: Sheet
) -> npt.NDArray[np.int64]:
    """Return the roots after joining groups that met and are parts of one front.

    A straight front that enters an irregular sheet begins at several places along its rim.
    """
    joined = root.copy()
    for pair in sorted(met):
        a, b = (int(joined[k]) for k in pair)
        if a != b and _is_one_front(joined == a, joined == b, found, sheet):
            joined[joined == b] = a
    return joined


def _is_one_front(
    a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_], found: Activations, sheet: Sheet
) -> bool:
    parts = [_left(which, found, sheet) for which in (a, b)]
    both = found.onset[a | b]
    apart = max(_LEAST_BINS, float(np.sqrt(sum(parts) / len(both))))
    left = float(np.sqrt(_left(a | b, found, sheet) / len(both)))
    return left <= min(_AS_GOOD * apart, _LEFT_OF_SPREAD * float(both.std()))


def _left(which: npt.NDArray[np.bool_], found: Activations, sheet: Sheet) -> float:
    """Return the residual sum of squares of the better of both fronts, bins squared."""
    x, y = sheet.xy[found.hex[which]].T
    points = _fits.Points(x, y, found.onset[which], np.ones(len(x)))
    if len(x) < 4 or _fits.is_line(points):
        return 0.0
    trends = [_fits.plane(points), _fits.radial(points)]
    return min(float(trend.residuals @ trend.residuals) for trend in trends)
