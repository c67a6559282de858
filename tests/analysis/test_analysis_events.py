"""Waves told apart, on cubes whose waves are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from tests.support.cubes import cube_of
from tests.support.wave_cubes import BIN_MS, RADIUS_UM, Known, centres, cube_with, way_around

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit.analysis import (
    find_waves,
    fit_wave,
    trial_mean,
    wave_latency,
    waves_summary,
    waves_table,
)
from napari_hexrecruit.analysis.events import WAVE_COLUMNS
from napari_hexrecruit.metrics import metric_named, metrics_for
from napari_hexrecruit.storage.cubes import read_cube, write_cube
from napari_hexrecruit.synthetic import Story, write_simulation

_, _, X, Y = centres()
XY = np.stack([X, Y], axis=1)
SPEED, DIRECTION_DEG = 0.05, 3.0
CIRCLES = [Known(50.0 + 150.0 * k, (300.0 + 180.0 * k, 400.0 + 100.0 * k)) for k in range(6)]
PLANES = [Known(50.0 + 270.0 * k, direction_deg=40.0 + 70.0 * k, speed=8.0 + 2 * k) for k in (0, 1)]
APART = [Known(50.0, (350.0, 350.0), reach_um=620.0), Known(70.0, (1450.0, 1250.0), reach_um=470.0)]
MEETING = [Known(50.0, (350.0, 350.0), 10.0), Known(70.0, (1450.0, 1100.0), 12.0)]


def assert_known(found, known, *, speeds=True):
    """The table has these waves: onset to a bin, origin to a radius, speed and direction."""
    table = waves_table(found)
    assert len(table) == len(known), table.to_string()
    for row, one in zip(table.itertuples(), known, strict=True):
        assert abs(row.start_ms - one.start_ms) <= BIN_MS
        if speeds:
            assert row.speed == pytest.approx(one.speed, rel=SPEED)
            assert row.speed_low < row.speed < row.speed_high
        if one.direction_deg is None:
            assert math.dist((row.origin_x, row.origin_y), one.source) < RADIUS_UM
            assert not speeds or (row.kind == "radial" and math.isnan(row.direction_deg))
        else:
            assert row.kind == "plane" and row.planarity > 0.95
            assert row.direction_deg == pytest.approx(one.direction_deg, abs=DIRECTION_DEG)


# --- which ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("n", range(1, 7))
def test_waves_apart_in_time(n):
    known = CIRCLES[:n]
    found = find_waves(cube_with([one.arrival_ms(X, Y) for one in known], n_bins=25 + 15 * n))
    assert_known(found, known)
    intervals = waves_table(found)["interval_ms"].to_numpy()
    assert math.isnan(intervals[0]) and (np.abs(intervals[1:] - 150.0) <= 2 * BIN_MS).all()


def test_straight_fronts():
    assert_known(find_waves(cube_with([one.arrival_ms(X, Y) for one in PLANES])), PLANES)


def test_waves_at_the_same_time_at_different_places():
    found = find_waves(cube_with([one.arrival_ms(X, Y) for one in APART]))
    assert_known(found, APART)
    first, second = (np.isfinite(wave_latency(found, k).values) for k in (1, 2))
    assert not (first & second).any()
    assert set(found["wave"].values[:, first].ravel()) == {0, 1}


def test_two_waves_that_meet():
    arrivals = [one.arrival_ms(X, Y) for one in MEETING]
    found = find_waves(cube_with([np.fmin(*arrivals)]))
    assert_known(found, MEETING)
    first_there = np.where(arrivals[0] < arrivals[1], 1, 2)
    clear = np.abs(arrivals[0] - arrivals[1]) > 2 * BIN_MS
    wave = np.where(np.isfinite(wave_latency(found, 1).values), 1, 2)
    assert np.array_equal(wave[clear], first_there[clear])


def test_a_wave_that_splits_around_a_silent_patch_is_one():
    silent = np.hypot(X - 850.0, Y - 700.0) < 230.0
    known = Known(50.0, (200.0, 700.0))
    cube = cube_with([50.0 + way_around(XY, silent, known.source) / 10.0], silent=silent)
    found = find_waves(cube)
    assert_known(found, [known])
    assert not found["wave"].values[:, silent].any()


@pytest.mark.parametrize(("n_neurons", "rest"), [(20, 0.01), (20, 0.08), (80, 0.3), (200, 0.02)])
def test_spontaneous_activity_alone_is_none(n_neurons, rest):
    found = find_waves(cube_with([], n_neurons=n_neurons, rest=rest, n_bins=150))
    assert len(waves_table(found)) == 0 and not found["wave"].values.any()
    assert waves_summary(found) == {
        "n_waves": 0,
        "rate_per_s": 0.0,
        "kinds": {},
        **{
            name: {"n": 0, **dict.fromkeys(("low", "median", "high"))}
            for name in ("intervals_ms", "speeds")
        },
    }


@pytest.mark.parametrize("wave", ["radial", "plane"])
def test_the_stimuli_of_a_story_are_its_waves(wave, tmp_path):
    """Its sheet has two areas with a gap between them, and a silent patch."""
    story = Story(n_neurons=20_000, wave=wave, stimuli_ms=(100.0, 350.0), tstop_ms=600.0)
    cube = recruitment_cube(write_simulation(tmp_path / "run", story))
    table = waves_table(find_waves(cube))
    assert np.abs(table["start_ms"].to_numpy() - story.stimuli_ms).max() <= BIN_MS
    assert table["kind"].tolist() == [wave, wave]
    assert table["speed"].to_numpy() == pytest.approx(story.speed_um_per_ms, rel=SPEED)
    if wave == "radial":
        off = table[["origin_x", "origin_y"]].to_numpy() - story.source_um
        assert np.hypot(*off.T).max() < RADIUS_UM
    else:
        assert table["direction_deg"].to_numpy() == pytest.approx(25.0, abs=DIRECTION_DEG)


# --- what is told of them -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two():
    """A cube with two waves at different places, and what is found in it."""
    cube = cube_with([one.arrival_ms(X, Y) for one in APART])
    return cube, find_waves(cube)


def test_columns_follow_from_the_labels(two):
    cube, found = two
    table = waves_table(found)
    assert tuple(table.columns) == WAVE_COLUMNS
    assert (
        *("wave", "start_ms", "duration_ms", "n_hexes", "n_recruited", "peak", "origin_x"),
        *("origin_y", "kind", "speed", "speed_low", "speed_high", "direction_deg", "planarity"),
        "interval_ms",
    ) == WAVE_COLUMNS
    label = found["wave"].values
    for row in table.itertuples():
        bins, hexes = np.nonzero(label == row.wave)
        assert row.start_ms == BIN_MS * bins.min()
        assert row.duration_ms == BIN_MS * (bins.max() + 1 - bins.min())
        assert row.n_hexes == len(set(hexes))
        assert row.n_recruited == cube["n_recruited"].values[bins, hexes].sum()
        assert row.peak == pytest.approx(float(cube["recruitment"].values[bins, hexes].max()))
        assert fit_wave(wave_latency(found, row.wave)).speed == pytest.approx(row.speed)


def test_the_summary_is_that_of_the_table(two):
    _, found = two
    summary, table = waves_summary(found), waves_table(found)
    assert summary["n_waves"] == 2 and summary["rate_per_s"] == pytest.approx(2 / 0.6)
    assert summary["kinds"] == {"radial": 2}
    assert summary["speeds"]["n"] == 2
    assert summary["speeds"]["median"] == pytest.approx(table["speed"].mean())
    assert summary["intervals_ms"]["n"] == 1


def test_labels_are_a_metric_and_survive_files(two, tmp_path):
    _, found = two
    write_cube(found, tmp_path / "waves.hexrecruit.nc")
    again = read_cube(tmp_path / "waves.hexrecruit.nc")
    assert waves_table(again).equals(waves_table(found))
    assert np.array_equal(again["wave"].values, found["wave"].values)
    assert wave_latency(again, 2).equals(wave_latency(found, 2))
    shown = metric_named("wave")
    assert shown in metrics_for(again) and not shown.pools
    values = shown.values(again)
    assert np.array_equal(values, found["wave"].values)
    masked = again.assign(recruitment=again["recruitment"].where(again["x"] > 500.0))
    assert np.array_equal(np.isnan(shown.values(masked)[0]), again["x"].values <= 500.0)
    assert np.isnan(shown.population(again)).all()


def test_a_mean_of_trials_has_waves_too():
    arrivals = [APART[0].arrival_ms(X, Y)]
    trials = [cube_with(arrivals, n_bins=30, seed=seed) for seed in (0, 1)]
    both = xr.concat(trials, "trial").assign_coords(onset=("trial", [0.0, 0.0]))
    mean = find_waves(trial_mean(both))
    assert_known(mean, APART[:1])
    counts = mean["n_recruited"].values[mean["wave"].values == 1].sum()
    assert waves_table(mean)["n_recruited"][0] == counts / 2


# --- parameters and mistakes ----------------------------------------------------------------------


def test_parameters_are_those_of_the_definition():
    row, col, x, _ = centres(3, 12)
    counts = np.zeros((12, len(x)), dtype=int)
    counts[3:5, col < 5] = 30
    counts[7:9, col < 5] = 30  # the same hexagons, two bins later
    counts[3:5, col > 7] = 30  # three hexagons away
    cube = cube_of(counts, row=row, col=col)

    def n_waves(**options):
        return len(waves_table(find_waves(cube, **options)))

    assert n_waves() == 3
    assert n_waves(gap_ms=20.0) == 2
    assert n_waves(reach=4.1 * math.sqrt(3.0) * RADIUS_UM) == 2
    assert n_waves(min_hexes=15) == 2
    assert n_waves(threshold=31.0) == 0 and n_waves(threshold=30.0) == 3


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"threshold": 0.0}, "threshold must be above 0 to 100 %, not 0.0"),
        ({"gap_ms": -1.0}, "gap_ms must be 0 ms or more, not -1.0"),
        ({"reach": 20.0}, "reach must be 86.6 or more, as hexagons are, not 20.0"),
        ({"min_hexes": 0}, "min_hexes must be 1 or more, not 0"),
        ({"lead_ms": -5.0}, "lead_ms must be 0 ms or more, not -5.0"),
    ],
)
def test_parameters_out_of_range_are_refused(two, options, fault):
    with pytest.raises(ValueError, match=fault):
        find_waves(two[0], **options)


def test_what_is_no_result_is_refused(two):
    cube, found = two
    with pytest.raises(ValueError, match="has no waves: compute them with find_waves"):
        waves_table(cube)
    with pytest.raises(ValueError, match="wave 3 does not exist: choose 1 to 2"):
        wave_latency(found, 3)
    quiet = find_waves(cube_with([], n_bins=3))
    with pytest.raises(ValueError, match="wave 1 does not exist: find_waves found no waves"):
        wave_latency(quiet, 1)


def test_a_cube_of_neurons_so_far_is_refused(two):
    recipe = two[0].attrs["recipe"].replace("{", '{"cumulative": true, ', 1)
    with pytest.raises(ValueError, match="recruited so far, which never fall"):
        find_waves(two[0].assign_attrs(recipe=recipe))


def test_odd_cubes_have_no_waves(two):
    cube = two[0]
    masked = cube.assign(recruitment=cube["recruitment"].where(False))
    silent = cube_of(np.zeros((4, 9), int), row=np.arange(9), col=np.zeros(9, int))
    for odd in (masked, silent, cube.isel(time=[0]), cube.isel(hex=[3])):
        assert len(waves_table(find_waves(odd))) == 0
