"""Trials: windows of a cube around onsets, cut from the cube or counted from spikes."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.blocks import has_value
from napari_hexrecruit.analysis.windows import bins_of
from napari_hexrecruit.blocks import time_chunks
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.counting.members import count_spikes
from napari_hexrecruit.errors import Parameter, ParameterError, RecruitmentWarning
from napari_hexrecruit.metrics import is_cumulative, metric_of
from napari_hexrecruit.rounding import listed
from napari_hexrecruit.schema import (
    COORDINATES,
    HEX,
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    N_TRIALS,
    RECRUITMENT,
    TIME,
    TRIAL,
    notes_of,
    own_variables,
    time_coords,
)
from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS, Clock, TimeBins, first_at

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]

ORIGIN = "time_origin_ms"


def cut_trials(
    cube: xr.Dataset, onsets: npt.ArrayLike, *, before: float, after: float
) -> xr.Dataset:
    """Cut windows around onsets from a cube, with time relative to the onset.

    Parameters
    ----------
    cube
        A recruitment cube of bins, not of the neurons recruited so far.
    onsets
        (n_onsets,) times, ms. An onset inside a bin moves to the nearest edge, at most half a bin
        away; `count_trials` is exact.
    before, after
        Window from ``onset - before`` to ``onset + after``, ms: whole numbers of bins, 0 or more.

    Returns
    -------
    xr.Dataset
        Dimensions (trial, time, hex): `recruitment`, `n_recruited`, `n_spikes` and other quantities
        of the cube for each trial, with ``time`` from ``-before`` (0 is the start of the bin at the
        onset). Along ``trial``: ``onset`` (ms) and ``shift`` (ms, from the onset to the edge used
        for it). Onsets whose window is not entirely inside the cube are left out and listed in the
        attribute ``onsets_left_out``.

    Raises
    ------
    ValueError
        If the window is not a whole number of bins or empty, no onset is left, or the cube counts
        neurons recruited so far.
    """
    cube = as_cube(cube)
    _refuse_cumulative(cube)
    bins = bins_of(cube)
    n_before, n_after = (_n_bins(n, v, bins.width_ms) for n, v in _named(before, after))
    times = _checked_onsets(onsets)
    edges = np.rint((times - bins.start_ms) / bins.width_ms).astype(np.int64)
    once = _each_once(edges, np.abs(bins.start_ms + bins.width_ms * edges - times))
    kept, edges = times[once], edges[once]
    inside = (edges >= n_before) & (edges + n_after <= bins.n_bins)
    _refuse_none(inside, kept, bins.start_ms, bins.stop_ms)
    return _trials(
        cube,
        _windows(cube, edges[inside] - n_before, n_before + n_after),
        TimeBins(0.0 - n_before * bins.width_ms, n_after * bins.width_ms, bins.width_ms),
        _Onsets(kept, inside, times[~once], bins.start_ms + bins.width_ms * edges - kept),
    )


def _windows(cube: xr.Dataset, first: npt.NDArray[np.int64], n_bins: int) -> dict[str, Any]:
    """Return (n_trials, n_bins, n_hexes) of each variable, read on demand from a cube on disk."""
    if not time_chunks(cube):
        rows = first[:, None] + np.arange(n_bins)
        return {name: cube[name].values[rows] for name in own_variables(cube)}
    import dask.array

    stack: Any = dask.array.stack
    return {
        name: stack([cube[name].data[at : at + n_bins] for at in first.tolist()])
        for name in own_variables(cube)
    }


def count_trials(
    cube: xr.Dataset,
    neurons: npt.NDArray[np.int32],
    times_ms: npt.NDArray[np.floating[Any]],
    members: HexMembers,
    onsets: npt.ArrayLike,
    *,
    before: float,
    after: float,
    bin_ms: float | None = None,
    within: tuple[float, float] = (-math.inf, math.inf),
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Count trials as in `cut_trials`, but from the spikes, with a bin edge exactly at each onset.

    Parameters
    ----------
    cube
        A recruitment cube of the same neurons, of any window: its hexagons and attributes are kept.
    neurons, times_ms, members
        Spikes, and hexagon of each neuron, as for
        `napari_hexrecruit.counting.members.count_spikes`; `members` in the order of the cube.
    onsets, before, after
        As for `cut_trials`; onsets can be at any time.
    bin_ms
        Width of a bin, ms; by default the cube's.
    within
        Start and end of the simulation, ms: windows outside are left out.
    clock
        Precision of the times, as in `Spikes.clock`; by default that of their dtype.
    progress
        Called as ``progress("trials", done, total)``.

    Returns
    -------
    xr.Dataset
        As from `cut_trials`, with ``shift`` 0.

    Raises
    ------
    ValueError
        As for `cut_trials`; or if the members are not those of the cube.
    """
    cube = as_cube(cube)
    _refuse_cumulative(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    if not np.array_equal(members.n_neurons, cube[N_NEURONS].values):
        raise ValueError(
            "the neurons are not those of the cube: use cube_members of its simulation"
        )
    width = float(cube.attrs["bin_ms"]) if bin_ms is None else float(bin_ms)
    n_before, n_after = (_n_bins(name, value, width) for name, value in _named(before, after))
    window = TimeBins(0.0 - n_before * width, n_after * width, width)
    times = _checked_onsets(onsets)
    times, repeated = _apart(times)
    low, high = within[0] - EDGE_TOLERANCE_MS, within[1] + EDGE_TOLERANCE_MS
    inside = (times + window.start_ms >= low) & (times + window.stop_ms <= high)
    _refuse_none(inside, times, *within)
    counts, clock = [], clock or Clock(times_ms.dtype)
    for k, onset in enumerate(times[inside].tolist()):
        bins = TimeBins(onset + window.start_ms, onset + window.stop_ms, width)
        theirs = slice(*first_at(times_ms, bins.cuts(clock)[[0, -1]]))
        counts.append(count_spikes(neurons[theirs], times_ms[theirs], members, bins, clock=clock))
        if progress is not None:
            progress("trials", k + 1, int(inside.sum()))
    n_recruited, n_spikes = (np.stack(part) for part in zip(*counts, strict=True))
    denominator = np.where(has_value(cube), np.maximum(members.n_neurons, 1), np.nan)
    percent = (100.0 * n_recruited / denominator).astype(np.float32)
    values = {RECRUITMENT: percent, N_RECRUITED: n_recruited, N_SPIKES: n_spikes}
    single = cube.drop_attrs(deep=False).assign_attrs(
        {k: v for k, v in cube.attrs.items() if k not in (N_TRIALS, ORIGIN)}
    )
    return _trials(single, values, window, _Onsets(times, inside, repeated, np.zeros(len(times))))


class _Onsets(NamedTuple):
    """Distinct onsets, which of them are inside, the repeated ones, and the shifts to edges."""

    times: Floats
    inside: npt.NDArray[np.bool_]
    repeated: Floats
    shift: Floats


def _trials(
    cube: xr.Dataset, values: dict[str, Any], window: TimeBins, onsets: _Onsets
) -> xr.Dataset:
    """Label values (trial, time, hex) with the cube's coordinates and times relative to onsets."""
    import xarray as xr

    used, shift = onsets.times[onsets.inside], onsets.shift[onsets.inside]
    coords: dict[str, Any] = {name: cube[name] for name in COORDINATES if cube[name].dims == (HEX,)}
    label = {"long_name": "Start of the bin, since the onset"}
    coords |= time_coords(window.edges(), {TIME: COORDINATES[TIME].attrs | label})
    coords |= {
        TRIAL: (TRIAL, np.arange(len(used))),
        "onset": (TRIAL, used, {"units": "ms"}),
        "shift": (TRIAL, shift, {"units": "ms"}),
    }
    made = {"onsets": used.tolist(), "shift": shift.tolist()}
    notes = _notes(used + shift, onsets.repeated, window)
    return xr.Dataset(
        {name: ((TRIAL, TIME, HEX), each, cube[name].attrs) for name, each in values.items()},
        coords,
        {
            **cube.attrs,
            "title": f"{len(used)} trials",
            "bin_ms": window.width_ms,
            "analysis": json.dumps(made),
            "onsets_left_out": json.dumps(onsets.times[~onsets.inside].tolist()),
            "onsets_repeated": json.dumps(onsets.repeated.tolist()),
            "notes": json.dumps([*notes_of(cube), *notes]),
        },
    )


def _notes(edges: Floats, repeated: Floats, window: TimeBins) -> list[str]:
    """Note repeated onsets and overlapping windows; also warn of repeated onsets."""
    notes = []
    if len(repeated):
        notes.append(
            f"trials: {len(repeated)} onsets begin with the same bin as another and do not count"
            f" again: {listed(repeated)} ms"
        )
        warnings.warn(notes[0], RecruitmentWarning, stacklevel=4)
    length = window.stop_ms - window.start_ms
    n_overlapping = int((np.diff(edges) < length - EDGE_TOLERANCE_MS).sum())
    if n_overlapping:
        notes.append(
            f"trials: {n_overlapping + 1} of the {len(edges)} windows overlap: they share spikes,"
            " so the standard error is too small and the reliability too high"
        )
    return notes


def _each_once(edges: npt.NDArray[np.int64], away: Floats) -> npt.NDArray[np.bool_]:
    """Return which onsets to use, one per edge: the nearest, and the first of equally near ones."""
    order = np.lexsort((away, edges))
    once = np.zeros(len(edges), dtype=bool)
    once[order[np.append(True, np.diff(edges[order]) > 0)]] = True
    return once


def _apart(times: Floats) -> tuple[Floats, Floats]:
    """Return the distinct onsets, ascending, and the onsets that repeat one within rounding."""
    again = np.append(False, np.diff(times) <= EDGE_TOLERANCE_MS)
    return times[~again], times[again]


def _named(before: float, after: float) -> list[tuple[str, float]]:
    if not before + after > 0:
        raise ValueError(
            f"the window from {0.0 - before:g} to {after:g} ms around an onset is empty"
        )
    return [("before", before), ("after", after)]


def _n_bins(name: str, value: float, bin_ms: float) -> int:
    n_bins = round(value / bin_ms) if math.isfinite(value) else -1
    if n_bins < 0 or abs(n_bins * bin_ms - value) > EDGE_TOLERANCE_MS:
        near = max(0.0, math.floor(value / bin_ms) * bin_ms) if math.isfinite(value) else 0.0
        raise ParameterError(
            Parameter(name),
            f"must be a whole number of {bin_ms:g} ms bins, not {value!r} ms:"
            f" use {near:g} or {near + bin_ms:g} ms",
        )
    return n_bins


def _checked_onsets(onsets: npt.ArrayLike) -> Floats:
    times = np.atleast_1d(np.asarray(onsets, dtype=np.float64))
    if times.ndim != 1 or times.size == 0 or not np.isfinite(times).all():
        raise ParameterError(
            Parameter("onsets"), f"must be one finite number of ms or more, not {onsets!r}"
        )
    return np.sort(times)


def _refuse_none(inside: npt.NDArray[np.bool_], onsets: Floats, start: float, stop: float) -> None:
    if not inside.any():
        raise ValueError(
            f"no onset ({', '.join(f'{t:g}' for t in onsets[:5])}) has its whole window within"
            f" {start:g} to {stop:g} ms: choose other onsets or a shorter window"
        )


def _refuse_cumulative(cube: xr.Dataset) -> None:
    if is_cumulative(cube):
        raise ValueError(
            "the cube counts the neurons recruited so far, which never fall from trial to trial:"
            " use a cube of bins"
        )
