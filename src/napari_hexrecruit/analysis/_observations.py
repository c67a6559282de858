"""Observations side by side: trials of a cube, or cubes of several simulations."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.analysis.comparison import align
from napari_hexrecruit.analysis.trial_results import trial_cube, trial_mean
from napari_hexrecruit.analysis.windows import bins_of
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.metrics import is_cumulative
from napari_hexrecruit.schema import HEX, N_NEURONS, TIME, TRIAL, own_variables
from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr


def observed(
    given: xr.Dataset | Sequence[xr.Dataset], like: xr.Dataset | None = None
) -> list[xr.Dataset]:
    """Return cubes with the hexagons of the first; `recruitment` is NaN if one lacks a hexagon.

    Parameters
    ----------
    given
        Trials, or cubes.
    like
        Cube whose hexagons and bins are required, instead of those of the first.
    """
    cubes = _cubes(given)
    first = cubes[0] if like is None else like
    aligned, n_lacking = [], 0
    for k, cube in enumerate(cubes):
        _check(cubes[0], first, cube, k)
        whole, other = align(first, cube)
        names = first[HEX].values
        n_lacking += not (whole.sizes[HEX] == len(names) and np.isin(names, cube[HEX].values).all())
        aligned.append(other.sel({HEX: names}))
    if n_lacking:
        warnings.warn(
            f"{n_lacking} of {len(aligned)} observations have other hexagons than the first: those"
            " that are not in all are left out, as absent is not 0",
            RecruitmentWarning,
            stacklevel=3,
        )
    return aligned


def mean_of(cubes: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return the mean of cubes, as `trial_mean` gives it."""
    n = len(cubes)
    names = own_variables(cubes[0])
    values = {name: np.stack([cube[name].values for cube in cubes]) for name in names}
    coords = {TRIAL: (TRIAL, np.arange(n)), "onset": (TRIAL, np.zeros(n))}
    first = cubes[0]
    return trial_mean(
        first.assign(
            {name: ((TRIAL, TIME, HEX), values[name], first[name].attrs) for name in names}
        ).assign_coords(coords)
    )


def _cubes(given: xr.Dataset | Sequence[xr.Dataset]) -> list[xr.Dataset]:
    import xarray as xr

    if isinstance(given, xr.Dataset):
        if TRIAL in given.dims:
            return [trial_cube(given, k).load() for k in range(given.sizes[TRIAL])]
        given = [given]
    cubes = [as_cube(cube) for cube in given]
    if not cubes:
        raise ValueError("no observation is given: give trials, or a list of cubes")
    return cubes


def _check(own_first: xr.Dataset, first: xr.Dataset, cube: xr.Dataset, k: int) -> None:
    """Refuse an observation that does not match the first."""
    start, at = bins_of(first).start_ms, bins_of(cube).start_ms
    if abs(start - at) > EDGE_TOLERANCE_MS:
        raise ValueError(
            f"observation {k + 1} starts at {at:g} ms and the first at {start:g} ms: cut the same"
            " window, or cut trials, whose time is that since the onset"
        )
    if is_cumulative(cube):
        raise ValueError(
            f"observation {k + 1} counts the neurons recruited so far, in which a bin holds all"
            " before it: use cubes of bins"
        )
    _, mine, theirs = np.intersect1d(
        own_first[HEX].values, cube[HEX].values, assume_unique=True, return_indices=True
    )
    if not np.array_equal(own_first[N_NEURONS].values[mine], cube[N_NEURONS].values[theirs]):
        raise ValueError(
            f"observation {k + 1} has other neurons in its hexagons than the first: choose"
            " observations of the same neurons"
        )
