"""Cubes cut around onsets: trials, their mean, how alike they are."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit.analysis import (
    count_trials,
    cut_trials,
    input_onsets,
    periodic_onsets,
    population_trace,
    reliability,
    trial_cube,
    trial_mean,
    with_maps,
)
from napari_hexrecruit.counting.members import assemble_cube, count_spikes, group_neurons
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.metrics import METRICS, metric_named
from napari_hexrecruit.schema import N_RECRUITED, N_SPIKES, validate_cube
from napari_hexrecruit.storage.cubes import read_cube, write_cube
from napari_hexrecruit.timebins import TimeBins


def random_cube(seed, n_bins=40, n_hexes=5, **options):
    rng = np.random.default_rng(seed)
    neurons = rng.integers(5, 60, n_hexes)
    counts = rng.integers(0, neurons + 1, (n_bins, n_hexes))
    return cube_of(
        counts, row=np.zeros(n_hexes, int), col=np.arange(n_hexes), n_neurons=neurons, **options
    )


# --- onsets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "onsets"),
    [
        ((0.0, 100.0, 300.0), [0, 100, 200]),
        ((0.0, 100.0, 300.1), [0, 100, 200, 300]),
        ((50.0, 0.3, 50.9), [50, 50.3, 50.6]),  # 3 * 0.3 is a little less than 0.9
        ((250.0, 1000.0, 251.0), [250]),
    ],
)
def test_onsets_every_so_often_before_the_end(asked, onsets):
    np.testing.assert_allclose(periodic_onsets(*asked), onsets)


@pytest.mark.parametrize("period", [0.0, -5.0, float("nan"), float("inf")])
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(ValueError, match="period must be"):
        periodic_onsets(0.0, period, 100.0)
    with pytest.raises(ValueError, match="no onset lies from 200 to 100 ms"):
        periodic_onsets(200.0, 10.0, 100.0)


INPUTS = {
    "stimulus_2": {"module": "linear", "delay": 400.0, "duration": 50.0},
    "stimulus_1": {"module": "linear", "delay": 100.0, "duration": 50.0},
    "train": {"module": "pulse", "delay": 20.0, "duration": 100.0, "width": 2.0, "frequency": 40},
    "hum": {"module": "sinusoidal", "delay": 0.0, "duration": 100.0, "frequency": 8.0},
    "replay": {"module": "synapse_replay", "spike_file": "x.h5"},
}


@pytest.mark.parametrize(
    ("names", "onsets"),
    [
        ("stimulus_1", [100]),
        ("stimulus_*", [100, 400]),
        ("train", [20, 45, 70, 95]),  # not 120, which is the end
        ("hum", [0]),  # it goes on, and does not begin again
        ("[st]*[0-9n]", [20, 45, 70, 95, 100, 400]),
    ],
)
def test_onsets_of_inputs(names, onsets):
    assert input_onsets(INPUTS, names).tolist() == onsets


def test_inputs_that_tell_no_onset_are_named():
    with pytest.raises(
        ValueError, match=r"no input is called 'x'.*inputs are stimulus_2, stimulus"
    ):
        input_onsets(INPUTS, "x")
    with pytest.raises(ValueError, match=r"no input is called .*inputs are none"):
        input_onsets({}, "*")
    with pytest.raises(ValueError, match="'replay' has no delay: give its onsets as a list"):
        input_onsets(INPUTS)


# --- cutting --------------------------------------------------------------------------------------


def test_0_is_the_bin_that_starts_at_the_onset():
    cube = random_cube(0, start_ms=100.0)
    trials = cut_trials(cube, [150.0, 300.0], before=20.0, after=50.0)
    assert dict(trials.sizes) == {"trial": 2, "time": 7, "hex": 5, "bound": 2}
    assert trials["time"].to_numpy().tolist() == [-20, -10, 0, 10, 20, 30, 40]
    for k, onset in enumerate([150.0, 300.0]):
        one = trial_cube(trials, k)
        validate_cube(one)
        for name in METRICS:
            at_0 = metric_named(name).values(one.sel(time=[0.0]))
            there = metric_named(name).values(cube.sel(time=[onset]))
            np.testing.assert_array_equal(at_0, there)
        assert one.attrs["time_origin_ms"] == onset
    assert trials["onset"].to_numpy().tolist() == [150.0, 300.0]
    assert trials["shift"].to_numpy().tolist() == [0.0, 0.0]


def test_no_bin_before_the_onset():
    trials = cut_trials(random_cube(0), [30.0], before=0.0, after=20.0)
    assert trials["time"].to_numpy().tolist() == [0.0, 10.0]
    assert not np.signbit(trials["time"].to_numpy()).any()


def test_an_onset_inside_a_bin_is_shifted_to_the_nearest_edge_and_that_is_said():
    cube = random_cube(0)
    trials = cut_trials(cube, [53.0, 107.0], before=10.0, after=20.0)
    assert trials["shift"].to_numpy().tolist() == [-3.0, 3.0]
    np.testing.assert_array_equal(
        trials["n_spikes"][:, 1], cube["n_spikes"].sel(time=[50.0, 110.0])
    )


def test_windows_that_are_not_inside_are_left_out_and_listed():
    trials = cut_trials(random_cube(0), [390.0, 0.0, 200.0, 10.0], before=10.0, after=20.0)
    assert trials["onset"].to_numpy().tolist() == [10.0, 200.0]
    assert json.loads(trials.attrs["onsets_left_out"]) == [0.0, 390.0]


def test_windows_may_overlap():
    cube = random_cube(0)
    trials = cut_trials(cube, [50.0, 60.0], before=20.0, after=30.0)
    np.testing.assert_array_equal(
        trials["n_recruited"][0, 1:].to_numpy(), trials["n_recruited"][1, :-1].to_numpy()
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"before": 15.0}, "before must be a whole number of 10 ms bins, .* use 10 or 20 ms"),
        ({"after": -10.0}, "after must be a whole number"),
        ({"after": float("inf")}, "after must be a whole number"),
        ({"before": 0.0, "after": 0.0}, "is empty"),
        ({"onsets": []}, "onsets must be one finite number"),
        ({"onsets": [float("nan")]}, "onsets must be one finite number"),
        ({"onsets": [5.0]}, r"no onset \(5\) has its whole window within 0 to 400 ms"),
    ],
)
def test_what_gives_no_trial_is_refused(options, said):
    asked = {"onsets": [100.0], "before": 20.0, "after": 20.0} | options
    with pytest.raises(ValueError, match=said):
        cut_trials(random_cube(0), asked.pop("onsets"), **asked)


def test_a_cube_of_neurons_so_far_has_no_trials():
    so_far = random_cube(0).assign_attrs(recipe=json.dumps({"cumulative": True}))
    with pytest.raises(ValueError, match="use a cube of bins"):
        cut_trials(so_far, [100.0], before=10.0, after=10.0)


def test_a_trial_that_there_is_not_is_refused():
    trials = cut_trials(random_cube(0), [100.0], before=10.0, after=10.0)
    with pytest.raises(ValueError, match="there is no trial 1: use 0 to 0"):
        trial_cube(trials, 1)


# --- counting -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted():
    rng = np.random.default_rng(5)
    members = group_neurons(HexGrid(50.0), *rng.uniform(0, 300, (2, 200)), np.ones(200, bool))
    times = np.sort(np.round(rng.uniform(0, 400, 3000), 1))
    neurons = rng.integers(-1, 200, 3000).astype(np.int32)
    bins = TimeBins(0.0, 400.0, 10.0)
    attrs = wave_cube(n_bins=1).attrs
    cube = assemble_cube(
        members,
        bins,
        *count_spikes(neurons, times, members, bins),
        min_neurons=5,
        flat_units="um",
        attrs={name: attrs[name] for name in attrs if name not in ("hex_radius", "bin_ms")},
    )
    assert np.isnan(cube["recruitment"]).any() and cube["recruitment"].max() > 0
    return cube, neurons, times, members


def test_counted_and_cut_trials_agree_where_onsets_are_edges(counted):
    asked = {"before": 30.0, "after": 60.0}
    cut, count = (
        cut_trials(counted[0], [50, 200], **asked),
        count_trials(*counted, [50, 200], **asked),
    )
    for name in ("recruitment", "n_recruited", "n_spikes", "time", "time_bounds", "onset"):
        np.testing.assert_array_equal(cut[name], count[name])
    assert cut.attrs == count.attrs


def test_onsets_anywhere_are_counted_exactly(counted):
    cube, neurons, times, members = counted
    onset = 123.4
    trials = count_trials(*counted, [onset], before=7.0, after=14.0, bin_ms=3.5)
    assert trials.attrs["bin_ms"] == 3.5
    for k, start in enumerate(np.arange(-7.0, 14.0, 3.5)):
        low, high = onset + start - 1e-6, onset + start + 3.5 - 1e-6
        inside = neurons[(times >= low) & (times < high)]
        for h in range(cube.sizes["hex"]):
            theirs = [n for n in inside.tolist() if n >= 0 and members.hex_of_neuron[n] == h]
            assert trials["n_spikes"][0, k, h] == len(theirs)
            assert trials["n_recruited"][0, k, h] == len(set(theirs))
    np.testing.assert_array_equal(
        np.isnan(trials["recruitment"][0, 0]), np.isnan(cube["recruitment"][0])
    )


def test_counting_says_how_far_it_is_and_leaves_out_what_is_not_inside(counted):
    said = []
    trials = count_trials(
        *counted,
        [5.0, 100.0, 300.0, 395.0],
        before=10.0,
        after=10.0,
        within=(0.0, 400.0),
        progress=lambda *news: said.append(news),
    )
    assert said == [("trials", 1, 2), ("trials", 2, 2)]
    assert json.loads(trials.attrs["onsets_left_out"]) == [5.0, 395.0]


def test_neurons_of_another_cube_are_refused(counted):
    cube, neurons, times, members = counted
    fewer = members.keep(np.arange(200) < 150)
    with pytest.raises(ValueError, match="use cube_members of its simulation"):
        count_trials(cube, neurons, times, fewer, [100.0], before=10.0, after=10.0)


# --- the mean -------------------------------------------------------------------------------------


@pytest.mark.slow
@given(st.integers(0, 999), st.integers(1, 6))
def test_mean_and_standard_error_of_the_trials(seed, n_trials):
    cube = random_cube(seed, n_bins=10 * n_trials)
    trials = cut_trials(cube, 20.0 + 100.0 * np.arange(n_trials), before=20.0, after=50.0)
    mean = trial_mean(trials)
    validate_cube(mean)
    percent = trials["recruitment"].to_numpy().astype(float)
    np.testing.assert_allclose(mean["recruitment"], percent.mean(axis=0), rtol=1e-5, atol=1e-5)
    if n_trials == 1:
        assert np.isnan(mean["recruitment_sem"]).all()
    else:
        sem = percent.std(axis=0, ddof=1) / np.sqrt(n_trials)
        np.testing.assert_allclose(mean["recruitment_sem"], sem, rtol=1e-3, atol=1e-3)
    n_trials = trials.sizes["trial"]
    assert mean["recruitment_sem"].attrs["long_name"] == f"Recruited, SEM over {n_trials} trials"
    assert (mean[N_RECRUITED] == trials[N_RECRUITED].sum("trial")).all()
    assert (mean[N_SPIKES] == trials[N_SPIKES].sum("trial")).all()
    for name in METRICS:
        each = [metric_named(name).values(trial_cube(trials, k)) for k in range(n_trials)]
        np.testing.assert_allclose(
            metric_named(name).values(mean), np.mean(each, axis=0), rtol=1e-4, atol=1e-4
        )
        each = [population_trace(trial_cube(trials, k), metric=name) for k in range(n_trials)]
        np.testing.assert_allclose(
            population_trace(mean, metric=name), np.mean(each, axis=0), rtol=1e-6
        )


def test_the_mean_is_shown_and_saved_like_any_cube(tmp_path):
    trials = cut_trials(random_cube(0), [50.0, 200.0], before=20.0, after=50.0)
    mean = with_maps(trial_mean(trials), reliability(trials))
    assert mean.attrs["title"] == "Mean of 2 trials"
    assert metric_named("sem").values(mean).shape == (7, 5)
    assert metric_named("reliability").values(mean).shape == (7, 5)
    file = write_cube(mean, tmp_path / "mean.hexrecruit.nc")
    again = read_cube(file)
    for name in mean.data_vars:
        np.testing.assert_array_equal(again[name], mean[name])
    assert again.attrs == mean.attrs


def test_hexagons_without_value_stay_without():
    cube = random_cube(0, min_neurons=30)
    gone = np.isnan(cube["recruitment"]).all("time").to_numpy()
    assert gone.any() and not gone.all()
    trials = cut_trials(cube, [50.0, 200.0], before=20.0, after=50.0)
    mean = trial_mean(trials)
    for name in ("recruitment", "recruitment_sem"):
        np.testing.assert_array_equal(np.isnan(mean[name]).all("time"), gone)
    np.testing.assert_array_equal(np.isnan(reliability(trials)), gone)


# --- reliability ----------------------------------------------------------------------------------


@pytest.mark.slow
@given(st.integers(0, 999), st.integers(2, 5))
def test_reliability_is_the_mean_correlation_of_all_pairs(seed, n_trials):
    cube = random_cube(seed, n_bins=8 * n_trials, n_hexes=3)
    trials = cut_trials(cube, 80.0 * np.arange(n_trials), before=0.0, after=80.0)
    percent = trials["recruitment"].to_numpy()
    assume((np.ptp(percent, axis=1) > 0).all())
    slow = [
        np.mean(
            [
                np.corrcoef(percent[k, :, h], percent[m, :, h])[0, 1]
                for k, m in itertools.combinations(range(n_trials), 2)
            ]
        )
        for h in range(3)
    ]
    np.testing.assert_allclose(reliability(trials), slow, atol=1e-5)


def test_trials_that_are_alike_are_reliable_and_opposite_ones_are_not():
    rise = np.arange(8) * 10
    up_up = np.concatenate([rise, 2 + rise // 2])
    up_down = np.concatenate([rise, rise[::-1]])
    flat = np.full(16, 40)
    half = np.concatenate([rise, np.full(8, 10)])
    cube = cube_of(np.stack([up_up, up_down, flat, half], 1), row=[0] * 4, col=range(4))
    trials = cut_trials(cube, [0.0, 80.0], before=0.0, after=80.0)
    made = reliability(trials)
    np.testing.assert_allclose(made, [1.0, -1.0, np.nan, 0.0], atol=1e-6)
    assert made.name == "reliability" and "x" in made.coords


def test_one_trial_or_one_bin_has_no_reliability():
    one = cut_trials(random_cube(0), [100.0], before=10.0, after=20.0)
    assert np.isnan(reliability(one)).all()
    short = cut_trials(random_cube(0), [100.0, 200.0], before=0.0, after=10.0)
    assert np.isnan(reliability(short)).all()
    with pytest.raises(ValueError, match="has no reliability"):
        reliability(one, metric="sem")
