"""Time counting by spikes, neurons, bins, hexagons, threads and order of the spikes.

    python -m benchmarks.bench_scaling FOLDER [table ...]

The folder is for the simulations: 1.4 GB for all tables but `spikes`, `command` and `unsorted`, and
16 GB for each order of the billion spikes of these. They are written if they are missing, and kept.
Each time is printed with its lower bounds, measured in the same run: one sequential read of the
same spikes, and one numpy gather, ``table[ids]``, of the same ids. Times are the best of several.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.large_spikes import N_SPIKES, POPULATION, large_simulation, small_simulation
from benchmarks.measure import machine, measured

from napari_hexrecruit import HexGrid, TimeBins, open_simulation
from napari_hexrecruit.counting.members import HexMembers, count_spikes, group_neurons
from napari_hexrecruit.counting.ordering import sort_by_time
from napari_hexrecruit.counting.slabs import count_blocks
from napari_hexrecruit.counting.warm_up import warm_up
from napari_hexrecruit.pipeline.spike_stream import open_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_hexrecruit.counting.slab_job import Block, SpikeSource
    from napari_hexrecruit.pipeline.spike_stream import SpikeStream

BIN_MS = 10.0
N_TURNS = 6
MOST_APART = 0.2
AT_LEAST = 10**8
"""Fewest spikes to count in each turn, in several runs if needed."""


def best(work: Callable[[], object], n: int = 5) -> float:
    """Return the shortest of several times, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def gathered(blocks: Iterator[Block], table: np.ndarray) -> float:
    """Return the time of only numpy's gathers of the ids, s."""
    seconds = 0.0
    for ids, _ in blocks:
        start = time.perf_counter()
        table[ids]
        seconds += time.perf_counter() - start
    return seconds


def members_of(sim_neurons: int, n_hexes: int) -> HexMembers:
    """Place neurons at random in the hexagons of a square."""
    rng = np.random.default_rng(0)
    side = n_hexes**0.5
    x, y = rng.uniform(0, side, (2, sim_neurons))
    radius = (2 / (3 * 3**0.5)) ** 0.5  # hexagons of area 1
    return group_neurons(HexGrid(radius), x, y, np.ones(sim_neurons, dtype=bool))


