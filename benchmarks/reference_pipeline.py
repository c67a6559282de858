"""Compute the recruitment of hexagons as in a notebook: bluepysnap, conntility, pandas.

The steps are those of the published method; spikes are read with h5py, which is 100 times faster
than bluepysnap's own reader, so that only the method is compared. Prints JSON with its times in s.

    python benchmarks/reference_pipeline.py SIMULATION_CONFIG BIN_MS OUT.pkl
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

START = time.perf_counter()

import bluepysnap  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from conntility.circuit_models.neuron_groups import group_by_grid, load_neurons  # noqa: E402

FLAT = ["ss_flat_x", "ss_flat_y"]
RADIUS = 50.0


def main(config: Path, bin_ms: float, out: Path) -> dict[str, float]:
    """Compute and save the table (bin, hexagon) of percentages; return times of the parts, s."""
    sim = bluepysnap.Simulation(config)
    (population,) = [p.name for p in sim.circuit.nodes.values() if p.type != "virtual"]
    ids = sim.node_sets[sim.to_libsonata.node_set].get_ids(
        sim.circuit.nodes[population].to_libsonata
    )
    neurons = load_neurons(sim.circuit, FLAT, ids, population)
    with h5py.File(Path(sim.output.output_dir, sim.output.spikes_file)) as file:
        group = file["spikes"][population]
        spikes = pd.DataFrame({"time": group["timestamps"][:], "neuron": group["node_ids"][:]})
    read = time.perf_counter()
    percent = compute(neurons, spikes, bin_ms, sim.time_stop)
    computed = time.perf_counter()
    percent.to_pickle(out)
    return {"read_s": read - START, "compute_s": computed - read}


def compute(
    neurons: pd.DataFrame, spikes: pd.DataFrame, bin_ms: float, stop_ms: float
) -> pd.DataFrame:
    """Return the percentage of each hexagon's neurons that fire in each bin, from tables."""
    outside = (neurons[FLAT] == -1).all(axis=1)
    placed = neurons[neurons[FLAT].notna().all(axis=1) & ~outside].reset_index(drop=True)
    grouped = group_by_grid(placed, FLAT, RADIUS)
    hexagon = pd.Series(
        grouped["grid-subtarget"].astype("category").to_numpy(), index=grouped["node_ids"]
    )
    edges = np.arange(0.0, stop_ms + bin_ms / 2, bin_ms)
    spikes = spikes.assign(bin=np.digitize(spikes["time"] + 1e-6, edges) - 1)
    fired = spikes[["bin", "neuron"]].drop_duplicates()
    fired = fired[fired["bin"].between(0, len(edges) - 2) & fired["neuron"].isin(hexagon.index)]
    fired["hexagon"] = hexagon.reindex(fired["neuron"]).to_numpy()
    counts = fired.groupby("bin").apply(lambda rows: rows["hexagon"].value_counts())
    table = counts.unstack() if isinstance(counts, pd.Series) else counts
    return 100.0 * table / hexagon.value_counts()


if __name__ == "__main__":
    times = main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(json.dumps(times) + "\n")
