"""Numbers of neurons that fire: the rules of a synthetic simulation.

The rules state how many neurons of a hexagon and class fire in a bin of `BIN_MS`, and exactly this
number of distinct neurons fires. Each hexagon that is not silent has

* background: ``n * hz * BIN_MS / 1000`` neurons per bin on average, never off by more than one;
* waves: from the arrival on, ``n * PEAK * gain * strength * shape(t)`` neurons, where t is the time
  from the arrival to the end of the bin, and ``shape`` rises, peaks at 1 and decays; the sum over
  the bins is never off by more than one;
* bursts: one in `BURST_EVERY` of the neurons that fire in a bin fires three times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.synthetic.sheet import Sheet

Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

SynapseClass = Literal["EXC", "INH"]
CLASSES: tuple[SynapseClass, ...] = get_args(SynapseClass)
INH_SHARE = 0.18
"""Share of inhibitory neurons."""

BIN_MS = 10.0
"""Width of the bins with known numbers; the first one starts at 0."""
STEP_MS = 0.1
"""Step of the time grid of spikes."""
STEPS = 100
"""Grid steps per bin."""

PEAK: dict[SynapseClass, float] = {"EXC": 0.45, "INH": 0.70}
"""Share of a class that a wave recruits at its crest at full strength."""
TAIL_MS: dict[SynapseClass, float] = {"EXC": 30.0, "INH": 20.0}
RISE_MS = 6.0
LONGEST_MS = 10.0 * max(TAIL_MS.values())
"""Time after the arrival of a wave when it stops recruiting."""
BURST_EVERY: dict[SynapseClass, int] = {"EXC": 8, "INH": 4}
BURST_SPIKES = 3

_LEAST_STEPS = 10
"""Fewest steps between the arrival of a wave and the end of a bin in which it recruits."""


@dataclass(frozen=True, eq=False)
class Census:
    """Numbers of neurons by place and class.

    A *place* is a hexagon or, at the end, one of the two kinds of missing flat position: NaN, then
    -1. A *group* is a place and a class; groups are numbered ``place * 2 + class``. Neurons are
    numbered by group; those outside the simulation's node set come last, by hexagon.

    Attributes
    ----------
    in_group
        (n_groups,) number of neurons in the simulation's node set.
    not_simulated
        (n_hexes,) number of other neurons of each hexagon.
    """

    in_group: Counts
    not_simulated: Counts

    @property
    def in_place(self) -> Counts:
        """(n_hexes + 2,) number of simulated neurons of each place."""
        return np.asarray(self.in_group.reshape(-1, len(CLASSES)).sum(axis=1, dtype=np.int32))

    @property
    def first_in_group(self) -> npt.NDArray[np.int64]:
        """(n_groups,) number of each group's first neuron."""
        return np.cumsum(self.in_group, dtype=np.int64) - self.in_group

    @property
    def n_simulated(self) -> int:
        """Number of neurons in the simulation's node set."""
        return int(self.in_group.sum())


