"""Work done ahead of its use: all of it, in order, and no more once nobody wants it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import PATIENCE_S, threads_of_work

from napari_hexrecruit.system.threads import ahead, n_cores, parts


def test_everything_comes_in_order():
    with ahead(iter(range(100))) as items:
        assert list(items) == list(range(100))


def test_the_next_item_is_made_while_one_is_used():
    second_is_made = threading.Event()

    def source():
        for item in range(3):
            if item == 1:
                second_is_made.set()
            yield item

    with ahead(source(), 1) as items:
        assert next(items) == 0
        assert second_is_made.wait(PATIENCE_S)


def test_a_fault_of_the_source_is_raised_where_items_are_used():
    def source():
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), ahead(source()) as items:
        assert next(items) == 1
        next(items)


def test_what_is_not_wanted_any_more_ends():
    closed = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt), ahead(endless()) as items:
        next(items)
        raise KeyboardInterrupt
    assert closed == [True]
    assert threads_of_work() == []


@given(st.integers(0, 50), st.integers(1, 9))
def test_parts_make_up_the_whole(n, n_parts):
    ranges = parts(n, n_parts)
    assert [k for first, last in ranges for k in range(first, last)] == list(range(n))
    lengths = [last - first for first, last in ranges]
    assert max(lengths) - min(lengths) <= 1


def test_there_is_a_core():
    assert n_cores() >= 1
