"""The simulation behind a cube, kept in memory for all panels. Knows neither napari nor Qt."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from napari_hexrecruit.pipeline.members import cube_members, open_recipe
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import N_TRIALS
from napari_hexrecruit.sonata import Simulation
from napari_hexrecruit.system.waiting import Kept, held

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.progress import Progress

_Key = tuple[str | int | None, ...]


class SimulationSource:
    """A simulation, opened when first needed, and the neurons of each hexagon.

    Parameters
    ----------
    recipe
        Recipe of a cube that was counted from the simulation.
    """

    def __init__(self, recipe: CubeRecipe) -> None:
        self._recipe = recipe
        self._lock = threading.Lock()
        self._simulation: Simulation | None = None
        self._members = Kept(1)

    @property
    def key(self) -> _Key:
        """Key that identifies the simulation."""
        return _key(self._recipe)

    def simulation(self) -> Simulation:
        """Return the simulation; open it again if its files have changed.

        Raises
        ------
        SimulationDataError
            If the simulation cannot be read.
        """
        with held(self._lock):
            if self._simulation is None or self._simulation.is_stale():
                self._simulation = open_recipe(self._recipe)
            return self._simulation

    def members(self, cube: xr.Dataset, progress: Progress | None = None) -> HexMembers:
        """Return the neurons of the hexagons of a cube.

        Raises
        ------
        SimulationDataError, ValueError
            If the simulation cannot be read, or its hexagons differ from those of the cube.
        """
        simulation = self.simulation()

        def find() -> tuple[HexMembers, Simulation, xr.Dataset]:
            found = cube_members(simulation, cube, progress=progress)
            return found, simulation, cube  # kept, so that no other object gets the ids in the key

        return self._members.get((id(simulation), id(cube)), find)[0]


def source_of(cube: xr.Dataset | None) -> SimulationSource | None:
    """Find the simulation that a cube was counted from.

    Parameters
    ----------
    cube
        A recruitment cube, or a result of an analysis.

    Returns
    -------
    SimulationSource or None
        The same object for all cubes of the same files, as long as a caller holds it. None if the
        cube does not name its simulation, or the file is missing.
    """
    if cube is None:
        return None
    recipe = CubeRecipe.of_foreign(cube)
    if recipe.simulation is None or not Path(recipe.simulation).is_file():
        return None
    source = _sources.get(_key(recipe))
    if source is None:
        source = _sources[_key(recipe)] = SimulationSource(recipe)
    return source


_sources: weakref.WeakValueDictionary[_Key, SimulationSource] = weakref.WeakValueDictionary()


def origin_ms(cube: xr.Dataset) -> float:
    """Return the simulation time of a cube's time 0, ms: not 0 for trials and windows."""
    return float(cube.attrs.get("time_origin_ms", 0.0))


def is_mean(cube: xr.Dataset) -> bool:
    """Return whether a bin of the cube averages over several times of the simulation."""
    return N_TRIALS in cube.attrs


def _key(recipe: CubeRecipe) -> _Key:
    return recipe.simulation, recipe.spikes, recipe.circuit, recipe.run
