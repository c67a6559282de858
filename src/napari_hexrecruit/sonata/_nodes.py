"""The nodes file of a population: its size, its ids and its properties.

Layout: SONATA Developer Guide, "Representing nodes". libsonata's wheel reads neither compressed
files nor several groups, and takes the row for the ``node_id``: so they are read with h5py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._h5 import (
    check_bytes,
    check_memory,
    child,
    child_names,
    h5_errors,
    open_h5,
    row_of_numbers,
)
from napari_hexrecruit.sonata._node_types import NodeTypes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_hexrecruit.filters import Column
    from napari_hexrecruit.sonata._config import PopulationConfig

__all__ = ["Nodes", "populations_in"]

_MOST_NEURONS = np.iinfo(np.int32).max - 1
_MOST_TEXTS = 1 << 20
"""Texts that a library may list; those of circuits have some hundred, or one a morphology."""
_AXES = ("x", "y", "z")
_LIBRARY = "@library"
_BLOCK = 1 << 18
"""Texts held as Python objects at a time."""


def populations_in(file: Path, config: Path) -> list[str]:
    """Names of the populations in a nodes file."""
    with open_h5(file, "the nodes file", f"correct the path in {config}") as h5:
        nodes = child(h5, "nodes")
        if nodes is None or not hasattr(nodes, "keys"):
            raise SimulationDataError(f"{file}: there is no group '/nodes': no SONATA nodes file")
        return [name for name in child_names(nodes) if hasattr(child(nodes, name), "keys")]


class Nodes:
    """A population in its nodes file; the file is open only while something is read.

    Attributes
    ----------
    size
        Number of nodes.
    columns
        Names of the properties, sorted.
    ids
        (size,) ``node_id`` of each row; None where they are 0 to size-1.
    types
        The table of node types, which gives further properties.
    """

    def __init__(self, config: PopulationConfig, circuit: Path) -> None:
        self.config = config
        self._circuit = circuit
        self._where = f"{config.nodes_file}: population {config.name!r}"
        with self._open() as group:
            self.size = self._read_size(group)
            self.ids = self._read_ids(group)
            self._groups = [child(group, name).name for name in _group_names(group)]
            self._sources = self._find_sources(group)
            self.types = NodeTypes.read(config.node_types_file)
            self._has_types = bool(self.types.columns) and child(group, "node_type_id") is not None
        own = self.types.columns if self._has_types else ()
        self.columns = tuple(sorted({*self._sources, *own}))

    def values(self, name: str) -> tuple[str, ...] | None:
        """Texts that a column may take, from its library; None for other columns."""
        with self._open() as group:
            if name not in self._sources:
                return None
            texts: set[str] = set()
            for part in self._parts(group):
                library = _library(part, name, self._where)
                if library is None:
                    return None
                texts.update(library)
            return tuple(sorted(texts))

    def column(self, name: str) -> Column:
        """(size,) values of a property; text as `pandas.Categorical`.

        Nodes of a group that lacks the property have NaN, or no category.
        """
        with self._open() as group:
            if name not in self._sources:
                return self.types.column(name, self._type_ids(group))
            parts = [(part, self._read(part, name)) for part in self._parts(group)]
            if len(parts) == 1 and parts[0][1] is not None:
                return self._checked(parts[0][1], name)
            return self._merged(group, parts, name)

    def rows_of(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Row of each ``node_id``; -1 for ids that the population lacks."""
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
        return _opened(self.config, self._circuit, self._where)

    def _read_size(self, group: Any) -> int:
        found = child(group, "node_type_id")
        if found is None:
            for name in _group_names(group):
                part = child(group, name)
                for column in child_names(part):
                    item = child(part, column)
                    if hasattr(item, "shape") and item.shape:
                        return self._sane(int(item.shape[0]))
            found = child(group, "node_id")
        if found is None:
            raise SimulationDataError(
                f"{self._where}: has neither 'node_type_id' nor a property: no SONATA population"
            )
        return self._sane(
            int(row_of_numbers(found, f"{self._where}: '{found.name.rpartition('/')[2]}'").shape[0])
        )

    def _sane(self, size: int) -> int:
        if size > _MOST_NEURONS:
            raise SimulationDataError(f"{self._where}: claims {size:,} nodes, too many")
        return size

    def _read_ids(self, group: Any) -> npt.NDArray[np.int64] | None:
        found = child(group, "node_id")
        if found is None:
            return None
        where = f"{self._where}: 'node_id'"
        with h5_errors(where):
            ids: npt.NDArray[np.int64] = row_of_numbers(found, where, "iu")[:].astype(np.int64)
        if len(ids) != self.size:
            raise SimulationDataError(f"{where}: {len(ids):,} ids stand beside {self.size:,} nodes")
        if np.array_equal(ids, np.arange(self.size)):
            return None
        if len(np.unique(ids)) != len(ids):
            raise SimulationDataError(f"{where}: an id stands there twice: correct the nodes file")
        return ids

    def _find_sources(self, group: Any) -> dict[str, str]:
        """Name of each property, and of the dataset that gives it."""
        found: dict[str, str] = {}
        for part in self._parts(group):
            for name in child_names(part):
                item = child(part, name)
                if not hasattr(item, "dtype") or item.shape is None:
                    continue
                if item.ndim == 1 and item.dtype.kind in "iufbOSU":
                    found[name] = name
                elif name == "positions" and item.ndim == 2 and item.shape[1] in (2, 3):
                    for axis in _AXES[: item.shape[1]]:
                        found.setdefault(axis, name)
        return found

    def _parts(self, group: Any) -> list[Any]:
        return [child(group, name) for name in _group_names(group)]

    def _read(self, part: Any, name: str) -> Column | None:
        """One group's values of a property; None where it lacks it."""
        source = self._sources[name]
        item = child(part, source if child(part, name) is None else name)
        if item is None:
            return None
        where = f"{self._where}: property {name!r}"
        with h5_errors(where):
            check_bytes(item, where)
            check_memory(int(item.nbytes), where)
            if item.ndim == 2:
                return _native(item[:, _AXES.index(name)])
            library = _library(part, name, self._where)
            if library is not None and item.dtype.kind in "iu":
                return _categorical(item[:], library, where)
            if item.dtype.kind in "OSU":
                return _text_column(item)
            return _native(item[:])

    def _checked(self, values: Column, name: str) -> Column:
        if len(values) != self.size:
            raise SimulationDataError(
                f"{self._where}: property {name!r} has {len(values):,} values for"
                f" {self.size:,} nodes: correct the nodes file"
            )
        return values

    def _merged(self, group: Any, parts: list[tuple[Any, Column | None]], name: str) -> Column:
        import pandas as pd

        ids, index = (self._row(group, n) for n in ("node_group_id", "node_group_index"))
        merged = pd.Series(np.nan, index=range(self.size), dtype=object)
        kinds = set()
        for part, values in parts:
            here = ids == int(part.name.rpartition("/")[2])
            if values is None or not here.any():
                continue
            if index[here].min() < 0 or index[here].max() >= len(values):
                raise SimulationDataError(
                    f"{self._where}: 'node_group_index' leaves property {name!r} of group"
                    f" {part.name.rpartition('/')[2]}: correct the nodes file"
                )
            kinds.add("text" if isinstance(values, pd.Categorical) else "number")
            merged[here] = np.asarray(values)[index[here]]
        if kinds == {"number"}:
            numbers = merged.to_numpy(dtype=np.float64)
            whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
            return numbers.astype(np.int64) if whole else numbers
        return pd.Categorical([None if value != value else str(value) for value in merged])

    def _row(self, group: Any, name: str) -> npt.NDArray[np.int64]:
        where = f"{self._where}: '{name}'"
        found = child(group, name)
        if found is None:
            raise SimulationDataError(
                f"{where}: is missing, but the nodes are in several groups: correct the nodes file"
            )
        with h5_errors(where):
            row = row_of_numbers(found, where, "iu")[:].astype(np.int64)
        return np.asarray(self._checked(row, name))

    def _type_ids(self, group: Any) -> npt.NDArray[np.int64]:
        where = f"{self._where}: 'node_type_id'"
        with h5_errors(where):
            return np.asarray(
                row_of_numbers(child(group, "node_type_id"), where, "iu")[:], np.int64
            )


