"""Waves in a cube: each separated from the others, with its numbers."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis._activations import Activations, Level, activations, usual_level
from napari_hexrecruit.analysis._activations import links as links_of
from napari_hexrecruit.analysis._groups import Sheet, groups
from napari_hexrecruit.analysis._wave_facts import facts_of, front_of
from napari_hexrecruit.analysis.arrays import hex_array
from napari_hexrecruit.analysis.windows import bins_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.metrics import is_cumulative, metric_of
from napari_hexrecruit.schema import (
    HEX,
    RECRUITMENT,
    TIME,
    TIME_BOUNDS,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WAVE = "wave"
"""Variable with the number of the wave of each hexagon and bin."""
WAVE_COLUMNS = (
    *("wave", "start_ms", "duration_ms", "n_hexes", "n_recruited", "peak", "origin_x", "origin_y"),
    *("kind", "speed", "speed_low", "speed_high", "direction_deg", "planarity", "interval_ms"),
)
_MIN_HEXES = 7
_STEPS = 2.01
"""Default reach, in distances between neighbours: it spans a gap of one hexagon."""
_LEAD_BINS = 2.0
_QUARTERS = (25.0, 50.0, 75.0)


def find_waves(
    cube: xr.Dataset,
    *,
    threshold: float | None = None,
    gap_ms: float = 0.0,
    reach: float | None = None,
    min_hexes: int = _MIN_HEXES,
    lead_ms: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Find the waves of a cube and separate them from each other.

    Parameters
    ----------
    cube
        A recruitment cube.
    threshold
        Percentage from which a hexagon is active. By default, the count of neurons that a hexagon
        at rest reaches in one of 10,000 bins, at least two; rest is estimated from the bins of the
        cube between waves.
    gap_ms
        Longest pause that does not end the activity of a hexagon, or separate the activity of
        neighbours, ms.
    reach
        Greatest distance between the centres of neighbouring hexagons, units of flat space; by
        default two steps on the lattice, so that a wave crosses a gap of one hexagon.
    min_hexes
        Fewest hexagons that a wave reaches.
    lead_ms
        When two waves meet, the later one is a wave of its own if it has spread for at least this
        long, ms; by default two bins.
    seed
        Seed of the random draws when fronts are fitted.
    progress
        Called as ``progress("fitting waves", done, total)``.

    Returns
    -------
    xr.Dataset
        The cube with ``wave`` (time, hex) int32: the number of the wave, 0 for none; and ``onset``
        (event, hex) float64, ms since the start of each wave, NaN in hexagons it does not reach.
        `waves_table` lists the waves, `waves_summary` summarizes them.

    Raises
    ------
    ValueError
        If the cube counts neurons recruited so far, or a parameter is out of range.

    Notes
    -----
    An activation of a hexagon is a peak that stands out in time, from the first bin at the
    threshold until half-way back to rest. Its onset is when activity rises through half of the
    peak; this time is finer than a bin and independent of the strength. Activations of neighbouring
    hexagons are linked if they touch in time and each is the other's nearest. Linked activations
    form one wave, unless they spread from several places: then each place starts a wave, and a
    hexagon belongs to the wave that got there first. Places that one front explains as well as
    several are one place.

    Rest is assumed to vary as much above its mean as below it. If many neurons fire in bursts
    together between waves, a burst can count as a wave: raise `threshold` then.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import Story, write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> story = Story(n_neurons=5_000, stimuli_ms=(100.0, 400.0), tstop_ms=700.0)
    >>> found = find_waves(recruitment_cube(write_simulation(folder.name + "/run", story)))
    >>> waves_table(found)[["wave", "start_ms", "kind"]].values.tolist()
    [[1, 100.0, 'radial'], [2, 400.0, 'radial']]
    """
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    asked = _asked(cube, threshold, gap_ms, reach, min_hexes, lead_ms)
    percent = cube[RECRUITMENT].values
    level = usual_level(cube, percent)
    if threshold is not None:
        rest = np.minimum(level.rest, threshold / 2.0)
        level = Level(rest, np.where(np.isfinite(level.rest), float(threshold), np.nan))
    found = activations(percent, level, asked.gap)
    links = links_of(found, asked.sheet.xy, asked.reach, asked.gap)
    group = groups(found, links, asked.sheet)
    events = _Events(cube, found.take(group >= 0), group[group >= 0])
    return _result(events, asked, seed, progress)


