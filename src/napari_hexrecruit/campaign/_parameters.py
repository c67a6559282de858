"""Scan parameters: their values, the grid that they span, and differences of configurations."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_hexrecruit.text import encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Value: TypeAlias = "bool | int | float | str"
"""Type of a parameter; all values of a parameter have the same type."""

_NO_PARAMETERS = frozenset(
    {"output", "manifest", "network", "reports", "node_sets_file", "metadata", "version"}
)
"""Sections of a SONATA configuration in which runs can differ without being a scan."""
_FILE_ENDINGS = (".h5", ".hdf5", ".json", ".nwb", ".nrrd", ".dat", ".txt", ".csv", ".parquet")


def plain_value(value: object) -> Value:
    """Convert a value to a number or text.

    Parameters
    ----------
    value
        Any value from JSON or YAML. An object with a ``name`` becomes the name, other objects and
        lists become JSON, None becomes ``none``.

    Returns
    -------
    bool, int, float or str
        Numbers that are not finite become text, because NaN does not equal itself.

    Examples
    --------
    >>> plain_value({"name": "nbS1", "path": "circuit_config.json"}), plain_value([1, 2])
    ('nbS1', '[1, 2]')
    """
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return encodable(value["name"])
    if isinstance(value, str):
        return encodable(value)
    if value is None:
        return "none"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, (bool, int)) else json.dumps(value, sort_keys=True)


def table_of(rows: Sequence[Mapping[str, object]]) -> list[dict[str, Value]]:
    """Return rows with the same parameters in the same order, each parameter of one type.

    Parameters
    ----------
    rows
        Parameters of each simulation.

    Returns
    -------
    list of dict
        Integers mixed with other numbers become floats; other mixed types become text.

    Raises
    ------
    ValueError
        If a simulation lacks a parameter of another one.

    Examples
    --------
    >>> table_of([{"ca": 1, "seed": 1}, {"seed": 2, "ca": 1.5}])
    [{'ca': 1.0, 'seed': 1}, {'ca': 1.5, 'seed': 2}]
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    for number, row in enumerate(rows):
        missing = [name for name in names if name not in row]
        if missing:
            raise ValueError(
                f"simulation {number + 1} lacks the parameter {', '.join(map(repr, missing))},"
                " which another one has: give each simulation all parameters"
            )
    columns = {name: _alike([plain_value(row[name]) for row in rows]) for name in names}
    return [{name: columns[name][k] for name in names} for k in range(len(rows))]


def axes_of(table: Sequence[Mapping[str, Value]]) -> dict[str, tuple[Value, ...]]:
    """Return the axes of the grid that the parameters span.

    Parameters
    ----------
    table
        Rows from `table_of`.

    Returns
    -------
    dict
        Values of each parameter with several values, numbers ascending, text in order of
        occurrence, if each combination occurs exactly once; else empty.

    Examples
    --------
    >>> axes_of([{"ca": ca, "seed": seed, "dt": 0.025} for ca in (1.1, 1.0) for seed in (1, 2)])
    {'ca': (1.0, 1.1), 'seed': (1, 2)}
    >>> axes_of([{"ca": 1.0, "seed": 1}, {"ca": 1.1, "seed": 2}])
    {}
    """
    names = list(table[0]) if table else []
    values = {name: tuple(dict.fromkeys(row[name] for row in table)) for name in names}
    axes = {name: _in_order(found) for name, found in values.items() if len(found) > 1}
    points = {tuple(row[name] for name in axes) for row in table}
    full = math.prod(map(len, axes.values()))
    return axes if axes and len(points) == len(table) == full else {}


def differences(configurations: Sequence[Any]) -> tuple[list[dict[str, Value]], str]:
    """Return the differences of SONATA configurations as parameters.

    Parameters
    ----------
    configurations
        Contents of the configurations, as parsed from JSON.

    Returns
    -------
    rows : list of dict
        Values by name, such as ``inputs.stimulus.amp_start``. The dicts are empty if the
        differences do not identify each simulation.
    note : str
        Sentence about the parameters taken.

    Notes
    -----
    Single values that exist in all configurations are compared. File names, and sections such as
    `output`, `network`, `manifest` and `reports`, are not parameters. If several values agree
    within every configuration (one amplitude for two inputs), only the first is a parameter.
    """
    leaves = [dict(_leaves(configuration)) for configuration in configurations]
    shared = (
        [name for name in leaves[0] if all(name in found for found in leaves)] if leaves else []
    )
    columns = {name: tuple(found[name] for found in leaves) for name in shared}
    several = {n: c for n, c in columns.items() if len(set(map(repr, c))) > 1}
    taken: dict[str, tuple[Value, ...]] = {}
    for name, column in several.items():
        if column not in taken.values():
            taken[name] = column
    nothing: list[dict[str, Value]] = [{} for _ in leaves]
    if not taken:
        return nothing, "the configurations do not differ in a parameter"
    rows = [{name: column[k] for name, column in taken.items()} for k in range(len(leaves))]
    if len({tuple(map(repr, row.values())) for row in rows}) < len(rows):
        return nothing, (
            f"the configurations differ in {', '.join(taken)}, but several simulations have the"
            " same values: these are not taken as parameters"
        )
    return rows, f"parameters are taken from where the configurations differ: {', '.join(taken)}"


def _alike(column: list[Value]) -> list[Value]:
    if all(isinstance(value, bool) for value in column):
        return column
    if any(isinstance(value, (bool, str)) for value in column):
        return [value if isinstance(value, str) else json.dumps(value) for value in column]
    whole = all(isinstance(value, int) and abs(value) < 2**63 for value in column)
    return column if whole else [float(value) for value in column]


def _in_order(values: tuple[Value, ...]) -> tuple[Value, ...]:
    if any(isinstance(value, str) for value in values):
        return values
    return tuple(sorted(values))


def _leaves(content: Any, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Yield single values in an object, with dotted names; list items are named by ``name``."""
    if isinstance(content, list):
        named = all(
            isinstance(item, dict) and isinstance(item.get("name"), str) for item in content
        )
        keys = [item["name"] if named else str(k) for k, item in enumerate(content)]
        content = dict(zip(keys, content, strict=True))
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if not prefix and key in _NO_PARAMETERS:
            continue
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, (dict, list)):
            yield from _leaves(value, name)
        elif not _names_a_file(value):
            yield name, plain_value(value)


def _names_a_file(value: object) -> bool:
    if not isinstance(value, str):
        return False
    return "/" in value or "\\" in value or value.lower().endswith(_FILE_ENDINGS)
