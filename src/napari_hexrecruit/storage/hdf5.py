"""Read HDF5 files of unknown origin safely.

Links to other files, datasets with data elsewhere and sizes that the file cannot contain are
refused before anything is read. Errors of HDF5 become one line that names the file.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.errors import SimulationDataError, one_line
from napari_hexrecruit.storage.heaps import has_endless_heap
from napari_hexrecruit.storage.paths import absence
from napari_hexrecruit.system.memory import free_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py

    from napari_hexrecruit.errors import Text

_MOST_COMPRESSED = 1_100
"""Largest compression factor: deflate reaches 1,032 (https://zlib.net/zlib_tech.html). A dataset
that claims more than its file can contain is refused."""
_SMALL_BYTES = 1 << 20
_ROWS = 1 << 16
"""Fewest rows to read at a time."""
_PADDING = "\0 \t\r\n"
"""Characters that pad texts of fixed length."""
_UNITS = ("units", "unit")
"""Names of the attribute with a unit, in any capitalisation; the first is SONATA's."""
_MOST_LINKS = 16
_RAISED = (
    *(OSError, RuntimeError, ValueError, KeyError, TypeError, IndexError, OverflowError),
    *(MemoryError, SystemError, NotImplementedError),
)
"""Exceptions that h5py raises for damaged files."""


class _Place:
    """Location of an item in a file; its text is made only if needed, because that is slow."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def __str__(self) -> str:
        return f"{self._item.file.filename}: {self._item.name}"


@contextmanager
def h5_errors(where: str | Path | _Place) -> Iterator[None]:
    """Convert errors of h5py in the block to one line that begins with `where`."""
    try:
        yield
    except SimulationDataError:
        raise
    except _RAISED as error:
        raise SimulationDataError(
            str(where), f"cannot be read ({one_line(error)})", "is the file complete?"
        ) from error


@contextmanager
def open_h5(path: Path, what: str, remedy: Text) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Parameters
    ----------
    path
        The file.
    what
        Description of the file for the user, such as ``the spikes file``.
    remedy
        What to do if it does not exist.

    Raises
    ------
    SimulationDataError
        If it does not exist, is being written, or is not a complete HDF5 file.
    """
    import h5py

    if not path.is_file():
        raise SimulationDataError(path, f"{what} {absence(path)}", remedy)
    try:
        if has_endless_heap(path):
            raise OSError("a heap in it has no end")
        file = h5py.File(path, "r")
    except BlockingIOError as error:
        raise SimulationDataError(
            path, f"{what} is open in a program that writes it", "wait until that has ended"
        ) from error
    except PermissionError as error:
        raise SimulationDataError(
            path, f"{what} may not be read", "ask its owner for permission"
        ) from error
    except _RAISED as error:
        raise SimulationDataError(path, f"{_fault(path, what, error)}") from error
    with file:
        yield file


def child(parent: Any, name: str, n_links: int = 0) -> Any:
    """Return a group or dataset in a group; None if it is missing or only a type.

    Parameters
    ----------
    parent, name
        The group, and the name in it.
    n_links
        Number of links followed so far.

    Raises
    ------
    SimulationDataError
        If it is a link into another file, or links go in a circle.
    """
    import h5py

    with h5_errors(_Place(parent)):
        link = parent.get(name, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.HardLink):
            found = parent[name]
            return None if isinstance(found, h5py.Datatype) else found
        where = f"{parent.file.filename}: {parent.name.rstrip('/')}/{name}"
        if isinstance(link, h5py.ExternalLink):
            raise SimulationDataError(
                where,
                f"is a link into the file {link.filename!r}, which is not followed",
                "copy the data into one file (h5repack, h5copy)",
            )
        if isinstance(link, h5py.SoftLink):
            return _follow(parent, link.path, where, n_links + 1)
        found = parent[name]
        return None if isinstance(found, h5py.Datatype) else found


def child_names(parent: Any) -> list[str]:
    """Return the names in a group, sorted."""
    with h5_errors(_Place(parent)):
        return sorted(str(name) for name in parent)


def row_of_numbers(dataset: Any, where: str, kinds: str = "iuf") -> Any:
    """Check that a dataset is one row of numbers with all data in the file, and return it.

    Raises
    ------
    SimulationDataError
        If it is not; the message begins with `where`.
    """
    with h5_errors(where):
        if not hasattr(dataset, "dtype") or dataset.shape is None:
            raise SimulationDataError(where, "is not a row of numbers")
        if dataset.ndim != 1 or dataset.dtype.kind not in kinds:
            raise SimulationDataError(
                where, f"is {dataset.dtype} of shape {dataset.shape}, not a row of numbers"
            )
        check_bytes(dataset, where)
    return dataset


def rows_at_a_time(dataset: Any) -> int:
    """Return how many rows to read at once: whole chunks, to decompress each only once."""
    rows = int(dataset.chunks[0]) if dataset.chunks else 1
    return -(-_ROWS // rows) * rows


def counts_up(dataset: Any, where: str) -> bool:
    """Whether whole numbers are 0, 1, 2, ...; reads block by block."""
    step, size = rows_at_a_time(dataset), int(dataset.shape[0])
    with h5_errors(where):
        for first in range(0, size, step):
            last = min(first + step, size)
            if not np.array_equal(dataset[first:last].astype(np.int64), np.arange(first, last)):
                return False
    return True


def is_all(dataset: Any, value: int, where: str) -> bool:
    """Whether all whole numbers equal `value`; reads block by block."""
    step, size = rows_at_a_time(dataset), int(dataset.shape[0])
    with h5_errors(where):
        parts = (dataset[first : first + step] for first in range(0, size, step))
        return all(bool((part == value).all()) for part in parts)


def check_bytes(dataset: Any, where: str) -> None:
    """Refuse a dataset with data in other files, or that claims more than the file contains."""
    if dataset.external or dataset.is_virtual:
        raise SimulationDataError(
            where,
            "its values are in other files, which are not followed",
            "copy the data into one file (h5repack)",
        )
    claimed, size = int(dataset.nbytes), os.path.getsize(dataset.file.filename)
    if claimed > _MOST_COMPRESSED * max(size, _SMALL_BYTES):
        raise SimulationDataError(
            where, f"claims {claimed:,} bytes in a file of {size:,}", "is the file complete?"
        )
    written = int(dataset.id.get_storage_size())
    packed = dataset.id.get_create_plist().get_nfilters() > 0
    # If nothing was written, all values are the fill value, as for node types in many files.
    if written and claimed > max(_SMALL_BYTES, written * (_MOST_COMPRESSED if packed else 1)):
        raise SimulationDataError(
            where,
            f"claims {claimed:,} bytes, of which {written:,} were written",
            "is it still being written?",
        )


def check_memory(n_bytes: int, where: str) -> None:
    """Refuse data that do not fit into the free memory."""
    free = free_bytes()
    if free is not None and n_bytes > free:
        raise SimulationDataError(
            where,
            f"needs {n_bytes / 2**30:,.1f} GB of memory, and {free / 2**30:,.1f} GB are free",
            "free some, or use a machine with more memory",
        )


def attribute_text(item: Any, name: str) -> str | None:
    """Return an attribute as text, an enumeration by its name; None if it is missing or empty.

    An array of one text is read as that text, because HDFView, MATLAB and netCDF4 write arrays.

    Raises
    ------
    SimulationDataError
        If it holds several values, or cannot be read.
    """
    import h5py

    where = f"{item.file.filename}: {item.name}, attribute {name!r}"
    with h5_errors(where):
        if name not in item.attrs:
            return None
        value, kind = item.attrs[name], item.attrs.get_id(name).dtype
        if isinstance(value, h5py.Empty):
            return None
        values = np.ravel(np.asarray(value, dtype=object)).tolist()
        if len(values) > 1:
            listed = ", ".join(repr(_as_text(one)) for one in values[:3])
            raise SimulationDataError(
                where, f"holds {len(values)} values ({listed}), not one", "correct the file"
            )
        if not values:
            return None
        names = h5py.check_enum_dtype(kind) or {}
        named = {int(number): str(text) for text, number in names.items()}
        text = named.get(int(values[0]), str(values[0])) if named else _as_text(values[0])
        return text.strip(_PADDING) or None


def unit_text(*items: Any) -> str | None:
    """Return the unit that an attribute of an item states, the first item first; None for none."""
    for item in items:
        with h5_errors(_Place(item)):
            by_lower = {str(name).lower(): str(name) for name in item.attrs}
        for name in _UNITS:
            text = attribute_text(item, by_lower[name]) if name in by_lower else None
            if text is not None:
                return text
    return None


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _follow(parent: Any, path: str, where: str, n_links: int) -> Any:
    """Return the target of a soft link, checking each step."""
    if n_links > _MOST_LINKS:
        raise SimulationDataError(where, "is a link in a circle")
    here = parent.file if path.startswith("/") else parent
    for part in [part for part in path.split("/") if part not in ("", ".")]:
        here = child(here, part, n_links)
        if here is None:
            raise SimulationDataError(where, f"is a link to {path!r}, which does not exist")
    return here


def _fault(path: Path, what: str, error: Exception) -> str:
    if path.stat().st_size == 0:
        return f"{what} is empty: is it still being written?"
    with open(path, "rb") as stream:
        if stream.read(8) != b"\x89HDF\r\n\x1a\n":
            return f"{what} is not an HDF5 file: name another one"
    text = one_line(error)
    if "truncated file" in text:
        return f"{what} is cut off, its end is missing: is it complete? copy it again"
    if "lock file" in text:  # just "lock" would match "sblock", in errors of truncated files
        return f"{what} is open in a program that writes it: wait until that has ended"
    return f"{what} cannot be opened ({text}): is it complete?"
