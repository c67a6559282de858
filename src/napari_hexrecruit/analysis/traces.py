"""Hexagons over time: their traces, their pooled mean, and the spikes of their neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.selection import HexChoice, neurons_of, picked_in
from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import DERIVED, METRICS, metric_of
from napari_hexrecruit.schema import HEX, N_NEURONS, RECRUITMENT, TIME, VARIABLES
from napari_hexrecruit.timebins import Clock, first_at

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.metrics import Metric

_KEPT = (TIME, HEX, "row", "col", "i", "j", "x", "y", N_NEURONS)


def hex_traces(cube: xr.Dataset, hexes: HexChoice, *, metric: str | None = None) -> xr.Dataset:
    """Return the traces of some hexagons, and their mean.

    Parameters
    ----------
    cube
        A recruitment cube.
    hexes
        Names, positions or a mask of the hexagons, as for `hex_positions`; can be empty.
    metric
        Metric to read, a name in `napari_hexrecruit.metrics` or of a variable of the cube; None:
        the first one of the cube.

    Returns
    -------
    xr.Dataset
        ``trace`` (time, hex) float32, one column per hexagon in the order given; ``mean`` (time,)
        float64, in which every *neuron* of these hexagons has the same weight:
        ``100 * sum(n_recruited) / sum(n_neurons)`` for recruitment. The coordinates of the hexagons
        are kept. A hexagon with too few neurons for a value is NaN and not part of the mean; if no
        others remain, the mean is NaN. For a comparison, the counts of each cube are pooled first,
        so that the mean of a ratio is the ratio of the pooled values. A standard error and the
        number of a wave have no mean: NaN.

    Raises
    ------
    ValueError
        If a hexagon is not in the cube or the metric is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> found = hex_traces(cube, [2, 0])
    >>> found["trace"].dims, found["trace"].shape, found["mean"].attrs["units"]
    (('time', 'hex'), (100, 2), '%')
    """
    import xarray as xr

    cube, at = picked_in(cube, hexes)
    shown = metric_of(cube, metric)
    picked = cube.isel({HEX: at})
    values, mean = _courses(picked, shown)
    attrs = _attrs(cube, shown)
    return xr.Dataset(
        {
            "trace": ((TIME, HEX), values, attrs),
            "mean": (TIME, mean, _mean_attrs(cube, shown)),
        },
        coords={name: picked[name] for name in _KEPT},
        attrs={"metric": shown.name, "bin_ms": float(cube.attrs["bin_ms"])},
    )


def _courses(
    cube: xr.Dataset, shown: Metric
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Return the values of a metric and their mean; a cube on disk is read once, in blocks."""
    values, mean = [], []
    named = cube.data_vars if shown.is_of_two(cube) else {*VARIABLES, *shown.reads}
    read = [name for name in named if name in cube]
    for part in parts_of(cube):
        bins = cube[read].isel({TIME: part}).load()
        values.append(shown.values(bins))
        none = np.full(bins.sizes[TIME], np.nan)
        mean.append(shown.population(bins) if cube.sizes[HEX] else none)
    return np.concatenate(values), np.concatenate(mean)


def population_trace(cube: xr.Dataset, *, metric: str | None = None) -> xr.DataArray:
    """Return the trace of the whole population, with the same weight for every neuron.

    Parameters
    ----------
    cube
        A recruitment cube.
    metric
        Metric to read, a name in `napari_hexrecruit.metrics` or of a variable of the cube; None:
        the first one of the cube.

    Returns
    -------
    xr.DataArray
        (time,) float64 over the hexagons that have a value; NaN if none has.

    Raises
    ------
    ValueError
        If the metric cannot be pooled over hexagons, for example a standard error.
    """
    import xarray as xr

    cube = as_cube(cube)
    shown = metric_of(cube, metric)
    if not shown.pools:
        raise ValueError(
            f"{shown.label!r} has no joint value for several hexagons: read it hexagon by hexagon"
        )
    return xr.DataArray(
        shown.population(cube),
        {TIME: cube[TIME]},
        (TIME,),
        name="population",
        attrs=_mean_attrs(cube, shown),
    )