@dataclass(frozen=True, eq=False)
class Plan:
    """Numbers of neurons of each group that fire in each bin.

    Attributes
    ----------
    recruited
        (n_bins, n_groups) number of distinct neurons that fire.
    wave
        (n_bins, n_groups) number of them that a wave recruits.
    wave_from
        (n_bins, n_groups) first grid step of the bin at which a wave recruits neurons.
    """

    recruited: Counts
    wave: Counts
    wave_from: npt.NDArray[np.uint8]

    @property
    def spikes(self) -> Counts:
        """(n_bins, n_groups) number of spikes."""
        every = [BURST_EVERY[name] for name in CLASSES]
        bursts = self.recruited // np.tile(every, self.recruited.shape[1] // len(CLASSES))
        return np.asarray(self.recruited + (BURST_SPIKES - 1) * bursts, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Wave:
    """Arrival of a wave at each hexagon, ms, NaN if it does not reach it, and its strength."""

    arrival_ms: Floats
    strength: Floats


def make_census(n_neurons: int, sheet: Sheet, rng: np.random.Generator) -> Census:
    """Spread neurons over a sheet: evenly except for some randomness, and fewer at the rims."""
    n_nan, n_minus_one, n_not_simulated = (
        max(least, round(share * n_neurons)) for least, share in ((2, 0.004), (3, 0.006), (4, 0.02))
    )
    weight = rng.uniform(0.75, 1.25, sheet.n_hexes) * np.where(sheet.edge, 0.65, 1.0)
    placed = _shares(n_neurons - n_nan - n_minus_one - n_not_simulated, weight)
    neurons = np.append(placed, [n_nan, n_minus_one])
    inhibitory = np.maximum(1, np.rint(INH_SHARE * neurons))
    in_group = np.stack([neurons - inhibitory, inhibitory], axis=1).ravel()
    outside = rng.multinomial(n_not_simulated, weight / weight.sum())
    return Census(in_group.astype(np.int32), outside.astype(np.int32))


def make_plan(
    census: Census,
    n_bins: int,
    background: dict[SynapseClass, Floats],
    waves: Sequence[Wave],
    rng: np.random.Generator,
) -> Plan:
    """Plan the numbers of neurons that fire.

    Parameters
    ----------
    census
        Numbers of neurons of each group.
    n_bins
        Number of bins to plan.
    background
        (n_hexes + 2,) share of each class that fires in a bin at rest, by place.
    waves
        Waves that run over the hexagons.
    rng
        Generator that decides in which bins fractions of a neuron add up to a whole one.

    Returns
    -------
    Plan
    """
    phase = rng.uniform(size=(1 + len(waves), len(census.in_group)))
    resting = np.stack([background[name] for name in CLASSES], axis=1).ravel()
    at_rest = _count_background(census.in_group * resting, n_bins, phase[0])
    wave = np.zeros_like(at_rest)
    wave_from = np.zeros(wave.shape, dtype=np.uint8)
    for one, dither in zip(waves, phase[1:], strict=True):
        _add_wave(wave, wave_from, one, census, dither)
    np.minimum(wave, census.in_group, out=wave)
    return Plan(np.minimum(wave + at_rest, census.in_group), wave, wave_from)


def _count_background(mean: Floats, n_bins: int, phase: Floats) -> Counts:
    counts = np.empty((n_bins, len(mean)), dtype=np.int32)
    before = np.zeros(len(mean))
    for k in range(n_bins):
        after = np.floor(mean * (k + 1) + phase)
        counts[k], before = after - before, after
    return counts


def _add_wave(
    counts: Counts, wave_from: npt.NDArray[np.uint8], wave: Wave, census: Census, phase: Floats
) -> None:
    """Add the counts of neurons that one wave recruits, in place."""
    arrival, strength = wave.arrival_ms.repeat(2), wave.strength.repeat(2)
    groups = np.flatnonzero(np.isfinite(arrival))
    arrival, kind = arrival[groups], groups % len(CLASSES)
    peak, tail = (np.array([of[name] for name in CLASSES])[kind] for of in (PEAK, TAIL_MS))
    crest = census.in_group[groups] * peak * strength[groups]
    total, before = phase[groups], np.zeros(len(groups))
    last_bin = math.ceil((arrival.max() + LONGEST_MS) / BIN_MS)
    for k in range(int(arrival.min() // BIN_MS), min(last_bin, len(counts))):
        since = (k + 1) * BIN_MS - arrival
        total = total + crest * _shape(since, tail)
        after = np.floor(total)
        counts[k, groups] += (after - before).astype(np.int32)
        late = np.ceil((BIN_MS - since) / STEP_MS - 1e-9)
        late = np.where(_has_begun(since), np.maximum(late, 0.0), 0.0).astype(np.uint8)
        wave_from[k, groups] = np.maximum(wave_from[k, groups], late)
        before = after


def _has_begun(since_ms: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(since_ms >= _LEAST_STEPS * STEP_MS)


def _shape(since_ms: Floats, tail_ms: Floats) -> Floats:
    """Return the course of a wave: 0 before its arrival, then a rise to 1 and a decay."""
    crest_ms = RISE_MS * np.log1p(tail_ms / RISE_MS)
    height = -np.expm1(-crest_ms / RISE_MS) * np.exp(-crest_ms / tail_ms)
    t = np.maximum(since_ms, 0.0)
    course = -np.expm1(-t / RISE_MS) * np.exp(-t / tail_ms) / height
    return np.where(_has_begun(since_ms), course, 0.0)


def _shares(total: int, weight: Floats) -> npt.NDArray[np.int64]:
    """Return integers in proportion to the weights, with the given sum."""
    exact = total * weight / weight.sum()
    shares: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    return shares
