"""Pictures of a voxel flatmap: where it has voxels, how many, how deep, of which region."""

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
        (height, width) int32 labels: 0 is none, k the region ``k - 1`` of the following.
    areas
        Id, acronym, name of each region.
    colours
        (n_regions, 3) uint8: those of the hierarchy, or distinct ones.
    """

    image: FlatImage
    areas: tuple[Area, ...]
    colours: npt.NDArray[np.uint8]

    @property
    def names(self) -> tuple[str, ...]:
        """Acronyms of the regions, to write on them."""
        return tuple(area.acronym for area in self.areas)

    def outlines(self) -> list[Floats]:
        """Borders between regions and around them, every one once, as long lines.

        Returns
        -------
        list of (n_points, 2) float64
            x and y along the sides of pixels; closed where the first point equals the last.
        """
        return self._borders.lines()

    def polygons(self) -> list[list[Floats]]:
        """Closed lines of each region: around its parts, and around its holes.

        Returns
        -------
        list of list of (n_points, 2) float64
            For each region its rings: counter-clockwise around parts, clockwise around holes.
            Pixels that touch at a corner only are parts of their own.
        """
        return [self._borders.rings(region) for region in range(len(self.areas))]

    def centroids(self) -> Floats:
        """(n_regions, 2) x and y for the name of each region.

        The mean of its pixels' centres, or, where that lies outside of the region, the nearest of
        its pixels.
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
    """Where in flat space there is cortex.

    Parameters
    ----------
    flatmap
        A voxel flatmap.
    pixel_size
        Side of a pixel in the flatmap's units; by default its resolution: one pixel, or the side
        of a voxel. Centres of pixels are at its multiples.

    Returns
    -------
    FlatImage
        (height, width) bool, true where at least one voxel is.

    Raises
    ------
    ValueError
        If the pixel size is not greater than 0.
    """
    count = voxel_count_image(flatmap, pixel_size=pixel_size)
    return _Pixels.of(flatmap, pixel_size).image(count.pixels > 0)


def voxel_count_image(flatmap: VoxelFlatmap, *, pixel_size: float | None = None) -> FlatImage:
    """Number of voxels at each place of flat space; see `footprint_image`.

    Returns
    -------
    FlatImage
        (height, width) int32.
    """
    pixels = _Pixels.of(flatmap, pixel_size)
    count = np.bincount(pixels.at, minlength=pixels.height * pixels.width)
    return pixels.image(count.astype(np.int32))


def depth_image(flatmap: VoxelFlatmap, *, pixel_size: float | None = None) -> FlatImage:
    """Greatest depth at each place of flat space, µm: how thick the cortex is there.

    Parameters
    ----------
    flatmap
        A voxel flatmap with three components, (x, depth, y).
    pixel_size
        As for `footprint_image`.

    Returns
    -------
    FlatImage
        (height, width) float32, NaN where no voxel is.

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
    """Regions of an annotation, or columns of a parcellation, in flat space.

    Parameters
    ----------
    flatmap
        A voxel flatmap.
    annotation
        Region or column of each voxel (`read_ids`); where it has other voxels than the flatmap,
        those at the centres of the flatmap's count.
    hierarchy
        ``hierarchy.json`` of the atlas, for names and colours; without it names are the ids.
    pixel_size
        As for `footprint_image`.
    layers_apart
        Whether layers are regions of their own; by default they count as the region they are of.

    Returns
    -------
    FlatRegions
        Regions in ascending order of their ids. A pixel is of the region with most of its voxels;
        of several with equally many, of the one with the lowest id. Voxels of no region do not
        count.

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
    """The groups there are, and the value that is most frequent in each; of several the lowest."""
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
    """(n_regions, 2) places for names: the mean of the members, or the nearest member to it.

    Parameters
    ----------
    region
        (n_members,) region of each pixel or hexagon, negative for none.
    xy
        (n_members, 2) their centres.
    n_regions
        Number of regions; one without members gets NaN.
    region_at
        Region at x and y, which says whether a mean is within its region.
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
    """Pixels of flat space, and the one that each voxel of a flatmap is in (row by row)."""

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
    """Areas in ascending order of their ids, and the position of each voxel's among them."""
    if hierarchy is None:
        return tuple(Area(one, str(one), str(one)) for one in ids.tolist()), region
    area_of = read_areas(Path(hierarchy), ids.tolist(), layers_apart=layers_apart)
    areas = sorted(set(area_of.values()), key=lambda area: area.id)
    place = {area: k for k, area in enumerate(areas)}
    return tuple(areas), np.array([place[area_of[one]] for one in ids.tolist()])[region]
