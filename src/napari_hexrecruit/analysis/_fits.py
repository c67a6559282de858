"""Least squares for `waves`: plane and radial trends of latency over the sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis._noise import Noise, fit_noise, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]

_N_DRAWS = 2_000
_N_SURROGATES = 499
_N_SOURCES = 300
"""Candidate sources of a radial front, of which the best is refined."""
_FEWEST_NEIGHBOURS = 12
_NEIGHBOURS_SHARE = 1 / 24
"""Share of all hexagons that enter a local gradient."""
_COS_45 = math.sqrt(0.5)
_BLURS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.22, 0.26)
"""Blurs of the border between two levels: standard deviations, as shares of the front's path."""
_N_BORDERS = 49


@dataclass(frozen=True, eq=False)
class Points:
    """Hexagons with a latency: positions, latencies (ms) and weights with mean 1."""

    x: Floats
    y: Floats
    t: Floats
    w: Floats

    @property
    def xy(self) -> Floats:
        """(n, 2) positions."""
        return np.stack([self.x, self.y], axis=1)

    @property
    def mean(self) -> Floats:
        """Weighted mean of x, y, t."""
        return np.average([self.x, self.y, self.t], axis=1, weights=self.w)

    @property
    def total(self) -> float:
        """Weighted sum of squares of the latencies about their mean."""
        return float(self.w @ (self.t - self.mean[2]) ** 2)


@dataclass(frozen=True, eq=False)
class Trend:
    """A fitted front.

    ``start`` is the latency at ``origin``, which is the mean position or the source; ``slowness``
    is (s_x, s_y), or (s, 0) outwards; ``jacobian`` is (n, n_parameters), with the columns of the
    slowness first.
    """

    kind: Literal["plane", "radial"]
    origin: tuple[float, float]
    start: float
    slowness: tuple[float, float]
    jacobian: Floats
    residuals: Floats
    r_squared: float
    bic: float
    residual: float
    delay: float


def is_line(points: Points) -> bool:
    """Return whether all points lie on one line or coincide."""
    xy = points.xy
    spread = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= 1e-6 * max(spread[0], 1e-300))


def plane(points: Points) -> Trend:
    """Fit a straight front by least squares."""
    x0, y0, _ = points.mean
    jacobian = np.stack([points.x - x0, points.y - y0, np.ones_like(points.x)], axis=1)
    solution = _solve(jacobian, points.t, points.w)
    fitted = jacobian @ solution
    sx, sy, start = solution.tolist()
    return _trend("plane", (x0, y0), start, (sx, sy), jacobian, fitted, points)


def radial(points: Points) -> Trend:
    """Fit a circular front by least squares: the best of many sources, refined."""
    from scipy.optimize import least_squares

    at = max(_sources(points), key=lambda source: _correlation(points, *source))
    low, high = _source_bounds(points)
    size = float((high - low).max()) / 3.0
    root = np.sqrt(points.w)

    def residuals(source: Floats) -> Floats:
        jacobian = _distance_and_1(points, *source)
        return root * (points.t - jacobian @ _solve(jacobian, points.t, points.w))

    found = least_squares(residuals, at, bounds=(low, high), x_scale=size)
    cx, cy = found.x.tolist()
    line = _distance_and_1(points, cx, cy)
    slope, start = _solve(line, points.t, points.w).tolist()
    distance = np.maximum(line[:, 0], 1e-9 * size)
    towards = -slope * np.stack([points.x - cx, points.y - cy], axis=1) / distance[:, None]
    jacobian = np.concatenate([line, towards], axis=1)
    fitted = line @ [slope, start]
    return _trend("radial", (cx, cy), start, (slope, 0.0), jacobian, fitted, points)


def is_wide(trend: Trend, points: Points) -> bool:
    """Return whether the source of a radial front is at the limit of the search: it is unknown."""
    low, high = _source_bounds(points)
    margin = 0.02 * (high - low)
    at = np.array(trend.origin)
    return trend.kind == "radial" and bool(((at < low + margin) | (at > high - margin)).any())


def p_value(kinds: Sequence[str], points: Points, noise: Noise, seed: int) -> float:
    """Return the share of random maps with the same autocorrelation that a front fits as well.

    Parameters
    ----------
    kinds
        Kinds of front that were tried; the best one counts.
    points
        Hexagons.
    noise
        Autocorrelation of the residuals.
    seed
        Seed of the random maps.
    """
    chosen = spread(len(points.t))
    some = Points(points.x[chosen], points.y[chosen], points.t[chosen], points.w[chosen])
    root = np.sqrt(some.w)
    bases = []
    if "plane" in kinds:
        bases.append(np.linalg.qr(root[:, None] * _centred_xy(some))[0].T[None])
    if "radial" in kinds:
        bases.append((root * _source_basis(some))[:, None])
    drawn = noise.draw(some.xy, _N_SURROGATES, np.random.default_rng(seed)) / root
    observed = _shares(some.t[None], some.w, bases)[0]
    as_good = int((_shares(drawn, some.w, bases) >= observed - 1e-12).sum())
    return (1 + as_good) / (1 + _N_SURROGATES)


