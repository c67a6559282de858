"""One number per hexagon."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, letter_cube

from napari_hexrecruit.analysis import (
    MAPS,
    correlation,
    cumulative_fraction,
    cut,
    first_spike_latency,
    first_spikes,
    half_peak_latency,
    hex_map,
    latency,
    map_options,
    maps_table,
    mean_rate,
    mean_recruitment,
    peak,
    with_maps,
    z_score,
)
from napari_hexrecruit.counting.members import group_neurons
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.metrics import DERIVED, METRICS, metric_named
from napari_hexrecruit.schema import validate_cube
from napari_hexrecruit.storage.cubes import read_cube, write_cube

NAN = np.nan


def courses(*rows, **options):
    """Cube of 100 neurons a hexagon, so counts are percents; one argument per hexagon."""
    counts = np.array(rows).T
    n = counts.shape[1]
    return cube_of(counts, row=np.zeros(n, int), col=np.arange(n), **options)


# Baseline of four bins from 100 ms, then the onset at 140 ms and six bins.
RESPONSES = courses(
    [2, 0, 2, 0, 1, 1, 21, 41, 11, 1],  # mean 1, sd 1.15: beyond 6.8 in the third bin
    [0, 0, 0, 0, 0, 0, 0, 8, 4, 0],  # no baseline: any recruitment is beyond
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],  # never
    [3, 3, 3, 3, 3, 3, 3, 3, 3, 3],  # never beyond its baseline
    [0, 0, 0, 20, 20, 10, 0, 0, 0, 0],  # fires before the onset
    start_ms=100.0,
)


def test_first_spike_latency_to_the_bin():
    made = first_spike_latency(RESPONSES, onset=140.0)
    np.testing.assert_array_equal(made, [0, 30, NAN, 0, 0])
    np.testing.assert_array_equal(
        first_spike_latency(RESPONSES, onset=140.0, until=170.0), [0, NAN, NAN, 0, 0]
    )
    assert made.name == "first_spike_latency" and made.attrs["units"] == "ms"


def test_latency_is_the_first_bin_beyond_the_baseline():
    np.testing.assert_array_equal(latency(RESPONSES, onset=140.0), [20, 30, NAN, NAN, NAN])
    np.testing.assert_array_equal(
        latency(RESPONSES, onset=140.0, baseline=(100.0, 130.0)), [20, 30, NAN, NAN, 0]
    )
    np.testing.assert_array_equal(
        latency(RESPONSES, onset=140.0, n_sd=20.0), [30, 30, NAN, NAN, NAN]
    )
    np.testing.assert_array_equal(
        latency(RESPONSES, onset=140.0, until=170.0), [20, NAN, NAN, NAN, NAN]
    )


def test_without_a_bin_before_the_onset_the_baseline_is_silent_and_two_neurons_respond():
    part = cut(RESPONSES, 140.0)
    with pytest.warns(RecruitmentWarning, match="no bin: it is taken to be silent"):
        found = latency(part, onset=140.0)
    np.testing.assert_array_equal(found, [20, 30, NAN, 0, 0])


def test_a_short_baseline_is_told_everywhere_and_a_long_one_nowhere(recwarn):
    cube = courses([0, 1] * 20)
    for of_baseline in (
        lambda: latency(cube, onset=190.0),
        lambda: half_peak_latency(cube, onset=190.0),
        lambda: z_score(cube, cut(cube, 0.0, 190.0)),
    ):
        with pytest.warns(RecruitmentWarning, match="has 19 bins; at least 20 are needed"):
            of_baseline()
    recwarn.clear()
    latency(cube, onset=200.0)
    z_score(cube, cut(cube, 0.0, 200.0))
    assert len(recwarn) == 0


@pytest.mark.parametrize("n_neurons", [20, 60, 200])
@pytest.mark.parametrize("bin_ms", [1.0, 5.0, 10.0])
@pytest.mark.parametrize("hertz", [0.3, 5.0])
def test_without_a_stimulus_few_hexagons_respond(n_neurons, bin_ms, hertz):
    """At most 5 %, where mean + 5 sd found responses in up to 99 %."""
    rng = np.random.default_rng(round(n_neurons + 7 * bin_ms))
    counts = rng.binomial(n_neurons, 1 - np.exp(-hertz * bin_ms / 1000), (int(700 / bin_ms), 400))
    places = {"row": np.zeros(400, int), "col": np.arange(400)}
    cube = cube_of(counts, **places, n_neurons=n_neurons, bin_ms=bin_ms)
    for function in (latency, half_peak_latency):
        share = float(np.isfinite(function(cube, onset=300.0)).mean())
        assert share <= 0.05, share


def test_bursts_of_a_baseline_are_no_responses():
    """Counts that vary more than Poisson's: four neurons fire together, or none."""
    rng = np.random.default_rng(0)
    counts = 4 * rng.poisson(0.5, (140, 400))
    cube = cube_of(counts, row=np.zeros(400, int), col=np.arange(400))
    assert float(np.isfinite(latency(cube, onset=700.0)).mean()) <= 0.05


