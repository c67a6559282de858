"""Flat positions of a population's neurons, and their hexagons or columns."""

from __future__ import annotations

import math
import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.nrrd import read_header
from napari_hexrecruit.atlas.volumes import OUTSIDE
from napari_hexrecruit.counting.columns import group_columns
from napari_hexrecruit.counting.placing import InMemory, place_neurons
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.pipeline.lookups import (
    column_centres,
    column_of_neuron,
    has_place,
    look_up,
    median_places,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.hexgrid import HexGrid
    from napari_hexrecruit.masks import Mask
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import Flat
    from napari_hexrecruit.sonata import Simulation

Bools = npt.NDArray[np.bool_]
_MUCH_FARTHER = 100.0
"""How many times farther than a volume neurons reach if its unit seems wrong; for mm 1,000."""
_FLAT_NAMES = ("ss_flat_", "flat_")
"""Prefixes of properties whose values, and outside value, come from an atlas."""
_FEWEST_VOXELS = 3.0
"""A radius below this many voxels or pixels of the flatmap is noted; see docs/flatmaps.md."""


@dataclass(frozen=True, eq=False)
class Places:
    """Flat positions of all neurons of a population.

    Attributes
    ----------
    read
        Returns x and y: (n_neurons,) coordinates; `has_place` marks the valid positions.
    units
        ``um``, ``pixel`` or ``unknown``.
    resolution
        Step of the positions in these units; None for properties of the neurons.
    how
        How they were found, for a note; empty for columns of the nodes file.
    has_outside_value
        True if -1 in both is the outside value of an atlas, not an ordinary position.
    """

    read: Callable[[], tuple[npt.NDArray[Any], npt.NDArray[Any]]]
    units: str
    resolution: float | None = None
    how: str = ""
    has_outside_value: bool = True

    @property
    def x(self) -> npt.NDArray[Any]:
        """(n_neurons,) x coordinates."""
        return self.read()[0]

    @property
    def y(self) -> npt.NDArray[Any]:
        """(n_neurons,) y coordinates."""
        return self.read()[1]

    @property
    def has_place(self) -> Bools:
        """(n_neurons,) bool: False for NaN, infinite, and the outside value."""
        return has_place(*self.read(), outside_value=self.has_outside_value)

    def notes(self, selected: Mask, radius: float) -> list[str]:
        """Return notes for a cube on neurons without a flat position and on a too small radius."""
        notes = []
        if self.how:
            x, y = (axis[selected.values()] for axis in self.read())
            n_outside = np.count_nonzero(~np.isfinite(x) | ~np.isfinite(y))
            n_nowhere = np.count_nonzero((x == OUTSIDE) & (y == OUTSIDE))
            notes.append(
                f"{self.how}: of {len(x):,} neurons {n_outside:,} lie outside of its box and"
                f" {n_nowhere:,} where it has no flat position"
            )
        least = _FEWEST_VOXELS * (self.resolution or 0.0)
        if radius < least * (1.0 - 1e-9):
            of, why = (
                ("pixels", "hexagons show its grid")
                if self.units == "pixel"
                else ("voxels", "neurons are placed by voxel")
            )
            notes.append(
                f"radius {radius:g} is under three {of} of the flatmap ({least:.5g} {self.units})"
                f" and {why}: use at least {math.ceil(least)}"
            )
        return notes


@dataclass(frozen=True)
class FlatSource:
    """Source of flat positions and groups.

    Attributes
    ----------
    flat
        Two columns, or the file of a voxel flatmap.
    column_atlas
        File of a volume of column ids; None for hexagons.
    """

    flat: tuple[str, str] | Path
    column_atlas: Path | None

    @classmethod
    def of(
        cls, sim: Simulation, flat: Flat, column_atlas: str | os.PathLike[str] | None
    ) -> FlatSource:
        """Resolve the parameters of a recipe.

        Raises
        ------
        ValueError
            If `flat` or `column_atlas` is invalid.
        SimulationDataError
            If the circuit has no atlas, or the atlas lacks the volume.
        """
        atlas = None if column_atlas is None else _resolve_atlas(sim, column_atlas, "column_atlas")
        return cls(_resolve_flat(sim, flat), atlas)

    def notes(self, places: Places, members: HexMembers, selected: Mask) -> list[str]:
        """Return notes for a cube of the selected neurons; `members` holds only these."""
        if self.column_atlas is None:
            return places.notes(selected, members.grid.radius)
        x, y = members.grid.hex_to_xy(members.i, members.j)
        away = np.hypot(*(np.stack(members.xy()) - np.stack([x, y]))).max()
        n_selected = selected.count()
        return [
            f"the hexagons are the columns of {self.column_atlas.name}; x and y are their centres;"
            " row, col, i and j are their places on a regular grid of radius"
            f" {members.grid.radius:.5g}, at most {away:.4g} from the centres",
            f"of {n_selected:,} neurons {n_selected - int(members.n_neurons.sum()):,} are in no"
            " column",
        ]

    def doubts(self, sim: Simulation, population: str) -> tuple[str, ...]:
        """Return a sentence if neurons are so far from a volume that its unit seems wrong."""
        volume = self.flat if isinstance(self.flat, Path) else self.column_atlas
        if isinstance(self.flat, tuple) and _from_atlas(sim, population, self.flat):
            volume = sim.atlas_file("flatmap")
        return _of_another_unit(volume, sim.positions(population)) if volume is not None else ()

    def __str__(self) -> str:
        flat = str(self.flat) if isinstance(self.flat, Path) else ", ".join(self.flat)
        return f"{flat} and {self.column_atlas}" if self.column_atlas else flat


def find_places(
    sim: Simulation, population: str, source: FlatSource, progress: Progress | None = None
) -> Places:
    """Find flat positions of a population; they are kept, those from an atlas also on disk.

    Parameters
    ----------
    sim, population
        Simulation and population of the neurons.
    source
        Source of the positions.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError
        If a property or file is missing or cannot be read.
    ValueError
        If a property is not numeric.
    """
    flat = source.flat
    if isinstance(flat, Path):
        return sim.memo(
            ("places", population, flat), lambda: _look_up(sim, population, flat, progress)
        )

    def read() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        x, y = (_numbers(sim, population, name, progress) for name in flat)
        return x, y

    units = flat_units(flat)
    computed = _from_atlas(sim, population, flat)
    how = f"{' and '.join(computed)} were computed from the circuit's atlas" if computed else ""
    has_outside_value = all(name in computed or name.startswith(_FLAT_NAMES) for name in flat)
    return Places(read, units, 1.0 if units == "pixel" else None, how, has_outside_value)


def group_places(
    sim: Simulation,
    population: str,
    source: FlatSource,
    places: Places,
    grid: HexGrid,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> HexMembers:
    """Group all neurons of a population with a flat position into hexagons or columns.

    Parameters
    ----------
    sim, population
        Simulation and population of the neurons.
    source
        Decides between hexagons and columns. With a flatmap, the centre of a column is the median
        of its voxels; with properties, that of its neurons.
    places
        Result of `find_places` for the same parameters.
    grid
        Tiling; for columns only its radius is used, and only if there is a single column.
    progress
        Called as ``progress(what, done, total)``.
    n_workers
        Threads that place neurons in hexagons; by default the cores available to this process.

    Returns
    -------
    HexMembers
        With a column atlas, a neuron is in its column even without a flat position.
    """
    if source.column_atlas is None:
        return _in_hexagons(sim, population, source, places, grid, progress, n_workers)
    columns = column_of_neuron(sim, population, source.column_atlas, progress)
    if isinstance(source.flat, Path):
        centres = column_centres(source.column_atlas, source.flat, progress)
    else:
        inside = columns > 0
        centres = median_places(
            columns[inside], *(axis[inside] for axis in (*places.read(), places.has_place))
        )
    return group_columns(columns, *centres, radius_of_one=grid.radius)


def _in_hexagons(
    sim: Simulation,
    population: str,
    source: FlatSource,
    places: Places,
    grid: HexGrid,
    progress: Progress | None,
    n_workers: int | None,
) -> HexMembers:
    """Place all neurons in hexagons; properties are read meanwhile and not kept."""

    def placed(done: int) -> None:
        if progress is not None:
            progress("reading neurons", done, sim.n_neurons(population))

    columns = source.flat if isinstance(source.flat, tuple) else None
    with sim.number_columns(population, columns) if columns else nullcontext() as found:
        return place_neurons(
            grid,
            found or InMemory(*places.read()),
            outside_value=places.has_outside_value,
            n_workers=n_workers,
            placed=placed,
        )


def _resolve_flat(sim: Simulation, flat: Flat) -> tuple[str, str] | Path:
    if isinstance(flat, (str, os.PathLike)):
        return _resolve_atlas(sim, flat, "flat", "flatmap")
    names = tuple(flat)
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ParameterError(
            Parameter("flat"),
            "must be the names of two columns, 'atlas', 'atlas:NAME' or an nrrd file,"
            f" not {flat!r}",
        )
    if names[0] == names[1]:
        raise ParameterError(
            Parameter("flat"), f"names {names[0]!r} twice", "name two different properties"
        )
    return names[0], names[1]


def _resolve_atlas(
    sim: Simulation, atlas: str | os.PathLike[str], what: str, default: str = ""
) -> Path:
    """Return the path of a volume: a file, or one of the circuit's atlas ("atlas": the default)."""
    text = os.fspath(atlas)
    if isinstance(atlas, str) and (text.startswith("atlas:") or (text == "atlas" and default)):
        return Path(os.path.abspath(sim.atlas_file(text[len("atlas:") :] or default)))
    if isinstance(atlas, str) and not text.endswith(".nrrd"):
        ways = "the names of two columns, 'atlas', 'atlas:NAME'" if default else "'atlas:NAME'"
        raise ParameterError(Parameter(what), f"must be {ways} or an nrrd file, not {atlas!r}")
    return Path(os.path.abspath(text))


def flat_units(flat: tuple[str, str]) -> str:
    """Return the unit of flat space by the names: ``um``, ``pixel``, or ``unknown``.

    conntility documents ``ss_flat_x`` and ``ss_flat_y`` as approximately µm and ``flat_x`` and
    ``flat_y`` as pixels of the flatmap; SONATA's x, y, z are µm.
    """
    if all(name.startswith("ss_flat_") or name in ("x", "y", "z", "depth") for name in flat):
        return "um"
    if all(name in ("flat_x", "flat_y") for name in flat):
        return "pixel"
    return "unknown"


def _from_atlas(sim: Simulation, population: str, flat: tuple[str, str]) -> list[str]:
    return [name for name in flat if sim.is_from_atlas(population, name)]


def _of_another_unit(volume: Path, positions: tuple[npt.NDArray[Any], ...]) -> tuple[str, ...]:
    """Return a sentence if neurons are far outside of a volume, or all within one voxel."""
    header = read_header(volume)
    ends = np.stack([header.offset, header.offset + header.voxel_size * header.shape])
    box, width = float(np.abs(ends).max()), float(np.abs(header.voxel_size).max())
    axes = [axis[np.isfinite(axis)] for axis in positions]
    reach = max((float(np.abs(axis).max()) for axis in axes if axis.size), default=0.0)
    extent = max((float(np.ptp(axis)) for axis in axes if axis.size), default=0.0)
    if 0.0 < extent < float(np.abs(header.voxel_size).min()):
        return (
            f"{volume}: its voxels are {width:.4g} um wide, and all neurons are within"
            f" {extent:.3g} um, as if x, y and z were in mm: give them in um",
        )
    if reach <= _MUCH_FARTHER * box:
        return ()
    return (
        f"{volume}: its voxels are {width:.4g} um wide and end at {box:.4g} um, and the neurons"
        f' reach {reach:.4g} um: if it is in mm, add \'space units: "mm" "mm" "mm"\' to its head',
    )


def _numbers(
    sim: Simulation, population: str, name: str, progress: Progress | None
) -> npt.NDArray[Any]:
    column = sim.column(population, name, progress)
    if not isinstance(column, np.ndarray) or column.dtype.kind not in "iuf":
        raise ValueError(f"flat column {name!r} does not hold numbers: name two numeric columns")
    return column


def _look_up(sim: Simulation, population: str, path: Path, progress: Progress | None) -> Places:
    found = look_up(sim, population, path, progress)
    resolution, is_pixel = found["step"].tolist()
    units = "pixel" if is_pixel else "um"
    how = f"flat positions were looked up in {path.name}"
    return Places(lambda: (found["x"], found["y"]), units, resolution, how)
