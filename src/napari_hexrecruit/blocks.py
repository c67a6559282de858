"""The time axis of a cube in parts; a cube on disk is read one part after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    import xarray as xr

_VALUES = 1 << 21
"""Values of a variable to read at once: several chunks, one for each thread."""


def time_chunks(cube: xr.Dataset) -> tuple[int, ...]:
    """Return the chunk lengths along time of a cube on disk; empty if it is in memory."""
    for variable in cube.data_vars.values():
        if TIME in variable.dims and variable.chunks is not None:
            return tuple(int(n) for n in variable.chunksizes[TIME])
    return ()


def parts_of(cube: xr.Dataset) -> list[slice]:
    """Return consecutive parts of the time axis, cut between chunks; one if all is in memory."""
    lengths = time_chunks(cube)
    if not lengths:
        return [slice(0, cube.sizes[TIME])]
    most = max(1, _VALUES // max(1, cube.sizes[HEX]))
    parts, first = [], 0
    ends = np.cumsum(lengths).tolist()
    for end, next_end in zip(ends, [*ends[1:], None], strict=True):
        if next_end is None or next_end - first > most:
            parts.append(slice(first, end))
            first = end
    return parts