def _opened(config: PopulationConfig, circuit: Path, where: str) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[Any]:
        remedy = f"correct the path in {circuit}"
        what = f"the nodes file of population {config.name!r}"
        with open_h5(config.nodes_file, what, remedy) as file, h5_errors(where):
            nodes = child(file, "nodes")
            group = child(nodes, config.name) if hasattr(nodes, "keys") else None
            if not hasattr(group, "keys"):
                listed = child_names(nodes) if hasattr(nodes, "keys") else []
                raise SimulationDataError(
                    f"{config.nodes_file}: there is no population {config.name!r}, which {circuit}"
                    f" names; there are: {', '.join(listed) or 'none'}"
                )
            yield group

    return opened()


def _group_names(group: Any) -> list[str]:
    names = [name for name in child_names(group) if name.isdigit() and name.isascii()]
    return [name for name in names if hasattr(child(group, name), "keys")]


def _library(part: Any, name: str, where: str) -> list[str] | None:
    libraries = child(part, _LIBRARY)
    found = child(libraries, name) if hasattr(libraries, "keys") else None
    if found is None or not hasattr(found, "dtype"):
        return None
    where = f"{where}: @library of {name!r}"
    with h5_errors(where):
        if found.ndim != 1 or found.dtype.kind not in "OSU":
            raise SimulationDataError(f"{where}: is not a list of texts: correct the nodes file")
        check_bytes(found, where)
        if found.shape[0] > _MOST_TEXTS:
            raise SimulationDataError(
                f"{where}: claims {found.shape[0]:,} texts, too many: correct the nodes file"
            )
        return [_decoded(value) for value in found[:]]


def _categorical(codes: npt.NDArray[Any], values: list[str], where: str) -> Column:
    """Text from library codes; a value that the library lists twice becomes one category."""
    import pandas as pd

    if codes.size and (int(codes.min()) < 0 or int(codes.max()) >= len(values)):
        raise SimulationDataError(
            f"{where}: its codes reach {codes.max()}, its library has {len(values)} values:"
            " correct the nodes file"
        )
    categories, merged = np.unique(np.asarray(values, dtype=object), return_inverse=True)
    merged = merged.astype(np.min_scalar_type(-max(len(categories), 1)))
    return pd.Categorical.from_codes(merged[codes], categories=pd.Index(categories))


def _text_column(item: Any) -> Column:
    """A dataset of texts as codes, a block of Python objects at a time."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    blocks = [
        pd.Categorical([_decoded(value) for value in item[at : at + _BLOCK]])
        for at in range(0, max(item.shape[0], 1), _BLOCK)
    ]
    joined: Any = union_categoricals(blocks, sort_categories=True)
    return joined  # type: ignore[no-any-return]


def _decoded(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _native(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(values.dtype.newbyteorder("="), copy=False)
