"""Maps of who connects, for the panel "Maps"; knows neither widgets nor viewers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.pipeline.afferents import NEURONS, SYNAPSES, afferents

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit._napari.layers.simulation_source import SimulationSource
    from napari_hexrecruit.progress import Progress

AFFERENTS = {
    SYNAPSES: "Afferent synapses",
    NEURONS: "Afferent neurons",
}
"""Maps of the edges from some neurons, by name."""
SELECTED = ("", "")
"""Stands for the neurons of the selected hexagons."""
Origin = tuple[str, str]
"""Parameter of `afferents`, and its value."""


def origins(source: SimulationSource) -> list[tuple[str, Origin]]:
    """(label, origin) pairs of what edges can be from, beside the selected hexagons."""
    simulation = source.simulation()
    sets = [(f"node set {name}", ("node_set", name)) for name in simulation.node_sets]
    return [
        *((f"population {name}", ("population", name)) for name in simulation.populations),
        *sets,
    ]


def afferent_map(
    cube: xr.Dataset,
    name: str,
    origin: Origin,
    selected: Sequence[str],
    source: SimulationSource | None,
    progress: Progress,
) -> xr.DataArray:
    """A map of `AFFERENTS` from the selected hexagons, a population or a node set.

    Raises
    ------
    ValueError
        If no hexagon is selected, or the simulation of the cube is not at hand.
    SimulationDataError
        If there are no such edges, or they cannot be read.
    """
    if source is None:
        raise ValueError("the simulation of these hexagons is not known: load it, and try again")
    given: dict[str, Any] = {"hexes": list(selected)} if origin == SELECTED else dict([origin])
    return afferents(source.simulation(), cube, progress=progress, **given)[name]
