"""What a simulation's and a circuit's configuration say, as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._errors import one_line
from napari_hexrecruit.sonata._manifest import read_json, resolve_manifest, unresolved

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CircuitConfig",
    "PopulationConfig",
    "SimulationConfig",
    "Stimulus",
    "read_circuit",
    "read_simulation",
]

CIRCUIT = "circuit_config.json"
"""Name of the circuit's configuration where a simulation names none."""
Json = dict[str, Any]


@dataclass(frozen=True)
class Stimulus:
    """One entry of the simulation's ``inputs``: when it is on, ms, and whom it reaches."""

    name: str
    start_ms: float
    stop_ms: float
    node_set: str | None


@dataclass(frozen=True)
class SimulationConfig:
    """A simulation's configuration.

    Attributes
    ----------
    path
        The file.
    circuit
        Configuration of the circuit.
    duration_ms
        End of the simulation, ms.
    node_set
        Name of the simulation's node set; None for all neurons.
    node_sets_file
        File of the sets that the simulation adds to those of the circuit; None where it has none.
    own_node_sets
        Sets that stand in the configuration itself.
    spikes_file
        Where the spikes are said to be.
    stimuli
        The entries of ``inputs`` that have a time.
    content
        The whole content, paths and variables resolved.
    assumed
        What is not said and was taken for granted, one sentence each.
    dt_ms
        Step of the simulation (``run.dt``), ms; None where no positive number stands there.
    """

    path: Path
    circuit: Path
    duration_ms: float
    node_set: str | None
    node_sets_file: Path | None
    own_node_sets: Json
    spikes_file: Path
    stimuli: tuple[Stimulus, ...]
    content: Json
    assumed: tuple[str, ...] = ()
    dt_ms: float | None = None


@dataclass(frozen=True)
class PopulationConfig:
    """A population of nodes: its name, its SONATA type (empty: not said) and its files."""

    name: str
    type: str
    nodes_file: Path
    node_types_file: Path | None = None


@dataclass(frozen=True)
class CircuitConfig:
    """A circuit's configuration; ``unlisted`` are nodes files whose populations it does not name.

    A file of `unlisted` stands with its table of node types.
    """

    path: Path
    populations: tuple[PopulationConfig, ...]
    unlisted: tuple[tuple[Path, Path | None], ...]
    node_sets_file: Path | None
    atlas: Path | None
    assumed: tuple[str, ...] = ()


def read_simulation(path: Path) -> SimulationConfig:
    """A simulation's configuration: by bluepysnap where it can, else as JSON.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or has no end of the simulation.
    """
    content = read_json(path, "a SONATA simulation configuration")
    if "run" not in content and "simulation" in content:
        return _read_pointed(path, content)
    raw, content = content, resolve_manifest(path, content)
    run = content.get("run")
    if not isinstance(run, dict):
        raise SimulationDataError(
            f"{path}: there is no section 'run': no SONATA simulation configuration"
        )
    if content != raw:  # libsonata leaves ${configdir} in the paths of a simulation as it is
        return _simulation_by_json(path, content)
    try:
        return _simulation_by_bluepysnap(path, content)
    except _refusals() as error:
        said = f"{path}: bluepysnap cannot open it ({one_line(error)}); read as JSON"
        return _simulation_by_json(path, content, (said,))


def read_circuit(path: Path) -> CircuitConfig:
    """A circuit's configuration: by bluepysnap where it can, else as JSON.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or names no nodes.
    """
    content = resolve_manifest(path, read_json(path, "a SONATA circuit configuration"))
    entries = _node_entries(path, content)
    if not all(entry.get("populations") for entry in entries):
        said = f"{path}: it does not name the populations; those in the nodes files are taken"
        return _circuit_by_json(path, content, said)
    try:
        return _circuit_by_bluepysnap(path, content)
    except _refusals() as error:
        said = f"{path}: bluepysnap cannot open it ({one_line(error)}); read as JSON"
        return _circuit_by_json(path, content, said)


def _refusals() -> tuple[type[Exception], ...]:
    from bluepysnap.exceptions import BluepySnapError
    from libsonata import SonataError

    raised = (RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError)
    return (BluepySnapError, SonataError, AssertionError, RecursionError, *raised)


