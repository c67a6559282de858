"""Slow results, kept in the user's cache folder until their sources change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.storage.atomic import written_aside
from napari_hexrecruit.storage.folders import folder_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Arrays = dict[str, npt.NDArray[Any]]

_log = logging.getLogger(__name__)

_VERSION = 2
"""Part of every key: increase it when the meaning of stored arrays changes."""
_MOST_BYTES = 4 << 30
_MOST_SECONDS = 90 * 24 * 3600.0
_SUMS = "checksums.json"
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def cache_folder() -> Path:
    """Return the folder of cached arrays; deleting it, or files in it, costs only time."""
    import platformdirs

    return platformdirs.user_cache_path("napari-hexrecruit", appauthor=False) / "atlas"


def stamp(path: str | os.PathLike[str]) -> tuple[str, int, int]:
    """Return what changes when a file is edited: absolute path, size, modification time in ns."""
    status = os.stat(path)
    return os.path.abspath(path), status.st_size, status.st_mtime_ns


def cached_arrays(key: Mapping[str, Any], compute: Callable[[], Arrays]) -> Arrays:
    """Return ``compute()``, or its stored result for the same key.

    Parameters
    ----------
    key
        Everything that the result depends on, ready for JSON.
    compute
        Returns arrays of numbers by name.

    Returns
    -------
    dict of str to array

    Notes
    -----
    A stored file begins with the SHA-256 of the rest, which contains the key. If the checksum is
    wrong or the key differs, the result is computed again and the file replaced. A failure to store
    is logged, and the result still returned. The folder is kept below 4 GB by removing the least
    recently used files.
    """
    found = stored_arrays(key)
    if found is None:
        found = compute()
        store_arrays(key, found)
    return found


def stored_arrays(key: Mapping[str, Any]) -> Arrays | None:
    """Return the arrays stored for a key; None if there are no valid ones."""
    text = _text(key)
    return _read(_path(text), text)


def store_arrays(key: Mapping[str, Any], arrays: Arrays) -> None:
    """Store arrays for a key; see `cached_arrays`."""
    text = _text(key)
    _store(_path(text), text, arrays)


def _text(key: Mapping[str, Any]) -> str:
    return json.dumps({"version": _VERSION, **key}, sort_keys=True)


def _path(text: str) -> Path:
    return cache_folder() / (_digest(text.encode())[:40] + ".npz")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path, text: str) -> Arrays | None:
    if not path.is_file():
        return None
    try:
        with open(path, "rb") as file:
            _check_sum(file)
            with np.load(file, allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
        if bytes(arrays.pop("key")) != text.encode():
            raise ValueError("it has another key")
    except _UNREADABLE as error:
        _log.warning("%s: cannot be used (%s): computed again", path, error)
        return None
    with contextlib.suppress(OSError):  # another user's file, who decides how long to keep it
        os.utime(path)
    return arrays


def _check_sum(file: Any) -> None:
    """Verify the checksum, and position the file after it."""
    begin = file.read(hashlib.sha256().digest_size)
    if begin != hashlib.file_digest(file, "sha256").digest():
        raise ValueError("its checksum is wrong")
    file.seek(len(begin))


def _store(path: Path, text: str, arrays: Arrays) -> None:
    stored: dict[str, Any] = {"key": np.frombuffer(text.encode(), np.uint8), **arrays}
    begin = bytes(hashlib.sha256().digest_size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, sum(array.nbytes for array in arrays.values()))
        with written_aside(path, overwrite=True) as aside, open(aside, "wb+") as file:
            file.write(begin)
            np.savez(file, **stored)
            file.seek(len(begin))
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            file.write(digest)
    except OSError as error:
        _log.warning("%s: cannot be stored (%s): the next time takes as long", path, error)


def _make_room(folder: Path, n_bytes: int) -> None:
    """Remove the least recently used files until `n_bytes` fit."""
    status = {}
    for path in folder.glob("[!.]*.npz"):
        with contextlib.suppress(FileNotFoundError):  # another process removed it meanwhile
            status[path] = path.stat()
    excess = n_bytes + sum(one.st_size for one in status.values()) - _MOST_BYTES
    for path in sorted(status, key=lambda path: status[path].st_mtime):
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= status[path].st_size


def cached_folder(folder: Path, make: Callable[[Path], object]) -> None:
    """Make a folder of files, unless it exists unchanged.

    Parameters
    ----------
    folder
        The folder; its name states content and version.
    make
        Fills an empty folder.

    Raises
    ------
    FileExistsError
        If it has to be made again and contains files that are not from an earlier making.
    OSError
        If it cannot be stored.

    Notes
    -----
    The SHA-256 of each file is stored with the files. A folder with missing, changed or additional
    files is not trusted. Valid folders next to it that were not used for 90 days are removed.
    """
    there = folder.exists()
    if there:
        wrong = _first_wrong(folder)
        if wrong is None:
            with contextlib.suppress(OSError):  # another user's folder
                os.utime(folder)
            return
        _log.warning(
            "%s: cannot be used (%s has changed since it was made): made again", folder, wrong
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder_aside(folder, overwrite=there, check=_refuse_foreign) as aside:
            make(aside)
            (aside / _SUMS).write_text(json.dumps(_sums(aside), indent=1), encoding="utf-8")
    except FileExistsError:
        if there or _first_wrong(folder) is not None:  # otherwise another process was faster
            raise
    _forget_unused(folder.parent)


def _forget_unused(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for path in folder.glob("[!.]*/"):
            unused = time.time() - path.stat().st_mtime > _MOST_SECONDS
            if unused and _first_wrong(path) is None:
                shutil.rmtree(path, ignore_errors=True)


def _first_wrong(folder: Path) -> str | None:
    """Return the name of a file that has changed since it was made; None if all are."""
    stored = _stored_sums(folder)
    if stored is None:
        return _SUMS
    try:
        found = _sums(folder)
    except OSError as error:
        return str(error.filename)
    names = stored.keys() | found.keys()
    return min((name for name in names if stored.get(name) != found.get(name)), default=None)


def _refuse_foreign(folder: Path) -> None:
    stored = _stored_sums(folder)
    foreign = set() if stored is None else _sums(folder).keys() - stored.keys()
    if foreign:
        raise FileExistsError(
            f"{folder}: is not made again, because {min(foreign)!r} in it was not made with it:"
            " move that away"
        )


def _stored_sums(folder: Path) -> dict[str, str] | None:
    try:
        stored = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) else None


def _sums(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path != folder / _SUMS)
    return {path.relative_to(folder).as_posix(): _sum_of(path) for path in sorted(files)}


def _sum_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
