"""The nodes file of a population: its size, its ids and its properties.

Layout: SONATA Developer Guide, "Representing nodes". Files are read with h5py, because libsonata's
wheel cannot read compressed files or several groups, and takes the row for the ``node_id``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._groups import NodeGroup, group_names, node_groups
from napari_hexrecruit.sonata._node_types import NodeTypes
from napari_hexrecruit.sonata._number_columns import NumberColumn, NumberColumns
from napari_hexrecruit.sonata._pieces import WORDS, Piece, joined
from napari_hexrecruit.sonata._population import opened_population, population_in, words_of
from napari_hexrecruit.sonata._texts import by_codes, enumeration, library, strings
from napari_hexrecruit.storage.hdf5 import (
    check_bytes,
    check_memory,
    child,
    child_names,
    counts_up,
    h5_errors,
    open_h5,
    row_of_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_hexrecruit.sonata._config_values import PopulationConfig
    from napari_hexrecruit.values import Column

_MOST_NEURONS = np.iinfo(np.int32).max - 1
_AXES = ("x", "y", "z")
_NOT_PROPERTIES = ("@library", "dynamics_params")


def populations_in(file: Path, config: Path) -> list[str]:
    """Return the names of the populations in a nodes file."""
    with open_h5(file, "the nodes file", f"correct the path in {config}") as h5:
        nodes = child(h5, "nodes")
        if nodes is None or not hasattr(nodes, "keys"):
            raise SimulationDataError(file, "lacks the group '/nodes'", "name a SONATA nodes file")
        return [name for name in child_names(nodes) if hasattr(child(nodes, name), "keys")]


class Nodes:
    """A population in its nodes file, which is open only while it is read.

    A property can be in some groups of the file, in the table of node types, or in both. The value
    in a node's group takes precedence over that of its type.

    Attributes
    ----------
    size
        Number of nodes.
    columns
        Names of the properties, sorted, including unreadable ones.
    ids
        (size,) ``node_id`` of each row; None if they are 0 to size-1.
    types
        Table of node types, with further properties.
    """

    def __init__(self, config: PopulationConfig, circuit: Path) -> None:
        self.config = config
        self._circuit = circuit
        self._where = f"{config.nodes_file}: population {config.name!r}"
        self._broken: dict[str, SimulationDataError] = {}
        self._groups: tuple[list[NodeGroup], list[str]] | None = None
        self._type_rows: npt.NDArray[np.int32] | None = None
        self._untyped: tuple[str, ...] = ()
        if config.other_file is not None:
            raise SimulationDataError(
                circuit,
                f"population {config.name!r} is in two nodes files, {config.nodes_file} and"
                f" {config.other_file}",
                "remove one of them, or give one of the populations another name",
            )
        with self._open() as group:
            self._names = group_names(group)
            self.size = self._read_size(group)
            self.ids = self._read_ids(group)
            self._sources = {name: self._datasets(child(group, name)) for name in self._names}
            types = NodeTypes.read(config.node_types_file)
            self.types = types if child(group, "node_type_id") is not None else NodeTypes()
        in_groups = (name for found in self._sources.values() for name in found)
        self.columns = tuple(sorted({*in_groups, *self._broken, *self.types.columns}))

    def assumed(self) -> tuple[str, ...]:
        """Return assumptions about what the files do not state about groups and types."""
        if self._groups is None:
            with self._open() as group:
                self._read_groups(group)
        return (*(self._groups[1] if self._groups else ()), *self._untyped)

    def values(self, name: str) -> tuple[str, ...] | None:
        """Return the possible texts of a column, from libraries and the node types table.

        None for columns of other kinds, and for unreadable ones. Reads no values of nodes.
        """
        found: list[list[str] | None] = []
        try:
            with self._open() as group:
                for part, source in self._parts_with(group, name):
                    found.append(self._texts_of(part, source, name))
        except SimulationDataError:
            return None
        if name in self.types.columns:
            found.append(self.types.texts(name))
        texts = [text for listed in found if listed is not None for text in listed]
        return None if None in found or not found else tuple(sorted(set(texts)))

    def column(self, name: str) -> Column:
        """Return the (size,) values of a property; text as `pandas.Categorical`.

        Nodes without a value have NaN, or no category.

        Raises
        ------
        SimulationDataError
            If the property cannot be read.
        """
        if name in self._broken:
            raise self._broken[name]
        with self._open() as group:
            pieces = [
                Piece(part.nodes, self._read(group, part, name))
                for part in self._read_groups(group)[0]
                if name in self._sources[part.name]
            ]
            if name in self.types.columns:
                pieces += self._of_types(group, name, pieces)
        return joined(pieces, self.size, f"{self._where}: property {name!r}")

    @contextmanager
    def numbers(self, names: Sequence[str]) -> Iterator[NumberColumns | None]:
        """Open the file to read properties block by block.

        None if one is not a plain dataset of numbers: use `column`.
        """
        with open_h5(self.config.nodes_file, *words_of(self.config, self._circuit)) as file:
            with h5_errors(self._where):
                group = population_in(file, self.config, self._circuit)
                items = [self._plain(group, name) for name in names]
            columns = [
                NumberColumn(item, name, self._where)
                for item, name in zip(items, names, strict=True)
                if item is not None
            ]
            yield NumberColumns(self.size, columns) if len(columns) == len(names) else None

    def _plain(self, group: Any, name: str) -> Any:
        """Return the dataset whose row k is the value of node k; None if there is none."""
        parts = [p for p in self._read_groups(group)[0] if name in self._sources[p.name]]
        if len(parts) != 1 or name in self.types.columns or name in self._broken:
            return None
        (part,) = parts
        item = child(child(group, part.name), self._sources[part.name][name])
        is_number = item.dtype.kind in "iuf" and enumeration(item) is None
        if not is_number or library(child(group, part.name), name, self._where) is not None:
            return None
        in_order = part.nodes is None and part.index is None and item.shape[0] == self.size
        return item if in_order else None

    def rows_of(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the row of each ``node_id``; -1 for ids that the population lacks."""
        if self.ids is None:
            rows = ids.astype(np.int32, copy=True)
            rows[(ids < 0) | (ids >= self.size)] = -1
            return rows
        if not hasattr(self, "_by_id"):
            self._by_id = np.argsort(self.ids, kind="stable").astype(np.int32)
        ordered = self.ids[self._by_id]
        at = np.minimum(np.searchsorted(ordered, ids), max(self.size - 1, 0))
        if not self.size:
            return np.full(len(ids), -1, np.int32)
        return np.where(ordered[at] == ids, self._by_id[at], np.int32(-1)).astype(np.int32)

    def _open(self) -> Any:
        return opened_population(self.config, self._circuit, self._where)

    def _read_size(self, group: Any) -> int:
        found = child(group, "node_type_id")
        if found is None:
            found = child(group, "node_group_id")
        if found is None:
            for name in self._names:
                part = child(group, name)
                for column in child_names(part):
                    item = child(part, column)
                    if hasattr(item, "shape") and item.shape:
                        return self._sane(int(item.shape[0]))
            found = child(group, "node_id")
        if found is None:
            raise SimulationDataError(
                self._where, "has neither 'node_type_id' nor a property", "name a SONATA population"
            )
        return self._sane(
            int(row_of_numbers(found, f"{self._where}: '{found.name.rpartition('/')[2]}'").shape[0])
        )

    def _sane(self, size: int) -> int:
        if size > _MOST_NEURONS:
            raise SimulationDataError(self._where, f"claims {size:,} nodes, too many")
        return size

    def _read_ids(self, group: Any) -> npt.NDArray[np.int64] | None:
        found = child(group, "node_id")
        if found is None:
            return None
        where = f"{self._where}: 'node_id'"
        n_ids = int(row_of_numbers(found, where, "iu").shape[0])
        if n_ids != self.size:
            raise SimulationDataError(where, f"{n_ids:,} ids for {self.size:,} nodes")
        if counts_up(found, where):
            return None
        check_memory(self.size * np.dtype(np.int64).itemsize, where)
        with h5_errors(where):
            ids: npt.NDArray[np.int64] = found[:].astype(np.int64)
        if len(np.unique(ids)) != len(ids):
            raise SimulationDataError(where, "an id appears twice", "correct the nodes file")
        return ids

    def _datasets(self, part: Any) -> dict[str, str]:
        """Return each property of a group, and the name of its dataset."""
        found: dict[str, str] = {}
        for name in child_names(part):
            if name in _NOT_PROPERTIES:
                continue
            try:
                item = child(part, name)
                given = _properties(name, item)
            except SimulationDataError as error:
                self._broken.setdefault(name, error)
                continue
            for given_name in given:
                found.setdefault(given_name, name)
            if name in given:
                found[name] = name
        return found

    def _read_groups(self, group: Any) -> tuple[list[NodeGroup], list[str]]:
        if self._groups is None:
            self._groups = node_groups(group, self._names, self.size, self._where)
        return self._groups

    def _parts_with(self, group: Any, name: str) -> Iterator[tuple[Any, str]]:
        """Yield the groups that have a property, each with the name of its dataset."""
        for part, found in self._sources.items():
            if name in found:
                yield child(group, part), found[name]

    def _texts_of(self, part: Any, source: str, name: str) -> list[str] | None:
        item = child(part, source)
        named = enumeration(item)
        if named is not None:
            return None if _is_boolean(named) else list(named.values())
        return library(part, name, self._where) if item.dtype.kind in "iuf" else None

    def _read(self, group: Any, part: NodeGroup, name: str) -> Column:
        """Return the values of a property for the nodes of one group."""
        source = self._sources[part.name][name]
        item = child(child(group, part.name), source)
        where = f"{self._where}: property {name!r}"
        with h5_errors(where):
            check_bytes(item, where)
            check_memory(int(item.nbytes), where)
            if item.ndim == 2:
                return self._picked(_native(item[:, _AXES.index(name)]), part, name)
            if item.dtype.kind in "OSU":
                return self._picked(strings(item), part, name)
            values = self._picked(_native(item[:]), part, name)
            if item.dtype.kind == "b":
                return self._booleans(values, part, where)
            named = enumeration(item)
            if named is not None:
                return self._named(values, named, part, where)
            texts = library(child(group, part.name), name, self._where)
            if texts is None:
                return values
            return by_codes(np.asarray(values), texts, where, lambda at: self._node(part, at))

    def _picked(self, values: Column, part: NodeGroup, name: str) -> Column:
        """Return the values of the group's nodes, from the values of its rows."""
        n_nodes = self.size if part.nodes is None else len(part.nodes)
        if part.index is None:
            if len(values) < n_nodes or (part.nodes is None and len(values) != n_nodes):
                raise SimulationDataError(
                    self._where,
                    f"property {name!r} has {len(values):,} values for {n_nodes:,} nodes",
                    "correct the nodes file",
                )
            return values[:n_nodes]
        if part.index.size and (part.index.min() < 0 or part.index.max() >= len(values)):
            raise SimulationDataError(
                self._where,
                f"'node_group_index' exceeds property {name!r} of group {part.name}",
                "correct the nodes file",
            )
        return values[part.index]

    def _booleans(self, values: Any, part: NodeGroup, where: str) -> npt.NDArray[np.bool_]:
        """Return booleans; refuse other numbers, which an HDF5 enumeration can contain."""
        raw = values.view(np.uint8)
        if raw.size and int(raw.max()) > 1:
            at = int(np.argmax(raw > 1))
            raise SimulationDataError(
                where,
                f"node {self._node(part, at)} has {raw[at]}, neither FALSE (0) nor TRUE (1)",
                "correct the nodes file",
            )
        return np.asarray(values)

    def _named(self, values: Any, named: dict[int, str], part: NodeGroup, where: str) -> Column:
        """Return the names of an HDF5 enumeration's values."""
        numbers = np.array(sorted(named), dtype=np.int64)
        wrong = ~np.isin(values, numbers)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise SimulationDataError(
                where,
                f"node {self._node(part, at)} has {values[at]}, which its enumeration does not"
                " name",
                "correct the nodes file",
            )
        at_name = np.searchsorted(numbers, values)
        texts = [named[number] for number in numbers.tolist()]
        if _is_boolean(named):
            words = [WORDS[text.lower()] for text in texts]
            return np.asarray(np.array(words)[at_name])
        return by_codes(at_name, texts, where, lambda at: self._node(part, at))

    def _node(self, part: NodeGroup, at: int) -> int:
        """Return the ``node_id`` of a node of a group."""
        row = at if part.nodes is None else int(part.nodes[at])
        return row if self.ids is None else int(self.ids[row])

    def _of_types(self, group: Any, name: str, pieces: list[Piece]) -> list[Piece]:
        """Return values of the node types table, for nodes without one in their group."""
        left = np.ones(self.size, dtype=bool)
        for piece in pieces:
            there = piece.present().nodes
            left[slice(None) if there is None else there] = False
        if not left.any():
            return []
        if self._type_rows is None:
            self._type_rows = self.types.rows_of(self._type_ids(group))
            self._note_untyped(group)
        found = self.types.piece(name, self._type_rows, np.flatnonzero(left))
        return [] if found is None else [found]

    def _note_untyped(self, group: Any) -> None:
        """Note how many nodes have a type that the table lacks."""
        untyped = np.flatnonzero(np.asarray(self._type_rows) < 0)
        if untyped.size:
            first = int(self._type_ids(group)[untyped[0]])
            self._untyped = (
                f"{self.config.node_types_file}: lacks the node_type_id of {untyped.size:,} nodes"
                f" of population {self.config.name!r}, such as {first}; they have no value of its"
                " properties",
            )

    def _type_ids(self, group: Any) -> npt.NDArray[np.int64]:
        where = f"{self._where}: 'node_type_id'"
        with h5_errors(where):
            return np.asarray(
                row_of_numbers(child(group, "node_type_id"), where, "iu")[:], np.int64
            )


def _properties(name: str, item: Any) -> tuple[str, ...]:
    """Return the names of the properties in a dataset of a group."""
    import h5py

    if not hasattr(item, "dtype") or item.shape is None:
        return ()
    if item.ndim == 2 and name == "positions" and item.shape[1] in (2, 3):
        return _AXES[: item.shape[1]] if item.dtype.kind in "iuf" else ()
    text = item.dtype.kind in "SU" or h5py.check_string_dtype(item.dtype) is not None
    return (name,) if item.ndim == 1 and (text or item.dtype.kind in "iufb") else ()


def _is_boolean(named: dict[int, str]) -> bool:
    """Whether an enumeration has the names false and true, in any capitalisation."""
    return {name.lower() for name in named.values()} == set(WORDS)


def _native(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(values.dtype.newbyteorder("="), copy=False)
