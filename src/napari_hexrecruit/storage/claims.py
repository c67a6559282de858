"""Names of unfinished outputs: locked while their run lives, else removed by a later run."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import re
import secrets
import shutil
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from napari_hexrecruit.system.signals import signals_held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = re.compile(r"(?P<prefix>\..*\.[0-9a-f]{16})\.(lock|old|part(\..*)?)", re.DOTALL)
_LONGEST = 120
"""Bytes of the final name in a hidden one; most file systems allow 255 bytes in total."""
_TRIES, _SECONDS_BETWEEN = 50, 0.02
_SECONDS_KEPT = 7 * 24 * 3600.0
"""Age after which leftovers are removed if no lock shows whether their run lives."""


_of_thread = threading.local()
_held: set[Claim] = set()


def locks_held() -> tuple[int, ...]:
    """Return the open files that lock the claims of this thread.

    A child process that writes under claimed names must inherit them: the lock is then freed only
    when both processes have ended, so that no other run removes files that are still written.
    """
    return tuple(getattr(_of_thread, "locks", ()))


class Claim:
    """Hidden names next to a final one: ``.a.mp4.0123456789abcdef.part.mp4`` for ``a.mp4``.

    Parameters
    ----------
    final
        The final name.
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self._lock = -1
        self._choose()

    def _choose(self) -> None:
        self._prefix = self.final.with_name(f"{_stem(self.final.name)}.{secrets.token_hex(8)}")

    @property
    def part(self) -> Path:
        """Path of the output being written; it ends like the final name."""
        suffix = self.final.suffix
        return _with(self._prefix, f"part{suffix}" if len(suffix) <= 20 else "part")

    @property
    def old(self) -> Path:
        """Path of the output being replaced."""
        return _with(self._prefix, "old")

    def hold(self) -> None:
        """Lock the names, and write their owner into the lock."""
        for _ in range(_TRIES):
            if self._locked():
                _of_thread.locks = [*locks_held(), self._lock]
                _held.add(self)
                return
            self._unlock(forget=True)  # another run just took it for a leftover
            self._choose()
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(self.final))

    def _locked(self) -> bool:
        """Create the lock; return whether it exists and belongs to this run."""
        path = _with(self._prefix, "lock")
        self._lock = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        state = _try_lock(self._lock)
        locked = state == "taken"
        owner = {"host": platform.node(), "name": self.final.name, "locked": locked}
        os.write(self._lock, json.dumps(owner).encode())
        return state != "held" and path.exists()

    def _unlock(self, *, forget: bool) -> None:
        os.close(self._lock)
        self._lock = -1
        if forget:
            with contextlib.suppress(OSError):
                _with(self._prefix, "lock").unlink()

    def discard_old(self) -> None:
        """Remove the replaced output."""
        _remove(self.old)

    def renamed(self, error: OSError) -> OSError:
        """Return an error that names the file the user knows."""
        name = "" if error.filename is None else os.fsdecode(error.filename)
        if error.errno is None or (name and not name.startswith(f"{self._prefix}.")):
            return error
        return OSError(error.errno, os.strerror(error.errno), str(self.final))

    def release(self) -> None:
        """Remove files that remain under the names, and unlock them.

        If a file cannot be removed because a thread or another process still writes it, the lock
        file remains, so that a later run sees that this one has ended.
        """
        cleared = self._cleared()
        if self._lock >= 0:
            _of_thread.locks = [lock for lock in locks_held() if lock != self._lock]
            self._unlock(forget=cleared)
        _held.discard(self)

    def _cleared(self) -> bool:
        for _ in range(_TRIES):
            try:
                _clear(self._prefix, self.final.name)
                left = {path.suffix for path in _under(self._prefix)}
            except OSError:  # folder or disk is gone: the error that ended the run is shown
                return False
            if left <= {".lock", ".old"}:
                return True
            time.sleep(_SECONDS_BETWEEN)
        return False


