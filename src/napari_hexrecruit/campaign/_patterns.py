"""File names and patterns: an existing name takes precedence over its meaning as a pattern.

Folders of scans can be called ``ca[1.0]``, although ``[1.0]`` is also a pattern.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable
from pathlib import Path

_WILD = "*?["

Reading = Callable[[Path, str], list[Path]]


def existing(name: str, folder: Path = Path()) -> Path:
    """Return the existing path of a name, as written or in an equivalent form.

    Equivalent forms expand ``~`` to the home folder and read Windows' backslashes as slashes.
    """
    for meant in (name, *_meant(name)):
        if os.path.lexists(folder / meant):
            return folder / meant
    return folder / name


def _meant(name: str) -> list[str]:
    others = [os.path.expanduser(name)] if name.startswith("~") else []
    if os.sep == "/" and "\\" in name:
        others.append(os.path.expanduser(name.replace("\\", "/")))
    return others


def matching(pattern: str) -> tuple[list[Path], str]:
    """Return the files and folders that match a pattern.

    Each part between slashes is a name if a file or folder has that name; else a shell pattern;
    else a pattern with literal brackets.

    Parameters
    ----------
    pattern
        Pattern with ``*``, ``?``, ``[...]``, and ``**`` for any number of folders.

    Returns
    -------
    found : list of Path
        Paths in alphabetical order; empty if nothing matches.
    note : str
        Sentence about a part that was taken as a name although it matches other names as a pattern;
        empty if there is none.
    """
    for meant in map(Path, (pattern, *_meant(pattern))):
        parts, absolute = meant.parts, bool(meant.anchor)
        start = Path(parts[0]) if absolute else Path()
        found, note = _follow([start], list(parts[absolute:]))
        if found:
            only_folders = pattern.endswith(("/", os.sep))
            found = [path for path in found if path.is_dir() or not only_folders]
            return sorted(found, key=str), note
    return [], ""


def _follow(places: list[Path], parts: list[str]) -> tuple[list[Path], str]:
    """Follow the parts from some folders, with the first way of reading them that succeeds."""
    if not parts:
        return places, ""
    first, rest = parts[0], parts[1:]
    for read in _readings(first, last=not rest):
        if here := _unique(path for place in places for path in read(place, first)):
            found, note = _follow(here, rest)
            if found:
                own = _note(places, first, here) if read is _named else ""
                return found, own or note
    return [], ""


def _readings(part: str, *, last: bool) -> tuple[Reading, ...]:
    if part == "**":
        return (_anywhere if last else _folders_anywhere,)
    if not any(letter in part for letter in _WILD):
        return (_named,)
    return _named, _globbed, _with_brackets


def _note(places: list[Path], part: str, named: list[Path]) -> str:
    if not any(letter in part for letter in _WILD):
        return ""
    others = _unique(path for place in places for path in _globbed(place, part))
    other = next((path for path in others if path not in named), None)
    if other is None:
        return ""
    return f"'{part}' is a name here and is taken as one, though as a pattern it matches {other}"


def _named(place: Path, part: str) -> list[Path]:
    return [place / part] if os.path.lexists(place / part) else []


def _globbed(place: Path, part: str) -> list[Path]:
    return [place / name for name in glob.glob(part, root_dir=place)]


def _with_brackets(place: Path, part: str) -> list[Path]:
    return _globbed(place, part.replace("[", "[[]")) if "[" in part else []


def _anywhere(place: Path, part: str) -> list[Path]:
    return [place / name for name in glob.glob(part, root_dir=place, recursive=True)]


def _folders_anywhere(place: Path, part: str) -> list[Path]:
    below = glob.glob(f"{part}/", root_dir=place, recursive=True)
    return [place, *(place / name for name in below)]


def _unique(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))
