"""Outputs that appear whole or not at all: written aside in the same folder, synced, renamed."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_writable", "interrupts_held", "written_aside"]


@contextmanager
def written_aside(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary file to write; when the block ends without error it takes the final name.

    Parameters
    ----------
    path
        Final name. Its folder must exist.
    overwrite
        Replace a file that is there already.

    Yields
    ------
    Path
        A name that does not exist yet, in the same folder and with the same ending. It is removed
        when the block raises.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False; found out before anything is written, and
        again when the name is taken.
    OSError
        If the folder is missing or a folder is in the way.
    """
    final = Path(path)
    check_writable(final, overwrite=overwrite)
    suffix = "".join(final.suffixes)[-40:]
    aside = final.with_name(f".{final.name[:60]}.{secrets.token_hex(4)}.part{suffix}")
    try:
        yield aside
        _sync(aside)
        _take_name(aside, final, overwrite=overwrite)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done.

    For calls into libraries that lose a KeyboardInterrupt, as h5py does when it is raised while
    objects are collected: Python then prints it and goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *news: held.append(news))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
    if held:
        signal.raise_signal(signal.SIGINT)


def check_writable(final: Path, *, overwrite: bool) -> None:
    """Refuse early what could not be written in the end; see `written_aside` for the errors."""
    if final.is_dir():
        raise IsADirectoryError(f"{final}: is a folder: give the name of a file")
    if final.exists() and not overwrite:
        raise FileExistsError(f"{final}: exists: choose another name or allow overwriting")
    if not final.parent.is_dir():
        raise FileNotFoundError(f"{final.parent}: there is no such folder: create it first")
    if not os.access(final.parent, os.W_OK):
        raise PermissionError(f"{final.parent}: the folder is read-only: choose another one")


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _take_name(aside: Path, final: Path, *, overwrite: bool) -> None:
    if not overwrite and final.exists():
        raise FileExistsError(f"{final}: was created meanwhile: choose another name")
    os.replace(aside, final)
