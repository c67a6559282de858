"""What a simulation's and a circuit's configuration say, as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.sonata._manifest import read_json, resolve_manifest, unresolved
from napari_hexrecruit.sonata._runs import Run, read_runs, shown
from napari_hexrecruit.storage.kinds import instead_of
from napari_hexrecruit.storage.paths import is_of_windows, local_path

if TYPE_CHECKING:
    from collections.abc import Iterable

CIRCUIT, SPIKES = "circuit_config.json", "out.h5"
"""Names of the circuit's configuration and the spikes file where a simulation names none."""
Json = dict[str, Any]


@dataclass(frozen=True)
class Stimulus:
    """One entry of the simulation's ``inputs``: when it is on, ms, and whom it reaches."""

    name: str
    start_ms: float
    stop_ms: float
    node_set: str | None


@dataclass(frozen=True)
class Given:
    """Files that are read in place of those that a simulation's configuration names."""

    spikes: Path | None = None
    circuit: Path | None = None


@dataclass(frozen=True)
class SimulationConfig:
    """A simulation's configuration.

    Attributes
    ----------
    path
        The file.
    circuit
        Configuration of the circuit: the one that is given, else the one that is named.
    names_circuit
        Whether it names one.
    runs
        At least one; the spikes file of each is the one that is named.
    node_set
        Name of the simulation's node set; None for all neurons.
    node_sets_file
        File of the sets that the simulation adds to those of the circuit; None where it has none.
    own_node_sets
        Sets that stand in the configuration itself.
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
    names_circuit: bool
    runs: tuple[Run, ...]
    node_set: str | None
    node_sets_file: Path | None
    own_node_sets: Json
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


def read_simulation(path: Path, given: Given | None = None) -> SimulationConfig:
    """A simulation's configuration: by bluepysnap where it can, else as JSON.

    Parameters
    ----------
    path
        The file.
    given
        What the configuration says of a file that is given is not looked at, and nothing is
        assumed of it.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or has no end of the simulation.
    """
    given = given or Given()
    content = read_json(path, "a SONATA simulation configuration", "simulation")
    if "run" not in content and "simulation" in content:
        return _read_pointed(path, content, given)
    raw, content = content, resolve_manifest(path, content)
    if not isinstance(content.get("run"), dict):
        raise instead_of(path, "simulation") or SimulationDataError(
            path, "there is no section 'run'", "give a SONATA simulation configuration"
        )
    # libsonata leaves ${configdir} in the paths of a simulation as it is
    if content != raw or _is_foreign(_paths_of_simulation(content)):
        return _simulation_by_json(path, content, given)
    try:
        return _simulation_by_bluepysnap(path, content, given)
    except _refusals() as error:
        said = f"{path}: bluepysnap cannot open it ({one_line(error)}); read as JSON"
        return _simulation_by_json(path, content, given, (said,))


def read_circuit(path: Path) -> CircuitConfig:
    """A circuit's configuration: by bluepysnap where it can, else as JSON.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or names no nodes.
    """
    content = resolve_manifest(path, read_json(path, "a SONATA circuit configuration", "circuit"))
    entries = _node_entries(path, content)
    if not all(entry.get("populations") for entry in entries):
        said = f"{path}: it does not name the populations; those in the nodes files are taken"
        return _circuit_by_json(path, content, said)
    if _is_foreign(_paths_of_circuit(content, entries)):
        return _circuit_by_json(path, content)
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


def _simulation_by_bluepysnap(path: Path, content: Json, given: Given) -> SimulationConfig:
    import bluepysnap

    runs = _runs(path, content, given)
    if given.circuit is None:
        _text(path, content, "network")
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
        node_sets_file=_node_sets_file(path, content),
        own_node_sets=_section(path, content, "node_sets"),
        stimuli=tuple(stimuli),
        content=content,
        assumed=_unsaid(path, content, given),
        dt_ms=_dt_ms(content["run"]),
    )


def _simulation_by_json(
    path: Path, content: Json, given: Given, said: tuple[str, ...] = ()
) -> SimulationConfig:
    node_set, own_sets = _inline_node_set(content.get("node_set"))
    network = path.name if "networks" in content else CIRCUIT
    if given.circuit is None:
        network = _text(path, content, "network") or network
    return SimulationConfig(
        path=path,
        circuit=given.circuit or local_path(path.parent, network),
        names_circuit=bool(content.get("network")) or "networks" in content,
        runs=_runs(path, content, given),
        node_set=node_set,
        node_sets_file=_node_sets_file(path, content),
        own_node_sets=_section(path, content, "node_sets") | own_sets,
        stimuli=tuple(_stimuli(_section(path, content, "inputs"))),
        content=content,
        assumed=(*said, *_unsaid(path, content, given)),
        dt_ms=_dt_ms(content["run"]),
    )


def _read_pointed(path: Path, content: Json, given: Given) -> SimulationConfig:
    """An old ``config.json`` that only points to the simulation's and the circuit's files."""
    from dataclasses import replace

    resolved = resolve_manifest(path, content)
    simulation = local_path(path.parent, _text(path, resolved, "simulation") or "")
    if simulation.resolve() == path.resolve():
        raise SimulationDataError(path, "'simulation' names the file itself", "correct the path")
    inner = read_json(simulation, "the simulation configuration that 'simulation' names")
    if "run" not in inner:
        raise instead_of(simulation, "simulation") or SimulationDataError(
            simulation, "there is no section 'run'", f"correct 'simulation' in {path}"
        )
    if given.circuit is None and not inner.get("network"):
        network = _text(path, resolved, "network")
        if network:
            given = replace(given, circuit=local_path(path.parent, network))
    return replace(read_simulation(simulation, given), path=path)


def _runs(path: Path, content: Json, given: Given) -> tuple[Run, ...]:
    """The runs; where the spikes are given, what is wrong with the names of others is no matter."""
    try:
        files = _spikes_files(path, content)
    except SimulationDataError:
        if given.spikes is None:
            raise
        files = [given.spikes]
    return read_runs(path, content["run"], files)


def _spikes_files(path: Path, content: Json) -> list[Path]:
    output = _section(path, content, "output")
    folder = _text(path, output, "output_dir") or "output"
    named = output.get("spikes_file")
    if not isinstance(named, list):
        named = [_text(path, output, "spikes_file") or SPIKES]
    elif not named or not all(isinstance(name, str) and name for name in named):
        raise SimulationDataError(
            path,
            f"output.spikes_file is {shown(named)}, neither a text nor a list of texts",
            "correct it, or give --spikes FILE",
        )
    for name in named:
        _text(path, {"spikes_file": name}, "spikes_file")
    return [local_path(path.parent, folder, name) for name in named]


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


def _circuit_by_json(path: Path, content: Json, *said: str) -> CircuitConfig:
    populations: dict[str, PopulationConfig] = {}
    unlisted = []
    for entry in _node_entries(path, content):
        nodes_file = _text(path, entry, "nodes_file")
        if not nodes_file:
            raise SimulationDataError(
                path, "an entry of networks.nodes has no 'nodes_file'", "add it"
            )
        file, types = local_path(path.parent, nodes_file), _types_file(path, entry)
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
        (*said, *_slashes(path, _paths_of_circuit(content, _node_entries(path, content)))),
    )


def _node_entries(path: Path, content: Json) -> list[Json]:
    networks = content.get("networks")
    entries = networks.get("nodes") if isinstance(networks, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise instead_of(path, "circuit") or SimulationDataError(
            path, "there is no list 'networks.nodes'", "give a SONATA circuit configuration"
        )
    return entries


def _is_foreign(paths: Iterable[Any]) -> bool:
    return any(isinstance(text, str) and is_of_windows(text) for text in paths)


def _paths_of_simulation(content: Json) -> list[Any]:
    output = content.get("output")
    output = output if isinstance(output, dict) else {}
    files = output.get("spikes_file")
    files = files if isinstance(files, list) else [files]
    return [content.get("network"), content.get("node_sets_file"), output.get("output_dir"), *files]


def _paths_of_circuit(content: Json, entries: list[Json]) -> list[Any]:
    names = ("nodes_file", "node_types_file")
    return [content.get("node_sets_file"), *(entry.get(n) for entry in entries for n in names)]


def _slashes(path: Path, paths: Iterable[Any]) -> list[str]:
    """What is said of paths as on Windows."""
    found = [text for text in paths if isinstance(text, str) and "\\" in text]
    if not _is_foreign(found):
        return []
    return [f"{path}: backslashes in its paths, as in {found[0]}, are read as '/'"]


_INSTEAD = {
    "network": ", or give --circuit FILE",
    "output_dir": ", or give --spikes FILE",
    "spikes_file": ", or give --spikes FILE",
}


def _section(path: Path, content: Json, name: str) -> Json:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise SimulationDataError(path, f"'{name}' is {shown(section)}, not a section {{...}}")
    return section


def _text(path: Path, content: Json, name: str) -> str | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value:
        raise SimulationDataError(path, f"'{name}' is {shown(value)}, not a text")
    variable = unresolved(value)
    if variable:
        raise SimulationDataError(
            path,
            f"'{name}' is {shown(value)}, and the manifest does not define {variable}",
            "add it there" + _INSTEAD.get(name, ""),
        )
    return value


def _types_file(path: Path, entry: Json) -> Path | None:
    named = entry.get("node_types_file")
    if not isinstance(named, str) or named in ("", "NULL"):
        return None
    return local_path(path.parent, named)


def _node_sets_file(path: Path, content: Json) -> Path | None:
    """The file of node sets that a configuration names; None where it names none."""
    named = _text(path, content, "node_sets_file")
    return local_path(path.parent, named) if named else None


def _atlas(path: Path, content: Json) -> Path | None:
    """``components.provenance.atlas_dir`` of a circuit."""
    here: Any = content
    for name in ("components", "provenance", "atlas_dir"):
        here = here.get(name) if isinstance(here, dict) else None
    return local_path(path.parent, here) if isinstance(here, str) and here else None


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


def _unsaid(path: Path, content: Json, given: Given) -> tuple[str, ...]:
    """What the configuration leaves to the standard's defaults; nothing of files that are given."""
    output = content.get("output") if isinstance(content.get("output"), dict) else {}
    run = content["run"]
    said, paths = [], [content.get("node_sets_file")]
    if given.circuit is None:
        paths.append(content.get("network"))
        if not content.get("network") and "networks" not in content:
            said.append(f"{path}: it names no 'network'; {CIRCUIT} beside it is assumed")
    if given.spikes is None:
        paths += _paths_of_simulation(content)[2:]
        if not (output or {}).get("spikes_file"):
            folder = (output or {}).get("output_dir", "output")
            said.append(f"{path}: it names no spikes file; {SPIKES} in {folder} is assumed")
    if run.get("tstop") is None:
        said.append(f"{path}: run.tstop is missing; run.duration is taken for it")
    if run.get("tstart"):
        said.append(f"{path}: run.tstart is {run['tstart']}; times still count from 0 ms")
    return (*said, *_slashes(path, paths))
