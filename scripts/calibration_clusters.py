"""Measure how often cluster tests find a difference, with and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration_cubes import Sheet
from napari_hexrecruit.analysis import cluster_test, clusters_table, cut_trials
from napari_hexrecruit.analysis.clusters import LEVEL
from napari_hexrecruit.hexgrid import HexGrid

if TYPE_CHECKING:
    import xarray as xr

_BIN_MS, _RADIUS, _N_NEURONS = 10.0, 50.0, 100
_N_TRIALS, _N_BINS, _N_HEXES = 12, 6, 200
_REST, _SPREAD = 0.2, 0.3
_BLOB_STEPS, _BLOB_BINS = 2.1, slice(2, 4)
N_PERMUTATIONS = 200
SIDES = ("baseline", "groups")


class Noise:
    """Trials whose shares of neurons vary smoothly over the sheet, independently in each bin."""

    def __init__(self, length: float) -> None:
        self.sheet = Sheet(_N_HEXES)
        x, y = self.sheet.x, self.sheet.y
        step = HexGrid(_RADIUS).spacing
        apart = np.hypot(x[:, None] - x, y[:, None] - y) / step
        self._kernel = np.exp(-0.5 * (apart / length) ** 2)
        self._kernel /= np.sqrt((self._kernel**2).sum(axis=0))
        middle = np.hypot(x - x.mean(), y - y.mean()).argmin()
        self._blob = apart[middle] < _BLOB_STEPS

    def trials(self, rng: np.random.Generator, extra: float, after: slice) -> xr.Dataset:
        """Return trials with an equally long baseline; `extra` points in 19 hexagons, two bins."""
        n_bins = 2 * _N_BINS
        white = rng.normal(size=(_N_TRIALS * n_bins, len(self._blob)))
        share = _REST * np.exp(_SPREAD * (white @ self._kernel))
        share = share.reshape(_N_TRIALS, n_bins, -1)
        share[:, after.start : after.stop, self._blob] += extra / 100.0
        whole = self.sheet.cube(
            np.clip(share, 0.0, 1.0).reshape(_N_TRIALS * n_bins, -1), _BIN_MS, _N_NEURONS, rng
        )
        half = _BIN_MS * _N_BINS
        onsets = float(whole["time"][0]) + half + 2.0 * half * np.arange(_N_TRIALS)
        return cut_trials(whole, onsets, before=half, after=half)


def share_found(side: str, length: float, extra: float, seeds: range) -> float:
    """Return the share of sets with a significant cluster."""
    noise, found = Noise(length), 0
    inside = slice(_N_BINS + _BLOB_BINS.start, _N_BINS + _BLOB_BINS.stop)
    for seed in seeds:
        rng = np.random.default_rng([seed, 22])
        tested = [noise.trials(rng, extra, inside)]
        options = {"n_permutations": N_PERMUTATIONS, "seed": seed}
        if side == "groups":
            tested.append(noise.trials(rng, 0.0, inside))
            options["window"] = (0.0, _BIN_MS * _N_BINS)
        table = clusters_table(cluster_test(*tested, **options))
        found += bool((table["p"] <= LEVEL).any())
    return found / len(seeds)