def traces_table(traces: xr.Dataset) -> pd.DataFrame:
    """Return traces as a table: ``time_ms``, one column per hexagon, ``mean``.

    Parameters
    ----------
    traces
        Result of `hex_traces`.

    Returns
    -------
    pandas.DataFrame
        One row per bin, without ``mean`` if the metric has none; ``to_csv(index=False)`` gives the
        text that is copied and saved.
    """
    import pandas as pd

    names = traces[HEX].values.astype(str).tolist()
    values = traces["trace"].values
    columns: dict[str, npt.NDArray[Any]] = {"time_ms": traces[TIME].values}
    columns |= {name: values[:, k] for k, name in enumerate(names)}
    known = (METRICS | DERIVED).get(str(traces.attrs.get("metric", RECRUITMENT)))
    if known is None or known.pools:
        columns["mean"] = traces["mean"].values
    return pd.DataFrame(columns)


def raster(
    neurons: npt.NDArray[np.int32],
    times_ms: npt.NDArray[np.floating[Any]],
    members: HexMembers,
    hexes: npt.NDArray[np.intp],
    *,
    start: float = -np.inf,
    stop: float = np.inf,
    clock: Clock | None = None,
) -> xr.Dataset:
    """Return the spikes of the neurons of some hexagons.

    Parameters
    ----------
    neurons, times_ms
        (n_spikes,) neuron and time of each spike, times ascending, as `cube_spikes` gives them;
        neuron -1 is not one of the population's neurons.
    members
        Hexagon of each neuron.
    hexes
        (n_picked,) positions of the hexagons.
    start, stop
        Only spikes with ``start <= t < stop`` are returned, ms; a spike below either limit by less
        than the tolerance of `Clock` counts as at the limit, as in bins.
    clock
        Precision of the times, as in `Spikes.clock`; by default that of their dtype.

    Returns
    -------
    xr.Dataset
        Dimension ``spike``: ``time`` (ms), ``neuron`` (row of the population), ``hex_index``
        (position in `hexes`), ``line`` (0, 1, ...: the neuron's line in the raster; neurons of the
        first hexagon are below those of the second, each in population order). Neurons that do not
        fire also have a line: the attribute ``n_lines`` counts them all. Dimension ``hex``:
        ``first_line`` of each hexagon and its name.
    """
    import xarray as xr

    hexes = np.asarray(hexes, dtype=np.intp)
    ids = neurons_of(members, hexes)
    rank_of_hex = np.full(len(members.i), -1, dtype=np.intp)
    rank_of_hex[hexes] = np.arange(len(hexes))
    by_hex = ids[np.argsort(rank_of_hex[members.hex_of_neuron[ids]], kind="stable")]
    line_of = np.full(len(members.hex_of_neuron) + 1, -1, dtype=np.int32)  # -1: last entry
    line_of[by_hex] = np.arange(len(by_hex))
    first, last = first_at(times_ms, (clock or Clock(times_ms.dtype)).cuts([start, stop]))
    line = line_of[neurons[first:last]]
    theirs = np.flatnonzero(line >= 0)
    who = neurons[first:last][theirs]
    n_neurons = members.n_neurons[hexes]
    return xr.Dataset(
        {
            "time": ("spike", times_ms[first:last][theirs].astype(np.float64), {"units": "ms"}),
            "neuron": ("spike", who.astype(np.int64)),
            "hex_index": ("spike", rank_of_hex[members.hex_of_neuron[who]]),
            "line": ("spike", line[theirs].astype(np.int64)),
            "first_line": (HEX, np.cumsum(n_neurons, dtype=np.int64) - n_neurons),
        },
        coords={HEX: members.hex_names()[hexes], N_NEURONS: (HEX, n_neurons)},
        attrs={"n_lines": len(ids)},
    )


def _attrs(cube: xr.Dataset, shown: Metric) -> dict[str, str]:
    label, units = shown.label_for(cube)
    return {"long_name": label, "units": units}


def _mean_attrs(cube: xr.Dataset, shown: Metric) -> dict[str, str]:
    return _attrs(cube, shown) | {"cell_methods": "hex: mean (of all neurons alike)"}
