"""Measure time and peak memory of writing the largest sample simulation.

    python benchmarks/bench_synthetic.py [FOLDER]

The simulation is written into the folder, by default the system's temporary folder, and removed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import machine, peak_mb

from napari_hexrecruit.synthetic import NBS1, write_simulation


def main(folder: str | None) -> None:
    """Write the simulation, and print time and memory."""
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        start = time.perf_counter()
        config = write_simulation(Path(aside) / "run", NBS1)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in config.parent.rglob("*") if path.is_file())
    peak = peak_mb(resource.getrusage(resource.RUSAGE_SELF))
    print(machine())
    print(f"{NBS1.n_neurons:,} neurons, {NBS1.n_hexes:,} hexagons, {NBS1.n_spikes:,} spikes")
    print(f"{seconds:.1f} s, peak memory {peak:,.0f} MB, {size / 1e6:,.0f} MB of files")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
