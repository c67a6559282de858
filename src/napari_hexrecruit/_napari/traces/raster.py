"""Spikes of the neurons in picked hexagons, as a picture. Knows neither napari nor Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._napari.layers.simulation_source import SimulationSource, origin_ms
from napari_hexrecruit.analysis import hex_positions, raster
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.schema import TIME

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.progress import Progress

_FAINTEST = 0.35
_QUANTILE = 0.99


def read_raster(
    source: SimulationSource, cube: xr.Dataset, names: Sequence[str], progress: Progress
) -> xr.Dataset:
    """Read the spikes of hexagons within the window of a cube.

    Parameters
    ----------
    source
        The simulation that the cube was counted from.
    cube
        A recruitment cube; its time can be relative to an onset.
    names
        Names of the hexagons.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    xr.Dataset
        As from `napari_hexrecruit.analysis.raster`, with times in the cube's time.

    Raises
    ------
    SimulationDataError, ValueError
        If the simulation cannot be read, or does not match the cube.
    """
    members = source.members(cube, progress)
    spikes = Populations.of(source.simulation(), cube).spikes(progress)
    progress("choosing spikes", 0, 1)
    origin = origin_ms(cube)
    start = float(cube[TIME][0]) + origin
    found = raster(
        spikes.neurons,
        spikes.times_ms,
        members,
        hex_positions(cube, list(names)),
        start=start,
        stop=start + cube.sizes[TIME] * float(cube.attrs["bin_ms"]),
        clock=spikes.clock,
    )
    return found.assign({"time": found["time"] - origin})


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes of the picked hexagons, drawable at any size.

    Parameters
    ----------
    spikes
        Result of `read_raster`.
    colours
        Colour of each hexagon.
    window_ms
        Start and end of the time axis, ms.
    """

    spikes: xr.Dataset
    colours: tuple[str, ...]
    window_ms: tuple[float, float]

    @property
    def n_lines(self) -> int:
        """Number of neurons."""
        return int(self.spikes.attrs["n_lines"])

    def picture(self, n_columns: int, n_rows: int) -> npt.NDArray[np.uint8]:
        """Draw the spikes, see `raster_picture`."""
        return raster_picture(self.spikes, self.colours, self.window_ms, n_columns, n_rows)


def raster_picture(
    spikes: xr.Dataset,
    colours: Sequence[str],
    window_ms: tuple[float, float],
    n_columns: int,
    n_rows: int,
) -> npt.NDArray[np.uint8]:
    """Draw spikes as a picture, which takes the same time to show for any number of spikes.

    Parameters
    ----------
    spikes
        Result of `raster`.
    colours
        Colour of each hexagon.
    window_ms
        Time at the left and right edge, ms.
    n_columns, n_rows
        Size of the picture; fewer rows if there are fewer neurons.

    Returns
    -------
    (n_rows, n_columns, 4) uint8
        RGBA, the first neuron in row 0. Cells with more spikes are more opaque; a single spike is
        visible.
    """
    n_lines = max(int(spikes.attrs["n_lines"]), 1)
    n_rows = min(n_rows, n_lines)
    start, stop = window_ms
    column = ((spikes["time"].values - start) / (stop - start) * n_columns).astype(np.int64)
    row = spikes["line"].values * n_rows // n_lines
    cell = row * n_columns + np.clip(column, 0, n_columns - 1)
    counts = np.bincount(cell, minlength=n_rows * n_columns)
    full = float(np.quantile(counts[counts > 0], _QUANTILE)) if counts.any() else 1.0
    strength = np.where(counts > 0, _FAINTEST + (1 - _FAINTEST) * counts / full, 0.0)
    first_line = spikes["first_line"].values
    middle = (np.arange(n_rows) + 0.5) * n_lines / n_rows
    which = np.clip(np.searchsorted(first_line, middle, side="right") - 1, 0, None)
    picture = np.zeros((n_rows, n_columns, 4), dtype=np.uint8)
    if len(colours):
        picture[..., :3] = _rgb(colours)[which][:, None, :]
    picture[..., 3] = (255 * np.minimum(strength, 1.0)).reshape(n_rows, n_columns)
    return picture


def _rgb(colours: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colours], dtype=np.uint8)
