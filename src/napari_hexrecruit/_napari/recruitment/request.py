"""A request for cubes of a simulation, and its result. Knows neither napari nor Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_hexrecruit._napari.recruitment.choices import column_choices
from napari_hexrecruit.filters import value_to_text
from napari_hexrecruit.pipeline.cubes import computed_cube
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.pipeline.selecting import node_sets, selected_mask, selected_rules
from napari_hexrecruit.schema import N_SPIKES

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation
    from napari_hexrecruit.values import Column

MOST_PARTS = 16
"""Largest number of parts that a population is split into."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The recipe of a cube, and the property to split by.

    Parameters
    ----------
    recipe
        Recipe of the cube; its files are ignored.
    split_by
        Property to split by, with one cube per value; None: one cube.
    """

    recipe: CubeRecipe
    split_by: str | None = None

    def cube(
        self,
        sim: Simulation,
        progress: Progress | None,
        *,
        allow_empty: bool = False,
        keep_spikes: bool = True,
    ) -> xr.Dataset:
        """Compute the cube of this recipe, without splitting.

        If `keep_spikes` is False and the spikes are not in memory, count from the file.

        Raises
        ------
        ValueError
            If the recipe has entries that the panel cannot compute, or as `recruitment_cube`.
        SimulationDataError
            As `recruitment_cube`.
        """
        if self.recipe.others:
            raise ValueError(
                f"the layer was computed with {', '.join(sorted(self.recipe.others))}, which this"
                " panel cannot: it stays as it is; press Clear to go on without"
            )
        return computed_cube(
            sim,
            recipe=self.recipe,
            allow_empty=allow_empty,
            keep_spikes=keep_spikes,
            progress=progress,
        )


def cubes_of(
    sim: Simulation, request: Request, progress: Progress | None = None
) -> dict[str, xr.Dataset]:
    """Compute the cubes of a request.

    A single cube is counted while the file is read, which gives the first picture soonest;
    `napari_hexrecruit.pipeline.spike_source.keep_spikes` reads the spikes into memory afterwards.
    Several cubes are counted from memory.

    Parameters
    ----------
    sim
        An opened simulation.
    request
        The parameters.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.

    Returns
    -------
    dict
        Cubes by value, such as ``INH`` or ``layer 4``, in the order of the values; without
        splitting, one cube with the key ``""``.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something requested.
    ValueError
        If a parameter is invalid, no neuron is selected, or a split gives more than 16 parts.
    """
    if request.split_by is None:
        return {"": request.cube(sim, progress, keep_spikes=False)}
    cubes = {}
    for value in _values_to_split(sim, request):
        rule = {"column": request.split_by, "value": value}
        part = Request(recipe=request.recipe.replace(where=[*request.recipe.rules, rule]))
        cubes[_part_name(request.split_by, value)] = part.cube(sim, progress, allow_empty=True)
    if request.recipe.report is None and not any(
        bool(cube[N_SPIKES].any()) for cube in cubes.values()
    ):
        request.cube(sim, progress)  # raises an error that says why nothing is counted
    return cubes


def _part_name(column: str, value: str | int) -> str:
    """Return a value that is clear on its own: ``INH``, but ``layer 4``."""
    text = value_to_text(value)
    is_name = isinstance(value, str) and text[:1].isalpha()
    return text if is_name else f"{column} {text}"


def _values_to_split(sim: Simulation, request: Request) -> tuple[str | int, ...]:
    """Return the values of the split property among the neurons that the request selects."""
    name = str(request.split_by)
    populations = Populations.named(sim, request.recipe.population)
    selected = _selected(populations, request.recipe)
    values = column_choices(name, _taken(populations.column(name), selected)).values
    if not values:
        raise ValueError(f"{name!r} has too many values to split by: choose another column")
    if len(values) > MOST_PARTS:
        raise ValueError(
            f"{name!r} has {len(values)} values and at most {MOST_PARTS} layers fit side by side:"
            " filter fewer of them, or choose another column to split by"
        )
    return values


def _selected(populations: Populations, recipe: CubeRecipe) -> Any:
    """Return the mask of neurons in the node set that pass the filters."""
    rules = selected_rules(populations, recipe.rules)
    return selected_mask(populations, node_sets(populations, recipe), rules).values()


def _taken(column: Column, selected: Any) -> Column:
    taken: Column = column[selected]
    return taken
