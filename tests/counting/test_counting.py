"""Counting in memory: exactly as the slow reference, for all types of ids and times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.slow_counts import ID_TYPES, members_of, problems, slow_counts

from napari_hexrecruit import HexGrid, TimeBins
from napari_hexrecruit.counting import bin_counter, jit
from napari_hexrecruit.counting.members import count_newly_recruited, count_spikes, group_neurons
from napari_hexrecruit.hexgrid import hex_names, ij_to_rowcol
from napari_hexrecruit.timebins import Clock, first_at


@pytest.fixture(autouse=True, scope="module")
def many_chunks():
    """Even the few spikes of these tests are shared out among the threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bin_counter, "_WORTH_A_CHUNK", 1)
        yield


@given(problems(), st.sampled_from([1, 2, 4]))
def test_counts_equal_the_slow_reference(problem, n_workers):
    ids, times, members, bins = problem
    order = np.argsort(times, kind="stable")
    ids, times = ids[order], times[order]
    n_recruited, n_spikes, *_ = slow_counts(ids, times, members, bins)
    counted = count_spikes(ids, times, members, bins, n_workers=n_workers)
    assert [part.dtype for part in counted] == [np.int32, np.int32]
    np.testing.assert_array_equal(counted[0], n_recruited)
    np.testing.assert_array_equal(counted[1], n_spikes)


@given(problems())
def test_newly_recruited_are_those_not_seen_in_an_earlier_bin(problem):
    ids, times, members, bins = problem
    order = np.argsort(times, kind="stable")
    ids, times = ids[order], times[order]
    newly = count_newly_recruited(ids, times, members, bins)
    for k in range(bins.n_bins):
        until = TimeBins(bins.start_ms, bins.edges()[k + 1], bins.edges()[k + 1] - bins.start_ms)
        n_recruited, *_ = slow_counts(ids, times, members, until)
        np.testing.assert_array_equal(newly[: k + 1].sum(axis=0), n_recruited[0])


@pytest.mark.parametrize("dtype", ID_TYPES)
def test_ids_that_there_are_not_are_nobody(dtype):
    limits = np.iinfo(dtype)
    ids = np.array([0, 1, 2, 3, limits.min, limits.max], dtype)
    ids[4:] = [limits.max, limits.min if limits.min < 0 else 7]
    counted = count_spikes(ids, np.zeros(6), members_of([0, 0, 0], 1), TimeBins(0.0, 1.0, 1.0))
    assert [part.tolist() for part in counted] == [[[3]], [[3]]]


@pytest.mark.parametrize("n_hexes", [65_534, 65_535, 65_536, 70_000])
def test_more_hexagons_than_16_bits_hold(n_hexes):
    hex_of_neuron = np.arange(n_hexes)
    hex_of_neuron[5] = -1
    members = members_of(hex_of_neuron, n_hexes)
    ids = np.array([0, 5, n_hexes - 1, n_hexes - 1, n_hexes, n_hexes + 1])
    n_recruited, n_spikes = count_spikes(ids, np.zeros(6), members, TimeBins(0.0, 1.0, 1.0))
    assert np.flatnonzero(n_recruited).tolist() == np.flatnonzero(n_spikes).tolist()
    assert n_recruited[0, [0, 5, n_hexes - 1]].tolist() == [1, 0, 1]
    assert n_spikes[0, [0, 5, n_hexes - 1]].tolist() == [1, 0, 2]


@pytest.mark.parametrize("n_spikes", [3, 20_000])
def test_no_bin_remembers_the_one_before(n_spikes):
    """Both ways of forgetting: of a bin with few spikes, and of one with many."""
    n_neurons = 1000
    ids = np.random.default_rng(1).integers(0, n_neurons, n_spikes)
    again = np.concatenate([ids, ids[::-1], ids])
    times = np.repeat([0.5, 1.5, 2.5], n_spikes)
    counted = count_spikes(
        again, times, members_of(np.zeros(n_neurons), 1), TimeBins(0.0, 3.0, 1.0), n_workers=1
    )
    assert counted[0][:, 0].tolist() == [len(np.unique(ids))] * 3


def test_spikes_are_not_changed_and_may_be_read_only():
    ids, times = np.arange(5, dtype=np.uint64), np.arange(5.0)
    ids.flags.writeable = times.flags.writeable = False
    counted = count_spikes(ids, times, members_of([0] * 5, 1), TimeBins(0.0, 5.0, 1.0))
    assert counted[0][:, 0].tolist() == [1] * 5


