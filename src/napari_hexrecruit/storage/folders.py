"""Folders that appear, or replace another one, completely or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.storage.atomic import check_folder_of, sync_file, sync_folder
from napari_hexrecruit.storage.claims import claimed, clear_leftovers
from napari_hexrecruit.system.signals import signals_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_hexrecruit.storage.claims import Claim

_OCCUPIED = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_TRIES = 20
_SYNCED_AT_ONCE = 16
_HERE = -100
_EXCHANGE = 2


@contextmanager
def folder_aside(final: Path, *, overwrite: bool, check: Callable[[Path], None]) -> Iterator[Path]:
    """Yield a new folder to fill; it gets the final name when the block ends without error.

    Parameters
    ----------
    final
        Final name, absent or a folder. Its own folder must exist.
    overwrite
        Replace a folder that is not empty.
    check
        Raises FileExistsError, naming the folder that it is called with, if that contains data that
        must not be replaced. Called before anything is written, and again on the replaced folder.

    Yields
    ------
    Path
        An empty folder next to the final one.

    Raises
    ------
    FileExistsError
        If the folder exists, is not empty, and `overwrite` is False.
    OSError
        If the folder cannot be written.

    Notes
    -----
    Linux and macOS exchange two folders in one step. On file systems that cannot, it takes two
    steps: the replaced folder first gets a hidden name. If the run is killed in between, the next
    output in the same folder restores its name.
    """
    final = Path(os.path.realpath(final) if final.is_symlink() else final)
    check_folder_writable(final, check)
    with claimed(final) as claim:
        claim.part.mkdir()
        yield claim.part
        _sync_tree(claim.part)
        with signals_held():
            _take_name(claim, overwrite=overwrite, check=check)
        sync_folder(final.parent)


def check_folder_writable(final: Path, check: Callable[[Path], None]) -> None:
    """Refuse a name that cannot be written, before the work; see `folder_aside` for the errors."""
    clear_leftovers(final.parent)
    if final.exists():
        _refuse_fixed(final)
        check(final)
    check_folder_of(final)


def _refuse_fixed(folder: Path) -> None:
    """Refuse a mount point, which cannot be renamed, and the current folder, which a shell uses."""
    if os.path.samefile(folder, os.curdir) or os.path.ismount(folder):
        what = "the current folder" if os.path.samefile(folder, os.curdir) else "a whole disk"
        raise FileExistsError(f"{folder}: is {what}: name a new folder in it")


def _sync_tree(folder: Path) -> None:
    """Wait until all files are on the disk; syncing in parallel takes a tenth of the time."""
    files, folders = [], []
    for root, _, names in os.walk(folder):
        files += [Path(root, name) for name in names]
        folders.append(Path(root))
    with ThreadPoolExecutor(_SYNCED_AT_ONCE, "hexrecruit-sync") as pool:
        deque(pool.map(sync_file, files), maxlen=0)
        deque(pool.map(sync_folder, folders), maxlen=0)


def _take_name(claim: Claim, *, overwrite: bool, check: Callable[[Path], None]) -> None:
    for _ in range(_TRIES):
        if _renamed_to_new(claim.part, claim.final):
            return
        if not overwrite:
            break
        try:
            if _exchanged(claim.part, claim.final):
                _check_replaced(claim.part, claim.final, check)
                return
            claim.discard_old()
            os.rename(claim.final, claim.old)
        except FileNotFoundError:  # another run just moved it
            continue
        _check_moved(claim, check)
    raise FileExistsError(
        f"{claim.final}: was created meanwhile: choose another name or allow overwriting"
    )


def _renamed_to_new(part: Path, final: Path) -> bool:
    """Rename a folder if the name is free or that of an empty folder; return whether it was."""
    try:
        if os.name == "nt" and final.is_dir():
            os.rmdir(final)
        os.rename(part, final)
    except OSError as error:
        if error.errno not in _OCCUPIED:
            raise
        return False
    return True


def _check_replaced(replaced: Path, final: Path, check: Callable[[Path], None]) -> None:
    """Undo the exchange of two folders if the replaced one must not be replaced."""
    try:
        check(replaced)
    except FileExistsError:
        _exchanged(replaced, final)
        check(final)
        raise


def _check_moved(claim: Claim, check: Callable[[Path], None]) -> None:
    try:
        check(claim.old)
    except FileExistsError:
        os.rename(claim.old, claim.final)
        check(claim.final)
        raise


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two names in one step; return False if the system cannot."""
    exchange = _exchange_of_system()
    if exchange is None:
        return False
    if exchange(os.fsencode(first), os.fsencode(second)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _exchange_of_system() -> Callable[[bytes, bytes], int] | None:
    """Return ``renameat2`` of Linux or ``renamex_np`` of macOS; None if there is neither."""
    if os.name == "nt":
        return None
    library: Any = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda a, b: int(library.renamex_np(a, b, ctypes.c_uint(_EXCHANGE)))
    if hasattr(library, "renameat2"):
        flags = ctypes.c_uint(_EXCHANGE)
        return lambda a, b: int(library.renameat2(_HERE, a, _HERE, b, flags))
    return None
