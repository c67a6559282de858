"""Spikes at the edges of bins: float noise, single precision, long runs, accumulated clocks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.sonata_files import POPULATION, simple_files

from napari_hexrecruit import (
    TimeBins,
    count_trials,
    cumulative_cube,
    large_cube,
    open_simulation,
    recruitment_cube,
)
from napari_hexrecruit.analysis import first_spikes, raster
from napari_hexrecruit.campaign import merge_windows
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.sonata._config import read_simulation
from napari_hexrecruit.timebins import Clock


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


WIDTHS = st.sampled_from([0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 10.0, 12.8])
STEPS = st.sampled_from([0.025, 0.05, 0.1, 1.0])


def grid_bins(k, width, dt, start):
    """Bin of each time ``k * dt``, in whole numbers of a micro-ms."""
    ticks = [round(value * 1e6) for value in (dt, start, width)]
    return (k * ticks[0] - ticks[1]) // ticks[2]


@given(STEPS, WIDTHS, st.integers(0, 80_000), st.sampled_from(["f4", "f8"]), st.booleans())
def test_the_bin_of_a_spike_on_the_grid_is_that_of_the_grid(dt, width, first, dtype, knows_dt):
    start = first * width
    bins = TimeBins(start, start + 50 * width, width)
    clock = Clock(np.dtype(dtype), dt if knows_dt else None)
    assume(bins.stop_ms < clock.coarse_from_ms(width))
    assume(np.spacing(np.dtype(dtype).type(bins.stop_ms)) < dt / 2)
    k = np.arange(round(start / dt), round(bins.stop_ms / dt))
    for times in (k * dt, k / round(1 / dt)):
        found = bins.bin_of(times.astype(dtype), clock)
        np.testing.assert_array_equal(found, np.maximum(grid_bins(k, width, dt, start), -1))


@pytest.mark.parametrize(("dt", "seconds"), [(0.025, 50), (0.025, 150), (0.1, 150)])
def test_a_clock_that_adds_its_step_again_and_again(dt, seconds):
    """As NEURON does: 2.7e-6 ms off after 50 s with a step of 0.025 ms."""
    times = np.cumsum(np.full(round(seconds * 1000 / dt), dt))
    k = np.arange(1, len(times) + 1)
    assert np.abs(times - k * dt).max() > 1e-6
    bins = TimeBins(0.0, seconds * 1000.0, 1.0)
    late = slice(-(1 << 18), -1)
    found = bins.bin_of(times[late], Clock(dt_ms=dt))
    np.testing.assert_array_equal(found, grid_bins(k[late], 1.0, dt, 0.0))


def test_what_lies_further_below_an_edge_stays_below():
    bins = TimeBins(100.0, 200.0, 10.0)
    spacing = float(np.spacing(np.float32(110.0)))
    for clock, tolerance in [
        (Clock(), 1e-6),
        (Clock(dt_ms=0.025), 2.5e-5),
        (Clock(np.dtype("f4")), spacing),
        (Clock(np.dtype("f4"), 0.001), spacing),
        (Clock(np.dtype("f4"), 0.1), 1e-4),
        (Clock(np.dtype("i8")), 1e-6),
        (Clock(dt_ms=1000.0), 0.1),
    ]:
        below = 110.0 - tolerance * np.array([0.999, 1.001])
        assert bins.bin_of(below, clock).tolist() == [1, 0]
        ends = np.array([100.0, 200.0]) - bins.width_ms / 1e8
        assert bins.bin_of(ends, clock).tolist() == [0, -1]


@given(st.sampled_from([0.1, 0.3, 1 / 3, 2.5]), st.integers(1, 300), st.integers(1, 300))
def test_two_windows_that_meet_have_the_same_cut(width, n_before, n_after):
    start = 0.1 + 0.2
    whole = TimeBins(start, start + (n_before + n_after) * width, width)
    middle = float(whole.edges()[n_before])
    before, after = TimeBins(start, middle, width), TimeBins(middle, whole.stop_ms, width)
    for clock in (Clock(), Clock(np.dtype("f4"), 0.025)):
        cuts = np.concatenate([before.cuts(clock)[:-1], after.cuts(clock)])
        np.testing.assert_array_equal(cuts, whole.cuts(clock))
        assert before.cuts(clock)[-1] == after.cuts(clock)[0]


def fine_files(dtype, *, start=100, config=None):
    """One spike on each step of a grid of 0.1 ms, 1,000 of them."""
    files = simple_files(n_neurons=20, n_spikes=0)
    files.columns |= {"ss_flat_x": np.arange(20) % 3 * 500.0, "ss_flat_y": np.zeros(20)}
    k = np.arange(start * 10, start * 10 + 1000)
    files.times_ms = (k * 0.1).astype(dtype)
    files.node_ids, files.sorting, files.tstop_ms = k % 20, 2, start + 100.0
    files.config_changes = config or {}
    return files


def doors(config, folder, **window):
    """The cube of a window, through every door."""
    opened = open_simulation(config)
    yield recruitment_cube(config, **window)
    yield recruitment_cube(opened, **window)
    yield large_cube(config, folder / "large.hexrecruit.zarr", overwrite=True, **window)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["f4", ">f4", "f8"])
def test_single_precision_gives_each_fine_bin_its_spike(tmp_path, dtype):
    config = fine_files(dtype).write(tmp_path)
    window = {"bin_ms": 0.1, "start": 100.0, "stop": 200.0}
    for cube in doors(config, tmp_path, **window):
        assert (cube["n_spikes"].sum("hex") == 1).all()
        assert json.loads(cube.attrs["warnings"]) == []
    parts = [
        recruitment_cube(config, bin_ms=0.1, start=s, stop=s + 12.5)
        for s in 100 + 12.5 * np.arange(8)
    ]
    assert merge_windows(parts).identical(recruitment_cube(config, **window))
    newly = cumulative_cube(config, **window)["n_recruited"].sum("hex").to_numpy()
    assert newly.tolist() == np.minimum(np.arange(1, 1001), 20).tolist()


@pytest.mark.slow
def test_trials_first_spikes_and_rasters_know_the_stored_type(tmp_path):
    config = fine_files("f4").write(tmp_path)
    sim = open_simulation(config)
    cube = recruitment_cube(sim, bin_ms=0.1, start=100.0, stop=200.0)
    members, spikes = cube_members(sim, cube), sim.spikes(POPULATION)
    assert spikes.clock == Clock(np.dtype("f4"), 0.025)
    onsets = 100.0 + 0.1 * np.arange(50, 900, 7)
    times = {"before": 1.0, "after": 2.0}
    for how in ({}, {"clock": spikes.clock}):
        trials = count_trials(
            cube, spikes.neurons, spikes.times_ms, members, onsets, **times, **how
        )
        assert (trials["n_spikes"].sum("hex") == 1).all()
        for onset in onsets:
            given = (spikes.neurons, spikes.times_ms, members)
            first = first_spikes(*given, onset=onset, until=onset + 0.1, **how)
            assert int(first["n_fired"].sum()) == 1 and float(first["first"].min()) < 1e-4
            shown = raster(*given, np.arange(3), start=onset, stop=onset + 0.1, **how)
            assert shown.sizes["spike"] == 1 and shown["time"].dtype == np.float64


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "start", "bin_ms", "said"),
    [
        ("f4", 17_000, 0.1, "are float32, 0.00195312 ms apart from 16384 ms on, too coarse for"),
        ("f4", 16_300, 0.1, "are float32, 0.00195312 ms apart from 16384 ms on, too coarse for"),
        ("f4", 16_000, 0.1, ""),
        ("f4", 17_000, 1.0, ""),
        ("f8", 17_000, 0.1, ""),
        ("f2", 1_000, 10.0, "are float16, 0.125 ms apart from 128 ms on, too coarse for bins"),
        ("i4", 1_000, 0.5, "are whole ms (int32), too coarse for the edges of these bins of 0.5"),
        ("i8", 1_000, 10.0, ""),
    ],
)
@pytest.mark.filterwarnings("ignore::napari_hexrecruit.errors.RecruitmentWarning")
def test_times_that_are_too_coarse_for_the_bins_are_told(tmp_path, dtype, start, bin_ms, said):
    config = fine_files(dtype, start=start).write(tmp_path)
    window = {"bin_ms": bin_ms, "start": start, "stop": start + 100}
    first, *others = doors(config, tmp_path, **window)
    warnings = json.loads(first.attrs["warnings"])
    assert [w for w in warnings if "whole ms" in w or "apart" in w] == warnings
    assert len(warnings) == bool(said)
    assert all(f"{tmp_path / 'output' / 'spikes.h5'}: its times {said}" in w for w in warnings)
    assert all(warning in json.loads(first.attrs["notes"]) for warning in warnings)
    assert all(other.identical(first) for other in others)
    middle = start + 50
    parts = [
        recruitment_cube(config, bin_ms=bin_ms, start=a, stop=b)
        for a, b in ((start, middle), (middle, start + 100))
    ]
    assert merge_windows(parts).identical(first)


@pytest.mark.slow
def test_whole_numbers_are_exact(tmp_path):
    """One spacing of them is a whole ms, and no noise."""
    files = fine_files("i8")
    files.times_ms = np.repeat(np.arange(100), 10)
    for cube in doors(files.write(tmp_path), tmp_path, bin_ms=200.0, start=0.0, stop=200.0):
        assert cube["n_spikes"].sum("hex").to_numpy().tolist() == [1000]
    for cube in doors(files.write(tmp_path), tmp_path, bin_ms=100.0, start=0.0, stop=200.0):
        assert cube["n_spikes"].sum("hex").to_numpy().tolist() == [1000, 0]


@pytest.mark.parametrize(("run", "found"), [({"dt": 0.1}, [0, 3]), ({}, [1, 2])])
def test_the_step_widens_the_tolerance_where_it_is_known(tmp_path, run, found):
    files = simple_files(n_neurons=20, n_spikes=0)
    files.times_ms, files.node_ids = np.array([9.99995, 10.0, 15.0]), np.arange(3)
    files.columns |= {"ss_flat_x": np.zeros(20), "ss_flat_y": np.zeros(20)}
    files.config_changes = {"run": {"tstop": 100.0, "random_seed": 1, **run}}
    config = files.write(tmp_path)
    for cube in doors(config, tmp_path, bin_ms=10.0, start=0.0, stop=20.0):
        assert cube["n_spikes"].sum("hex").to_numpy().tolist() == found
    beside = {"spikes": tmp_path / "output/spikes.h5", "circuit": tmp_path / "circuit_config.json"}
    bare = recruitment_cube(open_simulation(**beside), bin_ms=10.0, start=0.0, stop=10.0)
    assert int(bare["n_spikes"].sum()) == 1


def test_bare_spikes_end_behind_a_spike_just_below_a_whole_ms(tmp_path):
    files = simple_files(n_neurons=20, n_spikes=0)
    files.times_ms, files.node_ids = np.array([29.9999999, 3.0]), np.arange(2)
    files.columns |= {"ss_flat_x": np.zeros(20), "ss_flat_y": np.zeros(20)}
    files.write(tmp_path)
    beside = {"spikes": tmp_path / "output/spikes.h5", "circuit": tmp_path / "circuit_config.json"}
    cube = recruitment_cube(open_simulation(**beside), bin_ms=1.0)
    assert cube.attrs["n_spikes_outside_window"] == 0
    assert int(cube["n_spikes"].sel(time=30.0).sum()) == 1
