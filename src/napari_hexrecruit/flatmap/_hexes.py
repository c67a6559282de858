"""Regions from the neurons alone: the region of most neurons in each hexagon, and borders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_hexrecruit.counting.members import NO_HEX, HexMembers
from napari_hexrecruit.flatmap._borders import Borders
from napari_hexrecruit.flatmap._images import FlatImage, checked_pixel_size
from napari_hexrecruit.flatmap._voxels import label_points, most_frequent
from napari_hexrecruit.hexgrid import HexGrid, neighbours
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.schema import N_NEURONS
from napari_hexrecruit.sonata import Simulation, open_simulation

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.progress import Progress

Hexes: TypeAlias = "HexMembers | xr.Dataset"
"""Hexagons of a grouping of neurons, or of a cube."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_CORNERS_IJ = np.array([(0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0)])
"""Steps (di, dj) from a centre to its corners on the triangular lattice, counter-clockwise from the
one at 30 degrees; neighbour k is across the side between corners k - 1 and k."""
_PIXELS_PER_RADIUS = 8
_MOST_PIXELS = 100_000_000


@dataclass(frozen=True, eq=False)
class HexRegions:
    """Hexagons and the region of each.

    Attributes
    ----------
    grid
        The tiling.
    i, j
        (n_hexes,) int32 grid indices.
    region
        (n_hexes,) int32 position in `names`; -1 for none.
    names
        Names of the regions.
    """

    grid: HexGrid
    i: Ints
    j: Ints
    region: Ints
    names: tuple[str, ...]

    def outlines(self) -> list[Floats]:
        """Return borders between regions, and around them, as long lines.

        Returns
        -------
        list of (n_points, 2) float64
            x and y of hexagon corners, each border once; closed if the first point equals the last.
            Hexagons without a region count as outside.
        """
        return self._borders.lines()

    def polygons(self) -> list[list[Floats]]:
        """Return the closed lines of each region: around its parts, and around its holes.

        Returns
        -------
        list of list of (n_points, 2) float64
            Rings of each region: counter-clockwise around parts, clockwise around holes; none for a
            region that is never the majority.
        """
        return [self._borders.rings(region) for region in range(len(self.names))]

    def centroids(self) -> Floats:
        """Return (n_regions, 2) x and y for the name of each region; NaN if it has no hexagon.

        It is the mean of its hexagons' centres or, if that is in another region or outside, the
        closest centre of its own hexagons.
        """
        xy = np.stack(self.grid.hex_to_xy(self.i, self.j), axis=1)
        return label_points(self.region, xy, len(self.names), self._region_at)

    def _region_at(self, x: Floats, y: Floats) -> Ints:
        which = _Finder(self.i, self.j)(*self.grid.xy_to_hex(x, y))
        return np.where(which < 0, np.int32(-1), self.region[which])

    @cached_property
    def _borders(self) -> Borders:
        beside = neighbours(self.i, self.j)
        other = np.where(beside >= 0, self.region[beside], -1)
        which, side = np.nonzero((self.region[:, None] >= 0) & (self.region[:, None] != other))
        centre = np.stack([self.i[which], self.j[which]], axis=1)
        corners = np.concatenate([centre + _CORNERS_IJ[side - 1], centre + _CORNERS_IJ[side]])
        used, at = np.unique(corners, axis=0, return_inverse=True)
        start, end = at.reshape(2, -1)
        return Borders(
            _lattice_points(self.grid, used), start, end, self.region[which], other[which, side]
        )


