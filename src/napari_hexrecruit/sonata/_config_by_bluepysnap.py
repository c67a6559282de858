"""Configurations read by bluepysnap."""

from __future__ import annotations

from pathlib import Path

from napari_hexrecruit.sonata._config_parts import (
    atlas_of,
    dt_ms_of,
    node_entries,
    node_sets_file_of,
    runs_of,
    section,
    text_of,
    types_file,
    unsaid,
)
from napari_hexrecruit.sonata._config_values import (
    CircuitConfig,
    Given,
    Json,
    PopulationConfig,
    SimulationConfig,
    Stimulus,
)


def refusals() -> tuple[type[Exception], ...]:
    from bluepysnap.exceptions import BluepySnapError
    from libsonata import SonataError

    raised = (RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError)
    return (BluepySnapError, SonataError, AssertionError, RecursionError, *raised)


def simulation_by_bluepysnap(path: Path, content: Json, given: Given) -> SimulationConfig:
    import bluepysnap

    runs = runs_of(path, content, given)
    if given.circuit is None:
        text_of(path, content, "network")
    snap = bluepysnap.Simulation(path)
    found = snap.to_libsonata
    stimuli = [
        Stimulus(name, float(item.delay), float(item.delay + item.duration), item.node_set or None)
        for name, item in snap.inputs.items()
    ]
    return SimulationConfig(
        path=path,
        circuit=given.circuit or Path(found.network),
        names_circuit=bool(content.get("network")),
        runs=runs,
        node_set=found.node_set or None,
        node_sets_file=node_sets_file_of(path, content),
        own_node_sets=section(path, content, "node_sets"),
        stimuli=tuple(stimuli),
        content=content,
        assumed=unsaid(path, content, given),
        dt_ms=dt_ms_of(content["run"]),
    )


def circuit_by_bluepysnap(path: Path, content: Json) -> CircuitConfig:
    import bluepysnap

    circuit = bluepysnap.Circuit(path)
    entries = node_entries(path, content)
    types = {
        name: types_file(path, entry) for entry in entries for name in entry.get("populations", {})
    }
    populations = []
    for name in sorted(circuit.nodes.population_names):
        config = circuit.get_node_population_config(name)
        file = Path(path.parent, config["nodes_file"])
        kind = str(circuit.nodes[name].type)
        populations.append(PopulationConfig(name, kind, file, types.get(name)))
    return CircuitConfig(
        path, tuple(populations), (), node_sets_file_of(path, content), atlas_of(path, content)
    )
