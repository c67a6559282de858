"""Read single parts of a netCDF cube that `write_cube` wrote.

xarray reads all attributes and dimensions of a file when it opens it. For a small cube this takes
ten times as long as reading the values, and a campaign opens each cube twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import COORDINATES, HEX, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py

_COORDINATES = "coordinates"
"""Attribute that names the coordinates for xarray, which hides it when it reads."""
_HIDDEN = ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", _COORDINATES)


class CubeParts:
    """The open file of a cube.

    Parameters
    ----------
    file
        The file.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file

    @cached_property
    def over_time(self) -> list[str]:
        """Names of the variables over time and hexagons, in their order."""
        shape = self._file[TIME].shape + self._file[HEX].shape
        others = ((n, one) for n, one in self._file.items() if n not in COORDINATES)
        return [name for name, one in others if getattr(one, "shape", None) == shape]

    def attrs(self, name: str = "/") -> dict[str, Any]:
        """Return the attributes of the cube, or of a variable, as from `read_cube`."""
        attrs = self._file[name].attrs
        return {
            key: value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
            for key, value in attrs.items()
            if not key.startswith("_") and key not in _HIDDEN
        }

    def values(self, name: str, rows: slice = slice(None)) -> npt.NDArray[Any]:
        """Return the values of a variable, optionally of some rows of its first dimension."""
        import h5py

        variable = self._file[name]
        if h5py.check_string_dtype(variable.dtype) is not None:
            return np.asarray(variable.asstr()[rows], dtype=np.str_)
        return np.asarray(variable[rows])

    def length(self, name: str) -> int:
        """Return the length of a variable's first dimension."""
        return int(self._file[name].shape[0])


@contextmanager
def cube_parts(path: Path) -> Iterator[CubeParts]:
    """Open the file of a cube.

    Raises
    ------
    OSError
        If it is missing or is not an HDF5 file.
    KeyError
        Later, if it lacks a requested part.
    """
    import h5py

    with h5py.File(path, "r") as file:
        yield CubeParts(file)
