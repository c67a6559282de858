"""The state of a campaign: a JSON file next to the cubes, with which it can be resumed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import SCHEMA_VERSION
from napari_hexrecruit.storage.atomic import written_aside
from napari_hexrecruit.storage.cache import stamp
from napari_hexrecruit.storage.cubes import ENDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_hexrecruit.campaign._parameters import Value

MANIFEST = "campaign.hexrecruit.json"
CUBES = "cubes"
WAITING, DONE, FAILED = "waiting", "done", "failed"

_FORMAT = "napari-hexrecruit campaign"
_VERSION = 1
_SHARE_OF_TIME = 0.02
"""Most of the time that is spent on saving: a manifest of thousands of cubes is large."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")
_LONGEST_NAME = 100

Stamp = tuple[str, int, int]


@dataclass
class Piece:
    """One cube: of a simulation, or of one of its windows.

    Attributes
    ----------
    file
        Path of the cube, relative to the campaign's folder.
    start, stop
        Window, ms; None for the window in the options.
    state
        ``waiting``, ``done`` or ``failed``.
    recipe, sha256, inputs
        For a finished cube: hash of its recipe, checksum of the file, and path, size and
        modification time of each input file.
    error
        For a failed cube: the reason, a sentence.
    warnings
        For a finished cube: doubts about its inputs, a sentence each.
    tally
        For a finished cube: the `Tally` of each population as a list (in earlier versions, a single
        `Tally`); else None.
    """

    file: str
    start: float | None = None
    stop: float | None = None
    state: str = WAITING
    recipe: str = ""
    sha256: str = ""
    inputs: list[Stamp] = field(default_factory=list)
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    tally: list[Any] | None = None

    def is_kept(self, folder: Path, recipe: str) -> bool:
        """Return whether the cube is done, with this recipe, and no file has changed since."""
        return (
            self.state == DONE
            and self.recipe == recipe
            and all(_is_unchanged(one) for one in self.inputs)
            and checksum(folder / self.file) == self.sha256
        )


@dataclass
class Judgement:
    """Doubts about a simulation that was computed in windows.

    Attributes
    ----------
    checksums
        Checksums of the judged cubes.
    error
        Sentence about why nothing was counted; empty if something was, or if that is allowed.
    warnings
        Doubts about the inputs, a sentence each.
    """

    checksums: list[str]
    error: str
    warnings: list[str]


@dataclass
class Entry:
    """One simulation of the campaign.

    Attributes
    ----------
    name
        Short name, unique in the campaign and valid as a file name.
    path
        Configuration; None if the simulation was left out of the campaign.
    parameters
        Scan parameters.
    pieces
        Cubes, ascending in time; empty if the windows could not be planned.
    dropped_ms
        Ragged end that the windows leave out.
    error
        Sentence about why the windows could not be planned.
    judgement
        Judgement of the whole for a simulation in windows; None if it is not judged yet.
    """

    name: str
    path: str | None
    parameters: dict[str, Value]
    pieces: list[Piece] = field(default_factory=list)
    dropped_ms: float = 0.0
    error: str = ""
    judgement: Judgement | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all cubes are done."""
        return bool(self.pieces) and all(piece.state == DONE for piece in self.pieces)

    @property
    def checksums(self) -> list[str]:
        """Checksums of the cubes."""
        return [piece.sha256 for piece in self.pieces]

    @property
    def state(self) -> str:
        """``done`` if all cubes are, ``failed`` if any cube failed, ``waiting`` or ``absent``."""
        if self.path is None:
            return "absent"
        states = {piece.state for piece in self.pieces}
        if self.reason or FAILED in states:
            return FAILED
        return DONE if states == {DONE} else WAITING

    @property
    def reason(self) -> str:
        """Reason of a failure; empty if the simulation did not fail."""
        failed = next((p.error for p in self.pieces if p.state == FAILED), "")
        empty = self.judgement.error if self.judgement and self.is_whole else ""
        return self.error or failed or empty

    @property
    def warnings(self) -> list[str]:
        """Doubts about all finished cubes, each once."""
        done = [piece for piece in self.pieces if piece.state == DONE]
        found = [text for piece in done for text in piece.warnings]
        if self.judgement is not None and self.is_whole:
            found += self.judgement.warnings
        return list(dict.fromkeys(found))


@dataclass
class Manifest:
    """State of a campaign.

    Attributes
    ----------
    recipe
        Recipe of each simulation's cube.
    split_ms
        Length of the windows; None if simulations are not split.
    entries
        Simulations.
    notes
        Assumptions about parameters.
    collected
        Fingerprint of the cubes from which the dataset was collected.
    """

    recipe: CubeRecipe
    split_ms: float | None
    entries: list[Entry]
    notes: list[str] = field(default_factory=list)
    collected: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of everything from which the dataset is collected."""
        return _hash([asdict(entry) for entry in self.entries])

    def write(self, folder: Path) -> None:
        """Write or replace the file in the campaign's folder."""
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "options": self.recipe.entries(),
            "split_ms": self.split_ms,
            "notes": self.notes,
            "collected": self.collected,
            "simulations": [{**asdict(e), "state": e.state} for e in self.entries],
        }
        with written_aside(folder / MANIFEST, overwrite=True) as aside:
            aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read the state of the campaign in a folder; None if there is no campaign.

        Raises
        ------
        SimulationDataError
            If the file cannot be read.
        """
        path = folder / MANIFEST
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.get("format") != _FORMAT or content.get("version") != _VERSION:
                found = f"{content.get('format')!r}, version {content.get('version')!r}"
                raise ValueError(f"it is {found}, not {_FORMAT!r}, version {_VERSION}")
            return cls(
                CubeRecipe.from_entries(content["options"]),
                content["split_ms"],
                [_entry(item) for item in content["simulations"]],
                list(content["notes"]),
                str(content["collected"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise SimulationDataError(
                path, f"cannot be read ({reason})", "remove it to compute the campaign again"
            ) from error


class Saver:
    """Writer of the manifest as cubes come in, which limits the time spent on writing."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self._manifest, self._folder = manifest, folder
        self._next = 0.0

    def changed(self) -> None:
        """Write now, unless the last write was too recent; `finish` writes the rest."""
        if time.monotonic() >= self._next:
            self.finish()

    def finish(self) -> None:
        """Write the manifest."""
        start = time.monotonic()
        self._manifest.write(self._folder)
        end = time.monotonic()
        self._next = end + (end - start) / _SHARE_OF_TIME


