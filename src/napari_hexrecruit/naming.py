"""Descriptions of a cube in words: which neurons it counts, and its origin of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import CHOSEN_NODE_SET, N_TRIALS, TIME

if TYPE_CHECKING:
    import xarray as xr


def counted_in(cube: xr.Dataset, *, population: bool = True) -> str:
    """Return in words which neurons a cube counts: ``cortex, node set Even, layer 3``.

    Parameters
    ----------
    cube
        A recruitment cube.
    population
        If True, also name the population.
    """
    name = str(cube.attrs.get("population", "")) if population else ""
    node_set = str(cube.attrs.get(CHOSEN_NODE_SET, ""))
    return CubeRecipe.of_foreign(cube).counted(name, node_set)


def time_from(cube: xr.Dataset) -> str:
    """Return the origin of a cube's times, in words; empty for times of the simulation.

    Examples
    --------
    >>> import xarray as xr
    >>> time_from(xr.Dataset(attrs={"n_trials": 3}))
    'the onset'
    >>> time_from(xr.Dataset(attrs={"time_origin_ms": 300.0}))
    '300 ms'
    """
    if N_TRIALS in cube.attrs:
        return "the onset"
    origin = float(cube.attrs.get("time_origin_ms", 0.0))
    of_trial = TIME in cube.coords and "onset" in str(cube[TIME].attrs.get("long_name", ""))
    at = f"{origin:,.10g} ms" if origin or of_trial else ""
    return f"the onset at {at}" if of_trial else at
