"""Compiled loops that order spikes by time. Importing this module imports llvmlite."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_hexrecruit.counting.jit import jit, part


@jit(reads="values")
def descents(values: Any) -> Any:
    """Count the values that are not at least the one before, including NaN and values after NaN."""
    n = np.int64(0)
    for i in range(1, values.size):
        n += not values[i] >= values[i - 1]
    return n


@jit(reads="times")
def finite_span(times: Any, span: Any) -> None:
    """Write the least and greatest finite time into (2,) float64; (inf, -inf) if there are none."""
    lo, hi = np.inf, -np.inf
    for i in range(times.size):
        if np.isfinite(times[i]):
            lo, hi = min(lo, np.float64(times[i])), max(hi, np.float64(times[i]))
    span[0], span[1] = lo, hi


@part
def _digit(time: Any, lo: float, per_ms: float, last: int, shift: int, n_digits: int) -> Any:
    """Return a digit of the time's step number; NaN has the last step."""
    place = (np.float64(time) - lo) * per_ms
    step = np.int64(max(place, 0.0)) if place < last else last
    return (step >> shift) & (n_digits - 1)


@jit(reads="times")
def digit_histogram(
    times: Any, first: int, last: int, lo: float, per_ms: float, top: int, shift: int, n: Any
) -> None:
    """Add times `first` to `last` to the (n_digits,) int64 count of each digit."""
    for i in range(first, last):
        n[_digit(times[i], lo, per_ms, top, shift, n.size)] += 1


@jit(reads="times neurons")
def scatter_by_digit(
    times: Any,
    neurons: Any,
    first: int,
    last: int,
    lo: float,
    per_ms: float,
    top: int,
    shift: int,
    free: Any,
    times_out: Any,
    neurons_out: Any,
) -> None:
    """Write spikes `first` to `last` to the next free position of their digit."""
    for i in range(first, last):
        digit = _digit(times[i], lo, per_ms, top, shift, free.size)
        at = free[digit]
        free[digit] = at + 1
        times_out[at] = times[i]
        neurons_out[at] = neurons[i]


@jit(reads="")
def insert(times: Any, neurons: Any, most_moves: int) -> Any:
    """Sort almost sorted spikes in place, NaN last; return False if it takes too many moves."""
    moves = np.int64(0)
    for i in range(1, times.size):
        time, neuron = times[i], neurons[i]
        at = i
        while at > 0 and (times[at - 1] > time or (time == time and np.isnan(times[at - 1]))):
            times[at], neurons[at] = times[at - 1], neurons[at - 1]
            at -= 1
            moves += 1
        times[at], neurons[at] = time, neuron
        if moves > most_moves:
            return False
    return True
