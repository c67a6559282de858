"""What happens in a synthetic simulation, decided by counting, and the numbers that follow from it.

The neurons of a hexagon and class are ranked; in a bin of `BIN_MS` the rules below say how many of
them fire, and the writer lets exactly that many distinct ones fire. Each hexagon has

* background: ``n * hz * BIN_MS / 1000`` neurons a bin on average, never off by more than one;
* the wave: from its arrival on, ``n * peak * gain * strength * shape(t)`` neurons, where t is the
  time since the arrival at the end of the bin and ``shape`` rises, peaks at 1 and fades;
* bursts: one in `BURST_EVERY` of the neurons that fire in the bin fires three times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.synthetic.sheet import Sheet, WaveKind, make_sheet

__all__ = ["BIN_MS", "CLASSES", "MEDIUM", "NBS1", "SMALL", "Expected", "Story", "SynapseClass"]

Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

SynapseClass = Literal["EXC", "INH"]
CLASSES: tuple[SynapseClass, ...] = get_args(SynapseClass)

BIN_MS = 10.0
"""Width of the bins for which a story knows the numbers; they start at 0."""
STEP_MS = 0.1
"""Spikes are on this grid."""
STEPS = 100
"""Grid steps in a bin."""

INH_SHARE = 0.18
"""Inhibitory neurons among all."""
PEAK = {"EXC": 0.45, "INH": 0.70}
"""Share of a class that the wave recruits at its crest, where it has lost no strength."""
TAIL_MS = {"EXC": 30.0, "INH": 20.0}
RISE_MS = 6.0
GAINS = (1.0, 0.75, 0.9)
"""Strength of the first, second, third, fourth (as the first), ... stimulus."""
INH_BACKGROUND = 3.0
"""Background of inhibitory neurons, times that of excitatory ones."""
BURST_EVERY = {"EXC": 8, "INH": 4}
BURST_SPIKES = 3

_SMALLEST, _LARGEST = 200, 100_000_000
_LEAST_STEPS = 10
"""A bin with fewer steps behind the arrival of the wave has nothing of it yet."""


@dataclass(frozen=True, eq=False)
class Expected:
    """What a cube of the story holds at `RADIUS_UM` and `BIN_MS`, over the whole simulation.

    Attributes
    ----------
    hex
        (n_hexes,) names, by row and column.
    time_ms
        (n_bins,) start of each bin.
    n_neurons
        (n_hexes,) neurons of each hexagon.
    n_recruited, n_spikes
        (n_bins, n_hexes) distinct neurons that fire, and spikes.
    n_neurons_selected, n_neurons_without_place
        Neurons in the simulation's node set, and how many of them are in no hexagon.
    """

    hex: npt.NDArray[np.str_]
    time_ms: Floats
    n_neurons: Counts
    n_recruited: Counts
    n_spikes: Counts
    n_neurons_selected: int
    n_neurons_without_place: int

    @property
    def percent(self) -> Floats:
        """(n_bins, n_hexes) recruited neurons, percent."""
        return 100.0 * self.n_recruited / self.n_neurons


@dataclass(frozen=True, eq=False)
class Census:
    """How many neurons there are where.

    A *place* is a hexagon, or one of the two ways to have none, which come last: NaN, then -1. A
    *group* is a place and a class; groups are numbered ``place * 2 + class``. Neurons are numbered
    along the groups, those outside the simulation's node set last, along the hexagons.
    """

    in_group: Counts
    not_simulated: Counts

    @property
    def first_in_group(self) -> npt.NDArray[np.int64]:
        """(n_groups,) number of each group's first neuron."""
        return np.cumsum(self.in_group, dtype=np.int64) - self.in_group

    @property
    def n_simulated(self) -> int:
        """Neurons in the simulation's node set."""
        return int(self.in_group.sum())

    @property
    def without_place(self) -> Counts:
        """(2, 2) neurons without a place: NaN and -1, by class."""
        return self.in_group.reshape(-1, 2)[-2:]