def waves_table(result: xr.Dataset) -> pd.DataFrame:
    """List the waves that were found.

    Parameters
    ----------
    result
        Result of `find_waves`, also after writing and reading it.

    Returns
    -------
    pd.DataFrame
        One row per wave, by start. ``start_ms`` is the start of its first bin; ``duration_ms`` the
        time from there to the end of its last bin; ``n_hexes`` the number of hexagons it reaches;
        ``n_recruited`` the sum of the neurons that fire in its bins (a neuron that fires in two
        bins counts twice); ``peak`` the greatest recruitment of a hexagon, percent; ``origin_x``
        and ``origin_y`` the source of a radial front on the sheet, else the middle of the hexagons
        in which it begins; ``kind`` is plane, radial, or none if `fit_wave` finds no front;
        ``speed``, its 95 % interval ``speed_low`` and ``speed_high`` (units of flat space per ms)
        and ``direction_deg`` (plane fronts only) are those of `fit_wave`; ``planarity`` is the
        length of the mean of the local directions, 1 if all are the same; ``interval_ms`` is the
        time since the start of the previous wave.

    Raises
    ------
    ValueError
        If `result` is not a result of `find_waves`.

    Examples
    --------
    >>> import xarray as xr
    >>> waves_table(xr.Dataset(attrs={"waves": "[]"})).shape
    (0, 15)
    """
    import pandas as pd

    rows = [[np.nan if value is None else value for value in row] for row in _rows(result)]
    return pd.DataFrame(rows, columns=list(WAVE_COLUMNS))


def waves_summary(result: xr.Dataset) -> dict[str, Any]:
    """Summarize the number, rate, kinds, intervals and speeds of the waves.

    Parameters
    ----------
    result
        Result of `find_waves`, also after writing and reading it.

    Returns
    -------
    dict
        ``n_waves``; ``rate_per_s``, waves per second of the cube; ``kinds``, the number of waves of
        each kind; ``intervals_ms`` and ``speeds``, each with the number of values ``n`` and the
        quartiles ``low``, ``median`` and ``high``, None if there are no values.

    Raises
    ------
    ValueError
        If `result` is not a result of `find_waves`.

    Examples
    --------
    >>> import xarray as xr
    >>> waves_summary(xr.Dataset({"time_bounds": (("time", "bound"), [[0.0, 500.0]])},
    ...     attrs={"waves": "[]"}))["rate_per_s"]
    0.0
    """
    table = waves_table(result)
    bounds = result[TIME_BOUNDS].values
    seconds = float(bounds[-1, 1] - bounds[0, 0]) / 1000.0
    return {
        "n_waves": len(table),
        "rate_per_s": len(table) / seconds,
        "kinds": {str(kind): int(n) for kind, n in table["kind"].value_counts().items()},
        "intervals_ms": _quarters(table["interval_ms"].to_numpy(dtype=np.float64)),
        "speeds": _quarters(table["speed"].to_numpy(dtype=np.float64)),
    }


def wave_latency(result: xr.Dataset, wave: int) -> xr.DataArray:
    """Return when a wave reaches each hexagon, as a map that `fit_wave` takes.

    Parameters
    ----------
    result
        Result of `find_waves`, also after writing and reading it.
    wave
        Number of the wave, from 1.

    Returns
    -------
    xr.DataArray
        (hex,) ms since the start of the wave, NaN in hexagons that it does not reach.

    Raises
    ------
    ValueError
        If `wave` is not the number of a wave.
    """
    n = len(_rows(result))
    if not 1 <= wave <= n:
        has = f"choose 1 to {n}" if n else "find_waves found no waves"
        raise ValueError(f"wave {wave} does not exist: {has}")
    onset = result["onset"].isel({"event": wave - 1}).values
    return hex_array(result, onset, "half_peak_latency")


class _Asked(NamedTuple):
    """Parameters converted to bins and units of flat space, and as given."""

    sheet: Sheet
    gap: int
    reach: float
    told: dict[str, Any]