def _simulation_by_bluepysnap(path: Path, content: Json) -> SimulationConfig:
    import bluepysnap

    output = _section(path, content, "output")
    for section, name in ((output, "output_dir"), (output, "spikes_file"), (content, "network")):
        _text(path, section, name)
    snap = bluepysnap.Simulation(path)
    found = snap.to_libsonata
    stimuli = [
        Stimulus(name, float(item.delay), float(item.delay + item.duration), item.node_set or None)
        for name, item in snap.inputs.items()
    ]
    return SimulationConfig(
        path=path,
        circuit=Path(found.network),
        duration_ms=float(snap.run.tstop),
        node_set=found.node_set or None,
        node_sets_file=_own_node_sets_file(path, content),
        own_node_sets=_section(path, content, "node_sets"),
        spikes_file=Path(path.parent, snap.output.output_dir, snap.output.spikes_file),
        stimuli=tuple(stimuli),
        content=content,
        assumed=_unsaid(path, content),
        dt_ms=_dt_ms(content["run"]),
    )


def _simulation_by_json(path: Path, content: Json, said: tuple[str, ...] = ()) -> SimulationConfig:
    node_set, own_sets = _inline_node_set(content.get("node_set"))
    output = _section(path, content, "output")
    folder = _text(path, output, "output_dir") or "output"
    name = _text(path, output, "spikes_file") or "out.h5"
    network = _text(path, content, "network") or (path.name if "networks" in content else CIRCUIT)
    return SimulationConfig(
        path=path,
        circuit=Path(path.parent, network),
        duration_ms=_duration_ms(path, content["run"]),
        node_set=node_set,
        node_sets_file=_own_node_sets_file(path, content),
        own_node_sets=_section(path, content, "node_sets") | own_sets,
        spikes_file=Path(path.parent, folder, name),
        stimuli=tuple(_stimuli(_section(path, content, "inputs"))),
        content=content,
        assumed=(*said, *_unsaid(path, content)),
        dt_ms=_dt_ms(content["run"]),
    )


def _read_pointed(path: Path, content: Json) -> SimulationConfig:
    """An old ``config.json`` that only points to the simulation's and the circuit's files."""
    from dataclasses import replace

    resolved = resolve_manifest(path, content)
    simulation = Path(path.parent, _text(path, resolved, "simulation") or "")
    if simulation.resolve() == path.resolve():
        raise SimulationDataError(f"{path}: 'simulation' names the file itself: correct the path")
    inner = read_json(simulation, "the simulation configuration that 'simulation' names")
    if "run" not in inner:
        raise SimulationDataError(
            f"{simulation}: there is no section 'run': no SONATA simulation configuration"
        )
    found = read_simulation(simulation)
    network = _text(path, resolved, "network")
    if network and not inner.get("network"):
        found = replace(found, circuit=Path(path.parent, network))
    return replace(found, path=path)


def _circuit_by_bluepysnap(path: Path, content: Json) -> CircuitConfig:
    import bluepysnap

    circuit = bluepysnap.Circuit(path)
    entries = _node_entries(path, content)
    types = {
        name: _types_file(path, entry) for entry in entries for name in entry.get("populations", {})
    }
    populations = []
    for name in sorted(circuit.nodes.population_names):
        config = circuit.get_node_population_config(name)
        file = Path(path.parent, config["nodes_file"])
        kind = str(circuit.nodes[name].type)
        populations.append(PopulationConfig(name, kind, file, types.get(name)))
    return CircuitConfig(
        path, tuple(populations), (), _node_sets_file(path, content), _atlas(path, content)
    )


