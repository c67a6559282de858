"""Write a zarr store part by part, without xarray, which would read existing coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.system.signals import signals_held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt


def store_in(folder: Path, *, read_only: bool = False) -> Any:
    """Return the zarr store of a folder.

    As text, zarr 3.4 takes a folder for a URL, and ``#`` and what follows is not part of its path.
    """
    from zarr.storage import LocalStore

    return LocalStore(folder, read_only=read_only)


class StoreParts:
    """A store that `create_store` made, open for its values.

    Parameters
    ----------
    folder
        The store.
    """

    def __init__(self, folder: Path) -> None:
        import zarr

        self._group = zarr.open_group(store_in(folder), mode="r+")
        self._arrays: dict[str, Any] = {}

    def _array(self, name: str) -> Any:
        if name not in self._arrays:
            self._arrays[name] = self._group[name]
        return self._arrays[name]

    def sizes_of(self, name: str) -> dict[str, int]:
        """Return the length of each dimension of a variable, in their order."""
        array = self._array(name)
        return dict(zip(array.metadata.dimension_names, array.shape, strict=True))

    def texts(self, name: str) -> list[str]:
        """Return the values of a text variable."""
        return [str(text) for text in np.asarray(self._array(name)[...]).tolist()]

    def write(
        self,
        name: str,
        dims: Sequence[object],
        values: npt.NDArray[Any],
        region: Mapping[str, slice],
    ) -> None:
        """Write values to a region: a slice per dimension, by default the whole dimension."""
        where = tuple(region.get(str(dim), slice(None)) for dim in dims)
        with signals_held():  # otherwise zarr's threads keep writing into an abandoned folder
            self._array(name)[where] = values
