"""Detect a fault of HDF5 files that makes HDF5 hang.

Texts of variable length and references are stored in global heaps. Free space of size 0 in a heap
puts HDF5 2.0 and older into an endless loop in C, which nothing can interrupt.

Format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, "Global Heap"
"""

from __future__ import annotations

import mmap
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 64 << 20
"""Larger files are trusted: to search them takes longer than to read them."""
_SIGNATURE = b"GCOL\x01\0\0\0"
_HEAD = 16
"""Bytes of the header of a heap, and of an object in it, with lengths of 8 bytes."""


def has_endless_heap(path: Path) -> bool:
    """Whether a global heap of the file makes HDF5 hang."""
    status = path.stat()
    if not 0 < status.st_size <= _MOST_BYTES:
        return False
    return _looked_through(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _looked_through(path: Path, size: int, changed_ns: int) -> bool:
    """Search a file; the result is cached for its size and modification time."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_SIGNATURE)
        while at >= 0:
            if _is_endless(data, at):
                return True
            at = data.find(_SIGNATURE, at + 1)
    return False


def _is_endless(data: mmap.mmap, heap: int) -> bool:
    end = min(heap + _number(data, heap + 8), len(data))
    at = heap + _HEAD
    while at + _HEAD <= end:
        index = int.from_bytes(data[at : at + 2], "little")
        size = _number(data, at + 8)
        step = size if index == 0 else _HEAD + (size + 7) // 8 * 8
        if step == 0:
            return True
        at += step
    return False


def _number(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
