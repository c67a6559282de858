"""What a netCDF-4 file must be before h5netcdf may open it.

h5netcdf follows links, also into other files and pipes, and what HDF5's dimension scales do with
attributes that do not fit together ends the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from pathlib import Path

_MOST_DIMENSIONS = 8
_DIMENSION_LIST, _REFERENCE_LIST = "DIMENSION_LIST", "REFERENCE_LIST"


def check_netcdf(path: Path) -> None:
    """Refuse a file that is more, or claims more, than datasets side by side.

    Raises
    ------
    SimulationDataError
        If it is not a whole HDF5 file, or has groups, links, datasets whose bytes are elsewhere,
        sizes that it cannot hold, or dimensions that do not fit together.
    """
    from napari_hexrecruit.storage.hdf5 import child_names, h5_errors, open_h5

    with open_h5(path, "the cube", "compute it") as file, h5_errors(path):
        total = sum(_checked(file, name, f"{path}: {name!r}") for name in child_names(file))
        _check_total(total, path)


def _checked(file: Any, name: str, where: str) -> int:
    """Bytes of a variable, which is sound."""
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
    """Whether the attribute that names the scale of each axis does so."""
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
    """Whether the attribute that lists where a scale is used does so."""
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
