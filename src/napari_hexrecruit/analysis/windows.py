"""Time windows of a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.schema import TIME
from napari_hexrecruit.timebins import TimeBins, edge_position

if TYPE_CHECKING:
    import xarray as xr


def bins_of(cube: xr.Dataset) -> TimeBins:
    """Return the bins of a cube's time axis."""
    start, width = float(cube[TIME][0]), float(cube.attrs["bin_ms"])
    return TimeBins(start, start + cube.sizes[TIME] * width, width)


def cut(cube: xr.Dataset, start: float | None = None, stop: float | None = None) -> xr.Dataset:
    """Return the part of a cube between two times.

    Parameters
    ----------
    cube
        A recruitment cube.
    start, stop
        Edges of bins, ms; by default the ends of the cube. A time within 1e-6 ms of an edge counts
        as the edge.

    Returns
    -------
    xr.Dataset
        A recruitment cube that shares its values with the given one. Its recipe and the numbers of
        spikes read remain those of the whole cube.

    Raises
    ------
    ValueError
        If a time is outside of the cube or inside a bin, or the window is empty.
    """
    cube = as_cube(cube)
    bins = bins_of(cube)
    low = 0 if start is None else edge_position("start", start, bins)
    high = bins.n_bins if stop is None else edge_position("stop", stop, bins)
    if low >= high:
        edges = bins.edges()
        raise ValueError(
            f"the window from {edges[low]:g} to {edges[high]:g} ms is empty:"
            " stop must be after start"
        )
    return cube.isel({TIME: slice(low, high)})
