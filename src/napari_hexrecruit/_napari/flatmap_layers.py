"""Flat maps for napari: what is read, the layers it becomes, and how well neurons lie on it.

What is here runs in threads, and knows neither widgets nor viewers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from napari.utils.colormaps import DirectLabelColormap

from napari_hexrecruit._hierarchy import distinct_colour
from napari_hexrecruit._napari.display import hex_points
from napari_hexrecruit._napari.work import recipe_of
from napari_hexrecruit.atlas import VoxelFlatmap, read_flatmap, read_ids
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
from napari_hexrecruit.pipeline import cube_members
from napari_hexrecruit.places import FlatSource, find_places, has_place
from napari_hexrecruit.recruitment import NO_HEX
from napari_hexrecruit.sonata import Simulation, open_simulation

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.recruitment import Progress

__all__ = [
    "ATLAS_IMAGES",
    "MOST_DOTS",
    "AtlasFiles",
    "Fit",
    "FlatMap",
    "LayerData",
    "NamedRegions",
    "Neurons",
    "Role",
    "atlas_map",
    "dot_colours",
    "dots",
    "fit",
    "image_map",
    "layer_units",
    "layers_of",
    "neuron_map",
    "read_neurons",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LayerData = tuple[Any, dict[str, Any], str]
"""Data, arguments and type of a layer, as napari takes them."""

METADATA_KEY = "napari-hexrecruit flat map"
"""Key of a layer's metadata under which its `Role` is."""
MOST_DOTS = 5_000
"""Neurons that an alignment check shows."""
ATLAS_IMAGES = ("thickness", "voxels", "footprint")
"""What an atlas can show: greatest depth, number of voxels, where there are any."""
_MOST_NAMES = 80
"""More names than these lie over one another: they are hidden at first."""
_UNDER, _OVER = ("image", "regions"), ("outlines", "names", "dots")
_NAMES_OF_UNITS = {"um": "µm", "pixel": "pixels"}
_LINES = "white"
_HEADROOM = 1.7
"""White over the greatest value of a map that is made here: lines are seen on the brightest."""
_ON, _OFF = "#5ce6ff", "#ff3b6b"
_LAYER_OF = ";"
"""Between region and layer in names such as ``S1FL;L4``."""


@dataclass(frozen=True)
class Role:
    """What a layer is for.

    Parameters
    ----------
    source
        ``image``, ``atlas`` or ``neurons``: where it is from.
    part
        ``image``, ``regions``, ``outlines``, ``names`` or ``dots``.
    """

    source: str
    part: str

    @property
    def is_under(self) -> bool:
        """Whether it lies under the hexagons."""
        return self.part in _UNDER

    @property
    def rank(self) -> int:
        """Place from the bottom to the top."""
        return (_UNDER + _OVER).index(self.part)


@dataclass(frozen=True, eq=False)
class NamedRegions:
    """Regions as lines, names and labels.

    Parameters
    ----------
    title
        What they are called together, such as ``regions`` or ``columns``.
    regions
        Where they are.
    labels
        Image of them: 0 is none, k the region ``k - 1``.
    colours
        (n_regions, 3) uint8.
    """

    title: str
    regions: FlatRegions | HexRegions
    labels: FlatImage
    colours: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FlatMap:
    """What a source gives.

    Parameters
    ----------
    source
        ``image``, ``atlas`` or ``neurons``.
    title
        What the image is called.
    image
        None where there is only a tiling.
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
        """Describe it in a line: ``thickness: 168 x 169 pixels of 38.7 µm; 240 columns``."""
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
    """Files of an atlas; those that are None are the circuit's, if it has them.

    Parameters
    ----------
    flatmap
        Voxel flatmap.
    annotation, hierarchy
        Region of each voxel, and names and colours of regions.
    columns
        Column of each voxel; never the circuit's.
    image
        One of `ATLAS_IMAGES`; without a depth, thickness becomes the footprint.
    """

    flatmap: Path | None = None
    annotation: Path | None = None
    hierarchy: Path | None = None
    columns: Path | None = None
    image: str = "thickness"


# --- reading --------------------------------------------------------------------------------------


def image_map(
    path: str | os.PathLike[str],
    pixel_size: float | None,
    origin: tuple[float, float] | None,
    rotation_deg: float | None,
) -> FlatMap:
    """Read an image file; what is None is as the file or the one beside it says.

    Raises
    ------
    SimulationDataError
        If it is no image.
    ValueError
        If nobody says how large a pixel is, or a number is not allowed.
    """
    image = read_flat_image(path, pixel_size=pixel_size, origin=origin, rotation_deg=rotation_deg)
    return FlatMap("image", Path(path).name, image, image.units, path=Path(path))


def atlas_map(files: AtlasFiles, cube: xr.Dataset | None, progress: Progress) -> FlatMap:
    """Read an atlas.

    Parameters
    ----------
    files
        Its files.
    cube
        Hexagons, whose simulation names the atlas of its circuit; None without any.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError
        If a file is missing or is not what it should be, or the circuit has no atlas.
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
    """Regions of hexagons from their neurons, and how many these are.

    Raises
    ------
    SimulationDataError
        If the simulation is gone or lacks the column.
    ValueError
        If there are no hexagons, or the column cannot be used.
    """
    cube, simulation = _with_simulation(cube)
    regions = neuron_regions(simulation, cube, column, progress=progress)
    image = density_image(cube) if density else None
    units = str(cube.attrs["flat_units"])
    named = NamedRegions(
        "regions" if column == "region" else column, regions, *_hex_labels(cube, regions)
    )
    return FlatMap("neurons", "neurons per hexagon", image, units, (named,))