def step_is_better(trend: Trend, points: Points) -> bool:
    """Return whether two levels along the front's course explain the latencies at least as well.

    The border between the levels can be blurred, so that a smoothed jump still counts as a jump.
    Each fit is penalized for its number of parameters.
    """
    from scipy.special import ndtr

    way = points.t - trend.residuals
    way = (way - way.min()) / max(float(np.ptp(way)), 1e-300)
    n, total = len(way), points.total
    off = points.t - points.mean[2]
    best = 0.0
    for blur in _BLURS:
        at = np.linspace(0.0, 1.0, _N_BORDERS + 2)[1:-1, None]
        levels = ndtr((way - at) / blur) if blur else (way > at).astype(np.float64)
        levels = levels - (levels @ points.w / n)[:, None]
        length = levels**2 @ points.w
        with np.errstate(divide="ignore", invalid="ignore"):
            explained = (levels @ (points.w * off)) ** 2 / length
        best = max(best, float(np.max(explained[length > 1e-9 * n], initial=0.0)))
    return (total - best) / max(1, n - 4) <= (1.0 - trend.r_squared) * total / max(1, n - 3)


def agreement(trend: Trend, points: Points) -> float:
    """Return the share of hexagons whose local gradient is within 45 degrees of the course."""
    from scipy.spatial import cKDTree

    xy = points.xy
    n = len(xy)
    n_near = min(n, max(_FEWEST_NEIGHBOURS, round(n * _NEIGHBOURS_SHARE)) + 1)
    near = cKDTree(xy).query(xy, k=n_near)[1]
    off = xy[near] - xy[near].mean(axis=1, keepdims=True)
    late = points.t[near] - points.t[near].mean(axis=1, keepdims=True)
    a, c = (off**2).sum(axis=1).T
    b = off.prod(axis=2).sum(axis=1)
    u, v = np.einsum("nkd,nk->dn", off, late)
    gradient = np.stack([c * u - b * v, a * v - b * u], axis=1)  # times the determinant (positive)
    course = _course(trend, xy)
    along = np.einsum("nd,nd->n", gradient, course)
    lengths = np.hypot(*gradient.T) * np.hypot(*course.T)
    floor = 1e-9 * np.max(lengths, initial=0.0)
    return float(np.mean((along >= _COS_45 * lengths) & (lengths > floor)))


def share_of_amplitude(latencies: Floats, amplitudes: Floats) -> float:
    """Return the share of the latency variance that a falling function of amplitude explains."""
    from scipy.optimize import isotonic_regression

    known = np.isfinite(latencies)
    late, strong = latencies[known], amplitudes[known]
    order = np.argsort(strong, kind="stable")
    fitted = isotonic_regression(late[order], increasing=False).x
    left = float(((late[order] - fitted) ** 2).sum())
    n_levels = len(np.unique(fitted))
    total = float(((late - late.mean()) ** 2).sum())
    free = max(1, len(late) - n_levels) / max(1, len(late) - 1)
    return 1.0 - left / max(total, 1e-300) / free


def noise_of(trend: Trend, points: Points) -> Noise:
    """Fit the autocorrelation of the residuals of a front."""
    root = np.sqrt(points.w)
    return fit_noise(points.xy, root * trend.residuals, root[:, None] * trend.jacobian)


def slowness_draws(trend: Trend, points: Points, noise: Noise, seed: int) -> Floats:
    """Draw (n_draws, 2) plausible values of the slowness, given autocorrelated errors.

    The covariance is that of least squares with these errors, not with independent ones; the
    degrees of freedom of Student's t follow from the number of independent errors.
    """
    root = np.sqrt(points.w)
    scale = np.maximum(np.abs(trend.jacobian).max(axis=0), 1e-300)
    linear = np.linalg.pinv(root[:, None] * trend.jacobian / scale) / scale[:, None]
    n_slopes = 2 if trend.kind == "plane" else 1
    covariance = noise.covariance_of(linear[:n_slopes], points.xy)
    rng = np.random.default_rng([seed, 1])
    shape = np.linalg.cholesky(covariance + 1e-300 * np.eye(n_slopes))
    freedom = max(3.0, noise.n_independent(points.xy) - trend.jacobian.shape[1])
    draws = rng.normal(size=(_N_DRAWS, n_slopes)) @ shape.T
    draws *= np.sqrt(freedom / rng.chisquare(freedom, size=(_N_DRAWS, 1)))
    return np.asarray(np.pad(draws, ((0, 0), (0, 2 - n_slopes))) + trend.slowness)


