"""Colour limits: the initial limits of a metric, and limits that can be drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.metrics import Metric, is_cumulative
from napari_hexrecruit.rounding import rounded
from napari_hexrecruit.schema import (
    HEX,
    RECRUITMENT,
    TIME,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

_LOW_QUANTILE, _QUANTILE = 0.01, 0.99


_PUBLISHED_LIMITS, _PERCENT_LIMITS = (0.0, 50.0), (0.0, 100.0)


_ENOUGH_VALUES = 2_000_000
"""With more values, only evenly spaced bins are read: the 99th percentile hardly changes."""


_NARROWEST, _LEAST = 1e-4, 1e-12
"""Relative and absolute distance of limits; of closer ones, napari's bar reads 0 to 1000."""


_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def default_limits(metric: Metric, values: npt.ArrayLike) -> tuple[float, float]:
    """Return the initial colour limits of a metric.

    Parameters
    ----------
    metric
        Metric to show.
    values
        Values of any shape; NaN is ignored.

    Returns
    -------
    low, high : float
        0 to the 99th percentile; for a diverging metric that of the magnitudes, symmetric about 0.
        If the percentile is 0, the maximum is used; if that is 0 too, 1. For a quantity with values
        below 0, such as a voltage, the 1st to the 99th percentile.

    Examples
    --------
    >>> from napari_hexrecruit.metrics import metric_named
    >>> default_limits(metric_named("difference"), [-3.0, 1.0, float("nan")])[1] > 2.9
    True
    >>> default_limits(metric_named("rate"), [])
    (0.0, 1.0)
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[np.isfinite(numbers)]
    if metric.diverging:
        numbers = np.abs(numbers)
    if numbers.size == 0:
        return (-1.0, 1.0) if metric.diverging else (0.0, 1.0)
    if metric.below_zero and numbers.min() < 0:
        low, high = np.quantile(numbers, (_LOW_QUANTILE, _QUANTILE)).tolist()
        return usable_limits(low, high)
    candidates = (float(np.quantile(numbers, _QUANTILE)), float(numbers.max()))
    high = next((value for value in candidates if value > 0), 1.0)
    return (-high if metric.diverging else 0.0, high)


def first_limits(cubes: Sequence[xr.Dataset], metric: Metric) -> tuple[float, float]:
    """Return the initial colour limits of cubes, for the viewer, pictures and movies.

    Parameters
    ----------
    cubes
        Recruitment cubes that share their colours.
    metric
        Metric to show.

    Returns
    -------
    low, high : float
        For recruitment 0 to 50 % for any cube, the limits of the published figures, so that
        pictures can be compared; 0 to 100 % if neurons recruited so far are counted. For other
        metrics the widest `default_limits` of the cubes; for a diverging metric, rounded up to 1,
        1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten.
    """
    if metric.name == RECRUITMENT:
        return _PERCENT_LIMITS if any(map(is_cumulative, cubes)) else _PUBLISHED_LIMITS
    fitted = [_fitted(cube, metric) for cube in cubes]
    low, high = min(low for low, _ in fitted), max(high for _, high in fitted)
    if not metric.diverging:
        return (low, high)
    high = rounded(high, _ROUND, "up")
    return (-high, high)


def _fitted(cube: xr.Dataset, metric: Metric) -> tuple[float, float]:
    step = max(1, -(-cube.sizes[TIME] * cube.sizes[HEX] // _ENOUGH_VALUES))
    return default_limits(metric, metric.values(cube, slice(None, None, step)))


def usable_limits(low: float, high: float) -> tuple[float, float]:
    """Return colour limits that are far enough apart to draw.

    Parameters
    ----------
    low, high
        Values of the first and the last colour.

    Returns
    -------
    low, high : float
        As given; if they are equal, or nearly, the upper one is a ten-thousandth above the lower:
        values below get the first colour, and values above the last.

    Raises
    ------
    ValueError
        If one is not a finite number, or they are in the wrong order.

    Examples
    --------
    >>> usable_limits(20, 20)
    (20.0, 20.002)
    """
    low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"colour limits must be two finite numbers, not ({low:g}, {high:g})")
    if low > high:
        raise ValueError(
            f"colour limits must be (low, high) with low below high, not ({low:g}, {high:g})"
        )
    size = max(abs(low), abs(high))
    if high > low and high - low >= 0.9 * _NARROWEST * size:
        return low, high
    apart = max(_NARROWEST * size, _LEAST) if size else _NARROWEST
    return (low, low + apart) if math.isfinite(low + apart) else (low - apart, low)
