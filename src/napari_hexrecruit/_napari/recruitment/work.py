"""The work of the widget's threads, and its results. Knows neither napari nor Qt."""

from __future__ import annotations

import functools
import json
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr

from napari_hexrecruit._napari.recruitment.choices import (
    ColumnChoices,
    SimulationChoices,
    column_choices,
    simulation_choices,
)
from napari_hexrecruit._napari.recruitment.request import Request, cubes_of
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit.counting.warm_up import warm_up_ahead
from napari_hexrecruit.doubts import warnings_in
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    from napari_hexrecruit._napari.recruitment.settings import Settings
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """A simulation and its choices.

    Parameters
    ----------
    sources
        Files that the simulation was opened from.
    simulation
        The simulation, kept so that a second cube costs only the counting.
    choices
        Choices that it offers.
    filter_values
        Values of the property of the last filter.
    """

    sources: Sources
    simulation: Simulation
    choices: SimulationChoices
    filter_values: ColumnChoices


@dataclass(frozen=True)
class Loaded:
    """A request and its result.

    Parameters
    ----------
    opened
        The simulation, opened again if its files have changed.
    request
        The request.
    cubes
        Cubes by value, see `cubes_of`.
    """

    opened: Opened
    request: Request
    cubes: dict[str, xr.Dataset]


def opened(sources: Sources, settings: Settings) -> Opened:
    """Open a simulation and read its choices.

    Parameters
    ----------
    sources
        Its files.
    settings
        Earlier choices; the values of their filter are also read.

    Raises
    ------
    SimulationDataError
        If the configuration is not one of a simulation, or a file that it names is missing.
    """
    simulation = sources.open()
    choices = simulation_choices(simulation)
    named = settings.recipe.population or ""
    population = choices.of(named)
    filter_values = ColumnChoices("")
    if settings.filter_column in population.filter_columns:
        filter_values = values_of(simulation, named or population.name, settings.filter_column)
    get_ready_ahead()
    return Opened(Sources.given(simulation), simulation, choices, filter_values)


@functools.cache
def get_ready_ahead() -> None:
    """Prepare for the first cube in other threads, once, while the user looks at the choices.

    This loads the compiled loops. xarray imports dask at its first selection, which takes a second.
    """
    warm_up_ahead()
    select = functools.partial(xr.DataArray(np.zeros(1), dims=TIME).isel, {TIME: 0})
    threading.Thread(target=select, name="hexrecruit-first-selection", daemon=True).start()


def values_of(
    simulation: Simulation, population: str | tuple[str, ...], column: str
) -> ColumnChoices:
    """Read the values of a property in one or several populations."""
    return column_choices(column, Populations.named(simulation, population).column(column))


def computed(chosen: Opened, settings: Settings, request: Request, progress: Progress) -> Loaded:
    """Compute cubes; read the simulation again if its files have changed.

    Parameters
    ----------
    chosen
        The simulation in memory.
    settings
        Choices for the simulation.
    request
        What to compute.
    progress
        Called as ``progress(what, done, total)``.

    Warns
    -----
    UserWarning
        If a file changes during the work, such as a file still being written.
    """
    if chosen.simulation.is_stale():
        chosen = opened(chosen.sources, settings)
    cubes = cubes_of(chosen.simulation, request, progress)
    for cube in cubes.values():
        cube.isel({TIME: 0})  # if dask is still being imported, the GUI thread must not wait
    if chosen.simulation.is_stale():
        warnings.warn(
            f"{chosen.sources.main}: a file of the simulation has changed while it was read:"
            " load again when it is complete",
            stacklevel=2,
        )
    return Loaded(chosen, request, cubes)


def summary(cubes: Sequence[xr.Dataset]) -> str:
    """Describe cubes on one line: ``98 hexagons, 100 bins, 1,997 of 2,000 neurons counted.``."""
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
    """Return the assumptions and omissions of cubes, without repetition."""
    none: list[str] = []
    notes = [_json(cube.attrs.get("notes"), none) for cube in cubes]
    return list(dict.fromkeys(note for some in notes for note in some))


def warnings_of(cubes: Sequence[xr.Dataset]) -> list[str]:
    """Return the notes that report doubtful input, without repetition."""
    return list(dict.fromkeys(text for cube in cubes for text in warnings_in(cube.attrs)))


def _json(text: Any, otherwise: T) -> T:
    """Return the JSON value of a text if it has the type of `otherwise`, or else `otherwise`."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return otherwise
    return value if isinstance(value, type(otherwise)) else otherwise


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
