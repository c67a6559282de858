"""Comparison of two cubes: two simulations, two classes of neurons, or two windows of one cube."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.blocks import map_bins, moments
from napari_hexrecruit.analysis.responses import check_baseline
from napari_hexrecruit.analysis.sheets import check_same_sheet
from napari_hexrecruit.analysis.windows import bins_of
from napari_hexrecruit.blocks import time_chunks
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.metric_values import N_NEURONS_WITH, log2_of, ratio_of
from napari_hexrecruit.metrics import (
    METRICS,
    Metric,
    is_cumulative,
    plain_metric,
)
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import (
    COORDINATES,
    HEX,
    N_NEURONS,
    TIME,
    TIME_BOUNDS,
)
from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

PERCENTAGE_POINTS = "percentage points"
_NEAR = 1e-6
_PLACE = ("row", "col", "i", "j", "x", "y")


def align(a: xr.Dataset, b: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Put two cubes on the same hexagons and time axis, to subtract or show them together.

    Parameters
    ----------
    a, b
        Recruitment cubes with hexagons of the same tiling, and the same number and width of bins.

    Returns
    -------
    a, b : xr.Dataset
        Recruitment cubes with all hexagons of either. A hexagon that a cube lacks has NaN as
        `recruitment`, and 0 neurons: it is absent, not silent. If the windows start at different
        times, both cubes run from 0, the start of their window, and the attribute
        ``time_origin_ms`` keeps the original start.

    Raises
    ------
    ValueError
        If the hexagons are not of the same tiling, or the bins do not match; one sentence states
        the difference and the remedy.
    """
    a, b = as_cube(a), as_cube(b)
    _check_tilings(a, b)
    _check_bins(a, b)
    a, b = _on_all_hexes(a, b)
    if abs(bins_of(a).start_ms - bins_of(b).start_ms) > EDGE_TOLERANCE_MS:
        return _from_0(a), _from_0(b)
    return a, b.assign_coords({TIME: a[TIME], TIME_BOUNDS: a[TIME_BOUNDS]})


def compare(
    a: xr.Dataset,
    b: xr.Dataset,
    *,
    metric: str | None = None,
    names: tuple[str, str] = ("A", "B"),
) -> xr.Dataset:
    """Compute the difference and ratio of two cubes, hexagon by hexagon and bin by bin.

    Parameters
    ----------
    a, b
        Cube to compare, and cube to compare it with; as for `align`.
    metric
        Metric to compare: a metric of spikes or another variable of the cubes, not the result of an
        analysis. None: the first one of `a`.
    names
        Names of the two cubes in labels and in the title.

    Returns
    -------
    xr.Dataset
        The recruitment cube `a`, aligned, with ``difference`` (a − b; percentage points for
        recruitment, else the units of the metric), ``ratio`` (a / b) and ``log2_ratio``, all
        (time, hex) float32. All are NaN if either cube has no value; the ratio also if both are 0.
        If only b is 0 (a new response), the ratio is infinite; if only a is 0 (complete
        suppression), its logarithm is minus infinity. ``n_neurons_with`` (hex,) is the number of
        neurons of `b`: means over hexagons use the counts of both.

    Raises
    ------
    ValueError
        As for `align`; or if the metric is unknown, or one cube counts the neurons recruited so far
        and the other those of each bin.
    """
    a, b = as_cube(a), as_cube(b)
    shown = plain_metric((a, b), metric, "cannot be compared")
    if is_cumulative(a) != is_cumulative(b):
        raise ValueError(
            "one cube counts the neurons recruited so far and the other those of each bin:"
            " compute both in the same way"
        )
    label, units = _common_label(shown, a, b)
    a, b = align(a, b)
    if time_chunks(a) and time_chunks(b):
        b = b.chunk({TIME: time_chunks(a), HEX: -1})
    mine, theirs = (map_bins(shown.values, shown.reads, cube) for cube in (a, b))
    difference = _bin_by_bin(np.subtract, mine, theirs)
    ratio = _bin_by_bin(_ratio, mine, theirs)
    log2 = _bin_by_bin(_log2, ratio)
    units = PERCENTAGE_POINTS if units == "%" else units
    first, second = _named(a, b, names)
    what = f"{label}, {first}"
    variables = {
        "difference": (difference, f"{what} − {second}", units),
        "ratio": (ratio, f"{what} / {second}", ""),
        "log2_ratio": (log2, f"{what} / {second}, log2", ""),
    }
    made = {"compare": list(names), "metric": shown.name, "with": str(b.attrs["recipe"])}
    other = {"long_name": f"Neurons of the hexagon, {second}", "units": "1"}
    result = _with(a, variables, f"{names[0]} compared with {names[1]}", made)
    return result.assign({N_NEURONS_WITH: (HEX, b[N_NEURONS].values, other)})