def _completed(files: AtlasFiles, cube: xr.Dataset | None) -> AtlasFiles:
    """The same with the files of the circuit where no flatmap is given."""
    if files.flatmap is not None or cube is None:
        return files
    simulation = _with_simulation(cube)[1]
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
    """Labels of hexagons, and a colour for each region."""
    image = hex_image(cube, regions.region + 1)
    labels = np.nan_to_num(image.pixels).astype(np.int32)
    colours = [distinct_colour(k) for k in range(len(regions.names))]
    return replace(image, pixels=labels), np.array(colours, dtype=np.uint8).reshape(-1, 3)


def _with_simulation(cube: xr.Dataset | None) -> tuple[xr.Dataset, Simulation]:
    """Hexagons with the simulation that they were computed from."""
    if cube is None:
        raise ValueError("there are no hexagons: load a simulation or a cube first")
    path = str(recipe_of(cube).get("simulation", ""))
    if not Path(path).is_file():
        where = path or "it is not named"
        raise ValueError(
            f"{where}: the simulation of the hexagons is not there: load the hexagons from it again"
        )
    return cube, open_simulation(path)


# --- layers ---------------------------------------------------------------------------------------


def layer_units(flat_map: FlatMap, cube: xr.Dataset | None) -> tuple[str, str]:
    """Units of flat layers that fit those of the hexagons.

    Parameters
    ----------
    flat_map
        A flat map. An image file is in whatever units its pixel size is given in.
    cube
        The hexagons; None without any.

    Raises
    ------
    ValueError
        If one is in µm and the other in pixels: they would not lie over one another.
    """
    if cube is None:
        unit = "um" if flat_map.units == "um" else "pixel"
        return unit, unit
    flat, hexes = flat_map.units, str(cube.attrs["flat_units"])
    if flat_map.source != "image" and {flat, hexes} == set(_NAMES_OF_UNITS):
        raise ValueError(
            f"the flat map is in {_NAMES_OF_UNITS[flat]} and the hexagons are in"
            f" {_NAMES_OF_UNITS[hexes]}: choose a flat map in the units of the hexagons, or"
            " hexagons by the flat positions of this one"
        )
    unit = hex_points(cube).units[-1]
    return unit, unit


def layers_of(flat_map: FlatMap, units: tuple[str, str]) -> list[tuple[Role, LayerData]]:
    """Layers of a flat map, from the lowest to the uppermost.

    Parameters
    ----------
    flat_map
        What to show.
    units
        Of the layers; see `layer_units`.
    """
    parts: list[tuple[str, LayerData]] = []
    if flat_map.image is not None:
        headroom = 1.0 if flat_map.source == "image" else _HEADROOM
        parts.append(("image", _image_layer(flat_map.title, flat_map.image, headroom)))
    for named in flat_map.regions:
        parts += _region_layers(named)
    layers = []
    for part, (data, arguments, kind) in parts:
        role = Role(flat_map.source, part)
        common = {"units": units, "metadata": {METADATA_KEY: role}}
        layers.append((role, (data, arguments | common, kind)))
    return sorted(layers, key=lambda layer: layer[0].rank)


