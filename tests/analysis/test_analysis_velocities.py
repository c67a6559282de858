"""Local velocity of fronts that are known, its intervals, and where waves begin and end."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from tests.support.wave_cubes import RADIUS_UM, Known, centres

from napari_hexrecruit.analysis import local_velocity, velocity_arrows

_, _, X, Y = centres()
INNER = (X > 300.0) & (X < 1400.0) & (Y > 300.0) & (Y < 1150.0)
SOURCE, OTHER = (650.0, 600.0), (1200.0, 800.0)


def latency(values):
    return xr.DataArray(
        values,
        {"x": ("hex", X, {"units": "um"}), "y": ("hex", Y)},
        ("hex",),
        name="half_peak_latency",
        attrs={"hex_radius": RADIUS_UM, "bin_ms": 10.0},
    )


def test_a_straight_front_has_its_velocity_everywhere():
    front = Known(0.0, direction_deg=200.0, speed=12.0)
    found = local_velocity(latency(front.arrival_ms(X, Y)))
    assert found["speed"].values == pytest.approx(12.0, rel=1e-6)
    assert found["direction"].values == pytest.approx(200.0, abs=1e-6)
    assert np.nanmax(np.abs(found["divergence"])) < 1e-9
    assert not found["source"].any() and not found["sink"].any()
    assert found["speed"].attrs["units"] == "um/ms"


def test_circles_have_one_source_and_run_outwards():
    found = local_velocity(latency(Known(0.0, SOURCE, speed=10.0).arrival_ms(X, Y)))
    (at,) = np.flatnonzero(found["source"])
    assert np.hypot(X[at] - SOURCE[0], Y[at] - SOURCE[1]) < 2 * RADIUS_UM
    assert not found["sink"].any()
    far = INNER & (np.hypot(X - SOURCE[0], Y - SOURCE[1]) > 300.0)
    outwards = np.degrees(np.arctan2(Y - SOURCE[1], X - SOURCE[0]))
    off = (found["direction"].values - outwards + 180.0) % 360.0 - 180.0
    assert np.abs(off[far]).max() < 3.0
    assert found["speed"].values[far] == pytest.approx(10.0, rel=0.05)
    away = np.hypot(X - SOURCE[0], Y - SOURCE[1])
    assert found["divergence"].values[far] == pytest.approx(1.0 / away[far], rel=0.15)


def test_two_waves_meet_in_sinks():
    arrival = np.fmin(Known(0.0, SOURCE).arrival_ms(X, Y), Known(0.0, OTHER).arrival_ms(X, Y))
    found = local_velocity(latency(arrival))
    sources = np.flatnonzero(found["source"])
    assert len(sources) == 2
    sinks = np.flatnonzero(found["sink"])
    assert len(sinks) > 0
    apart = [np.hypot(X[sinks] - x, Y[sinks] - y) for x, y in (SOURCE, OTHER)]
    assert np.abs(apart[0] - apart[1]).max() < 4 * RADIUS_UM  # on the line between
    shrinks = local_velocity(latency(-Known(0.0, SOURCE).arrival_ms(X, Y)))
    assert shrinks["sink"].sum() == 1 and not shrinks["source"].any()


def test_intervals_hold_the_truth_at_independent_errors():
    rng = np.random.default_rng(0)
    way = Known(0.0, direction_deg=30.0, speed=10.0).arrival_ms(X, Y)
    held, angles = [], []
    for _ in range(10):
        found = local_velocity(latency(way + rng.normal(scale=2.0, size=len(X))))
        held.append((found["speed_low"] <= 10.0) & (found["speed_high"] >= 10.0))
        off = (found["direction"].values - 30.0) / found["direction_se"].values
        angles.append(np.abs(off) <= 2.12)
    # the larger of two errors is taken: never too narrow
    assert 0.93 <= np.mean(held) <= 0.995
    assert 0.93 <= np.mean(angles) <= 0.995


def test_without_a_front_there_is_no_velocity():
    rng = np.random.default_rng(1)
    noise = local_velocity(latency(rng.normal(size=len(X))))
    assert np.isfinite(noise["speed"]).mean() < 0.2
    for values in (np.full(len(X), 5.0), np.full(len(X), np.nan)):
        found = local_velocity(latency(values))
        assert np.isnan(found["speed"]).all() and velocity_arrows(found) == []
        assert not found["source"].any() and not found["sink"].any()


def test_hexagons_without_a_latency_have_no_velocity_and_count_for_none():
    arrival = Known(0.0, direction_deg=0.0).arrival_ms(X, Y)
    hole = np.hypot(X - 800.0, Y - 700.0) < 200.0
    found = local_velocity(latency(np.where(hole, np.nan, arrival)))
    assert np.isnan(found["speed"].values[hole]).all()
    assert found["speed"].values[~hole] == pytest.approx(10.0, rel=1e-6)


def test_arrows_show_speed_and_direction():
    found = local_velocity(latency(Known(0.0, direction_deg=90.0).arrival_ms(X, Y)))
    arrows = velocity_arrows(found, at_most=60)
    assert 15 <= len(arrows) <= 120
    lengths = {round(float(np.hypot(*(line[1] - line[0]))), 6) for line in arrows}
    assert len(lengths) == 1
    assert all(line[1, 1] > line[0, 1] and abs(line[1, 0] - line[0, 0]) < 1e-6 for line in arrows)
    assert len(velocity_arrows(found, at_most=10_000)) == len(X)


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ValueError, match="rings must be 1 or more"):
        local_velocity(latency(X), rings=0)
    with pytest.raises(ValueError, match="at_most must be 1 or more"):
        velocity_arrows(local_velocity(latency(X)), at_most=0)
