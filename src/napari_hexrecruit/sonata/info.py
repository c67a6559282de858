"""The contents of a simulation as plain data, for ``hexrecruit info`` and choices in widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_hexrecruit.errors import SimulationDataError, in_python, in_words
from napari_hexrecruit.filters import value_to_text

if TYPE_CHECKING:
    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.sonata import ReportConfig, Simulation
    from napari_hexrecruit.values import Column

FLAT_PAIRS = (("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"))
_MOST_VALUES = 40


def simulation_info(sim: Simulation, words: Words = in_python) -> dict[str, Any]:
    """Return populations, node sets, stimuli and spikes of a simulation.

    Parameters
    ----------
    sim
        An opened simulation.
    words
        How errors name parameters; by default as in Python.

    Returns
    -------
    dict
        Ready for JSON. Times are in ms; ``columns`` maps the name of a property to `column_info`.
        An unreadable population or column has an ``error``; the others are still reported.
    """
    node_sets, broken = _node_sets(sim, words)
    populations = [_population_info(sim, name, words) for name in sim.populations]
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
        "reports": [one for config in sim.reports for one in report_info(sim, config, words)],
    }


def column_info(column: Column) -> dict[str, Any]:
    """Return the kind of a property and its values.

    Parameters
    ----------
    column
        (n_neurons,) values of one property.

    Returns
    -------
    dict
        ``kind`` (text, boolean, integer or real), with ``values``, the number of neurons by value
        for at most the 40 most frequent, and ``n_values``; or with ``range``, smallest and largest.
        ``n_missing`` counts neurons without a value, ``n_not_finite`` those with NaN or infinity.
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
    """Describe real numbers, or whole ones that are stored as real because some are missing."""
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


