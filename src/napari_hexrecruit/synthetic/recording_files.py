"""HDF5 files of the recordings and edges of a synthetic simulation."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from napari_hexrecruit.synthetic.recordings import (
    FRAME_MS,
    edges_of,
    frames_of,
    recorded,
    voltage_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from napari_hexrecruit.synthetic.story import Story


@contextmanager
def written(path: Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file to fill.

    HDF5 can crash the process when the disk is full, so it writes to memory and Python to the disk.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        yield file
    path.write_bytes(memory.getbuffer())


def write_voltages(path: Path, story: Story, ids: npt.NDArray[np.uint32], population: str) -> None:
    """Write the report of the soma voltages of simulated neurons."""
    n = len(recorded(story)[0])
    with written(path) as file:
        group = file.create_group(f"report/{population}")
        data = group.create_dataset("data", (frames_of(story), n), np.float32)
        data.attrs["units"] = "mV"
        at = 0
        for block in voltage_blocks(story):
            data[at : at + len(block)] = block
            at += len(block)
        mapping = group.create_group("mapping")
        mapping["node_ids"] = ids[:n].astype(np.uint64)
        mapping["index_pointers"] = np.arange(n + 1, dtype=np.uint64)
        mapping["element_ids"] = np.zeros(n, np.uint32)
        mapping["time"] = np.array([0.0, story.tstop_ms, FRAME_MS])
        mapping["time"].attrs["units"] = "ms"


def write_edges(
    path: Path,
    story: Story,
    ids: npt.NDArray[np.uint32],
    populations: tuple[str, str],
    n_fibres: int,
) -> None:
    """Write the edges from fibres and from neurons; `populations` names neurons, then fibres."""
    neurons, fibres = populations
    names = {"fibres": fibres, "neurons": neurons}
    with written(path) as file:
        for kind, (sources, targets) in edges_of(story, ids, n_fibres).items():
            group = file.create_group(f"edges/{names[kind]}__{neurons}__chemical")
            for end, nodes, whose in (
                ("source_node_id", sources, names[kind]),
                ("target_node_id", targets, neurons),
            ):
                group[end] = nodes.astype(np.uint64)
                group[end].attrs["node_population"] = whose
            group["edge_type_id"] = np.full(len(sources), -1, np.int64)


def report_config(story: Story, node_set: str) -> dict[str, Any]:
    """Return the report's section in the simulation configuration."""
    return {
        "cells": node_set,
        "sections": "soma",
        "type": "compartment",
        "variable_name": "v",
        "unit": "mV",
        "dt": FRAME_MS,
        "start_time": 0.0,
        "end_time": story.tstop_ms,
    }
