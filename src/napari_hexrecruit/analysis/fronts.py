"""A fitted wave as lines: isochrones of the front, and an arrow along its course."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.rounding import rounded

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.analysis.waves import WaveFit

Floats = npt.NDArray[np.float64]

_N_LINES = 6
_POINTS_PER_RADIUS = 4.0
_NICE = (1.0, 2.0, 2.5, 5.0)


@dataclass(frozen=True, eq=False)
class Isochrone:
    """Position of the front at a time.

    Attributes
    ----------
    time
        Latency, ms.
    line
        (n_points, 2) x and y in flat space; rows of NaN separate the pieces, because the line is
        drawn over hexagons only.
    """

    time: float
    line: Floats


def isochrones(
    fit: WaveFit, latency: xr.DataArray, *, step: float | None = None
) -> list[Isochrone]:
    """Return lines of equal fitted latency over the fitted hexagons.

    Parameters
    ----------
    fit
        Result of `fit_wave`; it is drawn even if it is not a wave, as long as there is a fit.
    latency
        Map that was fitted; its hexagons with a latency make up the sheet.
    step
        Time between lines, ms; by default a round number that gives about six lines.

    Returns
    -------
    list of Isochrone
        Lines at multiples of `step`, earliest first; empty if nothing could be fitted or the fit
        has no slope.

    Raises
    ------
    ValueError
        If the step is not greater than 0.
    """
    if step is not None and not (math.isfinite(step) and step > 0):
        raise ParameterError(
            Parameter("step"), f"must be a number of ms greater than 0, not {step!r}"
        )
    if not fit.delay > 0:
        return []
    xy, radius = _sheet(latency)
    times = fit.latency_at(*xy.T)
    low, high = float(times.min()), float(times.max())
    every = step or rounded((high - low) / _N_LINES, _NICE)
    levels = every * np.arange(math.ceil(low / every), math.floor(high / every) + 1)
    lines = [Isochrone(float(t), _over(_line(fit, t, xy, radius), xy, radius)) for t in levels]
    return [one for one in lines if np.isfinite(one.line).any()]


def wave_arrow(fit: WaveFit, latency: xr.DataArray) -> Floats:
    """Return an arrow along the course of a plane wave, through the middle of its hexagons.

    Parameters
    ----------
    fit, latency
        As for `isochrones`.

    Returns
    -------
    (2, 2) float64
        x and y of tail and head; half as long as the sheet in this direction. NaN if there is no
        wave, or it is radial and has no single direction.
    """
    if not fit.is_wave or fit.kind == "radial":
        return np.full((2, 2), np.nan)
    xy, _ = _sheet(latency)
    middle = xy.mean(axis=0)
    along = np.array([math.cos(math.radians(fit.direction)), math.sin(math.radians(fit.direction))])
    half = np.ptp(xy @ along) / 4.0
    return np.stack([middle - half * along, middle + half * along])


def arrow_line(arrow: Floats) -> Floats:
    """Return an arrow as one line to draw.

    Parameters
    ----------
    arrow
        (2, 2) x and y of tail and head, as returned by `wave_arrow`.

    Returns
    -------
    (6, 2) float64
        Shaft, a row of NaN, and two barbs, an eighth as long as the shaft and at 25 degrees to it.
    """
    tail, head = np.asarray(arrow, dtype=np.float64)
    back = (tail - head) / 8.0
    angle = math.radians(25.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    gap = np.full(2, np.nan)
    return np.stack([tail, head, gap, head + turn @ back, head, head + turn.T @ back])


def _sheet(latency: xr.DataArray) -> tuple[Floats, float]:
    """Return the centres of the hexagons with a latency, and their radius."""
    xy = np.stack([latency["x"].values, latency["y"].values], axis=1).astype(np.float64)
    return xy[np.isfinite(latency.values)], float(latency.attrs["hex_radius"])


def _line(fit: WaveFit, time: float, xy: Floats, radius: float) -> Floats:
    """Return closely spaced points of the whole line of a time."""
    size = float(np.hypot(*np.ptp(xy, axis=0))) + 2.0 * radius
    middle = xy.mean(axis=0)
    step = radius / _POINTS_PER_RADIUS
    if fit.kind == "radial":
        way = (time - fit.start) / fit.slowness[0]
        n_points = math.ceil(2.0 * math.pi * way / step) + 1
        angle = np.linspace(0.0, 2.0 * math.pi, max(n_points, 24))
        return np.asarray(fit.origin + way * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    slowness = np.array(fit.slowness)
    along = slowness / (slowness @ slowness)
    foot = middle + (time - fit.latency_at(*middle)) * along
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    places = np.arange(-size, size + step, step)
    return np.asarray(foot + places[:, None] * across)


def _over(line: Floats, xy: Floats, radius: float) -> Floats:
    """Return the points of a line that lie on the sheet, with NaN between pieces."""
    from scipy.spatial import cKDTree

    # every point of a hexagon is within the radius of its centre
    inside = np.isfinite(cKDTree(xy).query(line, distance_upper_bound=radius)[0])
    parts = np.where(inside[:, None], line, np.nan)
    after_gap = np.concatenate([[True], ~inside[:-1]])
    kept = inside | ~after_gap
    return np.asarray(parts[kept])
