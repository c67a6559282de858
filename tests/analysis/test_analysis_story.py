"""Every analysis on simulations whose answers are known: files to spikes to cube to answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_hexrecruit import analysis as an
from napari_hexrecruit import cumulative_cube, open_simulation, recruitment_cube
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.synthetic import BIN_MS, POPULATION, Story, write_simulation

PLANE = Story(n_neurons=20_000, wave="plane", stimuli_ms=(300.0,), tstop_ms=700.0)
RADIAL = Story(n_neurons=20_000, wave="radial", stimuli_ms=(300.0,), tstop_ms=700.0)
QUIET = Story(n_neurons=20_000, wave="radial", stimuli_ms=(), tstop_ms=700.0)
OFTEN = Story(n_neurons=5_000, stimuli_ms=(100.0, 400.0, 700.0, 1000.0), tstop_ms=1300.0)

# Tolerances. A bin is 10 ms; the story rises within about 6 ms of a wave's arrival.
LATENCY_MS = BIN_MS
HALF_PEAK_MS = 0.75 * BIN_MS
SPEED = 0.02
DIRECTION_DEG = 1.0
SOURCE_UM = 50.0


@pytest.fixture(scope="module", params=["plane", "radial"])
def told(request, tmp_path_factory):
    """A story, its simulation and its cube."""
    story = PLANE if request.param == "plane" else RADIAL
    config = write_simulation(tmp_path_factory.mktemp("story") / "run", story)
    sim = open_simulation(config)
    return story, sim, recruitment_cube(sim)


# --- when ----------------------------------------------------------------------------------------


def test_latency_is_the_arrival_of_the_wave_to_a_bin(told):
    story, _, cube = told
    found, arrival = an.latency(cube, onset=300.0).to_numpy(), story.latency_ms
    assert np.array_equal(np.isfinite(found), np.isfinite(arrival))
    reached = np.isfinite(arrival)
    assert np.abs(found - arrival)[reached].max() < LATENCY_MS
    assert reached.sum() > 300 and (~reached).sum() > 10


def test_half_peak_latency_is_the_arrival_to_less_than_a_bin(told):
    story, _, cube = told
    off = an.half_peak_latency(cube, onset=300.0).to_numpy() - story.latency_ms
    off = off[np.isfinite(story.latency_ms)]
    assert np.abs(off).max() < HALF_PEAK_MS
    assert off.std() < 0.25 * BIN_MS


def test_the_wave_is_found(told):
    story, _, cube = told
    for map_of in (an.latency, an.half_peak_latency):
        fit = an.fit_wave(map_of(cube, onset=300.0))
        assert fit.is_wave and fit.kind == story.wave
        assert fit.speed == pytest.approx(story.speed_um_per_ms, rel=SPEED)
        if story.wave == "plane":
            assert fit.direction == pytest.approx(story.direction_deg, abs=DIRECTION_DEG)
        else:
            assert math.dist(fit.source, story.source_um) < SOURCE_UM


def test_before_the_stimulus_there_is_no_wave(told):
    _, _, cube = told
    early = an.cut(cube, 0.0, 290.0)
    for map_of in (an.latency, an.half_peak_latency, an.first_spike_latency):
        fit = an.fit_wave(map_of(early, onset=100.0))
        assert not fit.is_wave and math.isnan(fit.speed)


def test_first_spikes_from_spikes_and_from_the_cube_agree(told):
    story, sim, cube = told
    spikes, members = sim.spikes(POPULATION), cube_members(sim, cube)
    exact = an.first_spikes(spikes.neurons, spikes.times_ms, members, onset=300.0, until=700.0)
    to_the_bin = an.first_spike_latency(cube, onset=300.0).to_numpy()
    assert np.array_equal(np.floor(exact["first"] / BIN_MS + 1e-9) * BIN_MS, to_the_bin, True)
    silent = story.sheet.silent
    assert np.isnan(exact["first"].to_numpy()[silent]).all()
    few = an.first_spikes(
        *(spikes.neurons, spikes.times_ms, members),
        **{"onset": 300.0, "until": 700.0, "min_neurons": 40, "flat_units": "um"},
    )
    enough = members.n_neurons >= 40
    np.testing.assert_array_equal(few["first"], np.where(enough, exact["first"], np.nan))
    assert few["x"].attrs["units"] == "um" and few["first"].attrs["hex_radius"] == 50.0
    once = recruitment_cube(sim, start=300.0, stop=700.0, bin_ms=400.0)
    np.testing.assert_allclose(an.cumulative_fraction(once), exact["fired"], rtol=1e-6)


# --- what the stimulus changes --------------------------------------------------------------------


def test_the_difference_to_the_same_without_a_stimulus_is_the_wave(told, tmp_path):
    story, _, cube = told
    quiet = Story(n_neurons=20_000, wave=story.wave, stimuli_ms=(), tstop_ms=700.0)
    rest = recruitment_cube(write_simulation(tmp_path / "quiet", quiet))
    result = an.compare(cube, rest)
    exact = story.expected().percent - quiet.expected().percent
    np.testing.assert_allclose(result["difference"], exact, atol=1e-4)
    added = (result["difference"].to_numpy() > 0).any(axis=0)
    assert np.array_equal(added, story.sheet.reached)
    assert (an.cut(result, 0.0, 300.0)["difference"] == 0.0).all()


def test_two_windows_of_one_simulation_show_where_the_stimulus_recruits(told):
    story, _, cube = told
    during, before = an.cut(cube, 300.0, 500.0), an.cut(cube, 0.0, 200.0)
    difference = an.compare(during, before)["difference"]
    mean = difference.mean("time").to_numpy()
    reached = story.sheet.reached
    assert mean[reached].min() > 2.0 and np.abs(mean[~reached]).max() < 1.0


def test_the_z_score_is_beyond_5_just_where_the_wave_is(told):
    story, _, cube = told
    score = an.z_score(cube, an.cut(cube, 0.0, 300.0))["z_score"].to_numpy()
    assert np.isnan(score[:, story.sheet.silent]).all()
    reached = story.sheet.reached
    assert np.array_equal(np.nanmax(score[30:], axis=0, initial=-np.inf) > 5.0, reached)


def test_the_fractions_of_the_classes_at_the_crest(told):
    """The peak of a class is its share times strength, less what falls into the next bin."""
    story, sim, _ = told
    for name in ("EXC", "INH"):
        cube = recruitment_cube(sim, where=f"synapse_class={name}")
        expected = story.expected(name)
        np.testing.assert_allclose(an.peak(cube), expected.percent.max(axis=0), atol=1e-4)
        strong = story.sheet.strength > 0.5
        crest = story.peak_percent[name] * story.sheet.strength + story.background_percent[name]
        one = 100.0 / expected.n_neurons[strong]  # numbers of neurons are whole
        found = an.peak(cube).to_numpy()[strong]
        assert (found <= crest[strong] + 3 * one).all()
        assert (found / crest[strong]).mean() > 0.9
        hertz = 1000.0 / BIN_MS / 100.0
        rate = an.mean_rate(cube, stop=300.0).to_numpy()[~story.sheet.silent].mean()
        bursts = (expected.n_spikes[:30].sum() / expected.n_recruited[:30].sum()).item()
        assert rate == pytest.approx(story.background_percent[name] * hertz * bursts, rel=0.1)


def test_everybody_the_wave_recruits_is_in_the_cumulative_fraction(told):
    story, sim, cube = told
    so_far = an.cumulative_fraction(cumulative_cube(sim)).to_numpy()
    assert (so_far[story.sheet.silent] == 0.0).all()
    assert (so_far >= an.peak(cube).to_numpy() - 1e-4).all() and so_far.max() <= 100.0


def test_courses_are_those_of_the_story(told):
    story, _, cube = told
    picked = np.flatnonzero(story.sheet.reached)[[3, 50]]
    traces = an.hex_traces(cube, picked)
    expected = story.expected()
    np.testing.assert_allclose(traces["trace"], expected.percent[:, picked], atol=1e-4)
    pooled = 100.0 * expected.n_recruited[:, picked].sum(1) / expected.n_neurons[picked].sum()
    np.testing.assert_allclose(traces["mean"], pooled)


def test_hexagons_that_the_wave_reaches_together_correlate(told):
    story, _, cube = told
    latency = story.latency_ms
    one = int(np.nanargmin(np.abs(latency - 60.0)))
    r = an.correlation(cube, hexes=[one]).to_numpy()
    near = np.abs(latency - latency[one]) < 3.0
    far = np.abs(latency - latency[one]) > 80.0
    assert near.sum() > 10 and far.sum() > 10
    assert np.nanmin(r[near]) > 0.85 and np.nanmax(r[far]) < 0.5
    assert np.isnan(r[story.sheet.silent]).all()


# --- trials ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def often(tmp_path_factory):
    sim = open_simulation(write_simulation(tmp_path_factory.mktemp("often") / "run", OFTEN))
    return sim, recruitment_cube(sim)


def test_trials_of_the_simulations_inputs(often):
    sim, cube = often
    onsets = an.input_onsets(sim.configuration["inputs"], "stimulus_*")
    assert onsets.tolist() == list(OFTEN.stimuli_ms)
    trials = an.cut_trials(cube, onsets, before=100.0, after=200.0)
    expected = OFTEN.expected()
    windows = [expected.percent[int(t) // 10 - 10 : int(t) // 10 + 20] for t in onsets]
    np.testing.assert_allclose(trials["recruitment"], windows, atol=1e-4)
    mean = an.trial_mean(trials)
    np.testing.assert_allclose(mean["recruitment"], np.mean(windows, axis=0), atol=1e-4)
    sem = np.std(windows, axis=0, ddof=1) / 2.0
    np.testing.assert_allclose(mean["recruitment_sem"], sem, atol=1e-3)
    assert float(mean["time"][10]) == 0.0


def test_trials_are_reliable_where_the_wave_gets_to(often):
    _, cube = often
    trials = an.cut_trials(cube, OFTEN.stimuli_ms, before=100.0, after=200.0)
    found = an.reliability(trials).to_numpy()
    reached, silent = OFTEN.sheet.reached, OFTEN.sheet.silent
    assert found[reached].min() > 0.7
    assert np.isnan(found[silent]).all()
    rest = ~reached & ~silent
    assert rest.any() and np.abs(found[rest]).max() < 0.5


def test_the_latency_of_the_mean_trial_is_that_of_the_story(often):
    _, cube = often
    mean = an.trial_mean(an.cut_trials(cube, OFTEN.stimuli_ms, before=100.0, after=200.0))
    found = an.half_peak_latency(mean, onset=0.0).to_numpy()
    reached = OFTEN.sheet.reached
    assert np.abs(found - OFTEN.latency_ms)[reached].max() < LATENCY_MS
    fit = an.fit_wave(an.half_peak_latency(mean, onset=0.0))
    assert fit.speed == pytest.approx(OFTEN.speed_um_per_ms, rel=SPEED)


# --- neurons --------------------------------------------------------------------------------------


def test_the_raster_of_a_hexagon_has_its_spikes(often):
    sim, cube = often
    spikes, members = sim.spikes(POPULATION), cube_members(sim, cube)
    picked = an.hex_positions(cube, cube["hex"].to_numpy()[[4, 9]])
    found = an.raster(spikes.neurons, spikes.times_ms, members, picked)
    assert found.sizes["spike"] == int(OFTEN.expected().n_spikes[:, [4, 9]].sum())
    assert found.attrs["n_lines"] == OFTEN.expected().n_neurons[[4, 9]].sum()
