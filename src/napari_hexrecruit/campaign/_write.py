"""The cube of a simulation into its part of the dataset, on a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit import schema
from napari_hexrecruit.schema import HEX, RECRUITMENT, TIME
from napari_hexrecruit.storage.zarr_store import (
    open_store,
    parts_of_time,
    write_part,
)

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


@dataclass(frozen=True)
class WriteJob:
    """One simulation's part of the dataset."""

    store: Path
    files: list[Path]
    at: dict[str, int]
    first_bin: int


def write_member(job: WriteJob) -> int:
    """Write the cubes of one simulation into the dataset; a worker does this."""
    import xarray as xr

    store, at = open_store(job.store), job.first_bin
    for file in job.files:
        with xr.open_dataset(file, engine="h5netcdf", decode_times=False) as cube:
            _write_cube(cube, store, job, at)
            at += cube.sizes[TIME]
    return at


def _write_cube(cube: xr.Dataset, store: xr.Dataset, job: WriteJob, at: int) -> None:
    """Write a cube from a bin on, a file of the store at a time."""
    import xarray as xr

    dims, end = store[RECRUITMENT].dims, at + cube.sizes[TIME]
    index_of = {name: k for k, name in enumerate(store[HEX].values.tolist())}
    columns = [index_of[name] for name in cube[HEX].values.astype(np.str_).tolist()]
    fits = columns == list(range(len(index_of)))
    where = {dim: slice(k, k + 1) for dim, k in job.at.items()}
    for part in parts_of_time(store):
        first, last = max(part.start, at), min(part.stop, end)
        if first >= last:
            continue
        parts = {}
        for name, spec in schema.VARIABLES.items():
            values = cube[name][first - at : last - at].values
            if not fits:
                empty = np.nan if spec.dtype == "float32" else 0
                spread = np.full((last - first, len(index_of)), empty, dtype=spec.dtype)
                spread[:, columns] = values
                values = spread
            parts[name] = (dims, values[(None,) * len(job.at)])
        write_part(xr.Dataset(parts), job.store, {**where, TIME: slice(first, last)})
