"""Parts of configurations that both readers read as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import CIRCUIT_FILE, SPIKES_FILE, SimulationDataError
from napari_hexrecruit.sonata._config_values import (
    CIRCUIT,
    SPIKES,
    Given,
    Json,
)
from napari_hexrecruit.sonata._manifest import unresolved
from napari_hexrecruit.sonata._runs import Run, read_runs, shown
from napari_hexrecruit.storage.kinds import instead_of
from napari_hexrecruit.storage.paths import is_of_windows, local_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_hexrecruit.errors import Text


def runs_of(path: Path, content: Json, given: Given) -> tuple[Run, ...]:
    """Return the runs; if spikes are given, faults in the names of others are ignored."""
    try:
        files = _spikes_files(path, content)
    except SimulationDataError:
        if given.spikes is None:
            raise
        files = [given.spikes]
    return read_runs(path, content["run"], files)


def _spikes_files(path: Path, content: Json) -> list[Path]:
    output = section(path, content, "output")
    folder = text_of(path, output, "output_dir") or "output"
    named = output.get("spikes_file")
    if not isinstance(named, list):
        named = [text_of(path, output, "spikes_file") or SPIKES]
    elif not named or not all(isinstance(name, str) and name for name in named):
        raise SimulationDataError(
            path,
            f"output.spikes_file is {shown(named)}, neither a text nor a list of texts",
            ("correct it, or give ", SPIKES_FILE),
        )
    for name in named:
        text_of(path, {"spikes_file": name}, "spikes_file")
    return [local_path(path.parent, folder, name) for name in named]


def node_entries(path: Path, content: Json) -> list[Json]:
    networks = content.get("networks")
    entries = networks.get("nodes") if isinstance(networks, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise instead_of(path, "circuit") or SimulationDataError(
            path, "there is no list 'networks.nodes'", "give a SONATA circuit configuration"
        )
    return entries


def is_foreign(paths: Iterable[Any]) -> bool:
    return any(isinstance(text, str) and is_of_windows(text) for text in paths)


def paths_of_simulation(content: Json) -> list[Any]:
    output = content.get("output")
    output = output if isinstance(output, dict) else {}
    files = output.get("spikes_file")
    files = files if isinstance(files, list) else [files]
    return [content.get("network"), content.get("node_sets_file"), output.get("output_dir"), *files]


def paths_of_circuit(content: Json, entries: list[Json]) -> list[Any]:
    names = ("nodes_file", "node_types_file")
    return [content.get("node_sets_file"), *(entry.get(n) for entry in entries for n in names)]


def slashes(path: Path, paths: Iterable[Any]) -> list[str]:
    """Return the note on paths written as on Windows."""
    found = [text for text in paths if isinstance(text, str) and "\\" in text]
    if not is_foreign(found):
        return []
    return [f"{path}: backslashes in its paths, as in {found[0]}, are read as '/'"]


_INSTEAD: dict[str, Text] = {
    "network": (", or give ", CIRCUIT_FILE),
    "output_dir": (", or give ", SPIKES_FILE),
    "spikes_file": (", or give ", SPIKES_FILE),
}


def section(path: Path, content: Json, name: str) -> Json:
    section = content.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise SimulationDataError(path, f"'{name}' is {shown(section)}, not a section {{...}}")
    return section


def text_of(path: Path, content: Json, name: str) -> str | None:
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
            ("add it there", _INSTEAD.get(name, "")),
        )
    return value


def types_file(path: Path, entry: Json) -> Path | None:
    named = entry.get("node_types_file")
    if not isinstance(named, str) or named in ("", "NULL"):
        return None
    return local_path(path.parent, named)


def node_sets_file_of(path: Path, content: Json) -> Path | None:
    """Return the node sets file that a configuration names; None if it names none."""
    named = text_of(path, content, "node_sets_file")
    return local_path(path.parent, named) if named else None


def atlas_of(path: Path, content: Json) -> Path | None:
    """Return ``components.provenance.atlas_dir`` of a circuit."""
    here: Any = content
    for name in ("components", "provenance", "atlas_dir"):
        here = here.get(name) if isinstance(here, dict) else None
    return local_path(path.parent, here) if isinstance(here, str) and here else None


def dt_ms_of(run: Json) -> float | None:
    """Return the step of the simulation, ms; optional, it only states the precision of times."""
    value = run.get("dt")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < 1e12 else None


def unsaid(path: Path, content: Json, given: Given) -> tuple[str, ...]:
    """Return notes on entries left to the standard's defaults, except those of given files."""
    output = content.get("output") if isinstance(content.get("output"), dict) else {}
    run = content["run"]
    said, paths = [], [content.get("node_sets_file")]
    if given.circuit is None:
        paths.append(content.get("network"))
        if not content.get("network") and "networks" not in content:
            said.append(f"{path}: it names no 'network'; {CIRCUIT} beside it is assumed")
    if given.spikes is None:
        paths += paths_of_simulation(content)[2:]
        if not (output or {}).get("spikes_file"):
            folder = (output or {}).get("output_dir", "output")
            said.append(f"{path}: it names no spikes file; {SPIKES} in {folder} is assumed")
    if run.get("tstop") is None:
        said.append(f"{path}: run.tstop is missing; run.duration is taken for it")
    if run.get("tstart"):
        said.append(f"{path}: run.tstart is {run['tstart']}; times still count from 0 ms")
    return (*said, *slashes(path, paths))
