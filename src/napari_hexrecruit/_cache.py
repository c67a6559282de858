"""Arrays that took long to compute, kept in the user's cache folder until their sources change."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._atomic import written_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Arrays", "cache_folder", "cached_arrays", "stamp"]

Arrays = dict[str, npt.NDArray[Any]]

_log = logging.getLogger(__name__)

_VERSION = 1
"""Part of every key: raise it when the meaning of stored arrays changes."""
_MOST_BYTES = 4 << 30
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def cache_folder() -> Path:
    """Folder of the cache; deleting it, or files in it, costs only time."""
    import platformdirs

    return platformdirs.user_cache_path("napari-hexrecruit", appauthor=False) / "atlas"


def stamp(path: str | os.PathLike[str]) -> tuple[str, int, int]:
    """What tells a file from an edited one: absolute path, size, time of change in ns."""
    status = os.stat(path)
    return os.path.abspath(path), status.st_size, status.st_mtime_ns


def cached_arrays(key: Mapping[str, Any], compute: Callable[[], Arrays]) -> Arrays:
    """``compute()``, or what it gave for the same key before.

    Parameters
    ----------
    key
        Everything that the result depends on, ready for JSON.
    compute
        Gives arrays of numbers by name.

    Returns
    -------
    dict of str to array

    Notes
    -----
    A stored file has the key in it and a checksum for each array (those of the zip format). One
    that cannot be read whole, or has another key, is computed again and replaced. Where nothing can
    be stored, that is logged and the result is given all the same. The folder is kept below 4 GB by
    removing what was not used for longest.
    """
    text = json.dumps({"version": _VERSION, **key}, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:40] + ".npz"
    path = cache_folder() / name
    found = _read(path, text)
    if found is None:
        found = compute()
        _store(path, text, found)
    return found


def _read(path: Path, text: str) -> Arrays | None:
    if not path.is_file():
        return None
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if bytes(arrays.pop("key")) != text.encode():
            raise ValueError("it has another key")
        os.utime(path)
    except _UNREADABLE as error:
        _log.warning("%s: cannot be used (%s): computed again", path, error)
        return None
    return arrays


def _store(path: Path, text: str, arrays: Arrays) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, sum(array.nbytes for array in arrays.values()))
        with written_aside(path, overwrite=True) as aside:
            stored: dict[str, Any] = {"key": np.frombuffer(text.encode(), np.uint8), **arrays}
            np.savez(aside, **stored)
    except OSError as error:
        _log.warning("%s: cannot be stored (%s): the next time takes as long", path, error)


def _make_room(folder: Path, n_bytes: int) -> None:
    """Remove what was not used for longest until so many bytes fit."""
    status = {path: path.stat() for path in folder.glob("*.npz")}
    excess = n_bytes + sum(one.st_size for one in status.values()) - _MOST_BYTES
    for path in sorted(status, key=lambda path: status[path].st_mtime):
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= status[path].st_size
