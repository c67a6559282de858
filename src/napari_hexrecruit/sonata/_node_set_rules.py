"""Resolve node sets on columns: texts are compared once per category, not once per neuron.

SONATA Developer Guide, "Node sets file", with the operators ``$regex``, ``$gt``, ``$lt``, ``$gte``
and ``$lte`` of libsonata. Tests compare the results with libsonata's.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.filters import matches
from napari_hexrecruit.sonata._manifest import read_json
from napari_hexrecruit.values import values_meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from napari_hexrecruit.sonata._nodes import Nodes
    from napari_hexrecruit.values import Column

Mask = npt.NDArray[np.bool_]

_IDS = ("node_id", "gids")
"""Names of the rule on ids; the second is from old files."""
_COMPARE = {
    "$gt": operator.gt,
    "$lt": operator.lt,
    "$gte": operator.ge,
    "$lte": operator.le,
}


def read_node_sets(path: Path, config: Path, notes: list[str]) -> dict[str, Any]:
    """Read the node sets of a file, by name; `notes` gets a sentence for a name used twice.

    Raises
    ------
    SimulationDataError
        If the file is missing or is not a JSON object.
    """
    if not path.is_file():
        raise SimulationDataError(
            path, "the file of node sets does not exist", f"correct 'node_sets_file' in {config}"
        )
    return read_json(path, "a file of SONATA node sets", notes=notes)


def matching(
    name: str,
    sets: Mapping[str, Any],
    nodes: Nodes,
    column: Callable[[str], Column],
) -> Mask:
    """Return which of a population's nodes are in a node set.

    Parameters
    ----------
    name
        Name of the set.
    sets
        All sets by name.
    nodes
        The population.
    column
        Returns the values of one of its properties.

    Raises
    ------
    SimulationDataError
        If the set is not defined, contains itself, or names a property that the population lacks.
    """
    return _Resolver(sets, nodes, column).named(name, ())


class _Resolver:
    def __init__(
        self, sets: Mapping[str, Any], nodes: Nodes, column: Callable[[str], Column]
    ) -> None:
        self._sets, self._nodes, self._column = sets, nodes, column
        self._found: dict[str, Mask] = {}

    def named(self, name: str, within: tuple[str, ...]) -> Mask:
        if name in within:
            raise _wrong(name, "contains itself")
        if name not in self._sets:
            outer = f", which {within[-1]!r} names" if within else ""
            raise SimulationDataError(f"node set {name!r}{outer}", "is not defined", "add it")
        if name not in self._found:
            self._found[name] = self._defined(name, self._sets[name], (*within, name))
        return self._found[name]

    def _defined(self, name: str, rule: Any, within: tuple[str, ...]) -> Mask:
        if isinstance(rule, list):
            mask = np.zeros(self._nodes.size, dtype=bool)
            for part in rule:
                if isinstance(part, str):
                    mask |= self.named(part, within)
            return mask | self._by_id(name, [part for part in rule if not isinstance(part, str)])
        if not isinstance(rule, dict):
            raise _wrong(
                name, f"it is {rule!r}, neither a list of names nor of ids nor {{property: value}}"
            )
        mask = np.ones(self._nodes.size, dtype=bool)
        if "population" in rule and self._nodes.config.name not in _names(name, rule["population"]):
            return np.zeros(self._nodes.size, dtype=bool)
        for key, value in rule.items():
            if key in _IDS:
                mask &= self._by_id(name, value)
            elif key != "population":
                mask &= self._by_property(name, key, value)
        return mask

    def _by_id(self, name: str, value: Any) -> Mask:
        ids = _as_list(value)
        if not all(_is_number(item) and item == item and item == item // 1 for item in ids):
            raise _wrong(name, "its node_id are not whole numbers")
        if any(item < 0 for item in ids):
            raise _wrong(name, f"its node_id {min(ids)} is negative")
        within_64 = [int(item) for item in ids if item < 2**63]
        rows = self._nodes.rows_of(np.asarray(within_64, dtype=np.int64))
        mask = np.zeros(self._nodes.size, dtype=bool)
        mask[rows[rows >= 0]] = True
        return mask

    def _by_property(self, name: str, key: str, value: Any) -> Mask:
        if key not in self._nodes.columns:
            listed = ", ".join(self._nodes.columns) or "none"
            raise _wrong(
                name,
                f"it names the property {key!r}, which population {self._nodes.config.name!r}"
                f" lacks; there are: {listed}",
            )
        values = self._column(key)
        if isinstance(value, dict):
            return self._by_operators(name, key, values, value)
        return _is_in(name, key, values, _as_list(value))

    def _by_operators(self, name: str, key: str, values: Column, rule: dict[str, Any]) -> Mask:
        mask = np.ones(self._nodes.size, dtype=bool)
        for sign, limit in rule.items():
            if sign == "$regex" and isinstance(limit, str):
                mask &= _by_regex(name, key, values, limit)
            elif sign in _COMPARE and _is_number(limit):
                if _is_text(values):
                    raise _wrong(name, f"it compares the text property {key!r} by {sign}")
                mask &= np.asarray(_COMPARE[sign](np.asarray(values), limit), dtype=bool)
            else:
                known = ", ".join(["$regex", *_COMPARE])
                raise _wrong(name, f"{key!r} has {sign!r}: {limit!r}; there are: {known}")
        return mask


def _is_in(name: str, key: str, values: Any, wanted: list[Any]) -> Mask:
    if any(not isinstance(item, (str, int, float)) for item in wanted):
        raise _wrong(name, f"{key!r} asks for {wanted!r}, which is neither text nor a number")
    meant = []
    for item in wanted:
        found = values_meant(item, values)
        meant += found
        if not found and not _is_text(values) and not _is_number(item):
            kind = "true and false" if values.dtype.kind == "b" else "numbers"
            raise _wrong(name, f"{key!r} asks for {wanted!r}, but the property holds {kind}")
    return matches({"column": key, "values": meant}, values)


def _by_regex(name: str, key: str, values: Any, pattern: str) -> Mask:
    if not _is_text(values):
        raise _wrong(name, f"{key!r} has $regex, but the property holds numbers")
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(name, f"{key!r} has an invalid $regex ({one_line(error)})") from error
    return _by_category(values, [compiled.search(str(c)) is not None for c in values.categories])


def _by_category(values: Any, chosen: list[bool]) -> Mask:
    table = np.asarray([*chosen, False], dtype=bool)  # code -1, no text, is the last entry
    return np.asarray(table[values.codes])


def _is_text(values: Any) -> bool:
    return hasattr(values, "categories")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _names(name: str, value: Any) -> list[str]:
    names = _as_list(value)
    if not all(isinstance(item, str) for item in names):
        raise _wrong(name, f"its population is {value!r}, not a name or a list of names")
    return names


def _wrong(name: str, why: str) -> SimulationDataError:
    return SimulationDataError(f"node set {name!r}", why, "correct its definition")
