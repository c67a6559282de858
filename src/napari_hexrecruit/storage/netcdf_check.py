"""Check netCDF-4 files before h5netcdf opens them.

h5netcdf follows links, even into other files and pipes, and inconsistent attributes of HDF5
dimension scales crash the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from pathlib import Path

_MOST_DIMENSIONS = 8
_DIMENSION_LIST, _REFERENCE_LIST = "DIMENSION_LIST", "REFERENCE_LIST"


def check_netcdf(path: Path) -> None:
    """Refuse a file that is more than a flat list of datasets, or claims more data than it has.

    Raises
    ------
    SimulationDataError
        If it is not a complete HDF5 file, or has groups, links, datasets with data elsewhere, sizes
        that it cannot contain, or inconsistent dimensions.
    """
    from napari_hexrecruit.storage.hdf5 import child_names, h5_errors, open_h5

    with open_h5(path, "the cube", "compute it") as file, h5_errors(path):
        total = sum(_checked(file, name, f"{path}: {name!r}") for name in child_names(file))
        _check_total(total, path)


def _checked(file: Any, name: str, where: str) -> int:
    """Check a variable and return its bytes."""
    import h5py

    from napari_hexrecruit.storage.hdf5 import check_bytes, h5_errors

    with h5_errors(where):
        link = file.get(name, getlink=True)
        item = file[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(item, h5py.Dataset) or item.shape is None:
            raise SimulationDataError(where, "is not a variable of a cube")
        text = h5py.check_string_dtype(item.dtype) is not None
        if item.ndim > _MOST_DIMENSIONS or not (text or item.dtype.kind in "iufbS"):
            raise SimulationDataError(
                where, f"is {item.dtype} of shape {item.shape}, no variable of a cube"
            )
        check_bytes(item, where)
        if not (_has_sound_dimensions(file, item) and _has_sound_scale(item)):
            raise SimulationDataError(where, "its dimensions do not fit together")
        return int(item.nbytes)


def _check_total(n_bytes: int, path: Path) -> None:
    from napari_hexrecruit.storage.hdf5 import check_memory

    check_memory(n_bytes, str(path))


def _has_sound_dimensions(file: Any, item: Any) -> bool:
    """Whether the attribute that names the scale of each axis is valid."""
    import h5py

    if _DIMENSION_LIST not in item.attrs:
        return True
    attribute = item.attrs.get_id(_DIMENSION_LIST)
    if attribute.shape != (item.ndim,) or h5py.check_vlen_dtype(attribute.dtype) is None:
        return False
    if h5py.check_ref_dtype(h5py.check_vlen_dtype(attribute.dtype)) is not h5py.Reference:
        return False
    scales = [file[reference] for each in item.attrs[_DIMENSION_LIST] for reference in each]
    return all(isinstance(scale, h5py.Dataset) for scale in scales)


def _has_sound_scale(item: Any) -> bool:
    """Whether the attribute that lists the uses of a scale is valid."""
    import h5py

    if _REFERENCE_LIST not in item.attrs:
        return True
    attribute = item.attrs.get_id(_REFERENCE_LIST)
    fields = attribute.dtype.fields or {}
    return (
        len(attribute.shape) == 1
        and set(fields) == {"dataset", "dimension"}
        and h5py.check_ref_dtype(fields["dataset"][0]) is h5py.Reference
        and fields["dimension"][0].kind in "iu"
    )
