"""The values of the population and of picked hexagons over time.

Knows neither napari nor Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._napari.layers.picks import MOST_LINES, colour_of, dash_of
from napari_hexrecruit.analysis.traces import hex_traces, population_trace, traces_table
from napari_hexrecruit.metrics import is_static, metric_of, metrics_for
from napari_hexrecruit.naming import counted_in, time_from
from napari_hexrecruit.schema import N_NEURONS, RECRUITMENT, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

Floats = npt.NDArray[np.floating[Any]]

_BAND = (10.0, 90.0)


@dataclass(frozen=True, eq=False)
class Strip:
    """The whole population over time.

    Parameters
    ----------
    time_ms
        (n_bins,) middle of each bin.
    values
        (n_bins,) value of the population.
    window_ms
        Start of the first bin and end of the last one.
    title
        The quantity shown, with its units.
    time_title
        Title of the time axis: the origin of time, with units.
    counted
        The neurons that are counted.
    """

    time_ms: Floats
    values: Floats
    window_ms: tuple[float, float]
    title: str
    time_title: str = "Time (ms)"
    counted: str = ""
    fitted: bool = False
    """Whether the axis may exclude 0, such as for a voltage."""

    @property
    def onset_ms(self) -> float | None:
        """The onset that is the origin of time, if it lies within the window."""
        start, stop = self.window_ms
        return 0.0 if "onset" in self.time_title and start < 0.0 < stop else None


@dataclass(frozen=True, eq=False)
class Line:
    """One hexagon over time.

    Parameters
    ----------
    name, n_neurons
        Name of the hexagon, and number of its neurons.
    values
        (n_bins,) values; NaN if it has too few neurons.
    colour, dash
        Those of its outline on the map; dashes in line widths.
    """

    name: str
    n_neurons: int
    values: Floats
    colour: str
    dash: tuple[float, ...]

    @property
    def has_value(self) -> bool:
        """Whether any value is finite."""
        return bool(np.isfinite(self.values).any())


@dataclass(frozen=True, eq=False)
class Traces:
    """The picked hexagons over time.

    Parameters
    ----------
    time_ms
        (n_bins,) middle of each bin.
    lines
        One line per hexagon; empty for more than `MOST_LINES` hexagons.
    mean
        (n_bins,) mean with equal weight for every neuron.
    band
        (2, n_bins) 10th and 90th percentile of the hexagons if there are no lines, else None.
    n_hexes, n_neurons
        Number of picked hexagons, and of their neurons.
    table
        Result of `hex_traces`, for files.
    """

    time_ms: Floats
    lines: tuple[Line, ...]
    mean: Floats
    band: Floats | None
    n_hexes: int
    n_neurons: int
    table: xr.Dataset
    fitted: bool = False
    """Whether the axis may exclude 0, such as for a voltage."""

    def csv(self) -> str:
        """Return the values as CSV: start of the bin in ms, a column per hexagon, the mean."""
        return str(traces_table(self.table).to_csv(index=False))

    def limits(self) -> tuple[float, float]:
        """Return the axis limits, see `limits_of`."""
        shown = [line.values for line in self.lines] if self.band is None else [self.band]
        return limits_of([*shown, self.mean], fitted=self.fitted)


def limits_of(values: Sequence[Floats], *, fitted: bool = False) -> tuple[float, float]:
    """Return axis limits, with a margin, around all finite values and 0.

    With `fitted`, they exclude 0 if all values are below it.

    Examples
    --------
    >>> limits_of([np.array([2.0, 10.0])])
    (0.0, 10.5)
    >>> limits_of([np.array([np.nan])])
    (0.0, 1.0)
    >>> limits_of([np.array([-70.0, -60.0])], fitted=True)
    (-70.5, -59.5)
    """
    together = np.concatenate([np.ravel(part) for part in values]) if values else np.zeros(0)
    together = together[np.isfinite(together)]
    if fitted and together.size and together.max() < 0.0:
        ends = float(together.min()), float(together.max())
        air = 0.05 * (ends[1] - ends[0]) or 1.0
        return (ends[0] - air, ends[1] + air)
    low = min(0.0, float(together.min(initial=0.0)))
    high = max(0.0, float(together.max(initial=0.0)))
    air = 0.05 * (high - low)
    if air == 0.0:
        return (0.0, 1.0)
    return (low - air if low < 0 else 0.0, high + air if high > 0 else 0.0)


def is_in_memory(cube: xr.Dataset) -> bool:
    """Return whether a cube is in memory; otherwise it is read from files in parts."""
    return all(variable.chunks is None for variable in cube.data_vars.values())


def strip_of(cube: xr.Dataset, metric: str) -> Strip:
    """Read the population of a cube over time."""
    if not metric_of(cube, metric).pools:
        return empty_strip(cube, metric)
    return replace(empty_strip(cube, metric), values=population_trace(cube, metric=metric).values)


def empty_strip(cube: xr.Dataset, metric: str) -> Strip:
    """Make a strip without values."""
    start, width = float(cube[TIME][0]), float(cube.attrs["bin_ms"])
    return Strip(
        time_ms=cube[TIME].values + width / 2.0,
        values=np.full(cube.sizes[TIME], np.nan),
        window_ms=(start, start + cube.sizes[TIME] * width),
        title=title_of(cube, metric),
        time_title=_time_title(cube),
        counted=counted_in(cube),
        fitted=metric_of(cube, metric).below_zero,
    )


def metric_over_time(cube: xr.Dataset, metric: str) -> str:
    """Return the metric to draw over time: the first one of the cube if `metric` is a map."""
    shown = metric_of(cube, metric)
    return metrics_for(cube)[0].name if is_static(cube, shown) else metric


def _time_title(cube: xr.Dataset) -> str:
    """Return the title of the time axis, with the origin of time: ``Time since the onset (ms)``."""
    since = time_from(cube)
    return f"Time since {since} (ms)" if since else "Time (ms)"


def traces_of(
    cube: xr.Dataset, names: Sequence[str], slots: Sequence[int], metric: str
) -> Traces | None:
    """Read hexagons of a cube over time.

    Parameters
    ----------
    cube
        A recruitment cube.
    names, slots
        Names of the hexagons, and the numbers of their colours.
    metric
        Name of the metric to read.

    Returns
    -------
    Traces or None
        The traces; None if no hexagon is picked.
    """
    if not names:
        return None
    table = hex_traces(cube, list(names), metric=metric)
    values, n_neurons = table["trace"].values, table[N_NEURONS].values
    many = len(names) > MOST_LINES
    return Traces(
        time_ms=cube[TIME].values + float(cube.attrs["bin_ms"]) / 2.0,
        lines=()
        if many
        else tuple(
            Line(name, int(n), values[:, k], colour_of(slot), dash_of(slot))
            for k, (name, n, slot) in enumerate(zip(names, n_neurons, slots, strict=True))
        ),
        mean=table["mean"].values,
        band=_percentiles(values) if many else None,
        n_hexes=len(names),
        n_neurons=int(n_neurons.sum()),
        table=table,
        fitted=metric_of(cube, metric).below_zero,
    )


def title_of(cube: xr.Dataset, metric: str) -> str:
    """Return the title of the value axis: ``Neurons recruited (%)``."""
    title = metric_of(cube, metric).title_for(cube)
    return f"Neurons {title[0].lower()}{title[1:]}" if metric == RECRUITMENT else title


def decimated(x: Floats, y: Floats, n_columns: int) -> tuple[Floats, Floats]:
    """Thin out a line with more points than the columns of pixels that it is drawn in.

    Parameters
    ----------
    x, y
        (n,) points of a line, x ascending.
    n_columns
        Number of columns of pixels.

    Returns
    -------
    x, y
        The line itself up to four points per column; otherwise the line is divided into about one
        part per column, and reduced to the lowest and highest point of each part, NaN for a part
        without values.
    """
    n = len(x)
    if n <= 4 * n_columns or n_columns < 1:
        return x, y
    size = -(-n // n_columns)
    padded = np.full(-(-n // size) * size, np.nan)
    padded[:n] = y
    parts = padded.reshape(-1, size)
    empty = np.isnan(parts).all(axis=1)
    low = np.where(np.isnan(parts), np.inf, parts).argmin(axis=1)
    high = np.where(np.isnan(parts), -np.inf, parts).argmax(axis=1)
    first = np.arange(len(parts)) * size
    at = np.sort(np.stack([low, high], axis=1), axis=1) + first[:, None]
    at = np.minimum(at, n - 1)
    thin = y[at].astype(float)
    thin[empty] = np.nan
    return x[at].ravel(), thin.ravel()


def _percentiles(values: Floats) -> Floats:
    """Return percentiles over the hexagons with values, (2, n_bins)."""
    valued = values[:, np.isfinite(values).any(axis=0)]
    if valued.shape[1] == 0:
        return np.full((2, len(values)), np.nan)
    return np.nanpercentile(valued, _BAND, axis=1)
