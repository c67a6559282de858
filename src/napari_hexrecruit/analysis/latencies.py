"""Latencies of hexagons after an onset: from a cube to the bin, from spikes exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.arrays import AMPLITUDE, hex_array
from napari_hexrecruit.analysis.blocks import highest, moments, parts
from napari_hexrecruit.analysis.responses import (
    ROUNDING,
    Window,
    baseline_counts,
    counts_per_percent,
)
from napari_hexrecruit.analysis.windows import bins_of, cut
from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import metric_of
from napari_hexrecruit.schema import HEX, N_NEURONS, N_SPIKES, RECRUITMENT, TIME
from napari_hexrecruit.timebins import Clock, first_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]


def first_spike_latency(
    cube: xr.Dataset, *, onset: float, until: float | None = None
) -> xr.DataArray:
    """Compute the time from an onset to the first spike of each hexagon, to the bin.

    Parameters
    ----------
    cube
        A recruitment cube.
    onset
        Time of the onset, the edge of a bin, ms.
    until
        End of the search, the edge of a bin, ms; by default the end of the cube.

    Returns
    -------
    xr.DataArray
        (hex,) ms: start of the first bin with a spike from the onset on, minus the onset. NaN if
        there is no spike, or the hexagon has no value. Large hexagons with spontaneous spikes
        mostly have 0: see `latency`, and `first_spikes` for neurons.
    """
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    part = cut(cube, onset, until)
    found = _first_bin(part, lambda bins: bins[N_SPIKES].values > 0, "first_spike_latency")
    return _with_amplitude(found, part, np.zeros(cube.sizes[HEX]))


def latency(
    cube: xr.Dataset,
    *,
    onset: float,
    until: float | None = None,
    baseline: Window | None = None,
    n_sd: float | None = None,
) -> xr.DataArray:
    """Compute the time from an onset to the first bin with recruitment beyond the baseline.

    Parameters
    ----------
    cube
        A recruitment cube.
    onset, until
        As for `first_spike_latency`.
    baseline
        Start and stop of the baseline, edges of bins, ms; by default all bins before the onset. If
        the cube has no bin before the onset, the baseline is taken to be silent.
    n_sd
        Standard deviations above the mean of the baseline that a response exceeds. By default, a
        response needs the number of neurons that 5 % of hexagons without a response would reach in
        some bin of the window, but at least two.

    Returns
    -------
    xr.DataArray
        (hex,) ms: start of the first bin with a response, minus the onset. NaN if there is no
        response, or the hexagon has no value. The coordinate ``amplitude`` is the peak above the
        baseline. Stronger responses are detected sooner, so fit waves to `half_peak_latency`.

    Warns
    -----
    RecruitmentWarning
        If the baseline has fewer than 20 bins.
    """
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    part = cut(cube, onset, until)
    level = _level(cube, part, onset, baseline, n_sd)
    found = _first_bin(part, level.is_exceeded, "latency")
    return _with_amplitude(found, part, level.mean)


def half_peak_latency(
    cube: xr.Dataset,
    *,
    onset: float,
    until: float | None = None,
    baseline: Window | None = None,
    n_sd: float | None = None,
) -> xr.DataArray:
    """Compute the time from an onset until a hexagon rises to half of its peak, finer than a bin.

    Parameters
    ----------
    cube, onset, until, baseline, n_sd
        As for `latency`.

    Returns
    -------
    xr.DataArray
        (hex,) ms. With the mean b of the baseline and the peak p of the window, the time of the
        first rise through ``b + (p - b) / 2``, on straight lines between the middles of bins,
        including the bin before the onset if there is one. NaN if no bin is a response as defined
        by `latency`, if the hexagon is already above half and does not rise through it again, or if
        it has no value. Never below 0.

    Warns
    -----
    RecruitmentWarning
        If the baseline has fewer than 20 bins.
    """
    cube = as_cube(cube)
    shown = metric_of(cube, RECRUITMENT)
    part = cut(cube, onset, until)
    level = _level(cube, part, onset, baseline, n_sd)
    bins = bins_of(cube)
    first = round((onset - bins.start_ms) / bins.width_ms)
    before = shown.values(cube, first - 1) if first else np.full(cube.sizes[HEX], -np.inf)
    responds = np.isfinite(_first_bin(part, level.is_exceeded, "latency").values)
    peak = highest(part, shown)
    rise = _first_rise(part, level.mean + (peak - level.mean) / 2.0, before)
    time = np.maximum((rise + 0.5) * bins.width_ms, 0.0)
    return hex_array(cube, np.where(responds, time, np.nan), "half_peak_latency")


@dataclass(frozen=True, eq=False)
class _Level:
    """Limits that a response exceeds: mean of the baseline, and least count or percentage."""

    mean: Floats
    least_count: Floats | None
    least_percent: Floats
    per_percent: Floats

    def is_exceeded(self, bins: xr.Dataset) -> npt.NDArray[np.bool_]:
        """Return (n_bins, n_hexes) whether a bin is a response."""
        percent = bins[RECRUITMENT].values
        if self.least_count is None:
            return np.asarray(percent > self.least_percent)
        counts = percent * self.per_percent + ROUNDING
        return np.asarray((counts >= self.least_count) & (percent > self.mean))


def _level(
    cube: xr.Dataset, part: xr.Dataset, onset: float, window: Window | None, n_sd: float | None
) -> _Level:
    counts = baseline_counts(cube, onset, window)
    mean, sd = _baseline(cube, onset, window)
    each = counts_per_percent(cube)
    if n_sd is not None:
        return _Level(mean, None, mean + n_sd * sd, each)
    return _Level(mean, counts.threshold(part.sizes[TIME]), mean, each)


def _with_amplitude(found: xr.DataArray, part: xr.Dataset, mean: Floats) -> xr.DataArray:
    """Add the strength of each hexagon's response to a map of latencies."""
    return found.assign_coords(
        {AMPLITUDE: (HEX, highest(part, metric_of(part, RECRUITMENT)) - mean)}
    )


