"""What the widget's threads do, and what they bring back. Knows nothing of napari or Qt."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from napari_hexrecruit._napari.recruitment.choices import (
    ColumnChoices,
    SimulationChoices,
    column_choices,
    simulation_choices,
)
from napari_hexrecruit._napari.recruitment.request import Request, cubes_of
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit.doubts import warnings_in
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit._napari.recruitment.settings import Settings
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """A simulation and what it offers.

    Parameters
    ----------
    sources
        Files that it was opened from.
    simulation
        Kept, so that a second cube costs only the counting.
    choices
        What it offers.
    filter_values
        Values of the property that was filtered by last time.
    """

    sources: Sources
    simulation: Simulation
    choices: SimulationChoices
    filter_values: ColumnChoices


@dataclass(frozen=True)
class Loaded:
    """What was asked for and what came of it.

    Parameters
    ----------
    opened
        The simulation; opened anew if its files have changed.
    request
        What was asked for.
    cubes
        Cubes by the value they are of; see `cubes_of`.
    """

    opened: Opened
    request: Request
    cubes: dict[str, xr.Dataset]


def opened(sources: Sources, settings: Settings) -> Opened:
    """Open a simulation and read what it offers.

    Parameters
    ----------
    sources
        Its files.
    settings
        What was chosen before: the values of its filter are read at once.

    Raises
    ------
    SimulationDataError
        If it is none, or a file that it names is missing.
    """
    simulation = sources.open()
    choices = simulation_choices(simulation)
    named = settings.recipe.population or ""
    population = choices.of(named)
    filter_values = ColumnChoices("")
    if settings.filter_column in population.filter_columns:
        filter_values = values_of(simulation, named or population.name, settings.filter_column)
    return Opened(Sources.given(simulation), simulation, choices, filter_values)


def values_of(
    simulation: Simulation, population: str | tuple[str, ...], column: str
) -> ColumnChoices:
    """Read which values of a property occur in a population, or in several."""
    return column_choices(column, Populations.named(simulation, population).column(column))


def computed(chosen: Opened, settings: Settings, request: Request, progress: Progress) -> Loaded:
    """Compute cubes; a simulation whose files have changed since is read anew.

    Parameters
    ----------
    chosen
        The simulation in memory.
    settings
        What is chosen of it.
    request
        What to compute.
    progress
        Called as ``progress(what, done, total)``.

    Warns
    -----
    UserWarning
        If a file has changed again meanwhile, as while it is being written.
    """
    if chosen.simulation.is_stale():
        chosen = opened(chosen.sources, settings)
    cubes = cubes_of(chosen.simulation, request, progress)
    for cube in cubes.values():
        cube.isel({TIME: 0})  # xarray imports dask for its first cut: not in the window's thread
    if chosen.simulation.is_stale():
        warnings.warn(
            f"{chosen.sources.main}: a file of the simulation has changed while it was read:"
            " load again when it is complete",
            stacklevel=2,
        )
    return Loaded(chosen, request, cubes)


def summary(cubes: Sequence[xr.Dataset]) -> str:
    """Describe cubes in a line: ``98 hexagons, 100 bins, 1,997 of 2,000 neurons counted.``."""
    n_neurons = sum(int(cube.attrs["n_neurons_selected"]) for cube in cubes)
    n_placeless = sum(int(cube.attrs["n_neurons_without_place"]) for cube in cubes)
    n_hexes = max(cube.sizes[HEX] for cube in cubes)
    parts = [] if len(cubes) == 1 else [f"{len(cubes)} layers"]
    parts += [
        _counted(n_hexes, "hexagon"),
        _counted(cubes[0].sizes[TIME], "bin"),
        f"{n_neurons - n_placeless:,} of {_counted(n_neurons, 'neuron')} counted",
    ]
    n_notes = len(notes_of(cubes))
    noted = f" {_counted(n_notes, 'note')} in Details." if n_notes else ""
    return f"{', '.join(parts)}.{noted}"


def notes_of(cubes: Sequence[xr.Dataset]) -> list[str]:
    """What was assumed or left out when cubes were computed, each once."""
    none: list[str] = []
    notes = [_json(cube.attrs.get("notes"), none) for cube in cubes]
    return list(dict.fromkeys(note for some in notes for note in some))


def warnings_of(cubes: Sequence[xr.Dataset]) -> list[str]:
    """Those of the notes that say what may not be meant, each once."""
    return list(dict.fromkeys(text for cube in cubes for text in warnings_in(cube.attrs)))


def _json(text: Any, otherwise: T) -> T:
    """Value that a text stands for, if it is of the type of the other one."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return otherwise
    return value if isinstance(value, type(otherwise)) else otherwise


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
