"""Time a campaign of eight simulations on one process and on two: time and ratio.

    python -m benchmarks.bench_campaign [small middle nbs1]

Each figure is of the command in a separate process, including imports and the start of the cluster;
it is the best of two, taken in turns. The eight simulations have the same files under different
names, which are in the file system's cache, so that the disk is not measured. Bins are 1 ms wide:
with wide ones a simulation takes hardly longer than starting a process.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import machine, measured

from napari_hexrecruit import open_campaign, recruitment_cube, select_cube
from napari_hexrecruit.synthetic import NBS1, Story, write_simulation

N_SIMULATIONS = 8
N_TIMES = 2
STORIES = {
    "small": Story(n_neurons=20_000),
    "middle": Story(n_neurons=1_000_000),
    "nbs1": NBS1,
}
SIZES = ("nbs1",)
BIN_MS = 1.0
GOAL = 1.7


class Times(NamedTuple):
    """Best times of one size, s."""

    name: str
    on_one: float
    on_two: float

    @property
    def ratio(self) -> float:
        return self.on_one / self.on_two

    def row(self) -> str:
        """Return a line of the table."""
        return (
            f"| {self.name} | {N_SIMULATIONS} | {self.on_one:.1f} s | {self.on_two:.1f} s"
            f" | **{self.ratio:.2f}** |"
        )


HEAD = """\
| size | simulations | one process | two processes | ratio |
|---|---|---|---|---|"""


def main() -> None:
    names = sys.argv[1:] or SIZES
    print(machine(), flush=True)
    print(HEAD, flush=True)
    times = []
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            times.append(compare(name, Path(place)))
        print(times[-1].row(), flush=True)
    for one in times:
        if one.name != "small":
            met = "met" if one.ratio >= GOAL else "NOT met"
            print(f"\n{one.name}, two processes, times as fast: {one.ratio:.2f} >= {GOAL}: {met}")


def compare(name: str, folder: Path) -> Times:
    """Write the simulations, check the result, measure the times."""
    campaign = write_campaign(STORIES[name], folder)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for k, workers in itertools.product(range(N_TIMES), seconds):
        out = folder / f"out-{k}-{workers}"
        seconds[workers].append(run(campaign, out, workers))
        if k == 0:
            check(out, folder / "0" / "simulation_config.json")
        shutil.rmtree(out)
    return Times(name, min(seconds[1]), min(seconds[2]))


def run(campaign: Path, out: Path, workers: int) -> float:
    """Run the command; return its time, s."""
    words = [sys.executable, "-m", "napari_hexrecruit", "campaign", str(campaign)]
    words += ["--bin", str(BIN_MS), "--workers", str(workers)]
    return measured([*words, "-o", str(out)]).seconds


def check(out: Path, config: Path) -> None:
    """Stop if the result is wrong."""
    dataset = open_campaign(out)
    if dataset.sizes["seed"] != N_SIMULATIONS:
        raise SystemExit("the dataset has not all simulations")
    if not select_cube(dataset, seed=N_SIMULATIONS - 1)["n_spikes"].equals(
        recruitment_cube(config, bin_ms=BIN_MS)["n_spikes"]
    ):
        raise SystemExit("the dataset has other numbers than a cube")


def write_campaign(story: Story, folder: Path) -> Path:
    """Write one simulation, and links to its files for the others."""
    write_simulation(folder / "0", story)
    rows = []
    for k in range(N_SIMULATIONS):
        if k:
            shutil.copytree(folder / "0", folder / str(k), copy_function=os.link)
        rows.append({"path": str(k), "parameters": {"seed": k}})
    path = folder / "campaign.json"
    path.write_text(json.dumps({"simulations": rows}))
    return path


if __name__ == "__main__":
    main()
