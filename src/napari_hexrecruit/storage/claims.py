"""Names of what is not finished: locked while its run lives, cleared by a later run otherwise."""

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
"""Bytes of the final name that a hidden one repeats; most file systems allow 255 in all."""
_TRIES, _SECONDS_BETWEEN = 50, 0.02
_SECONDS_KEPT = 7 * 24 * 3600.0
"""Age of leftovers that are cleared where no lock can tell whether their run lives."""


_of_thread = threading.local()
_held: set[Claim] = set()


def locks_held() -> tuple[int, ...]:
    """Open files that lock the claims of this thread.

    A process that writes under such names takes them with it: then the lock is freed when both
    have ended, and nobody clears what it still writes.
    """
    return tuple(getattr(_of_thread, "locks", ()))


class Claim:
    """Hidden names beside a final one: ``.a.mp4.0123456789abcdef.part.mp4`` for ``a.mp4``.

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
        """What is being written; it ends like the final name."""
        suffix = self.final.suffix
        return _with(self._prefix, f"part{suffix}" if len(suffix) <= 20 else "part")

    @property
    def old(self) -> Path:
        """What is being replaced."""
        return _with(self._prefix, "old")

    def hold(self) -> None:
        """Lock the names, and say in the lock whose they are."""
        for _ in range(_TRIES):
            if self._locked():
                _of_thread.locks = [*locks_held(), self._lock]
                _held.add(self)
                return
            self._unlock(forget=True)  # another run has just taken it for one that was left
            self._choose()
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(self.final))

    def _locked(self) -> bool:
        """Make the lock; whether it is there and ours."""
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
        """Remove what was replaced."""
        _remove(self.old)

    def renamed(self, error: OSError) -> OSError:
        """Let an error name the file that the user knows."""
        name = "" if error.filename is None else os.fsdecode(error.filename)
        if error.errno is None or (name and not name.startswith(f"{self._prefix}.")):
            return error
        return OSError(error.errno, os.strerror(error.errno), str(self.final))

    def release(self) -> None:
        """Remove what is left under the names, and unlock them.

        Where something cannot be removed, as a thread or another process still writes it, the lock
        stays as a file, for a later run to see that this one has ended.
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
            except OSError:  # the folder has gone, or its disk: what ended the run is told
                return False
            if left <= {".lock", ".old"}:
                return True
            time.sleep(_SECONDS_BETWEEN)
        return False


@contextmanager
def claimed(final: Path) -> Iterator[Claim]:
    """Give hidden names in the folder of a final one; whatever has them at the end is removed.

    Errors of files under these names, or of no name, become errors of the final one.
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
    """Release what is still held at the end of a command.

    A signal can fall between the moment that a context is entered and the one that Python knows it.
    """
    with signals_held():
        for claim in list(_held):
            claim.release()


def clear_leftovers(folder: Path) -> None:
    """Remove what killed runs left in a folder, and give back what they were replacing.

    Only hidden names as `Claim` makes them are touched, and of these only such whose lock was
    freed by the end of a process of this computer. Where no lock can tell (another computer's, a
    file system without locks), they are removed when they have been still for a week. Nothing here
    is an error: the folder may be missing, or not be ours.
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
        if not owner and _try_lock(lock) == "taken":  # killed before it had any other name
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
    """Lock an open file until the last process that has it open closes it or ends."""
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
    """Files and folders that a claim made."""
    names = [match[0] for name in os.listdir(prefix.parent) if (match := _NAME.fullmatch(name))]
    return [prefix.with_name(name) for name in names if name.startswith(f"{prefix.name}.")]


def _clear(prefix: Path, name: object) -> None:
    """Remove what a claim made, except its lock; what it was replacing goes back where it was.

    What was replaced stays under its hidden name if nobody knows whose it is.
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
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
