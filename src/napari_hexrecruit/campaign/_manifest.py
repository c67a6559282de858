"""What is done of a campaign: a JSON file beside the cubes, so that it can be resumed."""

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
"""Part of the time that may go into saving: a manifest of thousands of cubes is large."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._=+-]+")
_LONGEST_NAME = 100

Stamp = tuple[str, int, int]


@dataclass
class Piece:
    """One cube: of a simulation, or of a window of it.

    Attributes
    ----------
    file
        The cube, relative to the campaign's folder.
    start, stop
        Window, ms; None for what the options say.
    state
        ``waiting``, ``done`` or ``failed``.
    recipe, sha256, inputs
        Of a cube that is done: hash of what it was computed by, checksum of the file, and path,
        size and time of change of each file it was computed from.
    error
        Of one that failed: why, in a sentence.
    warnings
        Of one that is done: what may not be meant, a sentence each.
    tally
        Of a window that is done: what was counted of each population, as `Tally` has it;
        one `Tally` by earlier versions; else None.
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
        """Whether it is done by the same recipe, unharmed, and no input file has changed."""
        return (
            self.state == DONE
            and self.recipe == recipe
            and all(_is_unchanged(one) for one in self.inputs)
            and checksum(folder / self.file) == self.sha256
        )


@dataclass
class Judgement:
    """What is doubtful of a simulation that was computed in windows.

    Attributes
    ----------
    checksums
        Of the cubes that it is about.
    error
        Why nothing was counted, in a sentence; empty where something was, or that is allowed.
    warnings
        What may not be meant, a sentence each.
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
        Short name, unique in the campaign and good for a file.
    path
        Its configuration; None where it was left out of the campaign.
    parameters
        Scan parameters.
    pieces
        Its cubes, ascending in time; none where its windows could not be planned.
    dropped_ms
        Ragged end that its windows leave out.
    error
        Why its windows could not be planned.
    judgement
        Of the whole that windows make: see `Judgement`; None where none was passed.
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
        """Whether all of its cubes are done."""
        return bool(self.pieces) and all(piece.state == DONE for piece in self.pieces)

    @property
    def checksums(self) -> list[str]:
        """Of its cubes."""
        return [piece.sha256 for piece in self.pieces]

    @property
    def state(self) -> str:
        """``done`` with all cubes, ``failed`` with one that failed, ``waiting`` or ``absent``."""
        if self.path is None:
            return "absent"
        states = {piece.state for piece in self.pieces}
        if self.reason or FAILED in states:
            return FAILED
        return DONE if states == {DONE} else WAITING

    @property
    def reason(self) -> str:
        """Why it failed; empty if it did not."""
        failed = next((p.error for p in self.pieces if p.state == FAILED), "")
        empty = self.judgement.error if self.judgement and self.is_whole else ""
        return self.error or failed or empty

    @property
    def warnings(self) -> list[str]:
        """What may not be meant, of all cubes that are done, each once."""
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
        Of each simulation's cube.
    split_ms
        Length of the windows; None where simulations are not split.
    entries
        The simulations.
    notes
        What was assumed about parameters.
    collected
        Fingerprint of the cubes that the dataset was collected from.
    """

    recipe: CubeRecipe
    split_ms: float | None
    entries: list[Entry]
    notes: list[str] = field(default_factory=list)
    collected: str = ""

    @property
    def fingerprint(self) -> str:
        """Of all that the dataset is collected from."""
        return _hash([asdict(entry) for entry in self.entries])

    def write(self, folder: Path) -> None:
        """Replace the file in the campaign's folder."""
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
        """The state of a campaign in a folder; None where there is none.

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
    """Writes the manifest as cubes come in, but not all the time."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self._manifest, self._folder = manifest, folder
        self._next = 0.0

    def changed(self) -> None:
        """Write now, unless that was done just before; `finish` then does."""
        if time.monotonic() >= self._next:
            self.finish()

    def finish(self) -> None:
        """Write."""
        start = time.monotonic()
        self._manifest.write(self._folder)
        end = time.monotonic()
        self._next = end + (end - start) / _SHARE_OF_TIME


def recipe_hash(path: str, recipe: CubeRecipe, piece: Piece) -> str:
    """Hash of all that a cube depends on, beside the contents of files."""
    return _hash([SCHEMA_VERSION, path, recipe.entries(), piece.start, piece.stop])


def checksum(path: Path) -> str:
    """SHA-256 of a file; empty if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def names_for(paths: Sequence[Path], known: Mapping[str, str]) -> list[str]:
    """Short names of simulations, unique and good for files.

    Parameters
    ----------
    paths
        Their configurations.
    known
        Names by path that were given before; they stay.

    Returns
    -------
    list of str
        What tells the paths apart: of ``runs/ca1.0/0/simulation_config.json`` and its like,
        ``ca1.0-0``.

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
    """Name of a cube in the campaign's folder; of window `number`, if it is one of several."""
    part = "" if number is None else f".window-{number:05d}"
    return f"{CUBES}/{name}{part}{ENDING}"


def _folder_of(path: Path) -> str:
    """The folder of a simulation, or its file without ending where that has a name of its own."""
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
