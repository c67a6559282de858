"""A dataset as the bytes of a netCDF-4 file.

Writing with xarray imports dask and distributed where they are installed, which takes longer than
to count and to write most cubes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

__all__ = ["netcdf_bytes"]


def netcdf_bytes(
    dataset: xr.Dataset, chunks: Mapping[str, tuple[int, ...]], *, level: int = 1
) -> memoryview:
    """What ``Dataset.to_netcdf`` gives with the engine h5netcdf; equal datasets give equal bytes.

    Parameters
    ----------
    dataset
        Values that are in memory: numbers, truth values and texts.
    chunks
        Shapes of the chunks of the variables that are to be shuffled and compressed.
    level
        How much to compress, 1 to 9.

    Returns
    -------
    memoryview
        The file. No variable has a fill value: NaN is NaN, and whole numbers are all there.
    """
    import h5netcdf
    import h5py
    from xarray.conventions import cf_encoder, encode_dataset_coordinates

    bare = dataset.copy()
    for variable in bare.variables.values():
        variable.encoding = {"_FillValue": None} if variable.dtype.kind == "f" else {}
    variables, attrs = cf_encoder(*encode_dataset_coordinates(bare))
    file = io.BytesIO()
    with h5netcdf.File(file, "w") as group:
        group.dimensions = {str(name): size for name, size in dataset.sizes.items()}
        group.attrs.update(attrs)
        for name, variable in variables.items():
            storing: dict[str, Any] = {}
            if name in chunks:
                storing = {"chunks": chunks[name], "shuffle": True}
                storing |= {"compression": "gzip", "compression_opts": level}
            dtype = h5py.string_dtype() if variable.dtype.kind in "OU" else variable.dtype
            stored = group.create_variable(str(name), variable.dims, dtype, **storing)
            stored.attrs.update(variable.attrs)
            stored[...] = variable.to_numpy()
    return file.getbuffer()
