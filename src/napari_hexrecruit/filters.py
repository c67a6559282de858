"""Which neurons: rules on the columns of a population, in conntility's filter vocabulary.

A rule is a mapping with ``column`` and one of ``values`` (is in), ``value`` (equals) or
``interval`` (``lo <= v < hi``), as conntility's ``grouping_config`` reads them. The same as text,
for a command line: ``column=a,b`` or ``column=lo:hi``.

conntility compares without looking at types, so the integer 3 matches nothing in a column of text.
Here a rule is first typed by its column, and a value that occurs nowhere is an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Column", "Rule", "Where", "matches", "parse_where", "rule_column", "typed_rule"]

Column: TypeAlias = "pd.Categorical | npt.NDArray[Any]"
"""Values of one property for all neurons: text as `pandas.Categorical`, numbers as an array."""

Rule: TypeAlias = Mapping[str, Any]
"""``{"column": c, "values": [a, b]}``; or with ``"value": a``, or ``"interval": [lo, hi]``."""

Where: TypeAlias = "str | Rule | Iterable[str | Rule]"

_KINDS = ("values", "value", "interval")
_MOST_LISTED = 30


def parse_where(where: Where) -> list[Rule]:
    """Rules as a list of mappings; text stays text until its column is known.

    Parameters
    ----------
    where
        A rule, the text of a rule, or several of them.

    Returns
    -------
    list of mappings
        As given, or ``{"column": c, "text": t}`` for a text ``c=t``.

    Raises
    ------
    ValueError
        If a rule has no column, not exactly one of values, value, interval, or a text no ``=``.

    Examples
    --------
    >>> parse_where("synapse_class=INH")
    [{'column': 'synapse_class', 'text': 'INH'}]
    """
    items = [where] if isinstance(where, (str, Mapping)) else list(where)
    return [_parse_text(item) if isinstance(item, str) else _checked_rule(item) for item in items]


def rule_column(rule: Rule) -> str:
    """Name of the column that a rule looks at."""
    return str(rule["column"])


def typed_rule(rule: Rule, column: Column) -> dict[str, Any]:
    """The rule with its values in the type of the column.

    Parameters
    ----------
    rule
        One result of `parse_where`.
    column
        The values of its column.

    Returns
    -------
    dict
        ``column`` with ``values`` or ``interval``; plain Python values, ready for JSON.

    Raises
    ------
    ValueError
        If a value occurs nowhere in the column (the message lists those that do), or an interval is
        empty or asked of a column of text.

    Examples
    --------
    >>> layers = pd.Categorical(["2", "3", "3"])
    >>> typed_rule({"column": "layer", "value": 3}, layers)
    {'column': 'layer', 'values': ['3']}
    """
    name = rule_column(rule)
    if "text" in rule:
        rule = _read_text(name, rule["text"], column)
    if "interval" in rule:
        return {"column": name, "interval": _typed_interval(name, rule["interval"], column)}
    values = [rule["value"]] if "value" in rule else _as_list(rule["values"])
    if not values:
        raise ValueError(f"where {name}: no value is given")
    present = _present(column)
    return {"column": name, "values": [_typed_value(name, v, column, present) for v in values]}


def matches(rule: Rule, column: Column) -> npt.NDArray[np.bool_]:
    """Which neurons a typed rule keeps.

    Parameters
    ----------
    rule
        A result of `typed_rule`.
    column
        (n_neurons,) values of its column.

    Returns
    -------
    (n_neurons,) bool
        NaN matches nothing.
    """
    if "interval" in rule:
        lo, hi = rule["interval"]
        numbers = np.asarray(column)
        return np.asarray((numbers >= lo) & (numbers < hi), dtype=bool)
    if isinstance(column, pd.Categorical):
        wanted = np.append(column.categories.isin(rule["values"]), False)  # code -1 is "no value"
        kept: npt.NDArray[np.bool_] = wanted[column.codes]
        return kept
    return np.isin(column, rule["values"])


def _parse_text(text: str) -> Rule:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ValueError(f"where {text!r}: write column=value, column=a,b or column=lo:hi")
    return {"column": name.strip(), "text": value.strip()}


def _checked_rule(rule: Rule) -> Rule:
    if not isinstance(rule, Mapping) or "column" not in rule:
        raise ValueError(f"where {rule!r}: a rule is a mapping with 'column'")
    kinds = [kind for kind in _KINDS if kind in rule]
    if len(kinds) != 1 or len(rule) != 2:
        raise ValueError(f"where {dict(rule)!r}: give exactly one of {', '.join(_KINDS)}")
    return rule


def _read_text(name: str, text: str, column: Column) -> Rule:
    """An interval where the column is numeric and the text two numbers; values otherwise.

    Names of morphological types contain colons (``L5_TPC:A``), so text columns have no intervals.
    """
    ends = text.split(":")
    if len(ends) == 2 and not isinstance(column, pd.Categorical):
        try:
            return {"column": name, "interval": [float(ends[0]), float(ends[1])]}
        except ValueError:
            raise ValueError(f"where {name}={text}: lo and hi of lo:hi must be numbers") from None
    return {"column": name, "values": [part.strip() for part in text.split(",") if part.strip()]}


def _typed_interval(name: str, interval: Any, column: Column) -> list[float]:
    if isinstance(column, pd.Categorical):
        raise ValueError(f"where {name}: a column of text has no interval; give values instead")
    ends = _as_list(interval)
    try:
        lo, hi = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise ValueError(f"where {name}: an interval is two numbers, not {ends!r}") from None
    if not lo < hi:
        raise ValueError(f"where {name}: the interval {lo:g}:{hi:g} is empty (lo <= v < hi)")
    return [lo, hi]


def _typed_value(name: str, value: Any, column: Column, present: list[Any]) -> Any:
    by_text = {str(known): known for known in present}
    if isinstance(column, pd.Categorical):
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if text in by_text:
            return text
    else:
        number = _as_number(value)
        if number is not None and np.isin(number, column):
            return int(number) if column.dtype.kind in "iu" else float(number)
        if column.dtype.kind == "f":
            ends = " to ".join(f"{end:g}" for end in present) or "nowhere"
            raise ValueError(
                f"where {name}: no neuron has {value!r}; the values go from {ends}:"
                " give an interval lo:hi"
            )
    raise ValueError(f"where {name}: no neuron has {value!r}{_suggestion(str(value), by_text)}")


def _suggestion(text: str, by_text: Mapping[str, Any]) -> str:
    listed = list(by_text)
    close = difflib.get_close_matches(text, listed, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return f"{hint}; there are: {', '.join(listed[:_MOST_LISTED])}{more}"


def _present(column: Column) -> list[Any]:
    """Values that occur, sorted; of real numbers, which are too many, the least and greatest."""
    if isinstance(column, pd.Categorical):
        used = np.unique(column.codes[column.codes >= 0])
        return sorted(str(v) for v in column.categories[used])
    if column.dtype.kind == "f":
        finite = column[np.isfinite(column)]
        return [float(finite.min()), float(finite.max())] if finite.size else []
    return list(np.unique(column).tolist())


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _as_list(value: Any) -> list[Any]:
    single = isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray, set, frozenset))
    return [value] if single else list(value)
