"""The choices that a simulation offers. Knows neither napari nor Qt; reads no spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.errors import SimulationDataError, in_words
from napari_hexrecruit.pipeline.question import TOGETHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.sonata import Simulation
    from napari_hexrecruit.values import Column

FLAT_COLUMNS = ("ss_flat_x", "ss_flat_y", "flat_x", "flat_y")
"""Flat positions that are computed from the circuit's atlas if the nodes file lacks them."""

_TWO = 2
_SIDES = ("side", "laterality")
_MOST_INTEGERS = 100
"""Integer properties with more values than this are filtered by an interval."""


@dataclass(frozen=True)
class ColumnChoices:
    """Values of one property to choose from.

    Parameters
    ----------
    name
        Name of the property.
    values
        Values that occur, sorted; empty if there are too many to pick from.
    n_neurons
        Number of neurons of each value.
    span
        Least and greatest value of a numeric property; None for text, or without a finite value.
    """

    name: str
    values: tuple[str | int, ...] = ()
    n_neurons: tuple[int, ...] = ()
    span: tuple[float, float] | None = None

    @property
    def labelled_values(self) -> list[tuple[str, str | int]]:
        """(label, value) pairs for a list: ``("INH (412 neurons)", "INH")``."""
        pairs = zip(self.values, self.n_neurons, strict=True)
        return [
            (f"{_label(value)} ({n:,} neuron{'' if n == 1 else 's'})", value) for value, n in pairs
        ]


@dataclass(frozen=True)
class PopulationChoices:
    """Choices of one population.

    Parameters
    ----------
    name
        Name of the population.
    n_neurons
        Number of its neurons.
    n_spikes
        Number of its spikes; None without a spikes file, or if the file lacks the population.
    text_columns, other_columns
        Properties with a library of values, and the others, each sorted by name.
    small
        Text properties with at most two values, and these values.
    on_sheet
        Whether its neurons probably have a flat position: they are simulated, or have the usual
        properties.
    """

    name: str
    n_neurons: int
    n_spikes: int | None
    text_columns: tuple[str, ...]
    other_columns: tuple[str, ...]
    small: tuple[tuple[str, tuple[str, ...]], ...] = ()
    on_sheet: bool = True

    @property
    def two_valued(self) -> dict[str, tuple[str, ...]]:
        """Properties that can distinguish two hemispheres, and their values."""
        return {n: values for n, values in self.small if len(values) == _TWO and _sides(n, values)}

    @property
    def filter_columns(self) -> tuple[str, ...]:
        """Properties to filter and split by, text properties first."""
        return self.text_columns + self.other_columns

    @property
    def flat_columns(self) -> tuple[str, ...]:
        """Properties that may hold a flat coordinate, the usual ones first."""
        rest = (name for name in self.other_columns if name not in FLAT_COLUMNS)
        return (*FLAT_COLUMNS, *rest)


@dataclass(frozen=True)
class SimulationChoices:
    """Choices of a simulation.

    Parameters
    ----------
    populations
        Its populations, at least one.
    population
        Name of the default population; the largest population if the default is unclear.
    node_sets
        Names of all node sets.
    node_set
        The simulation's own node set, which is the default; None: all neurons.
    duration_ms
        End of the simulation, ms.
    start_ms
        Start of the simulation, ms.
    reports
        Names of its reports.
    problem
        Known problem that will prevent loading, in one line; None without one.
    """

    populations: tuple[PopulationChoices, ...]
    population: str
    node_sets: tuple[str, ...]
    node_set: str | None
    duration_ms: float
    problem: str | None = None
    start_ms: float = 0.0
    reports: tuple[str, ...] = ()

    def of(self, population: str | tuple[str, ...]) -> PopulationChoices:
        """Return the choices of a population, or of the default population for an unknown name.

        For several populations, the choices that all of them offer.
        """
        by_name = {choices.name: choices for choices in self.populations}
        names = population if isinstance(population, tuple) else (population,)
        found = [by_name[name] for name in names if name in by_name]
        return _together(found) if found else by_name[self.population]

    def summary(self, population: str | tuple[str, ...]) -> str:
        """Describe a population and the time span on one line.

        Examples
        --------
        >>> cortex = PopulationChoices("cortex", 41231, 402113, (), ())
        >>> SimulationChoices((cortex,), "cortex", (), None, 1000.0).summary("cortex")
        '41,231 neurons · 402,113 spikes · 0 - 1,000 ms'
        """
        chosen = self.of(population)
        spikes = "no spikes" if chosen.n_spikes is None else f"{chosen.n_spikes:,} spikes"
        span = f"{self.start_ms:,.10g} - {self.duration_ms:,.10g} ms"
        return f"{chosen.n_neurons:,} neurons · {spikes} · {span}"


