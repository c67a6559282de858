"""Time a campaign of 200 small simulations on two workers, and one of 1,000 already done.

    python -m benchmarks.bench_many

The simulations have 20,000 neurons each, and the same files under different names. The work itself
is computing and writing one cube after another in two processes at the same time, which share the
memory as two workers do; a campaign adds the start of the workers, the distribution and the
dataset. CPU time is that of all processes, and is more reliable than wall time on a busy machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.measure import machine, measured

from napari_hexrecruit import open_campaign, recruitment_cube, write_cube
from napari_hexrecruit.campaign import list_simulations
from napari_hexrecruit.synthetic import Story, write_simulation

N_SIMULATIONS, N_LISTED, N_WORKERS = 200, 1_000, 2
N_OWN = 60
OUT = "out"
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux


def main() -> None:
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_simulation(folder / "0", Story(n_neurons=20_000))
        for k in range(1, N_LISTED):
            shutil.copytree(folder / "0", folder / str(k), copy_function=os.link)
        print(machine(), flush=True)
        start = time.perf_counter()
        listed = list_simulations(campaign_of(folder, N_LISTED))
        seconds = time.perf_counter() - start
        print(f"{len(listed.members):,} simulations listed: {seconds:.2f} s", flush=True)
        own_s, own_cpu_s = own_work(folder)
        whole_s, cpu_s = campaign(folder, N_SIMULATIONS)
        if open_campaign(folder / OUT).sizes["seed"] != N_SIMULATIONS:
            raise SystemExit("the dataset has not all simulations")
        print(
            f"{N_SIMULATIONS} simulations on {N_WORKERS} workers: {whole_s:.1f} s ({cpu_s:.1f} s of"
            f" CPU); own work {own_s * 1e3:.0f} ms ({own_cpu_s * 1e3:.0f} ms of CPU) each; beside"
            f" it {(whole_s / N_SIMULATIONS - own_s / N_WORKERS) * 1e3:.0f} ms per simulation"
            f" ({(cpu_s / N_SIMULATIONS - own_cpu_s) * 1e3:.0f} ms of CPU)",
            flush=True,
        )
        campaign(folder, N_LISTED)
        seconds, cpu_s = campaign(folder, N_LISTED)
        print(f"{N_LISTED:,} that are all done, checked: {seconds:.1f} s ({cpu_s:.1f} s of CPU)")


def campaign(folder: Path, n: int) -> tuple[float, float]:
    """Run the command on the first n simulations; return wall and CPU time, s."""
    words = [sys.executable, "-m", "napari_hexrecruit", "campaign", str(campaign_of(folder, n))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = measured([*words, "--workers", str(N_WORKERS), "-o", str(folder / OUT)]).seconds
    with contextlib.suppress(ChildProcessError):  # workers that the command leaves to this process
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def own_work(folder: Path) -> tuple[float, float]:
    """Return wall and CPU time of one cube, s, where as many processes as workers make them."""
    words = [sys.executable, "-m", "benchmarks.bench_many", str(folder)]
    running = [
        subprocess.Popen([*words, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(N_WORKERS)
    ]
    times = np.array([json.loads(one.communicate()[0]) for one in running])
    return tuple(times.mean(axis=0).tolist())


def compute_and_write(folder: Path, number: int) -> tuple[float, float]:
    """Compute and write cubes; return the median wall and CPU time of one, s."""
    seconds, cpu_s = [], []
    for k in range(N_OWN):
        start, cpu_start = time.perf_counter(), time.process_time()
        cube = recruitment_cube(folder / str(k) / "simulation_config.json")
        write_cube(cube, folder / f"own-{number}.hexrecruit.nc", overwrite=True)
        seconds.append(time.perf_counter() - start)
        cpu_s.append(time.process_time() - cpu_start)
    return float(np.median(seconds)), float(np.median(cpu_s))


def campaign_of(folder: Path, n: int) -> Path:
    """Write a list of the first n simulations."""
    rows = [{"path": str(k), "parameters": {"seed": k}} for k in range(n)]
    path = folder / f"campaign-{n}.json"
    path.write_text(json.dumps({"simulations": rows}))
    return path


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(compute_and_write(Path(sys.argv[1]), int(sys.argv[2]))))
    else:
        main()
