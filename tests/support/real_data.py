"""Real neurons for tests, where they are: a folder ``shared/data`` beside the repository."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "nbs1"


def real_file(name: str) -> Path:
    """A file of the data folder; skips the test where the folder is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"real data is not here: {path}")
    return path


def real_neurons() -> pd.DataFrame:
    """6,439 layer 2/3 excitatory neurons with their published flat coordinates, um."""
    return pd.read_csv(real_file("L23_EXC_sampled_vertices.csv.gz"))
