"""Onsets that repeat one another, windows that overlap, and means of means."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.test_analysis_trials import counted  # noqa: F401
from tests.support.cubes import cube_of
from tests.support.thorough import repetitions

from napari_hexrecruit import read_cube, write_cube
from napari_hexrecruit.analysis import (
    compare,
    count_trials,
    cut,
    cut_trials,
    population_trace,
    reliability,
    trial_cube,
    trial_mean,
    z_score,
)
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.metrics import METRICS, metric_named
from napari_hexrecruit.schema import N_TRIALS, validate_cube

WINDOW = {"before": 20.0, "after": 30.0}


def make_cube(seed=0, n_bins=60):
    rng = np.random.default_rng(seed)
    neurons = rng.integers(5, 60, 4)
    counts = rng.integers(0, neurons + 1, (n_bins, 4))
    return cube_of(
        counts, row=[0] * 4, col=range(4), n_neurons=neurons, n_spikes=3 * counts, start_ms=0.0
    )


def notes(cube):
    return [n for n in json.loads(cube.attrs["notes"]) if n.startswith("trials")]


# --- means of means -------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=repetitions(10, 25), deadline=None)
@given(st.integers(0, 999), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_every_number_of_a_mean_of_means_is_right(seed, a, b, c):
    """Onsets so far apart that the bins of the last mean are those of known bins of the cube."""
    cube = made = make_cube(seed, n_bins=60 * a * b * c)
    length = 10.0 * cube.sizes["time"]
    bins = np.arange(cube.sizes["time"])
    total = 1
    for n in (a, b, c):
        length /= n
        made = trial_mean(cut_trials(made, length * np.arange(n), before=0.0, after=length))
        bins = bins.reshape(-1, bins.shape[-1] // n) if bins.ndim > 1 else bins.reshape(n, -1)
        total *= n
        assert made.attrs[N_TRIALS] == total
        validate_cube(made)
        for name in METRICS:
            metric = metric_named(name)
            np.testing.assert_allclose(
                metric.values(made), metric.values(cube)[bins].mean(axis=0), rtol=1e-4, atol=1e-4
            )
            of_bins = population_trace(cube, metric=name).to_numpy()[bins]
            np.testing.assert_allclose(population_trace(made, metric=name), of_bins.mean(axis=0))


def test_numbers_of_means_go_with_those_of_single_cubes(tmp_path):
    cube = make_cube()
    once = trial_mean(cut_trials(cube, [100.0, 300.0], before=50.0, after=100.0))
    written = read_cube(write_cube(once, tmp_path / "mean.hexrecruit.nc"))
    twice = trial_mean(cut_trials(written, [0.0], before=50.0, after=100.0))
    assert twice.attrs[N_TRIALS] == 2
    for name in METRICS:
        np.testing.assert_allclose(
            population_trace(twice, metric=name), population_trace(once, metric=name)
        )
        plain = cut(cube, 50.0, 200.0)
        difference = compare(twice, plain, metric=name)["difference"]
        values = metric_named(name).values
        np.testing.assert_allclose(difference, values(once) - values(plain), atol=1e-4)
        score = z_score(twice, cut(cube, 0.0, 100.0), metric=name)["z_score"]
        assert np.isfinite(score).all()
    three = trial_mean(cut_trials(compare(once, once), [0.0, 40.0], before=20.0, after=30.0))
    assert three.attrs[N_TRIALS] == 4 and "each the mean of 2" in three.attrs["title"]


def test_the_standard_error_of_means_is_that_between_them():
    cube = make_cube()
    means = trial_mean(cut_trials(cube, [0.0, 300.0], before=0.0, after=300.0))
    again = cut_trials(means, [0.0, 100.0, 200.0], before=0.0, after=100.0)
    percent = again["recruitment"].to_numpy().astype(float)
    expected = percent.std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(trial_mean(again)["recruitment_sem"], expected, rtol=1e-5)


def test_counting_with_a_mean_counts_single_trials(counted):  # noqa: F811
    cube, *spikes = counted
    mean = trial_mean(cut_trials(cube, [100.0, 200.0], before=50.0, after=50.0))
    made, plain = (count_trials(one, *spikes, [100.0, 200.0], **WINDOW) for one in (mean, cube))
    assert N_TRIALS not in made.attrs
    for name in METRICS:
        np.testing.assert_array_equal(
            population_trace(trial_mean(made), metric=name),
            population_trace(trial_mean(plain), metric=name),
        )


def test_a_trial_of_a_trial_knows_the_time_of_the_simulation():
    cube = make_cube()
    one = trial_cube(cut_trials(cube, [200.0], before=100.0, after=100.0), 0)
    inner = trial_cube(cut_trials(one, [30.0], before=20.0, after=20.0), 0)
    assert inner.attrs["time_origin_ms"] == 230.0
    there = cut(cube, 210.0, 250.0)
    np.testing.assert_array_equal(inner["n_spikes"], there["n_spikes"])
    mean = trial_mean(cut_trials(one, [0.0, 50.0], before=10.0, after=10.0))
    assert "time_origin_ms" not in mean.attrs
    assert "time_origin_ms" not in trial_cube(cut_trials(mean, [0.0], before=0, after=10), 0).attrs


# --- onsets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onsets", "kept", "repeated"),
    [
        ([100, 100, 200], [100, 200], [100]),
        ([200, 100, 200, 100, 100], [100, 200], [100, 100, 200]),
        ([98, 100, 102], [100], [98, 102]),
        ([97, 104, 200], [97, 200], [104]),
        ([100, 100 + 1e-9], [100], [100 + 1e-9]),
        ([-500, -500, 100], [100], [-500]),
    ],
)
def test_onsets_at_one_edge_count_once_with_a_warning(onsets, kept, repeated):
    cube = make_cube()
    with pytest.warns(RecruitmentWarning, match=f"{len(repeated)} onsets begin with the same bin"):
        trials = cut_trials(cube, onsets, **WINDOW)
    assert trials["onset"].to_numpy().tolist() == kept
    assert json.loads(trials.attrs["onsets_repeated"]) == repeated
    assert "do not count again" in notes(trials)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        once = cut_trials(cube, kept, **WINDOW)
    assert notes(once) == []
    for made, other in ((trials, once),):
        mean, of_once = trial_mean(made), trial_mean(other)
        assert mean.attrs[N_TRIALS] == len(kept)
        for name in ("recruitment", "recruitment_sem", "n_spikes"):
            np.testing.assert_array_equal(mean[name], of_once[name])
        np.testing.assert_array_equal(reliability(made), reliability(other))
        assert notes(mean) == notes(made)


def test_repeated_onsets_are_counted_once(counted):  # noqa: F811
    with pytest.warns(RecruitmentWarning, match="2 onsets begin with the same bin"):
        trials = count_trials(*counted, [200, 100, 100 + 5e-7, 100], **WINDOW)
    assert trials["onset"].to_numpy().tolist() == [100, 200]
    near = count_trials(*counted, [100.0, 100.5], **WINDOW)
    assert near.sizes["trial"] == 2 and "2 of the 2 windows overlap" in notes(near)[0]


def test_windows_that_overlap_are_kept_and_noted():
    cube = make_cube()
    overlapping = cut_trials(cube, [100.0, 130.0, 300.0], **WINDOW)
    assert overlapping.sizes["trial"] == 3
    assert "2 of the 3 windows overlap: they share spikes" in notes(trial_mean(overlapping))[0]
    touching = cut_trials(cube, [100.0, 150.0, 300.0], **WINDOW)
    assert notes(touching) == []
    twice = cut_trials(trial_mean(overlapping), [0.0], before=0.0, after=10.0)
    assert len(notes(twice)) == 1


@pytest.mark.parametrize("onsets", [[100.0, np.nan], [np.inf], [], [[100.0, 200.0]], [None]])
def test_onsets_that_are_no_times_are_refused(onsets):
    with pytest.raises(ValueError, match="onsets must be one finite number of ms or more"):
        cut_trials(make_cube(), onsets, **WINDOW)


def test_too_many_spikes_to_add_up_are_refused():
    cube = make_cube()
    cube["n_spikes"] = cube["n_spikes"] * 0 + np.int32(2**30)
    trials = cut_trials(cube, [100.0, 200.0, 300.0], **WINDOW)
    with pytest.raises(ValueError, match="are too many: use fewer trials"):
        trial_mean(trials)
