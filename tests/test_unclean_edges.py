"""Spikes at the edges of bins: float noise, single precision, long runs, accumulated clocks."""

from __future__ import annotations

import json

import pytest
from tests.sonata_files import simple_files

from napari_hexrecruit.sonata._config import read_simulation


@pytest.mark.parametrize("reader", ["bluepysnap", "json"])
@pytest.mark.parametrize(
    ("dt", "read"),
    [
        (0.025, 0.025),
        (1, 1.0),
        (None, None),
        (0, None),
        (-0.1, None),
        ("0.025", None),
        (True, None),
    ],
)
def test_the_step_of_a_simulation_is_read_where_it_is_a_positive_number(tmp_path, reader, dt, read):
    config = simple_files().write(tmp_path)
    content = json.loads(config.read_text())
    content["run"]["dt"] = dt
    if reader == "json":
        del content["run"]["random_seed"]
    config.write_text(json.dumps(content))
    assert read_simulation(config).dt_ms == read


def test_a_step_that_is_not_given_is_none(tmp_path):
    config = simple_files().write(tmp_path)
    content = json.loads(config.read_text())
    del content["run"]["dt"]
    config.write_text(json.dumps(content))
    assert read_simulation(config).dt_ms is None