def _circuit_by_json(path: Path, content: Json, said: str) -> CircuitConfig:
    populations: dict[str, PopulationConfig] = {}
    unlisted = []
    for entry in _node_entries(path, content):
        nodes_file = _text(path, entry, "nodes_file")
        if not nodes_file:
            raise SimulationDataError(f"{path}: an entry of networks.nodes has no 'nodes_file'")
        file, types = Path(path.parent, nodes_file), _types_file(path, entry)
        named = entry.get("populations")
        if not isinstance(named, dict) or not named:
            unlisted.append((file, types))
            continue
        for name, config in named.items():
            kind = config.get("type") if isinstance(config, dict) else None
            kind = kind if isinstance(kind, str) else "biophysical"
            populations[name] = PopulationConfig(name, kind, file, types)
    return CircuitConfig(
        path,
        tuple(populations[name] for name in sorted(populations)),
        tuple(unlisted),
        _node_sets_file(path, content),
        _atlas(path, content),
        (said,),
    )


def _node_entries(path: Path, content: Json) -> list[Json]:
    networks = content.get("networks")
    entries = networks.get("nodes") if isinstance(networks, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SimulationDataError(
            f"{path}: there is no list 'networks.nodes': no SONATA circuit configuration"
        )
    return entries


def _section(path: Path, content: Json, name: str) -> Json:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise SimulationDataError(f"{path}: '{name}' is {_shown(section)}, not a section {{...}}")
    return section


def _text(path: Path, content: Json, name: str) -> str | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value:
        raise SimulationDataError(f"{path}: '{name}' is {_shown(value)}, not a text")
    variable = unresolved(value)
    if variable:
        raise SimulationDataError(
            f"{path}: '{name}' is {_shown(value)}, and the manifest does not define {variable}:"
            " add it there"
        )
    return value


def _types_file(path: Path, entry: Json) -> Path | None:
    named = entry.get("node_types_file")
    if not isinstance(named, str) or named in ("", "NULL"):
        return None
    return Path(path.parent, named)


def _own_node_sets_file(path: Path, content: Json) -> Path | None:
    """The simulation's own file of node sets; None where it has none."""
    named = _text(path, content, "node_sets_file")
    return Path(path.parent, named) if named else None


_node_sets_file: Callable[[Path, Json], Path | None] = _own_node_sets_file


def _atlas(path: Path, content: Json) -> Path | None:
    """``components.provenance.atlas_dir`` of a circuit."""
    here: Any = content
    for name in ("components", "provenance", "atlas_dir"):
        here = here.get(name) if isinstance(here, dict) else None
    return Path(path.parent, here) if isinstance(here, str) and here else None


def _duration_ms(path: Path, run: Json) -> float:
    for name in ("tstop", "duration"):
        value = run.get(name)
        if value is None:
            continue
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not 0 < value < 1e12:
            raise SimulationDataError(
                f"{path}: run.{name} is {_shown(value)}, not a time in ms after 0: correct it"
            )
        return float(value)
    raise SimulationDataError(
        f"{path}: run.tstop, the end of the simulation in ms, is missing: add it"
    )


def _dt_ms(run: Json) -> float | None:
    """Step of the simulation, which only says how finely times were computed: it may be missing."""
    value = run.get("dt")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < 1e12 else None


def _inline_node_set(node_set: Any) -> tuple[str | None, Json]:
    """Name of the node set; one that is defined on the spot gets its own text as name."""
    if node_set is None or node_set == "":
        return None, {}
    if isinstance(node_set, str):
        return node_set, {}
    name = json.dumps(node_set)
    return name, {name: node_set}


def _stimuli(inputs: Json) -> list[Stimulus]:
    """The inputs that say when they are on."""
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


def _unsaid(path: Path, content: Json) -> tuple[str, ...]:
    """What the configuration leaves to the standard's defaults."""
    output = content.get("output") if isinstance(content.get("output"), dict) else {}
    run = content["run"]
    said = []
    if not content.get("network") and "networks" not in content:
        said.append(f"{path}: it names no 'network'; {CIRCUIT} beside it is assumed")
    if not (output or {}).get("spikes_file"):
        folder = (output or {}).get("output_dir", "output")
        said.append(f"{path}: it names no spikes file; out.h5 in {folder} is assumed")
    if run.get("tstop") is None:
        said.append(f"{path}: run.tstop is missing; run.duration is taken for it")
    if run.get("tstart"):
        said.append(f"{path}: run.tstart is {run['tstart']}; times still count from 0 ms")
    return tuple(said)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
