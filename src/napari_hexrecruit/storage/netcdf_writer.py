"""Convert a dataset to the bytes of a netCDF-4 file.

Writing with xarray imports dask and distributed if they are installed, and compresses in one
thread. For a cube of 20 MB in a fresh process it takes 1.0 s of CPU, longer than counting some ten
million spikes; this module takes 0.38 s for the same bytes of data.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.storage.deflate import deflated
from napari_hexrecruit.storage.netcdf_layout import laid_out
from napari_hexrecruit.system.threads import n_cores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    import xarray as xr

_SETTINGS = {"compression": "gzip", "compression_opts": 1}


def netcdf_bytes(
    dataset: xr.Dataset, chunks: Mapping[str, tuple[int, ...]], n_workers: int | None = None
) -> memoryview:
    """Return the file that ``Dataset.to_netcdf`` writes with the engine h5netcdf.

    Equal datasets give equal bytes if the same libraries compress on the same kind of processor.

    Parameters
    ----------
    dataset
        Dataset of numbers, booleans and texts.
    chunks
        Chunk shapes of the numeric variables to shuffle and compress.
    n_workers
        Threads that compress; by default the cores available to this process.

    Returns
    -------
    memoryview
        The file. No variable has a fill value: NaN is stored as NaN, and whole numbers are never
        missing.
    """
    import h5py
    from xarray.conventions import cf_encoder, encode_dataset_coordinates

    bare = dataset.copy()
    for variable in bare.variables.values():
        variable.encoding = {"_FillValue": None} if variable.dtype.kind == "f" else {}
    variables, attrs = cf_encoder(*encode_dataset_coordinates(bare))
    with ThreadPoolExecutor(n_workers or n_cores(), "hexrecruit-netcdf") as pool:
        packed = {
            name: _packing(variables[name].values, shape, pool) for name, shape in chunks.items()
        }
        storing = {
            name: {"chunks": shape, "shuffle": _is_shuffled(variables[name].dtype), **_SETTINGS}
            for name, shape in chunks.items()
        }
        content = laid_out(variables, attrs, dataset.sizes, storing)
        with h5py.File(content, "r+") as file:
            for name, parts in packed.items():
                while parts:
                    begin, data = parts.popleft()
                    file[name].id.write_direct_chunk(begin, data.result())
    return content.getbuffer()


def _packing(
    values: npt.NDArray[Any], shape: tuple[int, ...], pool: ThreadPoolExecutor
) -> deque[tuple[tuple[int, ...], Future[bytes]]]:
    """Start to compress chunks in threads; return the start and the future of each."""
    begins = product(*map(range, (0,) * values.ndim, values.shape, shape))
    return deque((begin, pool.submit(_packed, _cut(values, begin, shape))) for begin in begins)


def _cut(
    values: npt.NDArray[Any], begin: tuple[int, ...], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Return one chunk; the last ones are padded with 0."""
    part = values[tuple(slice(b, b + n) for b, n in zip(begin, shape, strict=True))]
    missing = [(0, n - there) for n, there in zip(shape, part.shape, strict=True)]
    return np.pad(part, missing) if any(n for _, n in missing) else part


def _is_shuffled(dtype: np.dtype[Any]) -> bool:
    """Whether to shuffle the bytes of values: of whole numbers, because upper bytes are mostly 0.

    Percentages have few distinct values, which the compressor finds better as complete numbers:
    without shuffling their files are a tenth smaller.
    """
    return dtype.kind != "f"


def _packed(chunk: npt.NDArray[Any]) -> bytes:
    """Shuffle (first bytes of all values, then the second, ...) and deflate, as HDF5's filters."""
    if not _is_shuffled(chunk.dtype):
        return deflated(chunk.tobytes())
    of_bytes = np.ascontiguousarray(chunk).view(np.uint8).reshape(-1, chunk.dtype.itemsize)
    return deflated(of_bytes.T.tobytes())
