"""Picked hexagons: find one by position, and give each its own colour.

Knows neither napari nor Qt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.schema import HEX

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442")
"""Hues that colour-blind readers can also tell apart: Okabe and Ito's palette without black.

M. Okabe and K. Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/
"""
DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 1.5), (1.0, 1.2))
"""Dashes and gaps, in line widths. All colours come first solid, then dashed, then dotted."""
MOST_LINES = 3 * len(COLOURS) * len(DASHES)
"""With more picks, none has its own line or colour: readers could not tell them apart."""
_TOGETHER = "#FFFFFF"
_SAME_PLACE = 1e-6
"""Largest distance, in radii, between a hexagon on the grid and the grid's own centre."""
_SQRT3 = math.sqrt(3.0)


def colour_of(slot: int) -> str:
    """Return the colour of a pick, as ``#RRGGBB``; colours repeat after seven."""
    return COLOURS[slot % len(COLOURS)]


def colours_of(slots: Sequence[int]) -> list[str]:
    """Return the colours of the outlines of all picks; white for more than `MOST_LINES` picks."""
    many = len(slots) > MOST_LINES
    return [_TOGETHER if many else colour_of(slot) for slot in slots]


def dash_of(slot: int) -> tuple[float, ...]:
    """Return the dashes of the line of a pick; they change each time the colours repeat."""
    return DASHES[slot // len(COLOURS) % len(DASHES)]


def give_slots(names: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """Number the picks, so that each keeps its colour when others are added or removed.

    Parameters
    ----------
    names
        Names of the picked hexagons, without repetition.
    before
        Numbers of the previous picks, by name.

    Returns
    -------
    dict
        Number by name, in the order of the names: the previous number, or else the lowest free one.
        A pick gives up a number that is too high for the number of picks, so that few picks have
        solid lines.

    Examples
    --------
    >>> give_slots(["c", "b", "d"], {"a": 0, "b": 1, "c": 2})
    {'c': 2, 'b': 1, 'd': 0}
    """
    wanted = list(names)
    end = max(len(wanted), len(COLOURS))
    kept = {name: before[name] for name in wanted if before.get(name, end) < end}
    taken = set(kept.values())
    free = (slot for slot in range(end) if slot not in taken)
    return {name: kept[name] if name in kept else next(free) for name in wanted}


@dataclass(frozen=True, eq=False)
class HexLookup:
    """Finds hexagons by position.

    Parameters
    ----------
    x, y
        (n_hexes,) centres.
    grid
        The tiling; for columns of an atlas it gives only the size of the drawn hexagons.
    index_of
        Position on the hex axis of the hexagon with grid indices (i, j); None if the hexagons do
        not lie on the grid, like columns of an atlas.
    """

    x: Floats
    y: Floats
    grid: HexGrid
    index_of: Mapping[tuple[int, int], int] | None

    @classmethod
    def of(cls, cube: xr.Dataset) -> HexLookup:
        """Make the lookup for the hexagons of a cube."""
        grid = HexGrid.from_attrs(cube.attrs)
        i, j = cube["i"].values, cube["j"].values
        x, y = cube["x"].values, cube["y"].values
        if not _is_on(grid, i, j, x, y):
            return cls(x, y, grid, None)
        pairs = zip(i.tolist(), j.tolist(), strict=True)
        return cls(x, y, grid, {pair: index for index, pair in enumerate(pairs)})

    def at(self, x: float, y: float) -> int | None:
        """Find the hexagon that contains a point.

        Parameters
        ----------
        x, y
            Flat position.

        Returns
        -------
        int or None
            Position on the hex axis; None outside of all hexagons. On a regular grid the cost does
            not depend on the number of hexagons, and a point on an edge belongs to the same hexagon
            as a neuron there. Hexagons of columns of an atlas can overlap; then it is the one with
            the nearest centre.
        """
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        if self.index_of is None:
            return self._nearest(x, y)
        try:
            i, j = self.grid.xy_to_hex([x], [y])
        except ValueError:  # far outside of any cortical sheet
            return None
        return self.index_of.get((int(i[0]), int(j[0])))

    def inside(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Find the hexagons whose centres lie within a polygon.

        Parameters
        ----------
        x, y
            (n_corners,) corners in order; the last is joined to the first. An area that the line
            encloses twice, as the ends of a lasso often do, counts as inside.

        Returns
        -------
        (n,) intp
            Ascending positions on the hex axis; empty for fewer than three corners.
        """
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if len(xs) < 3:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero(_winding(xs, ys, self.x, self.y))

    def _nearest(self, x: float, y: float) -> int | None:
        dx, dy = np.abs(self.x - x), np.abs(self.y - y)
        nearest = int(np.argmin(dx * dx + dy * dy))
        across = max(dx[nearest], 0.5 * dx[nearest] + 0.5 * _SQRT3 * dy[nearest])
        return nearest if across <= 0.5 * _SQRT3 * self.grid.radius else None


def _winding(x: Floats, y: Floats, at_x: Floats, at_y: Floats) -> npt.NDArray[np.int64]:
    """Return how often a closed line winds counter-clockwise around each point, (n_points,).

    Counts the sides that cross the ray from the point to +x: an upward side as 1, a downward one as
    -1.
    """
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    turns = np.zeros(len(at_x), dtype=np.int64)
    for xa, ya, xb, yb in zip(x, y, x2, y2, strict=True):
        left = (xb - xa) * (at_y - ya) - (at_x - xa) * (yb - ya)
        turns += (ya <= at_y) & (at_y < yb) & (left > 0)
        turns -= (yb <= at_y) & (at_y < ya) & (left < 0)
    return turns


def _is_on(
    grid: HexGrid, i: npt.ArrayLike, j: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike
) -> bool:
    try:
        grid_x, grid_y = grid.hex_to_xy(i, j)
    except ValueError:
        return False
    away = np.maximum(np.abs(grid_x - np.asarray(x)), np.abs(grid_y - np.asarray(y)))
    return bool(away.max(initial=0.0) <= _SAME_PLACE * grid.radius)


def positions_of(cube: xr.Dataset) -> dict[str, int]:
    """Return the position of each hexagon of a cube on its hex axis, by name."""
    return {name: index for index, name in enumerate(cube[HEX].values.astype(str).tolist())}
