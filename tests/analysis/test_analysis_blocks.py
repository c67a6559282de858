"""Analyses of cubes on disk: the same numbers, and each block of the disk read once or twice."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
from tests.support.cubes import sheet_cube

from napari_hexrecruit import read_cube, write_cube
from napari_hexrecruit.analysis import (
    compare,
    correlation,
    cut,
    cut_trials,
    first_spike_latency,
    half_peak_latency,
    hex_traces,
    latency,
    mean_rate,
    mean_recruitment,
    peak,
    population_trace,
    reliability,
    trial_mean,
    z_score,
)
from napari_hexrecruit.metrics import METRICS
from napari_hexrecruit.schema import VARIABLES

ROWS, N_BINS, N_HEXES = 8, 160, 60


class Disk:
    """An array that notes which parts of it are asked for."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.ndim = values, values.shape, values.dtype, 2
        self.blocks = []

    def __getitem__(self, key):
        found = self.values[key]
        if found.size:
            rows = key[0] if isinstance(key[0], slice) else slice(key[0], key[0] + 1)
            self.blocks.append(range(*rows.indices(len(self.values))))
        return found


@pytest.fixture(scope="module")
def cube():
    return sheet_cube(N_HEXES, N_BINS, start_ms=0.0)


@pytest.fixture
def disks(cube):
    return {name: Disk(cube[name].to_numpy()) for name in VARIABLES}


@pytest.fixture
def on_disk(cube, disks, monkeypatch):
    # Some blocks at once are read for as many threads: here one.
    monkeypatch.setattr("napari_hexrecruit.blocks._VALUES", ROWS * N_HEXES)
    chunks = (ROWS, N_HEXES)
    arrays = {n: dask.array.from_array(d, chunks, name=False) for n, d in disks.items()}
    return cube.assign({n: (("time", "hex"), a, cube[n].attrs) for n, a in arrays.items()})


def read_from(disks):
    """Blocks that were read of each variable, and the longest of them."""
    for disk in disks.values():
        assert all(len(block) <= ROWS for block in disk.blocks)
    return {name: len(disk.blocks) for name, disk in disks.items()}


ONSETS = {"onsets": [200.0, 600.0, 1000.0], "before": 40.0, "after": 80.0}
ANALYSES = {
    "peak": lambda c: peak(c),
    "mean_recruitment": lambda c: mean_recruitment(c),
    "mean_rate": lambda c: mean_rate(c),
    "latency": lambda c: latency(c, onset=400.0, n_sd=1.0),
    "first_spike_latency": lambda c: first_spike_latency(c, onset=400.0),
    "half_peak_latency": lambda c: half_peak_latency(c, onset=400.0, n_sd=0.5),
    "half_peak_of_a_window": lambda c: half_peak_latency(c, onset=470.0, until=700.0, n_sd=0.1),
    "correlation": lambda c: correlation(c, hexes=[3, 4]),
    "population": lambda c: population_trace(c),
    "traces": lambda c: hex_traces(c, [5, 2])["trace"],
    "mean of traces": lambda c: hex_traces(c, [5, 2], metric="rate")["mean"],
    "reliability": lambda c: reliability(cut_trials(c, **ONSETS)),
    "mean": lambda c: trial_mean(cut_trials(c, **ONSETS))["recruitment"],
    "sem": lambda c: trial_mean(cut_trials(c, **ONSETS))["recruitment_sem"],
    "difference": lambda c: compare(cut(c, 0.0, 800.0), cut(c, 800.0))["difference"],
    "ratio of rates": lambda c: compare(c, c.isel(hex=slice(3, 9)), metric="rate")["log2_ratio"],
    "z_score": lambda c: z_score(c, cut(c, 0.0, 300.0), metric="n_recruited")["z_score"],
}


@pytest.mark.parametrize("what", ANALYSES)
def test_numbers_of_a_cube_on_disk_are_those_in_memory(what, cube, on_disk, disks):
    analysis = ANALYSES[what]
    expected, made = analysis(cube), analysis(on_disk)
    np.testing.assert_allclose(made.to_numpy(), expected.to_numpy(), rtol=1e-6, atol=1e-6)
    assert np.isfinite(expected).any()
    most = {"half_peak_latency": 2.5, "correlation": 3, "difference": 1, "population": 1}
    for name, n_blocks in read_from(disks).items():
        assert n_blocks <= most.get(what, 2) * N_BINS / ROWS, (name, n_blocks)


def test_trials_read_the_blocks_of_their_windows_only(cube, on_disk, disks):
    trials = cut_trials(on_disk, **ONSETS)
    assert read_from(disks) == dict.fromkeys(disks, 0)
    mean = trial_mean(trials)
    touched = {row // ROWS for onset in (20, 60, 100) for row in range(onset - 4, onset + 8)}
    for disk in disks.values():
        assert {block[0] // ROWS for block in disk.blocks} == touched
        assert len(disk.blocks) == len(touched)
    again = trial_mean(cut_trials(cube, **ONSETS))
    for name in mean.data_vars:
        np.testing.assert_allclose(mean[name], again[name], rtol=1e-6)


def test_what_is_as_large_as_the_cube_is_read_when_it_is_used(on_disk, disks):
    made = z_score(compare(on_disk, on_disk), cut(on_disk, 0.0, 80.0))
    for name in ("difference", "ratio", "z_score"):
        assert made[name].chunks[0] == on_disk["recruitment"].chunks[0]
    before = read_from(disks)["recruitment"]
    made["z_score"].isel(time=slice(80, 88)).compute()
    assert read_from(disks)["recruitment"] == before + 1


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_results_of_stores_are_written_as_stores(metric, cube, tmp_path):
    store = read_cube(write_cube(cube, tmp_path / "a.hexrecruit.zarr"))
    made = compare(store, store.isel(hex=slice(5, None)), metric=metric)
    back = read_cube(write_cube(made, tmp_path / "b.hexrecruit.zarr"))
    expected = compare(cube, cube.isel(hex=slice(5, None)), metric=metric)
    for name in ("difference", "ratio", "recruitment", "n_recruited"):
        np.testing.assert_array_equal(back[name], expected[name])
