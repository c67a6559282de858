"""Waiting for another thread, so that the one that waits can still be told to end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

T = TypeVar("T")

_POLL_S = 0.05
_WAITING = "waiting for other work on these files"

_progress: ContextVar[Callable[[str, int, int], None] | None] = ContextVar("progress", default=None)


@contextmanager
def interrupted_by(progress: Callable[[str, int, int], None] | None) -> Iterator[None]:
    """Let waits in the block report to `progress`, and end when that raises.

    Parameters
    ----------
    progress
        Called as ``progress(what, done, total)``; None leaves what was said before.
    """
    if progress is None:
        yield
        return
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


@contextmanager
def held(lock: Any) -> Iterator[None]:
    """Hold a lock during the block; until it is free, report progress."""
    while not lock.acquire(timeout=_POLL_S):
        _report()
    try:
        yield
    finally:
        lock.release()


class Kept:
    """What was computed, by key: once, also where several threads ask for the same at once.

    Only those that need the same key wait for each other. While they wait they report progress, so
    a cancelled one ends at once. Where the computing thread fails or is cancelled, one of those
    that wait computes.

    Parameters
    ----------
    most
        How many values are kept, those that were used last; None: all of them.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._values: dict[Hashable, Any] = {}
        self._on_the_way: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()  # held for look-ups only, never while something is computed

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """``compute()``, or what it gave for the same key before.

        A value may need others for itself, but not itself.
        """
        ended = threading.Event()
        while True:
            with self._lock:
                if key in self._values:
                    self._values[key] = self._values.pop(key)
                    value: T = self._values[key]
                    return value
                others = self._on_the_way.setdefault(key, ended)
            if others is ended:
                return self._compute(key, compute, ended)
            while not others.wait(_POLL_S):
                _report()

    def has(self, key: Hashable) -> bool:
        """Whether a value is there, so that it need not be computed or waited for."""
        with self._lock:
            return key in self._values

    def _compute(self, key: Hashable, compute: Callable[[], T], ended: threading.Event) -> T:
        try:
            value = compute()
            with self._lock:
                self._values[key] = value
                while self._most is not None and len(self._values) > self._most:
                    del self._values[next(iter(self._values))]
            return value
        finally:
            with self._lock:
                del self._on_the_way[key]
            ended.set()


def _report() -> None:
    progress = _progress.get()
    if progress is not None:
        progress(_WAITING, 0, 1)
