"""A dataset as the bytes of a netCDF-4 file.

Writing with xarray imports dask and distributed where they are installed, and compresses in one
thread: 1.0 s of CPU for a cube of 20 MB in a fresh process, where this takes 0.38 s for the same
bytes of data. That is longer than to count some ten million spikes.
"""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.system.threads import n_cores

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

_LEVEL = 1
_SETTINGS = {"compression": "gzip", "compression_opts": _LEVEL, "shuffle": True}


def netcdf_bytes(
    dataset: xr.Dataset, chunks: Mapping[str, tuple[int, ...]], n_workers: int | None = None
) -> memoryview:
    """What ``Dataset.to_netcdf`` gives with the engine h5netcdf; equal datasets give equal bytes.

    Parameters
    ----------
    dataset
        Numbers, truth values and texts.
    chunks
        Shapes of the chunks of the numbers that are to be shuffled and compressed.
    n_workers
        Threads that do so; by default the cores that this process may use.

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
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        file.dimensions = {str(name): size for name, size in dataset.sizes.items()}
        file.attrs.update(attrs)
        for name, variable in variables.items():
            storing: dict[str, Any] = {}
            if name in chunks:
                storing = {"chunks": chunks[name], **_SETTINGS}
            dtype = h5py.string_dtype() if variable.dtype.kind in "OU" else variable.dtype
            stored = file.create_variable(str(name), variable.dims, dtype, **storing)
            stored.attrs.update(variable.attrs)
            if name not in chunks:
                stored[...] = variable.values
    with (
        h5py.File(content, "r+") as file,
        ThreadPoolExecutor(n_workers or n_cores(), "hexrecruit-netcdf") as pool,
    ):
        for name, shape in chunks.items():
            _write_chunks(file[name], variables[name].values, shape, pool)
    return content.getbuffer()


def _write_chunks(
    stored: Any, values: npt.NDArray[Any], shape: tuple[int, ...], pool: ThreadPoolExecutor
) -> None:
    """Compress chunks in threads and write them as they are."""
    values = values.astype(stored.dtype, copy=False)
    begins = list(product(*map(range, (0,) * values.ndim, values.shape, shape)))
    packed = pool.map(lambda begin: _packed(_cut(values, begin, shape)), begins)
    for begin, data in zip(begins, packed, strict=True):
        stored.id.write_direct_chunk(begin, data)


def _cut(
    values: npt.NDArray[Any], begin: tuple[int, ...], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """One chunk; the last ones are filled up with 0."""
    part = values[tuple(slice(b, b + n) for b, n in zip(begin, shape, strict=True))]
    missing = [(0, n - there) for n, there in zip(shape, part.shape, strict=True)]
    return np.pad(part, missing) if any(n for _, n in missing) else part


def _packed(chunk: npt.NDArray[Any]) -> bytes:
    """As HDF5's filters shuffle and deflate: first bytes of all values, then the second ones."""
    of_bytes = np.ascontiguousarray(chunk).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    return zlib.compress(of_bytes.T.tobytes(), _LEVEL)
