"""The sheet of a story: hexagons of two areas, and the path of a wave over them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.hexgrid import NEIGHBOURS_IJ, HexGrid, hex_names, ij_to_rowcol, rowcol_to_ij

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

WaveKind = Literal["radial", "plane"]

RADIUS_UM = 50.0
"""Circumradius of the hexagons with known numbers."""
GRID = HexGrid(RADIUS_UM)


class _Area(NamedTuple):
    """A blob with the outline ``size * (1 + sum of a * cos(k * angle - phase))`` around the centre.

    Lengths are in units of the sheet, angles in degrees.
    """

    region: str
    centre: tuple[float, float]
    size: float
    harmonics: tuple[tuple[int, float, float], ...]
    gain: float

    def contains(self, u: Floats, v: Floats) -> Bools:
        du, dv = u - self.centre[0], v - self.centre[1]
        angle = np.arctan2(dv, du)
        outline = 1.0 + sum(a * np.cos(k * angle - math.radians(p)) for k, a, p in self.harmonics)
        inside: Bools = np.hypot(du, dv) < self.size * outline
        return inside

    @property
    def surface(self) -> float:
        return math.pi * self.size**2 * (1.0 + sum(a * a for _, a, _ in self.harmonics) / 2.0)


_AREAS = (
    _Area("S1FL", (1.35, 1.10), 1.0, ((2, 0.25, 50.0), (3, 0.14, 203.0), (5, 0.04, 20.0)), 1.0),
    _Area("S1HL", (2.74, 2.12), 0.54, ((2, 0.22, 262.0), (3, 0.13, 55.0)), 0.7),
)
_SOURCE = (0.62, 0.52)
_SILENT_AT = (1.55, 0.85)
_PLANE_DIRECTION_DEG = 25.0

REGIONS = tuple(area.region for area in _AREAS)
_SILENT_SHARE = 0.035
_UNREACHED_SHARE = 0.3
_LOSS = 0.3
"""Share of its strength that a wave loses from one end of the sheet to the other."""
_PATCH_DEPTH, _PATCH_SIZE = 0.25, 0.42
"""Share of strength lost between patches, and the patches' spacing in units of the sheet."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Hexagons with neurons, in the order of a cube: by row, then column.

    Attributes
    ----------
    names
        (n_hexes,) names as in a cube, ``R3;C1``.
    row, col, i, j
        (n_hexes,) int32 addresses; see `napari_hexrecruit.HexGrid`.
    x_um, y_um
        (n_hexes,) centres in flat space, µm.
    region
        (n_hexes,) int, index into `REGIONS` of the hexagon's area.
    edge
        (n_hexes,) bool, hexagons at the rim of their area.
    silent
        (n_hexes,) bool, hexagons whose neurons never fire.
    reached
        (n_hexes,) bool, hexagons that a wave reaches and that are not silent.
    distance_um
        (n_hexes,) distance that a wave runs to the centre, µm.
    strength
        (n_hexes,) remaining strength of a wave, 0 to 1; 0 in hexagons that it does not reach.
    source_um
        (x, y) where a radial wave starts, µm.
    direction_deg
        Direction of a plane wave, degrees from +x towards +y; None for a radial wave.
    """

    names: npt.NDArray[np.str_]
    row: Ints
    col: Ints
    i: Ints
    j: Ints
    x_um: Floats
    y_um: Floats
    region: npt.NDArray[np.intp]
    edge: Bools
    silent: Bools
    reached: Bools
    distance_um: Floats
    strength: Floats
    source_um: tuple[float, float]
    direction_deg: float | None

    @property
    def n_hexes(self) -> int:
        """Number of hexagons."""
        return len(self.names)

    @property
    def length_um(self) -> float:
        """Distance that a wave runs from its start to the far end of the sheet, µm."""
        return float(self.distance_um.max())


def make_sheet(n_hexes: int, wave: WaveKind) -> Sheet:
    """Make a sheet of two areas, with a gap between them and a silent patch in the larger one.

    Parameters
    ----------
    n_hexes
        Approximate number of hexagons; the sheet is scaled so that this many have their centre in
        an area.
    wave
        ``"radial"`` for waves that spread in circles, ``"plane"`` for straight fronts.

    Returns
    -------
    Sheet
    """
    scale = math.sqrt(n_hexes * GRID.area / sum(area.surface for area in _AREAS))
    i, j, region = _hexes_in_areas(scale)
    x, y = GRID.hex_to_xy(i, j)
    source = (_SOURCE[0] * scale, _SOURCE[1] * scale)
    silent = _patch(x, y, region == 0, (_SILENT_AT[0] * scale, _SILENT_AT[1] * scale))
    distance = _distance(x, y, source, wave)
    reached = _reached(distance, region) & ~silent
    row, col = ij_to_rowcol(i, j)
    return Sheet(
        names=hex_names(row, col),
        row=row,
        col=col,
        i=i,
        j=j,
        x_um=x,
        y_um=y,
        region=region,
        edge=_edge(i, j, region),
        silent=silent,
        reached=reached,
        distance_um=distance,
        strength=reached * _strength(x / scale, y / scale, region, distance),
        source_um=source,
        direction_deg=_PLANE_DIRECTION_DEG if wave == "plane" else None,
    )


def _hexes_in_areas(scale: float) -> tuple[Ints, Ints, npt.NDArray[np.intp]]:
    """Return the hexagons whose centre is in an area, by row and column, and their areas."""
    n_rows, n_cols = (math.ceil(4.0 * scale / step) for step in (1.5 * RADIUS_UM, GRID.spacing))
    row, col = (a.ravel() for a in np.mgrid[0:n_rows, 0:n_cols])
    i, j = rowcol_to_ij(row, col)
    x, y = GRID.hex_to_xy(i, j)
    inside = np.stack([area.contains(x / scale, y / scale) for area in _AREAS])
    kept = inside.any(axis=0)
    return i[kept], j[kept], inside[:, kept].argmax(axis=0)


def _patch(x: Floats, y: Floats, among: Bools, at: tuple[float, float]) -> Bools:
    """Return which hexagons are the few of an area nearest to a point."""
    far = np.where(among, np.hypot(x - at[0], y - at[1]), np.inf)
    chosen = np.zeros(len(x), dtype=bool)
    chosen[np.argsort(far, kind="stable")[: max(1, round(_SILENT_SHARE * among.sum()))]] = True
    return chosen


def _distance(x: Floats, y: Floats, source: tuple[float, float], wave: WaveKind) -> Floats:
    dx, dy = x - source[0], y - source[1]
    if wave == "radial":
        return np.hypot(dx, dy)
    angle = math.radians(_PLANE_DIRECTION_DEG)
    along: Floats = dx * math.cos(angle) + dy * math.sin(angle)
    return np.asarray(along - along.min())


def _reached(distance: Floats, region: npt.NDArray[np.intp]) -> Bools:
    """Return which hexagons a wave reaches: the first area and the nearer part of the second."""
    limit = np.quantile(distance[region == 1], 1.0 - _UNREACHED_SHARE)
    return np.asarray((region == 0) | (distance <= limit))


def _strength(u: Floats, v: Floats, region: npt.NDArray[np.intp], distance: Floats) -> Floats:
    """Return the wave's strength: lower in the second area, with distance and between patches."""
    gain = np.array([area.gain for area in _AREAS])[region]
    a, b = (2.0 * math.pi / _PATCH_SIZE * w for w in (0.96 * u + 0.28 * v, 0.80 * v - 0.60 * u))
    between = 0.5 - 0.25 * (np.sin(a) + np.sin(b))
    loss = 1.0 - _LOSS * distance / distance.max()
    return np.asarray(gain * loss * (1.0 - _PATCH_DEPTH * between))


def _edge(i: Ints, j: Ints, region: npt.NDArray[np.intp]) -> Bools:
    """Return which hexagons lack a neighbour in their own area."""
    hexes = list(zip(i.tolist(), j.tolist(), region.tolist(), strict=True))
    members, steps = set(hexes), NEIGHBOURS_IJ.tolist()
    return np.array([any((a + s, b + t, r) not in members for s, t in steps) for a, b, r in hexes])
