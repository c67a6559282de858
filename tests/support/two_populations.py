"""A simulation of two populations with equal ids, on one sheet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.sonata_files import SonataFiles

if TYPE_CHECKING:
    from pathlib import Path

A, B = "A", "B,1"
"""Names of the populations; one has a comma."""
SIZES = {A: 260, B: 140}


def two_populations(folder: Path, *, sorting: int = 2, seed: int = 1) -> Path:
    """Write it; the path of its configuration.

    Ids count from 0 in both. Property ``layer`` is 1 to 3 in A and 3 to 5 in B, ``only`` is in A
    alone, ``kind`` is text in A and numbers in B, ``side`` is l in A
    and r in B.
    """
    rng = np.random.default_rng(seed)
    config = _files(rng, SIZES[A]).write(folder)
    with h5py.File(folder / "nodes.h5", "w") as file:
        for name, first in ((A, 1), (B, 3)):
            _write_nodes(file, name, _columns(rng, name, first))
    spikes = folder / "output" / "spikes.h5"
    with h5py.File(spikes, "w") as file:
        for name, n_spikes in ((A, 900), (B, 700)):
            times = rng.uniform(0.0, 100.0, n_spikes)
            group = file.create_group(f"spikes/{name}")
            group["timestamps"] = np.sort(times) if sorting == 2 else times
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = rng.integers(0, SIZES[name], n_spikes).astype("u8")
            kind = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
            group.attrs.create("sorting", sorting, dtype=kind)
    circuit = json.loads((folder / "circuit_config.json").read_text())
    populations = {name: {"type": "point_neuron"} for name in SIZES}
    circuit["networks"]["nodes"][0]["populations"] = populations
    (folder / "circuit_config.json").write_text(json.dumps(circuit))
    sets = {"Low": {"population": A, "layer": [1, 2]}, "Both": {"layer": 3}}
    (folder / "node_sets.json").write_text(json.dumps(sets))
    return config


def _files(rng: np.random.Generator, n: int) -> SonataFiles:
    return SonataFiles(columns={"ss_flat_x": np.zeros(n)}, times_ms=[], node_ids=[])


def _columns(rng: np.random.Generator, name: str, first_layer: int) -> dict[str, Any]:
    n = SIZES[name]
    x = rng.uniform(-200.0, 100.0, n) if name == A else rng.uniform(-100.0, 250.0, n)
    x[:5] = np.nan
    columns: dict[str, Any] = {
        "ss_flat_x": x,
        "ss_flat_y": rng.uniform(-150.0, 150.0, n),
        "layer": rng.integers(first_layer, first_layer + 3, n),
        "side": ["l" if name == A else "r"] * n,
        "synapse_class": rng.choice(["EXC", "INH"] if name == A else ["EXC"], n).tolist(),
    }
    if name == A:
        return columns | {"only": np.arange(n), "kind": rng.choice(["x", "y"], n).tolist()}
    return columns | {"kind": np.zeros(n)}


def _write_nodes(file: Any, name: str, columns: dict[str, Any]) -> None:
    population = file.create_group(f"nodes/{name}")
    population["node_type_id"] = np.full(SIZES[name], -1)
    group = population.create_group("0")
    for column, values in columns.items():
        if isinstance(values, list):
            library, codes = np.unique(np.array(values, dtype=object), return_inverse=True)
            group[column] = codes.astype(np.uint32)
            group.require_group("@library")[column] = library
        else:
            group[column] = values
