"""The least squares behind `waves`: plane and radial trends of latency over the sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]

_N_BOOTSTRAP = 1_000
_N_PERMUTATIONS = 499
_N_SOURCES = 300
"""Places that are tried as the source of a radial front before the best is refined."""
_FEWEST_NEIGHBOURS = 12
_NEIGHBOURS_SHARE = 1 / 24
"""Share of the hexagons that a local gradient is taken from."""
_COS_45 = math.sqrt(0.5)
_BLOCK = 100


@dataclass(frozen=True, eq=False)
class Points:
    """Hexagons with a latency: places, latencies (ms), weights with the mean 1."""

    x: Floats
    y: Floats
    t: Floats
    w: Floats

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

    ``start`` is the latency at ``origin``, the mean place or the source; ``slowness`` is
    (s_x, s_y), or (s, 0) outwards; ``jacobian`` (n, n_parameters), the slowness' columns first.
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
    """Whether the places lie on one line, or in one point."""
    xy = np.stack([points.x, points.y], axis=1)
    spread = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= 1e-6 * max(spread[0], 1e-300))


def plane(points: Points) -> Trend:
    """The straight front of least squares."""
    x0, y0, _ = points.mean
    jacobian = np.stack([points.x - x0, points.y - y0, np.ones_like(points.x)], axis=1)
    solution = _solve(jacobian, points.t, points.w)
    fitted = jacobian @ solution
    sx, sy, start = solution.tolist()
    return _trend("plane", (x0, y0), start, (sx, sy), jacobian, fitted, points)


def radial(points: Points) -> Trend:
    """The circular front of least squares: the best of many sources, refined."""
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
    """Whether the source of a radial front went as far away as it was let: it has no place."""
    low, high = _source_bounds(points)
    margin = 0.02 * (high - low)
    at = np.array(trend.origin)
    return trend.kind == "radial" and bool(((at < low + margin) | (at > high - margin)).any())


def p_value(trend: Trend, points: Points, seed: int) -> float:
    """Probability of as good a fit by chance.

    Of a plane the F-test: with two slopes its tail is ``(1 - R**2) ** ((n - 3) / 2)``. Of a circle
    the share of permutations of the latencies for which the best of the sources fits as well.
    """
    n = len(points.t)
    if trend.kind == "plane":
        return float(max(0.0, 1.0 - trend.r_squared) ** ((n - 3) / 2))
    basis = _source_basis(points)
    centred = points.t - points.mean[2]
    length = math.sqrt(points.total) if points.total > 0 else 1.0
    observed = float((basis @ (points.w * centred)).max()) / length
    rng = np.random.default_rng(seed)
    as_good = 0
    for dealt in _permutations(centred, rng):
        mean = dealt @ points.w / points.w.sum()
        off = dealt - mean[:, None]
        lengths = np.sqrt(np.maximum(off**2 @ points.w, 1e-300))
        best = (basis @ (points.w * off).T).max(axis=0) / lengths
        as_good += int((best >= observed - 1e-12).sum())
    return (1 + as_good) / (1 + _N_PERMUTATIONS)


def agreement(trend: Trend, points: Points) -> float:
    """Share of places around which the latencies rise within 45 degrees of the front's course."""
    from scipy.spatial import cKDTree

    xy = np.stack([points.x, points.y], axis=1)
    n = len(xy)
    n_near = min(n, max(_FEWEST_NEIGHBOURS, round(n * _NEIGHBOURS_SHARE)) + 1)
    near = cKDTree(xy).query(xy, k=n_near)[1]
    off = xy[near] - xy[near].mean(axis=1, keepdims=True)
    late = points.t[near] - points.t[near].mean(axis=1, keepdims=True)
    a, c = (off**2).sum(axis=1).T
    b = off.prod(axis=2).sum(axis=1)
    u, v = np.einsum("nkd,nk->dn", off, late)
    gradient = np.stack([c * u - b * v, a * v - b * u], axis=1)  # times the determinant, above 0
    course = _course(trend, xy)
    along = np.einsum("nd,nd->n", gradient, course)
    lengths = np.hypot(*gradient.T) * np.hypot(*course.T)
    floor = 1e-9 * np.max(lengths, initial=0.0)
    return float(np.mean((along >= _COS_45 * lengths) & (lengths > floor)))


def bootstrap(trend: Trend, points: Points, seed: int) -> Floats:
    """(n_resamples, 2) slowness of resamples of the hexagons.

    One step of Gauss and Newton from the fit; for a plane, which is linear, that is the fit itself.
    """
    rng = np.random.default_rng([seed, 1])
    n, k = trend.jacobian.shape
    pairs = np.einsum("ni,nj->nij", trend.jacobian, trend.jacobian).reshape(n, k * k)
    products = np.concatenate([pairs, trend.jacobian * trend.residuals[:, None]], axis=1)
    products *= points.w[:, None]
    steps = []
    for start in range(0, _N_BOOTSTRAP, _BLOCK):
        rows = min(_BLOCK, _N_BOOTSTRAP - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        sums = counts @ products
        matrix = sums[:, : k * k].reshape(-1, k, k)
        steps.append(np.einsum("bij,bj->bi", np.linalg.pinv(matrix), sums[:, k * k :]))
    step = np.concatenate(steps)
    if trend.kind == "plane":
        return np.asarray(step[:, :2] + trend.slowness)
    return np.stack([step[:, 0] + trend.slowness[0], np.zeros(len(step))], axis=1)


def turned(draws: Floats, slowness: tuple[float, float]) -> Floats:
    """Angles, degrees, by which vectors are turned counter-clockwise from another."""
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
    """(n, 2) where the front runs to at places."""
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
    """Some of the places, evenly."""
    chosen = np.unique(np.linspace(0, len(points.x) - 1, _N_SOURCES).astype(np.intp))
    return list(zip(points.x[chosen].tolist(), points.y[chosen].tolist(), strict=True))


def _source_bounds(points: Points) -> tuple[Floats, Floats]:
    """Lowest and highest (x, y) of a source: the sheet, and its size more on every side."""
    size = max(np.ptp(points.x), np.ptp(points.y))
    low = np.array([points.x.min(), points.y.min()]) - size
    return low, np.array([points.x.max(), points.y.max()]) + size


def _source_basis(points: Points) -> Floats:
    """(n_sources, n) distances from each source, with weighted mean 0 and length 1."""
    rows = [_distance_and_1(points, *source)[:, 0] for source in _sources(points)]
    basis = np.stack(rows)
    basis -= (basis @ points.w / points.w.sum())[:, None]
    return np.asarray(basis / np.sqrt(np.maximum(basis**2 @ points.w, 1e-300))[:, None])


def _correlation(points: Points, cx: float, cy: float) -> float:
    """Weighted covariance of latency and distance from a source, over the distances' spread."""
    distance = _distance_and_1(points, cx, cy)[:, 0]
    off = distance - points.w @ distance / points.w.sum()
    spread = math.sqrt(max(float(points.w @ off**2), 1e-300))
    return float((points.w * off) @ (points.t - points.mean[2])) / spread


def _permutations(values: Floats, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks (rows, n) of permutations of values."""
    for start in range(0, _N_PERMUTATIONS, _BLOCK):
        rows = min(_BLOCK, _N_PERMUTATIONS - start)
        yield rng.permuted(np.tile(values, (rows, 1)), axis=1)
