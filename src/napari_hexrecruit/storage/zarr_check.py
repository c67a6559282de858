"""Check zarr folders before zarr opens them.

zarr allocates the memory that chunks claim before it reads them, follows metadata of format 2 to
filters that unpickle, and raises all kinds of errors for invalid metadata.
"""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MARK = "zarr.json"
_LARGEST_MARK = 10_000_000
_CODECS = frozenset(
    ("blosc", "bytes", "crc32c", "gzip", "sharding_indexed", "transpose", "vlen-utf8", "zstd")
)
"""Codecs of the zarr 3 specification and of text; none executes what it reads."""
_MOST_DIMENSIONS = 32
_MOST_CHUNKS = 1 << 24
_MOST_CHUNK_VALUES = 1 << 24
"""Most values of a chunk that is larger than its array."""
_SMALL_BYTES, _MOST_COMPRESSED = 1 << 28, 1_100
"""Claims that are trusted: in bytes, because chunks of zeros have no file, and per stored byte."""
_VALUE_BYTES = 8


def check_zarr(folder: Path) -> None:
    """Refuse a folder that is more than a flat list of arrays, or claims more data than it has.

    Parameters
    ----------
    folder
        An existing folder.

    Raises
    ------
    SimulationDataError
        If it is not a group of zarr format 3, or has unreadable metadata, codecs that are not in
        the specification, chunks larger than their array, or coordinates that claim more than their
        files can contain.
    """
    with _about(folder, folder / _MARK):
        _check_group(_metadata(folder / _MARK))
    for mark in sorted(folder.glob(f"*/{_MARK}")):
        with _about(folder, mark):
            _check_array(mark, _metadata(mark))


@contextmanager
def _about(folder: Path, mark: Path) -> Iterator[None]:
    """Add the name of the faulty file to an error."""
    try:
        yield
    except _Fault as fault:
        name = mark.relative_to(folder).as_posix()
        raise SimulationDataError(
            folder, f"cannot be read as a zarr store ({name} {fault})", "compute it again"
        ) from fault


class _Fault(Exception):
    """A fault of a file."""


def _check_group(group: Mapping[str, Any]) -> None:
    if group.get("node_type") != "group" or group.get("zarr_format") != 3:
        raise _Fault("is not that of a group of zarr format 3")
    if not isinstance(group.get("attributes", {}), dict):
        raise _Fault("has attributes that are not a mapping")


def _check_array(mark: Path, array: Mapping[str, Any]) -> None:
    if array.get("node_type") != "array" or array.get("zarr_format") != 3:
        raise _Fault("is not that of an array of zarr format 3")
    shape = _lengths(array.get("shape"))
    if shape is None or len(shape) > _MOST_DIMENSIONS:
        raise _Fault(f"has the shape {array.get('shape')!r}")
    if not isinstance(array.get("attributes", {}), dict):
        raise _Fault("has attributes that are not a mapping")
    unknown = sorted(set(_codec_names(array)) - _CODECS)
    if unknown:
        raise _Fault(f"names the codec {unknown[0]!r}, which is not read")
    n_values = math.prod(shape)
    for chunk in _chunk_shapes(array):
        lengths = _lengths(chunk)
        if lengths is None or len(lengths) != len(shape) or 0 in lengths:
            raise _Fault(f"has chunks of the shape {chunk!r}")
        if math.prod(lengths) > max(_MOST_CHUNK_VALUES, 2 * n_values):
            raise _Fault(f"has chunks of {math.prod(lengths):,} values")
        if math.prod(map(_ceil, shape, lengths)) > _MOST_CHUNKS:
            raise _Fault(f"has {n_values:,} values in chunks of {math.prod(lengths):,}")
    names = array.get("dimension_names")
    if not (isinstance(names, list) and {TIME, HEX} <= {str(name) for name in names}):
        _check_held(mark, n_values)


def _check_held(mark: Path, n_values: int) -> None:
    """Refuse an array that claims more than its files can contain, because it is read at once."""
    claimed = n_values * _VALUE_BYTES
    if claimed > _SMALL_BYTES:
        size = sum(path.stat().st_size for path in mark.parent.rglob("*") if path.is_file())
        if claimed > _MOST_COMPRESSED * size:
            raise _Fault(f"claims {n_values:,} values, and its files have {size:,} bytes")


def _metadata(mark: Path) -> dict[str, Any]:
    if not mark.is_file():
        raise _Fault("is missing")
    if mark.stat().st_size > _LARGEST_MARK:
        raise _Fault(f"has more than {_LARGEST_MARK:,} bytes")
    try:
        content = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _Fault(f"is not JSON ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise _Fault("is not a JSON object")
    return content


def _chunk_shapes(array: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the shapes of files, and of the chunks in them."""
    yield _at(array, "chunk_grid", "configuration", "chunk_shape")
    for codec in _codecs(array):
        if codec.get("name") == "sharding_indexed":
            yield _at(codec, "configuration", "chunk_shape")


def _codec_names(array: Mapping[str, Any]) -> Iterator[str]:
    return (str(codec.get("name")) for codec in _codecs(array))


def _codecs(holder: Mapping[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield all codecs, including those within shards."""
    for key in ("codecs", "index_codecs"):
        listed = holder.get(key, [])
        for codec in listed if isinstance(listed, list) else [listed]:
            named = codec if isinstance(codec, dict) else {"name": codec}
            yield named
            inner = named.get("configuration")
            if isinstance(inner, dict) and depth < _MOST_DIMENSIONS:
                yield from _codecs(inner, depth + 1)


def _at(holder: Any, *keys: str) -> Any:
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder


def _lengths(value: Any) -> list[int] | None:
    """Return lengths of axes; None if the value is not a list of lengths."""
    if not isinstance(value, list):
        return None
    whole = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**62 for n in value)
    return value if whole else None


def _ceil(length: int, chunk: int) -> int:
    return -(-length // chunk)
