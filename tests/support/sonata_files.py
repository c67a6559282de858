"""Tiny SONATA simulations for tests: one builder that writes real files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

POPULATION = "cortex"


@dataclass
class SonataFiles:
    """What to write; every field can be replaced before `write`.

    ``columns`` maps a property to its values: arrays of numbers, or lists of text, which become an
    ``@library`` column. ``sorting`` is what the file says of the order of its spikes: 0 none, 1 by
    id, 2 by time.
    """

    columns: dict[str, Any]
    times_ms: Any
    node_ids: Any
    tstop_ms: float = 100.0
    node_set: str | None = None
    node_sets: dict[str, Any] = field(default_factory=dict)
    simulation_node_sets: dict[str, Any] = field(default_factory=dict)
    units: str | None = "ms"
    spikes_population: str = POPULATION
    sorting: int = 0
    with_spikes_file: bool = True
    inputs: dict[str, Any] = field(default_factory=dict)
    config_changes: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the files; the path of the simulation configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        self._write_nodes(folder / "nodes.h5")
        if self.with_spikes_file:
            self._write_spikes(folder / "output" / "spikes.h5")
        _write_json(folder / "node_sets.json", self.node_sets)
        _write_json(folder / "circuit_config.json", _circuit())
        config = folder / "simulation_config.json"
        _write_json(config, self._simulation(folder))
        return config

    def _simulation(self, folder: Path) -> dict[str, Any]:
        content: dict[str, Any] = {
            "version": 2.4,
            "run": {"tstop": self.tstop_ms, "dt": 0.025, "random_seed": 1},
            "network": "circuit_config.json",
            "output": {"output_dir": "output", "spikes_file": "spikes.h5"},
            "inputs": self.inputs,
        }
        if self.node_set is not None:
            content["node_set"] = self.node_set
        if self.simulation_node_sets:
            _write_json(folder / "simulation_node_sets.json", self.simulation_node_sets)
            content["node_sets_file"] = "simulation_node_sets.json"
        return content | self.config_changes

    def _write_nodes(self, path: Path) -> None:
        n_neurons = len(next(iter(self.columns.values())))
        with h5py.File(path, "w") as file:
            population = file.create_group(f"nodes/{POPULATION}")
            population["node_type_id"] = np.full(n_neurons, -1)
            group = population.create_group("0")
            for name, values in self.columns.items():
                if isinstance(values, list):
                    library, codes = np.unique(np.array(values, dtype=object), return_inverse=True)
                    group[name] = codes.astype(np.uint32)
                    group.require_group("@library")[name] = library
                else:
                    group[name] = values

    def _write_spikes(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        with h5py.File(path, "w") as file:
            group = file.create_group(f"spikes/{self.spikes_population}")
            group["timestamps"] = np.asarray(self.times_ms)
            group["node_ids"] = np.asarray(self.node_ids)
            if self.units is not None:
                group["timestamps"].attrs["units"] = self.units
            sorting = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
            group.attrs.create("sorting", self.sorting, dtype=sorting)


IDS_THAT_THE_POPULATION_LACKS = pytest.mark.filterwarnings(
    "ignore:.* have ids that the population lacks:napari_hexrecruit.RecruitmentWarning"
)
"""For tests of files with strays, which are about something else."""


def simple_files(
    n_neurons: int = 300, n_spikes: int = 2_000, seed: int = 0, *, n_strays: int = 0
) -> SonataFiles:
    """A simulation in which everything happens that a reader must cope with.

    Unsorted and repeated spikes, spikes before 0 and after the end, neurons without a place (NaN,
    infinite, -1 in both), float noise at the edges of bins. Strays are ids that the population
    lacks: a cube warns of their spikes.
    """
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-300, 300, n_neurons), rng.uniform(-200, 200, n_neurons)
    lost = rng.permutation(n_neurons)[: n_neurons // 5]
    x[lost[::4]] = np.nan
    y[lost[1::4]] = np.inf
    x[lost[2::4]], y[lost[2::4]] = -1.0, -1.0
    x[lost[3::4]] = -1.0  # -1 in one of them is a place like any other
    times = rng.integers(-50, 1_100, n_spikes) * 0.1 + rng.choice([-1e-10, 0.0, 1e-10], n_spikes)
    ids = rng.integers(0, n_neurons + n_strays, n_spikes)
    again = rng.integers(0, n_spikes, n_spikes // 4)
    times, ids = np.append(times, times[again]), np.append(ids, ids[again])
    return SonataFiles(
        columns={
            "ss_flat_x": x,
            "ss_flat_y": y,
            "x": rng.uniform(0, 1000, n_neurons),
            "y": rng.uniform(0, 1000, n_neurons),
            "z": rng.uniform(0, 1000, n_neurons),
            "depth": rng.uniform(0, 2000, n_neurons),
            "layer": rng.integers(1, 7, n_neurons),
            "synapse_class": rng.choice(["EXC", "INH"], n_neurons, p=[0.8, 0.2]).tolist(),
            "mtype": rng.choice(["L1_DAC", "L5_TPC:A", "L6_BPC"], n_neurons).tolist(),
        },
        times_ms=times,
        node_ids=ids.astype(np.uint64),
        node_sets={
            "everyone": {"population": POPULATION},
            "excitatory": {"population": POPULATION, "synapse_class": "EXC"},
            "nobody": {"population": POPULATION, "node_id": []},
        },
    )


def _circuit() -> dict[str, Any]:
    populations = {POPULATION: {"type": "point_neuron"}}
    return {
        "version": 2.3,
        "networks": {
            "nodes": [{"nodes_file": "nodes.h5", "populations": populations}],
            "edges": [],
        },
        "node_sets_file": "node_sets.json",
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1))
