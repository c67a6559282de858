"""Variables and dimensions as HDF5 datasets: the layout that makes an HDF5 file netCDF-4.

h5netcdf gives the same layout, but looks up each dataset by name in every step. That takes longer
than all other work for a small cube.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import h5py
    import xarray as xr

_PLACE_HOLDER = "This is a netCDF dimension but not a netCDF variable."
_OTHER = "_nc4_non_coord_"
_DIMENSION, _DIMENSIONS = "_Netcdf4Dimid", "_Netcdf4Coordinates"
_RESERVED = {
    *("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST"),
    *(_DIMENSION, _DIMENSIONS, "_NCProperties", "_nc3_strict"),
}
_NUMBERS, _TEXTS = "iuf", "SU"
"""Kinds of attributes in netCDF."""


def laid_out(
    variables: Mapping[Hashable, xr.Variable],
    attrs: Mapping[Hashable, Any],
    sizes: Mapping[Hashable, int],
    later: Mapping[str, Mapping[str, Any]],
) -> io.BytesIO:
    """Lay out a netCDF-4 file in memory.

    Parameters
    ----------
    variables, attrs
        Dataset as xarray encodes it.
    sizes
        Lengths of the dimensions.
    later
        Options of `h5py.Group.create_dataset` for variables whose values are written later.

    Returns
    -------
    io.BytesIO
        The file.

    Raises
    ------
    ValueError
        If an attribute is neither numbers nor text, or has a name reserved by HDF5 or netCDF.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w", track_order=True) as file:
        _set_attrs(file, attrs)
        made_by = f"version=2,hdf5={h5py.version.hdf5_version},h5py={h5py.__version__}"
        file.attrs["_NCProperties"] = np.array(made_by, dtype="S")
        datasets = {}
        for name, variable in variables.items():
            is_other = name in sizes and variable.dims[:1] != (name,)  # not its coordinate
            stored = f"{_OTHER}{name}" if is_other else str(name)
            datasets[stored] = _dataset(file, stored, variable, later.get(stored))
        scales = [_scale(file, str(dim), n, datasets.get(str(dim))) for dim, n in sizes.items()]
        for number, scale in enumerate(scales):
            scale.attrs[_DIMENSION] = np.int32(number)
        for (name, dataset), variable in zip(datasets.items(), variables.values(), strict=True):
            numbers = [list(sizes).index(dim) for dim in variable.dims]
            _attach(dataset, numbers, scales, is_scale=name in sizes)
            _set_attrs(dataset, variable.attrs)
    return content


def _dataset(
    file: h5py.File, name: str, variable: xr.Variable, later: Mapping[str, Any] | None
) -> h5py.Dataset:
    """Create a variable. In netCDF, a dimension of length 0 must be able to grow."""
    import h5py

    is_text = variable.dtype.kind in "OU"
    dtype = h5py.string_dtype() if is_text else variable.dtype
    options = {"dtype": dtype, "track_order": True, **(later or {})}
    if variable.size == 0:
        options["maxshape"] = tuple(n or None for n in variable.shape)
    if later is None:
        options["data"] = variable.values.astype(object) if is_text else variable.values
    return file.create_dataset(name, variable.shape, **options)


def _scale(file: h5py.File, dim: str, size: int, variable: h5py.Dataset | None) -> h5py.Dataset:
    """Return the scale of a dimension: its own variable, or a placeholder dataset."""
    if variable is not None:
        variable.make_scale(dim)
        return variable
    growing = {} if size else {"maxshape": (None,)}
    scale = file.create_dataset(dim, (size,), ">f4", track_order=True, **growing)
    scale.make_scale(f"{_PLACE_HOLDER}{size:10}")
    return scale


def _attach(
    dataset: h5py.Dataset, numbers: list[int], scales: list[h5py.Dataset], *, is_scale: bool
) -> None:
    """Set the dimensions of a variable: as HDF5 scales, and by number as in netCDF."""
    if not numbers:
        return
    dataset.attrs[_DIMENSIONS] = np.array(numbers, dtype=np.int32)
    if is_scale:
        return
    for axis, number in enumerate(numbers):
        dataset.dims[axis].attach_scale(scales[number])
    if dataset.shape[0]:
        dataset.attrs[_DIMENSION] = np.int32(numbers[0])


def _set_attrs(of: h5py.HLObject, attrs: Mapping[Hashable, Any]) -> None:
    """Set attributes; a number becomes an array of one, as in netCDF."""
    for name, value in attrs.items():
        kind = np.asarray(value).dtype.kind
        if kind not in _NUMBERS + _TEXTS:
            raise ValueError(f"attribute {name!r} is {value!r}: give numbers or text")
        if name in _RESERVED:
            raise ValueError(f"attribute {name!r} has a name that netCDF needs: rename it")
        of.attrs[str(name)] = np.atleast_1d(value) if kind in _NUMBERS else value