def _together(several: list[PopulationChoices]) -> PopulationChoices:
    if len(several) == 1:
        return several[0]
    spikes = [one.n_spikes for one in several if one.n_spikes is not None]

    def shared(kind: str) -> tuple[str, ...]:
        every = [getattr(one, kind) for one in several]
        return tuple(name for name in every[0] if all(name in one for one in every))

    return PopulationChoices(
        TOGETHER.join(one.name for one in several),
        sum(one.n_neurons for one in several),
        sum(spikes) if spikes else None,
        shared("text_columns"),
        shared("other_columns"),
        tuple(_small_in_all(several)),
    )


def _sides(name: str, values: tuple[str, ...]) -> bool:
    """Return whether a property with two values probably distinguishes hemispheres."""
    named = "hemi" in name.lower() or name.lower() in _SIDES
    return named or {value[:1].lower() for value in values} == {"l", "r"}


def _small_in_all(several: list[PopulationChoices]) -> Iterator[tuple[str, tuple[str, ...]]]:
    every = [dict(one.small) for one in several]
    for name in every[0]:
        if all(name in one for one in every):
            values = sorted({value for one in every for value in one[name]})
            if len(values) <= _TWO:
                yield name, tuple(values)


def _label(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def simulation_choices(sim: Simulation) -> SimulationChoices:
    """Read the choices of a simulation, without reading neurons or spikes.

    Parameters
    ----------
    sim
        An opened simulation.

    Returns
    -------
    SimulationChoices

    Raises
    ------
    SimulationDataError
        If no population of the circuit has readable nodes.
    """
    problem, n_spikes = None, {}
    try:
        n_spikes = sim.spike_populations()
    except SimulationDataError as error:
        problem = in_words(error, in_panel)
    populations = _readable_populations(sim, n_spikes)
    try:
        node_sets = sim.node_sets
    except SimulationDataError as error:
        node_sets = ()
        problem = problem or (in_words(error, in_panel) if sim.node_set else None)
    return SimulationChoices(
        populations=populations,
        population=_default_population(sim, populations),
        node_sets=node_sets,
        node_set=sim.node_set,
        duration_ms=sim.duration_ms,
        problem=problem,
        start_ms=sim.start_ms,
        reports=tuple(report.name for report in sim.reports),
    )


def column_choices(name: str, column: Column) -> ColumnChoices:
    """List the values of a property.

    Parameters
    ----------
    name
        Name of the property.
    column
        (n_neurons,) values of the property.

    Returns
    -------
    ColumnChoices
        With ``values`` for text, booleans, and integers with at most 100 distinct values; with
        ``span`` for numbers.

    Examples
    --------
    >>> column_choices("layer", np.array([4, 2, 4])).values
    (2, 4)
    """
    if isinstance(column, pd.Categorical):
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
        counted = {str(v): int(n) for v, n in zip(column.categories, counts, strict=True) if n}
        return ColumnChoices(
            name, tuple(sorted(counted)), tuple(counted[v] for v in sorted(counted))
        )
    finite = column[np.isfinite(column)] if column.dtype.kind == "f" else column
    if finite.size == 0:
        return ColumnChoices(name)
    span = float(finite.min()), float(finite.max())
    if column.dtype.kind == "f" or span[1] - span[0] > _MOST_INTEGERS * 100:
        return ColumnChoices(name, span=span)
    distinct, n_each = np.unique(column, return_counts=True)
    if len(distinct) > _MOST_INTEGERS:
        return ColumnChoices(name, span=span)
    return ColumnChoices(name, tuple(distinct.tolist()), tuple(n_each.tolist()), span)


def _readable_populations(
    sim: Simulation, n_spikes: dict[str, int]
) -> tuple[PopulationChoices, ...]:
    """Return the populations with readable nodes: a broken one does not block the others."""
    readable, errors = [], []
    for name in sim.populations:
        try:
            readable.append(_population_choices(sim, name, n_spikes.get(name)))
        except SimulationDataError as error:
            errors.append(error)
    if errors and not readable:
        raise errors[0]
    return tuple(readable)


def _population_choices(sim: Simulation, name: str, n_spikes: int | None) -> PopulationChoices:
    columns = sim.columns(name)
    text = tuple(column for column in columns if sim.text_values(name, column) is not None)
    others = tuple(column for column in columns if column not in text)
    values = {column: sim.text_values(name, column) or () for column in text}
    small = tuple((c, tuple(sorted(v))) for c, v in values.items() if len(v) <= _TWO)
    on_sheet = set(FLAT_COLUMNS) <= set(columns) or sim.holds_neurons(name)
    return PopulationChoices(name, sim.n_neurons(name), n_spikes, text, others, small, on_sheet)


def _default_population(sim: Simulation, populations: tuple[PopulationChoices, ...]) -> str:
    try:
        name = sim.default_population()
    except SimulationDataError:
        if not populations:
            raise
        name = ""
    if name in {choices.name for choices in populations}:
        return name
    return max(populations, key=lambda choices: choices.n_neurons).name
