"""Tiny atlases and circuits that have one, for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import voxcell
from tests.support.sonata_files import SonataFiles

if TYPE_CHECKING:
    from pathlib import Path

VOXEL = 10.0
LETTER = np.array(
    [
        [1, 1, 1, 1],
        [1, 0, 0, 0],
        [1, 1, 1, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
    ],
    dtype=bool,
)
"""An F as one sees it: row 0 is the top. No turn and no mirror image of it is an F."""


def letter_flatmap(n_components: int = 2, dtype: type = np.int32, size: float = 1.0):
    """Flatmap whose footprint is an F, two voxels deep; no axis of it is that of flat space.

    Voxel (i, j, k) is at flat x = k and y = i, times `size`; z runs backwards.
    """
    height, width = LETTER.shape
    raw = np.full((height, 2, width, n_components), -1, dtype=dtype)
    for row, column in np.argwhere(LETTER):
        x, y = column * size, (height - 1 - row) * size
        for j in range(2):
            raw[height - 1 - row, j, column] = (x, y) if n_components == 2 else (x, 100 * j, y)
    return voxcell.VoxelData(raw, (VOXEL, VOXEL, -VOXEL), (1000.0, -500.0, 300.0))


def slab_flatmap(n: int = 10):
    """Flatmap of a cube of voxels: (i, j, k) is pixel (i, k); k = n - 1 has none."""
    indices = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1)
    flat = indices[..., [0, 2]]
    flat[:, :, n - 1] = -1
    return voxcell.VoxelData(flat, (VOXEL,) * 3)


def no_turn(like):
    """Orientation field that turns nothing, on the voxels of another volume."""
    quaternions = np.zeros((*like.shape, 4), dtype=np.float32)
    quaternions[..., 0] = 1.0
    return voxcell.VoxelData(quaternions, like.voxel_dimensions, like.offset)


def write_circuit(folder: Path, columns, volumes=None, atlas_dir: str | None = "./atlas") -> Path:
    """A simulation of neurons that fire once, with the volumes as its circuit's atlas."""
    n_neurons = len(next(iter(columns.values())))
    times = np.linspace(0.0, 99.0, n_neurons)
    config = SonataFiles(columns, times, np.arange(n_neurons)).write(folder)
    circuit = json.loads((folder / "circuit_config.json").read_text())
    if atlas_dir is not None:
        circuit["components"] = {"provenance": {"atlas_dir": atlas_dir}}
    (folder / "circuit_config.json").write_text(json.dumps(circuit))
    for name, volume in (volumes or {}).items():
        (folder / "atlas").mkdir(exist_ok=True)
        volume.save_nrrd(str(folder / "atlas" / f"{name}.nrrd"))
    return config
