"""Time each analysis of a large cube.

    python benchmarks/bench_analysis.py

prints two Markdown tables; each figure is the best of several runs. One is for analyses of a cube
of 1,000 bins and 3,000 hexagons, the other for those that read spikes, 40 million of 4.2 million
neurons.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tests.support.cubes import sheet_cube, wave_cube

from napari_hexrecruit import analysis as an
from napari_hexrecruit.counting.members import assemble_cube, count_spikes, group_neurons
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.timebins import TimeBins

RUNS = 5
N_NEURONS, N_SPIKES, STOP_MS = 4_200_000, 40_000_000, 10_000.0


def of_cubes():
    cube = sheet_cube(3_000, 1_000, start_ms=0.0)
    names = cube["hex"].to_numpy()
    left, right = cube.isel(hex=slice(2_990)), cube.isel(hex=slice(10, None))
    onsets = np.arange(200.0, 9_000.0, 500.0)
    trials = an.cut_trials(cube, onsets, before=100.0, after=400.0)
    way = np.hypot(cube["x"].to_numpy() - 300.0, cube["y"].to_numpy())
    late = an.latency(cube, onset=100.0)
    late = late.copy(data=way / 20.0 + np.random.default_rng(0).normal(0.0, 2.0, 3_000))
    return {
        "a trace": lambda: an.hex_traces(cube, names[1234]),
        "50 traces": lambda: an.hex_traces(cube, names[:50]),
        "population": lambda: an.population_trace(cube),
        "compare": lambda: an.compare(cube, cube),
        "compare, other hexagons": lambda: an.compare(left, right),
        "z-score": lambda: an.z_score(cube, an.cut(cube, 0.0, 1_000.0)),
        f"cut {len(onsets)} trials": lambda: an.cut_trials(cube, onsets, before=100.0, after=400.0),
        "mean and standard error": lambda: an.trial_mean(trials),
        "reliability": lambda: an.reliability(trials),
        "latency": lambda: an.latency(cube, onset=100.0),
        "half-peak latency": lambda: an.half_peak_latency(cube, onset=100.0),
        "correlation": lambda: an.correlation(cube, hexes=[17]),
        "plane wave": lambda: an.fit_wave(late, kind="plane"),
        "radial wave": lambda: an.fit_wave(late, kind="radial"),
    }


def of_spikes():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.0, 4_300.0, (2, N_NEURONS))
    members = group_neurons(HexGrid(50.0), x, y, np.ones(N_NEURONS, bool))
    neurons = rng.integers(0, N_NEURONS, N_SPIKES).astype(np.int32)
    times = np.sort(rng.uniform(0.0, STOP_MS, N_SPIKES))
    spikes = neurons, times, members
    bins = TimeBins(0.0, STOP_MS, 10.0)
    attrs = wave_cube(n_bins=1).attrs
    kept = {name: attrs[name] for name in attrs if name not in ("hex_radius", "bin_ms")}
    counts = count_spikes(*spikes, bins)
    cube = assemble_cube(members, bins, *counts, min_neurons=1, flat_units="um", attrs=kept)
    onsets, picked = [1_003.0, 3_003.0, 5_003.0, 7_003.0], np.array([5, 6, 7])
    third = np.arange(0, N_NEURONS, 3)
    return {
        "first spikes in 400 ms": lambda: an.first_spikes(*spikes, onset=1_000.0, until=1_400.0),
        "first spikes in 10 s": lambda: an.first_spikes(*spikes, onset=0.0),
        "4 trials, exactly": lambda: an.count_trials(
            cube, *spikes, onsets, before=100.0, after=400.0
        ),
        "raster of 3 hexagons, 10 s": lambda: an.raster(*spikes, picked),
        "neurons of 50 hexagons": lambda: an.neurons_of(members, np.arange(50)),
        "hexagons of 1.4 million neurons": lambda: an.share_of_neurons(members, third),
    }


def best_of(function):
    durations = []
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    return min(durations)


def main():
    for title, make in (("1,000 bins, 3,000 hexagons", of_cubes), ("40 million spikes", of_spikes)):
        print(f"| {title} | ms |\n|---|---:|")
        for name, function in make().items():
            print(f"| {name} | {1_000 * best_of(function):.0f} |", flush=True)
        print()


if __name__ == "__main__":
    main()
