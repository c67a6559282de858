"""Paths in configurations, and reasons why a file is missing."""

from __future__ import annotations

import os
import re
from pathlib import Path, PureWindowsPath

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def is_of_windows(text: str) -> bool:
    """Whether a path is written as on Windows, but this is another system."""
    return os.sep == "/" and ("\\" in text or _DRIVE.match(text) is not None)


def absence(path: Path) -> str:
    """Return why a path is not a file, for a message that begins with the path."""
    if path.is_dir():
        return "is a folder"
    if os.sep == "/" and _DRIVE.match(str(path)):
        return "is a Windows path, which this computer cannot open"
    return "does not exist"


def local_path(folder: Path, *parts: str) -> Path:
    """Return the path of a file that a configuration names.

    Backslashes separate folders, as on Windows, unless a file has exactly that name. A path with a
    drive is unchanged, because it cannot exist here.

    Parameters
    ----------
    folder
        Folder of the configuration.
    *parts
        Names, each relative to the one before.
    """
    plain = Path(folder, *parts)
    if not any(is_of_windows(part) for part in parts) or os.path.exists(plain):
        return plain
    given = PureWindowsPath(*parts)
    return Path(str(given)) if given.drive else Path(folder, given.as_posix())
