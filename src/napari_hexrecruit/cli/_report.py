"""What a command says about a cube or a simulation, as lines of text."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.doubts import warnings_in
from napari_hexrecruit.filters import value_to_text

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from napari_hexrecruit.pipeline.check import Finding, Status

__all__ = ["cube_lines", "finding_lines", "info_lines", "number_of"]


def cube_lines(cube: xr.Dataset, path: Path) -> list[str]:
    """What a cube is of; its warnings, which are among its notes, are said elsewhere."""
    attrs = cube.attrs
    notes, told = json.loads(attrs.get("notes", "[]")), warnings_in(attrs)
    placed = attrs["n_neurons_selected"] - attrs["n_neurons_without_place"]
    return [
        f"{path}: {cube.sizes['hex']:,} hexagons, {cube.sizes['time']:,} bins of"
        f" {attrs['bin_ms']:g} ms",
        f"  neurons: {placed:,} counted, {attrs['n_neurons_without_place']:,} without a place",
        f"  spikes: {attrs['n_spikes_read']:,} read, {attrs['n_spikes_outside_window']:,} outside"
        f" the window, {attrs['n_spikes_unknown_id']:,} with an unknown id",
        *(f"  note: {note}" for note in notes if note not in told),
    ]


def finding_lines(found: list[Finding]) -> list[str]:
    """A line for each finding, grouped by file, and their numbers."""
    lines, file = [], ""
    for finding in found:
        if finding.file != file:
            lines.append(finding.file or "in general")
            file = finding.file
        text = ": ".join(filter(None, (finding.field, finding.found)))
        lines.append(f"  {finding.status:{_WIDTH}} {text}")
        if finding.remedy:
            lines.append(f"  {'':{_WIDTH}} -> {finding.remedy}")
    n_each = Counter(finding.status for finding in found)
    said = [status for status in _STATUSES if n_each[status] or status != "warning"]
    return [*lines, ", ".join(number_of(n_each[status], status) for status in said)]


def number_of(n: int, status: Status) -> str:
    """How many findings have a status: ``1 error``, ``2 assumptions``, ``3 OK``."""
    return f"{n} {status}" if n == 1 or status == "OK" else f"{n} {status}s"


_STATUSES: tuple[Status, ...] = ("OK", "assumption", "warning", "error")
_WIDTH = max(map(len, _STATUSES))


def info_lines(found: dict[str, Any]) -> list[str]:
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
    return [*lines, "", *_spikes_lines(found)]


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
