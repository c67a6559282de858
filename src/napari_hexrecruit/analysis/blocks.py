"""Analyses a part of the time axis at a time: a cube on disk is never in memory as a whole."""

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
    """Values of a metric, (n_bins, n_hexes) of one part of the time after the other."""
    for part in parts_of(cube):
        yield shown.values(cube, part)


def highest(cube: xr.Dataset, shown: Metric) -> Values:
    """(n_hexes,) greatest value; NaN where any is."""
    tops: Values = np.stack([values.max(axis=0) for values in parts(cube, shown)])
    return np.asarray(tops.max(axis=0))


class Moments(NamedTuple):
    """Mean of each hexagon over time, and sum of squares about it."""

    n_bins: int
    mean: Floats
    squares: Floats

    def sd(self) -> Floats:
        """Standard deviation with n - 1; 0 of a single bin."""
        return np.asarray(np.sqrt(self.squares / max(1, self.n_bins - 1)))


def moments(cube: xr.Dataset, shown: Metric) -> Moments:
    """Moments of a metric over the bins of a cube.

    Notes
    -----
    Those of the parts are put together as Chan, Golub and LeVeque do.
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
    """Values over time and hexagons that follow, bin by bin, from one or more cubes.

    Parameters
    ----------
    function
        Called with the cubes, or with parts of them; gives (n_bins, n_hexes) float32.
    reads
        Variables over time that it reads.
    *cubes
        With the same bins and hexagons.

    Returns
    -------
    (n_bins, n_hexes) float32
        A numpy array; where a cube is backed by dask a dask array, with that one's chunks of time.
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
    """Which hexagons have a value in some bin; not more of the cube is read than that needs."""
    first = own_variables(cube)[0]
    known = np.zeros(cube.sizes[HEX], dtype=bool)
    for part in parts_of(cube):
        known |= np.isfinite(cube[first].isel({TIME: part}).values).any(axis=0)
        if known.all():
            break
    return known
