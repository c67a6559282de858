"""Writing of cubes into their parts of the dataset, on a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.schema import HEX, TIME
from napari_hexrecruit.storage.cube_parts import cube_parts
from napari_hexrecruit.storage.zarr_parts import StoreParts
from napari_hexrecruit.storage.zarr_store import parts_of_time

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.storage.cube_parts import CubeParts


@dataclass(frozen=True)
class Part:
    """One simulation's part of the dataset: its cubes, ascending in time, and their position."""

    files: list[Path]
    at: dict[str, int]
    first_bin: int


@dataclass(frozen=True)
class WriteJob:
    """Some simulations' parts of the dataset."""

    store: Path
    parts: list[Part]


def write_parts(job: WriteJob) -> None:
    """Write the cubes of some simulations into the dataset, on a worker."""
    store = StoreParts(job.store)
    index_of = {name: k for k, name in enumerate(store.texts(HEX))}
    for part in job.parts:
        at = part.first_bin
        for file in part.files:
            try:
                with cube_parts(file) as cube:
                    columns = [index_of[name] for name in cube.values(HEX).tolist()]
                    _write_cube(cube, store, columns, part.at, at)
                    at += cube.length(TIME)
            except Exception as error:  # h5py and zarr raise any error for damaged files
                said = " ".join(str(error).split())
                raise HexRecruitError(f"{file}: cannot be collected: {said}") from error


def _write_cube(
    cube: CubeParts, store: StoreParts, columns: list[int], where: dict[str, int], at: int
) -> None:
    """Write a cube from a bin on, one file of the store at a time."""
    sizes, end = store.sizes_of(cube.over_time[0]), at + cube.length(TIME)
    region = {dim: slice(k, k + 1) for dim, k in where.items()}
    for part in parts_of_time(sizes):
        first, last = max(part.start, at), min(part.stop, end)
        if first >= last:
            continue
        for name in cube.over_time:
            found = cube.values(name, slice(first - at, last - at))
            values = _spread(found, columns, sizes[HEX])[(None,) * len(where)]
            store.write(name, list(sizes), values, {**region, TIME: slice(first, last)})


def _spread(values: npt.NDArray[Any], columns: list[int], n_hexes: int) -> npt.NDArray[Any]:
    """Put a cube's values on the hexagons of the dataset; others get NaN, or 0 for counts."""
    if columns == list(range(n_hexes)):
        return values
    empty = np.nan if values.dtype.kind == "f" else 0
    spread = np.full((len(values), n_hexes), empty, dtype=values.dtype)
    spread[:, columns] = values
    return spread
