"""Spikes in order: as numpy's stable sort orders them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.support.slow_counts import ID_TYPES, TIME_TYPES

from napari_hexrecruit.counting.ordering import is_ascending, sort_by_time

times_of_all_kinds = st.sampled_from(TIME_TYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        st.integers(0, 200),
        elements=st.one_of(
            st.integers(0, 5).map(float),
            st.floats(0, 1000, width=32),
            st.floats(width=32),
        ),
    )
)


def assert_sorted_as_numpy(neurons, times, **options):
    before = neurons.copy(), times.copy()
    order = np.argsort(times, kind="stable")
    sorted_neurons, sorted_times = sort_by_time(neurons, times, **options)
    assert (sorted_neurons.dtype, sorted_times.dtype) == (neurons.dtype, times.dtype)
    np.testing.assert_array_equal(sorted_times, times[order])
    np.testing.assert_array_equal(sorted_neurons, neurons[order])
    np.testing.assert_array_equal(neurons, before[0])
    np.testing.assert_array_equal(times, before[1])


@given(times_of_all_kinds, st.sampled_from(ID_TYPES), st.integers(1, 4))
def test_sorts_as_numpy_does(times, dtype, n_workers):
    neurons = np.arange(len(times)).astype(dtype)
    assert_sorted_as_numpy(neurons, times, n_workers=n_workers)


@pytest.mark.parametrize("n_workers", [1, 2, 3])
@pytest.mark.parametrize("kind", ["uniform", "grid", "crowded", "reversed", "wide"])
def test_many_spikes(kind, n_workers):
    rng = np.random.default_rng(3)
    n = 600_000
    times = {
        "uniform": lambda: rng.uniform(0, 1e4, n),
        "grid": lambda: rng.integers(0, 4000, n) * 0.025,
        "crowded": lambda: np.append(rng.uniform(0, 1e-3, n - 1), 1e12),
        "reversed": lambda: np.arange(n)[::-1] * 0.1,
        "wide": lambda: rng.uniform(-1.5, 1.5, n) * 1e308,
    }[kind]()
    assert_sorted_as_numpy(np.arange(n, dtype=np.int32), times, n_workers=n_workers)


def test_what_is_in_order_is_given_back():
    neurons, times = np.arange(3), np.array([1.0, 1.0, np.nan])
    assert sort_by_time(neurons, times) == (neurons, times)


@given(times_of_all_kinds)
def test_ascending_is_what_sorting_leaves_alone(times):
    order = np.argsort(times, kind="stable")
    assert is_ascending(times) == (order == np.arange(len(times))).all()
    assert is_ascending(times[order])


@given(hnp.arrays(np.uint64, st.integers(0, 20)))
def test_ascending_ids(ids):
    assert is_ascending(ids) == (np.sort(ids) == ids).all()
