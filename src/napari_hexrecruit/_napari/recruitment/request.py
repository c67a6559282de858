"""What is asked of a simulation, and the cubes that answer it. Knows nothing of napari or Qt."""

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
"""Parts that a population is split into at most."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The recipe of a cube, and by which property to split.

    Parameters
    ----------
    recipe
        Which cube; its files are not looked at.
    split_by
        Property with one cube for each of its values; None: one cube.
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
        """Compute the cube of this recipe, not split.

        Without `keep_spikes` it is counted from the file where the spikes are not kept yet.

        Raises
        ------
        ValueError
            If the recipe has what cannot be computed from here, or as `recruitment_cube`.
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
    """Compute what a request asks for.

    One cube is counted while the file is read, which is the quickest way to the first picture; the
    spikes are kept afterwards, see `napari_hexrecruit.pipeline.spike_source.keep_spikes`. Several
    are counted from memory.

    Parameters
    ----------
    sim
        An opened simulation.
    request
        The parameters.
    progress
        Called as ``progress(what, done, total)``; what it raises ends the work.

    Returns
    -------
    dict
        Cubes by the value they are of, such as ``INH`` or ``layer 4``, in the order of the values;
        one cube named ``""`` where nothing is split.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something that is asked for.
    ValueError
        If a parameter cannot be used, nobody is left, or a split gives more than 16 parts.
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
        request.cube(sim, progress)  # which says why nothing is counted
    return cubes


def _part_name(column: str, value: str | int) -> str:
    """A value as it is read on its own: ``INH``, but ``layer 4``."""
    text = value_to_text(value)
    is_name = isinstance(value, str) and text[:1].isalpha()
    return text if is_name else f"{column} {text}"


def _values_to_split(sim: Simulation, request: Request) -> tuple[str | int, ...]:
    """Values of the split column among the neurons that the request selects."""
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
    """Which neurons are in the node set and pass the filters."""
    rules = selected_rules(populations, recipe.rules)
    return selected_mask(populations, node_sets(populations, recipe), rules).values()


def _taken(column: Column, selected: Any) -> Column:
    taken: Column = column[selected]
    return taken
