"""Local speed and direction of a wave at each hexagon, and its sources and sinks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import HEX

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]

_RINGS = 2
_FEWEST = 6
"""Fewest hexagons with a latency for a gradient."""
_MOST_ARE = 2 / 3
"""Least share of neighbours with a gradient for a divergence; a rim has fewer."""
_STANDS_OUT = 2.0
"""Least size of a gradient that is not 0, in standard errors."""
_ROUNDING = 1e-9
_LIKE_A_POINT = 0.2
"""Least divergence of a source or sink, as a share of that around a point."""


def local_velocity(latency: xr.DataArray, *, rings: int = _RINGS) -> xr.Dataset:
    """Compute the velocity of a wave at each hexagon from the gradient of latency around it.

    Parameters
    ----------
    latency
        (hex,) ms, for example `half_peak_latency`, or `wave_latency` of one of several waves.
    rings
        Neighbours are hexagons up to this many steps away on the lattice.

    Returns
    -------
    xr.Dataset
        Dimension ``hex``:

        ``slowness_x``, ``slowness_y``, ``slowness_se``
            gradient of latency, and the standard error of either; ms per unit of flat space.
        ``velocity_x``, ``velocity_y``
            units of flat space per ms; NaN where the gradient is within two standard errors of 0,
            as without a front or in a simultaneous response.
        ``speed``, ``speed_low``, ``speed_high``
            size of the velocity and its 95 % interval; the same units. ``speed_high`` is infinite
            where the interval of the gradient contains 0.
        ``direction``, ``direction_se``
            degrees counter-clockwise from +x, 0 to 360, and the standard error.
        ``divergence``
            of the direction, per unit of flat space: above 0 where the wave spreads, below 0 where
            it converges; NaN at a rim.
        ``source``, ``sink``
            whether the divergence is the greatest (least) among the neighbours, and at least a
            fifth of that around a point: two straight fronts that meet have up to 0.6 of it.

    Raises
    ------
    ValueError
        If `rings` is less than 1.

    Notes
    -----
    A plane is fitted by least squares to each hexagon and its neighbours. Errors are assumed to be
    independent, and as large as the hexagon's own residuals or the median over all hexagons,
    whichever is larger. Neighbouring hexagons share most of their data, so their velocities are
    similar by construction.

    Examples
    --------
    >>> from napari_hexrecruit.synthetic import Story
    >>> import xarray as xr
    >>> story = Story(n_neurons=5_000, wave="plane")
    >>> sheet = story.sheet
    >>> latency = xr.DataArray(
    ...     story.latency_ms,
    ...     {"x": ("hex", sheet.x_um, {"units": "um"}), "y": ("hex", sheet.y_um)},
    ...     ("hex",),
    ...     attrs={"hex_radius": 50.0},
    ... )
    >>> found = local_velocity(latency)
    >>> round(float(found["direction"].median()), 3), bool(found["source"].any())
    (25.0, False)
    """
    import xarray as xr

    if rings < 1:
        raise ValueError(f"rings must be 1 or more, not {rings!r}: use {_RINGS}")
    xy = np.stack([latency[axis].values for axis in "xy"], axis=1).astype(np.float64)
    near = _Near.of_points(xy, math.sqrt(3.0) * float(latency.attrs["hex_radius"]), rings)
    fit = _gradient(near, latency.values.astype(np.float64))
    found: dict[str, npt.NDArray[Any]] = dict(_velocity(fit))
    found |= _spreading(near, fit)
    units = str(latency["x"].attrs.get("units", "unknown"))
    labels = _labels(units)
    return xr.Dataset(
        {
            name: (HEX, values, {"long_name": labels[name][0], "units": labels[name][1]})
            for name, values in found.items()
        },
        {name: one for name, one in latency.coords.items() if one.dims == (HEX,)},
        {"hex_radius": float(latency.attrs["hex_radius"]), "flat_units": units},
    )


def velocity_arrows(velocity: xr.Dataset, *, at_most: int = 150) -> list[Floats]:
    """Return arrows of local velocity, as lines to draw.

    Parameters
    ----------
    velocity
        Result of `local_velocity`.
    at_most
        Approximate number of arrows: with more hexagons, every second, third, ... hexagon in each
        direction has one.

    Returns
    -------
    list of (6, 2) float64
        Shaft and barbs, as from `arrow_line`, centred on the hexagon. Their length is proportional
        to the speed: an arrow of the median speed is three quarters as long as the distance between
        arrows, and none is more than twice as long as that.

    Raises
    ------
    ValueError
        If `at_most` is less than 1.
    """
    from napari_hexrecruit.analysis.fronts import arrow_line

    if at_most < 1:
        raise ValueError(f"at_most must be 1 or more, not {at_most!r}")
    course = np.stack([velocity["velocity_x"].values, velocity["velocity_y"].values], axis=1)
    known = np.isfinite(course).all(axis=1)
    if not known.any():
        return []
    step = math.ceil(math.sqrt(known.sum() / at_most))
    spacing = math.sqrt(3.0) * float(velocity.attrs["hex_radius"])
    xy = np.stack([velocity["x"].values, velocity["y"].values], axis=1).astype(np.float64)
    shown = known & _every(xy, spacing, step)
    usual = float(np.median(np.hypot(*course[known].T)))
    lines = []
    for place, to in zip(xy[shown], course[shown], strict=True):
        speed = float(np.hypot(*to))
        half = 0.375 * step * spacing * min(speed / usual, 2.0) * to / speed
        lines.append(arrow_line(np.stack([place - half, place + half])))
    return lines


def _every(xy: Floats, spacing: float, step: int) -> npt.NDArray[np.bool_]:
    """Return which hexagons are on a coarser lattice."""
    row = np.rint(xy[:, 1] / (spacing * math.sqrt(3.0) / 2.0)).astype(np.int64)
    col = np.rint(xy[:, 0] / spacing - row / 2.0).astype(np.int64)
    return np.asarray((row % step == 0) & (col % step == 0))


class _Near(NamedTuple):
    """Pairs of a hexagon and a near one, including itself: positions and the step between them."""

    of: npt.NDArray[np.int64]
    to: npt.NDArray[np.int64]
    way: Floats
    n: int
    unit: float
    rings: int

    @classmethod
    def of_points(cls, xy: Floats, spacing: float, rings: int) -> _Near:
        from scipy.spatial import cKDTree

        pairs = cKDTree(xy).query_pairs(1.01 * rings * spacing, output_type="ndarray")
        one, other = pairs.T.astype(np.int64)
        own = np.arange(len(xy))
        of, to = np.concatenate([own, one, other]), np.concatenate([own, other, one])
        return cls(of, to, (xy[to] - xy[of]) / spacing, len(xy), spacing, rings)

    def sums(self, values: Floats) -> Floats:
        """Return the (n,) sums over each hexagon's neighbourhood."""
        return np.bincount(self.of, values, self.n).astype(np.float64)


