"""``hexrecruit map CUBE afferents``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_hexrecruit.cli._answers import names_of, simulation_of
from napari_hexrecruit.cli._console import progress_bars
from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr

AFFERENTS = "afferents"


def afferent_maps(
    path: Path,
    cube: xr.Dataset,
    origin: str | None,
    edges: str | None,
    given: Mapping[str, Any],
) -> list[xr.DataArray]:
    """Compute the maps of synapses and of neurons that the options ask for.

    Parameters
    ----------
    path, cube
        File of the cube, and the cube.
    origin
        Value of ``--from``: a node set, a population or hexagons.
    edges
        Value of ``--edges``.
    given
        Options of other maps; any is an error.
    """
    if given:
        other = next(iter(given)).replace("_", "-")
        raise HexRecruitError(f"the map {AFFERENTS} takes --from and --edges, not --{other}")
    if origin is None:
        raise HexRecruitError(f"the map {AFFERENTS} needs --from: a node set or hexagons")
    from napari_hexrecruit.pipeline.afferents import NEURONS, SYNAPSES, afferents

    sim = simulation_of(path, cube)
    if origin in sim.node_sets:
        source: dict[str, Any] = {"node_set": origin}
    elif origin in sim.populations:
        source = {"population": origin}
    else:
        source = {"hexes": names_of([origin])}
    with progress_bars() as progress:
        found = afferents(sim, cube, edges=edges, progress=progress, **source)
    return [found[SYNAPSES], found[NEURONS]]
