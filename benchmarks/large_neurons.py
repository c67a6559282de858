"""Write a simulation of 42 million neurons: ten sheets of 4.2 million neurons side by side."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
from benchmarks.large_spikes import BLOCK, POPULATION, small_simulation

N_SHEETS = 10
_COLUMNS = ("ss_flat_x", "ss_flat_y", "region", "synapse_class")
_GAP_UM = 8.0 * np.sqrt(3.0) * 50.0
"""A whole number of hexagons of 50 um, so that hexagons cut all sheets in the same way."""


def large_population(folder: Path, n_sheets: int = N_SHEETS) -> Path:
    """Return the configuration of sheets with 40 million spikes in total; write it if missing."""
    config = folder / f"{n_sheets}-sheets" / "simulation_config.json"
    if config.is_file():
        return config
    source = small_simulation(folder)
    aside = config.parent.with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(source.parent, aside, ignore=shutil.ignore_patterns("output", "nodes.h5"))
    (aside / "output").mkdir()
    with h5py.File(source.parent / "nodes.h5") as file, h5py.File(aside / "nodes.h5", "w") as out:
        n_each = _write_nodes(file["nodes"], out, n_sheets)
    spikes = Path("output", "spikes.h5")
    with h5py.File(source.parent / spikes) as file, h5py.File(aside / spikes, "w") as out:
        _write_spikes(file["spikes"][POPULATION], out, n_each, n_sheets)
    content = json.loads((aside / "simulation_node_sets.json").read_text(encoding="utf-8"))
    del content["Stimulated"]  # ids of one sheet
    (aside / "simulation_node_sets.json").write_text(json.dumps(content), encoding="utf-8")
    aside.rename(config.parent)
    return config


def _write_nodes(source: h5py.Group, out: h5py.File, n_sheets: int) -> int:
    nodes = source[POPULATION]
    source.copy(source["thalamus"], out.create_group("nodes"), "thalamus")
    n_each = nodes["node_type_id"].shape[0]
    size = n_sheets * n_each
    population = out.create_group(f"nodes/{POPULATION}")
    population.create_dataset("node_type_id", (size,), np.int64, fillvalue=-1)
    population.create_dataset("node_group_id", (size,), np.uint64)
    index = population.create_dataset("node_group_index", (size,), np.uint64)
    group = population.create_group("0")
    nodes["0"].copy("@library", group)
    width = float(np.nanmax(nodes["0/ss_flat_x"][:]))
    step = np.ceil(width / _GAP_UM + 1.0) * _GAP_UM
    for sheet in range(n_sheets):
        here = slice(sheet * n_each, (sheet + 1) * n_each)
        index[here] = np.arange(here.start, here.stop, dtype=np.uint64)
    for name in _COLUMNS:
        values = nodes["0"][name][:]
        written = group.create_dataset(name, (size,), values.dtype)
        placed = values != -1.0
        for sheet in range(n_sheets):
            moved = (
                np.where(placed, values + sheet * step, values) if name == "ss_flat_x" else values
            )
            written[sheet * n_each : (sheet + 1) * n_each] = moved
    return n_each


def _write_spikes(source: h5py.Group, out: h5py.File, n_each: int, n_sheets: int) -> None:
    rng = np.random.default_rng(0)
    group = out.create_group(f"spikes/{POPULATION}")
    source.copy("timestamps", group)
    for name, value in source.attrs.items():
        group.attrs.create(name, value, dtype=source.attrs.get_id(name).dtype)
    ids = group.create_dataset("node_ids", source["node_ids"].shape, np.uint64)
    for first in range(0, len(ids), BLOCK):
        block = source["node_ids"][first : first + BLOCK].astype(np.uint64)
        ids[first : first + len(block)] = block + n_each * rng.integers(
            0, n_sheets, len(block), dtype=np.uint64
        )


if __name__ == "__main__":
    print(large_population(Path(sys.argv[1])))
