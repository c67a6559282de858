"""Lay an image of one hemisphere under both hemispheres of a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.counting.hemispheres import Layout
from napari_hexrecruit.flatmap._images import FlatImage
from napari_hexrecruit.hexgrid import HexGrid

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

_MOST_PIXELS = 100_000_000


def under_hemispheres(image: FlatImage, cube: xr.Dataset) -> FlatImage:
    """Return an image that fits under the hexagons of a cube.

    Parameters
    ----------
    image
        Image in the flat coordinates that both hemispheres share.
    cube
        A cube.

    Returns
    -------
    FlatImage
        The image itself for a cube whose hemispheres are not laid side by side. Otherwise an image
        with two copies, mirrored and moved like the hemispheres, each up to the middle between
        them. A pixel has the value of the original pixel that contains its centre.

    Raises
    ------
    ValueError
        If it would have more than 100 million pixels.
    """
    layout = Layout.of(cube.attrs)
    if layout is None:
        return image
    grid = HexGrid.from_attrs(cube.attrs)
    (dx, dy), corners = np.broadcast_to(image.pixel_size, 2).tolist(), image.corners
    ends = [layout.x_at(corners[:, 0], side, grid) for side in (0, 1)]
    low, high, middle = ends[0].min(), ends[1].max(), layout.middle(grid)
    left = min(low, middle - dx)
    width = int(np.ceil((max(high, middle + dx) - left) / dx))
    bottom = corners[:, 1].min()
    height = int(np.ceil((corners[:, 1].max() - bottom) / dy))
    if width * height > _MOST_PIXELS:
        raise ValueError(
            f"the image under both hemispheres would have {height:,} x {width:,} pixels: give one"
            " with fewer pixels"
        )
    x, y = left + dx * (np.arange(width) + 0.5), bottom + dy * (np.arange(height, 0, -1) - 0.5)
    sides = (x > middle).astype(int)
    before = np.where(sides == 0, *(layout.x_before(x, side, grid) for side in (0, 1)))
    pixels = _empty(image.pixels, (height, width))
    source = _opaque(image.pixels, pixels)
    for row, at in enumerate(y):
        which = image.pixel_at(before, np.full(width, at))
        inside = which[0] >= 0
        pixels[row, inside] = source[which[0][inside], which[1][inside]]
    return FlatImage(pixels, (dx, dy), (float(left), float(bottom)), units=image.units)


def _empty(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Return empty pixels: transparent, NaN, or False."""
    if pixels.ndim == 3:
        return np.zeros((*shape, 4), dtype=np.uint8)
    if pixels.dtype.kind == "b":
        return np.zeros(shape, dtype=bool)
    return np.full(shape, np.nan, dtype=np.result_type(pixels.dtype, np.float32))


def _opaque(pixels: npt.NDArray[Any], like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pixels, with an alpha channel if `like` has one."""
    if pixels.ndim == 2 or pixels.shape[2] == like.shape[2]:
        return pixels
    return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=2)