def z_score(cube: xr.Dataset, baseline: xr.Dataset, *, metric: str | None = None) -> xr.Dataset:
    """Compute the deviation of each bin from a baseline, in standard deviations of the baseline.

    Parameters
    ----------
    cube
        A recruitment cube.
    baseline
        Cube of the baseline: a window of the same cube, ``cut(cube, 0.0, 200.0)``, or a cube of
        another simulation with hexagons of the same tiling; 2 or more bins of the same width.
    metric
        Metric to measure, as for `compare`.

    Returns
    -------
    xr.Dataset
        The cube with ``z_score`` (time, hex) float32: ``(v - mean) / sd`` with the mean and the
        sample standard deviation (``n - 1``) of the hexagon's baseline. NaN if the hexagon has no
        value or no baseline, or its baseline does not vary.

    Raises
    ------
    ValueError
        If the tilings or widths of bins differ, the baseline has fewer than 2 bins, or the metric
        is unknown.

    Warns
    -----
    RecruitmentWarning
        If the baseline has fewer than 20 bins.
    """
    cube, baseline = as_cube(cube), as_cube(baseline)
    shown = plain_metric((cube, baseline), metric, "has no z-score")
    _check_tilings(cube, baseline)
    if baseline.sizes[TIME] < 2:
        raise ValueError("a baseline of one bin has no standard deviation: use two bins or more")
    _check_widths(cube, baseline)
    check_baseline(baseline.sizes[TIME])
    mean, sd = _mean_and_sd(cube, baseline, shown)
    sd[sd <= 0] = np.nan

    def scores(part: xr.Dataset) -> Values:
        return ((shown.values(part) - mean) / sd).astype(np.float32)

    bins = bins_of(baseline)
    window = [bins.start_ms, bins.stop_ms]
    label = f"{shown.label}, deviation from {window[0]:g} to {window[1]:g} ms"
    return _with(
        cube,
        {"z_score": (map_bins(scores, shown.reads, cube), label, "standard deviations")},
        "Deviation from a baseline",
        {"z_score": window, "metric": shown.name, "baseline": str(baseline.attrs["recipe"])},
    )


def _common_label(shown: Metric, a: xr.Dataset, b: xr.Dataset) -> tuple[str, str]:
    """Return label and units; refuse cubes with different units."""
    label, units = shown.label_for(a)
    other = shown.label_for(b)[1]
    if units != other:
        raise ValueError(
            f"{shown.name} is in {units or 'no unit'} in one cube and in {other or 'no unit'} in"
            " the other: compare cubes of the same quantity"
        )
    return shown.label if shown.name in METRICS else label, units


def _bin_by_bin(function: Callable[..., Values], *values: Any) -> Any:
    """Apply a function to (time, hex) arrays; dask arrays are computed chunk by chunk."""
    import xarray as xr

    given = [xr.Variable((TIME, HEX), one) for one in values]
    made = xr.apply_ufunc(function, *given, dask="parallelized", output_dtypes=[np.float32])
    return made.data


def _ratio(mine: Values, theirs: Values) -> Values:
    return ratio_of(mine, theirs).astype(np.float32)


def _log2(ratio: Values) -> Values:
    return log2_of(ratio).astype(np.float32)


def _named(a: xr.Dataset, b: xr.Dataset, names: tuple[str, str]) -> list[str]:
    """Return the names of both cubes, with their filters if these differ.

    A filter is not added if each name occurs in its own filter, such as INH in
    ``synapse_class INH``.
    """
    filters = [CubeRecipe.of_foreign(cube).filters for cube in (a, b)]
    pairs = list(zip(names, filters, strict=True))
    if filters[0] == filters[1] or all(name in _words_of(of) for name, of in pairs):
        return list(names)
    return [f"{name} (of {of or 'all'})" for name, of in pairs]


