"""Flat maps as napari layers: images, regions and neurons.

This code runs in threads, and knows neither widgets nor viewers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from napari.layers import Layer
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from napari_hexrecruit._napari.flatmap.alignment import Fit
from napari_hexrecruit._napari.flatmap.sources import FlatMap, NamedRegions
from napari_hexrecruit._napari.layers.display import hex_points
from napari_hexrecruit.flatmap import FlatImage

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
LayerData = tuple[Any, dict[str, Any], str]
"""Data, arguments and type of a layer, as in napari."""

METADATA_KEY = "napari-hexrecruit flat map"
"""Metadata key of a layer's `Role`."""
_MOST_NAMES = 80
"""More names would overlap: they are hidden initially."""
_UNDER, _OVER = ("image", "regions"), ("outlines", "names", "dots")
_NAMES_OF_UNITS = {"um": "µm", "pixel": "pixels"}
_LINES = "white"
_HEADROOM = 1.7
"""Ratio of the value of white to the greatest value of a computed map, so that lines show on it."""
_ON, _OFF = "#5ce6ff", "#ff3b6b"


@dataclass(frozen=True)
class Role:
    """Purpose of a layer.

    Parameters
    ----------
    source
        Source of the layer: ``image``, ``atlas`` or ``neurons``.
    part
        Part of the flat map: ``image``, ``regions``, ``outlines``, ``names`` or ``dots``.
    """

    source: str
    part: str

    @property
    def is_under(self) -> bool:
        """Whether the layer lies under the hexagons."""
        return self.part in _UNDER

    @property
    def rank(self) -> int:
        """Position in the stack, counted from the bottom."""
        return (_UNDER + _OVER).index(self.part)


def layer_units(flat_map: FlatMap, cube: xr.Dataset | None) -> tuple[str, str]:
    """Return units of flat layers that match those of the hexagons.

    Parameters
    ----------
    flat_map
        A flat map. An image file has the units of its pixel size.
    cube
        Cube with the hexagons; None without hexagons.

    Raises
    ------
    ValueError
        If one is in µm and the other in pixels, so that they would not overlap.
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


def layers_of(flat_map: FlatMap, units: tuple[str, str]) -> list[tuple[Role, Layer]]:
    """Make the layers of a flat map, from the lowest to the uppermost.

    They are made in a worker thread; the GUI thread only inserts them.

    Parameters
    ----------
    flat_map
        Flat map to show.
    units
        Units of the layers, see `layer_units`.
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
        layers.append((role, Layer.create(data, arguments | common, kind)))
    return sorted(layers, key=lambda layer: layer[0].rank)


def dots(fit: Fit, source: str, units: tuple[str, str]) -> tuple[Role, Layer]:
    """Make a layer of dots from the sample: light blue, or red outside of the image."""
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
    yx = np.stack([fit.neurons.y, fit.neurons.x], axis=1)
    return role, Layer.create(yx, arguments, "points")


def dot_colours(fit: Fit) -> Floats:
    """Return the colour of each neuron, (n_sample, 4), an array that napari need not convert."""
    on = np.ones(len(fit.neurons.x), dtype=bool) if fit.on_image is None else fit.on_image
    colours: Floats = transform_color([_OFF, _ON])[on.astype(np.intp)].astype(np.float64)
    return colours


def _image_layer(title: str, image: FlatImage, headroom: float) -> LayerData:
    """Make a grey image; `headroom` is the ratio of the value of white to the greatest value."""
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
    """Make a layer of filled regions, which names the region under the mouse."""
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
    # For labels of 4 bytes, napari compiles loops, which takes seconds; smaller types need none.
    pixels = named.labels.pixels.astype(np.min_scalar_type(len(named.regions.names)))
    return pixels, arguments, "labels"


def _outline_layer(title: str, lines: list[Floats]) -> LayerData:
    """Make a layer with each side as a vector; shapes would take seconds to add."""
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
    """Make a layer of names, as text of invisible points."""
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
