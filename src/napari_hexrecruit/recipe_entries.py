"""Types and checks of a recipe's entries."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.errors import Parameter, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


FILES = ("simulation", "spikes", "circuit", "run")
NEEDED = ("population", "node_set", "where", "flat", "radius")
"""Entries that decide which neurons and hexagons a cube has."""
OPTIONS = (
    *("population", "node_set", "column_atlas", "radius", "bin_ms", "min_neurons"),
    *("spikes", "circuit", "run", "cumulative", "hemisphere", "mirror", "report", "statistic"),
)
ONLY_GIVEN = ("hemisphere", "mirror", "report", "statistic")
"""Entries that a text has only if they are given."""
EVERY = (*NEEDED, "bin_ms", "start", "stop", "min_neurons")
"""Entries that a text always has."""


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def is_number(value: Any) -> bool:
    """Whether a value is a number, not a boolean."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return is_number(value) and math.isfinite(value)


def _is_finite_or_none(value: Any) -> bool:
    return value is None or is_finite(value)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number."""
    return is_number(value) and isinstance(value, (int, np.integer))


def _is_flat(value: Any) -> bool:
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    return isinstance(value, str) or (is_pair and all(isinstance(name, str) for name in value))


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


def _is_list_of_rules(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(
        isinstance(rule, Mapping) and isinstance(rule.get("column"), str) for rule in value
    )


ENTRY_TYPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("simulation", "spikes", "circuit"), _is_text_or_none),
    "population": lambda value: _is_text_or_none(value) or _is_texts(value),
    **dict.fromkeys(("node_set", "column_atlas", "report", "statistic"), _is_text_or_none),
    **dict.fromkeys(("hemisphere", "mirror"), _is_text_or_none),
    **dict.fromkeys(("radius", "bin_ms"), is_finite),
    **dict.fromkeys(("start", "stop"), _is_finite_or_none),
    "min_neurons": is_whole,
    "run": lambda value: value is None or is_whole(value),
    "flat": _is_flat,
    "where": _is_list_of_rules,
    "cumulative": lambda value: isinstance(value, bool),
}
"""Checks of the entries' types."""


def entries_of(text: object) -> dict[str, Any]:
    """Return the entries of a cube's attribute ``recipe``."""
    try:
        entries = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        raise ValueError("the cube's recipe is not a JSON object: compute the cube again")
    return entries


def plain(value: Any) -> Any:
    """Return a numpy number or a path in a form for JSON."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value.tolist()


def volume_of(text: str) -> str | Path:
    """Return the volume of a text: a text for one of the circuit's atlas, a path for a file."""
    return text if text == "atlas" or text.startswith("atlas:") else Path(text)


def absolute_volume(volume: str | os.PathLike[str]) -> str | Path:
    """Return the volume with an absolute path, for processes with another current folder."""
    in_circuit = isinstance(volume, str) and isinstance(volume_of(volume), str)
    return str(volume) if in_circuit else Path(os.path.abspath(volume))


def one_or_several(names: str | Sequence[str] | None) -> str | tuple[str, ...] | None:
    """Return several names as a tuple, one as text; anything else unchanged, to be refused."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        return names
    several = tuple(names)
    return several[0] if len(several) == 1 else several


def listed(names: str | tuple[str, ...] | None) -> str | list[str] | None:
    """Return several names as a list, for JSON and YAML; one name unchanged."""
    return list(names) if isinstance(names, tuple) else names


def check_populations(named: Any) -> None:
    """Refuse values that are not populations, and repeated ones, which would count twice.

    Parameters
    ----------
    named
        Populations, as from `one_or_several`.
    """
    if named is None or isinstance(named, str):
        return
    if not _is_texts(named) or not named:
        found = f"not {named!r}" if named != () else "and there is none"
        raise ParameterError(
            Parameter("population"),
            f"must be a name or several, {found}",
            "leave it out for the default one",
        )
    names = list(named)
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise ParameterError(
            Parameter("population"), f"names {twice[0]!r} twice", "name each population once"
        )


def check_hemispheres(hemisphere: str | None, mirror: str | None, column_atlas: object) -> None:
    """Refuse `mirror` without `hemisphere`, and hemispheres with a column atlas."""
    if hemisphere is None and mirror is not None:
        raise ParameterError(
            Parameter("mirror"),
            "is a value of the property that tells hemispheres apart",
            ("name it with ", Parameter("hemisphere")),
        )
    if hemisphere is not None and column_atlas is not None:
        raise ParameterError(
            Parameter("hemisphere"),
            "moves hexagons by columns of their lattice, and the columns of an atlas have none",
            ("leave it or ", Parameter("column_atlas"), " out"),
        )


def check_report(report: str | None, statistic: str | None, cumulative: bool) -> None:
    """Refuse a statistic without a report, and a report with cumulative counts."""
    if report is None and statistic is not None:
        raise ParameterError(
            Parameter("statistic"), "is one of a report", ("name it with ", Parameter("report"))
        )
    if report is not None and cumulative:
        raise ParameterError(
            Parameter("cumulative"),
            "counts neurons that fire, and a report has no spikes",
            "leave one of them out",
        )


def check_numbers(min_neurons: Any, bin_ms: Any, start: Any, stop: Any) -> None:
    """Refuse values that are not numbers or are out of range."""
    if not is_whole(min_neurons) or min_neurons < 1:
        raise ParameterError(
            Parameter("min_neurons"), f"must be a whole number of at least 1, not {min_neurons!r}"
        )
    for name, value in (("start", start), ("stop", stop), ("bin_ms", bin_ms)):
        is_default = value is None and name != "bin_ms"
        if not is_default and not is_finite(value):
            raise ParameterError(Parameter(name), f"must be a finite number of ms, not {value!r}")
    if bin_ms <= 0:
        raise ValueError(f"the bin width must be a number greater than 0 ms, not {bin_ms:g} ms")
