"""Flat positions and hexagons of the neurons of one population, or of several on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.columns import group_columns
from napari_hexrecruit.counting.hemispheres import side_by_side
from napari_hexrecruit.counting.joining import joined, part_of
from napari_hexrecruit.counting.members import NO_HEX
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.pipeline.lookups import column_of_neuron, median_places
from napari_hexrecruit.pipeline.places import find_places, group_places
from napari_hexrecruit.pipeline.sides import sides_of

if TYPE_CHECKING:
    from napari_hexrecruit.counting.hemispheres import Layout
    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.pipeline.places import FlatSource, Places
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe


@dataclass(frozen=True, eq=False)
class Sheet:
    """Flat positions and hexagons of the neurons of some populations.

    Attributes
    ----------
    places
        Flat positions of each population.
    members
        Hexagons of the neurons of all populations, one population after the other.
    layout
        Layout of the hemispheres; None if they are not laid side by side.
    sides
        (n_neurons,) hemisphere of each neuron, -1 for none; None without a layout.
    """

    places: tuple[Places, ...]
    members: HexMembers
    layout: Layout | None = None
    sides: npt.NDArray[np.int8] | None = None

    def positions(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return (n_neurons,) flat x and y of all neurons; NaN without a flat position."""
        x, y = (
            np.concatenate(axes).astype(np.float64)
            for axes in zip(*(at.read() for at in self.places), strict=True)
        )
        lost = ~np.concatenate([at.has_place for at in self.places])
        x[lost], y[lost] = np.nan, np.nan
        if self.layout is not None and self.sides is not None:
            for side in (0, 1):
                here = self.sides == side
                x[here] = self.layout.x_at(x[here], side, self.members.grid)
            x[self.sides < 0] = np.nan
        return x, y


def grouped(
    populations: Populations,
    source: FlatSource,
    recipe: CubeRecipe,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> Sheet:
    """Find flat positions and hexagons of all neurons; they are kept for the next cube.

    Parameters
    ----------
    populations
        Populations of the neurons.
    source
        Source of their flat positions.
    recipe
        Recipe with the radius of the hexagons and the layout of hemispheres.
    progress, n_workers
        As in `napari_hexrecruit.pipeline.cubes.computed_cube`.
    """
    grid = HexGrid(recipe.radius)

    def group() -> Sheet:
        total = populations.n_neurons
        if progress is not None:
            progress("reading neurons", 0, total)
        found = _group(populations, source, grid, progress, n_workers)
        if recipe.hemisphere is not None:
            found = _laid_out(found, populations, recipe.hemisphere, recipe.mirror)
        if progress is not None:
            progress("reading neurons", total, total)
        return found

    laid = recipe.hemisphere, recipe.mirror
    return populations.sim.memo(("hexagons", populations.names, source, grid, laid), group)


def parts_of(populations: Populations, members: HexMembers) -> list[tuple[str, HexMembers]]:
    """Return each population and the hexagons of its neurons; all share one list of hexagons."""
    if populations.only is not None:
        return [(populations.only, members)]
    return [(name, part_of(members, rows)) for name, rows in populations.parts()]


def place_notes(
    populations: Populations,
    source: FlatSource,
    sheet: Sheet,
    members: HexMembers,
    selected: Mask,
) -> list[str]:
    """Return notes on positions of the selected neurons; one that holds for all appears once."""
    if populations.only is not None:
        return source.notes(sheet.places[0], members, selected)
    chosen, each = selected.values(), []
    for (name, rows), places in zip(populations.parts(), sheet.places, strict=True):
        notes = source.notes(places, part_of(members, rows), Mask.of(chosen[rows]))
        each.append((name, notes))
    of_all = [note for note in each[0][1] if all(note in notes for _, notes in each)]
    return of_all + [
        f"population {name!r}: {note}"
        for name, notes in each
        for note in notes
        if note not in of_all
    ]


def _group(
    populations: Populations,
    source: FlatSource,
    grid: HexGrid,
    progress: Progress | None,
    n_workers: int | None,
) -> Sheet:
    sim = populations.sim
    places = tuple(find_places(sim, name, source, progress) for name in populations.names)
    atlas = source.column_atlas
    if populations.only is None and atlas is not None and not isinstance(source.flat, Path):
        return Sheet(places, _in_columns(populations, atlas, places, grid, progress))
    groups = [
        group_places(sim, name, source, at, grid, progress, n_workers)
        for name, at in zip(populations.names, places, strict=True)
    ]
    return Sheet(places, joined(groups))


def _laid_out(sheet: Sheet, populations: Populations, column: str, mirror: str | None) -> Sheet:
    """Lay the hemispheres side by side; all neurons with a position decide the distance."""
    placed = sheet.members.hex_of_neuron != NO_HEX
    sides, values = sides_of(populations, column, mirror, placed)
    members, layout = side_by_side(sheet.members, sides, values, mirror)
    return Sheet(sheet.places, members, layout, sides)


def _in_columns(
    populations: Populations,
    atlas: Path,
    places: tuple[Places, ...],
    grid: HexGrid,
    progress: Progress | None,
) -> HexMembers:
    """Return columns whose centres are the medians of the neurons of all populations."""
    each = [column_of_neuron(populations.sim, one, atlas, progress) for one in populations.names]
    columns = np.concatenate(each)
    x, y = (np.concatenate(axes) for axes in zip(*(at.read() for at in places), strict=True))
    placed = np.concatenate([at.has_place for at in places])
    inside = columns > 0
    centres = median_places(columns[inside], x[inside], y[inside], placed[inside])
    return group_columns(columns, *centres, radius_of_one=grid.radius)
