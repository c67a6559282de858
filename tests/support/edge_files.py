"""Edges of a circuit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h5py
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def write_edges(
    path: Path,
    sources: np.ndarray,
    targets: np.ndarray,
    *,
    ends: tuple[str, str] = ("cortex", "cortex"),
    indexed_sources: int = 0,
    append: bool = False,
) -> Path:
    """Write edges as they are given; an index of as many sources needs them sorted by source."""
    name = f"{ends[0]}__{ends[1]}__chemical"
    with h5py.File(path, "a" if append else "w") as file:
        group = file.create_group(f"edges/{name}")
        for end, ids, population in zip(
            ("source", "target"), (sources, targets), ends, strict=True
        ):
            group[f"{end}_node_id"] = np.asarray(ids).astype("u8")
            group[f"{end}_node_id"].attrs["node_population"] = population
        if indexed_sources:
            index = group.create_group("indices/source_to_target")
            cuts = np.searchsorted(sources, np.arange(indexed_sources + 1))
            index["range_to_edge_id"] = np.stack([cuts[:-1], cuts[1:]], 1).astype("u8")
            rows = np.arange(indexed_sources)
            index["node_id_to_ranges"] = np.stack([rows, rows + 1], 1).astype("u8")
    return path


def name_edges(circuit: Path, path: Path, population: str) -> None:
    """Enter edges into a circuit's configuration."""
    content = json.loads(circuit.read_text(encoding="utf-8"))
    content["networks"]["edges"] = [
        {"edges_file": str(path), "populations": {population: {"type": "chemical"}}}
    ]
    circuit.write_text(json.dumps(content), encoding="utf-8")
