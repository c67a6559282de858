"""What a simulation holds, as plain data: for ``hexrecruit info`` and for choices in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from napari_hexrecruit.filters import Column
    from napari_hexrecruit.sonata import Simulation

__all__ = ["column_info", "simulation_info"]

FLAT_PAIRS = (("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"))
_MOST_VALUES = 40


def simulation_info(sim: Simulation) -> dict[str, Any]:
    """Populations, node sets, stimuli and spikes of a simulation.

    Parameters
    ----------
    sim
        An opened simulation.

    Returns
    -------
    dict
        JSON-ready. Times are ms; ``columns`` maps the name of a property to `column_info`. A
        population or a column that cannot be read has an ``error``, and stops nothing.
    """
    node_sets, broken = _node_sets(sim)
    populations = [_population_info(sim, name) for name in sim.populations]
    return {
        "simulation": str(sim.path),
        "start_ms": sim.start_ms,
        "duration_ms": sim.duration_ms,
        "node_set": sim.node_set,
        "node_sets": list(node_sets),
        "stimuli": [
            {"name": s.name, "start_ms": s.start_ms, "stop_ms": s.stop_ms, "node_set": s.node_set}
            for s in sim.stimuli
        ],
        "assumed": [*sim.assumed, *sim.assumed_end, *broken],
        "populations": populations,
        "spikes_file": str(sim.spikes_file),
        "spikes": _spikes_info(sim),
    }


def column_info(column: Column) -> dict[str, Any]:
    """Kind of a property and its values.

    Parameters
    ----------
    column
        (n_neurons,) values of one property.

    Returns
    -------
    dict
        ``kind`` (text, boolean, integer or real) with ``values``, value to number of neurons, the
        most frequent 40 at most, and ``n_values``; or with ``range``, least and greatest. Neurons
        without a value are ``n_missing``; those whose real number is none, ``n_not_finite``.
    """
    if isinstance(column, pd.Categorical):
        there = column.codes >= 0
        counts = np.bincount(column.codes[there], minlength=len(column.categories))
        named = {str(v): int(n) for v, n in zip(column.categories, counts, strict=True) if n}
        kind = "boolean" if set(named) <= {"false", "true"} and named else "text"
        return {"kind": kind, **_most_frequent(named), "n_missing": int((~there).sum())}
    if column.dtype.kind == "b":
        n_true = int(np.count_nonzero(column))
        named = {"false": len(column) - n_true, "true": n_true}
        return {"kind": "boolean", **_most_frequent({v: n for v, n in named.items() if n})}
    if column.dtype.kind in "iu":
        return {"kind": "integer", **_integers(column), "n_missing": 0}
    return _real_info(column)


def _real_info(column: Any) -> dict[str, Any]:
    """Real numbers, and whole ones that are real only because other neurons have none."""
    finite = column[np.isfinite(column)]
    n_lost, n_missing = len(column) - finite.size, int(np.isnan(column).sum())
    if finite.size and n_missing and n_lost == n_missing and (finite == np.round(finite)).all():
        return {
            "kind": "integer",
            **_integers(finite),
            "n_missing": n_missing,
            "n_not_finite": n_lost,
        }
    ends = [float(finite.min()), float(finite.max())] if finite.size else None
    return {"kind": "real", "range": ends, "n_not_finite": n_lost}


def _integers(column: Column) -> dict[str, Any]:
    values, n_each = np.unique(column, return_counts=True)
    if len(values) > _MOST_VALUES:
        return {"range": [int(values[0]), int(values[-1])]}
    named = {str(int(v)): int(n) for v, n in zip(values.tolist(), n_each, strict=True)}
    return _most_frequent(named)


def _node_sets(sim: Simulation) -> tuple[tuple[str, ...], list[str]]:
    """Names of the node sets; and why there is none, where a file of them cannot be read."""
    try:
        return sim.node_sets, []
    except SimulationDataError as error:
        return (), [str(error)]


def _population_info(sim: Simulation, name: str) -> dict[str, Any]:
    """What a population holds; one that cannot be read has its ``error``, and so has a column."""
    try:
        columns, n_neurons, kind = sim.columns(name), sim.n_neurons(name), sim.population_type(name)
    except SimulationDataError as error:
        if not any(sim.is_there(other) for other in sim.populations):
            raise
        return {"name": name, "error": str(error)}
    return {
        "name": name,
        "type": kind,
        "n_neurons": n_neurons,
        "flat": [list(pair) for pair in FLAT_PAIRS if set(pair) <= set(columns)],
        "columns": {column: _read_column_info(sim, name, column) for column in columns},
    }


def _read_column_info(sim: Simulation, population: str, name: str) -> dict[str, Any]:
    try:
        return column_info(sim.column(population, name))
    except SimulationDataError as error:
        return {"kind": "unreadable", "error": str(error)}


def _spikes_info(sim: Simulation) -> list[dict[str, Any]] | None:
    if not sim.spikes_file.is_file():
        return None
    return [
        {"population": name or None, "n_spikes": n, "span_ms": sim.spike_span_ms(name)}
        for name, n in sim.spike_populations().items()
    ]


def _most_frequent(named: dict[str, int]) -> dict[str, Any]:
    kept = sorted(named, key=lambda value: -named[value])[:_MOST_VALUES]
    return {"values": {v: n for v, n in named.items() if v in kept}, "n_values": len(named)}
