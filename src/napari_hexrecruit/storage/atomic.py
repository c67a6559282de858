"""Complete outputs or none: written under another name in the same folder, synced, renamed."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_hexrecruit.storage.claims import claimed, clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

_CANNOT_SYNC = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP)


@contextmanager
def written_aside(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary file to write; it gets the final name when the block ends without error.

    Parameters
    ----------
    path
        Final name. Its folder must exist.
    overwrite
        Replace an existing file.

    Yields
    ------
    Path
        A new name in the same folder, with the same ending. The file is removed if the block
        raises; if the process is killed, the next output in this folder removes it.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False. This is checked before anything is written, and
        again when the file gets its name: of two runs with one name, the later is refused.
    OSError
        If the folder is missing, or the name is that of a folder.

    Notes
    -----
    The file gets its name by a hard link, an atomic step that fails if the name exists. On file
    systems without links, an empty file is created under the name and then replaced.
    """
    final = Path(path)
    check_writable(final, overwrite=overwrite)
    with claimed(final) as claim:
        yield claim.part
        sync_file(claim.part)
        _take_name(claim.part, final, overwrite=overwrite)
        sync_folder(final.parent)


def check_writable(final: Path, *, overwrite: bool) -> None:
    """Refuse a name that cannot be written, before the work; see `written_aside` for the errors."""
    clear_leftovers(final.parent)
    if final.is_dir():
        raise IsADirectoryError(f"{final}: is a folder: give the name of a file")
    if os.path.lexists(final) and not overwrite:
        raise FileExistsError(f"{final}: exists: choose another name or allow overwriting")
    if final.exists() and not final.is_file():
        raise FileExistsError(f"{final}: is a device or a pipe: give the name of a file")
    check_folder_of(final)


def check_folder_of(final: Path) -> None:
    """Refuse a name in a folder that is missing or read-only."""
    if not final.parent.is_dir():
        raise FileNotFoundError(f"{final.parent}: there is no such folder: create it first")
    if not os.access(final.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{final.parent}: the folder is read-only: choose another one")


def sync_file(path: Path) -> None:
    """Wait until a file is on the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, if the system can."""
    if os.name == "nt":
        return
    try:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _take_name(part: Path, final: Path, *, overwrite: bool) -> None:
    if overwrite:
        os.replace(part, final)
        return
    try:
        _rename_to_new(part, final)
    except FileExistsError as error:
        raise FileExistsError(
            f"{final}: was created meanwhile: choose another name or allow overwriting"
        ) from error


def _rename_to_new(part: Path, final: Path) -> None:
    """Rename a file; raise FileExistsError if the name exists, even if it just appeared."""
    if os.name == "nt":
        os.rename(part, final)
        return
    try:
        os.link(part, final)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(part, final)
    else:
        part.unlink()
