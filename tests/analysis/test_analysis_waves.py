"""Fronts that are there are found, and those that are not are not."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.thorough import repetitions

from napari_hexrecruit.analysis import (
    CRITERIA,
    _fits,
    arrow_line,
    fit_wave,
    isochrones,
    verdicts,
    wave_arrow,
    waves,
)
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.hexgrid import HexGrid, rowcol_to_ij

GRID = HexGrid(50.0)
ROW, COL = (a.ravel() for a in np.mgrid[0:14, 0:18])
X, Y = GRID.hex_to_xy(*rowcol_to_ij(ROW, COL))
SIZE = float(np.hypot(np.ptp(X), np.ptp(Y)))


def latency_map(values, *, x=X, y=Y, bin_ms=1.0, units="um"):
    return xr.DataArray(
        np.asarray(values, dtype=float),
        {"x": ("hex", x, {"units": units}), "y": ("hex", y)},
        ("hex",),
        attrs={"units": "ms", "hex_radius": 50.0, "bin_ms": bin_ms},
    )


def plane(speed, direction, t0=20.0):
    angle = math.radians(direction)
    return t0 + (X * math.cos(angle) + Y * math.sin(angle)) / speed


def radial(speed, source, t0=10.0):
    return t0 + np.hypot(X - source[0], Y - source[1]) / speed


directions = st.floats(0.0, 359.9)
speeds = st.floats(1.0, 500.0)


# --- plane ----------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=repetitions(8, 25))
@given(speeds, directions)
def test_a_plane_wave_is_found_exactly(speed, direction):
    fit = fit_wave(latency_map(plane(speed, direction)), kind="plane")
    assert fit.is_wave, fit.why
    assert fit.speed == pytest.approx(speed, rel=1e-6)
    assert math.cos(math.radians(fit.direction - direction)) == pytest.approx(1.0, abs=1e-9)
    assert 0.0 <= fit.direction < 360.0
    assert fit.r_squared == pytest.approx(1.0)
    assert fit.speed_m_per_s == pytest.approx(speed / 1000.0, rel=1e-6)
    assert fit.agreement == 1.0 and fit.p_value == pytest.approx(1 / 500)
    np.testing.assert_allclose(fit.latency_at(X, Y), plane(speed, direction), atol=1e-6)


@pytest.mark.parametrize("seed", range(repetitions(4, 10)))
def test_the_intervals_hold_the_truth(seed):
    """95 % of intervals do; these have fixed seeds, so only the code can change the outcome."""
    rng = np.random.default_rng(seed)
    noisy = plane(30.0, 77.0) + rng.normal(0, 3, len(X))
    fit = fit_wave(latency_map(noisy), kind="plane")
    assert fit.is_wave
    assert fit.speed == pytest.approx(30.0, rel=0.05)
    assert fit.residual == pytest.approx(3.0, rel=0.15)
    held = [fit.speed_ci[0] < 30.0 < fit.speed_ci[1]]
    held += [fit.direction_ci[0] < 77.0 < fit.direction_ci[1]]
    assert all(held), (fit.speed_ci, fit.direction_ci)
    assert fit.speed_ci[1] - fit.speed_ci[0] < 4.0


def test_the_interval_of_a_direction_near_0_does_not_wrap():
    rng = np.random.default_rng(0)
    fit = fit_wave(latency_map(plane(30.0, 0.0) + rng.normal(0, 3, len(X))), kind="plane")
    low, high = fit.direction_ci
    assert low < fit.direction < high and high - low < 15.0


def test_the_same_seed_gives_the_same_numbers():
    noisy = latency_map(
        radial(30.0, (400.0, 300.0)) + np.random.default_rng(1).normal(0, 3, len(X))
    )
    for kind in ("plane", "radial"):
        one, other = (fit_wave(noisy, kind=kind, seed=3) for _ in range(2))
        assert one.to_dict() == other.to_dict()
    assert fit_wave(noisy, kind="radial", seed=4).speed_ci != other.speed_ci


@pytest.mark.slow
@settings(max_examples=repetitions(8, 25))
@given(directions, st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), st.floats(0.5, 3.0))
def test_moving_and_scaling_flat_space_moves_and_scales_the_wave(direction, dx, dy, scale):
    values = plane(20.0, direction) + 2.0 * np.sin(X) * np.cos(Y)
    fit = fit_wave(latency_map(values), kind="plane")
    moved = latency_map(values, x=scale * X + dx, y=scale * Y + dy)
    other = fit_wave(moved, kind="plane")
    assert other.speed == pytest.approx(scale * fit.speed, rel=1e-6)
    assert other.direction == pytest.approx(fit.direction, abs=1e-6)
    assert other.r_squared == pytest.approx(fit.r_squared, rel=1e-9)


def test_weights_count_like_repetitions():
    rng = np.random.default_rng(2)
    values = plane(25.0, 130.0) + rng.normal(0, 4, len(X))
    weights = rng.integers(0, 4, len(X))
    weighted = fit_wave(latency_map(values), kind="plane", weights=weights)
    again = np.repeat(np.arange(len(X)), weights)
    repeated = fit_wave(latency_map(values[again], x=X[again], y=Y[again]), kind="plane")
    assert weighted.slowness == pytest.approx(repeated.slowness, rel=1e-9)
    assert weighted.r_squared == pytest.approx(repeated.r_squared, rel=1e-9)
    assert weighted.n_hexes == np.count_nonzero(weights)


def test_outside_of_weights_and_latencies_nothing_counts():
    values = plane(25.0, 130.0)
    values[::3] = np.nan
    spoilt = values.copy()
    spoilt[1::3] = 1e6
    kept = np.ones(len(X))
    kept[1::3] = 0.0
    fit = fit_wave(latency_map(spoilt), weights=kept)
    assert fit.speed == pytest.approx(25.0) and fit.n_hexes == len(X) // 3
    for wrong in (np.ones(3), -np.ones(len(X)), np.full(len(X), np.nan)):
        with pytest.raises(ValueError, match="weights must be 252 numbers of 0 or more"):
            fit_wave(latency_map(values), weights=wrong)


# --- radial ---------------------------------------------------------------------------------------

inside = st.tuples(st.floats(0.0, float(X.max())), st.floats(0.0, float(Y.max())))


@pytest.mark.slow
@settings(max_examples=repetitions(8, 25))
@given(speeds, inside)
def test_a_radial_wave_is_found_with_its_source(speed, source):
    fit = fit_wave(latency_map(radial(speed, source)))
    assert fit.is_wave and fit.kind == "radial", fit.why
    assert fit.speed == pytest.approx(speed, rel=1e-3)
    assert math.dist(fit.source, source) < 2.0
    assert math.isnan(fit.direction)
    assert fit.p_value == pytest.approx(1 / 500)


@pytest.mark.slow
@settings(max_examples=repetitions(8, 25))
@given(speeds, directions)
def test_of_a_plane_wave_the_plane_is_the_better_fit(speed, direction):
    noise = np.random.default_rng(0).normal(0, 0.02 * SIZE / speed, len(X))
    fit = fit_wave(latency_map(plane(speed, direction) + noise, bin_ms=0.0))
    assert fit.kind == "plane" and fit.is_wave, fit.why


def test_a_noisy_radial_wave_is_not_called_plane():
    noise = np.random.default_rng(0).normal(0, 3, len(X))
    fit = fit_wave(latency_map(radial(15.0, (300.0, 200.0)) + noise))
    assert fit.kind == "radial" and fit.is_wave
    assert fit.speed == pytest.approx(15.0, rel=0.05)
    assert fit.speed_ci[0] < 15.0 < fit.speed_ci[1]
    assert math.dist(fit.source, (300.0, 200.0)) < 50.0


# --- no wave --------------------------------------------------------------------------------------

RNG = np.random.default_rng(7)
HALVES = np.where(X.mean() < X, 60.0, 20.0)
NO_WAVE = {
    "noise": (RNG.normal(50, 10, len(X)), "% of the variance"),
    "everywhere at once": (np.full(len(X), 20.0), "at the same time"),
    "one half, then the other": (HALVES, "it jumps, or stands still"),
    "the same with noise": (HALVES + RNG.normal(0, 2, len(X)), "it jumps, or stands still"),
    "patches": (30 + 10 * np.sin(X / 150) * np.cos(Y / 130), "% of the variance"),
    "within a bin": (plane(SIZE / 0.5, 30.0), "within one bin of 1 ms"),
    "nowhere": (np.full(len(X), np.nan), "only 0 hexagons have a latency"),
    "in a few hexagons": (np.where(np.arange(len(X)) < 11, X, np.nan), "only 11 hexagons"),
    "in a row": (np.where(ROW == 3, X, np.nan), "lie on a line"),
}


@pytest.mark.parametrize("name", NO_WAVE)
@pytest.mark.parametrize("kind", ["plane", "radial", "best"])
def test_where_there_is_no_wave_there_is_no_speed_and_a_sentence(name, kind):
    values, said = NO_WAVE[name]
    fit = fit_wave(latency_map(values), kind=kind)
    assert not fit.is_wave
    assert fit.why.startswith("no wave: ") and said in fit.why
    assert np.isnan([fit.speed, fit.speed_m_per_s, fit.direction]).all()
    assert np.isnan([*fit.speed_ci, *fit.direction_ci, *fit.source]).all()
    assert np.isnan(wave_arrow(fit, latency_map(values))).all()


@pytest.mark.slow
def test_noise_is_called_a_wave_as_rarely_as_the_criteria_say():
    rng = np.random.default_rng(0)
    found = [
        fit_wave(latency_map(rng.normal(50, 10, len(X))), kind=kind).is_wave
        for _ in range(20)
        for kind in ("plane", "radial")
    ]
    assert not any(found)


@pytest.mark.slow
def test_permuted_latencies_have_p_values_spread_from_0_to_1():
    rng = np.random.default_rng(0)
    values = radial(15.0, (300.0, 200.0))
    p = [fit_wave(latency_map(rng.permutation(values)), kind="radial").p_value for _ in range(30)]
    assert 0.3 < np.mean(p) < 0.7 and min(p) > 1 / 500 and max(p) <= 1.0


def test_a_front_that_runs_inwards_has_no_source():
    fit = fit_wave(latency_map(200.0 - radial(15.0, (700.0, 500.0))), kind="radial")
    assert not fit.is_wave


@pytest.mark.slow
def test_circles_that_shrink_are_no_wave_from_a_source():
    """The search for a source starts where latencies rise, so the fit itself rarely gets here."""
    points = _fits.Points(X, Y, radial(15.0, (700.0, 500.0)), np.ones(len(X)))
    grows = waves._front(points, "radial", 0)
    shrinks = dataclasses.replace(grows.trend, slowness=(-grows.trend.slowness[0], 0.0))
    assert verdicts.against(grows, points, 0.0) == ""
    against = verdicts.against(dataclasses.replace(grows, trend=shrinks), points, 0.0)
    assert "fall with the distance" in against


def test_a_good_fit_to_few_hexagons_may_be_chance():
    block = (ROW < 3) & (COL < 4)
    jitter = np.resize([-5.0, 5.0, 0.0, -5.0, 5.0], len(X))
    fit = fit_wave(latency_map(np.where(block, X / 20.0 + jitter, np.nan)), kind="plane")
    assert fit.r_squared > 0.5 and "may be chance (p = 0.0" in fit.why


def test_a_plane_front_has_no_source_on_the_sheet():
    fit = fit_wave(latency_map(plane(20.0, 40.0)), kind="radial")
    assert not fit.is_wave and "far outside of the sheet: fit a plane" in fit.why


def test_the_criteria_are_those_that_the_sentences_name():
    assert CRITERIA == {"n_hexes": 12, "r_squared": 0.5, "p_value": 0.01, "agreement": 0.5}
    with pytest.raises(ValueError, match="kind must be plane, radial or best, not 'circle'"):
        fit_wave(latency_map(X), kind="circle")


# --- numbers and lines ----------------------------------------------------------------------------


def test_sentences_and_json():
    fit = fit_wave(latency_map(plane(20.0, 40.0)))
    assert fit.why == "plane wave: 20 µm/ms (0.02 m/s) towards 40°; R² = 1.000 over 252 hexagons"
    plain = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert plain["speed"] == pytest.approx(20.0) and plain["source"] == [None, None]
    none = fit_wave(latency_map(np.full(len(X), np.nan)))
    assert json.loads(json.dumps(none.to_dict(), allow_nan=False))["speed"] is None
    in_pixels = fit_wave(latency_map(plane(20.0, 40.0), units="pixel"))
    assert "20 pixel/ms towards" in in_pixels.why and math.isnan(in_pixels.speed_m_per_s)


@given(st.sampled_from([plane(20.0, 40.0), radial(20.0, (500.0, 400.0)), plane(3.0, 270.0)]))
def test_on_an_isochrone_the_front_is_at_its_time_and_on_the_sheet(values):
    latency = latency_map(values)
    latency = latency.where((X - 600) ** 2 + (Y - 300) ** 2 > 150**2)  # a hole
    fit = fit_wave(latency)
    lines = isochrones(fit, latency)
    assert 3 <= len(lines) <= 14
    assert np.diff([one.time for one in lines]) == pytest.approx(lines[1].time - lines[0].time)
    centres = np.stack([X, Y], 1)[np.isfinite(latency.to_numpy())]
    for one in lines:
        points = one.line[np.isfinite(one.line).all(axis=1)]
        np.testing.assert_allclose(fit.latency_at(*points.T), one.time, atol=1e-6)
        assert np.hypot(*(points[:, None] - centres).T).min(axis=0).max() <= 50.0
        together = ~np.isnan(one.line[1:] + one.line[:-1]).any(axis=1)
        steps = np.hypot(*np.diff(one.line, axis=0).T)[together]
        assert steps.max() < 15.0


def test_isochrones_at_a_wanted_step():
    latency = latency_map(plane(20.0, 0.0))
    times = [one.time for one in isochrones(fit_wave(latency), latency, step=7.0)]
    assert times == [21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91]
    with pytest.raises(ValueError, match="step must be"):
        isochrones(fit_wave(latency), latency, step=0.0)
    flat = latency_map(np.full(len(X), 20.0))
    assert isochrones(fit_wave(flat), flat) == []


def test_the_arrow_points_where_the_wave_runs_to():
    latency = latency_map(plane(20.0, 160.0))
    tail, head = wave_arrow(fit_wave(latency), latency)
    angle = math.degrees(math.atan2(*(head - tail)[::-1]))
    assert angle == pytest.approx(160.0)
    np.testing.assert_allclose((tail + head) / 2, [X.mean(), Y.mean()])
    drawn = arrow_line(np.array([tail, head]))
    np.testing.assert_allclose(drawn[[0, 1, 4]], [tail, head, head])
    assert np.isnan(drawn[2]).all()
    barbs = drawn[[3, 5]] - head
    np.testing.assert_allclose(np.hypot(*barbs.T), np.hypot(*(head - tail)) / 8.0)
    along = barbs @ (tail - head) / np.hypot(*(head - tail)) / np.hypot(*barbs.T)
    np.testing.assert_allclose(along, math.cos(math.radians(25.0)))
    circles = latency_map(radial(20.0, (500.0, 400.0)))
    assert np.isnan(wave_arrow(fit_wave(circles), circles)).all()


# --- calibration, with few maps each; `make calibrate` draws more --------------------------------


def smooth_noise(length, rng):
    away = np.hypot(X[:, None] - X, Y[:, None] - Y) / GRID.spacing
    values = np.exp(-(away**2) / (2.0 * length**2)) @ rng.normal(size=len(X))
    return (values - values.mean()) / values.std()


@pytest.mark.slow
@pytest.mark.parametrize("length", [2.0, 3.0, 5.0])
def test_smooth_noise_is_rarely_called_a_wave(length):
    found = [
        fit_wave(latency_map(30 + 10 * smooth_noise(length, np.random.default_rng(k)))).is_wave
        for k in range(12)
    ]
    assert sum(found) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("blur", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("border", ["straight", "circle"])
def test_a_border_is_no_front_however_blurred(border, blur):
    from scipy.special import ndtr

    for seed in range(4):
        rng = np.random.default_rng(seed)
        centre = (X[130], Y[130]) if border == "circle" else (-1e6, -3e5)
        way = np.hypot(X - centre[0], Y - centre[1])
        off = (way - np.quantile(way, 0.4)) / GRID.spacing
        levels = 10.0 * (ndtr(off / blur) if blur else off > 0)
        fit = fit_wave(latency_map(20 + levels + rng.normal(0, 1, len(X)), bin_ms=0.0))
        assert not fit.is_wave, fit.why


@pytest.mark.parametrize("sizes", [0.0, 1.5, 3.0])
def test_a_front_is_found_from_near_and_far_sources(sizes):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        way = np.hypot(X - 400.0 - sizes * SIZE, Y - 300.0)
        late = 20.0 * (way - way.min()) / np.ptp(way)
        fit = fit_wave(latency_map(late + rng.normal(0, 1, len(X)), bin_ms=0.0))
        assert fit.is_wave, fit.why
        if sizes:
            assert fit.kind == "radial" or abs(fit.direction - 180.0) < 20.0


@pytest.mark.slow
def test_intervals_hold_where_errors_are_alike():
    held = 0
    for seed in range(20):
        errors = 3.0 * smooth_noise(2.0, np.random.default_rng(seed))
        fit = fit_wave(latency_map(plane(15.0, 50.0) + errors), kind="plane")
        held += fit.speed_ci[0] <= 15.0 <= fit.speed_ci[1]
        assert 100.0 < fit.correlation_length < 600.0
    assert held >= 17


def test_a_map_that_drifts_is_no_wave():
    drift = np.cos((X * 0.9 + Y * 0.4) / SIZE * 2.2) + 0.3 * np.sin(Y / SIZE * 4.0)
    against = [
        fit_wave(latency_map(30 + 10 * drift, bin_ms=0.0)).why,
        fit_wave(latency_map(30 + 10 * smooth_noise(9.0, np.random.default_rng(6)))).why,
    ]
    assert all(why.startswith("no wave") for why in against)


def test_a_map_that_depends_on_amplitudes_is_doubted():
    prone = latency_map(plane(20.0, 40.0)).rename("latency")
    with pytest.warns(RecruitmentWarning, match="use half_peak_latency"):
        fit = fit_wave(prone)
    assert fit.is_wave and "use half_peak_latency" in fit.caution
    assert fit_wave(prone.rename("half_peak_latency")).caution == ""


def test_latencies_that_the_amplitudes_explain_are_no_wave():
    strong = np.exp(-np.hypot(X - 600.0, Y - 400.0) / 500.0)
    late = latency_map(radial(20.0, (600.0, 400.0)) + np.random.default_rng(0).normal(0, 1, len(X)))
    prone = late.rename("latency").assign_coords(amplitude=("hex", strong))
    with pytest.warns(RecruitmentWarning):
        fit = fit_wave(prone)
    assert not fit.is_wave and "how strongly hexagons respond explains" in fit.why
