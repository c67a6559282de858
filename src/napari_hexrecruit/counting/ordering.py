"""Sorting of spikes by time, in linear time. Must not know files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.system.threads import n_cores, parts

Id = TypeVar("Id", bound=np.integer[Any])
Time = TypeVar("Time", bound=np.floating[Any])
Times = npt.NDArray[np.floating[Any]]
Neurons = npt.NDArray[np.integer[Any]]

_BITS = 9
"""Bits of a digit: the processor's cache can keep about this many write positions."""
_STEPS_PER_SPIKE = 2
_MOST_DIGITS = 4
_MOVES_PER_SPIKE = 8
_WORTH_A_THREAD = 1 << 18


def is_ascending(values: npt.NDArray[Any]) -> bool:
    """Return whether no value is less than the one before, with NaN last.

    Parameters
    ----------
    values
        (n,) numbers.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_ascending(np.array([1.0, 1.0, 2.0, np.nan])), is_ascending(np.array([2, 1]))
    (True, False)
    """
    from napari_hexrecruit.counting import kernel, order_kernel

    values = kernel.plain(values)
    if order_kernel.descents(values) == 0:
        return True
    if values.dtype.kind != "f" or not np.isnan(values[-1]):
        return False
    n_numbers = len(values) - int(np.argmin(np.isnan(values[::-1])))
    if np.isnan(values[n_numbers - 1]):
        return True
    return bool(order_kernel.descents(values[:n_numbers]) == 0)


def follows(time_ms: float, latest_ms: float) -> bool:
    """Return whether a time can follow another one, with NaN last."""
    return bool(time_ms >= latest_ms or np.isnan(time_ms))


def sort_by_time(
    neurons: npt.NDArray[Id], times_ms: npt.NDArray[Time], *, n_workers: int | None = None
) -> tuple[npt.NDArray[Id], npt.NDArray[Time]]:
    """Sort spikes by time; spikes with equal times keep their order.

    Parameters
    ----------
    neurons
        (n_spikes,) neurons, any integer type.
    times_ms
        (n_spikes,) times, float64 or float32.
    n_workers
        Number of threads; by default one per core that this process can use.

    Returns
    -------
    neurons, times_ms : (n_spikes,)
        Sorted arrays of the same types, NaN last; the given arrays if they are already sorted.

    Notes
    -----
    The range of the times is divided into equal steps, at least twice as many as spikes, and the
    spikes are distributed by the digits of their step, last digit first (radix sort). The few
    spikes that share a step are sorted by insertion. If too many spikes share few steps (one
    distant time, and the others crowded), numpy's stable sort is used instead.

    Examples
    --------
    >>> neurons, times = sort_by_time(np.array([4, 5, 6]), np.array([2.0, 0.5, 2.0]))
    >>> neurons.tolist(), times.tolist()
    ([5, 4, 6], [0.5, 2.0, 2.0])
    """
    from napari_hexrecruit.counting import kernel, order_kernel

    if is_ascending(times_ms):
        return neurons, times_ms
    neurons, times = kernel.plain(neurons), kernel.plain(times_ms)
    steps = _steps(times)
    workers = min(n_workers or n_cores(), 1 + len(times) // _WORTH_A_THREAD)
    spare: list[tuple[npt.NDArray[Id], npt.NDArray[Time]]] = []
    with ThreadPoolExecutor(workers) as pool:
        for digit in range(steps.n_digits):
            room = spare.pop() if spare else (np.empty_like(neurons), np.empty_like(times))
            _deal_out(neurons, times, steps, digit * _BITS, room, pool, workers)
            if digit:
                spare.append((neurons, times))
            neurons, times = room
    spare.clear()
    if not order_kernel.insert(times, neurons, _MOVES_PER_SPIKE * len(times)):
        order = np.argsort(times, kind="stable")
        neurons, times = neurons[order], times[order]
    return neurons, times


class _Steps(NamedTuple):
    """Equal steps of time, numbered from 0."""

    lo_ms: float
    per_ms: float
    n_digits: int

    @property
    def last(self) -> int:
        return int((1 << (_BITS * self.n_digits)) - 1)


def _steps(times: Times) -> _Steps:
    from napari_hexrecruit.counting import order_kernel

    span = np.empty(2)
    order_kernel.finite_span(times, span)
    lo, hi = (float(end) for end in span)
    n_digits = min(-(-(len(times) * _STEPS_PER_SPIKE).bit_length() // _BITS), _MOST_DIGITS)
    last = _Steps(lo, 0.0, n_digits).last
    with np.errstate(all="ignore"):
        per_ms = float(np.float64(last) / (np.float64(hi) - np.float64(lo)))
    usable = hi > lo and np.isfinite(per_ms)
    return _Steps(lo if usable else 0.0, per_ms if usable else 0.0, n_digits)


def _deal_out(
    neurons: Neurons,
    times: Times,
    steps: _Steps,
    shift: int,
    room: tuple[Neurons, Times],
    pool: ThreadPoolExecutor,
    n_workers: int,
) -> None:
    """Write the spikes to `room`, ordered by one digit of their step."""
    from napari_hexrecruit.counting import order_kernel

    ranges = parts(len(times), n_workers)
    how = (steps.lo_ms, steps.per_ms, steps.last, shift)
    counted = np.zeros((n_workers, 1 << _BITS), dtype=np.int64)

    def count(worker: int) -> None:
        order_kernel.digit_histogram(times, *ranges[worker], *how, counted[worker])

    def scatter(worker: int) -> None:
        order_kernel.scatter_by_digit(
            times, neurons, *ranges[worker], *how, free[worker], room[1], room[0]
        )

    list(pool.map(count, range(n_workers)))
    by_digit = counted.T.ravel()
    free = np.ascontiguousarray((by_digit.cumsum() - by_digit).reshape(counted.T.shape).T)
    list(pool.map(scatter, range(n_workers)))