def test_spikes_of_another_byte_order_or_with_gaps():
    ids, times = np.arange(10, dtype=">u8")[::2], np.arange(10.0, dtype=">f4")[::2]
    members, bins = members_of([0] * 9, 1), TimeBins(0.0, 9.0, 3.0)
    counted = [*count_spikes(ids, times, members, bins)]
    counted.append(count_newly_recruited(ids, times, members, bins))
    assert [part[:, 0].tolist() for part in counted] == [[2, 1, 2]] * 3


@given(problems())
def test_first_at_is_searchsorted(problem):
    _, times, _, bins = problem
    times = np.sort(np.append(times, times.dtype.type(np.nan)))
    cuts = bins.cuts(Clock(times.dtype))
    expected = np.searchsorted(times.astype(np.float64), cuts)
    np.testing.assert_array_equal(first_at(times, cuts), expected)
    np.testing.assert_array_equal(bins.starts(times), expected)


@given(problems())
def test_the_bin_of_a_spike_is_the_one_that_its_position_gives(problem):
    _, times, _, bins = problem
    times = np.sort(times)
    starts = bins.starts(times)
    of_position = np.full(len(times), -1)
    of_position[starts[0] : starts[-1]] = np.repeat(np.arange(bins.n_bins), np.diff(starts))
    np.testing.assert_array_equal(bins.bin_of(times), of_position)


def test_loops_are_compiled_where_nothing_can_be_kept(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))

    @jit.jit(reads="values")
    def largest(values, least):
        for value in values:
            least = max(least, value)
        return least

    assert largest(np.arange(7), 3) == 6
    assert largest(np.arange(2.0), 0.5) == 1.0
    assert caplog.text.count("cannot be stored") == 1


def test_arrays_that_a_loop_cannot_take_are_refused():
    @jit.jit(reads="values")
    def copied(values, out):
        for k in range(values.size):
            out[k] = values[k]

    values, out = np.arange(6.0), np.zeros(6)
    copied(values, out)
    assert out.tolist() == values.tolist()
    read_only = np.zeros(6)
    read_only.flags.writeable = False
    for wrong in [(values[::2], out), (values, out[::2]), (values, read_only)]:
        with pytest.raises(TypeError, match="does not take this array"):
            copied(*wrong)


def test_other_faults_of_compiling_are_not_hidden(monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(jit, "_made", broken)
    with pytest.raises(RuntimeError, match="broken"):
        jit.jit(reads="")(lambda n: n)(1)


@given(st.lists(st.tuples(st.integers(-1, 5), st.booleans()), max_size=30))
def test_hexagons_that_lose_all_neurons_are_left_out(neurons):
    hex_of_neuron = np.array([hexagon for hexagon, _ in neurons], dtype=np.int32)
    kept = np.array([is_kept for _, is_kept in neurons], dtype=bool)
    members = members_of(hex_of_neuron, 6)
    fewer = members.keep(kept)
    left = sorted({hexagon for hexagon, is_kept in neurons if is_kept and hexagon >= 0})
    assert fewer.i.tolist() == left
    assert fewer.n_neurons.tolist() == [neurons.count((hexagon, True)) for hexagon in left]
    assert [fewer.i[h] if h >= 0 else -1 for h in fewer.hex_of_neuron] == [
        hexagon if is_kept else -1 for hexagon, is_kept in neurons
    ]


@pytest.mark.parametrize("far", [0.0, 1e6])
@given(seed=st.integers(0, 2**32 - 1), n_neurons=st.integers(0, 60))
def test_neurons_are_grouped_by_their_hexagon(far, seed, n_neurons):
    """Near each other, and with one so far off that no table of all hexagons is made."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-5, 5, (2, n_neurons))
    x[:1] += far
    has_place = rng.random(n_neurons) < 0.8
    x[~has_place] = np.nan
    grid = HexGrid(1.5)
    members = group_neurons(grid, x, y, has_place)
    names = members.hex_names().tolist()
    i, j = grid.xy_to_hex(np.where(has_place, x, 0.0), y)
    own = hex_names(*ij_to_rowcol(i, j)).tolist()
    expected = [name if placed else None for name, placed in zip(own, has_place, strict=True)]
    assert [names[h] if h >= 0 else None for h in members.hex_of_neuron] == expected
    assert members.n_neurons.tolist() == [expected.count(name) for name in names]
    rowcol = list(zip(*(part.tolist() for part in ij_to_rowcol(members.i, members.j)), strict=True))
    assert rowcol == sorted(set(rowcol))
