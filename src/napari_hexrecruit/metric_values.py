"""The numbers of metrics: values of each hexagon, and of populations from pooled counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import (
    HEX,
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    N_TRIALS,
    RECRUITMENT,
    TIME,
)

if TYPE_CHECKING:
    import xarray as xr

Values = npt.NDArray[np.float32]
Means = npt.NDArray[np.float64]

N_NEURONS_WITH = "n_neurons_with"
"""Neurons of each hexagon in the cube compared with."""


def recruitment(cube: xr.Dataset) -> Values:
    """Return the percentage of neurons recruited."""
    return cube[RECRUITMENT].values.astype(np.float32, copy=False)


def n_recruited(cube: xr.Dataset) -> Values:
    """Return the number of recruited neurons, in a mean trial."""
    counts = cube[N_RECRUITED].values.astype(np.float32)
    return where_defined(cube, counts / np.float32(_n_trials(cube)))


def rate(cube: xr.Dataset) -> Values:
    """Return spikes per second and neuron."""
    neuron_seconds = np.maximum(cube[N_NEURONS].values, 1) * _seconds(cube)
    return where_defined(cube, (cube[N_SPIKES].values / neuron_seconds).astype(np.float32))


def population_recruitment(cube: xr.Dataset) -> Means:
    """Return the percentage of all neurons."""
    pool = _pool(cube, N_RECRUITED)
    return 100.0 * per(pool.total, pool.n_neurons * _n_trials(cube))


def population_n_recruited(cube: xr.Dataset) -> Means:
    """Return the mean number of recruited neurons per hexagon."""
    pool = _pool(cube, N_RECRUITED)
    return per(pool.total, pool.n_hexes * float(_n_trials(cube)))


def population_rate(cube: xr.Dataset) -> Means:
    """Return spikes per second and neuron, of all neurons."""
    pool = _pool(cube, N_SPIKES)
    return per(pool.total, pool.n_neurons * _seconds(cube))


class _Pool(NamedTuple):
    """Sums over the hexagons that have a value in the bin, each (n_bins,)."""

    total: Means
    n_neurons: Means
    n_hexes: Means


def _pool(cube: xr.Dataset, name: str) -> _Pool:
    known = ~np.isnan(cube[RECRUITMENT].values)
    counts = cube[name].values
    n_neurons = cube[N_NEURONS].values.astype(np.float64)
    ever = known.any(axis=0)
    if (known == ever).all():  # each hexagon has a value in all bins or in none
        counts = counts if ever.all() else counts[:, ever]
        sums = [np.full(len(counts), n) for n in (n_neurons[ever].sum(), float(ever.sum()))]
        return _Pool(counts.sum(axis=1, dtype=np.float64), *sums)
    total = np.where(known, counts, 0).sum(axis=1, dtype=np.float64)
    return _Pool(total, known @ n_neurons, known.sum(axis=1, dtype=np.float64))


def where_defined(cube: xr.Dataset, values: Values) -> Values:
    """Set values to NaN where the hexagon has no percentage."""
    values[np.isnan(cube[RECRUITMENT].values)] = np.nan
    return values


def per(total: Means, amount: Means) -> Means:
    """Return quotients; NaN where the divisor is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(amount > 0, total / amount, np.nan)


def _seconds(cube: xr.Dataset) -> float:
    """Return the time that a bin covers, s, added up over the trials that are summed."""
    return float(cube.attrs["bin_ms"]) / 1000.0 * _n_trials(cube)


def _n_trials(cube: xr.Dataset) -> int:
    return int(cube.attrs.get(N_TRIALS, 1))


def ratio_of(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the ratio: infinite if only the first value is above 0, NaN if neither is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mine / theirs)


def log2_of(ratio: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the binary logarithm; minus infinity for a ratio of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log2(ratio))


def variable(cube: xr.Dataset, name: str, *, is_label: bool) -> Values:
    """Return a variable as (time, hex); a (hex,) variable is repeated in every bin.

    Labels are NaN where the percentage is NaN.
    """
    values = cube[name].values.astype(np.float32, copy=False)
    if is_label:
        values = where_defined(cube, values.copy())
    if TIME in cube.sizes and TIME not in cube[name].dims:
        values = np.broadcast_to(values, (cube.sizes[TIME], *values.shape))
    return values


def population_variable(cube: xr.Dataset, values: Values) -> Means:
    """Return the mean of values, weighted by the neurons of each hexagon."""
    known, n_neurons = ~np.isnan(values), cube[N_NEURONS].values.astype(np.float64)
    weight = known @ n_neurons
    total = np.where(known, values, 0.0) @ n_neurons
    with np.errstate(invalid="ignore"):
        return np.asarray(total / weight)


def pools_of_two(cube: xr.Dataset, values: Values, *, by_hexagon: bool) -> tuple[Means, Means]:
    """Return the values of a cube and the cube compared with, pooled over hexagons of both.

    The other cube's value is the value minus the difference; its neurons are `N_NEURONS_WITH`, or
    by default those of the cube. With `by_hexagon`, hexagons have equal weights, not neurons.
    """
    mine = values.astype(np.float64)
    difference = cube["difference"].values.astype(np.float64)
    known = np.isfinite(mine) & np.isfinite(difference)
    neurons = [cube[N_NEURONS].values] * 2
    if N_NEURONS_WITH in cube:
        neurons[1] = cube[N_NEURONS_WITH].values
    pools = []
    for part, n in zip((mine, mine - difference), neurons, strict=True):
        weight = np.ones(len(n)) if by_hexagon else n.astype(np.float64)
        pools.append(per(np.where(known, part, 0.0) @ weight, known @ weight))
    return pools[0], pools[1]


def is_shown(variable: xr.DataArray) -> bool:
    """Whether a variable holds real numbers per hexagon, with a label and units."""
    of_hexes = variable.dims in ((TIME, HEX), (HEX,))
    return of_hexes and variable.dtype.kind == "f" and {"long_name", "units"} <= set(variable.attrs)


def told(variable: xr.DataArray, label: str = "", units: str = "") -> tuple[str, str]:
    """Return label and units of a variable; the dimensionless unit ``1`` of CF becomes empty."""
    units = str(variable.attrs.get("units", units))
    return str(variable.attrs.get("long_name", label)), "" if units == "1" else units
