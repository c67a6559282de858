"""Maps of connectivity for the panel "Maps"; knows neither widgets nor viewers."""

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
"""Titles of the maps of edges from chosen neurons, by name."""
SELECTED = ("", "")
"""Origin that stands for the neurons of the selected hexagons."""
Origin = tuple[str, str]
"""Name and value of a parameter of `afferents`."""


def origins(source: SimulationSource) -> list[tuple[str, Origin]]:
    """Return (label, origin) pairs of the origins of edges, besides the selected hexagons."""
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
    """Compute a map of `AFFERENTS` from the selected hexagons, a population or a node set.

    Raises
    ------
    ValueError
        If no hexagon is selected, or the simulation of the cube is not available.
    SimulationDataError
        If these edges do not exist, or cannot be read.
    """
    if source is None:
        raise ValueError("the simulation of these hexagons is not known: load it, and try again")
    given: dict[str, Any] = {"hexes": list(selected)} if origin == SELECTED else dict([origin])
    return afferents(source.simulation(), cube, progress=progress, **given)[name]
