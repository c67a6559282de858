"""Picked hexagons: which one is at a place, and the colours that tell them apart.

Knows nothing of napari or Qt.
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
"""Hues that colour-blind readers tell apart, too: Okabe and Ito's palette without black.

M. Okabe and K. Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/
"""
DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 1.5), (1.0, 1.2))
"""Lines and gaps, in line widths: all colours solid first, then all dashed, then all dotted."""
MOST_LINES = 3 * len(COLOURS) * len(DASHES)
"""More picks have neither lines nor colours of their own: they could not be told apart."""
_TOGETHER = "#FFFFFF"
_SAME_PLACE = 1e-6
"""Distance from the grid's own centre, in radii, up to which a hexagon lies on the grid."""
_SQRT3 = math.sqrt(3.0)


def colour_of(slot: int) -> str:
    """Colour of a pick, as ``#RRGGBB``; they begin again after seven."""
    return COLOURS[slot % len(COLOURS)]


def colours_of(slots: Sequence[int]) -> list[str]:
    """Colours of the outlines of all picks; white where there are more than `MOST_LINES`."""
    many = len(slots) > MOST_LINES
    return [_TOGETHER if many else colour_of(slot) for slot in slots]


def dash_of(slot: int) -> tuple[float, ...]:
    """Dashes of the line of a pick; they change where the colours begin again."""
    return DASHES[slot // len(COLOURS) % len(DASHES)]


def give_slots(names: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """Number the picks, so that each keeps its colour while others come and go.

    Parameters
    ----------
    names
        What is picked, each once.
    before
        Numbers of what was picked before.

    Returns
    -------
    dict
        Number by name, in the order of the names: the former one, or else the lowest that is free.
        A former number that is only needed for more picks than there are is given back, so that
        few picks have plain colours.

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
    """Finds hexagons by place.

    Parameters
    ----------
    x, y
        (n_hexes,) centres.
    grid
        The tiling; for columns of an atlas its hexagons only have the size of those drawn.
    index_of
        Position of the hexagon with grid indices (i, j); None where hexagons lie beside the grid,
        as columns of an atlas do.
    """

    x: Floats
    y: Floats
    grid: HexGrid
    index_of: Mapping[tuple[int, int], int] | None

    @classmethod
    def of(cls, cube: xr.Dataset) -> HexLookup:
        """Make the one for the hexagons of a cube."""
        grid = HexGrid.from_attrs(cube.attrs)
        i, j = cube["i"].values, cube["j"].values
        x, y = cube["x"].values, cube["y"].values
        if not _is_on(grid, i, j, x, y):
            return cls(x, y, grid, None)
        pairs = zip(i.tolist(), j.tolist(), strict=True)
        return cls(x, y, grid, {pair: index for index, pair in enumerate(pairs)})

    def at(self, x: float, y: float) -> int | None:
        """Find the hexagon that a place lies in.

        Parameters
        ----------
        x, y
            Flat position.

        Returns
        -------
        int or None
            Position on the hex axis. On a regular grid the cost does not depend on the number of
            hexagons, and edges belong to the hexagon that neurons there would belong to. Of columns
            of an atlas, whose hexagons may overlap, it is the one with the nearest centre.
        """
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        if self.index_of is None:
            return self._nearest(x, y)
        try:
            i, j = self.grid.xy_to_hex([x], [y])
        except ValueError:  # far outside of any sheet
            return None
        return self.index_of.get((int(i[0]), int(j[0])))

    def inside(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Find the hexagons whose centres lie within a polygon.

        Parameters
        ----------
        x, y
            (n_corners,) corners in order; the last is joined with the first. Where the line goes
            around twice, as the ends of a lasso often do, is inside, too.

        Returns
        -------
        (n,) intp
            Ascending positions on the hex axis; none for fewer than three corners.
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
    """(n_places,) how often a closed line goes around each place, counter-clockwise.

    Counts the sides that cross the ray from the place to +x, upward ones as 1, downward ones as -1.
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
    """Position of each hexagon of a cube on its hex axis, by name."""
    return {name: index for index, name in enumerate(cube[HEX].values.astype(str).tolist())}
