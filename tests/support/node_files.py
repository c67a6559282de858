"""Nodes files in several groups, with a table of node types: one builder for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.sonata_files import POPULATION, SonataFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STEP = 3**0.5 * 50.0
"""From hexagon to hexagon in a row, at the radius of 50."""


def write_nodes(
    folder: Path,
    groups: Mapping[int, Mapping[str, Any]],
    *,
    group_ids: Sequence[int] | None = None,
    group_index: Sequence[int] | None = None,
    types: Sequence[int] | None = None,
    table: str | bytes | None = None,
    node_sets: Mapping[str, Any] | None = None,
    places: bool = True,
    size: int | None = None,
) -> Path:
    """Write a simulation; the path of its configuration.

    ``groups`` maps the name of each group to its datasets; a name with ``@`` is that of a library.
    Node *k* fires once at 10 *k* + 5 ms. With ``places``, group 0 has flat positions, node *k* in
    the *k*-th hexagon of a row; the caller gives them where there are several groups.
    """
    size = size or _size(groups, group_ids)
    ids = np.arange(size)
    config = SonataFiles(
        columns={"ss_flat_x": np.zeros(size)},
        times_ms=10.0 * ids + 5.0,
        node_ids=ids.astype(np.uint64),
        tstop_ms=10.0 * max(size, 1),
        node_sets=dict(node_sets or {}),
        sorting=2,
    ).write(folder)
    with h5py.File(folder / "nodes.h5", "w") as file:
        population = file.create_group(f"nodes/{POPULATION}")
        population["node_type_id"] = np.full(size, -1) if types is None else np.asarray(types)
        if group_ids is not None:
            population["node_group_id"] = np.asarray(group_ids)
        if group_index is not None:
            population["node_group_index"] = np.asarray(group_index)
        for number, columns in groups.items():
            part = population.create_group(str(number))
            for name, values in columns.items():
                part["@library/" + name[1:] if name.startswith("@") else name] = values
        if places and len(groups) == 1:
            part = population[str(next(iter(groups)))]
            part["ss_flat_x"], part["ss_flat_y"] = STEP * ids, np.zeros(size)
    if table is not None:
        content = table if isinstance(table, bytes) else table.encode()
        (folder / "types.csv").write_bytes(content)
        circuit = json.loads((folder / "circuit_config.json").read_text())
        circuit["networks"]["nodes"][0]["node_types_file"] = "types.csv"
        (folder / "circuit_config.json").write_text(json.dumps(circuit))
    return config


def texts(*values: str) -> Any:
    """Texts as h5py writes them."""
    return np.array(values, dtype=object)


def values_of(column: Any) -> list[Any]:
    """A column as plain values, None for missing ones."""
    return [None if value != value else value for value in np.asarray(column).tolist()]


def _size(groups: Mapping[int, Mapping[str, Any]], group_ids: Sequence[int] | None) -> int:
    if group_ids is not None:
        return len(group_ids)
    return len(next(iter(next(iter(groups.values())).values())))
