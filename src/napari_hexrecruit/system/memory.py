"""The free memory."""

from __future__ import annotations

from pathlib import Path

_CGROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 62
"""Numbers from here on mean no limit: version 1 writes one near 2**63."""


def free_bytes(*, cgroups: Path = _CGROUPS, mount: Path = _MOUNT) -> int | None:
    """Return the memory that this process can still use, bytes; None if unknown.

    It is the available memory of the system, or less if a control group of a batch job or container
    has a lower limit.

    Parameters
    ----------
    cgroups
        File that names the control groups of this process.
    mount
        Folder of their files.
    """
    found = [_available(), *_left_of_limits(cgroups, mount)]
    return min((n for n in found if n is not None), default=None)


def _available() -> int | None:
    import psutil

    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError, NotImplementedError):
        return None


def _left_of_limits(cgroups: Path, mount: Path) -> list[int]:
    """Return the memory left in each group of the process and in the groups around it."""
    left = []
    for folder, names in _groups(cgroups, mount):
        limit, used, cache = _number(folder / names[0]), _number(folder / names[1]), names[2]
        if limit is not None and used is not None and limit < _NO_LIMIT:
            reclaimable = _field(folder / "memory.stat", cache)
            left.append(max(limit - max(used - reclaimable, 0), 0))
    return left


_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""Files of limit and usage, and the field of file caches, which the kernel can free."""


def _groups(cgroups: Path, mount: Path) -> list[tuple[Path, tuple[str, str, str]]]:
    """Return the folders of the groups, innermost first, and the names of their files."""
    try:
        lines = cgroups.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            root, names = mount, _VERSION_2
        elif "memory" in controllers.split(","):
            root, names = mount / "memory", _VERSION_1
        else:
            continue
        # In a container the path can be that of the host, which is missing here: the root is used.
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        found += [(root.joinpath(*parts[:n]), names) for n in range(len(parts), -1, -1)]
    return found


def _number(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None


def _field(file: Path, name: str) -> int:
    """Return a number from a file of names and numbers; 0 if it is missing."""
    try:
        pairs = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return 0
    return next((int(p[1]) for p in pairs if len(p) == 2 and p[0] == name and p[1].isdigit()), 0)
