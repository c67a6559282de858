"""Filters of neurons: rules on the columns of a population, in conntility's filter vocabulary.

A rule is a mapping with ``column`` and one of ``values`` (is in), ``value`` (equals) or
``interval`` (``lo <= v < hi``), as conntility's ``grouping_config`` reads them. On a command line
it is a text: ``column=a,b`` or ``column=lo:hi``. The first ``=`` ends the column's name. The text
after it is one value if the column has this value; otherwise it is a line of CSV: values with
commas, with quotes, or with blanks at an end are in double quotes.

conntility compares values of different types, so the integer 3 matches nothing in a text column.
Here a rule first takes the type of its column, and a value that does not occur is an error.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.values import Column, values_meant, values_present

Rule: TypeAlias = Mapping[str, Any]
"""``{"column": c, "values": [a, b]}``; or with ``"value": a``, or ``"interval": [lo, hi]``."""

Where: TypeAlias = "str | Rule | Iterable[str | Rule]"

_KINDS = ("values", "value", "interval")
_MOST_LISTED = 30
_ITEM = re.compile(r'\s*+(?:"((?:[^"]|"")*)"\s*|([^",][^,]*)?)(?:,|\Z)')
"""A field of a line of CSV: quoted, or not."""


def parse_where(where: Where) -> list[Rule]:
    """Return rules as a list of mappings; text is read only when its column is known.

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
        If a rule has no column or not exactly one of values, value and interval, or if a text has
        no ``=``.

    Examples
    --------
    >>> parse_where("synapse_class=INH")
    [{'column': 'synapse_class', 'text': 'INH'}]
    """
    items = [where] if isinstance(where, (str, Mapping)) else list(where)
    return [_parse_text(item) if isinstance(item, str) else _checked_rule(item) for item in items]


def rule_column(rule: Rule) -> str:
    """Return the name of the column that a rule is about."""
    return str(rule["column"])


def typed_rule(rule: Rule, column: Column) -> dict[str, Any]:
    """Return a rule with its values in the type of the column.

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
        If a value does not occur in the column (the message lists the values that do), or if an
        interval is empty or the column is text.

    Examples
    --------
    >>> import pandas as pd
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
        raise ParameterError(_where(name), "no value is given")
    occurs = _occurring(column)
    typed = [known for value in values for known in _typed_values(name, value, column, occurs)]
    return {"column": name, "values": list(dict.fromkeys(typed))}


def rule_to_text(rule: Rule) -> str:
    """Return a rule as text that `parse_where` and `typed_rule` read as the same rule.

    Parameters
    ----------
    rule
        A rule, typed or not.

    Returns
    -------
    str
        ``column=a``, ``column=lo:hi``, or a line of CSV. The first of several texts is quoted,
        because the whole list could also be one value.

    Raises
    ------
    ValueError
        If the column's name contains ``=`` or has blanks at an end, which a text cannot express.

    Examples
    --------
    >>> rule_to_text({"column": "mtype", "values": ["L5_TPC:A"]})
    'mtype=L5_TPC:A'
    >>> rule_to_text({"column": "pop_name", "values": ["L2/3,PV", "PV"]})
    'pop_name="L2/3,PV",PV'
    """
    column = rule_column(rule)
    if "=" in column or not column or column != column.strip():
        raise ValueError(
            f"a filter of the column {column!r} cannot be written as text: give it as a mapping"
        )
    if "text" in rule:
        return f"{column}={rule['text']}"
    if "interval" in rule:
        lo, hi = _as_list(rule["interval"])
        return f"{column}={_plain(lo)}:{_plain(hi)}"
    values = [rule["value"]] if "value" in rule else _as_list(rule["values"])
    written = [value_to_text(value) for value in values]
    if len(values) > 1 and isinstance(values[0], str) and not written[0].startswith('"'):
        written[0] = _quoted(written[0])
    return f"{column}={','.join(written)}"


def value_to_text(value: Any) -> str:
    """Return a value as a field of CSV, in double quotes if it needs them.

    Examples
    --------
    >>> print(value_to_text("INH"), value_to_text("L2/3,PV"), value_to_text(3.0))
    INH "L2/3,PV" 3
    """
    text = _plain(value)
    odd = text != text.strip() or not text or any(sign in text for sign in ',"\r\n')
    return _quoted(text) if odd and isinstance(value, str) else text


