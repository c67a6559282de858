"""Images of a voxel flatmap: footprint, number of voxels, depth and regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.hierarchy import Area, distinct_colour, read_areas
from napari_hexrecruit.flatmap._borders import Borders, pixel_borders
from napari_hexrecruit.flatmap._images import FlatImage, checked_pixel_size

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from napari_hexrecruit.atlas.volumes import Volume, VoxelFlatmap

Floats = npt.NDArray[np.float64]

NO_REGION = 0


@dataclass(frozen=True, eq=False)
class FlatRegions:
    """Areas of regions in flat space.

    Attributes
    ----------
    image
        (height, width) int32 labels: 0 for none, k for region ``k - 1`` of `areas`.
    areas
        Id, acronym and name of each region.
    colours
        (n_regions, 3) uint8 colours from the hierarchy, or distinct ones.
    """

    image: FlatImage
    areas: tuple[Area, ...]
    colours: npt.NDArray[np.uint8]

    @property
    def names(self) -> tuple[str, ...]:
        """Acronyms of the regions, as labels."""
        return tuple(area.acronym for area in self.areas)

    def outlines(self) -> list[Floats]:
        """Return borders between regions and around them, each once, as long lines.

        Returns
        -------
        list of (n_points, 2) float64
            x and y along the sides of pixels; closed if the first point equals the last.
        """
        return self._borders.lines()

    def polygons(self) -> list[list[Floats]]:
        """Return the closed lines of each region: around its parts, and around its holes.

        Returns
        -------
        list of list of (n_points, 2) float64
            Rings of each region: counter-clockwise around parts, clockwise around holes. Pixels
            that only touch at a corner are separate parts.
        """
        return [self._borders.rings(region) for region in range(len(self.areas))]

    def centroids(self) -> Floats:
        """Return (n_regions, 2) x and y for the name of each region.

        It is the mean of its pixels' centres or, if that is outside the region, the closest centre
        of its own pixels.
        """
        row, column = np.nonzero(self.image.pixels)
        xy = (self.image.affine @ np.stack([column, row, np.ones(len(row))]))[:2].T
        labels = self.image.pixels[row, column] - 1
        return label_points(labels, xy, len(self.areas), self._region_at)

    def _region_at(self, x: Floats, y: Floats) -> npt.NDArray[np.integer]:
        row, column = self.image.pixel_at(x, y)
        return np.where(row < 0, -1, self.image.pixels[row, column] - 1)

    @cached_property
    def _borders(self) -> Borders:
        return pixel_borders(self.image.pixels - 1, self.image.affine)


def footprint_image(flatmap: VoxelFlatmap, *, pixel_size: float | None = None) -> FlatImage:
    """Return where flat space has cortex.

    Parameters
    ----------
    flatmap
        A voxel flatmap.
    pixel_size
        Side of a pixel in the flatmap's units; by default its resolution: one pixel, or the side
        of a voxel. Pixel centres are at multiples of it.

    Returns
    -------
    FlatImage
        (height, width) bool, true where there is at least one voxel.

    Raises
    ------
    ValueError
        If the pixel size is not greater than 0.
    """
    count = voxel_count_image(flatmap, pixel_size=pixel_size)
    return _Pixels.of(flatmap, pixel_size).image(count.pixels > 0)


def voxel_count_image(flatmap: VoxelFlatmap, *, pixel_size: float | None = None) -> FlatImage:
    """Count the voxels at each position in flat space; see `footprint_image`.

    Returns
    -------
    FlatImage
        (height, width) int32.
    """
    pixels = _Pixels.of(flatmap, pixel_size)
    count = np.bincount(pixels.at, minlength=pixels.height * pixels.width)
    return pixels.image(count.astype(np.int32))


def depth_image(flatmap: VoxelFlatmap, *, pixel_size: float | None = None) -> FlatImage:
    """Return the largest depth at each position in flat space, µm: the thickness of the cortex.

    Parameters
    ----------
    flatmap
        A voxel flatmap with three components, (x, depth, y).
    pixel_size
        As in `footprint_image`.

    Returns
    -------
    FlatImage
        (height, width) float32, NaN without a voxel.

    Raises
    ------
    ValueError
        If the flatmap has no depth, or the pixel size is not greater than 0.
    """
    if flatmap.depth is None:
        raise ValueError(
            f"{flatmap.volume.path}: has no depth, only x and y: give a flatmap of (x, depth, y)"
        )
    pixels = _Pixels.of(flatmap, pixel_size)
    depth = np.full(pixels.height * pixels.width, -np.inf)
    np.maximum.at(depth, pixels.at, flatmap.depth)
    depth[np.isneginf(depth)] = np.nan
    return pixels.image(depth.astype(np.float32))


def region_areas(
    flatmap: VoxelFlatmap,
    annotation: Volume,
    hierarchy: str | os.PathLike[str] | None = None,
    *,
    pixel_size: float | None = None,
    layers_apart: bool = False,
) -> FlatRegions:
    """Return the regions of an annotation, or the columns of a parcellation, in flat space.

    Parameters
    ----------
    flatmap
        A voxel flatmap.
    annotation
        Region or column of each voxel (`read_ids`). If its voxels differ from the flatmap's, it is
        read at the centres of the flatmap's voxels.
    hierarchy
        ``hierarchy.json`` of the atlas, for names and colours; without it, ids are the names.
    pixel_size
        As in `footprint_image`.
    layers_apart
        If True, layers are separate regions; by default they count as the region that they belong
        to.

    Returns
    -------
    FlatRegions
        Regions in ascending order of ids. A pixel has the region of most of its voxels; of several
        with equally many voxels, the one with the lowest id. Voxels without a region are ignored.

    Raises
    ------
    SimulationDataError
        If the hierarchy cannot be read.
    ValueError
        If no voxel has both a flat position and a region.
    """
    rows = annotation.rows_at(*flatmap.volume.centres().T)
    known = np.flatnonzero(rows >= 0)
    if known.size == 0:
        raise ValueError(
            f"{annotation.path}: has no region where {flatmap.volume.path} has a flat position:"
            " give volumes of the same atlas"
        )
    ids, region = np.unique(annotation.values[rows[known], 0], return_inverse=True)
    areas, region = _merged(ids, region, hierarchy, layers_apart)
    pixels = _Pixels.of(flatmap, pixel_size)
    labels = np.full(pixels.height * pixels.width, NO_REGION, dtype=np.int32)
    where, which = most_frequent(pixels.at[known], region)
    labels[where] = which + 1
    colours = [area.colour or distinct_colour(k) for k, area in enumerate(areas)]
    return FlatRegions(pixels.image(labels), areas, np.array(colours, dtype=np.uint8))


def most_frequent(
    group: npt.NDArray[np.integer], value: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Return the groups, and the most frequent value in each, the lowest if several tie."""
    order = np.lexsort((value, group))
    group, value = group[order], value[order]
    first = np.flatnonzero(np.append(True, (np.diff(group) != 0) | (np.diff(value) != 0)))
    if len(group) == 0:
        return group, value
    count = np.diff(np.append(first, len(group)))
    group, value = group[first], value[first]
    best = np.lexsort((value, -count, group))
    first = np.flatnonzero(np.append(True, np.diff(group[best]) != 0))
    return group[best][first], value[best][first]