def test_a_rise_to_half_of_the_peak_is_one_even_if_the_hexagon_was_above_it_before():
    quiet = [0, 1] * 10
    cube = courses([*quiet, 30, 30, 0, 20, 40, 0], [*quiet, 30, 30, 40, 0, 0, 0])
    made = half_peak_latency(cube, onset=210.0, baseline=(0.0, 200.0))
    # 20.25 is passed upwards after the fall; the second hexagon is above it from the start on
    np.testing.assert_allclose(made, [25.1, NAN], atol=0.1)


def test_time_to_half_of_the_peak_on_lines_between_the_middles_of_bins():
    made = half_peak_latency(RESPONSES, onset=140.0)
    # 1 + (41 - 1) / 2 = 21 is reached in the middle of the third bin; 4 halfway up to the fourth.
    np.testing.assert_allclose(made, [25.0, 30.0, NAN, NAN, NAN])


def test_half_of_the_peak_in_the_first_bin_looks_back_at_the_bin_before():
    cube = courses([0, 40, 0], [30, 40, 0], [0, 0, 9], start_ms=90.0)
    made = half_peak_latency(cube, onset=100.0, baseline=(90.0, 100.0), n_sd=5.0)
    # 0 to 40 from the middle of one bin to that of the next: 20 is at the edge, at the onset.
    np.testing.assert_allclose(made, [0.0, 0.0, 10.0])
    alone = half_peak_latency(cut(cube, 100.0), onset=100.0)
    np.testing.assert_allclose(alone, [5.0, 5.0, 10.0])


@given(st.floats(0.0, 60.0), st.floats(5.0, 80.0))
def test_half_of_a_straight_rise_is_found_between_bins(start, height):
    """A ramp of 40 ms that starts anywhere has its half 20 ms later."""
    t = 5.0 + 10.0 * np.arange(-5, 15)
    ramp = height * np.clip((t - start) / 40.0, 0.0, 1.0)
    neurons = 1_000_000
    counts = np.round(ramp[:, None] / 100.0 * neurons).astype(int)
    cube = cube_of(counts, row=[0], col=[0], n_neurons=neurons, start_ms=-50.0)
    found = float(half_peak_latency(cube, onset=0.0)[0])
    assert abs(found - (start + 20.0)) < 1e-3


@pytest.mark.slow
@given(st.integers(0, 999))
def test_more_recruitment_is_never_later(seed):
    rng = np.random.default_rng(seed)
    less = rng.integers(0, 50, (12, 4))
    less[:4] = 0
    more = less.copy()
    more[4:] += rng.integers(0, 50, (8, 4))
    options = {"row": [0] * 4, "col": range(4)}
    for function in (latency, first_spike_latency):
        sooner = function(cube_of(more, **options), onset=40.0).to_numpy()
        later = function(cube_of(less, **options), onset=40.0).to_numpy()
        assert (np.nan_to_num(sooner, nan=1e9) <= np.nan_to_num(later, nan=1e9)).all()


@pytest.mark.parametrize("function", [latency, first_spike_latency, half_peak_latency])
def test_an_onset_is_an_edge(function):
    with pytest.raises(ValueError, match="start 145 ms is inside a bin"):
        function(RESPONSES, onset=145.0)
    with pytest.raises(ValueError, match="stop 250 ms is outside"):
        function(RESPONSES, onset=140.0, until=250.0)


# --- other maps -----------------------------------------------------------------------------------