def matches(rule: Rule, column: Column) -> npt.NDArray[np.bool_]:
    """Return which neurons a typed rule keeps.

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
    if not isinstance(column, np.ndarray):
        wanted = np.append(column.categories.isin(rule["values"]), False)  # code -1 is "no value"
        kept: npt.NDArray[np.bool_] = wanted[column.codes]
        return kept
    meant = [known for value in rule["values"] for known in values_meant(value, column)]
    return np.isin(column, np.asarray(meant, dtype=column.dtype))


def _parse_text(text: str) -> Rule:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ParameterError(_where(text), "write column=value, column=a,b or column=lo:hi")
    return {"column": name.strip(), "text": value}


def _where(text: str) -> Parameter:
    return Parameter("where", (text,))


def _checked_rule(rule: Rule) -> Rule:
    if not isinstance(rule, Mapping) or "column" not in rule:
        raise ParameterError(_where(str(rule)), "a rule is a mapping with 'column'")
    kinds = [kind for kind in (*_KINDS, "text") if kind in rule]
    if len(kinds) != 1 or len(rule) != 2:
        raise ParameterError(_where(str(dict(rule))), f"give exactly one of {', '.join(_KINDS)}")
    return rule


def _read_text(name: str, text: str, column: Column) -> Rule:
    """Read an interval of a numeric column, a value that is the whole text, or a line of CSV.

    Names of morphological types contain colons (``L5_TPC:A``), so text columns have no intervals.
    """
    if text.lstrip().startswith('"'):
        return {"column": name, "values": _read_csv(name, text)}
    if not isinstance(column, np.ndarray):
        known = set(values_present(column))
        for value in (text, text.strip()):
            if value in known:
                return {"column": name, "values": [value]}
    ends = text.split(":")
    if len(ends) == 2 and isinstance(column, np.ndarray):
        try:
            return {"column": name, "interval": [float(ends[0]), float(ends[1])]}
        except ValueError:
            raise ParameterError(
                _where(f"{name}={text.strip()}"), "lo and hi of lo:hi must be numbers"
            ) from None
    return {"column": name, "values": _read_csv(name, text)}


def _read_csv(name: str, text: str) -> list[str]:
    """Read a line of CSV; blanks around unquoted values, and empty values, are dropped."""
    values = []
    at = 0
    while at < len(text):
        found = _ITEM.match(text, at)
        if found is None:
            raise ParameterError(
                _where(f"{name}={text.strip()}"),
                "a double quote is not closed, or text stands beside"
                ' it: write "a, b",c and a quote within quotes as ""',
            )
        quoted, plain = found.groups()
        if quoted is not None:
            values.append(quoted.replace('""', '"'))
        elif plain and plain.strip():
            values.append(plain.strip())
        at = found.end()
    return values


def _typed_interval(name: str, interval: Any, column: Column) -> list[float]:
    if not isinstance(column, np.ndarray) or column.dtype.kind == "b":
        kind = "text" if not isinstance(column, np.ndarray) else "true and false"
        raise ParameterError(
            _where(name), f"a column of {kind} has no interval; give values instead"
        )
    ends = _as_list(interval)
    try:
        lo, hi = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise ParameterError(_where(name), f"an interval is two numbers, not {ends!r}") from None
    if not lo < hi:
        raise ParameterError(_where(name), f"the interval {lo:g}:{hi:g} is empty (lo <= v < hi)")
    return [lo, hi]


def _typed_values(
    name: str, value: Any, column: Column, occurs: Callable[[Any], bool]
) -> list[Any]:
    """Return those of `values_meant` that occur; raise an error if none does."""
    meant = [known for known in values_meant(value, column) if occurs(known)]
    if meant:
        return meant
    present = values_present(column)
    if not present:
        raise ParameterError(_where(name), "no neuron has a value in this column: name another one")
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        ends = " to ".join(f"{end:g}" for end in present)
        raise ParameterError(
            _where(name),
            f"no neuron has {value!r}; the values go from {ends}: give an interval lo:hi",
        )
    raise ParameterError(_where(name), f"no neuron has {value!r}{_suggestion(str(value), present)}")


def _occurring(column: Column) -> Callable[[Any], bool]:
    """Return a test of whether a value occurs in the column."""
    if not isinstance(column, np.ndarray):
        return frozenset(values_present(column)).__contains__
    return lambda value: bool((column == value).any())


def _plain(value: Any) -> str:
    """Write a value exactly, but 10 rather than 10.0, and true rather than True."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _suggestion(text: str, present: list[Any]) -> str:
    """Return the closest value, if any, and the values of the column, as a user types them."""
    by_text = {str(known): value_to_text(known) for known in present}
    close = difflib.get_close_matches(text, by_text, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    listed = list(by_text.values())
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return f"{hint}; there are: {', '.join(listed[:_MOST_LISTED])}{more}"


def _as_list(value: Any) -> list[Any]:
    single = isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray, set, frozenset))
    return [value] if single else list(value)


def rule_as_read(rule: Rule) -> str:
    """Return a filter in plain words: ``synapse_class INH``, ``depth 0 to 100``."""
    if "text" in rule:
        return f"{rule['column']} {rule['text']}"
    if "interval" in rule:
        low, high = rule["interval"]
        return f"{rule['column']} {low:g} to {high:g}"
    values = [rule["value"]] if "value" in rule else rule["values"]
    return f"{rule['column']} {', '.join(map(value_to_text, values))}"