def _image_layer(title: str, image: FlatImage, headroom: float) -> LayerData:
    """Grey, with the greatest value at white; or below it, so that lines are seen on it."""
    pixels = image.pixels
    arguments: dict[str, Any] = {"name": title, "affine": image.affine_yx, "rgb": pixels.ndim == 3}
    if pixels.ndim == 3:
        return pixels, arguments, "image"
    if pixels.dtype.kind == "b":
        pixels = np.where(pixels, np.float32(0.5), np.float32(np.nan))
        arguments["contrast_limits"] = (0.0, 1.0)
    else:
        values = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        low, high = min(low, 0.0), high * headroom
        arguments["contrast_limits"] = (low, high if high > low else low + 1.0)
    return pixels, arguments | {"colormap": "gray"}, "image"


def _region_layers(named: NamedRegions) -> list[tuple[str, LayerData]]:
    names, xy = np.array(named.regions.names, dtype=object), named.regions.centroids()
    there = np.isfinite(xy).all(axis=1)
    return [
        ("regions", _labels_layer(named)),
        ("outlines", _outline_layer(named.title, named.regions.outlines())),
        ("names", _name_layer(named.title, names[there], xy[there])),
    ]


def _labels_layer(named: NamedRegions) -> LayerData:
    """Filled regions, whose names are told where the mouse is."""
    table: dict[int | None, Any] = {None: np.zeros(4), 0: np.zeros(4)}
    table |= {k + 1: np.append(colour, 255) / 255.0 for k, colour in enumerate(named.colours)}
    names = ["", *named.regions.names]
    arguments = {
        "name": f"{named.title}, filled",
        "affine": named.labels.affine_yx,
        "colormap": DirectLabelColormap(color_dict=table),
        "features": pd.DataFrame({"index": range(len(names)), "region": names}),
        "opacity": 0.5,
    }
    return named.labels.pixels, arguments, "labels"


def _outline_layer(title: str, lines: list[Floats]) -> LayerData:
    """Every side as a vector: drawn at once, where a shape of each line takes seconds to add."""
    yx = [line[:, ::-1] for line in lines]
    sides = [np.stack([line[:-1], np.diff(line, axis=0)], axis=1) for line in yx]
    data = np.concatenate(sides) if sides else np.empty((0, 2, 2))
    arguments = {
        "name": f"{title}, outlines",
        "edge_color": _LINES,
        "vector_style": "line",
        "opacity": 0.9,
    }
    return data, arguments, "vectors"


def _name_layer(title: str, names: npt.NDArray[np.object_], xy: Floats) -> LayerData:
    """Names as text of points that are not seen."""
    arguments = {
        "name": f"{title}, names",
        "features": {"name": names},
        "text": {"string": "{name}", "color": _LINES, "size": 11, "anchor": "center"},
        "face_color": "transparent",
        "border_width": 0,
        "size": 1,
        "visible": len(names) <= _MOST_NAMES,
    }
    return xy[:, ::-1], arguments, "points"


def _n_shown(labels: FlatImage) -> int:
    return len(np.setdiff1d(labels.pixels, [0]))


# --- alignment ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Neurons:
    """A sample of the neurons that count in hexagons.

    Parameters
    ----------
    x, y
        (n_sample,) flat positions.
    n_all
        Neurons that it was drawn from.
    in_own_region
        Of how many the region is known on the flat map, and how many of these lie in it; None
        where neurons or map have no regions, or others.
    """

    x: Floats
    y: Floats
    n_all: int
    in_own_region: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Fit:
    """How well neurons lie on a flat map.

    Parameters
    ----------
    neurons
        The sample.
    on_image
        (n_sample,) whether each lies on a pixel with something in it; None without an image.
    """

    neurons: Neurons
    on_image: Mask | None

    def lines(self) -> list[str]:
        """The shares in words, each on a line."""
        n_sample = len(self.neurons.x)
        of = f" of {self.neurons.n_all:,}" if n_sample < self.neurons.n_all else ""
        lines = [f"{n_sample:,}{of} neurons shown"]
        if self.on_image is not None:
            lines.append(f"On the image: {_share(int(self.on_image.sum()), n_sample)}")
        if self.neurons.in_own_region is not None:
            n_known, n_inside = self.neurons.in_own_region
            lines.append(f"In own region: {_share(n_inside, n_known)}")
        return lines


