"""Time a cluster test.

    python -m benchmarks.bench_significance

prints a Markdown table: 20 trials of 50 bins against their baselines, and 10 against 10, with 3,000
hexagons and 1,000 arrangements; and the peak memory of the process.
"""

from __future__ import annotations

import resource
import time

import numpy as np
from benchmarks.measure import peak_mb
from tests.support.cubes import cube_of, sheet_cube

from napari_hexrecruit.analysis import cluster_test, cut_trials

N_TRIALS, N_BINS, N_HEXES = 20, 50, 3_000


def trials():
    """Return trials of independent counts, which give the most and smallest clusters."""
    sheet = sheet_cube(N_HEXES, 1)
    counts = np.random.default_rng(0).binomial(100, 0.2, (2 * N_TRIALS * N_BINS, N_HEXES))
    cube = cube_of(counts, row=sheet["row"], col=sheet["col"])
    half = 10.0 * N_BINS
    onsets = half + 2.0 * half * np.arange(N_TRIALS)
    return cut_trials(cube, onsets, before=half, after=half)


def main():
    made = trials()
    window = (0.0, 10.0 * N_BINS)
    halves = [made.isel(trial=slice(k, k + N_TRIALS // 2)) for k in (0, N_TRIALS // 2)]
    tests = {
        "response against baseline": lambda: cluster_test(made),
        "two groups": lambda: cluster_test(*halves, window=window),
    }
    print("| 20 trials, 50 bins, 3,000 hexagons, 1,000 arrangements | s | memory, MB |")
    print("|---|---:|---:|")
    for name, function in tests.items():
        start = time.perf_counter()
        function()
        took = time.perf_counter() - start
        most = peak_mb(resource.getrusage(resource.RUSAGE_SELF))
        print(f"| {name} | {took:.1f} | {most:.0f} |", flush=True)


if __name__ == "__main__":
    main()
