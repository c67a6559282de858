"""The recruitment cube on disk: a netCDF-4 file ``.hexrecruit.nc``, or a zarr folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit import schema
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.atomic import check_writable, written_aside
from napari_hexrecruit.storage.netcdf_check import check_netcdf
from napari_hexrecruit.storage.netcdf_writer import netcdf_bytes
from napari_hexrecruit.storage.zarr_store import (
    ZARR_ENDING,
    check_store_writable,
    in_this_process,
    open_store,
    write_store,
)
from napari_hexrecruit.system.signals import signals_held

if TYPE_CHECKING:
    import os

    import xarray as xr

ENDING = ".hexrecruit.nc"
ENDINGS = (ENDING, ZARR_ENDING)


def write_cube(
    cube: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    n_workers: int | None = None,
) -> Path:
    """Write a cube as a compressed netCDF-4 file or a zarr folder; equal cubes give equal bytes.

    Parameters
    ----------
    cube
        A recruitment cube; it is not changed.
    path
        Name of the file, ending in ``.hexrecruit.nc`` or ``.hexrecruit.zarr``. In a zarr folder, a
        cube backed by dask is computed and written in parts.
    overwrite
        Replace an existing file.
    n_workers
        Threads that compress a file; by default the cores available to this process.

    Returns
    -------
    Path
        The file. It is written under another name and then renamed, so an incomplete file never has
        the final name.

    Raises
    ------
    ValueError
        If the dataset is not a recruitment cube, or the name has another ending.
    FileExistsError
        If the file exists and `overwrite` is False.
    MissingExtraError
        If the name ends in ``.hexrecruit.zarr`` and zarr is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> file = write_cube(cube, folder.name + "/run.hexrecruit.nc")
    >>> read_cube(file).identical(cube)
    True
    """
    final = Path(path)
    check_name(final)
    cube = as_cube(cube)
    if final.name.endswith(ZARR_ENDING):
        return write_store(cube, final, overwrite=overwrite)
    check_writable(final, overwrite=overwrite)
    # HDF5 can crash the process if a disk is full: so it writes to memory, and Python to the file.
    with signals_held(), in_this_process():
        content = netcdf_bytes(cube, _chunks(cube), n_workers)
    with written_aside(final, overwrite=overwrite) as aside:
        aside.write_bytes(content)
    return final


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse a name that `write_cube` cannot write, before the work; see there for the errors."""
    check_name(path)
    check = check_store_writable if path.name.endswith(ZARR_ENDING) else check_writable
    check(path, overwrite=overwrite)


def check_name(path: Path) -> None:
    """Refuse a name without the ending of a cube."""
    if not path.name.endswith(ENDINGS):
        raise ValueError(f"{path}: the name of a cube ends in {' or '.join(ENDINGS)}")


def read_cube(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a cube that `write_cube` wrote.

    Parameters
    ----------
    path
        A ``.hexrecruit.nc`` file or ``.hexrecruit.zarr`` folder.

    Returns
    -------
    xr.Dataset
        The cube, in memory; the file is closed. The values of a zarr folder are backed by dask and
        read when used.

    Raises
    ------
    SimulationDataError
        If the file is missing, or is not a netCDF-4 file with a recruitment cube of this version.
    """
    source = Path(path)
    cube = open_store(source) if source.name.endswith(ZARR_ENDING) else _read_netcdf(source)
    if "campaign_schema_version" in cube.attrs:
        raise SimulationDataError(
            source, "is the dataset of a campaign", "give one of the cubes in the folder 'cubes'"
        )
    try:
        return as_cube(cube)
    except ValueError as error:
        raise _refusal(source, f"{source}: {error}") from error


def _refusal(source: Path, said: str) -> SimulationDataError:
    """Return the error for a file that cannot be read as a cube, with its kind if known."""
    from napari_hexrecruit.storage.kinds import instead_of, kind_of

    is_cube = kind_of(source) in ("cube", "cube folder")
    other = None if is_cube else instead_of(source, "cube")
    return other or SimulationDataError(said)


def _read_netcdf(source: Path) -> xr.Dataset:
    import xarray as xr

    if not source.is_file():
        raise SimulationDataError(source, "the file does not exist", f"give a {ENDING} file")
    with source.open("rb") as file_:
        if file_.read(3) == b"CDF":
            raise SimulationDataError(
                source,
                "is netCDF-3",
                "save it with write_cube, or with to_netcdf(..., engine='h5netcdf')",
            )
    try:
        check_netcdf(source)
        with xr.open_dataset(source, engine="h5netcdf", decode_times=False) as file:
            cube = file.load()
    except Exception as error:  # h5netcdf and xarray raise any error for damaged attributes
        reason = " ".join(str(error).split()).removeprefix(f"{source}: ")
        said = f"{source}: cannot be read as a cube ({reason}): compute it again"
        raise _refusal(source, said) from error
    return _tidied(cube)


def _chunks(cube: xr.Dataset) -> dict[str, tuple[int, ...]]:
    """Return chunks of some bins and all hexagons."""
    n_bins, n_hexes = cube.sizes[schema.TIME], cube.sizes[schema.HEX]
    rows = max(1, min(n_bins, 262_144 // max(1, n_hexes)))
    return dict.fromkeys(schema.own_variables(cube), (rows, n_hexes))


def _tidied(cube: xr.Dataset) -> xr.Dataset:
    """Convert attributes to plain Python values, names to text, and bounds to coordinates."""
    cube.attrs = {name: schema.plain_scalar(value) for name, value in cube.attrs.items()}
    names = [name for name in schema.COORDINATES if name in cube.variables]
    cube = cube.set_coords(names)
    if schema.HEX in cube.variables and cube[schema.HEX].dtype.kind == "O":
        text = cube[schema.HEX].astype(np.str_)
        cube = cube.assign_coords({schema.HEX: (schema.HEX, text.values, cube[schema.HEX].attrs)})
    if {schema.TIME, schema.TIME_BOUNDS} <= set(cube.variables) and "units" in cube.time.attrs:
        # In CF, bounds inherit the units of their coordinate, and xarray writes them without.
        cube[schema.TIME_BOUNDS].attrs.setdefault("units", cube.time.attrs["units"])
    for variable in cube.variables.values():
        variable.encoding = {}
    cube.encoding = {}
    return cube