def majority_codes(members: HexMembers, codes: npt.ArrayLike) -> Ints:
    """Return the most frequent code among the neurons of each hexagon.

    Parameters
    ----------
    members
        Hexagon of each neuron.
    codes
        (n_neurons_of_population,) whole numbers; negative ones mean unknown and are ignored.

    Returns
    -------
    (n_hexes,) int32
        The most frequent code; the lowest of equally frequent ones. -1 if no neuron has a code.

    Raises
    ------
    ValueError
        If there is not one whole number for each neuron.
    """
    codes = np.asarray(codes)
    if codes.shape != members.hex_of_neuron.shape or codes.dtype.kind not in "iu":
        raise ValueError(
            f"codes must be {len(members.hex_of_neuron)} whole numbers, one a neuron, not"
            f" {codes.shape} {codes.dtype}"
        )
    counted = (members.hex_of_neuron != NO_HEX) & (codes >= 0)
    which, code = most_frequent(members.hex_of_neuron[counted], codes[counted])
    majority = np.full(len(members.i), -1, dtype=np.int32)
    majority[which] = code
    return majority


def hex_regions(hexes: Hexes, region: npt.ArrayLike, names: Sequence[str]) -> HexRegions:
    """Return regions of hexagons, for outlines and names.

    Parameters
    ----------
    hexes
        The hexagons.
    region
        (n_hexes,) position in `names` of each hexagon's region, -1 for none; for example the result
        of `majority_codes`.
    names
        Names of the regions.

    Returns
    -------
    HexRegions

    Raises
    ------
    ValueError
        If there is not one region for each hexagon, or a region has no name.

    Examples
    --------
    >>> from napari_hexrecruit.counting.members import group_neurons
    >>> x, y = np.array([0.0, 87.0, 173.0]), np.zeros(3)
    >>> members = group_neurons(HexGrid(50.0), x, y, np.ones(3, dtype=bool))
    >>> regions = hex_regions(members, majority_codes(members, [0, 0, 1]), ["S1", "S2"])
    >>> len(regions.outlines()), regions.centroids().round(1).tolist()
    (1, [[43.3, 0.0], [173.2, 0.0]])
    """
    grid, i, j = _grid_of(hexes)
    codes = np.asarray(region)
    if codes.shape != i.shape or codes.dtype.kind not in "iu":
        raise ValueError(
            f"region must be {len(i)} whole numbers, one a hexagon, not {codes.shape} {codes.dtype}"
        )
    if codes.max(initial=-1) >= len(names):
        raise ValueError(
            f"region {codes.max()} has no name: there are {len(names)}, counted from 0"
        )
    return HexRegions(grid, i, j, codes.astype(np.int32), tuple(str(name) for name in names))


def neuron_regions(
    simulation: str | os.PathLike[str] | Simulation,
    cube: xr.Dataset,
    column: str = "region",
    *,
    progress: Progress | None = None,
) -> HexRegions:
    """Return the regions of a cube's hexagons from the neurons alone, without an atlas.

    Parameters
    ----------
    simulation
        The simulation that the cube was computed from.
    cube
        A recruitment cube; its neurons are used.
    column
        Node property of text or whole numbers: ``region``, ``layer``, ``mtype``.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    HexRegions
        In the order of the cube's hexagons. A hexagon has the region of most of its neurons; of
        several with equally many neurons, the one whose name sorts first.

    Raises
    ------
    SimulationDataError
        If the population lacks the property; the message lists its properties.
    ValueError
        If the property is not text or whole numbers, or the cube is from another simulation.

    Examples
    --------
    >>> from napari_hexrecruit import open_simulation, recruitment_cube
    >>> sim = open_simulation("simulation_config.json")  # doctest: +SKIP
    >>> cube = recruitment_cube(sim)  # doctest: +SKIP
    >>> neuron_regions(sim, cube).outlines()  # doctest: +SKIP
    """
    sim = simulation if isinstance(simulation, Simulation) else open_simulation(simulation)
    members = cube_members(sim, cube, progress=progress)
    values = Populations.of(sim, cube).column(column, progress)
    if isinstance(values, pd.Categorical):
        codes, names = np.asarray(values.codes), [str(name) for name in values.categories]
    elif values.dtype.kind in "iub":
        used, codes = np.unique(values, return_inverse=True)
        names = [str(value) for value in used.tolist()]
    else:
        raise ValueError(
            f"column {column!r} holds real numbers: name one of text or of whole numbers"
        )
    return hex_regions(members, majority_codes(members, codes), names)


