"""What a hexagon can show: each metric turns bins of the cube into numbers with a label and units.

`METRICS` is the whole choice; the viewer, the pictures and the command line share it.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import HEX, N_NEURONS, N_RECRUITED, N_SPIKES, RECRUITMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

__all__ = ["METRICS", "Metric", "is_cumulative", "metric_named"]

Values = npt.NDArray[np.float32]
Means = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """One quantity per hexagon and bin.

    Parameters
    ----------
    name
        Name that a user types.
    label
        What is measured, without units, as a colour bar shows it.
    units
        Units of the values; empty for counts.
    of_hexes
        Cube -> (n_bins, n_hexes) values.
    of_population
        Cube without the hexagons that have no value -> (n_bins,) value of the population.
    adds_up
        Whether it counts neurons since the start of the window in a cube of those recruited so far.
    """

    name: str
    label: str
    units: str
    of_hexes: Callable[[xr.Dataset], Values]
    of_population: Callable[[xr.Dataset], Means]
    adds_up: bool = False

    @property
    def title(self) -> str:
        """Label with units: ``Recruited (%)``."""
        return _with_units(self.label, self.units)

    def title_for(self, cube: xr.Dataset) -> str:
        """Label with units for a cube: ``Recruited so far (%)`` where it counts since its start."""
        so_far = self.adds_up and is_cumulative(cube)
        return _with_units(f"{self.label} so far" if so_far else self.label, self.units)

    def values(self, cube: xr.Dataset, bins: slice | int = slice(None)) -> Values:
        """Compute the value of each hexagon in some bins.

        Parameters
        ----------
        cube
            A recruitment cube; only the asked bins are read.
        bins
            Positions on the time axis; an int gives one row.

        Returns
        -------
        (n_bins, n_hexes) or (n_hexes,) float32
            NaN where the cube's recruitment is NaN, so where a hexagon has too few neurons.

        Examples
        --------
        >>> from napari_hexrecruit.metrics import metric_named
        >>> metric_named("rate").title
        'Firing rate (spikes/s per neuron)'
        """
        return self.of_hexes(cube.isel(time=bins))

    def population(self, cube: xr.Dataset, bins: slice = slice(None)) -> Means:
        """Compute the value of the whole population in some bins: each neuron counts alike.

        Parameters
        ----------
        cube
            A recruitment cube.
        bins
            Positions on the time axis.

        Returns
        -------
        (n_bins,) float64
            Over the hexagons that have a value; NaN if none has.
        """
        part = cube.isel(time=bins)
        counted = part[RECRUITMENT].notnull().any("time").to_numpy()
        return self.of_population(part if counted.all() else part.isel({HEX: counted}))


def metric_named(name: str) -> Metric:
    """Find the metric of a name.

    Raises
    ------
    ValueError
        If there is none; the message lists what there is.
    """
    if name in METRICS:
        return METRICS[name]
    close = difflib.get_close_matches(name, METRICS, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"metric {name!r} is unknown{hint}: use one of {', '.join(METRICS)}")


def is_cumulative(cube: xr.Dataset) -> bool:
    """Whether the cube counts the neurons recruited so far, as its recipe says."""
    try:
        recipe = json.loads(str(cube.attrs.get("recipe", "")))
    except ValueError:
        return False
    return isinstance(recipe, dict) and recipe.get("cumulative") is True


def _with_units(label: str, units: str) -> str:
    return f"{label} ({units})" if units else label


def _recruitment(cube: xr.Dataset) -> Values:
    return cube[RECRUITMENT].to_numpy().astype(np.float32, copy=False)


def _n_recruited(cube: xr.Dataset) -> Values:
    return _where_defined(cube, cube[N_RECRUITED].to_numpy().astype(np.float32))


def _rate(cube: xr.Dataset) -> Values:
    neuron_seconds = np.maximum(cube[N_NEURONS].to_numpy(), 1) * _seconds(cube)
    return _where_defined(cube, (cube[N_SPIKES].to_numpy() / neuron_seconds).astype(np.float32))


def _population_recruitment(cube: xr.Dataset) -> Means:
    return 100.0 * _per(_total(cube, N_RECRUITED), _n_neurons(cube))


def _population_n_recruited(cube: xr.Dataset) -> Means:
    return _per(_total(cube, N_RECRUITED), float(cube.sizes[HEX]))


def _population_rate(cube: xr.Dataset) -> Means:
    return _per(_total(cube, N_SPIKES), _n_neurons(cube) * _seconds(cube))


def _where_defined(cube: xr.Dataset, values: Values) -> Values:
    values[np.isnan(cube[RECRUITMENT].to_numpy())] = np.nan
    return values


def _total(cube: xr.Dataset, name: str) -> Means:
    totals: Means = cube[name].to_numpy().sum(axis=1, dtype=np.float64)
    return totals


def _per(total: Means, amount: float) -> Means:
    return total / amount if amount else np.full(total.shape, np.nan)


def _n_neurons(cube: xr.Dataset) -> float:
    return float(cube[N_NEURONS].to_numpy().sum(dtype=np.int64))


def _seconds(cube: xr.Dataset) -> float:
    return float(cube.attrs["bin_ms"]) / 1000.0


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("recruitment", "Recruited", "%", _recruitment, _population_recruitment, True),
        Metric("n_recruited", "Recruited neurons", "", _n_recruited, _population_n_recruited, True),
        Metric("rate", "Firing rate", "spikes/s per neuron", _rate, _population_rate),
    )
}
"""The metrics by name."""