def _words_of(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _with(
    cube: xr.Dataset,
    variables: dict[str, tuple[Any, str, str]],
    title: str,
    made: dict[str, Any],
) -> xr.Dataset:
    """Add (time, hex) variables to the cube: values, label and units of each."""
    return cube.assign(
        {
            name: ((TIME, HEX), values, {"long_name": label, "units": units})
            for name, (values, label, units) in variables.items()
        }
    ).assign_attrs(title=title, analysis=json.dumps(made))


def _mean_and_sd(cube: xr.Dataset, baseline: xr.Dataset, shown: Metric) -> tuple[Floats, Floats]:
    """Return the mean and standard deviation of the baseline for each hexagon of the cube."""
    found = moments(baseline, shown)
    at = {name: k for k, name in enumerate(baseline[HEX].values.tolist())}
    which = np.array([at.get(name, len(at)) for name in cube[HEX].values.tolist()])
    return np.append(found.mean, np.nan)[which], np.append(found.sd(), np.nan)[which]


def _check_tilings(a: xr.Dataset, b: xr.Dataset) -> None:
    if a.attrs["flat_units"] != b.attrs["flat_units"]:
        raise ValueError(
            f"flat space is in {a.attrs['flat_units']} in one cube and in {b.attrs['flat_units']}"
            " in the other: compute both with the same flat columns"
        )
    check_same_sheet(a, b)
    one, other = HexGrid.from_attrs(a.attrs), HexGrid.from_attrs(b.attrs)
    if not math.isclose(one.radius, other.radius, rel_tol=_NEAR):
        raise ValueError(
            f"the hexagons have radius {one.radius:.6g} in one cube and {other.radius:.6g} in the"
            " other: compute both with the same radius"
        )
    away = np.hypot(*np.subtract(one.origin, other.origin))
    if away > _NEAR * one.radius or _moved(a, b, one.radius):
        raise ValueError(
            "hexagons of the same name lie at different places in the two cubes:"
            " compute both with the same tiling or column atlas"
        )


def _moved(a: xr.Dataset, b: xr.Dataset, radius: float) -> bool:
    """Return whether a hexagon of both cubes has different positions."""
    _, mine, theirs = np.intersect1d(
        a[HEX].values.astype(str), b[HEX].values.astype(str), return_indices=True
    )
    away = [np.abs(a[axis].values[mine] - b[axis].values[theirs]) for axis in "xy"]
    return bool(np.max(away, initial=0.0) > 1e-3 * radius)


def _check_widths(a: xr.Dataset, b: xr.Dataset) -> None:
    one, other = (float(cube.attrs["bin_ms"]) for cube in (a, b))
    if not math.isclose(one, other, rel_tol=_NEAR):
        raise ValueError(
            f"bins are {one:g} ms wide in one cube and {other:g} ms in the other:"
            " compute both with the same bin"
        )


def _check_bins(a: xr.Dataset, b: xr.Dataset) -> None:
    _check_widths(a, b)
    if a.sizes[TIME] != b.sizes[TIME]:
        raise ValueError(
            f"one cube has {a.sizes[TIME]} bins and the other {b.sizes[TIME]}:"
            " choose windows of the same length"
        )


def _on_all_hexes(a: xr.Dataset, b: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Put both cubes on the hexagons of either; if `b` adds hexagons, sort by row and column."""
    mine, theirs = (cube[HEX].values.astype(str) for cube in (a, b))
    if np.array_equal(mine, theirs):
        return a, b
    new = np.flatnonzero(~np.isin(theirs, mine))
    names = np.concatenate([mine, theirs[new]])
    places = {name: np.concatenate([a[name].values, b[name].values[new]]) for name in _PLACE}
    order = np.lexsort((places["col"], places["row"])) if new.size else np.arange(len(names))
    coords = {name: (HEX, values[order]) for name, values in {HEX: names, **places}.items()}
    return _on(a, names[order].tolist(), coords), _on(b, names[order].tolist(), coords)


def _on(cube: xr.Dataset, names: list[str], coords: dict[str, Any]) -> xr.Dataset:
    """Put the cube on other hexagons; hexagons it lacks get no neurons, spikes or percentage."""
    import xarray as xr

    at = {name: k for k, name in enumerate(cube[HEX].values.astype(str).tolist())}
    which = np.array([at.get(name, 0) for name in names])
    absent = np.array([name not in at for name in names])
    moved = cube.isel({HEX: which})
    there = xr.DataArray(~absent, dims=(HEX,))
    for name in moved.variables:
        variable = moved[name]
        if HEX in variable.dims and name not in coords:
            nothing = np.array(np.nan if variable.dtype.kind == "f" else 0, variable.dtype)
            moved[name] = variable.where(there, nothing)
    fixed = {name: (*value, cube[name].attrs) for name, value in coords.items()}
    return moved.set_coords(N_NEURONS).assign_coords(fixed)


def _from_0(cube: xr.Dataset) -> xr.Dataset:
    """Return the cube with times since the start of its window."""
    start = bins_of(cube).start_ms
    times = {
        name: (cube[name].dims, cube[name].values - start, cube[name].attrs)
        for name in (TIME, TIME_BOUNDS)
    }
    label = {"long_name": "Start of the bin, since the start of the window"}
    times[TIME] = (*times[TIME][:2], COORDINATES[TIME].attrs | label)
    return cube.assign_coords(times).assign_attrs(time_origin_ms=start)
