"""The line of the panel for what no field shows. Knows nothing of napari or Qt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_LONGEST = 24
"""Letters of a name that the panel has room for."""
_NAMES = {"node_set": "node set", "bin_ms": "bin", "min_neurons": "min. neurons"}
_UNITS = {"bin_ms": " ms", "start": " ms", "stop": " ms"}


def also_line(entries: Mapping[str, Any], *, whole: bool = False) -> str:
    """Say what a cube is computed with beside what the fields show.

    Parameters
    ----------
    entries
        Entries of its recipe.
    whole
        Give files with their folders, and long names whole: for a tool tip.

    Returns
    -------
    str
        Empty where there are none.

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
    """A filter in words: ``layer in 2, 3``."""
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
    """Each word as long as a line at most: the middle of longer ones is left out."""
    return " ".join(
        word if len(word) <= _LONGEST else f"{word[:10]}...{word[-11:]}"  # no line ends at a dot
        for word in text.split(" ")
    )
