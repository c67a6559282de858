"""How hexagons look: colours, limits, colour bar and time. Knows neither napari nor Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit._napari.layers.display import numbers_of
from napari_hexrecruit.limits import default_limits as limits_of_metric
from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.metrics import metric_of, metrics_for
from napari_hexrecruit.rounding import rounded
from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    import xarray as xr

_ENOUGH_VALUES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Look:
    """The look that all layers of a comparison share.

    Parameters
    ----------
    metric
        Name of the metric that the colours show, as in `napari_hexrecruit.metrics.METRICS`.
    colormap
        Name of a napari colormap.
    limits
        Values of the first and the last colour; None: the initial limits of the metric.
    colorbar, timestamp, outline
        If True, draw the colour bar, the time and the outlines of hexagons without a value.
    """

    metric: str
    colormap: str
    limits: tuple[float, float] | None
    colorbar: bool
    timestamp: bool
    outline: bool


def shows(cube: xr.Dataset, metric: str) -> bool:
    """Return whether a cube has a metric."""
    return any(one.name == metric for one in metrics_for(cube))


def fitted_look(look: Look, cubes: Sequence[xr.Dataset]) -> Look:
    """Return a look with limits that fits the cubes; another metric if a cube lacks this one."""
    if not all(shows(cube, look.metric) for cube in cubes):
        look = replace(look, metric=metric_of(cubes).name, limits=None)
    if look.limits is None:
        look = replace(look, limits=default_limits(cubes, look.metric))
    return look


def default_limits(cubes: Iterable[xr.Dataset], metric: str) -> tuple[float, float]:
    """Return the initial limits of a metric: those of the cube that needs the widest limits."""
    numbers = [numbers_of(cube) for cube in cubes]
    return first_limits(numbers, metric_of(numbers, metric))


def fitted_limits(cubes: Iterable[xr.Dataset], metric: str) -> tuple[float, float]:
    """Return limits from 0 to the 99th percentile of all values, symmetric if 0 is the middle.

    For a quantity with values below 0, such as a voltage, they start at the 1st percentile.

    Parameters
    ----------
    cubes
        Recruitment cubes. From a cube with more than four million values, evenly spaced bins are
        read.
    metric
        Name of the metric.

    Returns
    -------
    low, high : float
        `high` is rounded up to two digits. If the percentile is 0, it is the maximum; if all values
        are 0, it is 1.
    """
    cubes = list(cubes)
    if not cubes:
        return (0.0, 1.0)
    shown = metric_of(cubes, metric)
    values = [_finite_values(cube, metric) for cube in cubes]
    low, high = limits_of_metric(shown, np.concatenate(values))
    if shown.below_zero and low < 0:
        return (float(np.floor(low)), float(np.ceil(high))) if high - low > 2 else (low, high)
    return (-_rounded_up(high) if low < 0 else 0.0, _rounded_up(high))


def largest_limit(cubes: Iterable[xr.Dataset], metric: str) -> float:
    """Return the largest value of a limit: 100 for percent, else just over the greatest value."""
    cubes = list(cubes)
    if cubes and metric_of(cubes, metric).units == "%":
        return 100.0
    greatest = [float(v.max()) for v in (_finite_values(cube, metric) for cube in cubes) if v.size]
    return _rounded_up(max([*greatest, 1e-6]))


def reach_of_limits(
    cube: xr.Dataset, metric: str, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the range of the limits, which includes the current ones.

    From 0 to `largest_limit`, or symmetric about 0 if the lower limit is below 0. For a quantity
    with values below 0, such as a voltage, from its least value to its greatest.
    """
    low, high = limits
    values = _finite_values(cube, metric)
    if metric_of(cube, metric).below_zero and values.size and values.min() < 0:
        least, most = float(np.floor(values.min())), float(np.ceil(values.max()))
        return (min(low, least), max(high, most))
    most = max(largest_limit([cube], metric), high)
    return (-most if low < 0 else 0.0, most)


def _finite_values(cube: xr.Dataset, metric: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    step = max(1, -(-cube.sizes[TIME] * cube.sizes[HEX] // _ENOUGH_VALUES))
    values = metric_of(cube, metric).values(cube, slice(None, None, step)).ravel()
    return values[np.isfinite(values)]


def _rounded_up(value: float) -> float:
    """Return the value rounded up to two digits: 37.2 -> 38."""
    return round(rounded(value, range(10, 100), "up"), 12)