@dataclass(frozen=True, eq=False)
class Plan:
    """How many neurons of each group fire in each bin; arrays are (n_bins, n_groups).

    Attributes
    ----------
    recruited
        Distinct neurons that fire.
    wave
        How many of them the wave recruits.
    wave_from
        Grid step of the bin before which the wave recruits none.
    """

    recruited: Counts
    wave: Counts
    wave_from: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Story:
    """A synthetic simulation: its parameters, and the answers that follow from them.

    Parameters
    ----------
    n_neurons
        Neurons of the main population, 200 or more. The sheet grows with them, to about 3,000
        hexagons.
    seed
        The same seed gives the same files.
    stimuli_ms
        When each stimulus starts a wave, ms.
    tstop_ms
        End of the simulation, ms; a multiple of 10.
    background_hz
        Rate of excitatory neurons at rest, Hz; inhibitory ones have three times that.
    crossing_ms
        Time the wave takes from its source to the far end of the sheet, ms.
    wave
        ``"radial"`` spreads in circles from the source, ``"plane"`` is a straight front.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> story = Story(n_neurons=2_000, stimuli_ms=(100.0,), tstop_ms=300.0)
    >>> story.n_hexes, round(story.speed_um_per_ms, 2), story.source_um
    (80, 5.97, (219.7..., 184.3...))
    >>> expected = story.expected("INH")
    >>> expected.n_recruited.shape
    (30, 80)
    """

    n_neurons: int = 20_000
    seed: int = 0
    stimuli_ms: tuple[float, ...] = (100.0, 400.0, 700.0)
    tstop_ms: float = 1_000.0
    background_hz: float = 0.5
    crossing_ms: float = 180.0
    wave: WaveKind = "radial"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stimuli_ms", tuple(float(t) for t in self.stimuli_ms))
        object.__setattr__(self, "tstop_ms", float(self.tstop_ms))
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    # --- answers ----------------------------------------------------------------------------------

    @cached_property
    def sheet(self) -> Sheet:
        """Hexagons, which of them are silent, and the wave's way to each."""
        wanted = min(self.n_neurons / 25, 3.0 * math.sqrt(self.n_neurons), 3_000)
        return make_sheet(round(wanted), self.wave)

    @property
    def n_hexes(self) -> int:
        """Hexagons that hold neurons."""
        return self.sheet.n_hexes

    @property
    def n_bins(self) -> int:
        """Bins of the whole simulation."""
        return round(self.tstop_ms / BIN_MS)

    @property
    def source_um(self) -> tuple[float, float]:
        """(x, y) where a radial wave starts, µm."""
        return self.sheet.source_um

    @property
    def direction_deg(self) -> float | None:
        """Direction a plane wave runs to, degrees from +x towards +y; None for a radial one."""
        return self.sheet.direction_deg

    @property
    def speed_um_per_ms(self) -> float:
        """Speed of the wave, µm/ms; the same everywhere."""
        return self.sheet.length_um / self.crossing_ms

    @property
    def latency_ms(self) -> Floats:
        """(n_hexes,) time from a stimulus to the wave's arrival, ms; NaN where it does not get."""
        latency = self.sheet.distance_um / self.speed_um_per_ms
        return np.where(self.sheet.reached, latency, np.nan)

    @property
    def gains(self) -> tuple[float, ...]:
        """Relative strength of each stimulus."""
        return tuple(GAINS[k % len(GAINS)] for k in range(len(self.stimuli_ms)))

    @property
    def background_percent(self) -> dict[SynapseClass, float]:
        """Percent of each class that fires in a bin at rest, outside silent hexagons."""
        exc = 100.0 * self.background_hz * BIN_MS / 1_000.0
        return {"EXC": exc, "INH": INH_BACKGROUND * exc}

    @property
    def n_without_place(self) -> dict[str, int]:
        """Simulated neurons whose flat coordinates are NaN, and those where they are -1."""
        nan, minus_one = self.census.without_place.sum(axis=1).tolist()
        return {"nan": nan, "minus_one": minus_one}

    @property
    def n_not_simulated(self) -> int:
        """Neurons that have a place but are not in the simulation's node set."""
        return int(self.census.not_simulated.sum())

    @property
    def n_spikes(self) -> int:
        """Spikes of the main population."""
        return int(self.spikes_in_group().sum())

    def expected(self, synapse_class: SynapseClass | None = None) -> Expected:
        """Neurons, recruited neurons and spikes of each hexagon and bin.

        Parameters
        ----------
        synapse_class
            ``"EXC"`` or ``"INH"`` for the neurons of one class; None for all.

        Returns
        -------
        Expected

        Raises
        ------
        ValueError
            If there is no such class.
        """
        if synapse_class is not None and synapse_class not in CLASSES:
            raise ValueError(
                f"synapse_class must be one of {CLASSES} or None, not {synapse_class!r}"
            )
        chosen = [synapse_class is None or name == synapse_class for name in CLASSES]

        def by_place(counts: Counts) -> Counts:
            pairs = counts.reshape(*counts.shape[:-1], -1, len(CLASSES))
            return np.asarray(pairs[..., chosen].sum(axis=-1, dtype=np.int32))

        neurons, places = by_place(self.census.in_group), slice(self.n_hexes)
        return Expected(
            hex=self.sheet.names,
            time_ms=BIN_MS * np.arange(self.n_bins, dtype=np.float64),
            n_neurons=neurons[places],
            n_recruited=by_place(self.plan.recruited)[:, places],
            n_spikes=by_place(self.spikes_in_group())[:, places],
            n_neurons_selected=int(neurons.sum()),
            n_neurons_without_place=int(neurons[self.n_hexes :].sum()),
        )

    # --- rules ------------------------------------------------------------------------------------

    @cached_property
    def census(self) -> Census:
        """How many neurons of each class are where."""
        n_nan, n_minus_one, n_not_simulated = (
            max(least, round(share * self.n_neurons))
            for least, share in ((2, 0.004), (3, 0.006), (4, 0.02))
        )
        rng = self.rng(0)
        weight = rng.uniform(0.75, 1.25, self.n_hexes) * np.where(self.sheet.edge, 0.65, 1.0)
        placed = _shares(self.n_neurons - n_nan - n_minus_one - n_not_simulated, weight)
        neurons = np.append(placed, [n_nan, n_minus_one])
        inhibitory = np.maximum(1, np.rint(INH_SHARE * neurons))
        in_group = np.stack([neurons - inhibitory, inhibitory], axis=1).ravel()
        outside = rng.multinomial(n_not_simulated, weight / weight.sum())
        return Census(in_group.astype(np.int32), outside.astype(np.int32))

    @cached_property
    def plan(self) -> Plan:
        """How many neurons of each class fire in each hexagon and bin."""
        phase = self.rng(1).uniform(size=(1 + len(self.stimuli_ms), len(self.census.in_group)))
        background = self._background(phase[0])
        wave = np.zeros_like(background)
        wave_from = np.zeros(wave.shape, dtype=np.uint8)
        for onset, gain, dither in zip(self.stimuli_ms, self.gains, phase[1:], strict=True):
            self._add_wave(wave, wave_from, onset, gain, dither)
        np.minimum(wave, self.census.in_group, out=wave)
        return Plan(np.minimum(wave + background, self.census.in_group), wave, wave_from)

    def spikes_in_group(self) -> Counts:
        """(n_bins, n_groups) spikes."""
        recruited = self.plan.recruited
        bursts = recruited // np.tile(list(BURST_EVERY.values()), recruited.shape[1] // 2)
        return np.asarray(recruited + (BURST_SPIKES - 1) * bursts, dtype=np.int32)

    def rng(self, stream: int) -> np.random.Generator:
        """One of the story's independent random generators."""
        return np.random.default_rng([self.seed, stream])

    def _background(self, phase: Floats) -> Counts:
        percent = np.tile([self.background_percent[name] for name in CLASSES], self.n_hexes + 2)
        fires = np.append(~self.sheet.silent, [True, True]).repeat(2)
        mean = fires * self.census.in_group * percent / 100.0
        counts = np.empty((self.n_bins, len(mean)), dtype=np.int32)
        before = np.zeros(len(mean))
        for k in range(self.n_bins):
            after = np.floor(mean * (k + 1) + phase)
            counts[k], before = after - before, after
        return counts

    def _add_wave(
        self,
        wave: Counts,
        wave_from: npt.NDArray[np.uint8],
        onset_ms: float,
        gain: float,
        phase: Floats,
    ) -> None:
        """Add what one stimulus recruits, in place."""
        arrival = (onset_ms + np.nan_to_num(self.latency_ms)).repeat(2)
        groups = slice(len(arrival))
        peak = np.tile([PEAK[name] for name in CLASSES], self.n_hexes)
        tail = np.tile([TAIL_MS[name] for name in CLASSES], self.n_hexes)
        crest = self.census.in_group[groups] * peak * gain * self.sheet.strength.repeat(2)
        total, before = phase[groups].copy(), np.zeros(len(arrival))
        last_ms = min(self.tstop_ms, onset_ms + self.crossing_ms + 10.0 * max(TAIL_MS.values()))
        for k in range(int(onset_ms // BIN_MS), math.ceil(last_ms / BIN_MS)):
            since = (k + 1) * BIN_MS - arrival
            total += crest * _shape(since, tail)
            after = np.floor(total)
            wave[k, groups] += (after - before).astype(np.int32)
            here = since >= _LEAST_STEPS * STEP_MS
            late = np.ceil(np.where(here, np.maximum(BIN_MS - since, 0.0), 0.0) / STEP_MS - 1e-9)
            np.maximum(wave_from[k, groups], late.astype(np.uint8), out=wave_from[k, groups])
            before = after

    def _faults(self) -> list[str]:
        checks = {
            f"n_neurons must be {_SMALLEST} to {_LARGEST}, not {self.n_neurons!r}": (
                isinstance(self.n_neurons, int) and _SMALLEST <= self.n_neurons <= _LARGEST
            ),
            f"seed must be a whole number from 0 on, not {self.seed!r}": (
                isinstance(self.seed, int) and self.seed >= 0
            ),
            f"tstop_ms must be a multiple of {BIN_MS:g} ms above 0, not {self.tstop_ms:g}": (
                math.isfinite(self.tstop_ms) and self.tstop_ms > 0 and self.tstop_ms % BIN_MS == 0
            ),
            f"stimuli_ms must lie between 0 and tstop_ms, not {self.stimuli_ms}": all(
                0 <= t < self.tstop_ms for t in self.stimuli_ms
            ),
            f"background_hz must be 0 to 20, not {self.background_hz!r}": (
                0 <= self.background_hz <= 20
            ),
            f"crossing_ms must be greater than 0, not {self.crossing_ms!r}": (
                0 < self.crossing_ms < math.inf
            ),
            f"wave must be one of {get_args(WaveKind)}, not {self.wave!r}": (
                self.wave in get_args(WaveKind)
            ),
        }
        return [sentence for sentence, holds in checks.items() if not holds]


def _shape(since_ms: Floats, tail_ms: Floats) -> Floats:
    """Course of the wave after its arrival: 0 before, rises to 1, fades."""
    crest_ms = RISE_MS * np.log1p(tail_ms / RISE_MS)
    height = -np.expm1(-crest_ms / RISE_MS) * np.exp(-crest_ms / tail_ms)
    t = np.maximum(since_ms, 0.0)
    course = -np.expm1(-t / RISE_MS) * np.exp(-t / tail_ms) / height
    return np.where(since_ms >= _LEAST_STEPS * STEP_MS, course, 0.0)


def _shares(total: int, weight: Floats) -> npt.NDArray[np.int64]:
    """Whole numbers in proportion to the weights that add up to the total."""
    exact = total * weight / weight.sum()
    shares: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    return shares


SMALL = Story(n_neurons=2_000)
"""80 hexagons in a second of time, written at once."""
MEDIUM = Story(n_neurons=60_000)
"""About 730 hexagons in a second of time."""
NBS1 = Story(
    n_neurons=4_234_929,
    stimuli_ms=(1_000.0, 3_000.0, 5_000.0, 7_000.0),
    tstop_ms=10_000.0,
    background_hz=0.3,
)
"""As many neurons, spikes and hexagons as ten seconds of the rat's somatosensory cortex model."""
