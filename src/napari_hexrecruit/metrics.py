"""What a hexagon can show: each metric turns bins of the cube into numbers with a label and units.

`METRICS` is what every recruitment cube can show, `DERIVED` what a cube can show that an analysis
has given one more variable. The viewer, the pictures and the command line share both.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit import metric_values
from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.naming import counted_in
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import (
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    RECRUITMENT,
    TIME,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

Values = npt.NDArray[np.float32]
Means = npt.NDArray[np.float64]

_COLORMAP, _DIVERGING_COLORMAP = "viridis", "RdBu_r"
_PERCENT = (RECRUITMENT,)
N_NEURONS_WITH = "n_neurons_with"
"""Neurons of each hexagon in what a cube was compared with."""
_OF_TWO = ("difference", "ratio", "log2_ratio")
_COMPARED = (RECRUITMENT, N_RECRUITED, N_SPIKES, N_NEURONS_WITH, "difference")


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
        Cube -> (n_bins,) value of the population, over the hexagons that have one in the bin.
    reads
        Variables that `of_hexes` reads.
    adds_up
        Whether it counts neurons since the start of the window in a cube of those recruited so far.
    diverging
        Whether 0 is the middle: limits are symmetric about it, and the colormap has two arms.
    variable
        Variable that a cube must have beside those of every cube; empty for none.
    pools
        Whether it has a value for several hexagons together. A standard error, or the number of a
        wave, has none.
    """

    name: str
    label: str
    units: str
    of_hexes: Callable[[xr.Dataset], Values]
    of_population: Callable[[xr.Dataset], Means]
    reads: tuple[str, ...]
    adds_up: bool = False
    diverging: bool = False
    variable: str = ""
    pools: bool = True

    @property
    def colormap(self) -> str:
        """Name of the colormap that it is first shown with, of napari and of matplotlib."""
        return _DIVERGING_COLORMAP if self.diverging else _COLORMAP

    @property
    def title(self) -> str:
        """Label with units: ``Recruited (%)``."""
        return _with_units(self.label, self.units)

    def title_for(self, cube: xr.Dataset) -> str:
        """Label with units for a cube, see `label_for`: ``Recruited so far (%)``."""
        return _with_units(*self.label_for(cube))

    def bar_title(self, cubes: Sequence[xr.Dataset], between: str = ", ") -> str:
        """Title of a colour bar: quantity with units, and which neurons of all cubes count.

        Of cubes of several node sets or filters the names of the panels say which is which.

        Parameters
        ----------
        cubes
            What share the bar.
        between
            Stands between quantity and neurons.
        """
        selections = {
            "" if self._has_others(cube) else counted_in(cube, population=False) for cube in cubes
        }
        shared = selections.pop() if len(selections) == 1 else ""
        title = self.title_for(cubes[0])
        return f"{title}{between}{shared}" if shared else title

    def is_of_two(self, cube: xr.Dataset) -> bool:
        """Whether it compares a cube with another: its mean needs the counts of both."""
        return self.variable in _OF_TWO and self.variable in cube

    def _has_others(self, cube: xr.Dataset) -> bool:
        """Whether it compares other neurons with those of the cube: the label names both."""
        compared = self.variable in _OF_TWO and json.loads(cube.attrs.get("analysis", "{}"))
        text = compared and compared.get("with")
        return (
            bool(text) and CubeRecipe.from_json(text).filters != CubeRecipe.of_foreign(cube).filters
        )

    def label_for(self, cube: xr.Dataset) -> tuple[str, str]:
        """Label and units for a cube.

        Of a count of neurons since the start of the window the label says so; a variable of an
        analysis has its own in its attributes ``long_name`` and ``units``.
        """
        if self.variable and self.variable in cube:
            attrs = cube[self.variable].attrs
            return str(attrs.get("long_name", self.label)), str(attrs.get("units", self.units))
        so_far = self.adds_up and is_cumulative(cube)
        return (f"{self.label} so far" if so_far else self.label), self.units

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
            NaN where the cube's recruitment is NaN, so where a hexagon has too few neurons; what
            NaN means in a variable of an analysis, ``docs/analysis.md`` says.

        Raises
        ------
        ValueError
            If the cube lacks the variable of an analysis.

        Examples
        --------
        >>> from napari_hexrecruit.metrics import metric_named
        >>> metric_named("rate").title
        'Firing rate (spikes/s per neuron)'
        """
        self.check(cube)
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
            Over the hexagons that have a value in the bin; NaN if none has, or if there is no value
            of several hexagons, see `pools`.
        """
        self.check(cube)
        asked = cube.isel(time=bins)
        parts = [self.of_population(asked.isel(time=part)) for part in parts_of(asked)]
        return np.concatenate(parts)

    def check(self, cube: xr.Dataset) -> None:
        """Refuse a cube that lacks the variable of an analysis; see `values` for the error."""
        if self.variable and self.variable not in cube:
            has = ", ".join(metric.name for metric in metrics_for(cube))
            raise ValueError(
                f"the cube has no {self.variable!r}: show {has}, or compute it"
                " (see the analyses of napari-hexrecruit)"
            )


def metric_named(name: str) -> Metric:
    """Find the metric of a name.

    Raises
    ------
    ValueError
        If there is none; the message lists what there is.
    """
    known = METRICS | DERIVED
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(
        f"metric {name!r} is unknown{hint}: use one of {', '.join(METRICS)}; of analyses"
        f" {', '.join(DERIVED)}"
    )


