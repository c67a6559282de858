"""Reports of a simulation, in every layout that is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

LAYOUTS = ("obi", "guide", "bmtk", "old")


def write_report(
    path: Path,
    values: np.ndarray,
    *,
    layout: str = "obi",
    ids: np.ndarray | None = None,
    n_each: np.ndarray | None = None,
    elements: np.ndarray | None = None,
    time: tuple[float, float, float] | None = None,
    dt: float = 0.5,
    units: str | None = "mV",
    population: str = "cortex",
    append: bool = False,
) -> Path:
    """Write (frame, element) values; by default one element, the soma, of each neuron."""
    n_frames, n_elements = values.shape
    ids = np.arange(n_elements) if ids is None else ids
    n_each = np.ones(len(ids), int) if n_each is None else n_each
    elements = np.zeros(n_elements, int) if elements is None else elements
    pointers = np.append(0, np.cumsum(n_each))
    time = (0.0, n_frames * dt, dt) if time is None else time
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "a" if append else "w") as file:
        group = file if layout == "old" else file.create_group(f"report/{population}")
        mapping = group.create_group("mapping")
        name, kind = (
            ("v/data", "f8") if layout == "old" else ("data", "f8" if layout == "bmtk" else "f4")
        )
        data = group.create_dataset(name, data=values.astype(kind))
        mapping["time"] = np.array(time)
        is_allen = layout in ("bmtk", "old")
        mapping["index_pointer" if is_allen else "index_pointers"] = (
            pointers[:-1] if layout == "guide" else pointers
        ).astype("u8")
        mapping["gids" if layout == "old" else "node_ids"] = np.asarray(ids).astype("u8")
        mapping["element_id" if layout == "old" else "element_ids"] = elements.astype("u4")
        if not is_allen:
            mapping["time"].attrs["units"] = "ms"
            data.attrs["units"] = units or ""
    return path


def name_report(config: Path, name: str = "soma_v", **entry: Any) -> None:
    """Enter a report into a simulation's configuration."""
    content = json.loads(config.read_text(encoding="utf-8"))
    about = {"cells": "all", "sections": "soma", "type": "compartment", "variable_name": "v"}
    content.setdefault("reports", {})[name] = about | entry
    config.write_text(json.dumps(content), encoding="utf-8")
