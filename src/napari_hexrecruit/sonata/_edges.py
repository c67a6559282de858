"""Edges of a circuit: the connections between neurons, in SONATA's HDF5 files.

Layout: SONATA Developer Guide, "Representing edges".
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, SimulationDataError
from napari_hexrecruit.storage.hdf5 import (
    attribute_text,
    child,
    child_names,
    h5_errors,
    open_h5,
    row_of_numbers,
)
from napari_hexrecruit.storage.paths import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

EDGES = Parameter("edges", hint="NAME")
_BLOCK = 1 << 21
"""Edges to read at a time."""
_MOST_RANGES = 200_000
"""Ranges of an index above which reading all edges is faster."""
_MOST_INDEXED = 1 << 26
"""Most edges to hold in memory when they are found through an index."""

Ids = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class EdgesConfig:
    """An edge population as the circuit names it.

    Attributes
    ----------
    name
        Name of the population; empty for all populations of the file.
    path
        The file.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Edges:
    """An edge population in its open file.

    Attributes
    ----------
    where
        File and group, the start of messages.
    source_population, target_population
        Node populations of the two ends.
    sources, targets
        (n_edges,) datasets of node ids.
    group
        The group itself, which can contain indices.
    """

    where: str
    source_population: str
    target_population: str
    sources: Any
    targets: Any
    group: Any

    def __len__(self) -> int:
        return int(self.sources.shape[0])

    def blocks(self) -> Iterator[tuple[Ids, Ids]]:
        """Yield the ids of sources and targets of all edges, block by block."""
        for first in range(0, len(self), _BLOCK):
            with h5_errors(self.where):
                part = np.s_[first : first + _BLOCK]
                yield self.sources[part], self.targets[part]

    def of_sources(self, ids: Ids) -> Iterator[tuple[Ids, Ids]] | None:
        """Return the blocks of edges from some neurons, found through the file's index.

        None if the file has no usable index, or reading all edges is faster.
        """
        index = child(self.group, "indices")
        index = None if index is None else child(index, "source_to_target")
        if not hasattr(index, "keys"):
            return None
        ranges = _ranges(index, ids, len(self), f"{self.where}/indices/source_to_target")
        if ranges is None or int((ranges[:, 1] - ranges[:, 0]).sum()) > _MOST_INDEXED:
            return None
        return self._of_ranges(ranges)

    def _of_ranges(self, ranges: npt.NDArray[np.int64]) -> Iterator[tuple[Ids, Ids]]:
        for first, last in ranges.tolist():
            with h5_errors(self.where):
                yield self.sources[first:last], self.targets[first:last]


class NoEdgesError(SimulationDataError):
    """No edges connect one population to the other."""


def edges_configs(path: Path, content: Mapping[str, Any]) -> tuple[EdgesConfig, ...]:
    """Return the edges that a circuit's configuration names, without unreadable entries."""
    networks = content.get("networks")
    entries = networks.get("edges") if isinstance(networks, dict) else None
    found = []
    for entry in entries if isinstance(entries, list) else ():
        file = entry.get("edges_file") if isinstance(entry, dict) else None
        if not isinstance(file, str) or not file:
            continue
        populations = entry.get("populations")
        names = list(populations) if isinstance(populations, dict) and populations else [""]
        found += [EdgesConfig(str(name), local_path(path.parent, file)) for name in names]
    return tuple(found)


@contextmanager
def opened_edges(
    configs: Sequence[EdgesConfig], source: str, target: str, circuit: Path
) -> Iterator[Edges]:
    """Open the edges from one population to another.

    Parameters
    ----------
    configs
        Edge populations to search.
    source, target
        Names of the node populations.
    circuit
        Configuration that names the edges, for errors.

    Raises
    ------
    NoEdgesError
        If no file has edges between these populations.
    SimulationDataError
        If several edge populations match, or a file cannot be read.
    """
    found: list[tuple[EdgesConfig, str]] = []
    others: list[str] = []
    for config in configs:
        with open_h5(config.path, "the edges file", ("name another one with ", EDGES)) as file:
            for name in _names_in(file, config):
                ends = _ends(_group(file, name, config), f"{config.path}: /edges/{name}")
                if ends == (source, target):
                    found.append((config, name))
                others.append(f"{name} ({ends[0]} to {ends[1]})")
    if len(found) != 1:
        listed = ", ".join(name for _, name in found) if found else ", ".join(others) or "none"
        what = "several populations of edges are" if found else "no edges are"
        raise (SimulationDataError if found else NoEdgesError)(
            circuit if len({config.path for config in configs}) != 1 else configs[0].path,
            f"{what} from {source!r} to {target!r}; there are: {listed}",
            ("name one, or a file, with ", EDGES),
        )
    ((config, name),) = found
    with open_h5(config.path, "the edges file", "") as file:
        group, where = _group(file, name, config), f"{config.path}: /edges/{name}"
        sources, targets = (
            row_of_numbers(child(group, end), f"{where}/{end}", "iu")
            for end in ("source_node_id", "target_node_id")
        )
        if sources.shape != targets.shape:
            raise SimulationDataError(
                where,
                f"has {sources.shape[0]:,} sources for {targets.shape[0]:,} targets",
                "is the file complete?",
            )
        yield Edges(where, source, target, sources, targets, group)


def _names_in(file: Any, config: EdgesConfig) -> list[str]:
    edges = child(file, "edges")
    if not hasattr(edges, "keys"):
        raise SimulationDataError(
            config.path, "has no group 'edges'", ("name another file with ", EDGES)
        )
    return [config.name] if config.name else child_names(edges)


def _group(file: Any, name: str, config: EdgesConfig) -> Any:
    group = child(child(file, "edges"), name)
    if not hasattr(group, "keys") or any(
        child(group, end) is None for end in ("source_node_id", "target_node_id")
    ):
        raise SimulationDataError(
            f"{config.path}: /edges/{name}",
            "has no source_node_id and target_node_id",
            ("name other edges with ", EDGES),
        )
    return group


def _ends(group: Any, where: str) -> tuple[str, str]:
    """Return the populations of the two ends."""
    named = [
        attribute_text(child(group, end), "node_population")
        for end in ("source_node_id", "target_node_id")
    ]
    if None in named:
        raise SimulationDataError(
            where,
            "does not say whose ids it holds: an attribute 'node_population' is missing",
            "write the edges again",
        )
    return str(named[0]), str(named[1])


def _ranges(index: Any, ids: Ids, n_edges: int, where: str) -> npt.NDArray[np.int64] | None:
    """Return (n, 2) first and end of the edges of some neurons; None for too many ranges."""
    of_nodes, of_edges = child(index, "node_id_to_ranges"), child(index, "range_to_edge_id")
    if any(getattr(one, "shape", ())[1:] != (2,) for one in (of_nodes, of_edges)):
        return None
    with h5_errors(where):
        table = np.asarray(of_nodes[()], dtype=np.int64)
        inside = np.asarray(ids)[np.asarray(ids) < len(table)].astype(np.int64)
        rows = table[inside]
        if int((rows[:, 1] - rows[:, 0]).sum()) > _MOST_RANGES:
            return None
        parts = [np.asarray(of_edges[a:b], np.int64) for a, b in rows.tolist() if b > a]
    ranges = np.concatenate(parts) if parts else np.zeros((0, 2), np.int64)
    if (ranges < 0).any() or (ranges > n_edges).any():
        raise SimulationDataError(
            where, f"points beyond the {n_edges:,} edges of the file", "write it again"
        )
    return ranges