def _asked(
    cube: xr.Dataset,
    threshold: float | None,
    gap_ms: float,
    reach: float | None,
    min_hexes: int,
    lead_ms: float | None,
) -> _Asked:
    if is_cumulative(cube):
        raise ValueError(
            "the cube counts the neurons recruited so far, which never fall: compute one of bins"
        )
    width = float(cube.attrs["bin_ms"])
    spacing = math.sqrt(3.0) * float(cube.attrs["hex_radius"])
    reach = _STEPS * spacing if reach is None else reach
    lead_ms = _LEAD_BINS * width if lead_ms is None else lead_ms
    checks = {
        "threshold": (threshold is None or 0.0 < threshold <= 100.0, "above 0 to 100 %"),
        "gap_ms": (0.0 <= gap_ms < math.inf, "0 ms or more"),
        "reach": (0.99 * spacing <= reach < math.inf, f"{spacing:.4g} or more, as hexagons are"),
        "min_hexes": (min_hexes >= 1, "1 or more"),
        "lead_ms": (lead_ms >= 0.0, "0 ms or more"),
    }
    given = dict(zip(checks, (threshold, gap_ms, reach, min_hexes, lead_ms), strict=True))
    for name, (holds, needed) in checks.items():
        if not holds:
            raise ParameterError(Parameter(name), f"must be {needed}, not {given[name]!r}")
    xy = np.stack([cube[axis].values for axis in "xy"], axis=1).astype(np.float64)
    gap = math.floor(gap_ms / width + 1e-6)
    return _Asked(Sheet(xy, min_hexes, lead_ms / width), gap, 1.001 * reach, given)


class _Events(NamedTuple):
    """Activations of all waves, and the wave of each, from 0."""

    cube: xr.Dataset
    found: Activations
    wave: Ints

    @property
    def n(self) -> int:
        """Number of waves."""
        return int(self.wave.max(initial=-1)) + 1

    def labels(self) -> npt.NDArray[np.int32]:
        """Return the (n_bins, n_hexes) number of the wave, from 1; 0 for none."""
        labels = np.zeros((self.cube.sizes[TIME], self.cube.sizes[HEX]), dtype=np.int32)
        owner, bins, hexes = self.found.cells()
        labels[bins, hexes] = self.wave[owner] + 1
        return labels

    def onsets(self) -> Floats:
        """Return (n_waves, n_hexes) first onsets, ms since the start of the cube; NaN for none."""
        onset = np.full((self.n, self.cube.sizes[HEX]), np.inf)
        np.minimum.at(onset, (self.wave, self.found.hex), self.found.onset)
        return np.where(np.isinf(onset), np.nan, onset * float(self.cube.attrs["bin_ms"]))


def _result(events: _Events, asked: _Asked, seed: int, progress: Progress | None) -> xr.Dataset:
    cube = events.cube
    labels, onsets = events.labels(), events.onsets()
    start = bins_of(cube).start_ms
    facts = facts_of(cube, labels, events.n)
    rows, before = [], math.nan
    for k, fact in enumerate(facts):
        onsets[k] -= fact["start_ms"] - start
        row = fact | front_of(cube, onsets[k], seed)
        row["interval_ms"], before = row["start_ms"] - before, row["start_ms"]
        rows.append([_plain(row[name]) for name in WAVE_COLUMNS])
        if progress is not None:
            progress("fitting waves", k + 1, events.n)
    units = {"units": "ms", "long_name": "Onset since the start of the wave"}
    return cube.assign(
        {
            WAVE: ((TIME, HEX), labels, {"long_name": "Wave", "units": ""}),
            "onset": (("event", HEX), onsets, units),
        }
    ).assign_attrs(
        title="Waves", waves=json.dumps(rows), analysis=json.dumps({"find_waves": asked.told})
    )


def _rows(result: xr.Dataset) -> list[list[Any]]:
    if "waves" not in result.attrs:
        raise ValueError("the dataset has no waves: compute them with find_waves")
    rows: list[list[Any]] = json.loads(result.attrs["waves"])
    return rows


def _quarters(values: Floats) -> dict[str, float | int | None]:
    known = values[np.isfinite(values)]
    quarters = np.percentile(known, _QUARTERS).tolist() if len(known) else [None] * 3
    return {"n": len(known), **dict(zip(("low", "median", "high"), quarters, strict=True))}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
