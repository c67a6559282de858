"""Metrics: each turns bins of a cube into one number per hexagon, with a label and units.

Every cube counted from spikes has the metrics of `METRICS`. Those of `DERIVED` need a variable that
an analysis adds. Any other variable of numbers with a label and units, such as that of a report, is
a metric named after the variable; `metrics_for` lists the metrics of a cube.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit import metric_values
from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.metric_values import N_NEURONS_WITH, is_shown, told
from napari_hexrecruit.naming import counted_in
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import (
    N_RECRUITED,
    N_SPIKES,
    RECRUITMENT,
    TIME,
    VARIABLES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import xarray as xr

Values = npt.NDArray[np.float32]
Means = npt.NDArray[np.float64]

_COLORMAP, _DIVERGING_COLORMAP = "viridis", "RdBu_r"
_PERCENT = (RECRUITMENT,)
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
        Quantity without units, as a colour bar shows it.
    units
        Units of the values; empty for counts.
    of_hexes
        Cube -> (n_bins, n_hexes) values.
    of_population
        Cube -> (n_bins,) value of the population, over the hexagons with a value in the bin.
    reads
        Variables that `of_hexes` reads.
    adds_up
        True if it counts neurons since the start of the window in a cumulative cube.
    diverging
        True if 0 is the middle: limits are symmetric about it, and the colormap has two arms.
    variable
        Variable that a cube must have besides those of spikes; empty for none.
    pools
        True if several hexagons have a value together. A standard error, or the number of a wave,
        has none.
    below_zero
        True if values below 0 are ordinary, as of a voltage: if there are any, limits are fitted at
        both ends.
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
    below_zero: bool = False

    @property
    def colormap(self) -> str:
        """Name of its initial colormap, in napari and in matplotlib."""
        return _DIVERGING_COLORMAP if self.diverging else _COLORMAP

    @property
    def title(self) -> str:
        """Label with units: ``Recruited (%)``."""
        return _with_units(self.label, self.units)

    def title_for(self, cube: xr.Dataset) -> str:
        """Return the label with units for a cube: ``Recruited so far (%)``; see `label_for`."""
        return _with_units(*self.label_for(cube))

    def bar_title(self, cubes: Sequence[xr.Dataset], between: str = ", ") -> str:
        """Return the title of a colour bar: quantity with units, and the selected neurons.

        If the cubes have different node sets or filters, these are left out: the titles of their
        panels show them.

        Parameters
        ----------
        cubes
            Cubes that share the bar.
        between
            Separator of quantity and neurons.
        """
        selections = {
            "" if self._has_others(cube) else counted_in(cube, population=False) for cube in cubes
        }
        shared = selections.pop() if len(selections) == 1 else ""
        title = self.title_for(cubes[0])
        return f"{title}{between}{shared}" if shared else title

    def is_of_two(self, cube: xr.Dataset) -> bool:
        """Whether it compares the cube with another one: its mean needs the counts of both."""
        return self.variable in _OF_TWO and self.variable in cube

    def _has_others(self, cube: xr.Dataset) -> bool:
        """Whether the cube is compared with one of other neurons: the label names both."""
        compared = self.variable in _OF_TWO and json.loads(cube.attrs.get("analysis", "{}"))
        text = compared and compared.get("with")
        return (
            bool(text) and CubeRecipe.from_json(text).filters != CubeRecipe.of_foreign(cube).filters
        )

    def label_for(self, cube: xr.Dataset) -> tuple[str, str]:
        """Return label and units for a cube.

        The label of a cumulative count ends with ``so far``; a variable of an analysis has its own
        in its attributes ``long_name`` and ``units``.
        """
        if self.variable and self.variable in cube:
            return told(cube[self.variable], self.label, self.units)
        so_far = self.adds_up and is_cumulative(cube)
        return (f"{self.label} so far" if so_far else self.label), self.units

    def values(self, cube: xr.Dataset, bins: slice | int = slice(None)) -> Values:
        """Compute the value of each hexagon in some bins.

        Parameters
        ----------
        cube
            A recruitment cube; only the requested bins are read.
        bins
            Positions on the time axis; an int gives one row.

        Returns
        -------
        (n_bins, n_hexes) or (n_hexes,) float32
            NaN where the cube's recruitment is NaN, because a hexagon has too few neurons. For
            variables of analyses, ``docs/analysis.md`` explains the meaning of NaN.

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
        """Compute the value of the whole population in some bins, each neuron with equal weight.

        Parameters
        ----------
        cube
            A recruitment cube.
        bins
            Positions on the time axis.

        Returns
        -------
        (n_bins,) float64
            Value over the hexagons with a value in the bin; NaN if there is none, or if the metric
            cannot be pooled over hexagons, see `pools`.
        """
        self.check(cube)
        asked = cube.isel(time=bins)
        parts = [self.of_population(asked.isel(time=part)) for part in parts_of(asked)]
        return np.concatenate(parts)

    @property
    def needs(self) -> tuple[str, ...]:
        """Variables that a cube must have to show it."""
        return (self.variable,) if self.variable else self.reads

    def check(self, cube: xr.Dataset) -> None:
        """Refuse a cube that lacks a needed variable; see `values` for the error."""
        missing = [name for name in self.needs if name not in cube]
        if missing:
            has = ", ".join(metric.name for metric in metrics_for(cube))
            how = "(see the analyses of napari-hexrecruit)" if self.variable else "from spikes"
            raise ValueError(f"the cube has no {missing[0]!r}: show {has}, or compute it {how}")


