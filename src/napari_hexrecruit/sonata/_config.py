"""Read configurations with bluepysnap if possible, else as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.sonata._config_by_bluepysnap import (
    circuit_by_bluepysnap,
    refusals,
    simulation_by_bluepysnap,
)
from napari_hexrecruit.sonata._config_by_json import circuit_by_json, simulation_by_json
from napari_hexrecruit.sonata._config_parts import (
    is_foreign,
    node_entries,
    paths_of_circuit,
    paths_of_simulation,
    text_of,
)
from napari_hexrecruit.sonata._config_values import (
    CircuitConfig,
    Given,
    Json,
    SimulationConfig,
)
from napari_hexrecruit.sonata._manifest import read_json, resolve_manifest
from napari_hexrecruit.storage.kinds import instead_of
from napari_hexrecruit.storage.paths import local_path

if TYPE_CHECKING:
    from pathlib import Path


def read_simulation(path: Path, given: Given | None = None) -> SimulationConfig:
    """Read a simulation's configuration with bluepysnap if possible, else as JSON.

    Parameters
    ----------
    path
        The file.
    given
        Files given instead; the configuration's entries for these are ignored.

    Raises
    ------
    SimulationDataError
        If the file is missing or is not JSON, or does not state the end of the simulation.
    """
    given, notes = given or Given(), list[str]()
    content = read_json(path, "a SONATA simulation configuration", "simulation", notes)
    if "run" not in content and "simulation" in content:
        return _read_pointed(path, content, given)
    found = _simulation_of(path, content, given)
    return replace(found, assumed=(*notes, *found.assumed))


def _simulation_of(path: Path, content: Json, given: Given) -> SimulationConfig:
    raw, content = content, resolve_manifest(path, content)
    if not isinstance(content.get("run"), dict):
        raise instead_of(path, "simulation") or SimulationDataError(
            path, "there is no section 'run'", "give a SONATA simulation configuration"
        )
    # libsonata does not resolve ${configdir} in the paths of a simulation
    if content != raw or is_foreign(paths_of_simulation(content)):
        return simulation_by_json(path, content, given)
    try:
        return simulation_by_bluepysnap(path, content, given)
    except refusals() as error:
        said = f"{path}: bluepysnap cannot open it ({one_line(error)}); read as JSON"
        return simulation_by_json(path, content, given, (said,))


def read_circuit(path: Path) -> CircuitConfig:
    """Read a circuit's configuration with bluepysnap if possible, else as JSON.

    Raises
    ------
    SimulationDataError
        If the file is missing, is not JSON, or names no nodes.
    """
    notes = list[str]()
    content = read_json(path, "a SONATA circuit configuration", "circuit", notes)
    found = _circuit_of(path, resolve_manifest(path, content))
    return replace(found, assumed=(*notes, *found.assumed))


def _circuit_of(path: Path, content: Json) -> CircuitConfig:
    entries = node_entries(path, content)
    if not all(entry.get("populations") for entry in entries):
        said = f"{path}: it does not name the populations; those in the nodes files are taken"
        return circuit_by_json(path, content, said)
    if is_foreign(paths_of_circuit(content, entries)):
        return circuit_by_json(path, content)
    try:
        return circuit_by_bluepysnap(path, content)
    except refusals() as error:
        said = f"{path}: bluepysnap cannot open it ({one_line(error)}); read as JSON"
        return circuit_by_json(path, content, said)


def _read_pointed(path: Path, content: Json, given: Given) -> SimulationConfig:
    """Read an old ``config.json`` that only names the simulation's and the circuit's files."""
    resolved = resolve_manifest(path, content)
    simulation = local_path(path.parent, text_of(path, resolved, "simulation") or "")
    if simulation.resolve() == path.resolve():
        raise SimulationDataError(path, "'simulation' names the file itself", "correct the path")
    inner = read_json(simulation, "the simulation configuration that 'simulation' names")
    if "run" not in inner:
        raise instead_of(simulation, "simulation") or SimulationDataError(
            simulation, "there is no section 'run'", f"correct 'simulation' in {path}"
        )
    if given.circuit is None and not inner.get("network"):
        network = text_of(path, resolved, "network")
        if network:
            given = replace(given, circuit=local_path(path.parent, network))
    return replace(read_simulation(simulation, given), path=path)