def metrics_for(cube: xr.Dataset) -> list[Metric]:
    """What a cube can show: the metrics of every cube, then those of its own variables."""
    return [*METRICS.values(), *(m for m in DERIVED.values() if m.variable in cube)]


def is_cumulative(cube: xr.Dataset) -> bool:
    """Whether the cube counts the neurons recruited so far, as its recipe says."""
    return CubeRecipe.of_foreign(cube).cumulative


def is_static(cube: xr.Dataset, metric: Metric) -> bool:
    """Whether a metric has one value for each hexagon of a cube, the same in all bins: a map."""
    variable = metric.variable
    return bool(variable) and variable in cube and TIME not in cube[variable].dims


def _with_units(label: str, units: str) -> str:
    return f"{label} ({units})" if units else label


def _derived(
    name: str,
    label: str,
    units: str,
    *,
    variable: str = "",
    diverging: bool = False,
    pools: bool = True,
    is_label: bool = False,
    of_pools: Callable[[Means, Means], Means] | None = None,
) -> Metric:
    """A variable that an analysis adds: (time, hex), or (hex,), which is the same in every bin."""
    of = variable or name

    def of_hexes(cube: xr.Dataset) -> Values:
        values = cube[of].values.astype(np.float32, copy=False)
        if is_label:
            values = metric_values.where_defined(cube, values.copy())
        if TIME in cube.sizes and TIME not in cube[of].dims:
            values = np.broadcast_to(values, (cube.sizes[TIME], *values.shape))
        return values

    def of_population(cube: xr.Dataset) -> Means:
        if of_pools is not None:
            return of_pools(*_pools_of_both(cube))
        values = of_hexes(cube)
        if not pools:
            return np.full(len(values), np.nan)
        known = ~np.isnan(values)
        weight = known @ cube[N_NEURONS].values.astype(np.float64)
        total = np.where(known, values, 0.0) @ cube[N_NEURONS].values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / weight)

    reads: tuple[str, ...] = (of, RECRUITMENT) if is_label else (of,)
    reads = (of, *_COMPARED) if of_pools is not None else reads
    return Metric(name, label, units, of_hexes, of_population, reads, False, diverging, of, pools)


def _pools_of_both(cube: xr.Dataset) -> tuple[Means, Means]:
    """Of the two that were compared: each one's counts are pooled, over the hexagons of both.

    The other's value is the cube's less the difference; its neurons are `N_NEURONS_WITH`, or as
    many as the cube's own.
    """
    shown = METRICS[compared_metric(cube)]
    mine = shown.of_hexes(cube).astype(np.float64)
    difference = cube["difference"].values.astype(np.float64)
    known = np.isfinite(mine) & np.isfinite(difference)
    neurons = [cube[N_NEURONS].values] * 2
    if N_NEURONS_WITH in cube:
        neurons[1] = cube[N_NEURONS_WITH].values
    pools = []
    for values, n in zip((mine, mine - difference), neurons, strict=True):
        weight = np.ones(len(n)) if shown.name == N_RECRUITED else n.astype(np.float64)
        pools.append(metric_values.per(np.where(known, values, 0.0) @ weight, known @ weight))
    return pools[0], np.maximum(pools[1], 0.0)  # what rounding has left is 0


def compared_metric(cube: xr.Dataset) -> str:
    """Name of the metric that the variables of a comparison are of."""
    made = json.loads(cube.attrs.get("analysis", "{}"))
    name = made.get("metric") or made.get("clusters", {}).get("metric") or RECRUITMENT
    return str(name)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "recruitment",
            "Recruited",
            "%",
            metric_values.recruitment,
            metric_values.population_recruitment,
            _PERCENT,
            True,
        ),
        Metric(
            "n_recruited",
            "Recruited neurons",
            "",
            metric_values.n_recruited,
            metric_values.population_n_recruited,
            (*_PERCENT, N_RECRUITED),
            True,
        ),
        Metric(
            "rate",
            "Firing rate",
            "spikes/s per neuron",
            metric_values.rate,
            metric_values.population_rate,
            (*_PERCENT, N_SPIKES),
        ),
    )
}
"""The metrics by name."""

DERIVED: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _derived(
            *("difference", "Difference", "percentage points"),
            diverging=True,
            of_pools=lambda mine, theirs: mine - theirs,
        ),
        _derived("ratio", "Ratio", "", of_pools=metric_values.ratio_of),
        _derived(
            *("log2_ratio", "Ratio, log2", ""),
            diverging=True,
            of_pools=lambda mine, theirs: metric_values.log2_of(
                metric_values.ratio_of(mine, theirs)
            ),
        ),
        _derived("z_score", "Deviation from the baseline", "standard deviations", diverging=True),
        _derived(
            *("sem", "Recruited, standard error of the mean", "%"),
            variable="recruitment_sem",
            pools=False,
        ),
        _derived("reliability", "Correlation between trials", "", diverging=True),
        _derived("latency", "Response latency", "ms"),
        _derived("first_spike_latency", "First-spike latency", "ms"),
        _derived("half_peak_latency", "Time to half of the peak", "ms"),
        _derived("peak", "Peak", "%"),
        _derived("mean_recruitment", "Recruited, mean over time", "%"),
        _derived("cumulative_fraction", "Recruited at least once", "%"),
        _derived("mean_rate", "Mean firing rate", "spikes/s per neuron"),
        _derived("correlation", "Correlation", "", diverging=True),
        _derived("wave", "Wave", "", pools=False, is_label=True),
    )
}
"""The metrics of analyses by name; what they show is a variable that the analysis has added."""
