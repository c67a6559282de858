"""Signs that the size of the hexagons and the unit of flat positions do not fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.pipeline.grouping import Sheet
    from napari_hexrecruit.pipeline.places import FlatSource
    from napari_hexrecruit.pipeline.populations import Populations

FEW_HEXES = 3
"""Most hexagons that neurons at one place can be in: three meet in a corner."""
MUCH_SMALLER = 0.25
"""Share of the radius below which the sheet seems to be in another unit: 12.5 mm of 50 um."""
ENOUGH_NEURONS = 1000
"""Fewest neurons to judge from that most are alone in their hexagon; a sketch can be sparse."""


def doubts_of_scale(
    populations: Populations, source: FlatSource, sheet: Sheet, min_neurons: int
) -> tuple[str, ...]:
    """Return a sentence if hexagons are far too large or too small for the sheet.

    Parameters
    ----------
    populations, source
        Populations of the neurons, and source of their flat positions.
    sheet
        Flat positions and hexagons of all neurons, also of those that are not selected.
    min_neurons
        Fewest neurons of a hexagon with a value.
    """
    members = sheet.members
    n_hexes, n_placed = len(members.i), int(members.n_neurons.sum())
    if source.column_atlas is not None or n_placed == 0:
        return ()
    radius, where = members.grid.radius, _where(populations, source)
    if n_hexes <= FEW_HEXES * (1 if sheet.layout is None else 2):
        extent = _extent(*replace(sheet, layout=None).positions())
        if not 0.0 < extent < MUCH_SMALLER * radius:
            return ()
        return (
            f"{where}: all {n_placed:,} neurons are within {extent:.3g}, in {_hexagons(n_hexes)}"
            f" of radius {radius:g}, as if the radius were in another unit than the flat positions:"
            f" choose a smaller radius, such as {extent / 20:.1g}, or give the positions in um",
        )
    if n_placed < ENOUGH_NEURONS or 2 * n_hexes < n_placed or min_neurons > 1:
        return ()
    return (
        f"{where}: {n_placed:,} neurons are in {n_hexes:,} hexagons of radius {radius:g}, so most"
        " are alone in theirs, and percentages are 0 or 100: choose a larger radius",
    )


def doubts_of_minimum(members: HexMembers, min_neurons: int) -> tuple[str, ...]:
    """Return a sentence if no hexagon of the selected neurons has enough of them for a value."""
    most = int(members.n_neurons.max(initial=0))
    if most >= min_neurons:
        return ()
    return (
        f"no hexagon has {min_neurons:,} neurons, so none has a value: the largest has {most:,}:"
        " choose a smaller minimum of neurons, or a larger radius",
    )


def _where(populations: Populations, source: FlatSource) -> str:
    if isinstance(source.flat, Path):
        return str(source.flat)
    file, names = populations.sim.nodes_file(populations.names[0]), " and ".join(source.flat)
    return f"{file}: {names}"


def _hexagons(n: int) -> str:
    return "one hexagon" if n == 1 else f"{n} hexagons"


def _extent(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Return the larger extent of the finite positions."""
    there = np.isfinite(x) & np.isfinite(y)
    return max(float(np.ptp(axis[there])) for axis in (x, y))
