"""Texts in a nodes file: strings, codes of a library, names of an enumeration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.hdf5 import check_bytes, child, h5_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_hexrecruit.values import Column

_MOST_TEXTS = 1 << 20
"""Most texts of a library; circuits have some hundred, or one per morphology."""
_LIBRARY = "@library"
_BLOCK = 1 << 18
"""Texts to hold as Python objects, or codes to look up, at a time."""


def library(part: Any, name: str, where: str) -> list[str] | None:
    """Return the texts of a property's library; None without a library.

    Raises
    ------
    SimulationDataError
        If the library is not a list of texts.
    """
    libraries = child(part, _LIBRARY)
    found = child(libraries, name) if hasattr(libraries, "keys") else None
    if found is None or not hasattr(found, "dtype"):
        return None
    where = f"{where}: @library of {name!r}"
    with h5_errors(where):
        if not found.size:  # an empty list written by h5py has a numeric type
            return []
        if found.ndim != 1 or found.dtype.kind not in "OSU":
            raise SimulationDataError(where, "is not a list of texts", "correct the nodes file")
        check_bytes(found, where)
        if found.shape[0] > _MOST_TEXTS:
            raise SimulationDataError(
                where, f"claims {found.shape[0]:,} texts, too many", "correct the nodes file"
            )
        return [_decoded(value) for value in found[:]]


def enumeration(item: Any) -> dict[int, str] | None:
    """Return the names of an HDF5 enumeration's values; None for other datasets."""
    import h5py

    named = h5py.check_enum_dtype(item.dtype) if item.dtype.kind in "iu" else None
    return None if named is None else {int(number): str(name) for name, number in named.items()}


def by_codes(
    codes: npt.NDArray[Any], texts: list[str], where: str, node: Callable[[int], int]
) -> Column:
    """Return text from library codes; a text that the library repeats becomes one category.

    Code -1 is a missing value, as written by pandas. In an unsigned type it becomes the largest
    number, which is a missing value too, unless the library is that long.

    Parameters
    ----------
    codes
        Code of each node; real numbers must be whole, or NaN for a missing value.
    texts
        Texts of the library.
    where
        Start of an error.
    node
        Returns the ``node_id`` of a position in `codes`.

    Raises
    ------
    SimulationDataError
        If the library lacks a code.
    """
    import pandas as pd

    categories, merged = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
    table = np.append(merged, -1).astype(np.min_scalar_type(-max(len(categories), 1)))
    found = np.empty(len(codes), dtype=table.dtype)
    for first in range(0, len(codes), _BLOCK):
        block = slice(first, first + _BLOCK)
        rows, wrong = _rows_of(codes[block], len(texts))
        if wrong.any():
            at = first + int(np.argmax(wrong))
            raise SimulationDataError(
                where,
                f"node {node(at)} has the code {codes[at]}, and its library has {len(texts)}"
                " values, from code 0",
                "correct the nodes file",
            )
        found[block] = table[rows]
    return pd.Categorical.from_codes(found, categories=pd.Index(categories, dtype=object))


def _rows_of(
    codes: npt.NDArray[Any], n_texts: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the position of each code's text, after the last for none; and wrong codes."""
    if codes.dtype.kind in "iu" and codes.min() >= 0 and codes.max() < n_texts:
        return codes, np.zeros(0, dtype=bool)
    if codes.dtype.kind == "f":
        codes = np.where(np.isnan(codes), -1.0, codes)
    missing = codes == _missing_code(codes.dtype, n_texts)
    wrong = ~missing & ((codes < 0) | (codes >= n_texts))
    if codes.dtype.kind == "f":
        wrong |= codes != np.round(codes)
    return np.where(missing | wrong, n_texts, codes).astype(np.int64), wrong


def strings(item: Any) -> Column:
    """Convert a dataset of texts to codes, block by block."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    blocks = [
        pd.Categorical([_decoded(value) for value in item[at : at + _BLOCK]])
        for at in range(0, max(item.shape[0], 1), _BLOCK)
    ]
    joined: Any = union_categoricals(blocks, sort_categories=True)
    return joined  # type: ignore[no-any-return]


def _missing_code(kind: np.dtype[Any], n_texts: int) -> int:
    if kind.kind == "u" and n_texts <= np.iinfo(kind).max:
        return int(np.iinfo(kind).max)
    return -1


def _decoded(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
