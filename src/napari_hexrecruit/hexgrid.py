"""The hexagons of points in flat space; names, centres, corners and neighbours of hexagons.

The tiling is that of ``conntility.circuit_models.neuron_groups.group_by_grid``: pointy-top regular
hexagons whose *circumradius* (centre to corner) is ``radius``, with one centre at the origin.

A hexagon has two integer addresses. ``(i, j)`` are conntility's grid indices, vertices of a
triangular lattice with ``(j - i) % 3 == 0``; ``(row, col)`` are the numbers in its name
``R{row};C{col}``. Odd rows are shifted to the right by half a hexagon::

    x = radius * sqrt(3) * (i + j) / 2        row = (j - i) / 3
    y = radius * (j - i) / 2                  col = j - ceil(3 * row / 2)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

_SQRT3 = math.sqrt(3.0)
_BLOCK = 1 << 15
"""Points per block, so that intermediate arrays stay in the processor's cache."""
NEAR_EDGE = 1e-9
"""Distance to an edge, in radii, below which a point is placed with conntility's own arithmetic."""
TOO_FAR_OUT = "x and y must be finite and within 2**29 radii of the origin"
_LARGEST_INDEX = 2**30

NEIGHBOURS_IJ = np.array([(1, 1), (-1, 2), (-2, 1), (-1, -1), (1, -2), (2, -1)], dtype=np.int32)
"""Steps (di, dj) to the six neighbours, counter-clockwise from +x."""


