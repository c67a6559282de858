"""A campaign of 200 small simulations on two workers, and a list of 1,000.

    python -m benchmarks.bench_many

The simulations have 20,000 neurons each, and the same files under different names. A simulation's
own work is that of one cube after another in one process, computed and written; what a campaign
takes beside it is the start of the workers, handing out, and the dataset.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import machine, measured

from napari_hexrecruit import open_campaign, recruitment_cube, write_cube
from napari_hexrecruit.campaign import list_simulations
from napari_hexrecruit.synthetic import Story, write_simulation

N_SIMULATIONS, N_LISTED, N_WORKERS = 200, 1_000, 2
N_OWN = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_simulation(folder / "0", Story(n_neurons=20_000))
        for k in range(1, N_LISTED):
            shutil.copytree(folder / "0", folder / str(k), copy_function=os.link)
        print(machine(), flush=True)
        start = time.perf_counter()
        listed = list_simulations(campaign_of(folder, N_LISTED))
        seconds = time.perf_counter() - start
        print(
            f"{len(listed.members):,} simulations listed and checked: {seconds:.2f} s", flush=True
        )
        own = own_work(folder)
        words = [sys.executable, "-m", "napari_hexrecruit", "campaign"]
        words += [str(campaign_of(folder, N_SIMULATIONS)), "--workers", str(N_WORKERS)]
        out = folder / "out"
        whole = measured([*words, "-o", str(out)])
        if open_campaign(out).sizes["seed"] != N_SIMULATIONS:
            raise SystemExit("the dataset has not all simulations")
        beside = whole.seconds / N_SIMULATIONS * 1e3 - own * 1e3 / N_WORKERS
        print(
            f"{N_SIMULATIONS} simulations on {N_WORKERS} workers: {whole.seconds:.1f} s,"
            f" {whole.peak_mb:,.0f} MB; own work {own * 1e3:.0f} ms each;"
            f" beside it {beside:.0f} ms per simulation"
        )


def own_work(folder: Path) -> float:
    """Seconds to compute and write one cube, the least of several."""
    seconds = []
    for k in range(N_OWN):
        start = time.perf_counter()
        cube = recruitment_cube(folder / str(k) / "simulation_config.json")
        write_cube(cube, folder / "own.hexrecruit.nc", overwrite=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def campaign_of(folder: Path, n: int) -> Path:
    """A list of the first n simulations."""
    rows = [{"path": str(k), "parameters": {"seed": k}} for k in range(n)]
    path = folder / f"campaign-{n}.json"
    path.write_text(json.dumps({"simulations": rows}))
    return path


if __name__ == "__main__":
    main()
