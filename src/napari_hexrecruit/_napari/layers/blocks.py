"""Bins of a cube for a layer: those of a cube on disk are read some at a time. Knows no napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.schema import TIME
from napari_hexrecruit.storage.zarr_store import in_this_process

if TYPE_CHECKING:
    import xarray as xr


class Blocks:
    """Gives single bins, and keeps those that were read with the last one.

    Parameters
    ----------
    numbers
        What metrics read of a cube; in memory, or backed by dask in chunks of time.
    """

    def __init__(self, numbers: xr.Dataset) -> None:
        self._numbers = numbers
        lengths = numbers.chunksizes.get(TIME, ())
        self._starts = np.cumsum([0, *lengths])
        self._block: xr.Dataset | None = None
        self._first = -1

    def at(self, bin_: int) -> tuple[xr.Dataset, int]:
        """Find a bin.

        Returns
        -------
        part : xr.Dataset
            Bins that are in memory, the wanted one among them.
        position : int
            Where it is in the part.
        """
        if len(self._starts) == 1:  # all is in memory
            return self._numbers, bin_
        k = int(np.searchsorted(self._starts, bin_, side="right")) - 1
        first, last = int(self._starts[k]), int(self._starts[k + 1])
        if self._block is None or first != self._first:
            with in_this_process():
                self._block = self._numbers.isel({TIME: slice(first, last)}).load()
            self._first = first
        return self._block, bin_ - first
