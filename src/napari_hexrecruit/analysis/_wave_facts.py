"""Numbers of a wave: from its hexagons and bins, and from the front fitted to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.arrays import hex_array
from napari_hexrecruit.analysis.velocities import local_velocity
from napari_hexrecruit.analysis.waves import fit_wave
from napari_hexrecruit.schema import N_RECRUITED, N_TRIALS, RECRUITMENT, TIME_BOUNDS

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.analysis.waves import WaveFit

Floats = npt.NDArray[np.float64]


def facts_of(cube: xr.Dataset, labels: npt.NDArray[np.int32], n: int) -> list[dict[str, Any]]:
    """Return the numbers of each wave that need no front."""
    bins, hexes = np.nonzero(labels)
    wave = labels[bins, hexes] - 1
    n_trials = int(cube.attrs.get(N_TRIALS, 1))
    recruited = np.bincount(wave, cube[N_RECRUITED].values[bins, hexes] / n_trials, n)
    peak = np.zeros(n)
    np.maximum.at(peak, wave, cube[RECRUITMENT].values[bins, hexes])
    first, last = np.full(n, labels.shape[0]), np.zeros(n, dtype=np.int64)
    np.minimum.at(first, wave, bins)
    np.maximum.at(last, wave, bins)
    n_hexes = np.bincount(np.unique(np.stack([wave, hexes]), axis=1)[0], minlength=n)
    bounds = cube[TIME_BOUNDS].values
    return [
        {
            "wave": k + 1,
            "start_ms": float(bounds[first[k], 0]),
            "duration_ms": float(bounds[last[k], 1] - bounds[first[k], 0]),
            "n_hexes": int(n_hexes[k]),
            "n_recruited": int(recruited[k]) if n_trials == 1 else float(recruited[k]),
            "peak": float(peak[k]),
        }
        for k in range(n)
    ]


def front_of(cube: xr.Dataset, onset: Floats, seed: int) -> dict[str, Any]:
    """Return where a wave begins, the front fitted to it, and how similar its directions are."""
    latency = hex_array(cube, onset, "half_peak_latency")
    fit = fit_wave(latency, seed=seed)
    origin = _origin(latency, fit)
    velocity = local_velocity(latency)
    angle = np.radians(velocity["direction"].values)
    angle = angle[np.isfinite(angle)]
    planarity = float(np.abs(np.exp(1j * angle).mean())) if len(angle) else math.nan
    return {
        "origin_x": origin[0],
        "origin_y": origin[1],
        "kind": fit.kind if fit.is_wave else "none",
        "speed": fit.speed,
        "speed_low": fit.speed_ci[0],
        "speed_high": fit.speed_ci[1],
        "direction_deg": fit.direction,
        "planarity": planarity,
    }


def _origin(latency: xr.DataArray, fit: WaveFit) -> tuple[float, float]:
    """Return the source of a radial front on the sheet, else the middle of the first hexagons.

    The first hexagons are those reached within a bin of the earliest one.
    """
    known = latency[np.isfinite(latency.values)]
    xy = np.stack([known["x"].values, known["y"].values], axis=1)
    if fit.is_wave and fit.kind == "radial":
        nearest = float(np.hypot(*(xy - fit.source).T).min())
        if nearest <= 2.0 * float(latency.attrs["hex_radius"]):
            return fit.source
    first = known.values <= known.values.min() + float(latency.attrs["bin_ms"])
    x, y = xy[first].mean(axis=0).tolist()
    return x, y
