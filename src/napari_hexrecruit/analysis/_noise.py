"""Autocorrelation of the residuals of a front, and random maps with the same autocorrelation."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]
Family = Literal["gauss", "exponential"]

_N_FITTED = 250
"""Most positions that are fitted, evenly chosen: time grows with the cube of their number."""
_SHORTEST = 0.5
"""Shortest correlation length tried, in distances between neighbours."""
_N_LENGTHS, _NUGGETS = 6, (1e-2, 0.1, 0.6)
_LEAST_NUGGET, _MOST_NUGGET = 1e-3, 1.0 - 1e-4
_ADDED = 0.1
"""Independent noise added before the fit, as a share of the errors' size. Without it, the
likelihood of smooth errors, and with it length and variance, depends on their last digits."""
_N_STEPS = 30
_SHARES_BY = 6.0
"""Least gain in twice the log likelihood for a correlation between neighbours to be accepted."""
_FARTHEST = 40.0
"""Cap of negative exponents: numbers near the smallest float slow everything down."""
_JITTER = 1e-8
_ROWS = 512


@dataclass(frozen=True)
class Noise:
    """Autocorrelation of errors: one part shared by neighbours, and one independent part.

    Attributes
    ----------
    family
        Form of the correlation: ``exp(-(d / length) ** 2)`` or ``exp(-d / length)``.
    length
        Correlation length, in units of flat space.
    nugget
        Share of the variance that a hexagon does not share with its neighbours.
    variance
        Variance of the errors of a hexagon with weight 1.
    """

    family: Family
    length: float
    nugget: float
    variance: float

    def correlation(self, distance: Floats) -> Floats:
        """Return the correlation of the errors of two different positions at a distance."""
        scaled = distance / self.length
        power = scaled**2 if self.family == "gauss" else scaled
        return np.asarray((1.0 - self.nugget) * np.exp(-np.minimum(power, _FARTHEST)))

    @property
    def correlation_length(self) -> float:
        """Distance at which the correlation has fallen to 1/e; 0 if it never exceeds that."""
        shared = (1.0 - self.nugget) * math.e
        if shared <= 1.0:
            return 0.0
        return self.length * (
            math.sqrt(math.log(shared)) if self.family == "gauss" else math.log(shared)
        )

    def draw(self, xy: Floats, n_maps: int, rng: np.random.Generator) -> Floats:
        """Draw (n_maps, n) maps of errors with this autocorrelation and variance 1."""
        matrix = self.correlation(_distances(xy, xy))
        matrix[np.diag_indices(len(xy))] = 1.0 + _JITTER
        return np.asarray(rng.normal(size=(n_maps, len(xy))) @ np.linalg.cholesky(matrix).T)

    def n_independent(self, xy: Floats) -> float:
        """Return the approximate number of independent errors among those at some positions."""
        some = xy[spread(len(xy))]
        shared = self.correlation(_distances(some, some)) ** 2
        shared[np.diag_indices(len(some))] = 0.0
        return 1.0 / (float(shared.mean()) + 1.0 / len(xy))

    def covariance_of(self, linear: Floats, xy: Floats) -> Floats:
        """Return the (k, k) covariance of linear functions (k, n) of the errors."""
        k, n = linear.shape
        total = np.zeros((k, k))
        for start in range(0, n, _ROWS):
            rows = slice(start, start + _ROWS)
            matrix = self.correlation(_distances(xy[rows], xy))
            places = np.arange(n)[rows]
            matrix[places - start, places] = 1.0
            total += linear[:, rows] @ matrix @ linear.T
        return self.variance * total


def spread(n: int) -> npt.NDArray[np.intp]:
    """Return the indices of the points whose autocorrelation is fitted: all, or an even choice."""
    return np.unique(np.linspace(0, n - 1, min(n, _N_FITTED)).round().astype(np.intp))


def fit_noise(xy: Floats, errors: Floats, jacobian: Floats) -> Noise:
    """Fit the autocorrelation of the errors of a fit by restricted maximum likelihood.

    Parameters
    ----------
    xy
        (n, 2) positions.
    errors
        (n,) residuals of least squares, each times the root of its weight.
    jacobian
        (n, k) Jacobian of the fit, its rows times the same roots; it accounts for the variance that
        the fit removed.

    Returns
    -------
    Noise
        The likelier of the two forms, or independent errors if neither is clearly better.
    """
    chosen = spread(len(errors))
    distance = _distances(xy[chosen], xy[chosen])
    near = np.where(distance > 0, distance, np.inf).min(axis=1)
    least = _SHORTEST * float(np.median(near))
    most = max(float(distance.max()), 2.0 * least)
    scale = np.maximum(np.abs(jacobian[chosen]).max(axis=0), 1e-300)
    added = np.random.default_rng(0).normal(size=len(chosen))
    own = errors[chosen] + _ADDED * float(np.std(errors[chosen])) * added
    given = (distance, own, jacobian[chosen] / scale)
    fits = [_best(family, given, least, most) for family in ("gauss", "exponential")]
    bad, found = min(fits, key=lambda fit: fit[0])
    alone = Noise("gauss", least, _MOST_NUGGET, 1.0)
    bad_alone, variance = _restricted(alone, *given)
    if bad_alone - bad < _SHARES_BY:
        found = dataclasses.replace(alone, variance=variance)
    seen = _variance_seen(found, distance, errors[chosen], given[2])
    return dataclasses.replace(found, variance=max(found.variance, seen))


def _variance_seen(noise: Noise, distance: Floats, errors: Floats, jacobian: Floats) -> float:
    """Return the variance at which errors with this autocorrelation leave these residuals."""
    basis = np.linalg.qr(jacobian)[0]
    matrix = noise.correlation(distance)
    matrix[np.diag_indices(len(errors))] = 1.0
    left = errors - basis @ (basis.T @ errors)
    expected = len(errors) - float(np.einsum("ik,ij,jk->", basis, matrix, basis, optimize=True))
    return float(left @ left) / max(expected, 1e-9)


def _best(
    family: Family, given: tuple[Floats, Floats, Floats], least: float, most: float
) -> tuple[float, Noise]:
    """Return the badness and the noise of the best point of a coarse grid, refined."""
    from scipy.optimize import minimize

    low, high = math.log(least), math.log(most)
    nuggets = math.log10(_LEAST_NUGGET), math.log10(_MOST_NUGGET)

    def noise(at: Floats) -> Noise:
        length = math.exp(min(max(at[0], low), high))
        return Noise(family, length, 10.0 ** min(max(at[1], nuggets[0]), nuggets[1]), 1.0)

    def badness(at: Floats) -> float:
        return _restricted(noise(at), *given)[0]

    grid = [
        np.array([length, math.log10(nugget)])
        for length in np.linspace(low, high, _N_LENGTHS)
        for nugget in _NUGGETS
    ]
    start = min(grid, key=badness)
    simplex = start + np.array([[0.0, 0.0], [-0.3, 0.0], [0.0, 0.4]])
    options = {"maxfev": _N_STEPS, "initial_simplex": simplex}
    found = minimize(badness, start, method="Nelder-Mead", options=options)
    best = noise(found.x)
    bad, variance = _restricted(best, *given)
    return bad, Noise(best.family, best.length, best.nugget, variance)


def _restricted(
    noise: Noise, distance: Floats, errors: Floats, jacobian: Floats
) -> tuple[float, float]:
    """Return twice the negative restricted log likelihood, and the variance that maximizes it."""
    n, k = jacobian.shape
    matrix = noise.correlation(distance)
    matrix[np.diag_indices(n)] = 1.0 + _JITTER
    lower: Floats = np.linalg.cholesky(matrix).astype(np.float64, copy=False)
    white = _solved(lower, np.column_stack([jacobian, errors]))
    basis, triangle = np.linalg.qr(white[:, :k])
    left = white[:, k] - basis @ (basis.T @ white[:, k])
    variance = max(float(left @ left) / max(1, n - k), 1e-300)
    determinants = 2.0 * np.log(np.diag(lower)).sum()
    determinants += 2.0 * np.log(np.maximum(np.abs(np.diag(triangle)), 1e-300)).sum()
    return float(determinants + (n - k) * math.log(variance)), variance


def _solved(lower: Floats, values: Floats) -> Floats:
    from scipy.linalg import solve_triangular

    solve: Callable[..., Floats] = solve_triangular
    return solve(lower, values, lower=True, check_finite=False)


def _distances(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.hypot(a[:, None, 0] - b[:, 0], a[:, None, 1] - b[:, 1]))
