"""The line of the panel for entries that no field shows. Knows neither napari nor Qt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_LONGEST = 24
"""Longest word that fits the panel, in characters."""
_NAMES = {"node_set": "node set", "bin_ms": "bin", "min_neurons": "min. neurons"}
_UNITS = {"bin_ms": " ms", "start": " ms", "stop": " ms"}


def also_line(entries: Mapping[str, Any], *, whole: bool = False) -> str:
    """Describe the entries of a recipe that the fields do not show.

    Parameters
    ----------
    entries
        Entries of the recipe of a cube.
    whole
        If True, give files with their folders and long names in full, for a tooltip.

    Returns
    -------
    str
        One line; empty without entries.

    Examples
    --------
    >>> rules = [{"column": "layer", "values": [2, 3]}, {"column": "depth", "interval": [0, 500]}]
    >>> also_line({"where": rules, "flat": "/atlas/flatmap.nrrd", "cumulative": True})
    'Also: layer in 2, 3; depth from 0, below 500; flat position from flatmap.nrrd; cumulative'
    """
    parts = [rule_text(rule) for rule in entries.get("where", ())]
    parts += [_said(name, value, whole) for name, value in entries.items() if name != "where"]
    said = "; ".join(part if whole else _shortened(part) for part in parts)
    return f"Also: {said}" if said else ""


def rule_text(rule: Mapping[str, Any]) -> str:
    """Return a filter in words: ``layer in 2, 3``."""
    if "interval" in rule:
        low, high = (f"{end:.10g}" for end in rule["interval"])
        return f"{rule['column']} from {low}, below {high}"
    values = rule["values"] if "values" in rule else [rule.get("value")]
    return f"{rule['column']} in {', '.join(map(str, values))}"


def _said(name: str, value: Any, whole: bool) -> str:
    file = str(value) if whole else PurePath(str(value)).name
    if name == "flat":
        return f"flat position from {file if isinstance(value, str) else ', '.join(value)}"
    if name == "column_atlas":
        return f"columns of {file} as hexagons"
    if value is True:
        return name
    number = f"{value:.10g}" if isinstance(value, float) else str(value)
    return f"{_NAMES.get(name, name)} {number}{_UNITS.get(name, '')}"


def _shortened(text: str) -> str:
    """Leave out the middle of words that are longer than a line."""
    return " ".join(
        word if len(word) <= _LONGEST else f"{word[:10]}...{word[-11:]}"  # no line ends at a dot
        for word in text.split(" ")
    )
