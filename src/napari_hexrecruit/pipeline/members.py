"""The simulation of a cube, and the hexagon of each of its neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.pipeline.grouping import grouped
from napari_hexrecruit.pipeline.places import FlatSource
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.pipeline.reports import recorded_neurons
from napari_hexrecruit.pipeline.selecting import node_sets, selected_mask, selected_rules
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import Simulation, open_simulation

if TYPE_CHECKING:
    import os

    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Spikes


def cube_members(
    simulation: str | os.PathLike[str] | Simulation,
    cube: xr.Dataset,
    *,
    progress: Progress | None = None,
) -> HexMembers:
    """Find the hexagon of each neuron of a cube.

    Parameters
    ----------
    simulation
        The simulation that the cube was computed from.
    cube
        A recruitment cube; its recipe decides which neurons are included.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    HexMembers
        Hexagons in the order of the cube; the neurons of several populations follow each other.

    Raises
    ------
    SimulationDataError
        If a file cannot be read.
    ValueError
        If the cube has no recipe, or the simulation's neurons have other hexagons than the cube.
    """
    sim = simulation if isinstance(simulation, Simulation) else open_simulation(simulation)
    recipe = CubeRecipe.of(cube)
    recipe.check_neurons_are_said()
    populations = Populations.named(sim, recipe.population)
    several = populations.only is None and recipe.node_set is not None
    found = node_sets(populations, recipe) if several else recipe.node_set
    rules = selected_rules(populations, recipe.rules)
    selected = selected_mask(populations, found, rules)
    if recipe.report is not None:
        selected &= recorded_neurons(populations, recipe.report)
    source = FlatSource.of(sim, recipe.flat, recipe.column_atlas)
    sheet = grouped(populations, source, recipe, progress)
    members = sheet.members.keep(selected)
    if not (
        np.array_equal(members.hex_names(), cube["hex"].values)
        and np.array_equal(members.n_neurons, cube["n_neurons"].values)
    ):
        raise ValueError(
            f"{sim.path}: its neurons do not give the hexagons of the cube, which was computed from"
            f" {recipe.simulation or 'another simulation'}: open that one"
        )
    return members


def cube_spikes(
    simulation: str | os.PathLike[str] | Simulation,
    cube: xr.Dataset,
    *,
    progress: Progress | None = None,
) -> Spikes:
    """Read the spikes of a cube's populations, with neurons numbered as by `cube_members`.

    Parameters
    ----------
    simulation
        The simulation that the cube was computed from.
    cube
        A recruitment cube.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Spikes
        Ascending in time. Neurons of several populations are numbered consecutively.

    Raises
    ------
    SimulationDataError
        If a file cannot be read.
    """
    sim = simulation if isinstance(simulation, Simulation) else open_simulation(simulation)
    return Populations.of(sim, cube).spikes(progress)


def open_recipe(recipe: CubeRecipe) -> Simulation:
    """Open the simulation that a cube was computed from.

    Parameters
    ----------
    recipe
        Recipe of the cube.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If its files no longer exist.
    ValueError
        If the recipe names no simulation.
    """
    if recipe.simulation is None:
        raise ValueError("the cube's recipe names no simulation: compute the cube again")
    return open_simulation(
        recipe.configuration, spikes=recipe.spikes, circuit=recipe.circuit, run=recipe.run
    )