def label_points(
    region: npt.NDArray[np.integer],
    xy: Floats,
    n_regions: int,
    region_at: Callable[[Floats, Floats], npt.NDArray[np.integer]],
) -> Floats:
    """Return (n_regions, 2) positions for names: the mean of the members, or its closest member.

    Parameters
    ----------
    region
        (n_members,) region of each pixel or hexagon, negative for none.
    xy
        (n_members, 2) centres of pixels or hexagons.
    n_regions
        Number of regions; one without members gets NaN.
    region_at
        Returns the region at x and y, to check whether a mean is within its region.
    """
    points = np.full((n_regions, 2), np.nan)
    for k in range(n_regions):
        mine = np.flatnonzero(region == k)
        if mine.size:
            mean = xy[mine].mean(axis=0)
            inside = region_at(mean[:1], mean[1:])[0] == k
            points[k] = mean if inside else xy[mine[np.hypot(*(xy[mine] - mean).T).argmin()]]
    return points


@dataclass(frozen=True, eq=False)
class _Pixels:
    """Pixels of flat space, and the pixel of each voxel of a flatmap (counted row by row)."""

    at: npt.NDArray[np.intp]
    height: int
    width: int
    size: float
    corner: tuple[float, float]
    units: str

    @classmethod
    def of(cls, flatmap: VoxelFlatmap, pixel_size: float | None) -> _Pixels:
        size = flatmap.resolution if pixel_size is None else checked_pixel_size(pixel_size)[0]
        across, up = (
            np.floor(axis / size + 0.5).astype(np.intp) for axis in (flatmap.x, flatmap.y)
        )
        left, bottom = int(across.min()), int(up.min())
        width, height = int(across.max()) - left + 1, int(up.max()) - bottom + 1
        row = height - 1 - (up - bottom)
        corner = (left - 0.5) * size, (bottom - 0.5) * size
        return cls(row * width + across - left, height, width, size, corner, flatmap.units)

    def image(self, values: npt.NDArray[Any]) -> FlatImage:
        pixels = values.reshape(self.height, self.width)
        return FlatImage(pixels, self.size, self.corner, units=self.units)


def _merged(
    ids: npt.NDArray[np.int64],
    region: npt.NDArray[np.intp],
    hierarchy: str | os.PathLike[str] | None,
    layers_apart: bool,
) -> tuple[tuple[Area, ...], npt.NDArray[np.intp]]:
    """Return areas in ascending order of ids, and the position of each voxel's area in them."""
    if hierarchy is None:
        return tuple(Area(one, str(one), str(one)) for one in ids.tolist()), region
    area_of = read_areas(Path(hierarchy), ids.tolist(), layers_apart=layers_apart)
    areas = sorted(set(area_of.values()), key=lambda area: area.id)
    place = {area: k for k, area in enumerate(areas)}
    return tuple(areas), np.array([place[area_of[one]] for one in ids.tolist()])[region]
