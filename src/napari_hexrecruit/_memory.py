"""How much memory there is."""

from __future__ import annotations

from pathlib import Path

__all__ = ["free_bytes"]

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """Memory that this process can still take; None where the system does not say.

    What the system has available, and what is left of the limit of a batch job or container
    (control groups, version 2).
    """
    found = [_available(), _left_of_limit()]
    return min((n for n in found if n is not None), default=None)


def _available() -> int | None:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    kb = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(number) * 1024 for number in kb if number.isdigit()), None)


def _left_of_limit() -> int | None:
    try:
        limit, used = (
            (_CGROUP / name).read_text(encoding="ascii").strip()
            for name in ("memory.max", "memory.current")
        )
    except (OSError, ValueError):
        return None
    return max(int(limit) - int(used), 0) if limit.isdigit() and used.isdigit() else None