def test_peak_and_means():
    np.testing.assert_array_equal(peak(RESPONSES), [41, 8, 0, 3, 20])
    np.testing.assert_array_equal(peak(RESPONSES, start=170.0), [41, 8, 0, 3, 0])
    np.testing.assert_allclose(peak(RESPONSES, metric="rate"), [41, 8, 0, 3, 20])
    assert peak(RESPONSES, metric="rate").attrs["units"] == "spikes/s per neuron"
    np.testing.assert_allclose(mean_recruitment(RESPONSES, stop=140.0), [1, 0, 0, 3, 5])
    np.testing.assert_allclose(mean_rate(RESPONSES, stop=140.0), [1, 0, 0, 3, 5])
    with pytest.raises(ValueError, match="has no such map"):
        peak(RESPONSES, metric="latency")


def test_the_mean_rate_does_not_depend_on_bins():
    fine = courses([8, 4, 0, 2], bin_ms=5.0)
    coarse = courses([12, 2], bin_ms=10.0)
    np.testing.assert_allclose(mean_rate(fine), mean_rate(coarse))
    np.testing.assert_allclose(mean_rate(fine), 14 / 100 / 0.020)


def test_who_fired_at_least_once_needs_a_cube_that_knows():
    so_far = courses([2, 5, 5], [0, 0, 7]).assign_attrs(recipe=json.dumps({"cumulative": True}))
    np.testing.assert_array_equal(cumulative_fraction(so_far), [5, 7])
    np.testing.assert_array_equal(cumulative_fraction(so_far, until=20.0), [5, 0])
    np.testing.assert_array_equal(cumulative_fraction(courses([2], [7])), [2, 7])
    with pytest.raises(ValueError, match="use cumulative_cube, or a cube whose only bin"):
        cumulative_fraction(courses([2, 5]))


@given(st.integers(0, 999))
def test_correlation_is_pearsons(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 100, (9, 5))
    cube = cube_of(counts, row=[0] * 5, col=range(5))
    made = correlation(cube, hexes="R0;C2")
    slow = [np.corrcoef(counts[:, k], counts[:, 2])[0, 1] for k in range(5)]
    np.testing.assert_allclose(made, slow, atol=1e-5)
    assert made[2] == 1.0 or abs(float(made[2]) - 1.0) < 1e-9


def test_correlation_with_a_window_several_hexagons_and_none():
    cube = courses([0, 9, 0, 9], [9, 0, 0, 9], [1, 1, 1, 1], [0, 2, 0, 5])
    np.testing.assert_allclose(correlation(cube, hexes=[0], stop=20.0), [1, -1, NAN, 1], atol=1e-6)
    together = correlation(cube, hexes=[0, 1])
    assert together.attrs["long_name"] == "Recruited, correlation with 2 hexagons"
    assert correlation(cube, hexes=0).attrs["long_name"].endswith("with R0;C0")
    assert np.isnan(correlation(cube, hexes=2)).all()
    assert np.isnan(correlation(cut(cube, 0.0, 10.0), hexes=0)).all()
    with pytest.raises(ValueError, match="no hexagon is selected"):
        correlation(cube, hexes=[])


# --- maps by name ---------------------------------------------------------------------------------

OPTIONS = {
    "first_spike_latency": {"onset": 140.0},
    "latency": {"onset": 140.0},
    "half_peak_latency": {"onset": 140.0},
    "correlation": {"hexes": 0},
}


def cube_for(name, cube):
    return cut(cube, 100.0, 110.0) if name == "cumulative_fraction" else cube


@pytest.mark.parametrize("name", MAPS)
def test_every_map_is_labelled_shown_and_saved(name, tmp_path):
    cube = cube_for(name, RESPONSES)
    before = cube.copy(deep=True)
    made = hex_map(cube, name, **OPTIONS.get(name, {}))
    assert made.name == name and made.dims == ("hex",) and made.dtype == np.float64
    assert {"units", "long_name", "hex_radius", "bin_ms"} <= set(made.attrs)
    assert {"x", "y", "i", "j", "row", "col", "n_neurons"} <= set(made.coords)
    assert cube.identical(before)
    shown = with_maps(cube, made)
    validate_cube(shown)
    again = read_cube(write_cube(shown, tmp_path / "map.hexrecruit.nc"))
    values = metric_named(name).values(again)
    assert values.shape == (cube.sizes["time"], 5)
    np.testing.assert_allclose(values, np.broadcast_to(made, values.shape), rtol=1e-6)
    np.testing.assert_array_equal(metric_named(name).values(again, 0), values[0])
    label = metric_named(name).title_for(again)
    assert label.startswith(made.attrs["long_name"])


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_hexagons_without_value_of_one_hexagon_and_of_one_bin(name):
    gone = cube_for(name, courses([4, 5], [0, 9], start_ms=100.0, min_neurons=1000))
    options = {k: 100.0 if k == "onset" else v for k, v in OPTIONS.get(name, {}).items()}
    assert np.isnan(hex_map(gone, name, **options)).all()
    one = courses([7], start_ms=100.0)
    value = float(hex_map(one, name, **options)[0])
    expected = {"correlation": NAN, "half_peak_latency": 5.0, "mean_rate": 7.0}
    expected |= {"latency": 0.0, "first_spike_latency": 0.0}
    np.testing.assert_allclose(value, expected.get(name, 7.0))


