"""What the entries of a recipe may be, as its text has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def is_number(value: Any) -> bool:
    """Whether a value is a number, and not true or false."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether it is also neither infinite nor NaN."""
    return is_number(value) and math.isfinite(value)


def _is_finite_or_none(value: Any) -> bool:
    return value is None or is_finite(value)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return is_number(value) and isinstance(value, (int, np.integer))


def _is_flat(value: Any) -> bool:
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    return isinstance(value, str) or (is_pair and all(isinstance(name, str) for name in value))


def _is_list_of_rules(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(
        isinstance(rule, Mapping) and isinstance(rule.get("column"), str) for rule in value
    )


ENTRY_TYPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("simulation", "spikes", "circuit", "population"), _is_text_or_none),
    **dict.fromkeys(("node_set", "column_atlas"), _is_text_or_none),
    **dict.fromkeys(("radius", "bin_ms"), is_finite),
    **dict.fromkeys(("start", "stop"), _is_finite_or_none),
    "min_neurons": is_whole,
    "run": lambda value: value is None or is_whole(value),
    "flat": _is_flat,
    "where": _is_list_of_rules,
    "cumulative": lambda value: isinstance(value, bool),
}
"""What the entries of a text are."""
