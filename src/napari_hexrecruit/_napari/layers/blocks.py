"""Bins of a cube for a layer, read in blocks if the cube is on disk. Does not know napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.schema import TIME
from napari_hexrecruit.storage.zarr_store import in_this_process

if TYPE_CHECKING:
    import xarray as xr


class Blocks:
    """Gives single bins, and keeps the block of the last one in memory.

    Parameters
    ----------
    numbers
        The variables of a cube that metrics read; in memory, or backed by dask in chunks of time.
    """

    def __init__(self, numbers: xr.Dataset) -> None:
        self._numbers = numbers
        lengths = numbers.chunksizes.get(TIME, ())
        self._starts = np.cumsum([0, *lengths])
        self._block: xr.Dataset | None = None
        self._first = -1

    def at(self, bin_: int) -> tuple[xr.Dataset, int]:
        """Find the part of the cube that holds a bin.

        Returns
        -------
        part : xr.Dataset
            Bins in memory, including this one.
        position : int
            Position of the bin in the part.
        """
        if len(self._starts) == 1:  # everything is in memory
            return self._numbers, bin_
        k = int(np.searchsorted(self._starts, bin_, side="right")) - 1
        first, last = int(self._starts[k]), int(self._starts[k + 1])
        if self._block is None or first != self._first:
            with in_this_process():
                self._block = self._numbers.isel({TIME: slice(first, last)}).load()
            self._first = first
        return self._block, bin_ - first
