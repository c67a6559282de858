"""Properties of neurons that conntility computes from an atlas."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.atlas.nrrd import nrrd_errors, read_header
from napari_hexrecruit.atlas.volumes import flat_positions, read_flatmap
from napari_hexrecruit.errors import SimulationDataError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.progress import Progress

BY_CONNTILITY = ("ss_flat_x", "ss_flat_y", "depth")
"""Columns that conntility computes by supersampling, under its names."""

_log = logging.getLogger(__name__)


def by_conntility(
    positions: tuple[npt.NDArray[Any], ...],
    flatmap: Path,
    orientation: Path,
    progress: Progress | None,
) -> dict[str, npt.NDArray[np.float64]]:
    """Compute supersampled flat positions and depth of the neurons that have a flat pixel."""
    import pandas as pd
    from conntility.circuit_models.neuron_groups.extra_properties import (
        supersampled_locations_wrapper,
    )
    from conntility.flatmapping import supersampling
    from voxcell.exceptions import VoxcellError

    # conntility prints a line: replacing `print` in its module silences it, safely among threads.
    vars(supersampling)["print"] = _log.debug
    pixels = read_flatmap(flatmap, progress=progress)
    if pixels.units != "pixel":
        raise SimulationDataError(
            flatmap,
            "holds um, not whole pixels to supersample",
            "give flat='atlas' to look positions up in it",
        )
    x, y = flat_positions(pixels, *positions)
    placed = np.flatnonzero((x > -1) & (y > -1))
    computed = {name: x.copy() for name in BY_CONNTILITY}
    for values in computed.values():
        values[placed] = np.nan
    if placed.size:
        if progress is not None:
            progress("supersampling with conntility", 0, len(placed))
        frame = pd.DataFrame({c: p[placed] for c, p in zip("xyz", positions, strict=True)})
        volumes = [_volume(path) for path in (flatmap, orientation)]
        try:
            found = supersampled_locations_wrapper(frame, None, *volumes)
        except (RuntimeError, OSError, KeyError, ValueError, VoxcellError) as error:
            raise SimulationDataError(
                flatmap,
                f"conntility cannot supersample it with {orientation.name} ({one_line(error)})",
                "name two other columns, or an atlas file, as flat",
            ) from error
        for name, values in computed.items():
            values[placed[found.index.to_numpy()]] = found[name].to_numpy(dtype=np.float64)
        if progress is not None:
            progress("supersampling with conntility", len(placed), len(placed))
    return computed


def _volume(path: Path) -> Any:
    """Read a volume for conntility, in um: voxcell ignores the units of a file."""
    import voxcell

    header = read_header(path)
    with nrrd_errors(path):
        volume = voxcell.VoxelData.load_nrrd(path)
    if (volume.voxel_dimensions == header.voxel_size).all() and (
        volume.offset == header.offset
    ).all():
        return volume
    return voxcell.VoxelData(volume.raw, header.voxel_size, header.offset)