class _Gradient(NamedTuple):
    """Gradient per unit of flat space, its variances (xx, xy, yy) and degrees of freedom.

    `usual` is the standard error of a typical fit; a gradient up to `least` is rounding.
    """

    x: Floats
    y: Floats
    variance: tuple[Floats, Floats, Floats]
    free: Floats
    usual: float
    least: float


def _gradient(near: _Near, values: Floats) -> _Gradient:
    """Fit a plane by least squares to each hexagon and its neighbours."""
    there = np.isfinite(values[near.to]).astype(np.float64)
    value = np.where(there > 0, values[near.to], 0.0)
    size = float(np.max(np.abs(value), initial=0.0))
    dx, dy = near.way.T
    n = near.sums(there)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, my, mv = (near.sums(there * one) / n for one in (dx, dy, value))
        xx = near.sums(there * dx * dx) - n * mx * mx
        yy = near.sums(there * dy * dy) - n * my * my
        xy = near.sums(there * dx * dy) - n * mx * my
        xv = near.sums(there * dx * value) - n * mx * mv
        yv = near.sums(there * dy * value) - n * my * mv
        vv = near.sums(there * (value - mv[near.of]) ** 2)
        det = xx * yy - xy * xy
        good = (n >= _FEWEST) & (det > 1e-6 * xx * yy) & np.isfinite(values)
        gx = np.where(good, (yy * xv - xy * yv) / det, np.nan)
        gy = np.where(good, (xx * yv - xy * xv) / det, np.nan)
        free = n - 3.0
        own = np.maximum(vv - gx * xv - gy * yv, 0.0) / free
        usual = np.nanmedian(own[good]) if good.any() else np.nan
        error = np.maximum(own, usual) / near.unit**2
        spread = np.maximum(xx, yy) / det / near.unit**2
        usual_se = float(np.sqrt(usual * np.nanmedian(spread[good]))) if good.any() else np.nan
        variance = (error * yy / det, -error * xy / det, error * xx / det)
    return _Gradient(
        gx / near.unit, gy / near.unit, variance, free, usual_se, _ROUNDING * size / near.unit
    )


