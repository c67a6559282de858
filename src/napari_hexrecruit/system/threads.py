"""Work divided among threads, and work done ahead of its use."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_END = object()


def n_cores() -> int:
    """Return the number of cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parts(n: int, n_parts: int) -> list[tuple[int, int]]:
    """Split ``range(n)`` into consecutive ranges of about equal length."""
    return [(n * k // n_parts, n * (k + 1) // n_parts) for k in range(n_parts)]


@contextmanager
def ahead(items: Iterable[T], n_ahead: int = 2) -> Iterator[Iterator[T]]:
    """Iterate over items that another thread computes ahead.

    Parameters
    ----------
    items
        Items; their exceptions are raised where the items are used.
    n_ahead
        Largest number of waiting items.

    Yields
    ------
    iterator
        Iterator over the items. It ends with the block: no more items are taken, and a generator is
        closed.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, "hexrecruit-ahead") as pool:
        waiting = deque(pool.submit(next, iterator, _END) for _ in range(n_ahead))

        def given() -> Iterator[T]:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(pool.submit(next, iterator, _END))
                yield cast("T", item)

        try:
            yield given()
        finally:
            for taken in waiting:
                taken.cancel()
            pool.submit(getattr(iterator, "close", lambda: None)).result()