def spikes_table(folder: Path) -> None:
    """Time windows of a file sorted by time, from a million spikes to a billion.

    All have about the same number of spikes per bin, because each bin has a fixed cost. They are
    timed in turns, short ones several times in a row, so that changes in the machine's speed affect
    all alike.
    """
    sim = open_simulation(large_simulation(folder, "by_time"))
    members = members_of(sim.n_neurons(POPULATION), 3000)
    table = np.arange(sim.n_neurons(POPULATION), dtype=np.int32)
    no_time, fixed = TimeBins(0.0, BIN_MS, BIN_MS), np.inf
    with open_stream(sim, POPULATION) as stream:
        if stream is None:
            raise SystemExit("the file has no spikes")
        windows = windows_of(stream, sim.duration_ms)
        seconds = {n: np.full(3, np.inf) for n in windows}
        for _ in range(N_TURNS):
            fixed = min(fixed, best(lambda: count_blocks(Nothing(), members, no_time), 100))
            for n, bins in windows.items():
                works = (
                    lambda: count_blocks(stream, members, bins),  # noqa: B023
                    lambda: [None for _ in stream.blocks(bins.start_ms, bins.stop_ms)],  # noqa: B023
                )
                times = [best(work, -(-AT_LEAST // n)) for work in works]
                times.append(gathered(stream.blocks(bins.start_ms, bins.stop_ms), table))
                seconds[n] = np.minimum(seconds[n], times)
    print(f"Once for each cube, for the neurons: {fixed * 1e3:.1f} ms; it is left out per spike.\n")
    print("| spikes | spikes per bin | count from file | per spike | read only | one gather |")
    print("|---:|---:|---:|---:|---:|---:|")
    per_spike = {}
    for n, (counting, reading, gather) in seconds.items():
        per_spike[n] = (counting - fixed) / n * 1e9
        print(
            f"| {n:,} | {n / windows[n].n_bins:,.0f} | {counting:.3f} s | {per_spike[n]:.2f} ns"
            f" | {reading:.3f} s | {gather:.3f} s |"
        )
    apart = max(per_spike.values()) / min(per_spike.values()) - 1
    met = "met" if apart <= MOST_APART else "NOT met"
    print(f"\ntime per spike, most above least: {apart:.0%} <= {MOST_APART:.0%}: {met}", flush=True)


def windows_of(stream: SpikeStream, duration_ms: float) -> dict[int, TimeBins]:
    """Return windows by number of spikes, with as many spikes per bin as the whole file."""
    n_bins = int(duration_ms // BIN_MS)
    starts = first_positions(stream, BIN_MS * np.arange(n_bins + 1))
    windows = {}
    for wanted in (10**6, 10**7, 10**8, N_SPIKES):
        length = min(round(wanted / stream.n_spikes * n_bins), n_bins)
        n_inside = starts[length:] - starts[: n_bins + 1 - length]
        first = int(np.abs(n_inside - wanted).argmin())
        start_ms = first * BIN_MS
        windows[int(n_inside[first])] = TimeBins(start_ms, start_ms + length * BIN_MS, BIN_MS)
    return windows


def first_positions(stream: SpikeStream, edges_ms: np.ndarray) -> np.ndarray:
    """Return the position of the first spike at or after each edge."""
    positions = np.zeros(len(edges_ms), dtype=np.int64)
    for _, times in stream.train.blocks():
        positions += np.searchsorted(times, edges_ms)
    return positions


def command_table(folder: Path, order: str = "by_time") -> None:
    """Time the whole command on a billion spikes."""
    config = large_simulation(folder, order)
    print("| order | spikes | `hexrecruit cube` | peak memory |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        command = [sys.executable, "-m", "napari_hexrecruit", "cube", str(config), "-o"]
        took = measured([*command, f"{aside}/a.hexrecruit.nc", "--bin", str(BIN_MS)])
    n_spikes = open_simulation(config).spike_populations()[POPULATION]
    print(f"| {order} | {n_spikes:,} | {took.seconds:.1f} s | {took.peak_mb:,.0f} MB |", flush=True)


def unsorted_table(folder: Path) -> None:
    """Time the whole command on a billion unsorted spikes."""
    command_table(folder, "none")


class Nothing:
    """No spikes."""

    order, n_spikes = "by_time", 0

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        return iter(())


class InMemory:
    """Spikes in memory as a source of blocks."""

    def __init__(self, order: str, ids: np.ndarray, times: np.ndarray) -> None:
        self.order, self.ids, self.times = order, ids, times

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return len(self.ids)

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        for first, last in pairwise([*range(0, self.n_spikes, 1 << 20), self.n_spikes]):
            yield self.ids[first:last], self.times[first:last]


def orders_table(folder: Path) -> None:
    """Time counting 40 million spikes of each order in blocks, and sorting them."""
    sim, members, bins = small(folder)
    spikes = sim.spikes(POPULATION)
    ids, times = spikes.neurons, spikes.times_ms
    mixed = np.random.default_rng(0).permutation(len(ids))
    by_id = np.argsort(ids, kind="stable")
    table = np.arange(sim.n_neurons(POPULATION), dtype=np.int32)
    expected = count_spikes(ids, times, members, bins)
    print("| order | count in blocks | per spike | one gather | sort by time | numpy's sort |")
    print("|---|---:|---:|---:|---:|---:|")
    for order, chosen in (("by_time", None), ("by_id", by_id), ("none", mixed)):
        here = (ids, times) if chosen is None else (ids[chosen], times[chosen])
        source: SpikeSource = InMemory(order, *here)
        counts = count_blocks(source, members, bins)
        assert all(map(np.array_equal, counts[:2], expected))
        counting = best(lambda: count_blocks(source, members, bins))  # noqa: B023
        gather = best(lambda: table[here[0]])  # noqa: B023
        ours = best(lambda: sort_by_time(*here), 3)  # noqa: B023
        theirs = best(lambda: numpy_sorted(*here), 2)  # noqa: B023
        print(
            f"| {order} | {counting:.3f} s | {counting / len(ids) * 1e9:.1f} ns | {gather:.3f} s"
            f" | {ours:.2f} s | {theirs:.2f} s ({theirs / ours:.1f} x) |",
            flush=True,
        )


def numpy_sorted(ids: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do the same as `sort_by_time` with a full sort."""
    order = np.argsort(times, kind="stable")
    return ids[order], times[order]


def memory_tables(folder: Path) -> None:
    """Time spikes in memory by threads, bin widths, hexagons and neurons."""
    sim, members, bins = small(folder)
    spikes = sim.spikes(POPULATION)
    ids, times, n_neurons = spikes.neurons, spikes.times_ms, sim.n_neurons(POPULATION)
    rows = [("threads", n, members, bins, ids, n) for n in (1, 2, 4)]
    rows += [
        ("ms per bin", width, members, TimeBins(0.0, bins.stop_ms, width), ids, None)
        for width in (100.0, 10.0, 1.0)
    ]
    rows += [
        ("hexagons", n, members_of(n_neurons, n), bins, ids, None) for n in (100, 3_000, 30_000)
    ]
    rows += [
        ("neurons", n, members_of(n, 3_000), bins, (ids % n).astype(np.int32), None)
        for n in (20_000, 400_000, n_neurons)
    ]
    print(f"{len(ids):,} spikes\n\n| | | count | per spike | one gather | count / gather |")
    print("|---|---:|---:|---:|---:|---:|")
    for what, value, who, when, which, n_workers in rows:
        table = np.arange(len(who.hex_of_neuron), dtype=np.int32)
        seconds = best(lambda: count_spikes(which, times, who, when, n_workers=n_workers))  # noqa: B023
        gather = best(lambda: table[which])  # noqa: B023
        print(
            f"| {what} | {value:,} | {seconds:.3f} s | {seconds / len(ids) * 1e9:.2f} ns"
            f" | {gather:.3f} s | {seconds / gather:.2f} |",
            flush=True,
        )


def compile_table(folder: Path) -> None:
    """Time the compilation that the first click would wait for."""
    code = "import time; t = time.perf_counter()\n"
    code += "from napari_hexrecruit.counting.warm_up import warm_up\n"
    code += "warm_up(); print(time.perf_counter() - t)"
    print("| compiled loops | s |\n|---|---:|")
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        for what in ("compiled", "loaded", "loaded again"):
            done = subprocess.run(
                ["env", f"NUMBA_CACHE_DIR={cache}", sys.executable, "-c", code],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"| {what} | {float(done.stdout):.2f} |", flush=True)


def small(folder: Path) -> tuple:
    """Return a simulation of 40 million spikes, hexagons of the neurons, and bins."""
    sim = open_simulation(small_simulation(folder))
    members = members_of(sim.n_neurons(POPULATION), 3000)
    return sim, members, TimeBins(0.0, sim.duration_ms, BIN_MS)


TABLES = {
    "memory": memory_tables,
    "orders": orders_table,
    "compile": compile_table,
    "spikes": spikes_table,
    "command": command_table,
    "unsorted": unsorted_table,
}


def main(folder: Path, names: list[str]) -> None:
    """Print the tables."""
    print(machine())
    warm_up()
    for name in names or TABLES:
        print(f"\n## {name}\n", flush=True)
        TABLES[name](folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