def _first_rise(cube: xr.Dataset, level: Floats, before: Values) -> Floats:
    """Return when each hexagon first rises through a level, in bins from the middle of the first.

    `before` holds the values of the bin before the first one, or -inf if there is none. NaN if the
    hexagon never rises through the level.
    """
    found, at, column = np.full(cube.sizes[HEX], np.nan), 0, np.arange(cube.sizes[HEX])
    for values in parts(cube, metric_of(cube, RECRUITMENT)):
        earlier = np.concatenate([before[None], values[:-1]])
        reaches = (values >= level) & (earlier < level)
        first = reaches.argmax(axis=0)
        upper = values[first, column]
        lower = earlier[first, column].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            back = np.where(np.isfinite(lower), (upper - level) / (upper - lower), 0.0)
        new = np.isnan(found) & reaches.any(axis=0)
        found[new] = (at + first - back)[new]
        at, before = at + len(values), values[-1]
    return found


def first_spikes(
    neurons: npt.NDArray[np.int32],
    times_ms: npt.NDArray[np.floating[Any]],
    members: HexMembers,
    *,
    onset: float,
    until: float = np.inf,
    clock: Clock | None = None,
    min_neurons: int = 1,
    flat_units: str = "unknown",
) -> xr.Dataset:
    """Summarize by hexagon the first spike of every neuron after an onset; exact, without bins.

    Parameters
    ----------
    neurons, times_ms
        (n_spikes,) neuron and time of each spike, times ascending, as `cube_spikes` gives them;
        neuron -1 is not one of the population's neurons.
    members
        Hexagon of each neuron.
    onset, until
        Only spikes with ``onset <= t < until`` count, ms; a spike below either limit by less than
        the tolerance of `Clock` counts as at the limit, as in bins.
    clock
        Precision of the times, as in `Spikes.clock`; by default that of their dtype.
    min_neurons
        Hexagons with fewer neurons have no value, as in a cube.
    flat_units
        Units of flat space, as in the cube's attribute; `fit_wave` gives speeds in them.

    Returns
    -------
    xr.Dataset
        Dimension ``hex``: ``first`` and ``median``, ms from the onset to the first spike of the
        hexagon and to the median of the first spikes of its neurons that fire; NaN if none fires.
        ``n_fired`` and ``fired``, number and percentage of the neurons that fire. The median of an
        even number is the mean of the middle two.
    """
    import xarray as xr

    low, high = first_at(times_ms, (clock or Clock(times_ms.dtype)).cuts([onset, until]))
    times = times_ms[low:high].astype(np.float64, copy=False)
    which, since = _first_of_neurons(neurons[low:high], times - onset, members)
    n_fired, first, median = _by_hexagon(which, since, len(members.i))
    enough = members.n_neurons >= min_neurons
    fired = 100.0 * n_fired / np.maximum(members.n_neurons, 1)
    values = {
        "first": (np.where(enough, np.maximum(first, 0.0), np.nan), "First spike", "ms"),
        "median": (
            np.where(enough, np.maximum(median, 0.0), np.nan),
            "First spike of a neuron, median",
            "ms",
        ),
        "n_fired": (n_fired, "Neurons that fire", "1"),
        "fired": (np.where(enough, fired, np.nan), "Neurons that fire", "%"),
    }
    radius = {"hex_radius": float(members.grid.radius)}
    x, y = members.xy()
    return xr.Dataset(
        {
            name: (HEX, numbers, {"units": units, "long_name": label, **radius})
            for name, (numbers, label, units) in values.items()
        },
        {
            HEX: members.hex_names(),
            "x": (HEX, x, {"units": flat_units}),
            "y": (HEX, y, {"units": flat_units}),
            N_NEURONS: (HEX, members.n_neurons),
        },
        {
            "onset": float(onset),
            "until": float(until),
            "flat_units": flat_units,
            "min_neurons": min_neurons,
            **radius,
        },
    )


