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
        JSON-ready. Times are ms; ``columns`` maps the name of a property to `column_info`.
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
        ``kind`` (text, integer or real) with ``values``, value to number of neurons, the most
        frequent 40 at most, and ``n_values``; or with ``range``, least and greatest.
    """
    if isinstance(column, pd.Categorical):
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
        named = {str(v): int(n) for v, n in zip(column.categories, counts, strict=True) if n}
        return {"kind": "text", **_most_frequent(named)}
    if column.dtype.kind in "iub":
        values, n_each = np.unique(column, return_counts=True)
        if len(values) <= _MOST_VALUES:
            named = {str(v): int(n) for v, n in zip(values.tolist(), n_each, strict=True)}
            return {"kind": "integer", **_most_frequent(named)}
        return {"kind": "integer", "range": [int(values[0]), int(values[-1])]}
    finite = column[np.isfinite(column)]
    ends = [float(finite.min()), float(finite.max())] if finite.size else None
    return {"kind": "real", "range": ends, "n_not_finite": int(len(column) - finite.size)}


def _node_sets(sim: Simulation) -> tuple[tuple[str, ...], list[str]]:
    """Names of the node sets; and why there is none, where a file of them cannot be read."""
    try:
        return sim.node_sets, []
    except SimulationDataError as error:
        return (), [str(error)]


def _population_info(sim: Simulation, name: str) -> dict[str, Any]:
    """What a population has; why not, where its nodes file is missing and others are there."""
    try:
        columns = sim.columns(name)
    except SimulationDataError as error:
        if not any(sim.is_there(other) for other in sim.populations):
            raise
        return {"name": name, "unreadable": str(error)}
    return {
        "name": name,
        "type": sim.population_type(name),
        "n_neurons": sim.n_neurons(name),
        "flat": [list(pair) for pair in FLAT_PAIRS if set(pair) <= set(columns)],
        "columns": {column: column_info(sim.column(name, column)) for column in columns},
    }


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