def metric_named(name: str, others: Iterable[str] = ()) -> Metric:
    """Return the metric of a name; an error also suggests the names in `others`.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the metrics.
    """
    known = METRICS | DERIVED
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, [*others, *known], n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    here = [other for other in others if other not in known]
    raise ValueError(
        f"metric {name!r} is unknown{hint}: use one of {', '.join([*here, *METRICS])}; of analyses"
        f" {', '.join(DERIVED)}"
    )


def metric_of(cubes: xr.Dataset | Sequence[xr.Dataset], name: str | None = None) -> Metric:
    """Return the metric of a name or variable that all cubes can show; None: the first one.

    Raises
    ------
    ValueError
        If the name is unknown, or a cube cannot show it; the message lists the metrics it can show.
    """
    every = _each(cubes)
    there = {metric.name: metric for metric in metrics_for(every[0])}
    first = next(iter(there.values()), METRICS[RECRUITMENT])
    chosen = first if name is None else there.get(name) or metric_named(name, there)
    for cube in every:
        chosen.check(cube)
    return chosen


def plain_metric(cubes: xr.Dataset | Sequence[xr.Dataset], name: str | None, cannot: str) -> Metric:
    """Return the metric of a name, as `metric_of`, but refuse results of analyses.

    Raises
    ------
    ValueError
        As `metric_of`; for the result of an analysis, with the reason `cannot`, such as ``cannot be
        compared``.
    """
    plain = [metric.name for metric in metrics_for(_each(cubes)[0]) if metric.name not in DERIVED]
    if name is not None and name not in {*METRICS, *plain}:
        raise ValueError(f"metric {name!r} {cannot}: use one of {', '.join(plain)}")
    return metric_of(cubes, plain[0] if name is None and plain else name)


def metrics_for(cube: xr.Dataset) -> list[Metric]:
    """Return the metrics of a cube: of spikes, of analyses, and of its other variables."""
    known = [m for m in (*METRICS.values(), *DERIVED.values()) if set(m.needs) <= set(cube)]
    taken = {*VARIABLES, *(metric.variable for metric in known)}
    others = {str(n): v for n, v in cube.data_vars.items() if n not in taken and is_shown(v)}
    return [*known, *(_own(name, *told(variable)) for name, variable in others.items())]


def _each(cubes: xr.Dataset | Sequence[xr.Dataset]) -> list[xr.Dataset]:
    return list(cubes) if isinstance(cubes, Sequence) else [cubes]


def is_cumulative(cube: xr.Dataset) -> bool:
    """Whether the cube counts the neurons recruited so far, according to its recipe."""
    return CubeRecipe.of_foreign(cube).cumulative


def is_static(cube: xr.Dataset, metric: Metric) -> bool:
    """Whether a metric is a map: one value per hexagon, the same in all bins."""
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
    """Return the metric of a variable that an analysis adds: (time, hex), or (hex,) for a map."""
    of = variable or name
    of_hexes = functools.partial(metric_values.variable, name=of, is_label=is_label)

    def of_population(cube: xr.Dataset) -> Means:
        if of_pools is not None:
            return of_pools(*_pools_of_both(cube))
        if not pools:
            return np.full(cube.sizes[TIME], np.nan)
        return metric_values.population_variable(cube, of_hexes(cube))

    reads: tuple[str, ...] = (of, RECRUITMENT) if is_label else (of,)
    reads = (of, *_COMPARED) if of_pools is not None else reads
    return Metric(name, label, units, of_hexes, of_population, reads, False, diverging, of, pools)


def _pools_of_both(cube: xr.Dataset) -> tuple[Means, Means]:
    """Return the pooled values of the two cubes that were compared, over the hexagons of both."""
    shown = metric_of(cube, compared_metric(cube))
    mine, theirs = metric_values.pools_of_two(
        cube, shown.of_hexes(cube), by_hexagon=shown.name == N_RECRUITED
    )
    return mine, theirs if shown.below_zero else np.maximum(theirs, 0.0)  # below 0 by rounding


def compared_metric(cube: xr.Dataset) -> str:
    """Return the name of the metric that was compared."""
    made = json.loads(cube.attrs.get("analysis", "{}"))
    name = made.get("metric") or made.get("clusters", {}).get("metric") or RECRUITMENT
    return str(name)


@functools.cache
def _own(name: str, label: str, units: str) -> Metric:
    """Return the metric of a variable that is not from spikes; cached, so it is one object."""
    return replace(_derived(name, label, units), below_zero=True)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            *("recruitment", "Recruited", "%"),
            *(metric_values.recruitment, metric_values.population_recruitment),
            reads=_PERCENT,
            adds_up=True,
        ),
        Metric(
            *("n_recruited", "Recruited neurons", ""),
            *(metric_values.n_recruited, metric_values.population_n_recruited),
            reads=(*_PERCENT, N_RECRUITED),
            adds_up=True,
        ),
        Metric(
            *("rate", "Firing rate", "spikes/s per neuron"),
            *(metric_values.rate, metric_values.population_rate),
            reads=(*_PERCENT, N_SPIKES),
        ),
    )
}
"""Metrics of cubes counted from spikes, by name."""

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
"""Metrics of analyses, by name; each shows a variable that the analysis added to the cube."""
