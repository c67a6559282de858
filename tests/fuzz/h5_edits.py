"""Changes to the structure of an HDF5 file, made with h5py."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["edit_h5", "h5_edits"]

_DTYPES = (
    *("i1", "u1", "<i8", ">i8", "<u8", ">u4", "f2", "f4", ">f8", "g", "c16", "bool", "S1", "S7"),
    *("vlen-str", "vlen-bytes", "vlen-int", "compound", "opaque", "enum", "reference", "regref"),
    *("array", "S0-like", "compound-nested", "datetime"),
)
_SHAPES = ("scalar", "null", "empty", "2d", "3d", "short", "long", "one", "column")
_SIZES = (10**4, 10**6, 10**8, 10**9, 10**12, 2**31 - 1, 2**31, 2**32, 2**40, 2**60, 2**63 - 8)
_VALUES = (
    *("nan", "inf", "-inf", "minus one", "huge", "reversed", "zeros", "max", "1e-320", "1e300"),
    *("min", "constant", "shuffled"),
)
_NAMES = ("timestamps", "node_ids", "0", "1", "cortex", "@library", "node_type_id", "spikes", "é")
_ATTRIBUTES = (
    *("units", "sorting", "magic", "DIMENSION_LIST", "CLASS", "NAME", "REFERENCE_LIST"),
    *("_FillValue", "scale_factor", "add_offset", "_Netcdf4Dimid", "coordinates", "bounds"),
    *("calendar", "dtype", "missing_value", "schema_version", "hex_radius", "bin_ms", "recipe"),
    *("notes", "title", "_NCProperties", "flat_units", "population", "n_neurons_selected"),
)
_ODD = (
    *("text", "bytes", "empty", "array", "huge array", "number", "nan", "reference", "compound"),
    *("bad utf-8", "list of texts", "enum", "vlen", "json", "long", "zero", "inf", "minus", "big"),
)
_FILTERS = ("gzip", "lzf", "shuffle", "fletcher", "scaleoffset", "unknown", "unknown optional")

_CANNOT = (
    *(ValueError, TypeError, KeyError, OSError, RuntimeError, OverflowError, AttributeError),
    *(IndexError, MemoryError),
)
"""What HDF5 and numpy raise for an edit that a file does not allow."""

_which = st.integers(0, 255)
h5_edits = st.one_of(
    st.tuples(st.just("drop"), _which),
    st.tuples(st.just("retype"), _which, st.sampled_from(_DTYPES)),
    st.tuples(st.just("reshape"), _which, st.sampled_from(_SHAPES)),
    st.tuples(
        st.just("claim"), _which, st.sampled_from(_SIZES), st.sampled_from((0, 1, 2, 3, 4, 5))
    ),
    st.tuples(st.just("claim"), _which, st.integers(1, 2**40), st.sampled_from((0, 1, 2, 3, 4, 5))),
    st.tuples(st.just("values"), _which, st.sampled_from(_VALUES)),
    st.tuples(st.just("external"), _which, st.sampled_from(("itself", "other", "absent", "pipe"))),
    st.tuples(
        st.just("soft"), _which, st.sampled_from(("loop", "absent", "/", ".", "..", "sibling"))
    ),
    st.tuples(st.just("cycle"), _which),
    st.tuples(st.just("storage"), _which, st.sampled_from(("other.bin", "/etc/passwd", "absent"))),
    st.tuples(st.just("virtual"), _which, st.sampled_from(("other.h5", "absent.h5", "."))),
    st.tuples(st.just("into group"), _which),
    st.tuples(st.just("into dataset"), _which),
    st.tuples(st.just("into type"), _which),
    st.tuples(st.just("attribute"), _which, st.sampled_from(_ATTRIBUTES), st.sampled_from(_ODD)),
    st.tuples(st.just("forget"), _which, st.integers(0, 15)),
    st.tuples(st.just("rename"), _which, st.sampled_from(_NAMES) | st.text(min_size=1, max_size=4)),
    st.tuples(st.just("filter"), _which, st.sampled_from(_FILTERS)),
    st.tuples(st.just("crowd"), _which, st.sampled_from((10, 300))),
    st.tuples(st.just("deep"), _which, st.sampled_from((5, 200))),
    st.tuples(st.just("twin"), _which, _which),
)


def edit_h5(path: Path, edits: list[list[Any]]) -> None:
    """Make all edits that HDF5 itself lets one make."""
    with h5py.File(path, "r+") as file:
        for name, which, *args in edits:
            names: list[str] = []
            file.visit(names.append)
            if not names:
                return
            target = sorted(names)[which % len(names)]
            with contextlib.suppress(*_CANNOT):
                _edit(file, target, name, args)


def _edit(file: Any, target: str, name: str, args: list[Any]) -> None:
    if name in _ON_LINKS:
        _ON_LINKS[name](file, target, *args)
        return
    if name in _ON_OBJECTS:
        _ON_OBJECTS[name](file, file[target], *args)
        return
    item = file[target]
    if isinstance(item, h5py.Dataset):
        _ON_DATASETS[name](file, item, *args)


def _replace(file: Any, item: Any, **options: Any) -> Any:
    """A dataset in place of another one, with its attributes."""
    name, attributes = item.name, {}
    for key in item.attrs:
        with contextlib.suppress(OSError, TypeError):
            attributes[key] = item.attrs[key]
    del file[name]
    new = file.create_dataset(name, **options)
    for key, value in attributes.items():
        with contextlib.suppress(OSError, TypeError, ValueError):
            new.attrs[key] = value
    return new


# --- datasets ------------------------------------------------------------------------------------


def _dtype(name: str) -> Any:
    special = {
        "vlen-str": h5py.string_dtype(),
        "vlen-bytes": h5py.string_dtype("ascii"),
        "vlen-int": h5py.vlen_dtype(np.int32),
        "compound": np.dtype([("a", "i4"), ("b", "f8")]),
        "compound-nested": np.dtype([("a", [("c", "S3")]), ("b", "f8", (2,))]),
        "opaque": np.dtype("V5"),
        "enum": h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1"),
        "reference": h5py.ref_dtype,
        "regref": h5py.regionref_dtype,
        "array": np.dtype("(3,)f4"),
        "S0-like": h5py.string_dtype("utf-8", 1),
        "datetime": h5py.opaque_dtype(np.dtype("M8[s]")),
    }
    return special[name] if name in special else np.dtype(name)


def _retype(file: Any, item: Any, kind: str) -> None:
    dtype, n = _dtype(kind), item.shape
    values = item[()] if item.shape is not None else None
    try:
        data = np.asarray(values).astype(dtype)
    except (ValueError, TypeError):
        _replace(file, item, shape=n, dtype=dtype)
        return
    if kind.startswith("vlen-") and kind != "vlen-int":
        data = np.array([str(value) for value in np.ravel(values)], dtype=object).reshape(n)
    _replace(file, item, data=data, dtype=dtype)


def _reshape(file: Any, item: Any, shape: str) -> None:
    values = np.ravel(item[()])
    if shape == "null":
        _replace(file, item, data=h5py.Empty(item.dtype))
        return
    n = len(values)
    data = {
        "scalar": lambda: values[0],
        "empty": lambda: values[:0],
        "2d": lambda: np.stack([values, values], axis=1),
        "3d": lambda: values.reshape(1, n, 1),
        "short": lambda: values[: n // 2],
        "long": lambda: np.concatenate([values, values]),
        "one": lambda: values[:1],
        "column": lambda: values.reshape(-1, 1),
    }[shape]()
    _replace(file, item, data=data)


def _claim(file: Any, item: Any, n: int, how: int) -> None:
    """Room for far more values than were written."""
    options: dict[str, Any] = {"shape": (n, *item.shape[1:]), "dtype": item.dtype}
    if how in (1, 2, 3):
        options["chunks"] = (min(n, 1 << 16), *item.shape[1:])
    if how in (2, 3):
        options["compression"] = "gzip"
    if how == 3:
        options["fillvalue"] = 1
    if how == 4:
        options |= {"maxshape": (None, *item.shape[1:]), "chunks": (1 << 20, *item.shape[1:])}
    values = item[()]
    new = _replace(file, item, **options)
    if how != 0 and n * new.dtype.itemsize < 1 << 62:  # HDF5 itself ends there
        new[: len(values)] = values[:n]


def _values(file: Any, item: Any, which: str) -> None:
    values = item[()]
    if which in ("nan", "inf", "-inf", "1e300", "1e-320"):
        values[len(values) // 2 :: 3] = float(which)
    elif which == "minus one":
        values[:] = -1
    elif which in ("huge", "max"):
        values[::2] = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1e308
    elif which == "min":
        values[::2] = np.iinfo(values.dtype).min if values.dtype.kind in "iu" else -1e308
    elif which == "reversed":
        values = values[::-1].copy()
    elif which == "shuffled":
        values = np.random.default_rng(0).permutation(values)
    else:
        values[:] = 0 if which == "zeros" else values[0]
    item[...] = values


def _storage(file: Any, item: Any, where: str) -> None:
    _replace(
        file, item, shape=item.shape, dtype=item.dtype, external=[(where, 0, h5py.h5f.UNLIMITED)]
    )


def _virtual(file: Any, item: Any, where: str) -> None:
    name, shape, dtype = item.name, item.shape, item.dtype
    layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
    layout[...] = h5py.VirtualSource(where, "data", shape=shape, dtype=dtype)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _filter(file: Any, item: Any, name: str) -> None:
    if name.startswith("unknown"):
        _unknown_filter(file, item, optional=name.endswith("optional"))
        return
    options: dict[str, Any] = {
        "gzip": {"compression": "gzip"},
        "lzf": {"compression": "lzf"},
        "shuffle": {"shuffle": True},
        "fletcher": {"fletcher32": True},
        "scaleoffset": {"scaleoffset": 3},
    }[name]
    _replace(file, item, data=item[()], **options)


def _unknown_filter(file: Any, item: Any, *, optional: bool) -> None:
    """Chunks that say they went through a filter that this computer lacks."""
    name, values = item.name, item[()]
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(values.shape)
    plist.set_filter(32_015, h5py.h5z.FLAG_OPTIONAL, ())
    del file[name]
    space = h5py.h5s.create_simple(values.shape)
    kind = h5py.h5t.py_create(values.dtype, logical=True)
    made = h5py.h5d.create(file.id, name.encode(), kind, space, plist)
    made.write_direct_chunk((0,) * values.ndim, values.tobytes(), int(optional))


# --- objects and links ---------------------------------------------------------------------------


def _odd_value(file: Any, kind: str) -> tuple[Any, Any]:
    values: dict[str, Any] = {
        "text": ("by_time", None),
        "bytes": (np.bytes_("ms"), None),
        "empty": (h5py.Empty("f4"), None),
        "array": (np.arange(3), None),
        "huge array": (np.zeros(8000), None),
        "number": (7, None),
        "zero": (0, None),
        "minus": (-1.0, None),
        "big": (2**62, None),
        "nan": (np.nan, None),
        "inf": (np.inf, None),
        "reference": (file.ref, h5py.ref_dtype),
        "compound": (np.zeros(2, np.dtype([("a", "i4"), ("b", "f8")])), None),
        "bad utf-8": (b"\xff\xfe\xfa", h5py.string_dtype("utf-8", 3)),
        "list of texts": (["a", "b"], h5py.string_dtype()),
        "enum": (9, h5py.enum_dtype({"none": 0, "by_id": 1}, basetype="u1")),
        "vlen": (np.arange(4), None),
        "json": ('{"a": [1, NaN], "b": {}', None),
        "long": ("x" * 60_000, None),
    }
    return values[kind]


def _attribute(file: Any, item: Any, name: str, kind: str) -> None:
    value, dtype = _odd_value(file, kind)
    item.attrs.create(name, value, dtype=dtype)


def _forget(_: Any, item: Any, which: int) -> None:
    names = sorted(item.attrs)
    if names:
        del item.attrs[names[which % len(names)]]


def _deep(_: Any, item: Any, n: int) -> None:
    item.create_group("/".join(["d"] * n))


def _crowd(_: Any, item: Any, n: int) -> None:
    for i in range(n):
        item.create_group(f"g{i}")


def _relink(file: Any, target: str, link: Any) -> None:
    del file[target]
    file[target] = link


def _external(file: Any, target: str, where: str) -> None:
    names = {"itself": file.filename, "other": "other.h5", "absent": "no.h5", "pipe": "pipe"}
    _relink(file, target, h5py.ExternalLink(names[where], "/" if where == "itself" else "/data"))


def _soft(file: Any, target: str, where: str) -> None:
    parent = file[target].parent
    sibling = f"{parent.name.rstrip('/')}/{sorted(parent)[0]}"
    path = {"loop": "/" + target, "absent": "/nowhere", "sibling": sibling}.get(where, where)
    _relink(file, target, h5py.SoftLink(path))


def _cycle(file: Any, target: str) -> None:
    parent = file[target].parent
    _relink(file, target, parent)


def _twin(file: Any, target: str, which: int) -> None:
    names: list[str] = []
    file.visit(names.append)
    _relink(file, target, file[sorted(names)[which % len(names)]])


def _into_group(file: Any, target: str) -> None:
    del file[target]
    file.create_group(target)["timestamps"] = np.arange(3.0)


_ON_DATASETS = {
    "retype": _retype,
    "reshape": _reshape,
    "claim": _claim,
    "values": _values,
    "storage": _storage,
    "virtual": _virtual,
    "filter": _filter,
}
_ON_OBJECTS = {"attribute": _attribute, "forget": _forget, "deep": _deep, "crowd": _crowd}
_ON_LINKS = {
    "drop": lambda file, target: file.__delitem__(target),
    "external": _external,
    "soft": _soft,
    "cycle": _cycle,
    "twin": _twin,
    "into group": _into_group,
    "into dataset": lambda file, target: _relink(file, target, np.arange(5)),
    "into type": lambda file, target: _relink(file, target, np.dtype("f8")),
    "rename": lambda file, target, new: file.move(target, f"{file[target].parent.name}/{new}"),
}