@dataclass(frozen=True)
class HexGrid:
    """Regular tiling of flat space with pointy-top hexagons.

    Equal grids place every point in the same hexagon.

    Parameters
    ----------
    radius
        Circumradius: centre to corner, equal to the side, in the units of flat space.
        Centres are ``radius * sqrt(3)`` apart; a hexagon is ``2 * radius`` from corner to corner.
    origin
        (x, y) of the centre of the hexagon ``R0;C0``.

    Raises
    ------
    ValueError
        If the radius is not a positive finite number, or the origin is not two finite numbers.

    Notes
    -----
    A point on an edge or corner belongs to the hexagon that conntility puts it in, which depends on
    rounding; therefore such points are placed with the same arithmetic. All other points belong to
    the nearest centre.

    Examples
    --------
    >>> grid = HexGrid(radius=50.0)
    >>> i, j = grid.xy_to_hex([0.0, 90.0], [0.0, 10.0])
    >>> hex_names(*ij_to_rowcol(i, j)).tolist()
    ['R0;C0', 'R0;C1']
    >>> grid.hex_to_xy(i, j)[0].round(3).tolist()
    [0.0, 86.603]
    """

    radius: float
    origin: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        radius, origin = self.radius, tuple(self.origin)
        if not (_is_number(radius) and math.isfinite(radius) and radius > 0):
            raise ParameterError(
                Parameter("radius"), f"must be a number greater than 0, not {radius!r}"
            )
        if len(origin) != 2 or not all(_is_number(v) and math.isfinite(v) for v in origin):
            raise ParameterError(
                Parameter("origin"), f"must be two finite numbers (x, y), not {self.origin!r}"
            )
        object.__setattr__(self, "radius", float(radius))
        object.__setattr__(self, "origin", (float(origin[0]), float(origin[1])))

    @property
    def spacing(self) -> float:
        """Distance between the centres of neighbouring hexagons: ``radius * sqrt(3)``."""
        return self.radius * _SQRT3

    @property
    def area(self) -> float:
        """Area of one hexagon: ``1.5 * sqrt(3) * radius**2``."""
        return 1.5 * _SQRT3 * self.radius**2

    def xy_to_hex(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Ints, Ints]:
        """Return the grid indices of the hexagon that contains each point.

        Parameters
        ----------
        x, y
            (n_points,) finite coordinates in flat space.

        Returns
        -------
        i, j : (n_points,) int32
            conntility's grid indices.

        Raises
        ------
        ValueError
            If the arrays differ in shape, a coordinate is NaN or infinite, or a point is more than
            2**29 radii from the origin.
        """
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if xs.ndim != 1 or xs.shape != ys.shape:
            raise ValueError(f"x and y must be 1-d and alike, not {xs.shape} and {ys.shape}")
        i = np.empty(xs.shape, dtype=np.int32)
        j = np.empty(xs.shape, dtype=np.int32)
        for block in _blocks(len(xs)):
            i[block], j[block] = self._place(xs[block] - self.origin[0], ys[block] - self.origin[1])
        return i, j

    def hex_to_xy(self, i: npt.ArrayLike, j: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the centres of hexagons.

        Parameters
        ----------
        i, j
            (n_hexes,) grid indices with ``(j - i) % 3 == 0``.

        Returns
        -------
        x, y : (n_hexes,) float64
            Centres in flat space.
        """
        i, j = _checked_ij(i, j)
        half = self.radius / 2.0
        x = _SQRT3 * ((i + j).astype(np.float64) * half) + self.origin[0]
        return x, (j - i).astype(np.float64) * half + self.origin[1]

    def hex_to_corners(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Floats:
        """Return the corners of hexagons, counter-clockwise (y up) from the one at 30 degrees.

        Parameters
        ----------
        i, j
            (n_hexes,) grid indices.

        Returns
        -------
        (n_hexes, 6, 2) float64
            x and y of each corner.
        """
        x, y = self.hex_to_xy(i, j)
        centres = np.stack([x, y], axis=-1)
        return centres[:, None, :] + self.radius * unit_corners()

    def edges_around(self, i: npt.ArrayLike, j: npt.ArrayLike, group: npt.ArrayLike) -> Floats:
        """Return the outer edges of groups of hexagons: across each lies no hexagon of the group.

        Parameters
        ----------
        i, j
            (n_hexes,) grid indices.
        group
            (n_hexes,) number of the group of each hexagon; 0 or False for none.

        Returns
        -------
        (n_edges, 2, 2) float64
            x and y of both ends, counter-clockwise around each group.

        Examples
        --------
        >>> HexGrid(10.0).edges_around([0, 1], [0, 1], [5, 5]).shape
        (10, 2, 2)
        """
        i, j, here = np.asarray(i), np.asarray(j), np.append(np.asarray(group, dtype=np.int64), 0)
        mine = here[:-1, None]
        which, side = np.nonzero((mine != 0) & (mine != here[neighbours(i, j)]))
        corners = self.hex_to_corners(i[which], j[which])
        at = np.arange(len(which))
        return np.stack([corners[at, side - 1], corners[at, side]], axis=1)

    def to_attrs(self) -> dict[str, float]:
        """Return the parameters as plain scalars, for file attributes."""
        return {
            "hex_radius": self.radius,
            "hex_origin_x": self.origin[0],
            "hex_origin_y": self.origin[1],
        }

    @classmethod
    def from_attrs(cls, attrs: Mapping[str, Any]) -> HexGrid:
        """Return the grid that `to_attrs` described; without an origin it is (0, 0)."""
        origin = (float(attrs.get("hex_origin_x", 0.0)), float(attrs.get("hex_origin_y", 0.0)))
        return cls(float(attrs["hex_radius"]), origin)

    def _place(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        u, v = (x / _SQRT3 - y) / self.radius, (x / _SQRT3 + y) / self.radius
        if not (np.abs(u) < _LARGEST_INDEX).all() or not (np.abs(v) < _LARGEST_INDEX).all():
            raise ValueError(TOO_FAR_OUT)
        i, j, margin = _nearest_lattice_hexagon(u, v)
        ties = np.flatnonzero(
            margin < NEAR_EDGE * np.maximum(1.0, np.maximum(np.abs(u), np.abs(v)))
        )
        if ties.size:
            i[ties], j[ties] = place_like_conntility(x[ties], y[ties], self.radius)
        return i, j


def ij_to_rowcol(i: npt.ArrayLike, j: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Return row and column of hexagons, as in their names.

    Parameters
    ----------
    i, j
        (n_hexes,) grid indices with ``(j - i) % 3 == 0``.

    Returns
    -------
    row, col : (n_hexes,) int32

    Raises
    ------
    ValueError
        If a pair of indices is not a hexagon.
    """
    i, j = _checked_ij(i, j)
    row = (j - i) // 3
    return row.astype(np.int32), (j - (3 * row + (row & 1)) // 2).astype(np.int32)


def rowcol_to_ij(row: npt.ArrayLike, col: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Return grid indices of hexagons: the inverse of `ij_to_rowcol`."""
    row, col = np.asarray(row, dtype=np.int64), np.asarray(col, dtype=np.int64)
    j = col + (3 * row + (row & 1)) // 2
    return (j - 3 * row).astype(np.int32), j.astype(np.int32)


def hex_names(row: npt.ArrayLike, col: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return conntility's names of hexagons, ``R{row};C{col}``.

    Examples
    --------
    >>> hex_names([3], [-1]).tolist()
    ['R3;C-1']
    """
    pairs = zip(np.asarray(row).tolist(), np.asarray(col).tolist(), strict=True)
    return np.array([f"R{r};C{c}" for r, c in pairs], dtype=np.str_)


def neighbours(i: npt.ArrayLike, j: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the positions of each hexagon's six neighbours, in the order of `NEIGHBOURS_IJ`.

    Parameters
    ----------
    i, j
        (n_hexes,) grid indices, each pair once.

    Returns
    -------
    (n_hexes, 6) intp
        Positions in the given list; -1 if the neighbour is not in it.

    Examples
    --------
    >>> neighbours([0, 1], [0, 1]).tolist()
    [[1, -1, -1, -1, -1, -1], [-1, -1, -1, 0, -1, -1]]
    """
    i, j = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
    steps = NEIGHBOURS_IJ.astype(np.int64)
    keys, wanted = (i << 32) + j, ((i[:, None] + steps[:, 0]) << 32) + j[:, None] + steps[:, 1]
    order = np.argsort(keys)
    at = order[np.searchsorted(keys, wanted, sorter=order).clip(max=len(keys) - 1)]
    return np.where(keys[at] == wanted, at, -1)


def unit_corners() -> Floats:
    """Return the (6, 2) corners of the pointy-top hexagon of circumradius 1 around (0, 0)."""
    angle = np.deg2rad(30.0 + 60.0 * np.arange(6))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _nearest_lattice_hexagon(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the hexagon of each point, and its distance from the next one in lattice units.

    The lines of constant integer u and v, and the ones halfway between vertices along x, cut the
    plane into triangles; each triangle belongs to the hexagon centred on the one of its corners
    with ``(j - i) % 3 == 0``.
    """
    i, j = np.floor(u), np.floor(v)
    du, dv = u - i, v - j
    kind = np.mod(j - i, 3.0)
    over = du + dv - 1.0
    upper = (kind == 0.0) & (over >= 0.0)
    i += upper | (kind == 1.0)
    j += upper | (kind == 2.0)
    sides = np.minimum(np.minimum(du, 1.0 - du), np.minimum(dv, 1.0 - dv))
    return i, j, np.minimum(sides, np.abs(over))


def place_like_conntility(x: Floats, y: Floats, radius: float) -> tuple[Floats, Floats]:
    """Return hexagons by the exact floating-point steps of conntility's ``bin_hexagonally``.

    This method of ``TriTille`` converts positions to polar coordinates, rotates them by 0 and
    converts them back. Its rounding decides to which side a point on an edge belongs.
    """
    rho, phi = np.sqrt(x * x + y * y), np.arctan2(y, x)
    x, y = rho * np.cos(phi), rho * np.sin(phi)
    u, v = x / _SQRT3 - y, x / _SQRT3 + y
    i, j = np.floor(u / radius), np.floor(v / radius)
    width = _SQRT3 * radius
    upper = (x - (i + j) * width / 2) / width >= 0.5
    kind = np.mod(j - i, 3.0)
    i_step, j_step = upper & (kind == 0.0) | (kind == 1.0), upper & (kind == 0.0) | (kind == 2.0)
    return i + i_step, j + j_step


def _checked_ij(
    i: npt.ArrayLike, j: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    i, j = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
    off = np.flatnonzero((j - i) % 3)
    if off.size:
        at = off[0]
        raise ValueError(
            f"(i, j) = ({i[at]}, {j[at]}) is not a hexagon: j - i must be a multiple of 3"
        )
    return i, j


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(at, min(at + _BLOCK, n)) for at in range(0, n, _BLOCK))
