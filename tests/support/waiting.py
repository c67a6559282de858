"""Waiting for what happens elsewhere: a wait ends with the event, and nothing is asserted of time.

The patience is the time after which a test is taken to hang; no test that passes waits for it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 120.0
PATIENCE_MS = 120_000


def wait_until(condition: Callable[[], Any]) -> None:
    """Look again and again until something is so that another process or thread makes so."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it has not happened in {PATIENCE_S:g} s")
        time.sleep(0.002)


def work_until_cancelled(
    progress: Callable[[str, int, int], None],
    what: str = "spikes",
    free: threading.Event | None = None,
) -> None:
    """Work that ends where its progress callback raises, or once it is set free."""
    free = threading.Event() if free is None else free
    while not free.wait(0.01):
        progress(what, 1, 100)


def threads_of_work() -> list[str]:
    """Names of the threads in which this package counts and reads ahead."""
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if name.startswith(("hexrecruit-count", "hexrecruit-ahead"))]
