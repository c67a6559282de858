"""Look up values of neurons in an atlas, and keep them in the user's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.volumes import OUTSIDE, flat_positions, read_flatmap, read_ids
from napari_hexrecruit.counting.columns import group_medians
from napari_hexrecruit.storage.cache import Arrays, cached_arrays, stamp

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation


def has_place(
    x: npt.NDArray[Any], y: npt.NDArray[Any], *, outside_value: bool
) -> npt.NDArray[np.bool_]:
    """Return which neurons have a flat position.

    Parameters
    ----------
    x, y
        (n_neurons,) coordinates.
    outside_value
        True if -1 in both is an atlas's outside value, as in flat coordinates from an atlas. In
        others it is an ordinary position.

    Returns
    -------
    (n_neurons,) bool
        False for NaN, infinite, and the outside value.
    """
    finite = np.isfinite(x) & np.isfinite(y)
    placed: npt.NDArray[np.bool_] = (
        finite & ~((x == OUTSIDE) & (y == OUTSIDE)) if outside_value else finite
    )
    return placed


def look_up(sim: Simulation, population: str, path: Path, progress: Progress | None) -> Arrays:
    """Look up flat x and y of neurons in a flatmap; ``step`` is (resolution, is in pixels)."""

    def compute() -> Arrays:
        positions = sim.positions(population)
        flatmap = read_flatmap(path, progress=progress)
        x, y = flat_positions(flatmap, *positions, progress=progress)
        step = np.array([flatmap.resolution, flatmap.units == "pixel"], dtype=np.float64)
        return {"x": x, "y": y, "step": step}

    return cached_arrays(_key("flat positions", sim, population, path), compute)


def column_of_neuron(
    sim: Simulation, population: str, path: Path, progress: Progress | None
) -> npt.NDArray[Any]:
    """Look up the (n_neurons,) column ids of neurons, 0 for none."""

    def compute() -> Arrays:
        positions = sim.positions(population)
        volume = read_ids(path, progress=progress)
        rows = volume.rows_at(*positions, progress=progress)
        return {"column": np.where(rows >= 0, volume.values[np.maximum(rows, 0), 0], 0)}

    return cached_arrays(_key("columns", sim, population, path), compute)["column"]


def column_centres(
    column_atlas: Path, flatmap: Path, progress: Progress | None
) -> tuple[npt.NDArray[Any], ...]:
    """Return ids, x and y of columns: medians of their voxels that have a flat position."""

    def compute() -> Arrays:
        volume = read_ids(column_atlas, progress=progress)
        x, y = flat_positions(read_flatmap(flatmap, progress=progress), *volume.centres().T)
        placed = has_place(x, y, outside_value=True)
        return dict(zip("nxy", median_places(volume.values[:, 0], x, y, placed), strict=True))

    key = {
        "what": "centres of columns",
        "in": "um",
        "files": [_stamp(column_atlas), _stamp(flatmap)],
    }
    found = cached_arrays(key, compute)
    return found["n"], found["x"], found["y"]


def median_places(
    columns: npt.NDArray[Any],
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    placed: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[Any], ...]:
    """Return ids of columns, ascending, and median x and y of members with a flat position."""
    ids, group = np.unique(columns, return_inverse=True)
    medians = (group_medians(group[placed], axis[placed], len(ids)) for axis in (x, y))
    return ids, *medians


def _key(what: str, sim: Simulation, population: str, path: Path) -> dict[str, Any]:
    nodes = sim.nodes_file(population)
    return {
        "what": what,
        "in": "um",
        "files": [stamp(nodes), _stamp(path)],
        "population": population,
    }


def _stamp(path: Path) -> tuple[str, int, int] | None:
    """Return the stamp of a file; None if it is missing, which reading it later reports."""
    return stamp(path) if path.is_file() else None
