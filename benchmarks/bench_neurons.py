"""Time 42 and 4.2 million neurons: the command, placing and writing, with lower bounds.

    python -m benchmarks.bench_neurons FOLDER [SOURCE_BEFORE] [--without-large]

FOLDER keeps the simulations (3 GB on the disk), which are written if they are missing.
SOURCE_BEFORE is the folder ``src`` of another version: both run in turns, and the shortest time of
each is printed with its CPU time, because other work on the machine affects both alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.large_neurons import large_population
from benchmarks.large_spikes import small_simulation
from benchmarks.measure import machine, peak_mb

import napari_hexrecruit

if TYPE_CHECKING:
    from collections.abc import Callable

N_TIMES = 3
HERE = Path(__file__).parent.parent
NOW = Path(napari_hexrecruit.__file__).parent.parent

PLACING = """
import json, sys, time
from napari_hexrecruit import HexGrid, open_simulation
from napari_hexrecruit.counting.warm_up import warm_up
from napari_hexrecruit.pipeline.places import FlatSource
import numpy as np
try:
    from napari_hexrecruit.pipeline.grouping import grouped
except ImportError:  # before cubes of several populations
    from napari_hexrecruit.pipeline.question import grouped
    def group(sim, source):
        return grouped(sim, sim.resolve_population(None), source, HexGrid(50.0), None)
else:
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.recipe import CubeRecipe
    def group(sim, source):
        return grouped(Populations.named(sim, None), source, CubeRecipe(radius=50.0))
warm_up()
FLAT = ("ss_flat_x", "ss_flat_y")
def least(work):
    times = []
    for _ in range(4):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
def place():
    sim = open_simulation(sys.argv[1])
    population = sim.resolve_population(None)
    sim.assumed_of(population)
    source = FlatSource.of(sim, FLAT, None)
    start = time.perf_counter()
    group(sim, source)
    return time.perf_counter() - start
def read():
    import h5py
    sim = open_simulation(sys.argv[1])
    population = sim.resolve_population(None)
    with h5py.File(sim.nodes_file(population)) as file:
        for name in FLAT:
            column = file["nodes"][population]["0"][name]
            buffer = np.empty(1 << 16, column.dtype)
            for first in range(0, column.shape[0], len(buffer)):
                last = min(first + len(buffer), column.shape[0])
                column.read_direct(buffer[: last - first], np.s_[first:last])
print(json.dumps({"place": min(place() for _ in range(4)), "read": least(read)}))
"""

WRITING = """
import json, sys, time
from napari_hexrecruit import read_cube, write_cube
cube = read_cube(sys.argv[1])
times = []
for _ in range(5):
    start = time.perf_counter()
    path = write_cube(cube, sys.argv[2], overwrite=True)
    times.append(time.perf_counter() - start)
print(json.dumps({"write": min(times), "bytes": path.stat().st_size}))
"""


class Run(NamedTuple):
    """One process: wall and CPU seconds, and its peak memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main(words: list[str]) -> None:
    """Run all sizes, and print a line for each figure."""
    names = [word for word in words if not word.startswith("--")]
    folder = Path(names[0])
    versions = {"now": NOW} | ({"before": Path(names[1]).absolute()} if names[1:] else {})
    print(machine(), flush=True)
    sizes = {"4.2 million": small_simulation}
    if "--without-large" not in words:
        sizes["42 million"] = large_population
    for size, write in sizes.items():
        compare(size, written(write, folder), versions)


def written(write: Callable[[Path], Path], folder: Path) -> Path:
    """Write a simulation in another process: a child's peak memory is at least its parent's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(write, folder).result()


def compare(size: str, config: Path, versions: dict[str, Path]) -> None:
    """Measure all figures of one simulation, with the versions in turns."""
    with tempfile.TemporaryDirectory(dir=config.parent.parent) as place:
        cube = Path(place) / "cube.hexrecruit.nc"
        for source in versions.values():  # compiles the code if needed
            command(source, config, cube)
        runs: dict[str, list[Run]] = {name: [] for name in versions}
        for _ in range(N_TIMES):
            for name, source in versions.items():
                runs[name].append(command(source, config, cube))
        for name, source in versions.items():
            wall, cpu, peak = (min(values) for values in zip(*runs[name], strict=True))
            placing = said(PLACING, source, config)
            writing = said(WRITING, source, cube, Path(place) / "w.hexrecruit.nc")
            print(
                f"{size}, {name}: whole command {wall:.2f} s (CPU {cpu:.2f} s), {peak:,.0f} MB;"
                f" placing {placing['place']} s, one read of the two columns {placing['read']} s;"
                f" writing {writing['write']} s, {writing['bytes']:,.0f} bytes",
                flush=True,
            )


def command(source: Path, config: Path, cube: Path) -> Run:
    """Run the command once."""
    cube.unlink(missing_ok=True)
    words = [sys.executable, "-m", "napari_hexrecruit", "cube", str(config), "-o", str(cube)]
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment(source))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: status {process.returncode}")
    wall = time.perf_counter() - start
    return Run(wall, usage.ru_utime + usage.ru_stime, peak_mb(usage))


def said(script: str, source: Path, *paths: Path) -> dict[str, float]:
    """Run a script in a separate process; return the figures that it prints."""
    words = [sys.executable, "-c", script, *map(str, paths)]
    done = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, text=True, env=environment(source)
    )
    found: dict[str, float] = json.loads(done.stdout)
    return {name: round(value, 3) for name, value in found.items()}


def environment(source: Path) -> dict[str, str]:
    """Return the environment of a process that imports the package from another folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(source), str(HERE)])}


if __name__ == "__main__":
    main(sys.argv[1:])
