"""Compare cubes with a notebook's pandas pipeline in one run: time, ratio, peak memory.

    python benchmarks/bench_cube.py [small middle nbs1]

Each figure is of a separate process, so peak memory is that of the work, and both sides include
imports. Files are in the file system's cache, because the simulation was just written. Results are
compared before times are printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from benchmarks.measure import Measured, machine, measured

from napari_hexrecruit import read_cube
from napari_hexrecruit.synthetic import NBS1, Story, write_simulation

HERE = Path(__file__).parent
BIN_MS = 10.0
STORIES = {
    "small": Story(n_neurons=20_000),
    "middle": Story(n_neurons=400_000),
    "nbs1": NBS1,
}

SECOND_CUBE = """
import json, sys, time
import numpy as np
from napari_hexrecruit import open_simulation, recruitment_cube
sim = open_simulation(sys.argv[1])
recruitment_cube(sim, bin_ms=10.0)
def timed(work):
    best = []
    for _ in range(7):
        start = time.perf_counter()
        work()
        best.append(time.perf_counter() - start)
    return min(best)
def cube(**options):
    return timed(lambda: recruitment_cube(sim, **options))
population = sim.default_population()
ids = sim.spikes(population).neurons
table = np.arange(sim.n_neurons(population), dtype=np.int32)
print(json.dumps({
    "other bin": cube(bin_ms=20.0),
    "other window": cube(bin_ms=10.0, start=0.0, stop=sim.duration_ms / 2),
    "other filter": cube(bin_ms=10.0, where="synapse_class=INH"),
    "one gather of numpy": timed(lambda: table[ids]),
}))
"""


class Comparison(NamedTuple):
    """One size: the reference, the command, and second cubes, s."""

    name: str
    n_neurons: int
    n_spikes: int
    reference: Measured
    compute_s: float
    command: Measured
    second_s: dict[str, float]

    def row(self) -> str:
        """Return a line of the table."""
        cubes = dict(self.second_s)
        gather = cubes.pop("one gather of numpy")
        second = max(cubes.values())
        return (
            f"| {self.n_neurons:,} | {self.n_spikes:,} | {self.reference.seconds:.2f} s"
            f" | {self.reference.peak_mb:,.0f} MB | {self.command.seconds:.2f} s"
            f" | {self.command.peak_mb:,.0f} MB"
            f" | **{self.reference.seconds / self.command.seconds:.1f} x** | {self.compute_s:.2f} s"
            f" | {second * 1e3:,.0f} ms | **{self.compute_s / second:.0f} x**"
            f" | {gather * 1e3:,.0f} ms | {second / gather:.2f} |"
        )


HEAD = """\
| neurons | spikes | reference, whole | peak | `hexrecruit cube`, whole | peak | ratio \
| reference, computing | second cube (slowest of 3 kinds) | ratio | one gather of the ids | \
second cube / gather |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def main(names: list[str]) -> None:
    """Write the simulations, run both methods, print the table."""
    sys.stdout.write(f"{machine()}\n\n{HEAD}\n")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            comparison = compare(name, Path(folder))
        sys.stdout.write(comparison.row() + "\n")
        sys.stdout.write(f"<!-- second cubes, s: {comparison.second_s} -->\n")
        sys.stdout.flush()


def compare(name: str, folder: Path) -> Comparison:
    """Run both methods on one simulation."""
    story = STORIES[name]
    # In another process: a child's peak memory includes the peak of its parent.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        config = pool.submit(write_simulation, folder / "simulation", story).result()
    cube, table = folder / "a.hexrecruit.nc", folder / "reference.pkl"
    command = [sys.executable, "-m", "napari_hexrecruit", "cube", str(config), "-o"]
    measured([*command, str(folder / "warm.hexrecruit.nc")])
    ours = measured([*command, str(cube), "--bin", str(BIN_MS)])
    script = str(HERE / "reference_pipeline.py")
    reference = measured([sys.executable, script, str(config), str(BIN_MS), str(table)])
    check_equal(cube, table)
    second = subprocess.run(
        [sys.executable, "-c", SECOND_CUBE, str(config)], check=True, capture_output=True, text=True
    )
    return Comparison(
        name,
        story.n_neurons,
        story.n_spikes,
        reference,
        json.loads(reference.output)["compute_s"],
        ours,
        json.loads(second.stdout),
    )


def check_equal(cube_file: Path, table_file: Path) -> None:
    """Stop if the two methods disagree about any hexagon that fires."""
    cube = read_cube(cube_file)["recruitment"]
    reference = pd.read_pickle(table_file).reindex(range(cube.sizes["time"]))
    reference = reference.reindex(columns=cube["hex"].to_numpy()).fillna(0.0)
    np.testing.assert_allclose(cube.to_numpy(), reference.to_numpy(), rtol=1e-6)


if __name__ == "__main__":
    main(sys.argv[1:] or list(STORIES))
