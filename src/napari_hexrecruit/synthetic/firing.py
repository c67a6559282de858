"""Spikes of a story: neurons and steps of the time grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.synthetic.plan import BURST_EVERY, BURST_SPIKES, STEP_MS, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.synthetic.story import Story

Ints = npt.NDArray[np.int64]

_PIECE_SPIKES = 2_000_000
_PIECE_BINS = 2**16 // STEPS
"""Most bins of a piece, so that its steps fit into the 16-bit keys used for sorting."""
_STRIDES = np.array([1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099])
"""Primes above the size of any group: such a stride around a group meets each neuron once."""

_DT_MS = 0.025
_DELIVERY_MS = 1e-10
"""Time that NEURON adds when it delivers a spike."""
_NOISE_PERIOD = 100_000


class Piece(NamedTuple):
    """Spikes of some bins, ascending in time: numbers of neurons in the census, and grid steps."""

    neurons: Ints
    steps: Ints


def spike_pieces(story: Story) -> Iterator[Piece]:
    """Yield the spikes of the main population, some bins at a time.

    The first neuron of a group that fires in a bin is random, the others follow at equal strides.
    """
    rng = story.rng(3)
    for first, stop in _bin_ranges(story.plan.spikes.sum(axis=1)):
        yield _piece(story, first, stop, rng)


def grid_times_ms(n_steps: int) -> npt.NDArray[np.float64]:
    """Return (n_steps,) times on the grid, with the rounding errors of a simulator.

    In a simulator that adds up its time step, the error grows; here it restarts every 10 s, so that
    it stays below 1e-7 ms.
    """
    noise_steps, per_step = min(n_steps, _NOISE_PERIOD), round(STEP_MS / _DT_MS)
    added_up = np.cumsum(np.full(noise_steps * per_step, _DT_MS)) - _DT_MS
    noise = added_up[::per_step] - STEP_MS * np.arange(noise_steps) + _DELIVERY_MS
    steps = np.arange(n_steps)
    return np.asarray(STEP_MS * steps + noise[steps % noise_steps])


def _bin_ranges(spikes_per_bin: npt.NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    total = np.cumsum(spikes_per_bin)
    first = 0
    while first < len(total):
        done = total[first - 1] if first else 0
        stop = int(np.searchsorted(total, done + _PIECE_SPIKES, side="right"))
        stop = min(max(stop, first + 1), first + _PIECE_BINS)
        yield first, stop
        first = stop


def _piece(story: Story, first_bin: int, stop_bin: int, rng: np.random.Generator) -> Piece:
    plan, bins = story.plan, slice(first_bin, stop_bin)
    recruited = plan.recruited[bins].ravel()
    entry, nth = _ragged(recruited)
    group = entry % plan.recruited.shape[1]
    neurons = _pick(story, recruited.size, entry, group, nth, rng)
    late = np.where(nth < plan.wave[bins].ravel()[entry], plan.wave_from[bins].ravel()[entry], 0)
    bursts = nth < recruited[entry] // np.array(list(BURST_EVERY.values()))[group % 2]
    spike, nth_spike = _ragged(np.where(bursts, BURST_SPIKES, 1))
    room = np.where(bursts, (STEPS - late) // BURST_SPIKES, STEPS - late)[spike]
    within = late[spike] + nth_spike * room + (rng.random(len(spike)) * room).astype(np.int64)
    steps = (entry // plan.recruited.shape[1])[spike] * STEPS + within
    order = np.argsort(steps.astype(np.uint16), kind="stable")
    return Piece(neurons[spike[order]], first_bin * STEPS + steps[order])


def _pick(
    story: Story, n_entries: int, entry: Ints, group: Ints, nth: Ints, rng: np.random.Generator
) -> Ints:
    """Return the number of the nth neuron that fires in an entry, a pair of bin and group."""
    start, stride = rng.random(n_entries), rng.choice(_STRIDES, n_entries)
    size = story.census.in_group[group].astype(np.int64)
    at = (start[entry] * size).astype(np.int64) + nth * stride[entry]
    return np.asarray(story.census.first_in_group[group] + at % size)


def _ragged(counts: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return, for items in groups of these sizes, the group of each and its index in the group."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
