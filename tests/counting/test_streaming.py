"""Counting in blocks: exactly as the slow reference, whatever the order, the memory and the cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.slow_counts import members_of, problems, slow_counts
from tests.support.waiting import threads_of_work

from napari_hexrecruit import TimeBins
from napari_hexrecruit.counting import bin_counter
from napari_hexrecruit.counting.bin_counter import BinCounter
from napari_hexrecruit.counting.members import count_newly_recruited, count_spikes
from napari_hexrecruit.counting.slab_job import OpenSlab, OrderError
from napari_hexrecruit.counting.slabs import count_blocks, count_newly_recruited_blocks, count_slabs
from napari_hexrecruit.timebins import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def many_chunks():
    """Even the few spikes of these tests are shared out among the threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bin_counter, "_WORTH_A_CHUNK", 1)
        yield


@dataclass
class Arrays:
    """Spikes in memory as a source of blocks."""

    ids: np.ndarray
    times: np.ndarray
    order: str
    ends: list[int]
    asked: list[tuple[float, float]] = field(default_factory=list)
    n_open: int = 0

    @property
    def n_spikes(self) -> int:
        return len(self.ids)

    @property
    def clock(self) -> Clock:
        return Clock(self.times.dtype)

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self.asked.append((start_ms, stop_ms))
        self.n_open += 1
        try:
            for first, last in pairwise([0, *self.ends, len(self.ids)]):
                yield self.ids[first:last], self.times[first:last]
        finally:
            self.n_open -= 1


def in_order(order, ids, times):
    by = {"by_time": times, "by_id": ids, "none": np.zeros(len(ids))}[order]
    order = np.argsort(by, kind="stable")
    return ids[order], times[order]


@st.composite
def streams(draw, orders=("by_time", "by_id", "none")):
    ids, times, members, bins = draw(problems())
    order = draw(st.sampled_from(orders))
    ids, times = in_order(order, ids, times)
    ends = sorted(draw(st.lists(st.integers(0, len(ids)), max_size=6)))
    return Arrays(ids, times, order, ends), members, bins


memories = st.sampled_from([1, 100, 1000, 1 << 29])


@pytest.mark.slow
@given(streams(), memories, st.sampled_from([1, 2, 4]))
def test_counts_equal_the_slow_reference(stream, memory_bytes, n_workers):
    source, members, bins = stream
    expected = slow_counts(source.ids, source.times, members, bins)
    counted = count_blocks(
        source,
        members,
        bins,
        clock=source.clock,
        memory_bytes=memory_bytes,
        n_workers=n_workers,
    )
    np.testing.assert_array_equal(counted.n_recruited, expected[0])
    np.testing.assert_array_equal(counted.n_spikes, expected[1])
    assert counted[2:] == expected[2:]
    assert source.n_open == 0


