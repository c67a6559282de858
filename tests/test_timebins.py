"""Bins of time: where a spike goes, and which windows are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_hexrecruit import TimeBins

widths = st.sampled_from([0.1, 0.025, 1.0, 2.5, 5.0, 10.0, 100.0])
starts = st.sampled_from([0.0, 0.1, 3000.0, 22.3, 1000.025])
n_bins = st.integers(1, 2000)


@given(starts, widths, n_bins, st.data())
def test_a_spike_at_an_edge_belongs_to_the_bin_that_starts_there(start, width, n, data):
    bins = TimeBins(start, start + n * width, width)
    k = data.draw(st.integers(0, n - 1))
    noise = data.draw(st.floats(-0.9e-6, 0.9e-6))
    assert bins.n_bins == n
    assert bins.bin_of([bins.edges()[k] + noise])[0] == k


@given(starts, widths, n_bins, st.floats(0, 1, exclude_max=True))
def test_every_time_of_the_window_is_between_the_edges_of_its_bin(start, width, n, share):
    bins = TimeBins(start, start + n * width, width)
    time = start + share * n * width
    assume(time < bins.stop_ms - 1e-6)
    k = bins.bin_of([time])[0]
    edges = bins.edges()
    assert edges[k] - 1.1e-6 <= time < edges[k + 1]


def test_times_outside_and_nan_are_in_no_bin():
    bins = TimeBins(10.0, 30.0, 10.0)
    times = [-1.0, 9.99, 30.0, 30.0 - 1e-7, math.nan, math.inf, -math.inf]
    assert bins.bin_of(times).tolist() == [-1] * len(times)


def test_times_as_a_simulator_stores_them():
    bins = TimeBins(0.0, 40.0, 0.1)
    stored = [22.300000000099267, 0.3, 0.30000000000000004, 0.7, 39.9]
    assert bins.bin_of(stored).tolist() == [223, 3, 3, 7, 399]


def test_the_noise_is_forgiven_at_a_start_that_is_not_0():
    bins = TimeBins(22.3, 22.6, 0.1)
    assert bins.bin_of([22.3 - 5e-7, 22.4 - 5e-7, 22.6 - 5e-7]).tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("stop", "said"),
    [(95.0, "use 0 to 90 ms or 0 to 100 ms"), (5.0, "use 0 to 10 ms")],
)
def test_a_window_that_is_not_whole_is_refused_with_the_nearest_that_are(stop, said):
    with pytest.raises(ValueError, match=said):
        TimeBins(0.0, stop, 10.0)


def test_the_nearest_windows_are_themselves_accepted():
    with pytest.raises(ValueError, match=r"use 1\.5 to 4\.2 ms or 1\.5 to 4\.5 ms"):
        TimeBins(1.5, 4.4, 0.3)
    assert TimeBins(1.5, 4.2, 0.3).n_bins == 9
    assert TimeBins(1.5, 4.5, 0.3).n_bins == 10


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((0.0, 10.0, 0.0), "bin width must be greater than 0"),
        ((0.0, 10.0, -1.0), "bin width must be greater than 0"),
        ((0.0, math.nan, 1.0), "stop_ms must be a finite number"),
        ((math.inf, 10.0, 1.0), "start_ms must be a finite number"),
        ((0.0, 10.0, "1"), "width_ms must be a finite number"),
        ((10.0, 10.0, 1.0), "is empty"),
        ((10.0, 5.0, 1.0), "is empty"),
        ((0.0, 1e12, 1e-6), "too many"),
    ],
)
def test_windows_that_mean_nothing_are_refused(window, said):
    with pytest.raises(ValueError, match=said):
        TimeBins(*window)


@given(starts, widths, st.integers(1, 500), st.floats(0.0, 0.99))
def test_the_ragged_end_of_a_window_is_dropped_and_said(start, width, n, share):
    stop = start + (n + share) * width
    bins, dropped = TimeBins.within(start, stop, width)
    assert bins.n_bins == n
    assert dropped == pytest.approx(share * width, abs=2e-6)


def test_a_whole_window_drops_nothing():
    bins, dropped = TimeBins.within(0.0, 0.3, 0.1)
    assert (bins.n_bins, dropped) == (3, 0.0)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((0.0, 5.0, 10.0), "does not fit"),
        ((0.0, 5.0, math.nan), "bin width must be"),
        ((0.0, math.inf, 1.0), "window must be finite"),
        ((50.0, 5.0, 10.0), "does not fit"),
    ],
)
def test_a_window_without_a_whole_bin_is_refused(window, said):
    with pytest.raises(ValueError, match=said):
        TimeBins.within(*window)


def test_edges_are_exact_multiples_and_not_sums():
    edges = TimeBins(0.0, 1000.0, 0.1).edges()
    np.testing.assert_array_equal(edges, np.arange(10_001) * 0.1)
