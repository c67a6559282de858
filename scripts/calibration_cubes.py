"""Cubes without a wave, and without any response, for scripts/calibrate.py."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from napari_hexrecruit.analysis import fit_wave, latency
from napari_hexrecruit.synthetic.sheet import make_sheet

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.cubes import cube_of

_BIN_MS, _N_NEURONS = 5.0, 100
_N_BEFORE, _N_AFTER = 60, 40
_REST = 0.04


class Sheet:
    """The hexagons of an irregular sheet with a hole, and a random direction over it, -1 to 1."""

    def __init__(self, n_hexes: int) -> None:
        sheet = make_sheet(round(1.036 * n_hexes), "plane")
        kept = ~sheet.silent
        self.row, self.col = sheet.row[kept], sheet.col[kept]
        self.x, self.y = sheet.x_um[kept], sheet.y_um[kept]

    def cube(self, share: np.ndarray, bin_ms: float, n_neurons: int, rng: np.random.Generator):
        """Return a cube of neurons that fire at random; time 0 is the onset."""
        counts = rng.binomial(n_neurons, share)
        start = -_N_BEFORE * bin_ms
        return cube_of(
            counts,
            row=self.row,
            col=self.col,
            n_neurons=n_neurons,
            start_ms=start,
            bin_ms=bin_ms,
        )


def at_once(sheet: Sheet, rng: np.random.Generator) -> np.ndarray:
    """Return activity that rises everywhere at once, more in the middle."""
    away = np.hypot(sheet.x - sheet.x.mean(), sheet.y - sheet.y.mean())
    strength = np.exp(-((away / away.max()) ** 2) * 3.0)
    t = np.arange(1, _N_AFTER + 1)[:, None] * _BIN_MS
    return _REST + 0.4 * strength * (t / 50.0) * np.exp(1.0 - t / 50.0)


def standing(sheet: Sheet, rng: np.random.Generator) -> np.ndarray:
    """Return a standing oscillation, with one line without activity."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    way = sheet.x * np.cos(angle) + sheet.y * np.sin(angle)
    way = (way - way.min()) / np.ptp(way)
    t = np.arange(1, _N_AFTER + 1)[:, None] * _BIN_MS
    course = np.cos(np.pi * way) * np.sin(2.0 * np.pi * t / 100.0)
    return _REST + 0.3 * np.clip(course, 0.0, None)


def share_called_a_wave(make, n_sets: int, first: int) -> float:
    """Return the share of `latency` maps of these cubes that are called a wave."""
    sheet, found = Sheet(780), 0
    rest = np.full((_N_BEFORE, len(sheet.x)), _REST)
    for seed in range(first, first + n_sets):
        rng = np.random.default_rng([seed, 20])
        share = np.concatenate([rest, make(sheet, rng)])
        made = latency(sheet.cube(share, _BIN_MS, _N_NEURONS, rng), onset=0.0)
        found += fit_wave(made, seed=seed).is_wave
    return found / n_sets


def false_responses(n_neurons: int, bin_ms: float, n_sets: int, first: int) -> float:
    """Return the share of hexagons with a false response in `latency`; neurons fire at 2 Hz."""
    sheet, found = Sheet(780), []
    share = np.full((_N_BEFORE + _N_AFTER, len(sheet.x)), 0.002 * bin_ms)
    for seed in range(first, first + n_sets):
        rng = np.random.default_rng([seed, 21])
        made = latency(sheet.cube(share, bin_ms, n_neurons, rng), onset=0.0)
        found.append(float(np.isfinite(made).mean()))
    return float(np.mean(found))
