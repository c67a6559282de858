"""Voxel volumes of an atlas: the flat position, region or column at a position in the brain.

Uses voxcell. A volume keeps only the voxels that have a value, which for a cortex in its box are a
few per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.nrrd import Header, read_blocks, read_header
from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

NO_VALUE, OUTSIDE_BOX = -1, -2
"""Rows for positions in a voxel without a value, and for positions outside the volume."""
OUTSIDE = -1
"""Value of a flatmap, in x and in y, for no flat position."""

_BLOCK = 1 << 18
"""Positions to look up at a time."""


@dataclass(frozen=True, eq=False)
class Volume:
    """The voxels of a volume that have a value.

    Attributes
    ----------
    header
        Shape, voxel size, offset and file.
    voxels
        (n_voxels,) int64 ascending; voxel (i, j, k) is ``i + n_i * (j + n_j * k)``.
    values
        (n_voxels, n_components) values.
    """

    header: Header
    voxels: npt.NDArray[np.int64]
    values: npt.NDArray[Any]

    @property
    def path(self) -> Path:
        """The file."""
        return self.header.path

    @property
    def voxel_size(self) -> float:
        """Longest side of a voxel, µm."""
        return float(np.abs(self.header.voxel_size).max())

    def rows_at(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        z: npt.ArrayLike,
        *,
        progress: Progress | None = None,
    ) -> Rows:
        """Return the row in `values` of each position.

        Parameters
        ----------
        x, y, z
            (n_positions,) coordinates in the brain, µm.
        progress
            Called with ``"looking up in <file>"`` and the numbers done and in all.

        Returns
        -------
        (n_positions,) int64
            `NO_VALUE` for positions in a voxel without a value, `OUTSIDE_BOX` for those outside the
            volume or not finite.

        Notes
        -----
        A position on the face between two voxels belongs to the one with the higher index; one on
        the upper face of the box is outside.
        """
        axes = [np.asarray(axis, dtype=np.float64) for axis in (x, y, z)]
        rows = np.empty(axes[0].shape, dtype=np.int64)
        for block in _blocks(len(rows)):
            rows[block] = self._rows(np.stack([axis[block] for axis in axes], axis=1))
            if progress is not None:
                progress(f"looking up in {self.path.name}", block.stop, len(rows))
        return rows

    def centres(self) -> Floats:
        """Return the (n_voxels, 3) centres of the voxels with a value, µm."""
        n_i, n_j, _ = self.header.shape
        ij, i = self.voxels // n_i, self.voxels % n_i
        indices = np.stack([i, ij % n_j, ij // n_j], axis=1)
        centres: Floats = self._geometry.indices_to_positions(indices + 0.5)
        return centres

    @cached_property
    def _geometry(self) -> Any:
        """The volume for voxcell, without data, to convert positions to indices."""
        import voxcell

        nothing = np.broadcast_to(np.int8(0), self.header.shape)
        return voxcell.VoxelData(nothing, self.header.voxel_size, self.header.offset)

    def _rows(self, positions: Floats) -> Rows:
        rows = np.full(len(positions), OUTSIDE_BOX, dtype=np.int64)
        inside = np.flatnonzero(_in_box(self.header, positions))
        i, j, k = self._geometry.positions_to_indices(positions[inside], strict=False).T
        voxel = i + self.header.shape[0] * (j + self.header.shape[1] * k)
        at = np.searchsorted(self.voxels, voxel)
        found = self.voxels[np.minimum(at, len(self.voxels) - 1)] == voxel
        rows[inside] = np.where(found, at, NO_VALUE)
        return rows


@dataclass(frozen=True, eq=False)
class VoxelFlatmap:
    """A volume with the flat position of each voxel.

    Examples
    --------
    >>> flatmap = read_flatmap("ss_fm.nrrd")  # doctest: +SKIP
    >>> flatmap.units, flatmap.resolution  # doctest: +SKIP
    ('um', 38.73...)
    """

    volume: Volume

    @property
    def x(self) -> npt.NDArray[Any]:
        """(n_voxels,) flat x of the voxels with a flat position."""
        return self.volume.values[:, 0]

    @property
    def y(self) -> npt.NDArray[Any]:
        """(n_voxels,) flat y of the voxels with a flat position."""
        return self.volume.values[:, -1]

    @property
    def depth(self) -> npt.NDArray[Any] | None:
        """(n_voxels,) depth, µm; None if the flatmap has none."""
        return self.volume.values[:, 1] if self.volume.values.shape[1] == 3 else None

    @cached_property
    def units(self) -> str:
        """``pixel`` if flat positions are whole numbers, else ``um``."""
        xy = self.volume.values[:, [0, -1]]
        return "pixel" if xy.dtype.kind in "iu" or (xy == np.round(xy)).all() else "um"

    @property
    def resolution(self) -> float:
        """Step of flat positions, in `units`: one pixel, or about the side of a voxel."""
        return 1.0 if self.units == "pixel" else self.volume.voxel_size


def read_flatmap(path: str | os.PathLike[str], *, progress: Progress | None = None) -> VoxelFlatmap:
    """Read a voxel flatmap.

    Parameters
    ----------
    path
        nrrd file with two numbers per voxel, flat (x, y), or three, (x, depth, y). Voxels whose x
        and y are both -1, or not finite, have no flat position.
    progress
        Called with ``"reading <file>"``, the number of voxels done, and their total.

    Returns
    -------
    VoxelFlatmap

    Raises
    ------
    SimulationDataError
        If the file cannot be read, has another number of components, or no voxel has a flat
        position.
    """
    header = read_header(Path(path))
    if header.n_components not in (2, 3):
        raise SimulationDataError(
            path,
            f"has {header.n_components} components a voxel; a flatmap has 2 (x, y) or 3"
            " (x, depth, y)",
            "give another file",
        )

    def has_position(block: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        x, y = block[:, 0], block[:, -1]
        somewhere: npt.NDArray[np.bool_] = ~((x == OUTSIDE) & (y == OUTSIDE))
        return somewhere & np.isfinite(x) & np.isfinite(y) if x.dtype.kind == "f" else somewhere

    volume = _read_volume(header, has_position, progress)
    if len(volume.voxels) == 0:
        raise SimulationDataError(
            path, f"no voxel has a flat position, all are {OUTSIDE}", "give another file"
        )
    return VoxelFlatmap(volume)


def read_ids(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Volume:
    """Read a volume of ids, such as regions or columns.

    Parameters
    ----------
    path
        nrrd file with one whole number per voxel; 0 for none.
    progress
        As in `read_flatmap`.

    Returns
    -------
    Volume
        Its `values` are (n_voxels, 1) int64.

    Raises
    ------
    SimulationDataError
        If the file cannot be read, has several numbers per voxel, fractions or negative numbers, or
        if all voxels are 0.
    """
    header = read_header(Path(path))
    if header.n_components != 1:
        raise SimulationDataError(
            path,
            f"has {header.n_components} components a voxel; a volume of ids has 1",
            "give another file",
        )
    volume = _read_volume(header, lambda block: block[:, 0] != 0, progress)
    ids = volume.values
    if ids.size == 0:
        raise SimulationDataError(path, "all voxels are 0, which means none", "give another file")
    if ids.dtype.kind == "f" and not (np.isfinite(ids).all() and (ids == np.round(ids)).all()):
        raise SimulationDataError(path, "has numbers that are not ids", "give another file")
    if ids.min() < 0:
        raise SimulationDataError(
            path, f"has the id {ids.min()}", "ids start at 1, and 0 means none"
        )
    return Volume(header, volume.voxels, ids.astype(np.int64))


def flat_positions(
    flatmap: VoxelFlatmap,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike,
    *,
    progress: Progress | None = None,
) -> tuple[Floats, Floats]:
    """Look up the flat positions of positions in the brain, by the voxel that contains each.

    Parameters
    ----------
    flatmap
        The flatmap.
    x, y, z
        (n_positions,) coordinates in the brain, µm.
    progress
        Called with ``"looking up in <file>"`` and the numbers done and in all.

    Returns
    -------
    x, y : (n_positions,) float64
        In the flatmap's `units`. NaN for positions outside the volume's box or not finite, -1 in
        both without a flat position.

    Notes
    -----
    The values equal those of ``voxcell.VoxelData.lookup``, without an error for positions outside.

    Examples
    --------
    >>> flatmap = read_flatmap("ss_fm.nrrd")  # doctest: +SKIP
    >>> flat_positions(flatmap, [4256.4], [-1436.2], [-1996.8])  # doctest: +SKIP
    (array([1311.9...]), array([2396.7...]))
    """
    rows = flatmap.volume.rows_at(x, y, z, progress=progress)
    return _taken(flatmap.x, rows), _taken(flatmap.y, rows)


def _in_box(header: Header, positions: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which positions have a voxel.

    If an axis runs backwards, voxcell puts positions beyond its far end into the last voxel
    (https://github.com/openbraininstitute/voxcell, ``positions_to_indices``).
    """
    at = (positions - header.offset) / header.voxel_size
    inside = (at > -1e-7) & (at < header.shape)
    return np.asarray(inside.all(axis=1))


def _taken(values: npt.NDArray[Any], rows: Rows) -> Floats:
    taken = values[np.maximum(rows, 0)].astype(np.float64)
    taken[rows == NO_VALUE] = OUTSIDE
    taken[rows == OUTSIDE_BOX] = np.nan
    return taken


def _read_volume(
    header: Header,
    has_value: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]],
    progress: Progress | None,
) -> Volume:
    total = int(np.prod(header.shape))
    voxels, values = [], []
    for first, block in read_blocks(header):
        kept = np.flatnonzero(has_value(block))
        voxels.append(kept + first)
        values.append(block[kept])
        if progress is not None:
            progress(f"reading {header.path.name}", first + len(block), total)
    numbers = np.concatenate(values)
    native = numbers.dtype.newbyteorder("=")
    return Volume(header, np.concatenate(voxels).astype(np.int64), numbers.astype(native))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(at, min(at + _BLOCK, n)) for at in range(0, n, _BLOCK))