def _node_sets(sim: Simulation, words: Words) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the node sets, and the error if a node sets file cannot be read."""
    try:
        return sim.node_sets, []
    except SimulationDataError as error:
        return (), [in_words(error, words)]


def _population_info(sim: Simulation, name: str, words: Words) -> dict[str, Any]:
    """Describe a population; an unreadable population or column has an ``error``."""
    try:
        columns, n_neurons, kind = sim.columns(name), sim.n_neurons(name), sim.population_type(name)
    except SimulationDataError as error:
        if not any(sim.is_there(other) for other in sim.populations):
            raise
        return {"name": name, "error": in_words(error, words)}
    return {
        "name": name,
        "type": kind,
        "n_neurons": n_neurons,
        "flat": [list(pair) for pair in FLAT_PAIRS if set(pair) <= set(columns)],
        "columns": {column: _read_column_info(sim, name, column, words) for column in columns},
    }


def _read_column_info(sim: Simulation, population: str, name: str, words: Words) -> dict[str, Any]:
    try:
        return column_info(sim.column(population, name))
    except SimulationDataError as error:
        return {"kind": "unreadable", "error": in_words(error, words)}


def _spikes_info(sim: Simulation) -> list[dict[str, Any]] | None:
    if not sim.spikes_file.is_file():
        return None
    return [
        {"population": name or None, "n_spikes": n, "span_ms": sim.spike_span_ms(name)}
        for name, n in sim.spike_populations().items()
    ]


def report_info(
    sim: Simulation, config: ReportConfig, words: Words = in_python
) -> list[dict[str, Any]]:
    """Describe a report for each population; an unreadable one has an ``error``.

    Parameters
    ----------
    sim
        An opened simulation.
    config
        One of its reports.
    words
        How errors name parameters; by default as in Python.
    """
    found: list[dict[str, Any]] = []
    about: dict[str, Any] = {"name": config.name, "file": str(config.path), "type": config.kind}
    try:
        populations = sim.report_populations(config)
    except SimulationDataError as error:
        return [about | {"error": in_words(error, words)}]
    for population in populations:
        try:
            with sim.report(config, population) as (name, report):
                held = {
                    "population": name,
                    "n_neurons": len(report.somata.neurons),
                    "units": report.units,
                    "start_ms": report.start_ms,
                    "stop_ms": report.stop_ms,
                    "dt_ms": report.dt_ms,
                    "assumed": list(report.assumed),
                }
                found.append(about | held)
        except SimulationDataError as error:
            found.append(about | {"error": in_words(error, words)})
    return found


def _most_frequent(named: dict[str, int]) -> dict[str, Any]:
    kept = sorted(named, key=lambda value: -named[value])[:_MOST_VALUES]
    return {"values": {v: n for v, n in named.items() if v in kept}, "n_values": len(named)}


def info_lines(found: dict[str, Any]) -> list[str]:
    """Return the result of `simulation_info` as lines."""
    lines = [
        f"simulation   {found['simulation']}",
        f"time         {found['start_ms']:g} to {found['duration_ms']:g} ms",
        f"node set     {found['node_set'] or 'none (all neurons count)'}",
        f"node sets    {', '.join(found['node_sets']) or 'none'}",
    ]
    for stimulus in found["stimuli"]:
        on = f"{stimulus['start_ms']:g} to {stimulus['stop_ms']:g} ms"
        lines.append(f"stimulus     {stimulus['name']}: {on}, node set {stimulus['node_set']}")
    lines += [f"assumed      {sentence}" for sentence in found["assumed"]]
    for population in found["populations"]:
        lines += ["", *_population_lines(population)]
    reports = [_report_line(report) for report in found["reports"]]
    return [*lines, "", *_spikes_lines(found), *reports]


def report_text(report: dict[str, Any]) -> str:
    """Return a description of a report from the result of `report_info`."""
    return (
        f"{report['n_neurons']:,} neurons of {report['population']!r},"
        f" {report['start_ms']:g} to {report['stop_ms']:g} ms in steps of {report['dt_ms']:g} ms,"
        f" in {report['units']}"
    )


def _report_line(report: dict[str, Any]) -> str:
    said = report.get("error") or f"{report['file']}: {report_text(report)}"
    return f"report       {report['name']}: {said}"


def _population_lines(population: dict[str, Any]) -> list[str]:
    if "error" in population:
        return [
            f"population   {population['name']}: cannot be read",
            f"  {population['error']}",
        ]
    pairs = [" ".join(pair) for pair in population["flat"]]
    lines = [
        f"population   {population['name']} ({population['type']}),"
        f" {population['n_neurons']:,} neurons",
        f"  flat       {', '.join(pairs) or 'no flat columns'}",
    ]
    width = max([len(name) for name in population["columns"]], default=0)
    for name, column in population["columns"].items():
        lines.append(f"  {name:{width}}  {column['kind']:8} {_column_text(column)}")
    return lines


def _column_text(column: dict[str, Any]) -> str:
    if "error" in column:
        return str(column["error"])
    without = column.get("n_missing", 0)
    missing = [f"{without:,} without a value"] if without else []
    if "values" in column:
        shown = [f"{value_to_text(value)} ({n:,})" for value, n in column["values"].items()]
        more = column["n_values"] - len(shown)
        return ", ".join([*shown, *missing]) + (f" and {more} more values" if more else "")
    if column["range"] is None:
        return "no finite value"
    lo, hi = column["range"]
    infinite = column.get("n_not_finite", 0) - without
    missing += [f"{infinite:,} not finite"] if infinite > 0 else []
    return ", ".join([f"{lo:g} to {hi:g}", *missing])


def _spikes_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"spikes       {found['spikes_file']}"]
    if found["spikes"] is None:
        return [*lines, "  the file does not exist"]
    for spikes in found["spikes"]:
        span = spikes["span_ms"]
        when = f", {round(span[0], 6):g} to {round(span[1], 6):g} ms" if span else ""
        whose = spikes["population"] or "old layout, no population"
        lines.append(f"  {whose}: {spikes['n_spikes']:,} spikes{when}")
    return lines