def hex_image(
    hexes: Hexes, values: npt.ArrayLike, *, pixel_size: float | None = None, units: str = "um"
) -> FlatImage:
    """Draw values of hexagons as an image.

    Parameters
    ----------
    hexes
        The hexagons.
    values
        (n_hexes,) numbers.
    pixel_size
        Side of a pixel in flat units; by default an eighth of the radius.
    units
        Unit of flat space.

    Returns
    -------
    FlatImage
        (height, width) float32, NaN outside the hexagons. A pixel has the value of the hexagon that
        contains its centre.

    Raises
    ------
    ValueError
        If there is not one value per hexagon, or the image would have more than 100 million pixels.
    """
    grid, i, j = _grid_of(hexes)
    numbers = np.asarray(values, dtype=np.float32)
    if numbers.shape != i.shape:
        raise ValueError(f"values must be {len(i)}, one a hexagon, not {numbers.shape}")
    size = checked_pixel_size(
        grid.radius / _PIXELS_PER_RADIUS if pixel_size is None else pixel_size
    )
    x, y = grid.hex_to_xy(i, j)
    left, bottom = x.min() - grid.spacing / 2.0, y.min() - grid.radius
    width = int(np.ceil((x.max() + grid.spacing / 2.0 - left) / size[0]))
    height = int(np.ceil((y.max() + grid.radius - bottom) / size[1]))
    if width * height > _MOST_PIXELS:
        raise ValueError(
            f"the image would have {height:,} x {width:,} pixels: give a greater pixel_size than"
            f" {size[0]:g}"
        )
    find = _Finder(i, j)
    padded = np.append(numbers, np.float32(np.nan))
    xs = left + size[0] * (np.arange(width) + 0.5)
    pixels = np.empty((height, width), dtype=np.float32)
    for row in range(height):
        ys = np.full(width, bottom + size[1] * (height - row - 0.5))
        pixels[row] = padded[find(*grid.xy_to_hex(xs, ys))]
    return FlatImage(pixels, size, (float(left), float(bottom)), units=units)


def density_image(hexes: Hexes, *, pixel_size: float | None = None) -> FlatImage:
    """Draw the number of neurons of each hexagon as an image; see `hex_image`."""
    if isinstance(hexes, HexMembers):
        return hex_image(hexes, hexes.n_neurons, pixel_size=pixel_size)
    units = str(hexes.attrs["flat_units"])
    return hex_image(hexes, hexes[N_NEURONS].values, pixel_size=pixel_size, units=units)


class _Finder:
    """Finds the position of grid indices in a list of hexagons; -1 if they are not in it."""

    def __init__(self, i: Ints, j: Ints) -> None:
        keys = _keys(i, j)
        self._order = np.argsort(keys)
        self._sorted = keys[self._order]

    def __call__(self, i: npt.NDArray[Any], j: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        keys = _keys(i, j)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)


def _keys(i: npt.NDArray[Any], j: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    keys: npt.NDArray[np.int64] = i.astype(np.int64) * 2**32 + j
    return keys


def _grid_of(hexes: Hexes) -> tuple[HexGrid, Ints, Ints]:
    if isinstance(hexes, HexMembers):
        return hexes.grid, hexes.i, hexes.j
    return HexGrid.from_attrs(hexes.attrs), hexes["i"].values, hexes["j"].values


def _lattice_points(grid: HexGrid, ij: npt.NDArray[Any]) -> Floats:
    """Return x and y of vertices of the triangular lattice, which are centres and corners."""
    i, j = ij.astype(np.float64).T
    x = grid.spacing / 2.0 * (i + j) + grid.origin[0]
    return np.stack([x, grid.radius / 2.0 * (j - i) + grid.origin[1]], axis=1)
