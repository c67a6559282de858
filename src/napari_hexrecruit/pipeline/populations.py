"""Several populations on one sheet: their counts and denominators add."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.metrics import is_cumulative
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import (
    COORDINATES,
    HEX,
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    RECRUITMENT,
    TIME,
    VARIABLES,
    notes_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.sonata import Simulation

_ADDED = (
    *("n_neurons_selected", "n_neurons_without_place"),
    *("n_spikes_read", "n_spikes_outside_window", "n_spikes_unknown_id"),
)
_SAME = ("hex_radius", "bin_ms", "flat_units")


def summed_cube(
    sim: Simulation, recipe: CubeRecipe, cube_of: Callable[[CubeRecipe, bool], xr.Dataset]
) -> xr.Dataset:
    """The cube of several populations: equal ids of two of them are two neurons.

    Parameters
    ----------
    sim
        The simulation.
    recipe
        Which cube; its `populations` are two or more.
    cube_of
        Gives the cube of one population's recipe; its second argument allows that it has no spikes.

    Raises
    ------
    ValueError
        If a population is named twice, they are in different flat spaces, or as `cube_of`.
    """
    names = recipe.populations
    if len(set(names)) < len(names):
        raise ParameterError(
            Parameter("population"), f"names a population twice: {', '.join(names)}"
        )
    if recipe.report is not None:
        raise ParameterError(
            Parameter("report"), "is of one population", "name one with population"
        )
    one = recipe.replace(populations=(), min_neurons=1)
    cubes = [cube_of(one.replace(population=name), True) for name in names]
    if not any(int(cube[N_SPIKES].sum()) for cube in cubes):
        cube_of(one.replace(population=names[0]), False)  # which says why, unless it is allowed
    for cube in cubes[1:]:
        unlike = [name for name in _SAME if cube.attrs[name] != cubes[0].attrs[name]]
        if unlike:
            raise ValueError(
                f"the populations {names[0]!r} and {cube.attrs['population']!r} have no sheet in"
                f" common: {unlike[0]} is {cubes[0].attrs[unlike[0]]} and {cube.attrs[unlike[0]]}"
            )
    return _summed(cubes, recipe)


def _summed(cubes: Sequence[xr.Dataset], recipe: CubeRecipe) -> xr.Dataset:
    import xarray as xr

    hexes, at = _union(cubes)
    size = cubes[0].sizes[TIME], len(hexes[HEX])
    counts = {name: np.zeros(size, np.int32) for name in (N_RECRUITED, N_SPIKES)}
    n_neurons = np.zeros(size[1], np.int32)
    for cube, where in zip(cubes, at, strict=True):
        n_neurons[where] += cube[N_NEURONS].values
        for name, total in counts.items():
            total[:, where] += cube[name].values
    enough = np.where(n_neurons >= recipe.min_neurons, n_neurons, np.nan)
    values: dict[str, npt.NDArray[Any]] = {
        RECRUITMENT: (100.0 * counts[N_RECRUITED] / enough).astype(np.float32),
        **counts,
    }
    first = cubes[0]
    coords = {name: (HEX, column, first[name].attrs) for name, column in hexes.items()}
    coords[N_NEURONS] = (HEX, n_neurons, first[N_NEURONS].attrs)
    times = {name: first[name] for name in COORDINATES if TIME in first[name].dims}
    return xr.Dataset(
        {name: ((TIME, HEX), values[name], first[name].attrs) for name in VARIABLES},
        times | coords,
        _attrs(cubes, recipe),
    )


def _union(
    cubes: Sequence[xr.Dataset],
) -> tuple[dict[str, npt.NDArray[Any]], list[npt.NDArray[np.intp]]]:
    """Columns of all hexagons, by row and column; and where those of each cube are."""
    names = [n for n in COORDINATES if cubes[0][n].dims == (HEX,) and n != N_NEURONS]
    together = {name: np.concatenate([cube[name].values for cube in cubes]) for name in names}
    _, once = np.unique(together[HEX].astype(str), return_index=True)
    once = once[np.lexsort((together["col"][once], together["row"][once]))]
    columns = {name: column[once] for name, column in together.items()}
    position = {name: k for k, name in enumerate(columns[HEX].tolist())}
    where = [np.array([position[n] for n in cube[HEX].values.tolist()]) for cube in cubes]
    return columns, where


def _attrs(cubes: Sequence[xr.Dataset], recipe: CubeRecipe) -> dict[str, Any]:
    attrs, first = dict(cubes[0].attrs), CubeRecipe.of(cubes[0])
    together = " + ".join(recipe.populations)
    notes = [f"{together}: counts and neurons of {len(cubes)} populations are added"]
    for cube in cubes:
        notes += [note for note in notes_of(cube) if note not in notes]
    warnings = [w for cube in cubes for w in json.loads(cube.attrs.get("warnings", "[]"))]
    answered = first.replace(populations=recipe.populations, min_neurons=recipe.min_neurons)
    what = "Neurons recruited so far" if is_cumulative(cubes[0]) else "Recruitment"
    return attrs | {
        **{name: sum(int(cube.attrs[name]) for cube in cubes) for name in _ADDED},
        "title": f"{what}, {answered.counted(together)}",
        "population": together,
        "recipe": answered.to_json(),
        "notes": json.dumps(notes),
        "warnings": json.dumps(list(dict.fromkeys(warnings))),
    }