def read_neurons(
    cube: xr.Dataset | None, regions: Sequence[NamedRegions], column: str, progress: Progress
) -> Neurons:
    """Draw a sample of the neurons of hexagons, always the same.

    Parameters
    ----------
    cube
        The hexagons.
    regions
        The first that have names of the neurons' regions are compared with these.
    column
        Property with the region of a neuron; the simulation may lack it.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError, ValueError
        If the neurons cannot be read, or none has a place.
    """
    cube, simulation = _with_simulation(cube)
    members = cube_members(simulation, cube, progress=progress)
    recipe, population = recipe_of(cube), str(cube.attrs["population"])
    source = FlatSource.of(simulation, _flat(recipe), recipe.get("column_atlas"))
    places = find_places(simulation, population, source, progress)
    counted = (members.hex_of_neuron != NO_HEX) & has_place(places.x, places.y)
    ids = np.flatnonzero(counted)
    n_all = len(ids)
    if n_all > MOST_DOTS:
        ids = np.sort(np.random.default_rng(0).choice(ids, MOST_DOTS, replace=False))
    x, y = places.x[ids].astype(np.float64), places.y[ids].astype(np.float64)
    own = _values(simulation, population, column, ids)
    found = None
    if own is not None:
        found = _first(
            _in_own_region(named.regions, own, x, y, members.hex_of_neuron[ids])
            for named in regions
        )
    return Neurons(x, y, n_all, found)


def fit(neurons: Neurons, image: FlatImage | None) -> Fit:
    """Tell which neurons lie on an image: on a pixel that is not NaN, transparent, false or 0."""
    if image is None:
        return Fit(neurons, None)
    row, column = image.pixel_at(neurons.x, neurons.y)
    return Fit(neurons, (row >= 0) & _has_content(image.pixels[row, column]))


def dots(fit: Fit, source: str, units: tuple[str, str]) -> tuple[Role, LayerData]:
    """The sample as a layer of dots: light blue, those beside the image red."""
    role = Role(source, "dots")
    arguments = {
        "name": "neurons, alignment",
        "face_color": dot_colours(fit),
        "border_color": "transparent",
        "border_width": 0.0,
        "size": 10.0,
        "canvas_size_limits": (3, 5),
        "units": units,
        "metadata": {METADATA_KEY: role},
    }
    return role, (np.stack([fit.neurons.y, fit.neurons.x], axis=1), arguments, "points")


def dot_colours(fit: Fit) -> list[str]:
    """A colour of each neuron."""
    if fit.on_image is None:
        return [_ON] * len(fit.neurons.x)
    return [_ON if on else _OFF for on in fit.on_image]


def _has_content(values: npt.NDArray[Any]) -> Mask:
    """Which pixels show something; colours without transparency all do."""
    if values.ndim == 2:
        return values[:, 3] > 0 if values.shape[1] == 4 else np.ones(len(values), dtype=bool)
    return np.asarray(np.isfinite(values) & (values != 0))


def _in_own_region(
    regions: FlatRegions | HexRegions,
    own: list[str],
    x: Floats,
    y: Floats,
    hexes: npt.NDArray[np.int32],
) -> tuple[int, int] | None:
    """Neurons whose region is one of these, and how many lie in it; None if there are none."""
    if isinstance(regions, HexRegions):
        here = regions.region[hexes]
    else:
        row, column = regions.image.pixel_at(x, y)
        here = np.where(row >= 0, regions.image.pixels[row, column] - 1, -1)
    place = {name: k for k, name in enumerate(regions.names)}
    codes = np.array([place.get(one, place.get(one.split(_LAYER_OF)[0], -1)) for one in own])
    known = codes >= 0
    return (int(known.sum()), int((known & (codes == here)).sum())) if known.any() else None


def _values(
    simulation: Simulation, population: str, column: str, ids: npt.NDArray[np.intp]
) -> list[str] | None:
    """Values of a property as text; None if there is no such property."""
    if column not in simulation.columns(population):
        return None
    return [str(value) for value in np.asarray(simulation.column(population, column)[ids])]


def _flat(recipe: dict[str, Any]) -> Any:
    flat = recipe["flat"]
    return tuple(flat) if isinstance(flat, list) else flat


def _first(found: Any) -> tuple[int, int] | None:
    return next((one for one in found if one is not None), None)


def _share(n: int, total: int) -> str:
    return f"{100.0 * n / total:.1f} % ({n:,} of {total:,})" if total else "none"
