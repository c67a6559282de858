"""Analyses in blocks of the time axis: a cube on disk is never in memory as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.blocks import parts_of, time_chunks
from napari_hexrecruit.schema import COORDINATES, HEX, TIME, own_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import xarray as xr

    from napari_hexrecruit.metrics import Metric

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]


def parts(cube: xr.Dataset, shown: Metric) -> Iterator[Values]:
    """Yield the (n_bins, n_hexes) values of a metric, one block of bins after the other."""
    for part in parts_of(cube):
        yield shown.values(cube, part)


def highest(cube: xr.Dataset, shown: Metric) -> Values:
    """Return the (n_hexes,) greatest value; NaN if any value of the hexagon is NaN."""
    tops: Values = np.stack([values.max(axis=0) for values in parts(cube, shown)])
    return np.asarray(tops.max(axis=0))


class Moments(NamedTuple):
    """Mean of each hexagon over time, and sum of squares about the mean."""

    n_bins: int
    mean: Floats
    squares: Floats

    def sd(self) -> Floats:
        """Return the standard deviation with n - 1; 0 for a single bin."""
        return np.asarray(np.sqrt(self.squares / max(1, self.n_bins - 1)))


def moments(cube: xr.Dataset, shown: Metric) -> Moments:
    """Compute the moments of a metric over the bins of a cube.

    Notes
    -----
    The moments of the blocks are combined by the method of Chan, Golub and LeVeque.
    """
    total: Moments | None = None
    for values in parts(cube, shown):
        mean = values.mean(axis=0, dtype=np.float64)
        off = values - mean
        squares = np.einsum("th,th->h", off, off)
        if total is None:
            total = Moments(len(values), mean, squares)
            continue
        n, n_more = total.n_bins + len(values), len(values)
        away = mean - total.mean
        total = Moments(
            n,
            total.mean + away * (n_more / n),
            total.squares + squares + away**2 * (total.n_bins * n_more / n),
        )
    if total is None:
        raise ValueError("there is no bin: choose a window within the cube")
    return total


def map_bins(function: Callable[..., Values], reads: Sequence[str], *cubes: xr.Dataset) -> Any:
    """Apply a function that works bin by bin to one or more cubes.

    Parameters
    ----------
    function
        Called with the cubes, or with blocks of them; returns (n_bins, n_hexes) float32.
    reads
        Variables over time that the function reads.
    *cubes
        Cubes with the same bins and hexagons.

    Returns
    -------
    (n_bins, n_hexes) float32
        A numpy array; if a cube is backed by dask, a dask array with the time chunks of that cube.
    """
    lengths = next(filter(None, map(time_chunks, cubes)), ())
    if not lengths:
        return function(*cubes)
    import dask.array
    import xarray as xr

    chunks = (lengths, (cubes[0].sizes[HEX],))
    from_array: Any = dask.array.from_array
    map_blocks: Any = dask.array.map_blocks
    layouts, arrays = [], []
    for cube in cubes:
        per_hex = [name for name in COORDINATES if cube[name].dims == (HEX,)]
        coords = {name: (HEX, cube[name].values) for name in per_hex}
        layouts.append(xr.Dataset(coords=coords, attrs=cube.attrs))
        for name in reads:
            values = cube[name].data
            backed = cube[name].chunks is not None
            arrays.append(values.rechunk(chunks) if backed else from_array(values, chunks))

    def of_block(*blocks: npt.NDArray[Any]) -> Values:
        given = iter(blocks)
        filled = [
            layout.assign({name: ((TIME, HEX), next(given)) for name in reads})
            for layout in layouts
        ]
        return function(*filled)

    empty = np.empty((0, 0), np.float32)
    return map_blocks(of_block, *arrays, dtype=np.float32, meta=empty)


def has_value(cube: xr.Dataset) -> npt.NDArray[np.bool_]:
    """Return which hexagons have a value in any bin, reading no more of the cube than needed."""
    first = own_variables(cube)[0]
    known = np.zeros(cube.sizes[HEX], dtype=bool)
    for part in parts_of(cube):
        known |= np.isfinite(cube[first].isel({TIME: part}).values).any(axis=0)
        if known.all():
            break
    return known