@pytest.mark.slow
@given(streams(), memories, memories)
def test_slabs_make_up_the_window(stream, memory_bytes, slab_bytes):
    source, members, bins = stream
    counts = count_blocks(source, members, bins)
    slabs = list(
        count_slabs(source, members, bins, memory_bytes=memory_bytes, slab_bytes=slab_bytes)
    )
    np.testing.assert_array_equal(np.concatenate([s.n_recruited for s in slabs]), counts[0])
    np.testing.assert_array_equal(np.concatenate([s.n_spikes for s in slabs]), counts[1])
    assert sum(slab.n_inside for slab in slabs) == counts.n_inside
    assert sum(slab.n_unknown_id for slab in slabs) == counts.n_unknown_id
    row_bytes = 8 * len(members.i)
    assert all(slab.k1 - slab.k0 <= max(slab_bytes // row_bytes, 1) for slab in slabs)
    assert [slab.k0 for slab in slabs] == [0, *(slab.k1 for slab in slabs[:-1])]
    assert slabs[-1].k1 == bins.n_bins
    for slab in slabs:
        assert slab.n_recruited.shape == slab.n_spikes.shape
        assert slab.n_recruited.shape == (slab.k1 - slab.k0, len(members.i))
        assert slab.n_recruited.dtype == slab.n_spikes.dtype == np.int32


@given(streams(), memories)
def test_progress_rises_to_the_end(stream, memory_bytes):
    source, members, bins = stream
    said = []
    list(
        count_slabs(
            source, members, bins, memory_bytes=memory_bytes, progress=lambda *a: said.append(a)
        )
    )
    assert {what for what, _, _ in said} == {"spikes"}
    assert all(0 <= done <= total for _, done, total in said)
    assert said[-1][1] == said[-1][2]


@given(streams())
def test_newly_recruited_equal_those_in_memory(stream):
    source, members, bins = stream
    expected = count_newly_recruited(*in_order("by_time", source.ids, source.times), members, bins)
    newly = count_newly_recruited_blocks(source, members, bins, clock=source.clock)
    np.testing.assert_array_equal(newly, expected)
    assert newly.dtype == np.int32


def large(order, n_spikes=300_000, n_neurons=20_000, n_bins=50):
    rng = np.random.default_rng(5)
    ids = rng.integers(0, n_neurons, n_spikes).astype(np.uint64)
    times = rng.uniform(-1.0, n_bins + 1.0, n_spikes)
    ids, times = in_order(order, ids, times)
    members = members_of(rng.integers(-1, 40, n_neurons), 40)
    ends = list(range(7_000, n_spikes, 70_000))
    return Arrays(ids, times, order, ends), members, TimeBins(0.0, n_bins, 1.0)


@pytest.mark.parametrize("n_workers", [1, 2, 4])
@pytest.mark.parametrize("memory_bytes", [50_000, 1 << 29])
@pytest.mark.parametrize("order", ["by_time", "by_id", "none"])
def test_many_spikes_give_what_counting_in_memory_gives(order, memory_bytes, n_workers):
    source, members, bins = large(order)
    expected = count_spikes(*in_order("by_time", source.ids, source.times), members, bins)
    counted = count_blocks(source, members, bins, memory_bytes=memory_bytes, n_workers=n_workers)
    np.testing.assert_array_equal(counted.n_recruited, expected[0])
    np.testing.assert_array_equal(counted.n_spikes, expected[1])


@pytest.mark.parametrize(
    ("order", "memory_bytes", "n_passes"),
    [
        ("by_time", 1, 1),
        ("by_time", 1 << 29, 1),
        ("by_id", 1 << 29, 1),
        ("none", 1 << 29, 2),
        ("none", 700_000, 3),
    ],
)
def test_how_often_the_spikes_are_read(order, memory_bytes, n_passes):
    source, members, bins = large(order)
    list(count_slabs(source, members, bins, memory_bytes=memory_bytes))
    assert len(source.asked) == n_passes


def test_only_the_window_is_asked_for():
    source, members, _ = large("by_time")
    list(count_slabs(source, members, TimeBins(10.0, 20.0, 1.0)))
    assert source.asked == [(10.0 - 1e-6, 20.0 - 1e-6)]


def test_spikes_that_turn_out_to_ascend_are_not_put_in_order_again():
    source, members, bins = large("by_time")
    expected = count_blocks(source, members, bins)
    source.order = "none"
    source.asked.clear()
    counted = count_blocks(source, members, bins, memory_bytes=1000)
    np.testing.assert_array_equal(counted.n_recruited, expected.n_recruited)
    assert len(source.asked) == 2


def test_numbers_behind_nan_are_counted_in_no_order():
    source = Arrays(np.arange(3), np.array([0.5, np.nan, 1.5]), "none", [1, 2])
    counted = count_blocks(source, members_of([0, 0, 0], 1), TimeBins(0.0, 2.0, 1.0))
    assert counted.n_recruited[:, 0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("order", "ids", "times"),
    [
        ("by_time", [0, 0, 0], [1.0, 0.5, 2.0]),
        ("by_time", [0, 0, 0], [0.5, 1.5, 1.0]),
        ("by_time", [0, 0, 0], [0.5, 3.5, 1.0]),
        ("by_id", [1, 0, 2], [0.0, 0.0, 0.0]),
        ("by_id", [0, 2, 1], [0.0, 0.0, 0.0]),
    ],
)
def test_an_order_that_is_not_kept_is_refused(order, ids, times):
    source = Arrays(np.array(ids), np.array(times), order, [2])
    with pytest.raises(OrderError, match=f"not ascending.*{order} promises"):
        count_blocks(source, members_of([0, 0, 0], 1), TimeBins(0.0, 3.0, 1.0))
    assert source.n_open == 0


def test_an_order_that_nobody_knows_is_refused():
    source = Arrays(np.arange(2), np.zeros(2), "by_night", [])
    with pytest.raises(ValueError, match="'by_night' is unknown: use by_time, by_id, none"):
        count_blocks(source, members_of([0, 0], 1), TimeBins(0.0, 3.0, 1.0))


@pytest.mark.parametrize("order", ["by_time", "by_id", "none"])
def test_no_spikes_at_all(order):
    source = Arrays(np.zeros(0, np.uint64), np.zeros(0), order, [])
    counted = count_blocks(source, members_of([0, 1], 2), TimeBins(0.0, 3.0, 1.0))
    assert counted.n_recruited.tolist() == [[0, 0]] * 3
    assert counted[2:] == (0, 0)


@pytest.mark.parametrize("order", ["by_time", "by_id", "none"])
def test_what_progress_raises_ends_the_work(order):
    class Stop(Exception):
        pass

    def stop(what, done, total):
        if done > 100_000:
            raise Stop

    source, members, bins = large(order)
    with pytest.raises(Stop):
        count_blocks(source, members, bins, progress=stop)
    assert source.n_open == 0
    assert threads_of_work() == []


@pytest.mark.parametrize("order", ["by_time", "by_id", "none"])
def test_slabs_that_nobody_wants_end_the_work(order):
    source, members, bins = large(order)
    slabs = count_slabs(source, members, bins, memory_bytes=50_000, slab_bytes=1000)
    assert next(slabs).k0 == 0
    slabs.close()
    assert source.n_open == 0
    assert threads_of_work() == []


def test_more_spikes_than_int32_counts_are_refused():
    members = members_of([0], 1)
    with BinCounter(members.hex_of_neuron, 1, 1) as counter:
        counts = np.zeros((2, 1, 1), np.int32)
        with pytest.raises(ValueError, match="more spikes than int32 can count: use narrower"):
            counter.count(np.zeros(1, np.int32), np.array([0, 2**31]), *counts)
        slab = OpenSlab(0, 1, *counts)
        slab.put(np.array([[2**31 - 1, 0, 0]], np.uint64), slice(None))
        assert slab.done()[2:] == (0, 2**31 - 1, 2**31 - 1, 0)
        with pytest.raises(ValueError, match="more spikes than int32 can count: use narrower"):
            slab.put(np.array([[2**31, 0, 0]], np.uint64), slice(None))
