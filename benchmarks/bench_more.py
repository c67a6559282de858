"""Time reports and edges at three sizes, each with one sequential read of the file.

    python -m benchmarks.bench_more [FOLDER]

Wall and CPU time are the shortest of three; peak memory is that of a separate process. The CPU time
of the work includes that of reading. The largest size is a tenth of 1 million neurons x 10,000
frames, and of a billion edges: the data read grow with it, memory does not.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from benchmarks.measure import machine, measured
from tests.support.edge_files import name_edges
from tests.support.report_files import name_report
from tests.support.sonata_files import POPULATION, SonataFiles

from napari_hexrecruit import RecruitmentWarning, afferents, open_simulation, recruitment_cube

if TYPE_CHECKING:
    from collections.abc import Callable

N_NEURONS, N_FRAMES = (10_000, 100_000, 1_000_000), 1_000
N_EDGES = (1_000_000, 10_000_000, 100_000_000)
REPEATS = 3
EDGES = f"{POPULATION}__{POPULATION}__chemical"
_BLOCK = 1 << 24
"""Bytes to read at a time, as for reports."""


def main() -> None:
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        for n_neurons in N_NEURONS:
            _report(Path(place) / "report", n_neurons)
        for n_edges in N_EDGES:
            _edges(Path(place) / "edges", n_edges)


def _report(folder: Path, n_neurons: int) -> None:
    config = simulation(folder, n_neurons)
    write_frames(folder / "output" / "soma_v.h5", n_neurons)
    name_report(config)
    read = least(lambda: read_through(folder / "output" / "soma_v.h5", "report/cortex/data"))
    sim = open_simulation(config)
    for statistic in ("mean", "sd"):
        whole = least(lambda s=statistic: recruitment_cube(sim, report="soma_v", statistic=s))
        alone = in_process("report", config, statistic)
        gigabytes = 4e-9 * n_neurons * N_FRAMES
        row(f"{n_neurons:,} x {N_FRAMES:,} ({gigabytes:.2g} GB), {statistic}", read, whole, alone)
    (folder / "output" / "soma_v.h5").unlink()


def _edges(folder: Path, n_edges: int) -> None:
    config = simulation(folder, N_NEURONS[-1])
    write_edges(folder / "edges.h5", n_edges)
    name_edges(folder / "circuit_config.json", folder / "edges.h5", EDGES)
    names = [f"edges/{EDGES}/{end}_node_id" for end in ("source", "target")]
    read = least(lambda: [read_through(folder / "edges.h5", name) for name in names])
    sim = open_simulation(config)
    cube = recruitment_cube(sim, allow_empty=True)
    whole = least(lambda: afferents(sim, cube, population=POPULATION))
    row(f"{n_edges:,} edges", read, whole, in_process("edges", config, ""))
    (folder / "edges.h5").unlink()


def row(what: str, read: tuple[float, float], whole: tuple[float, float], peak_mb: float) -> None:
    print(
        f"| {what} | {read[0]:.2f} s | {read[1]:.2f} s | {whole[0]:.2f} s | {whole[1]:.2f} s |"
        f" {read[0] / whole[0]:.2f} | {peak_mb:,.0f} MB |",
        flush=True,
    )


def least(work: Callable[[], Any]) -> tuple[float, float]:
    """Return wall and CPU time, s: the shortest of several."""
    taken = []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(one[0] for one in taken), min(one[1] for one in taken)


def read_through(path: Path, name: str) -> None:
    """Read a dataset from start to end."""
    with h5py.File(path) as file:
        data = file[name]
        rows = max(1, _BLOCK // (data.dtype.itemsize * int(np.prod(data.shape[1:]))))
        buffer = np.empty((rows, *data.shape[1:]), data.dtype)
        for first in range(0, len(data), rows):
            last = min(first + rows, len(data))
            data.read_direct(buffer[: last - first], np.s_[first:last])


def in_process(what: str, config: Path, statistic: str) -> float:
    """Return the peak memory of a process that does the same, MB."""
    words = [sys.executable, "-m", "benchmarks.bench_more", "--only", what, str(config), statistic]
    return float(measured(words).output)


def simulation(folder: Path, n_neurons: int) -> Path:
    """Write neurons on a sheet of about 1,000 hexagons, no spikes; return the configuration."""
    rng = np.random.default_rng(0)
    files = SonataFiles(
        columns={name: rng.uniform(0.0, 2_500.0, n_neurons) for name in ("ss_flat_x", "ss_flat_y")},
        times_ms=np.zeros(0),
        node_ids=np.zeros(0, np.uint64),
        tstop_ms=float(N_FRAMES),
        config_changes={"reports": {}},
    )
    return files.write(folder)


def write_frames(path: Path, n_neurons: int) -> None:
    values = np.random.default_rng(0).normal(-60.0, 5.0, (50, n_neurons)).astype("f4")
    with h5py.File(path, "w") as file:
        group = file.create_group(f"report/{POPULATION}")
        data = group.create_dataset("data", (N_FRAMES, n_neurons), "f4")
        data.attrs["units"] = "mV"
        for first in range(0, N_FRAMES, len(values)):
            data[first : first + len(values)] = values
        mapping = group.create_group("mapping")
        mapping["time"] = np.array([0.0, float(N_FRAMES), 1.0])
        mapping["time"].attrs["units"] = "ms"
        mapping["node_ids"] = np.arange(n_neurons, dtype="u8")
        mapping["index_pointers"] = np.arange(n_neurons + 1, dtype="u8")
        mapping["element_ids"] = np.zeros(n_neurons, "u4")


def write_edges(path: Path, n_edges: int) -> None:
    """Write edges in the order of their targets, as in most files."""
    rng, step = np.random.default_rng(0), min(n_edges, 10_000_000)
    with h5py.File(path, "w") as file:
        group = file.create_group(f"edges/{EDGES}")
        ends = {}
        for end in ("source", "target"):
            ends[end] = group.create_dataset(f"{end}_node_id", (n_edges,), "u8")
            ends[end].attrs["node_population"] = POPULATION
        for first in range(0, n_edges, step):
            here = slice(first, first + step)
            ends["source"][here] = rng.integers(0, N_NEURONS[-1], step)
            at = np.arange(first, first + step, dtype=np.float64)
            ends["target"][here] = (at * (N_NEURONS[-1] / n_edges)).astype(np.uint64)


def only(what: str, config: str, statistic: str) -> None:
    sim = open_simulation(config)
    if what == "report":
        recruitment_cube(sim, report="soma_v", statistic=statistic)
    else:
        afferents(sim, recruitment_cube(sim, allow_empty=True), population=POPULATION)
    status = Path("/proc/self/status").read_text()  # wait4 reports the parent's peak if larger
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1e3)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RecruitmentWarning)  # there are no spikes
    if sys.argv[1:2] == ["--only"]:
        only(*sys.argv[2:])
    else:
        main()
