"""Measure how often maps with and without a wave are called a wave: writes docs/calibration.md.

python scripts/calibrate.py [--sets 40] [--first-seed 0]
"""

from __future__ import annotations

import argparse
import warnings
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.special import ndtr

from calibration_clusters import N_PERMUTATIONS, SIDES, share_found
from calibration_cubes import at_once, false_responses, share_called_a_wave, standing
from napari_hexrecruit.analysis import fit_wave
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.synthetic.sheet import make_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
RADIUS = 50.0
STEP = HexGrid(RADIUS).spacing


class Places:
    """An irregular sheet with a hole, of about `n_hexes` hexagons."""

    def __init__(self, n_hexes: int) -> None:
        sheet = make_sheet(round(1.036 * n_hexes), "plane")
        self.x, self.y = sheet.x_um[~sheet.silent], sheet.y_um[~sheet.silent]
        self.n = len(self.x)
        self.size = float(max(np.ptp(self.x), np.ptp(self.y)))

    def distances(self) -> np.ndarray:
        return np.hypot(self.x[:, None] - self.x, self.y[:, None] - self.y) / STEP

    def latencies(self, values: np.ndarray) -> xr.DataArray:
        return xr.DataArray(
            values,
            {"x": ("hex", self.x, {"units": "um"}), "y": ("hex", self.y)},
            ("hex",),
            name="half_peak_latency",
            attrs={"hex_radius": RADIUS, "bin_ms": 0.0},
        )

    def along(self, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        angle = rng.uniform(0.0, 2.0 * np.pi)
        return self.x * np.cos(angle) + self.y * np.sin(angle), float(np.degrees(angle))


def smooth(places: Places, length: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth white noise with a Gaussian kernel to mean 0 and standard deviation 1."""
    kernel = np.exp(-(places.distances() ** 2) / (2.0 * length**2))
    values = kernel @ rng.normal(size=places.n)
    return (values - values.mean()) / values.std()


def _border(way: np.ndarray, share: float, blur: float) -> np.ndarray:
    off = (way - np.quantile(way, share)) / STEP
    return 10.0 * (ndtr(off / blur) if blur else off > 0)


def halves(places: Places, blur: float, rng: np.random.Generator) -> np.ndarray:
    return 20.0 + _border(places.along(rng)[0], 0.5, blur) + rng.normal(size=places.n)


def disc(places: Places, blur: float, rng: np.random.Generator) -> np.ndarray:
    middle = rng.integers(places.n)
    way = np.hypot(places.x - places.x[middle], places.y - places.y[middle])
    return 20.0 + _border(way, 0.3, blur) + rng.normal(size=places.n)


def plane(places: Places, delay: float, rng: np.random.Generator) -> np.ndarray:
    way = places.along(rng)[0]
    return 20.0 + delay * (way - way.min()) / np.ptp(way) + rng.normal(size=places.n)


def radial(places: Places, far: float, rng: np.random.Generator) -> np.ndarray:
    """Return a front of 20 ms from a hexagon, or from a source `far` sheet sizes away."""
    if far:
        angle = rng.uniform(0.0, 2.0 * np.pi)
        away = far * places.size * np.array([np.cos(angle), np.sin(angle)])
        source = np.array([places.x.mean(), places.y.mean()]) + away
    else:
        at = rng.integers(places.n)
        source = np.array([places.x[at], places.y[at]])
    way = np.hypot(places.x - source[0], places.y - source[1])
    return 20.0 + 20.0 * (way - way.min()) / np.ptp(way) + rng.normal(size=places.n)


ROWS = [
    *[(f"smooth noise, correlation length {k}", smooth, k, 780, False) for k in (3, 6, 10, 15)],
    *[("smooth noise, correlation length 3", smooth, 3, n, False) for n in (368, 172, 79)],
    *[("two halves, 10 ms apart", halves, 0, n, False) for n in (12, 20, 40, 80)],
    *[(f"two halves, border blurred by {k}", halves, k, 780, False) for k in (0, 1, 3, 6)],
    *[(f"a disc, then the rest, blurred by {k}", disc, k, 780, False) for k in (0, 1, 3)],
    *[(f"straight front, {k} ms", plane, k, 780, True) for k in (10, 20, 60)],
    ("front from a source on the sheet", radial, 0, 780, True),
    *[(f"front from a source {k:g} sheets away", radial, k, 780, True) for k in (1.5, 2, 3)],
]


CUBES = [
    ("all at once, more in the middle (`latency`)", at_once),
    ("standing oscillation with a nodal line (`latency`)", standing),
]
NEURONS, BINS_MS = (20, 60, 200), (1.0, 5.0, 10.0)
LENGTHS = (0, 1, 2, 3)
POINTS = (0, 5, 10, 15)


def share_of_waves(row: tuple, seeds: range) -> float:
    """Return the share of simulated maps that are called a wave."""
    _, make, parameter, n_hexes, _ = row
    places, found = Places(n_hexes), 0
    for seed in seeds:
        values = make(places, parameter, np.random.default_rng([seed, 17]))
        found += fit_wave(places.latencies(values), seed=seed).is_wave
    return found / len(seeds)


def errors_of(places: Places, length: float, rng: np.random.Generator) -> np.ndarray:
    """Return errors with a standard deviation of 3 ms."""
    return 3.0 * (smooth(places, length, rng) if length else rng.normal(size=places.n))


def coverage_of_planes(length: float, seeds: range) -> tuple[float, float]:
    """Return the shares of 95 % intervals of speed and direction that contain the true value."""
    places, held = Places(780), []
    for seed in seeds:
        rng = np.random.default_rng([seed, 18])
        way, angle = places.along(rng)
        errors = errors_of(places, length, rng)
        fit = fit_wave(places.latencies(way / 40.0 + errors), kind="plane", seed=seed)
        if not fit.is_wave:
            continue
        turned = (angle - fit.direction + 180.0) % 360.0 - 180.0
        off = np.subtract(fit.direction_ci, fit.direction)
        held.append((fit.speed_ci[0] <= 40.0 <= fit.speed_ci[1], off[0] <= turned <= off[1]))
    return tuple(np.mean(held, axis=0).tolist())


def coverage_of_circles(length: float, seeds: range) -> float:
    """Return the share of 95 % intervals of speed of called waves that contain the true value."""
    places, held = Places(780), []
    for seed in seeds:
        rng = np.random.default_rng([seed, 19])
        at = rng.integers(places.n)
        way = np.hypot(places.x - places.x[at], places.y - places.y[at])
        errors = errors_of(places, length, rng)
        fit = fit_wave(places.latencies(way / 40.0 + errors), kind="radial", seed=seed)
        if fit.is_wave:
            held.append(fit.speed_ci[0] <= 40.0 <= fit.speed_ci[1])
    return float(np.mean(held))


def table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a Markdown table; print each row as it is computed."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    return [*lines, ""]


def page(seeds: range) -> str:
    n = len(seeds)
    maps = (
        [row[0], str(row[3]), "yes" if row[4] else "no", f"{share_of_waves(row, seeds):.1%}"]
        for row in ROWS
    )
    cubes = (
        [name, "780", "no", f"{share_called_a_wave(make, n, seeds.start):.1%}"]
        for name, make in CUBES
    )
    covered = (
        [
            str(k),
            *(
                f"{one:.1%}"
                for one in (*coverage_of_planes(k, seeds), coverage_of_circles(k, seeds))
            ),
        ]
        for k in LENGTHS
    )
    false = (
        [str(k), *(f"{false_responses(k, width, n, seeds.start):.2%}" for width in BINS_MS)]
        for k in NEURONS
    )
    clusters = (
        [str(k), *(f"{share_found(side, 2.0, k, seeds):.1%}" for side in SIDES)] for k in POINTS
    )
    return (
        "\n".join(
            [
                "# Calibration",
                "",
                f"This page shows how often `fit_wave` calls simulated maps a wave: {n} maps of"
                " each kind, on an irregular sheet",
                "with a hole. Lengths are in hexagons; errors are 1 ms. `make calibrate` writes"
                " this page.",
                "",
                *table(["Map", "Hexagons", "Wave", "Called a wave"], chain(maps, cubes)),
                "Share of 95 % intervals that contain the true value, for fronts that are called a"
                " wave, by the correlation length of the errors (3 ms):",
                "",
                *table(
                    ["Correlation length", "Speed, straight", "Direction", "Speed, circles"],
                    covered,
                ),
                "Share of hexagons in which `latency` finds a response although there is none: 780"
                " hexagons whose neurons fire at 2 Hz;",
                "60 bins of baseline, 40 bins searched:",
                "",
                *table(["Neurons per hexagon", *(f"bins of {k:g} ms" for k in BINS_MS)], false),
                "Share of data sets in which `cluster_test` finds a significant cluster, by the"
                " response of 19 hexagons in two of six bins: 12 trials,",
                f"200 hexagons of 100 neurons, noise with a correlation length of 2,"
                f" {N_PERMUTATIONS} permutations. The row 0 shows false positives.",
                "",
                *table(
                    ["Response, percentage points", "Response against baseline", "A against B"],
                    clusters,
                ),
            ]
        ).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=40, help="maps of each kind")
    parser.add_argument("--first-seed", type=int, default=0, help="seeds begin here")
    warnings.simplefilter("ignore", RecruitmentWarning)
    given = parser.parse_args()
    seeds_of_all = range(given.first_seed, given.first_seed + given.sets)
    PAGE.write_text(page(seeds_of_all), encoding="utf-8")
