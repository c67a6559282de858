"""Configurations read as JSON: those that bluepysnap refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._config_parts import (
    atlas_of,
    dt_ms_of,
    node_entries,
    node_sets_file_of,
    paths_of_circuit,
    runs_of,
    section,
    slashes,
    text_of,
    types_file,
    unsaid,
)
from napari_hexrecruit.sonata._config_values import (
    CIRCUIT,
    CircuitConfig,
    Given,
    Json,
    PopulationConfig,
    SimulationConfig,
    Stimulus,
)
from napari_hexrecruit.storage.paths import local_path

if TYPE_CHECKING:
    from pathlib import Path


def simulation_by_json(
    path: Path, content: Json, given: Given, said: tuple[str, ...] = ()
) -> SimulationConfig:
    node_set, own_sets = _inline_node_set(content.get("node_set"))
    network = path.name if "networks" in content else CIRCUIT
    if given.circuit is None:
        network = text_of(path, content, "network") or network
    return SimulationConfig(
        path=path,
        circuit=given.circuit or local_path(path.parent, network),
        names_circuit=bool(content.get("network")) or "networks" in content,
        runs=runs_of(path, content, given),
        node_set=node_set,
        node_sets_file=node_sets_file_of(path, content),
        own_node_sets=section(path, content, "node_sets") | own_sets,
        stimuli=tuple(_stimuli(section(path, content, "inputs"))),
        content=content,
        assumed=(*said, *unsaid(path, content, given)),
        dt_ms=dt_ms_of(content["run"]),
    )


def circuit_by_json(path: Path, content: Json, *said: str) -> CircuitConfig:
    populations: dict[str, PopulationConfig] = {}
    unlisted = []
    for entry in node_entries(path, content):
        nodes_file = text_of(path, entry, "nodes_file")
        if not nodes_file:
            raise SimulationDataError(
                path, "an entry of networks.nodes has no 'nodes_file'", "add it"
            )
        file, types = local_path(path.parent, nodes_file), types_file(path, entry)
        named = entry.get("populations")
        if not isinstance(named, dict) or not named:
            unlisted.append((file, types))
            continue
        for name, config in named.items():
            kind = config.get("type") if isinstance(config, dict) else None
            kind = kind if isinstance(kind, str) else "biophysical"
            found = populations.setdefault(name, PopulationConfig(name, kind, file, types))
            populations[name] = found.found_in(file)
    return CircuitConfig(
        path,
        tuple(populations[name] for name in sorted(populations)),
        tuple(unlisted),
        node_sets_file_of(path, content),
        atlas_of(path, content),
        (*said, *slashes(path, paths_of_circuit(content, node_entries(path, content)))),
    )


def _inline_node_set(node_set: Any) -> tuple[str | None, Json]:
    """Return name and rules of the node set; a set defined inline has its text as name."""
    if node_set is None or node_set == "":
        return None, {}
    if isinstance(node_set, str):
        return node_set, {}
    name = json.dumps(node_set)
    return name, {name: node_set}


def _stimuli(inputs: Json) -> list[Stimulus]:
    """Return the inputs that have a time."""
    found = []
    for name, item in inputs.items():
        delay, duration = (_number(item, key) for key in ("delay", "duration"))
        if delay is not None and duration is not None:
            reached, _ = _inline_node_set(item.get("node_set"))
            found.append(Stimulus(str(name), delay, delay + duration, reached))
    return found


def _number(item: Any, key: str) -> float | None:
    value = item.get(key) if isinstance(item, dict) else None
    return float(value) if isinstance(value, (int, float)) else None
