"""Columns of numbers that are read block by block and not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.storage.hdf5 import (
    check_bytes,
    check_memory,
    h5_errors,
    rows_at_a_time,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_AXES = ("x", "y", "z")


class NumberColumn:
    """A dataset whose row k is the value of node k.

    Parameters
    ----------
    item
        Dataset in its open file; of ``positions``, with several columns, one axis is read.
    name
        Name of the property.
    where
        Start of an error.

    Raises
    ------
    SimulationDataError
        If its data are in another file, or rows that are stored together do not fit into memory.
    """

    def __init__(self, item: Any, name: str, where: str) -> None:
        self._item, self._where = item, f"{where}: property {name!r}"
        self._axis = _AXES.index(name) if item.ndim == 2 else None
        with h5_errors(self._where):
            check_bytes(item, self._where)
            self.block = rows_at_a_time(item)
            check_memory(self.block * item.dtype.itemsize, self._where)

    def read(self, first: int, last: int) -> npt.NDArray[Any]:
        """Return the values of the nodes `first` to `last`, in the machine's byte order."""
        part: Any = slice(first, last)
        with h5_errors(self._where):
            values = self._item[part if self._axis is None else (part, self._axis)]
        return np.asarray(values.astype(values.dtype.newbyteorder("="), copy=False))


class NumberColumns:
    """Two flat coordinates of all nodes, for `napari_hexrecruit.counting.placing`."""

    def __init__(self, size: int, columns: Sequence[NumberColumn]) -> None:
        self.size = size
        self._columns = columns
        self.block = max(column.block for column in columns)

    def read(self, first: int, last: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return both coordinates of the nodes `first` to `last`."""
        x, y = (column.read(first, last) for column in self._columns)
        return x, y
