"""Bins that a movie shows: from a window and a step in ms to positions on the time axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.naming import time_from
from napari_hexrecruit.timebins import TimeBins, edge_position

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

_TOLERANCE_MS = 1e-6


@dataclass(frozen=True)
class Shown:
    """Bins that a movie shows; all times in ms."""

    bins: range
    """Positions on the cube's time axis, one per frame."""
    first_ms: float
    """Start of the cube's first bin."""
    bin_ms: float
    time_from: str = ""
    """Reference of the times; empty for times of the simulation."""

    @property
    def start_ms(self) -> float:
        """Start of the first bin shown."""
        return self.first_ms + self.bins.start * self.bin_ms

    @property
    def stop_ms(self) -> float:
        """End of the window."""
        return self.first_ms + self.bins.stop * self.bin_ms

    def bin_span(self, frame: int) -> tuple[float, float]:
        """Return start and end of a frame's bin."""
        at = self.bins[frame]
        return self.first_ms + at * self.bin_ms, self.first_ms + (at + 1) * self.bin_ms


def resolve_window(
    cubes: Sequence[xr.Dataset], start: float | None, stop: float | None, step: float | None
) -> Shown:
    """Find the bins that start from `start` on and before `stop`, every `step`; all in ms.

    Raises
    ------
    ValueError
        If the time axes of the cubes differ, or the window is empty, outside the cube, or not made
        of whole bins; the message states the nearest possible times.
    """
    first, bin_ms, n_bins = _common_axis(cubes)
    bins = TimeBins(first, first + n_bins * bin_ms, bin_ms)
    low = 0 if start is None else edge_position("start", start, bins)
    high = n_bins if stop is None else edge_position("stop", stop, bins)
    if low >= high:
        raise ValueError(
            f"the window from {first + low * bin_ms:g} to {first + high * bin_ms:g} ms is empty:"
            " stop must be after start"
        )
    origins = {time_from(cube) for cube in cubes}
    bins_shown = range(low, high, 1 if step is None else _stride(step, bin_ms))
    return Shown(bins_shown, first, bin_ms, origins.pop() if len(origins) == 1 else "")


def _common_axis(cubes: Sequence[xr.Dataset]) -> tuple[float, float, int]:
    if not cubes:
        raise ValueError("there is no cube to show: give at least one")
    axes = [_axis(cube) for cube in cubes]
    for k, axis in enumerate(axes):
        if axis[2] != axes[0][2] or not np.allclose(axis[:2], axes[0][:2], atol=_TOLERANCE_MS):
            raise ValueError(
                f"the time axes differ: cube 1 has {_told(axes[0])} and cube {k + 1} {_told(axis)};"
                " compute them with the same window and bin"
            )
    return axes[0]


def _axis(cube: xr.Dataset) -> tuple[float, float, int]:
    return float(cube["time"][0]), float(cube.attrs["bin_ms"]), cube.sizes["time"]


def _told(axis: tuple[float, float, int]) -> str:
    return f"{axis[2]} bins of {axis[1]:g} ms from {axis[0]:g} ms"


def _stride(step: float, bin_ms: float) -> int:
    if not (math.isfinite(step) and step > 0):
        raise ParameterError(
            Parameter("step"), f"must be a number of ms greater than 0, not {step!r}"
        )
    n_bins = round(step / bin_ms)
    if n_bins < 1 or abs(n_bins * bin_ms - step) > _TOLERANCE_MS * max(1.0, bin_ms):
        below = math.floor(step / bin_ms)
        choices = [f"{n * bin_ms:.10g}" for n in (below, below + 1) if n >= 1]
        raise ValueError(
            f"step {step:.10g} ms is not a whole number of {bin_ms:g} ms bins:"
            f" use {' or '.join(choices)} ms"
        )
    return n_bins
