"""Recognise files by their first bytes and keys, to help users who name the wrong file."""

from __future__ import annotations

import itertools
import json
import shlex
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_hexrecruit.errors import (
    CIRCUIT_FILE,
    FILES,
    SPIKES_FILE,
    Parameter,
    SimulationDataError,
)
from napari_hexrecruit.storage.hdf5 import child, child_names, open_h5

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.errors import Text

Kind: TypeAlias = Literal[
    "simulation",
    "circuit",
    "node sets",
    "campaign",
    "spikes",
    "nodes",
    "edges",
    "report",
    "cube",
    "cube folder",
    "movie",
    "picture",
    "volume",
]
Wanted: TypeAlias = Literal["simulation", "circuit", "spikes", "cube"]

_BELONGS: dict[Wanted, str] = {
    "simulation": "the simulation configuration",
    "circuit": "the circuit configuration that the simulation names",
    "spikes": "the spikes file",
    "cube": "a cube",
}
_ENDINGS: dict[Kind, str] = {"cube": ".hexrecruit.nc", "cube folder": ".hexrecruit.zarr"}
_LARGEST_JSON = 64 << 20
_MOST_FILES = 100
_HEAD = 16
_HDF5, _NRRD = b"\x89HDF\r\n\x1a\n", b"NRRD"
_MOVIES, _PICTURES = (b"GIF8", b"\x1aE\xdf\xa3"), (b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"II*\0")
_IS: dict[Kind, str] = {
    "simulation": "a SONATA simulation configuration",
    "circuit": "a SONATA circuit configuration",
    "node sets": "a file of SONATA node sets",
    "campaign": "a campaign of simulations",
    "spikes": "a SONATA spikes file",
    "nodes": "a SONATA nodes file",
    "edges": "a SONATA edges file",
    "report": "a SONATA report",
    "cube": "a recruitment cube",
    "cube folder": "a recruitment cube",
    "movie": "a movie",
    "picture": "a picture",
    "volume": "a volume (nrrd)",
}


def kind_of(path: Path) -> Kind | None:
    """Return the kind of a file or folder; None if it is unknown or missing."""
    try:
        if path.is_dir():
            return _kind_of_folder(path)
        with open(path, "rb") as file:
            head = file.read(_HEAD)
        return _kind_by_head(path, head)
    except (OSError, ValueError, RecursionError, SimulationDataError):
        return None


def instead_of(path: Path, wanted: Wanted | None) -> SimulationDataError | None:
    """Return the error for a file of the wrong kind.

    Parameters
    ----------
    path
        The file.
    wanted
        Expected kind.

    Returns
    -------
    SimulationDataError or None
        States what the file is and how to use it; None if it can be of the expected kind, or is not
        recognised.
    """
    kind = kind_of(path) if wanted is not None else None
    if wanted is None or kind is None:
        return None
    if wanted == "cube" and kind in _ENDINGS:
        if path.name.endswith(_ENDINGS[kind]):
            return None
        remedy = f"rename it to end in {_ENDINGS[kind]}"
        return SimulationDataError(path, "is a recruitment cube under another name", remedy)
    if kind == wanted:
        return None
    aim = _IS[wanted].removeprefix("a ").removeprefix("SONATA ")
    return SimulationDataError(path, f"is {_IS[kind]}, not a {aim}", _use(path, kind, wanted))


def example(kind: Kind, folder: Path, pattern: str) -> Parameter:
    """Return the parameter for a kind of file; its value is the folder's only file of the kind.

    Parameters
    ----------
    kind
        Kind to search.
    folder, pattern
        Files to examine, at most a hundred.
    """
    files = itertools.islice(folder.glob(pattern), _MOST_FILES) if folder.is_dir() else ()
    found = [file for file in files if file.is_file() and kind_of(file) == kind]
    return Parameter(kind, (str(found[0]),) if len(found) == 1 else (), "FILE")


def _use(path: Path, kind: Kind, wanted: Wanted) -> Text:
    """Return how to use a file of this kind, and what to give instead."""
    named, give = shlex.quote(str(path)), f"give {_BELONGS[wanted]}"
    options: dict[Kind, Text] = {
        "circuit": (Parameter("circuit", (str(path),)), " and ", SPIKES_FILE),
        "spikes": (Parameter("spikes", (str(path),)), " and ", CIRCUIT_FILE),
        "nodes": (FILES, " with the circuit configuration that names it"),
    }
    if kind in _ENDINGS:
        named_so = path.name.endswith(_ENDINGS[kind])
        rename = "" if named_so else f"rename it to end in {_ENDINGS[kind]}, and "
        return f"{rename}show it (hexrecruit view, hexrecruit movie), or {give}"
    if kind == "simulation" and wanted == "cube":
        return f"compute one (hexrecruit cube {named} -o run.hexrecruit.nc)"
    if kind == "simulation":
        return f"{give}, and this one as SIM"
    if kind == "campaign" and wanted == "simulation":
        return f"{give}, or hexrecruit campaign {named} -o FOLDER"
    if kind in options and wanted == "simulation":
        return f"{give}, or ", options[kind]
    if kind in options and wanted == "cube":
        return "compute one with hexrecruit cube and ", options[kind]
    return give


def _kind_of_folder(path: Path) -> Kind | None:
    if not (path / "zarr.json").is_file():
        return None
    attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8")).get("attributes", {})
    if "campaign_schema_version" in attributes:
        return "campaign"
    return "cube folder" if "hex_radius" in attributes else None


def _kind_by_head(path: Path, head: bytes) -> Kind | None:
    if head.startswith(_HDF5):
        return _kind_of_hdf5(path)
    if head.startswith(_NRRD):
        return "volume"
    if head.startswith(_MOVIES) or head[4:8] == b"ftyp":
        return "movie"
    if head.startswith(_PICTURES):
        return "picture"
    if path.stat().st_size > _LARGEST_JSON:
        return None
    return _kind_of_json(json.loads(path.read_text(encoding="utf-8-sig")))


def _kind_of_hdf5(path: Path) -> Kind | None:
    with open_h5(path, "the file", "") as file:
        names = set(child_names(file))
        if {"n_neurons", "time_bounds", "hex"} <= names or {"recruitment", "hex"} <= names:
            return "cube"
        groups: tuple[Kind, ...] = ("spikes", "nodes", "edges", "report")
        for kind in groups:
            if kind in names and hasattr(child(file, kind), "keys"):
                return kind
    return None


def _kind_of_json(content: Any) -> Kind | None:
    if not isinstance(content, dict):
        return None
    if "run" in content or ("simulation" in content and "network" in content):
        return "simulation"
    if isinstance(content.get("networks"), dict):
        return "circuit"
    if "simulations" in content or {"format", "data"} <= set(content):
        return "campaign"
    sets = [value for value in content.values() if isinstance(value, (dict, list))]
    keys = {key for value in sets if isinstance(value, dict) for key in value}
    named = keys & {"population", "node_id", "gids", "model_type"}
    return "node sets" if named and len(sets) == len(content) else None