def _by_hexagon(
    which: npt.NDArray[np.intp], since: npt.NDArray[np.float64], n_hexes: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return per hexagon the number of times, the first and the median, NaN where there is none.

    The times must be sorted by hexagon, and ascend within each.
    """
    n_fired = np.bincount(which, minlength=n_hexes)
    start = np.cumsum(n_fired) - n_fired
    padded = np.append(since, np.nan)
    fires = n_fired > 0
    first = np.where(fires, padded[np.where(fires, start, -1)], np.nan)
    middle = [np.where(fires, start + (n_fired - 1 + k) // 2, -1) for k in (0, 1)]
    return n_fired, first, (padded[middle[0]] + padded[middle[1]]) / 2.0


def _first_of_neurons(
    neurons: npt.NDArray[np.int32], times: Floats, members: HexMembers
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return hexagon and time of each neuron's first spike, sorted by hexagon, then by time.

    Neurons outside of all hexagons are left out.
    """
    spike_of = np.full(len(members.hex_of_neuron) + 1, -1, dtype=np.int64)
    spike_of[neurons[::-1]] = np.arange(len(neurons))[::-1]  # last write: the first spike
    is_first = np.zeros(len(neurons) + 1, dtype=bool)
    is_first[spike_of[:-1][members.hex_of_neuron >= 0]] = True
    spikes = np.flatnonzero(is_first[:-1])  # the last entry stands for neurons without a spike
    hexes = members.hex_of_neuron[neurons[spikes]]
    narrow = hexes.astype(np.uint16) if len(members.i) < 2**16 else hexes
    order = np.argsort(narrow, kind="stable")  # 16 bits: radix sort
    return hexes[order].astype(np.intp), times[spikes[order]]


def _first_bin(
    cube: xr.Dataset, is_found: Callable[[xr.Dataset], npt.NDArray[np.bool_]], name: str
) -> xr.DataArray:
    """Return the start of the first bin in which something is found, since the start of the cube.

    NaN if there is none, or if an earlier bin has no value.
    """
    first, at, column = np.full(cube.sizes[HEX], np.nan), 0, np.arange(cube.sizes[HEX])
    open_ = np.full(cube.sizes[HEX], True)
    for part in parts_of(cube):
        bins = cube.isel({TIME: part})
        unknown = np.isnan(bins[RECRUITMENT].values)
        ends = is_found(bins) | unknown
        here = ends.argmax(axis=0)
        ending = open_ & ends.any(axis=0)
        new = ending & ~unknown[here, column]
        first[new] = at + here[new]
        open_ &= ~ending
        at += len(ends)
        if not open_.any():
            break
    return hex_array(cube, first * bins_of(cube).width_ms, name)


def _baseline(cube: xr.Dataset, onset: float, window: Window | None) -> tuple[Floats, Floats]:
    """Return (n_hexes,) mean and standard deviation.

    The standard deviation of a single bin is 0; without bins, both are 0.
    """
    if window is None and onset <= bins_of(cube).start_ms:
        return np.zeros(cube.sizes[HEX]), np.zeros(cube.sizes[HEX])
    start, stop = (None, onset) if window is None else window
    found = moments(cut(cube, start, stop), metric_of(cube, RECRUITMENT))
    return found.mean, found.sd()