def _velocity(fit: _Gradient) -> dict[str, Floats]:
    from scipy.special import stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.hypot(fit.x, fit.y)
        ux, uy = fit.x / size, fit.y / size
        xx, xy, yy = fit.variance
        along = np.sqrt(np.maximum(ux**2 * xx + 2 * ux * uy * xy + uy**2 * yy, 0.0))
        across = np.sqrt(np.maximum(uy**2 * xx - 2 * ux * uy * xy + ux**2 * yy, 0.0))
        runs = size > np.maximum(_STANDS_OUT * np.maximum(along, across), fit.least)
        off = stdtrit(np.maximum(fit.free, 1.0), 0.975) * along
        slowest = np.where(size > off, size - off, 0.0)
        found = {
            "velocity_x": ux / size,
            "velocity_y": uy / size,
            "speed": 1.0 / size,
            "speed_low": 1.0 / (size + off),
            "speed_high": 1.0 / slowest,
            "direction": np.degrees(np.arctan2(fit.y, fit.x)) % 360.0,
            "direction_se": np.degrees(across / size),
        }
    se = np.sqrt(np.maximum(xx, yy))
    return {"slowness_x": fit.x, "slowness_y": fit.y, "slowness_se": se} | {
        name: np.where(runs, values, np.nan) for name, values in found.items()
    }


def _spreading(near: _Near, fit: _Gradient) -> dict[str, npt.NDArray[Any]]:
    """Compute the divergence of the direction where a hexagon has enough neighbours, and its peaks.

    A gradient within the error has a direction shorter than 1, in proportion to its size.
    """
    known = np.isfinite(fit.x)
    least = max(_STANDS_OUT * fit.usual, fit.least)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.maximum(np.hypot(fit.x, fit.y), least)
        course = [np.where(known, part / size, 0.0) for part in (fit.x, fit.y)]
    there = known[near.to] & (near.of != near.to)
    n = near.sums(there.astype(np.float64))
    full = n >= _MOST_ARE * 3 * near.rings * (near.rings + 1)
    ways = np.hypot(*near.way.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = [
            _slope(near, there, n, near.way[:, axis], of[near.to]) for axis, of in enumerate(course)
        ]
        point = near.sums(ways) / near.sums(ways**2)
    share = np.where(full, (slopes[0] + slopes[1]) / (2.0 * point), np.nan)
    found: dict[str, npt.NDArray[Any]] = {"divergence": 2.0 * share * point / near.unit}
    for name, sign in (("source", 1.0), ("sink", -1.0)):
        signed = np.where(full, sign * share, -np.inf)
        top = np.full(near.n, -np.inf)
        order = np.argsort(signed[near.to], kind="stable")
        top[near.of[order]] = signed[near.to][order]  # the last write, the top, stays
        found[name] = (signed >= _LIKE_A_POINT) & (signed >= top)
    return found


def _slope(
    near: _Near, there: npt.NDArray[np.bool_], n: Floats, way: Floats, values: Floats
) -> Floats:
    """Return the (n,) slope of values along x or y, over each hexagon's neighbours."""
    off = np.where(there, way - (near.sums(there * way) / n)[near.of], 0.0)
    return near.sums(off * values) / near.sums(off**2)


def _labels(units: str) -> dict[str, tuple[str, str]]:
    per = f"ms/{units}"
    return {
        "slowness_x": ("Gradient of latency, x", per),
        "slowness_y": ("Gradient of latency, y", per),
        "slowness_se": ("Gradient of latency, standard error", per),
        "velocity_x": ("Local velocity, x", f"{units}/ms"),
        "velocity_y": ("Local velocity, y", f"{units}/ms"),
        "speed": ("Local speed", f"{units}/ms"),
        "speed_low": ("Local speed, lower end of the 95 % interval", f"{units}/ms"),
        "speed_high": ("Local speed, upper end of the 95 % interval", f"{units}/ms"),
        "direction": ("Local direction, from +x towards +y", "degree"),
        "direction_se": ("Local direction, standard error", "degree"),
        "divergence": ("Divergence of the direction", f"1/{units}"),
        "source": ("Source of the wave", ""),
        "sink": ("Sink of the wave", ""),
    }
