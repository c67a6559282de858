"""Times of float32 that a program has stored as float64."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.sonata_files import SonataFiles

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.sonata._spikes import _are_single

STEPS = np.arange(15_000, 16_000)
"""Steps of 0.1 ms: the spacing of float32 there, 1.2e-4 ms, is more than a thousandth of dt."""


def simulation(folder, times):
    return SonataFiles(
        columns={"ss_flat_x": np.zeros(20), "ss_flat_y": np.zeros(20)},
        times_ms=times,
        node_ids=(np.arange(len(times)) % 20).astype(np.uint64),
        tstop_ms=2000.0,
    ).write(folder)


@pytest.mark.parametrize("kept", [False, True])
def test_each_step_of_the_grid_is_in_its_bin(tmp_path, kept):
    single = (STEPS * 0.1).astype(np.float32).astype(np.float64)
    assert (single < STEPS * 0.1).any()  # just below an edge
    path = simulation(tmp_path, single)
    options = {"bin_ms": 0.1, "start": 1500.0, "stop": 1600.0}
    cube = recruitment_cube(open_simulation(path) if kept else path, **options)
    assert (cube["n_spikes"].sum("hex") == 1).all()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([22.3, 22.4], False),
        (np.float32([22.3, 22.4]).astype(float), True),
        ([*np.float32([22.3, np.nan, np.inf]).astype(float), 1e300], True),
        ([22.25, 22.5, 23.0], False),  # exact in both
        ([*np.float32([22.3]).astype(float), 22.3], False),
        ([], False),
        ([np.nan], False),
    ],
)
def test_times_of_float32_are_recognised(times, expected):
    assert _are_single(np.asarray(times, dtype=np.float64)) is expected