def turned(draws: Floats, slowness: tuple[float, float]) -> Floats:
    """Return the counter-clockwise angles from one vector to others, degrees."""
    sx, sy = slowness
    across, along = draws[:, 1] * sx - draws[:, 0] * sy, draws[:, 0] * sx + draws[:, 1] * sy
    return np.degrees(np.arctan2(across, along))


def _trend(
    kind: Literal["plane", "radial"],
    origin: tuple[float, float],
    start: float,
    slowness: tuple[float, float],
    jacobian: Floats,
    fitted: Floats,
    points: Points,
) -> Trend:
    residuals = points.t - fitted
    n, left = len(points.t), float(points.w @ residuals**2)
    total = points.total
    tiny = 1e-12 * max(total, float(points.w @ points.t**2), 1e-300)
    varies = total > tiny
    return Trend(
        kind,
        (float(origin[0]), float(origin[1])),
        start,
        slowness,
        jacobian,
        residuals,
        max(0.0, 1.0 - left / total) if varies else 0.0,
        n * math.log(max(left, tiny) / n) + jacobian.shape[1] * math.log(n),
        math.sqrt(left / n),
        float(np.ptp(fitted)) if varies else 0.0,
    )


def _course(trend: Trend, xy: Floats) -> Floats:
    """Return the (n, 2) vectors along which the front runs at given positions."""
    if trend.kind == "plane":
        return np.broadcast_to(np.array(trend.slowness), xy.shape)
    return np.asarray(trend.slowness[0] * (xy - np.array(trend.origin)))


def _solve(jacobian: Floats, t: Floats, w: Floats) -> Floats:
    root = np.sqrt(w)
    return np.asarray(np.linalg.lstsq(jacobian * root[:, None], t * root, rcond=None)[0])


def _distance_and_1(points: Points, cx: float, cy: float) -> Floats:
    distance = np.hypot(points.x - cx, points.y - cy)
    return np.stack([distance, np.ones_like(distance)], axis=1)


def _sources(points: Points) -> list[tuple[float, float]]:
    """Return an even choice of the hexagon centres."""
    chosen = np.unique(np.linspace(0, len(points.x) - 1, _N_SOURCES).astype(np.intp))
    return list(zip(points.x[chosen].tolist(), points.y[chosen].tolist(), strict=True))


def _source_bounds(points: Points) -> tuple[Floats, Floats]:
    """Return the lowest and highest (x, y) of a source: the sheet plus its size on every side."""
    size = max(np.ptp(points.x), np.ptp(points.y))
    low = np.array([points.x.min(), points.y.min()]) - size
    return low, np.array([points.x.max(), points.y.max()]) + size


def _source_basis(points: Points) -> Floats:
    """Return the (n_sources, n) distances from each source, with weighted mean 0 and length 1."""
    rows = [_distance_and_1(points, *source)[:, 0] for source in _sources(points)]
    basis = np.stack(rows)
    basis -= (basis @ points.w / points.w.sum())[:, None]
    return np.asarray(basis / np.sqrt(np.maximum(basis**2 @ points.w, 1e-300))[:, None])


def _centred_xy(points: Points) -> Floats:
    """Return the (n, 2) positions about their weighted mean."""
    return points.xy - points.mean[:2]


def _shares(maps: Floats, w: Floats, bases: Sequence[Floats]) -> Floats:
    """Return the (n_maps,) share of each map's variance that the best of some fronts explains.

    A basis (n_fronts, n_functions, n) has orthonormal functions. A single function is the distance
    from a source, and only latencies that rise with it count.
    """
    off = maps - (maps @ w / w.sum())[:, None]
    weighted = off * np.sqrt(w)
    best = np.zeros(len(maps))
    for basis in bases:
        parts = np.einsum("fkn,mn->fkm", basis, weighted, optimize=True)
        parts = np.maximum(parts, 0.0) if basis.shape[1] == 1 else parts
        best = np.maximum(best, (parts**2).sum(axis=1).max(axis=0))
    return np.asarray(best / np.maximum((weighted**2).sum(axis=1), 1e-300))


def _correlation(points: Points, cx: float, cy: float) -> float:
    """Return the weighted covariance of latency and source distance, over the distances' spread."""
    distance = _distance_and_1(points, cx, cy)[:, 0]
    off = distance - points.w @ distance / points.w.sum()
    spread = math.sqrt(max(float(points.w @ off**2), 1e-300))
    return float((points.w * off) @ (points.t - points.mean[2])) / spread