def recipe_hash(path: str, recipe: CubeRecipe, piece: Piece) -> str:
    """Return the hash of everything that a cube depends on, besides the contents of files."""
    return _hash([SCHEMA_VERSION, path, recipe.entries(), piece.start, piece.stop])


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file; empty if the file cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def names_for(paths: Sequence[Path], known: Mapping[str, str]) -> list[str]:
    """Return short names of simulations, unique and valid as file names.

    Parameters
    ----------
    paths
        Configurations of the simulations.
    known
        Existing names by path, which are kept.

    Returns
    -------
    list of str
        Parts in which the paths differ, such as ``ca1.0-0`` for
        ``runs/ca1.0/0/simulation_config.json``.

    Examples
    --------
    >>> from pathlib import Path
    >>> names_for([Path(f"/runs/{name}/1/simulation_config.json") for name in "ab"], {})
    ['a-1', 'b-1']
    """
    folders = [_folder_of(path).strip(os.sep).split(os.sep) for path in paths]
    levels = list(zip(*folders, strict=False))
    shared = next((k for k, level in enumerate(levels) if len(set(level)) > 1), len(levels))
    names: list[str] = []
    used = {name.lower() for name in known.values()}
    for path, parts in zip(paths, folders, strict=True):
        if str(path) in known:
            names.append(known[str(path)])
            continue
        text = _UNSAFE.sub("_", "-".join(parts[min(shared, len(parts) - 1) :]))
        base = text[-_LONGEST_NAME:].strip(".-") or "simulation"
        name, number = base, 1
        while name.lower() in used:
            number += 1
            name = f"{base}-{number}"
        used.add(name.lower())
        names.append(name)
    return names


def cube_file(name: str, number: int | None = None) -> str:
    """Return the name of a cube in the campaign's folder, or of window `number` of several."""
    part = "" if number is None else f".window-{number:05d}"
    return f"{CUBES}/{name}{part}{ENDING}"


def _folder_of(path: Path) -> str:
    """Return a simulation's folder, or its file without ending if the file has its own name."""
    usual = path.stem in ("simulation_config", "simulation", "config")
    return str(path.parent if usual else path.with_suffix(""))


def _is_unchanged(before: Stamp) -> bool:
    try:
        return stamp(before[0]) == tuple(before)
    except OSError:
        return False


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(item: Mapping[str, Any]) -> Entry:
    known = {name: item[name] for name in ("name", "path", "parameters", "dropped_ms", "error")}
    pieces = [Piece(**piece) for piece in item["pieces"]]
    for piece in pieces:
        piece.inputs = [(str(p), int(size), int(at)) for p, size, at in piece.inputs]
    judgement = item.get("judgement")
    return Entry(**known, pieces=pieces, judgement=judgement and Judgement(**judgement))
