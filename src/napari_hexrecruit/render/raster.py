"""Coverage of pixels by hexagons. Pixels are counted from the top left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.hexgrid import HexGrid

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_SAMPLES = 16
_CHUNK = 1 << 14
_LARGEST_TABLE = 1 << 22


@dataclass(frozen=True)
class View:
    """A window of flat space on a box of pixels: equal aspect, y up.

    Parameters
    ----------
    x_left, y_top
        Flat coordinates of the upper left corner of the box.
    scale
        Flat units per pixel.
    width, height
        Size of the box, px.
    """

    x_left: float
    y_top: float
    scale: float
    width: int
    height: int

    @classmethod
    def fitted(cls, bounds: tuple[float, float, float, float], width: int, height: int) -> View:
        """Make the largest view that shows (x_min, x_max, y_min, y_max), centred in the box."""
        x0, x1, y0, y1 = bounds
        scale = max((x1 - x0) / width, (y1 - y0) / height)
        x_left = (x0 + x1 - scale * width) / 2.0
        y_top = (y0 + y1 + scale * height) / 2.0
        return cls(x_left, y_top, scale, width, height)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Flat (x_min, x_max, y_min, y_max) of the box."""
        x1, y0 = self.to_flat(self.width, self.height)
        return self.x_left, float(x1), float(y0), self.y_top

    def to_flat(self, px: npt.ArrayLike, py: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Convert points of the box to flat coordinates; the first pixel's centre is (0.5, 0.5)."""
        x = self.x_left + np.asarray(px, dtype=np.float64) * self.scale
        return x, self.y_top - np.asarray(py, dtype=np.float64) * self.scale

    def to_pixels(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Convert flat coordinates to points of the box: the inverse of `to_flat`."""
        px = (np.asarray(x, dtype=np.float64) - self.x_left) / self.scale
        return px, (self.y_top - np.asarray(y, dtype=np.float64)) / self.scale


@dataclass(frozen=True)
class Coverage:
    """Share of each pixel of a view that each hexagon covers.

    Parameters
    ----------
    owner
        (height, width) intp, the hexagon at the centre of the pixel; ``n_hexes`` if there is none.
    n_hexes
        Number of hexagons.
    mixed
        (n_mixed,) intp, flat positions of the pixels on a border, those with the most hexagons
        first. Pixels without any hexagon are not included.
    shares
        For the first, second, ... hexagon of these pixels: its index and the share of the pixel
        that it covers (0 to 1), for the leading pixels that have that many hexagons.
    """

    owner: Indices
    n_hexes: int
    mixed: Indices
    shares: tuple[tuple[Indices, npt.NDArray[np.float32]], ...]


def cover(view: View, grid: HexGrid, i: npt.ArrayLike, j: npt.ArrayLike) -> Coverage:
    """Find which hexagons cover each pixel.

    Parameters
    ----------
    view
        Window of flat space.
    grid
        Tiling.
    i, j
        (n_hexes,) grid indices of the hexagons to show; other hexagons of the tiling are empty.

    Returns
    -------
    Coverage
        Its `owner` is the hexagon that ``grid.xy_to_hex`` gives for the centre of the pixel.
    """
    index = _HexIndex(np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64))
    x, y = view.to_flat(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    owner = np.empty((view.height, view.width), dtype=np.intp)
    on_edge = np.empty(owner.shape, dtype=bool)
    rows = max(1, _CHUNK * 4 // view.width)
    for top in range(0, view.height, rows):
        part = slice(top, top + rows)
        xs, ys = (a.ravel() for a in np.meshgrid(x, y[part]))
        at_i, at_j = grid.xy_to_hex(xs, ys)
        owner[part] = index.of(at_i, at_j).reshape(-1, view.width)
        near = _edge_distance(grid, xs, ys, at_i, at_j) < view.scale * math.sqrt(0.5)
        on_edge[part] = near.reshape(-1, view.width)
    mixed, shares = _shares(view, grid, index, np.flatnonzero(on_edge))
    return Coverage(owner, index.n, mixed, shares)


class _HexIndex:
    """Look-up from grid indices to positions in the list of hexagons; ``n`` if not listed."""

    def __init__(self, i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]) -> None:
        self.n = len(i)
        self._low = i.min() - 1, j.min() - 1
        self._shape = int(i.max() - i.min()) + 3, int(j.max() - j.min()) + 3
        keys = self._keys(i, j)
        self._dense = self._shape[0] * self._shape[1] <= _LARGEST_TABLE
        if self._dense:
            self._table = np.full(self._shape[0] * self._shape[1], self.n, dtype=np.intp)
            self._table[keys] = np.arange(self.n)
        else:
            self._order = np.argsort(keys, kind="stable")
            self._sorted = keys[self._order]

    def of(self, i: npt.NDArray[np.int32], j: npt.NDArray[np.int32]) -> Indices:
        keys = self._keys(i, j)
        if self._dense:
            owners: Indices = self._table[keys]
            return owners
        at = np.minimum(np.searchsorted(self._sorted, keys), self.n - 1)
        found: Indices = np.where(self._sorted[at] == keys, self._order[at], self.n)
        return found

    def _keys(self, i: npt.ArrayLike, j: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return one number per pair; pairs outside the listed range map to the empty rim."""
        left = np.clip(np.asarray(i, dtype=np.int64) - self._low[0], 0, self._shape[0] - 1)
        right = np.clip(np.asarray(j, dtype=np.int64) - self._low[1], 0, self._shape[1] - 1)
        keys: npt.NDArray[np.int64] = left * self._shape[1] + right
        return keys


def _edge_distance(
    grid: HexGrid, x: Floats, y: Floats, i: npt.ArrayLike, j: npt.ArrayLike
) -> Floats:
    """Return the distance of points to the border of their hexagon."""
    cx, cy = grid.hex_to_xy(i, j)
    dx, dy = np.abs(x - cx), np.abs(y - cy)
    return grid.spacing / 2.0 - np.maximum(dx, dx / 2.0 + dy * (math.sqrt(3.0) / 2.0))


def _shares(
    view: View, grid: HexGrid, index: _HexIndex, pixels: Indices
) -> tuple[Indices, tuple[tuple[Indices, npt.NDArray[np.float32]], ...]]:
    """Estimate the shares of hexagons in these pixels by sampling."""
    offsets = _sample_offsets()
    parts = []
    for start in range(0, len(pixels), _CHUNK):
        part = pixels[start : start + _CHUNK]
        px = (part % view.width)[:, None] + offsets[:, 0]
        py = (part // view.width)[:, None] + offsets[:, 1]
        owners = index.of(*grid.xy_to_hex(*(a.ravel() for a in view.to_flat(px, py))))
        parts.append(_runs(np.sort(owners.reshape(-1, _SAMPLES), axis=1), index.n))
    n_slots = max((own.shape[1] for own, _ in parts), default=0)
    own = _stacked([own for own, _ in parts], n_slots, index.n)
    count = _stacked([count for _, count in parts], n_slots, 0)
    return _by_number_of_owners(pixels, own, count)


def _runs(owners: Indices, nobody: int) -> tuple[Indices, Indices]:
    """Return the distinct owners in each row of sorted owners, and their counts."""
    n = len(owners)
    first = np.ones(owners.shape, dtype=bool)
    first[:, 1:] = owners[:, 1:] != owners[:, :-1]
    first &= owners < nobody
    slot = np.cumsum(first, axis=1) - 1
    n_slots = int(slot.max(initial=-1)) + 1
    own = np.full((n, n_slots), nobody, dtype=np.intp)
    row, column = np.nonzero(first)
    own[row, slot[row, column]] = owners[row, column]
    row, column = np.nonzero(owners < nobody)
    count = np.bincount(row * n_slots + slot[row, column], minlength=n * n_slots)
    return own, count.reshape(n, n_slots)


def _stacked(parts: Sequence[Indices], n_slots: int, fill: int) -> Indices:
    """Stack the rows of all parts, each padded to `n_slots`."""
    rows = [np.empty((0, n_slots), dtype=np.intp)]
    for part in parts:
        missing = ((0, 0), (0, n_slots - part.shape[1]))
        rows.append(np.pad(part, missing, constant_values=fill))
    return np.concatenate(rows)


def _by_number_of_owners(
    pixels: Indices, own: Indices, count: Indices
) -> tuple[Indices, tuple[tuple[Indices, npt.NDArray[np.float32]], ...]]:
    n_owners = np.count_nonzero(count, axis=1)
    order = np.argsort(-n_owners, kind="stable")
    order = order[n_owners[order] > 0]
    n_owners = n_owners[order]
    shares = []
    for slot in range(int(n_owners.max(initial=0))):
        rows = order[: int(np.count_nonzero(n_owners > slot))]
        share = count[rows, slot].astype(np.float32) / np.float32(_SAMPLES)
        shares.append((np.ascontiguousarray(own[rows, slot]), share))
    return pixels[order], tuple(shares)


def _sample_offsets() -> Floats:
    """Return (n_samples, 2) points of a pixel, one per row and column (Hammersley)."""
    k = np.arange(_SAMPLES)
    bits = int(math.log2(_SAMPLES))
    reverse = sum(((k >> b) & 1) << (bits - 1 - b) for b in range(bits))
    return (np.stack([k, reverse], axis=1) + 0.5) / _SAMPLES
