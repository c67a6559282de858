"""The numbers behind metrics: values of hexagons, and of several together from pooled counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import N_NEURONS, N_RECRUITED, N_SPIKES, N_TRIALS, RECRUITMENT

if TYPE_CHECKING:
    import xarray as xr

Values = npt.NDArray[np.float32]
Means = npt.NDArray[np.float64]


def recruitment(cube: xr.Dataset) -> Values:
    """Percent of the neurons."""
    return cube[RECRUITMENT].values.astype(np.float32, copy=False)


def n_recruited(cube: xr.Dataset) -> Values:
    """Recruited neurons, of the mean trial."""
    counts = cube[N_RECRUITED].values.astype(np.float32)
    return where_defined(cube, counts / np.float32(_n_trials(cube)))


def rate(cube: xr.Dataset) -> Values:
    """Spikes per second and neuron."""
    neuron_seconds = np.maximum(cube[N_NEURONS].values, 1) * _seconds(cube)
    return where_defined(cube, (cube[N_SPIKES].values / neuron_seconds).astype(np.float32))


def population_recruitment(cube: xr.Dataset) -> Means:
    """Percent of all neurons."""
    pool = _pool(cube, N_RECRUITED)
    return 100.0 * per(pool.total, pool.n_neurons * _n_trials(cube))


def population_n_recruited(cube: xr.Dataset) -> Means:
    """Recruited neurons of the mean hexagon."""
    pool = _pool(cube, N_RECRUITED)
    return per(pool.total, pool.n_hexes * float(_n_trials(cube)))


def population_rate(cube: xr.Dataset) -> Means:
    """Spikes per second and neuron, of all neurons."""
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
    if (known == ever).all():  # hexagons have a value in all bins or in none
        counts = counts if ever.all() else counts[:, ever]
        sums = [np.full(len(counts), n) for n in (n_neurons[ever].sum(), float(ever.sum()))]
        return _Pool(counts.sum(axis=1, dtype=np.float64), *sums)
    total = np.where(known, counts, 0).sum(axis=1, dtype=np.float64)
    return _Pool(total, known @ n_neurons, known.sum(axis=1, dtype=np.float64))


def where_defined(cube: xr.Dataset, values: Values) -> Values:
    """Values, NaN where the hexagon has no percentage."""
    values[np.isnan(cube[RECRUITMENT].values)] = np.nan
    return values


def per(total: Means, amount: Means) -> Means:
    """Quotients; NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(amount > 0, total / amount, np.nan)


def _seconds(cube: xr.Dataset) -> float:
    """Time that the spikes of a bin are from: the bin, of as many trials as are summed."""
    return float(cube.attrs["bin_ms"]) / 1000.0 * _n_trials(cube)


def _n_trials(cube: xr.Dataset) -> int:
    return int(cube.attrs.get(N_TRIALS, 1))


def ratio_of(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Ratio: infinite where only the first has a value above 0, NaN where neither has one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mine / theirs)


def log2_of(ratio: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Logarithm: minus infinity of a ratio of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log2(ratio))


def log2_ratio_of(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Logarithm of the ratio."""
    return log2_of(ratio_of(mine, theirs))
