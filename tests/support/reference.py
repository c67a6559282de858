"""The whole method again, slowly and by other means: pandas, bluepysnap, conntility.

Nothing here comes from the package: conntility groups and filters, bluepysnap reads the nodes,
each bin is cut out of the table of spikes, and distinct neurons are counted by `nunique`.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bluepysnap
import h5py
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Reference:
    """Tables with one row per bin and one column per hexagon."""

    n_recruited: pd.DataFrame
    n_spikes: pd.DataFrame
    n_neurons: pd.Series
    n_selected: int
    n_without_place: int

    @property
    def percent(self) -> pd.DataFrame:
        return 100.0 * self.n_recruited / self.n_neurons


def reference_cube(
    config: Path,
    population: str,
    *,
    node_set: str | None = None,
    filters: list[dict[str, Any]] | None = None,
    flat: tuple[str, str] = ("ss_flat_x", "ss_flat_y"),
    radius: float = 50.0,
    bin_ms: float = 10.0,
    start: float = 0.0,
    stop: float = 100.0,
) -> Reference:
    neurons = _neurons(config, population, node_set, filters or [])
    x, y = neurons[flat[0]], neurons[flat[1]]
    placed = neurons[np.isfinite(x) & np.isfinite(y) & ~((x == -1) & (y == -1))]
    hexagon = _hexagons(placed, flat, radius)
    spikes = _spikes(config, population)
    spikes = spikes[spikes["neuron"].isin(placed.index)]
    spikes = spikes.assign(hexagon=hexagon.reindex(spikes["neuron"]).to_numpy())
    dt = json.loads(config.read_text())["run"].get("dt", 0.0)
    n_bins = round((stop - start) / bin_ms)
    names = sorted(hexagon.unique())
    n_recruited = pd.DataFrame(0, index=range(n_bins), columns=names)
    n_spikes = n_recruited.copy()
    for k in range(n_bins):
        lo, hi = (_cut(start + j * bin_ms, bin_ms, spikes["time"].dtype, dt) for j in (k, k + 1))
        inside = spikes[(spikes["time"] >= lo) & (spikes["time"] < hi)].groupby("hexagon")["neuron"]
        n_recruited.loc[k, inside.nunique().index] = inside.nunique()
        n_spikes.loc[k, inside.size().index] = inside.size()
    return Reference(
        n_recruited,
        n_spikes,
        hexagon.value_counts().reindex(names),
        len(neurons),
        len(neurons) - len(placed),
    )


def _cut(edge: float, bin_ms: float, stored: np.dtype, dt: float) -> float:
    """First time that counts as at an edge."""
    edge = round(edge, 9)
    spacing = float(np.spacing(stored.type(edge))) if stored.kind == "f" else 0.0
    return edge - min(max(1e-6, dt / 1000, spacing), bin_ms / 100)


def _neurons(
    config: Path, population: str, node_set: str | None, filters: list[dict[str, Any]]
) -> pd.DataFrame:
    from conntility.circuit_models.neuron_groups.grouping_config import filter_with_config

    simulation = bluepysnap.Simulation(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = simulation.circuit.nodes[population].get()
        if node_set is not None:
            ids = simulation.node_sets[node_set].get_ids(
                simulation.circuit.nodes[population].to_libsonata
            )
            nodes = nodes.loc[ids]
        return filter_with_config(nodes, {"filtering": filters})


def _hexagons(placed: pd.DataFrame, flat: tuple[str, str], radius: float) -> pd.Series:
    from conntility.circuit_models.neuron_groups import group_by_grid

    if placed.empty:
        return pd.Series(dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grouped = group_by_grid(placed[list(flat)].reset_index(drop=True), list(flat), radius)
    return pd.Series(grouped["grid-subtarget"].to_numpy(), index=placed.index)


def _spikes(config: Path, population: str) -> pd.DataFrame:
    with h5py.File(config.parent / "output" / "spikes.h5") as file:
        group = file["spikes"][population]
        ids = group["node_ids"][:].astype(np.int64)
        return pd.DataFrame({"time": group["timestamps"][:], "neuron": ids})
