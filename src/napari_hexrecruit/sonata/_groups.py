"""The groups of a nodes file: the group and row in which each node has its properties.

SONATA Developer Guide, "Representing nodes": ``node_group_id`` and ``node_group_index``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.hdf5 import (
    check_memory,
    child,
    child_names,
    counts_up,
    h5_errors,
    is_all,
    row_of_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID, _INDEX = "node_group_id", "node_group_index"
_NAME = re.compile(r"-?[0-9]+$", re.ASCII)


@dataclass(frozen=True)
class NodeGroup:
    """Nodes of one group.

    Attributes
    ----------
    name
        Name of the group in the population, a whole number.
    nodes
        Rows of its nodes in the population, ascending; None: all of them.
    index
        Row of each node in the group's datasets; None: in order.
    """

    name: str
    nodes: npt.NDArray[np.int64] | None
    index: npt.NDArray[np.int64] | None


def group_names(population: Any) -> list[str]:
    """Return the names of the groups with properties."""
    names = [name for name in child_names(population) if _NAME.match(name)]
    return [name for name in names if hasattr(child(population, name), "keys")]


def node_groups(
    population: Any, names: Sequence[str], size: int, where: str
) -> tuple[list[NodeGroup], list[str]]:
    """Return the nodes of each group, and assumptions.

    Parameters
    ----------
    population
        The population's HDF5 group.
    names
        Result of `group_names`.
    size
        Number of nodes.
    where
        Start of an error.

    Raises
    ------
    SimulationDataError
        If nodes are in missing groups, or the file does not state their groups.
    """
    if not names:
        return [], []
    if len(names) == 1 and _are_in_order(population, int(names[0]), size, where):
        return [NodeGroup(names[0], None, None)], []
    ids, index = (_row(population, name, size, where) for name in (_ID, _INDEX))
    if len(names) == 1:  # what is not stated: all nodes are in the only group, in order
        ids = np.full(size, int(names[0])) if ids is None else ids
        index = np.arange(size) if index is None else index
    for name, row in ((_ID, ids), (_INDEX, index)):
        if row is None:
            raise SimulationDataError(
                where,
                f"{name!r}: is missing, but the nodes are in several groups",
                "correct the nodes file",
            )
    return _shared_out(population, names, np.asarray(ids), np.asarray(index), where)


def _shared_out(
    population: Any, names: Sequence[str], ids: Any, index: Any, where: str
) -> tuple[list[NodeGroup], list[str]]:
    groups, assumed, n_found = [], [], 0
    for name in names:
        nodes = np.flatnonzero(ids == int(name))
        rows = index[nodes]
        n_found += len(nodes)
        if len(nodes) > 1 and not rows.any() and _n_rows(population, name) == len(nodes):
            rows = np.arange(len(nodes))
            assumed.append(
                f"{where}: {_INDEX!r} is 0 for all {len(nodes):,} nodes of group {name}; they are"
                " taken to stand in order"
            )
        in_order = np.array_equal(rows, np.arange(len(rows)))
        every = len(nodes) == len(ids)
        groups.append(NodeGroup(name, None if every else nodes, None if in_order else rows))
    if n_found != len(ids):
        strange = next(value for value in np.unique(ids) if str(value) not in _plain(names))
        raise SimulationDataError(
            where,
            f"{_ID!r} names the group {strange}, which is not there; there are: {', '.join(names)}",
            "correct the nodes file",
        )
    return groups, assumed


def _plain(names: Sequence[str]) -> set[str]:
    return {str(int(name)) for name in names}


def _n_rows(population: Any, name: str) -> int | None:
    """Return the number of values of a group's first property; None without properties."""
    group = child(population, name)
    for column in child_names(group):
        item = child(group, column)
        if hasattr(item, "dtype") and item.shape:
            return int(item.shape[0])
    return None


def _are_in_order(population: Any, name: int, size: int, where: str) -> bool:
    """Whether all nodes are in one group in order, which is the default if nothing is stated."""
    ids, index = (_dataset(population, name, size, where) for name in (_ID, _INDEX))
    in_it = ids is None or is_all(ids, name, f"{where}: {_ID!r}")
    return in_it and (index is None or counts_up(index, f"{where}: {_INDEX!r}"))


def _row(population: Any, name: str, size: int, where: str) -> npt.NDArray[np.int64] | None:
    found = _dataset(population, name, size, where)
    if found is None:
        return None
    where = f"{where}: {name!r}"
    check_memory(size * np.dtype(np.int64).itemsize, where)
    with h5_errors(where):
        row: npt.NDArray[np.int64] = found[:].astype(np.int64)
    return row


def _dataset(population: Any, name: str, size: int, where: str) -> Any:
    """Return the dataset with a number for each node; None if it is missing."""
    found = child(population, name)
    if found is None:
        return None
    where = f"{where}: {name!r}"
    n_rows = int(row_of_numbers(found, where, "iu").shape[0])
    if n_rows != size:
        raise SimulationDataError(
            where, f"has {n_rows:,} values for {size:,} nodes", "correct the nodes file"
        )
    return found
