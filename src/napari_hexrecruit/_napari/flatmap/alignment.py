"""How well neurons fit a flat map: a sample, and the shares on the image and in their regions.

This code runs in threads, and knows neither widgets nor viewers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._napari.flatmap.sources import NamedRegions, with_simulation
from napari_hexrecruit.counting.members import NO_HEX
from napari_hexrecruit.flatmap import FlatImage, FlatRegions, HexRegions
from napari_hexrecruit.pipeline.grouping import grouped
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.pipeline.places import FlatSource
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.recipe import CubeRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST_DOTS = 5_000
"""Largest number of neurons shown by an alignment check."""
_LAYER_OF = ";"
"""Separator of region and layer in names such as ``S1FL;L4``."""


@dataclass(frozen=True, eq=False)
class Neurons:
    """A sample of the neurons counted in hexagons.

    Parameters
    ----------
    x, y
        (n_sample,) flat positions.
    n_all
        Number of neurons that the sample was drawn from.
    in_own_region
        Number of neurons whose region is on the flat map, and number of these that lie in it. None
        if neurons or map lack regions, or their names differ.
    has_regions
        Whether the flat map has any regions.
    """

    x: Floats
    y: Floats
    n_all: int
    in_own_region: tuple[int, int] | None
    has_regions: bool = False


@dataclass(frozen=True, eq=False)
class Fit:
    """How well neurons fit a flat map.

    Parameters
    ----------
    neurons
        The sample.
    on_image
        (n_sample,) True for neurons on a pixel with content; None without an image.
    """

    neurons: Neurons
    on_image: Mask | None

    def lines(self) -> list[str]:
        """Return the shares in words, one per line."""
        n_sample = len(self.neurons.x)
        of = f" of {self.neurons.n_all:,}" if n_sample < self.neurons.n_all else ""
        lines = [f"{n_sample:,}{of} neurons shown"]
        if self.on_image is not None:
            lines.append(f"On the image: {_share(int(self.on_image.sum()), n_sample)}")
        if self.neurons.in_own_region is not None:
            n_known, n_inside = self.neurons.in_own_region
            lines.append(f"In own region: {_share(n_inside, n_known)}")
        elif self.neurons.has_regions:
            lines.append("In own region: not known, the map names other regions than the neurons")
        return lines


def read_neurons(
    cube: xr.Dataset | None, regions: Sequence[NamedRegions], column: str, progress: Progress
) -> Neurons:
    """Draw a reproducible sample of the neurons of hexagons.

    Parameters
    ----------
    cube
        Cube with the hexagons.
    regions
        Regions of the flat map. The first that share names with the neurons' regions are compared
        with them.
    column
        Property with the region of each neuron; the simulation may lack it.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError, ValueError
        If the neurons cannot be read, or all are without a flat position.
    """
    cube, simulation = with_simulation(cube)
    members = cube_members(simulation, cube, progress=progress)
    recipe, populations = CubeRecipe.of(cube), Populations.of(simulation, cube)
    source = FlatSource.of(simulation, recipe.flat, recipe.column_atlas)
    sheet = grouped(populations, source, recipe, progress)
    all_x, all_y = sheet.positions()
    counted = (members.hex_of_neuron != NO_HEX) & np.isfinite(all_x)
    ids = np.flatnonzero(counted)
    n_all = len(ids)
    if n_all > MOST_DOTS:
        ids = np.sort(np.random.default_rng(0).choice(ids, MOST_DOTS, replace=False))
    x, y = all_x[ids], all_y[ids]
    own = _values(populations, column, ids)
    found = None
    if own is not None:
        found = _first(
            _in_own_region(named.regions, own, x, y, members.hex_of_neuron[ids])
            for named in regions
            if _are_comparable(named, column)
        )
    return Neurons(x, y, n_all, found, bool(regions))


def fit(neurons: Neurons, image: FlatImage | None) -> Fit:
    """Find the neurons on the content of an image: pixels not NaN, transparent, false or 0."""
    if image is None:
        return Fit(neurons, None)
    row, column = image.pixel_at(neurons.x, neurons.y)
    return Fit(neurons, (row >= 0) & _has_content(image.pixels[row, column]))


def _has_content(values: npt.NDArray[Any]) -> Mask:
    """Return which pixels have content; without an alpha channel, all colours do."""
    if values.ndim == 2:
        return values[:, 3] > 0 if values.shape[1] == 4 else np.ones(len(values), dtype=bool)
    return np.asarray(np.isfinite(values) & (values != 0))


def _are_comparable(named: NamedRegions, column: str) -> bool:
    """Return whether names can be values of a property: layer 3 is not column 3."""
    is_own = isinstance(named.regions, HexRegions) and column in (named.title, "region")
    return is_own or not all(name.isdigit() for name in named.regions.names)


def _in_own_region(
    regions: FlatRegions | HexRegions,
    own: list[str],
    x: Floats,
    y: Floats,
    hexes: npt.NDArray[np.int32],
) -> tuple[int, int] | None:
    """Count the neurons whose region is on the map, and those that lie in it; None for none."""
    if isinstance(regions, HexRegions):
        here = regions.region[hexes]
    else:
        row, column = regions.image.pixel_at(x, y)
        here = np.where(row >= 0, regions.image.pixels[row, column] - 1, -1)
    place = {name: k for k, name in enumerate(regions.names)}
    codes = np.array([place.get(one, place.get(one.split(_LAYER_OF)[0], -1)) for one in own])
    known = codes >= 0
    return (int(known.sum()), int((known & (codes == here)).sum())) if known.any() else None


def _values(populations: Populations, column: str, ids: npt.NDArray[np.intp]) -> list[str] | None:
    """Return the values of a property as text; None if the property is missing."""
    if column not in populations.shared():
        return None
    return [str(value) for value in np.asarray(populations.column(column)[ids])]


def _first(found: Any) -> tuple[int, int] | None:
    return next((one for one in found if one is not None), None)


def _share(n: int, total: int) -> str:
    return f"{100.0 * n / total:.1f} % ({n:,} of {total:,})" if total else "none"
