"""Sources of flat maps: image files, atlases, and the neurons of hexagons.

This code runs in threads, and knows neither widgets nor viewers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.hierarchy import distinct_colour
from napari_hexrecruit.atlas.volumes import VoxelFlatmap, read_flatmap, read_ids
from napari_hexrecruit.counting.hemispheres import Layout
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.flatmap import (
    FlatImage,
    FlatRegions,
    HexRegions,
    density_image,
    depth_image,
    footprint_image,
    hex_image,
    neuron_regions,
    read_flat_image,
    region_areas,
    voxel_count_image,
)
from napari_hexrecruit.pipeline.members import open_recipe
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import Simulation

if TYPE_CHECKING:
    import os

    import xarray as xr

    from napari_hexrecruit.progress import Progress


@dataclass(frozen=True, eq=False)
class NamedRegions:
    """Regions as lines, names and labels.

    Parameters
    ----------
    title
        Collective name, such as ``regions`` or ``columns``.
    regions
        Position of the regions in flat space.
    labels
        Label image of the regions: 0 is no region, k is region ``k - 1``.
    colours
        (n_regions, 3) uint8 RGB.
    """

    title: str
    regions: FlatRegions | HexRegions
    labels: FlatImage
    colours: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FlatMap:
    """A flat map from one of the sources.

    Parameters
    ----------
    source
        ``image``, ``atlas`` or ``neurons``.
    title
        Title of the image.
    image
        Image, or None if the source has only regions.
    units
        Unit of flat space: ``um``, ``pixel`` or ``unknown``.
    regions
        Regions and columns, if any.
    path
        The file that the image was read from, whose alignment can be saved.
    """

    source: str
    title: str
    image: FlatImage | None
    units: str
    regions: tuple[NamedRegions, ...] = ()
    path: Path | None = None

    def summary(self) -> str:
        """Describe the map on one line: ``thickness: 168 x 169 pixels of 38.7 µm; 240 columns``."""
        parts = []
        if self.image is not None:
            height, width = self.image.shape
            sizes = dict.fromkeys(f"{size:.4g}" for size in np.atleast_1d(self.image.pixel_size))
            size = " x ".join(sizes) + {"um": " µm", "pixel": " px"}.get(self.units, "")
            parts.append(f"{self.title}: {width:,} x {height:,} pixels of {size}")
        parts += [f"{_n_shown(named.labels):,} {named.title}" for named in self.regions]
        return "; ".join(parts)


@dataclass(frozen=True)
class AtlasFiles:
    """Files of an atlas; if `flatmap` is None, missing files are taken from the circuit.

    Parameters
    ----------
    flatmap
        Voxel flatmap.
    annotation, hierarchy
        Region of each voxel, and names and colours of regions.
    columns
        Column of each voxel; never the circuit's.
    image
        ``thickness`` (greatest depth), ``voxels`` (number of voxels) or ``footprint`` (where there
        are voxels). Without depths, thickness becomes the footprint.
    """

    flatmap: Path | None = None
    annotation: Path | None = None
    hierarchy: Path | None = None
    columns: Path | None = None
    image: str = "thickness"


def image_map(
    path: str | os.PathLike[str],
    pixel_size: float | None,
    origin: tuple[float, float] | None,
    rotation_deg: float | None,
) -> FlatMap:
    """Read an image file; parameters that are None come from the file or its sidecar file.

    Raises
    ------
    SimulationDataError
        If the file is not an image.
    ValueError
        If the pixel size is unknown, or a number is invalid.
    """
    image = read_flat_image(path, pixel_size=pixel_size, origin=origin, rotation_deg=rotation_deg)
    return FlatMap("image", Path(path).name, image, image.units, path=Path(path))


def check_one_sheet(cube: xr.Dataset | None) -> None:
    """Refuse an image or an atlas under hexagons of two hemispheres.

    Raises
    ------
    ValueError
        If the hemispheres lie side by side.
    """
    if cube is not None and Layout.of(cube.attrs) is not None:
        raise ValueError(
            "The hexagons are two hemispheres side by side, and an image or an atlas fits one of"
            " them: choose the neurons as the source."
        )


def said_by(path: Path) -> tuple[FlatImage | None, str]:
    """Read an image with the placement in its file; None if the file lacks a pixel size."""
    try:
        image = read_flat_image(path)
    except HexRecruitError:
        raise
    except ValueError:
        return None, "The file does not state the size of a pixel: fill in the pixel size, µm."
    height, width = image.shape
    return image, f"{width:,} x {height:,} pixels, whose size is known."


def atlas_map(files: AtlasFiles, cube: xr.Dataset | None, progress: Progress) -> FlatMap:
    """Read an atlas.

    Parameters
    ----------
    files
        Files of the atlas.
    cube
        Cube whose simulation names the atlas of its circuit; None without hexagons.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError
        If a file is missing or invalid, or the circuit has no atlas.
    ValueError
        If there is neither a file nor hexagons.
    """
    files = _completed(files, cube)
    if files.flatmap is None:
        raise ValueError("no flatmap is chosen: choose an nrrd file, or load hexagons first")
    flatmap = read_flatmap(files.flatmap, progress=progress)
    regions = []
    for title, path, hierarchy in (
        ("regions", files.annotation, files.hierarchy),
        ("columns", files.columns, None),
    ):
        if path is not None:
            areas = region_areas(flatmap, read_ids(path, progress=progress), hierarchy)
            regions.append(NamedRegions(title, areas, areas.image, areas.colours))
    title, image = _atlas_image(flatmap, files.image)
    return FlatMap("atlas", title, image, flatmap.units, tuple(regions))


def neuron_map(
    cube: xr.Dataset | None, column: str, *, density: bool, progress: Progress
) -> FlatMap:
    """Make regions of hexagons from their neurons, and an image of the number of neurons.

    Raises
    ------
    SimulationDataError
        If the simulation is missing or lacks the property.
    ValueError
        If there are no hexagons, or the property is unsuitable.
    """
    cube, simulation = with_simulation(cube)
    regions = neuron_regions(simulation, cube, column, progress=progress)
    image = density_image(cube) if density else None
    units = str(cube.attrs["flat_units"])
    named = NamedRegions(
        "regions" if column == "region" else column, regions, *_hex_labels(cube, regions)
    )
    return FlatMap("neurons", "neurons per hexagon", image, units, (named,))


def _completed(files: AtlasFiles, cube: xr.Dataset | None) -> AtlasFiles:
    """Fill in the files of the circuit if no flatmap is given."""
    if files.flatmap is not None or cube is None:
        return files
    simulation = with_simulation(cube)[1]
    flatmap = simulation.atlas_file("flatmap")
    annotation, hierarchy = (
        given or (there if there.is_file() else None)
        for given, there in (
            (files.annotation, flatmap.with_name("brain_regions.nrrd")),
            (files.hierarchy, flatmap.with_name("hierarchy.json")),
        )
    )
    return replace(files, flatmap=flatmap, annotation=annotation, hierarchy=hierarchy)


def _atlas_image(flatmap: VoxelFlatmap, what: str) -> tuple[str, FlatImage]:
    if what == "voxels":
        return "voxels", voxel_count_image(flatmap)
    if what == "thickness" and flatmap.depth is not None:
        return "thickness", depth_image(flatmap)
    return "footprint", footprint_image(flatmap)


def _hex_labels(cube: xr.Dataset, regions: HexRegions) -> tuple[FlatImage, npt.NDArray[np.uint8]]:
    """Return the label image of hexagons, and a colour for each region."""
    image = hex_image(cube, regions.region + 1)
    labels = np.nan_to_num(image.pixels).astype(np.int32)
    colours = [distinct_colour(k) for k in range(len(regions.names))]
    return replace(image, pixels=labels), np.array(colours, dtype=np.uint8).reshape(-1, 3)


def with_simulation(cube: xr.Dataset | None) -> tuple[xr.Dataset, Simulation]:
    """Return hexagons with the simulation that they were computed from."""
    if cube is None:
        raise ValueError("there are no hexagons: load a simulation or a cube first")
    recipe = CubeRecipe.of_foreign(cube)
    path = recipe.simulation or ""
    if not Path(path).is_file():
        where = path or "it is not named"
        raise ValueError(
            f"{where}: the simulation of the hexagons is not there: load the hexagons from it again"
        )
    return cube, open_recipe(recipe)


def _n_shown(labels: FlatImage) -> int:
    return len(np.setdiff1d(labels.pixels, [0]))