def test_maps_are_metrics():
    assert set(MAPS) <= set(DERIVED)
    assert not set(MAPS) & set(METRICS)
    assert map_options("correlation") == ("hexes", "start", "stop", "metric")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("latencies", {}, "map 'latencies' is unknown: use one of first_spike_latency, latency"),
        ("latency", {}, "latency needs onset: give onset"),
        ("latency", {"onset": None}, "latency needs onset"),
        ("peak", {"onset": 140.0}, "peak takes start, stop, metric, not onset"),
    ],
)
def test_a_map_that_cannot_be_made_is_refused(name, options, said):
    with pytest.raises(ValueError, match=said):
        hex_map(RESPONSES, name, **options)


def test_a_map_of_other_hexagons_is_refused():
    with pytest.raises(ValueError, match="belongs to other hexagons"):
        with_maps(letter_cube(), peak(RESPONSES))


def test_the_table_has_a_row_per_hexagon():
    table = maps_table(peak(RESPONSES), latency(RESPONSES, onset=140.0))
    assert list(table) == ["hex", "x", "y", "n_neurons", "peak", "latency"]
    assert table["peak"].tolist() == [41, 8, 0, 3, 20]


def test_a_cube_without_the_map_says_what_it_can_show():
    with pytest.raises(ValueError, match="no 'latency': show recruitment, n_recruited, rate, or"):
        metric_named("latency").values(RESPONSES)
    with pytest.raises(ValueError, match="no 'latency'"):
        metric_named("latency").population(RESPONSES)


# --- exactly, from spikes -------------------------------------------------------------------------


@pytest.mark.slow
@given(st.integers(0, 999))
def test_first_spikes_of_the_neurons_of_each_hexagon(seed):
    rng = np.random.default_rng(seed)
    members = group_neurons(
        HexGrid(50.0), *rng.uniform(0, 250, (2, 60)), rng.uniform(size=60) > 0.1
    )
    times = np.sort(np.round(rng.uniform(0, 100, 150), 1))
    neurons = rng.integers(-1, 60, 150).astype(np.int32)
    found = first_spikes(neurons, times, members, onset=20.0, until=80.0)
    for h in range(len(members.i)):
        firsts = []
        for neuron in np.flatnonzero(members.hex_of_neuron == h):
            own = times[(neurons == neuron) & (times >= 20.0) & (times < 80.0)]
            firsts += [own[0] - 20.0] if own.size else []
        assert found["n_fired"][h] == len(firsts)
        np.testing.assert_allclose(found["fired"][h], 100 * len(firsts) / members.n_neurons[h])
        np.testing.assert_allclose(found["first"][h], min(firsts, default=NAN))
        np.testing.assert_allclose(found["median"][h], np.median(firsts) if firsts else NAN)


def test_a_spike_a_rounding_below_the_onset_is_at_it():
    members = group_neurons(HexGrid(50.0), np.zeros(2), np.zeros(2), np.ones(2, bool))
    times = np.array([19.9, 20.0 - 5e-7, 30.0])
    found = first_spikes(np.array([0, 0, 1], np.int32), times, members, onset=20.0)
    assert found["first"].item() == 0.0
    assert found["median"].item() == pytest.approx(5.0, abs=1e-6)


def test_no_spikes_at_all():
    members = group_neurons(HexGrid(50.0), np.zeros(2), np.zeros(2), np.ones(2, bool))
    found = first_spikes(np.zeros(0, np.int32), np.zeros(0), members, onset=0.0)
    assert np.isnan(found["first"]).all() and found["n_fired"].item() == 0
