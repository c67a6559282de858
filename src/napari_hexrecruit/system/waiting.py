"""Wait for another thread in a way that can be cancelled."""

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
    """Make waits in the block report to `progress`, and end if it raises.

    Parameters
    ----------
    progress
        Called as ``progress(what, done, total)``; None keeps the one already set.
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
    """Hold a lock during the block; report progress until it is free."""
    while not lock.acquire(timeout=_POLL_S):
        _report()
    try:
        yield
    finally:
        lock.release()


class Kept:
    """Computed values by key: each is computed once, even if several threads need it at once.

    Only threads that need the same key wait for each other. They report progress while they wait,
    so that a cancelled one ends at once. If the computing thread fails or is cancelled, one of the
    waiting threads computes.

    Parameters
    ----------
    most
        Number of most recently used values to keep; None: all.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._values: dict[Hashable, Any] = {}
        self._on_the_way: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()  # held only for look-ups, never while a value is computed

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return ``compute()``, or its kept result for the same key.

        `compute` can get other keys, but not the same one.
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
        """Whether a value is kept, and needs neither computing nor waiting."""
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
