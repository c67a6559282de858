"""Connections to the neurons of a cube: maps of synapses and of presynaptic neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.selection import HexChoice, hex_positions, neurons_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.counting.connections import Connections, count_connections
from napari_hexrecruit.errors import ParameterError, SimulationDataError
from napari_hexrecruit.pipeline.grouping import parts_of
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.pipeline.question import opened
from napari_hexrecruit.schema import COORDINATES, HEX, N_NEURONS
from napari_hexrecruit.sonata import NoEdgesError
from napari_hexrecruit.system.threads import ahead

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Edges, Simulation

SYNAPSES, NEURONS = "afferent_synapses", "afferent_neurons"
_SMALL = 0.05
"""Largest share of the source neurons for which a file's index is used."""


def afferents(
    simulation: str | os.PathLike[str] | Simulation,
    cube: xr.Dataset,
    *,
    node_set: str | None = None,
    hexes: HexChoice | None = None,
    population: str | None = None,
    edges: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute how strongly some neurons project to each hexagon of a cube.

    Parameters
    ----------
    simulation
        The simulation of the cube, whose circuit names the edges.
    cube
        A cube of any quantity; its hexagons and neurons are the targets.
    node_set, hexes, population
        The sources: a node set, of `population` or of the cube's; or the cube's neurons in some
        hexagons, as in `hex_positions`: the map then shows where they project to; or a whole
        population, which can be virtual.
    edges
        Edge population, or an edges file; by default the only edges between the two populations.
    progress
        Called as ``progress("edges", done, total)``; an exception that it raises ends the work.

    Returns
    -------
    xr.Dataset
        (hex,) ``afferent_synapses``, edges from the sources per neuron of the hexagon, and
        ``afferent_neurons``, distinct source neurons per neuron of the hexagon. `with_maps` adds
        them to the cube. The attribute ``n_unknown`` counts edges with ids that a population lacks.

    Raises
    ------
    SimulationDataError
        If there are no such edges, or a file cannot be read.
    ValueError
        If no source is named, or no source neuron exists.
    """
    sim, _ = opened(simulation)
    cube = as_cube(cube)
    targets = Populations.of(sim, cube)
    members = cube_members(sim, cube)
    sources, said = _sources(sim, cube, members, targets, node_set, hexes, population)
    named = None if edges is None else str(edges)
    found: list[tuple[Connections, str]] = []
    missing: list[SimulationDataError] = []
    for source, chosen in sources.items():
        for target, part in parts_of(targets, members):
            try:
                with sim.edges(source, target, named) as opened_edges:
                    counted = _count(sim, opened_edges, chosen, part, progress)
                    found.append((counted, opened_edges.where))
            except NoEdgesError as error:
                missing.append(error)
    if not found:
        raise missing[0]
    return _maps(cube, [one for one, _ in found], said, ", ".join(where for _, where in found))


def _sources(
    sim: Simulation,
    cube: xr.Dataset,
    members: HexMembers,
    targets: Populations,
    node_set: str | None,
    hexes: HexChoice | None,
    population: str | None,
) -> tuple[dict[str, npt.NDArray[np.bool_]], str]:
    """Return the source neurons of each population, and their name."""
    if (node_set is None and hexes is None and population is None) or (
        node_set is not None and hexes is not None
    ):
        raise ParameterError("", "the sources are not named: give node_set, hexes or population")
    if hexes is not None:
        return _in_hexes(cube, members, targets, hexes, population)
    source = targets if population is None else Populations.named(sim, population)
    chosen = np.full(source.n_neurons, node_set is None)
    if node_set is not None:
        chosen[source.node_set_rows(node_set)] = True
    if not chosen.any():
        listed = " or ".join(map(repr, source.names))
        raise ParameterError(
            f"node set {node_set!r}", f"has no neuron of population {listed}", "name another one"
        )
    return _of_each(source, chosen), node_set or " and ".join(source.names)


def _in_hexes(
    cube: xr.Dataset,
    members: HexMembers,
    targets: Populations,
    hexes: HexChoice,
    population: str | None,
) -> tuple[dict[str, npt.NDArray[np.bool_]], str]:
    """Return the cube's neurons in some hexagons, optionally of one population."""
    if population is not None and population not in targets.names:
        held = " and ".join(map(repr, targets.names))
        raise ParameterError(
            "", f"hexagons hold neurons of {held}, not of {population!r}", "leave that out"
        )
    at = hex_positions(cube, hexes)
    if at.size == 0:
        raise ParameterError("", "no hexagon is selected: name one, as in R3;C-1")
    chosen = np.zeros(targets.n_neurons, dtype=bool)
    chosen[neurons_of(members, at)] = True
    names = cube[HEX].values[at].astype(str)
    said = names[0] if len(names) == 1 else f"{len(names)} hexagons"
    each = _of_each(targets, chosen)
    return {name: each[name] for name in each if population in (None, name)}, said


def _of_each(
    populations: Populations, chosen: npt.NDArray[np.bool_]
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return the chosen neurons of each population that has any."""
    return {name: chosen[rows] for name, rows in populations.parts() if chosen[rows].any()}


def _count(
    sim: Simulation,
    edges: Edges,
    chosen: npt.NDArray[np.bool_],
    members: HexMembers,
    progress: Progress | None,
) -> Connections:
    n_hexes = len(members.i)

    def rows(sources: Any, targets: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        return (
            sim.rows_of(edges.source_population, sources),
            sim.rows_of(edges.target_population, targets),
        )

    if np.count_nonzero(chosen) <= _SMALL * len(chosen):
        ids = sim.node_ids(edges.source_population)[chosen]
        indexed = edges.of_sources(ids)
        if indexed is not None:
            pieces = list(indexed)
            one = tuple(
                np.concatenate([p[k] for p in pieces] or [np.zeros(0, int)]) for k in (0, 1)
            )
            together = [rows(*one)]
            return count_connections(lambda: together, chosen, members.hex_of_neuron, n_hexes)

    def blocks() -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
        done = 0
        with ahead(edges.blocks()) as read:
            for sources, targets in read:
                yield rows(sources, targets)
                done += len(sources)
                if progress is not None:
                    progress("edges", done, len(edges))

    return count_connections(blocks, chosen, members.hex_of_neuron, n_hexes)


def _maps(cube: xr.Dataset, found: list[Connections], said: str, where: str) -> xr.Dataset:
    import xarray as xr

    n_neurons = np.maximum(cube[N_NEURONS].values, 1).astype(np.float64)
    synapses, pairs = sum(one.synapses for one in found), sum(one.pairs for one in found)
    variables = {
        SYNAPSES: (synapses, f"Afferent synapses from {said}", "synapses per neuron"),
        NEURONS: (pairs, f"Afferent neurons of {said}", "neurons per neuron"),
    }
    return xr.Dataset(
        {
            name: (HEX, counts / n_neurons, {"long_name": label, "units": units})
            for name, (counts, label, units) in variables.items()
        },
        {name: cube[name] for name in COORDINATES if cube[name].dims == (HEX,)},
        {"n_unknown": sum(one.n_unknown for one in found), "edges": where},
    )
