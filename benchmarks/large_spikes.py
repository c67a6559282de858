"""Write a simulation of a billion spikes: one of 10 s, repeated in time."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np

from napari_hexrecruit import open_simulation
from napari_hexrecruit.synthetic import NBS1, write_simulation

BLOCK = 1 << 22
POPULATION = "cortex"
ORDERS = {"none": 0, "by_id": 1, "by_time": 2}
N_SPIKES = 1_000_000_000


def small_simulation(folder: Path) -> Path:
    """Return the configuration of 10 s with 40 million spikes; write it if missing."""
    config = folder / "ten-seconds" / "simulation_config.json"
    return config if config.is_file() else write_simulation(config.parent, NBS1)


def large_simulation(folder: Path, order: str, n_spikes: int = N_SPIKES) -> Path:
    """Return the configuration of a simulation with at least `n_spikes` in an order.

    Ids are uint64 and times float64, as written by simulators: 16 bytes per spike. It is written,
    with little memory, if it is missing.
    """
    config = folder / f"{n_spikes}-{order}" / "simulation_config.json"
    if config.is_file():
        return config
    source = small_simulation(folder)
    aside = config.parent.with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(source.parent, aside, ignore=shutil.ignore_patterns("output"))
    (aside / "output").mkdir()
    sim = open_simulation(source)
    with h5py.File(sim.spikes_file) as file, h5py.File(aside / "output" / "spikes.h5", "w") as out:
        duration_ms = _write_again_and_again(file["spikes"][POPULATION], out, order, n_spikes)
    content = json.loads(source.read_text(encoding="utf-8"))
    content["run"]["tstop"] = duration_ms
    content["output"]["spikes_sort_order"] = order
    (aside / config.name).write_text(json.dumps(content), encoding="utf-8")
    aside.rename(config.parent)
    return config


def _write_again_and_again(source: h5py.Group, out: h5py.File, order: str, n_spikes: int) -> float:
    times, ids = source["timestamps"][:], source["node_ids"][:].astype(np.uint64)
    n_times = -(-n_spikes // len(times))
    group = out.create_group(f"spikes/{POPULATION}")
    sorting = h5py.enum_dtype(ORDERS, basetype=np.uint8)
    group.attrs.create("sorting", ORDERS[order], dtype=sorting)
    timestamps = group.create_dataset("timestamps", (n_times * len(times),), np.float64)
    timestamps.attrs["units"] = "ms"
    node_ids = group.create_dataset("node_ids", timestamps.shape, np.uint64)
    rng = np.random.default_rng(0)
    at = 0
    for turn in range(n_times):
        for first in range(0, len(times), BLOCK):
            part = slice(first, first + BLOCK)
            when, who = _in_order(order, turn, n_times, part, times, ids, rng)
            timestamps[at : at + len(when)], node_ids[at : at + len(who)] = when, who
            at += len(when)
    return n_times * NBS1.tstop_ms


def _in_order(
    order: str,
    turn: int,
    n_times: int,
    part: slice,
    times: np.ndarray,
    ids: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a block: a part of one repetition, or for unsorted spikes, from all repetitions."""
    when, who = times[part], ids[part]
    if order == "by_time":
        return when + turn * NBS1.tstop_ms, who
    if order == "none":
        mixed = rng.permutation(len(when))
        return when[mixed] + rng.integers(0, n_times, len(when)) * NBS1.tstop_ms, who[mixed]
    raise ValueError(f"order {order!r}: use by_time or none")


if __name__ == "__main__":
    print(large_simulation(Path(sys.argv[1]), sys.argv[2]))