@contextmanager
def claimed(final: Path) -> Iterator[Claim]:
    """Yield hidden names in the folder of a final one; files that have them at the end are removed.

    Errors about these files, or about no file, become errors about the final name.
    """
    claim = Claim(final)
    try:
        with signals_held():
            claim.hold()
        yield claim
    except OSError as error:
        told = claim.renamed(error)
        raise told from (None if told is error else error)
    finally:
        with signals_held():
            claim.release()


def release_all() -> None:
    """Release claims that are still held at the end of a command.

    A signal can arrive after a context manager was entered and before Python registers it.
    """
    with signals_held():
        for claim in list(_held):
            claim.release()


def clear_leftovers(folder: Path) -> None:
    """Remove what killed runs left in a folder, and restore what they were replacing.

    Only hidden names made by `Claim` are touched, and only if their lock was freed because a
    process of this computer ended. If locks cannot show this (another computer, a file system
    without locks), they are removed when unchanged for a week. Errors are ignored: the folder can
    be missing or belong to another user.
    """
    with contextlib.suppress(OSError):
        names = [match for name in os.listdir(folder) if (match := _NAME.fullmatch(name))]
        for prefix in sorted({folder / match["prefix"] for match in names}):
            with contextlib.suppress(OSError), signals_held():
                _clear_leftover(prefix)


def _clear_leftover(prefix: Path) -> None:
    path = _with(prefix, "lock")
    try:
        lock = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        if _is_still(prefix):
            _clear(prefix, None)
        return
    try:
        owner = _owner(lock)
        if not owner and _try_lock(lock) == "taken":  # killed before it made any other file
            path.unlink(missing_ok=True)
        elif _has_ended(lock, owner, prefix):
            _clear(prefix, owner.get("name"))
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _has_ended(lock: int, owner: dict[str, Any], prefix: Path) -> bool:
    if owner.get("host") == platform.node() and owner.get("locked"):
        return _try_lock(lock) == "taken"
    return _is_still(prefix)


def _stem(name: str) -> str:
    return "." + os.fsencode(name)[:_LONGEST].decode("utf-8", "ignore")


def _with(prefix: Path, ending: str) -> Path:
    return prefix.with_name(f"{prefix.name}.{ending}")


def _owner(lock: int) -> dict[str, Any]:
    try:
        content = json.loads(os.read(lock, 4096))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _try_lock(file: int) -> Literal["taken", "held", "unknown"]:
    """Lock an open file until every process that has it open closes it or ends."""
    try:
        import fcntl
    except ImportError:
        return "unknown"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "held"
    except OSError:  # a file system without locks
        return "unknown"
    return "taken"


def _is_still(prefix: Path) -> bool:
    newest = max((os.lstat(path).st_mtime for path in _under(prefix)), default=time.time())
    return time.time() - newest > _SECONDS_KEPT


def _under(prefix: Path) -> list[Path]:
    """Return the files and folders that a claim made."""
    names = [match[0] for name in os.listdir(prefix.parent) if (match := _NAME.fullmatch(name))]
    return [prefix.with_name(name) for name in names if name.startswith(f"{prefix.name}.")]


def _clear(prefix: Path, name: object) -> None:
    """Remove what a claim made, except its lock, and restore what it was replacing.

    If the final name is unknown, the replaced output keeps its hidden name.
    """
    known = isinstance(name, str) and prefix.name.rpartition(".")[0] == _stem(name)
    final = prefix.with_name(str(name)) if known else None
    for path in _under(prefix):
        if path.name.endswith(".lock"):
            continue
        if path.name.endswith(".old"):
            if final is None:
                continue
            if not os.path.lexists(final):
                os.rename(path, final)
                continue
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for _ in range(_TRIES):  # a thread of zarr may write a little longer after an error
            shutil.rmtree(path, ignore_errors=True)
            if not path.exists():
                return
            time.sleep(_SECONDS_BETWEEN)
    else:
        path.unlink(missing_ok=True)
