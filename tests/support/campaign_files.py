"""Small campaigns for tests: simulations that differ, and files that list them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.support.sonata_files import POPULATION, SonataFiles

if TYPE_CHECKING:
    from pathlib import Path

N_NEURONS = 60


def write_run(folder: Path, *, seed: int = 0, tstop_ms: float = 100.0, **config: Any) -> Path:
    """A simulation whose hexagons and spikes depend on the seed; path of its configuration."""
    rng = np.random.default_rng(seed)
    return SonataFiles(
        columns={
            "ss_flat_x": rng.uniform(-200, 200, N_NEURONS),
            "ss_flat_y": rng.uniform(-200, 200, N_NEURONS),
            "layer": rng.integers(1, 7, N_NEURONS),
        },
        times_ms=rng.uniform(0, tstop_ms, 500),
        node_ids=rng.integers(0, N_NEURONS, 500),
        tstop_ms=tstop_ms,
        config_changes=config,
        node_sets={"everyone": {"population": POPULATION}},
    ).write(folder)


def write_grid(folder: Path, ca: tuple[float, ...], seeds: tuple[int, ...]) -> Path:
    """Simulations of all combinations, and the package's own campaign file; path of that."""
    runs = []
    for k, (c, seed) in enumerate((c, seed) for c in ca for seed in seeds):
        write_run(folder / "runs" / str(k), seed=100 * seed + k)
        runs.append({"path": f"runs/{k}", "parameters": {"ca": c, "seed": seed}})
    path = folder / "campaign.json"
    path.write_text(json.dumps({"simulations": runs}))
    return path


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
