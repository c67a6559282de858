"""What the widget's threads do, and what they bring back. Knows nothing of napari or Qt."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from napari_hexrecruit._napari.choices import (
    ColumnChoices,
    SimulationChoices,
    column_choices,
    simulation_choices,
)
from napari_hexrecruit._napari.request import Request, cubes_of
from napari_hexrecruit.schema import HEX, TIME
from napari_hexrecruit.sonata import Simulation, open_simulation

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit._napari.settings import Settings
    from napari_hexrecruit.recruitment import Progress

__all__ = ["Loaded", "Opened", "computed", "opened", "recipe_of", "summary", "values_of"]

T = TypeVar("T")

FileState = tuple[tuple[int, int], ...]
"""Time of change and size of the files that a simulation in memory was read from."""


@dataclass(frozen=True)
class Opened:
    """A simulation and what it offers.

    Parameters
    ----------
    simulation
        Kept, so that a second cube costs only the counting.
    choices
        What it offers.
    filter_values
        Values of the property that was filtered by last time.
    state
        State of its files when it was opened.
    """

    simulation: Simulation
    choices: SimulationChoices
    filter_values: ColumnChoices
    state: FileState

    @property
    def path(self) -> Path:
        """The simulation's configuration."""
        return self.simulation.path

    def renewed(self, loaded: Loaded) -> Opened:
        """The same with the simulation as it was read for the cubes."""
        return replace(self, simulation=loaded.simulation, state=loaded.state)


@dataclass(frozen=True)
class Loaded:
    """What was asked for and what came of it.

    Parameters
    ----------
    simulation, state
        The simulation; opened anew if its files have changed.
    request
        What was asked for.
    cubes
        Cubes by the value they are of; see `cubes_of`.
    """

    simulation: Simulation
    state: FileState
    request: Request
    cubes: dict[str, xr.Dataset]

    @property
    def path(self) -> Path:
        """The simulation's configuration."""
        return self.simulation.path


def opened(path: Path, settings: Settings) -> Opened:
    """Open a simulation and read what it offers.

    Parameters
    ----------
    path
        SONATA simulation configuration.
    settings
        What was chosen before: the values of its filter are read at once.

    Raises
    ------
    SimulationDataError
        If it is none, or a file that it names is missing.
    """
    simulation = open_simulation(path)
    state = _file_state(simulation)
    choices = simulation_choices(simulation)
    population = choices.of(settings.population)
    filter_values = ColumnChoices("")
    if settings.filter_column in population.filter_columns:
        filter_values = values_of(simulation, population.name, settings.filter_column)
    return Opened(simulation, choices, filter_values, state)


def values_of(simulation: Simulation, population: str, column: str) -> ColumnChoices:
    """Read which values of a property occur."""
    return column_choices(column, simulation.column(population, column))


def computed(
    simulation: Simulation, state: FileState, request: Request, progress: Progress
) -> Loaded:
    """Compute cubes; a simulation whose files have changed since is read anew.

    Parameters
    ----------
    simulation, state
        The simulation in memory and the state of its files then.
    request
        What to compute.
    progress
        Called as ``progress(what, done, total)``.
    """
    now = _file_state(simulation)
    if now != state:
        simulation = open_simulation(**simulation.given)
    return Loaded(simulation, now, request, cubes_of(simulation, request, progress))


def summary(cubes: Sequence[xr.Dataset]) -> str:
    """Describe cubes in a line: ``98 hexagons, 100 bins, 2,000 neurons, 3 without a place``."""
    n_neurons = sum(int(cube.attrs["n_neurons_selected"]) for cube in cubes)
    n_placeless = sum(int(cube.attrs["n_neurons_without_place"]) for cube in cubes)
    n_hexes = max(cube.sizes[HEX] for cube in cubes)
    parts = [] if len(cubes) == 1 else [f"{len(cubes)} layers"]
    parts += [
        _counted(n_hexes, "hexagon"),
        _counted(cubes[0].sizes[TIME], "bin"),
        _counted(n_neurons, "neuron"),
    ]
    if n_placeless:
        parts.append(f"{n_placeless:,} without a place")
    notes: list[str] = _json(cubes[0].attrs.get("notes"), [])
    notes = [f"{note[:1].upper()}{note[1:]}." for note in notes]
    return " ".join([", ".join(parts) + ("." if notes else ""), *notes])


def recipe_of(cube: xr.Dataset) -> dict[str, Any]:
    """Parameters that a cube was computed with; empty where it does not say."""
    return _json(cube.attrs["recipe"], {})


def _json(text: Any, otherwise: T) -> T:
    """Value that a text stands for, if it is of the type of the other one."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return otherwise
    return value if isinstance(value, type(otherwise)) else otherwise


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _file_state(simulation: Simulation) -> FileState:
    files = (simulation.path, simulation.spikes_file)
    return tuple(_one_state(file) for file in files)


def _one_state(file: Path) -> tuple[int, int]:
    try:
        stat = os.stat(file)
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
