"""The story of a synthetic simulation, and the numbers that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.synthetic.plan import (
    BIN_MS,
    CLASSES,
    PEAK,
    Census,
    Plan,
    SynapseClass,
    Wave,
    make_census,
    make_plan,
)
from napari_hexrecruit.synthetic.sheet import Sheet, WaveKind, make_sheet

Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

GAINS = (1.0, 0.75, 0.9)
"""Strength of the first, second, third, fourth (as the first), ... stimulus."""
INH_BACKGROUND = 3.0
"""Ratio of the background of inhibitory neurons to that of excitatory ones."""
_SMALLEST, _LARGEST = 200, 100_000_000


@dataclass(frozen=True, eq=False)
class Expected:
    """Contents of a cube of the story with `RADIUS_UM` and `BIN_MS`, over the whole simulation.

    Attributes
    ----------
    hex
        (n_hexes,) names, by row and column.
    time_ms
        (n_bins,) start of each bin.
    n_neurons
        (n_hexes,) number of neurons of each hexagon.
    n_recruited, n_spikes
        (n_bins, n_hexes) number of distinct neurons that fire, and of spikes.
    n_neurons_selected, n_neurons_without_place
        Number of neurons in the simulation's node set, and of those without a flat position.
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


@dataclass(frozen=True)
class Story:
    """A synthetic simulation: its parameters, and the answers that follow from them.

    Parameters
    ----------
    n_neurons
        Number of neurons of the main population, 200 or more. The sheet grows with it, to about
        3,000 hexagons.
    seed
        Seed of the random numbers; the same seed gives the same files.
    stimuli_ms
        Onsets of the stimuli, each of which starts a wave, ms.
    tstop_ms
        End of the simulation, ms; a multiple of 10.
    background_hz
        Rate of excitatory neurons at rest, Hz; inhibitory ones have three times this rate.
    crossing_ms
        Time that a wave takes from its source to the far end of the sheet, ms.
    wave
        ``"radial"`` spreads in circles from the source, ``"plane"`` is a straight front.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> story = Story(n_neurons=2_000, stimuli_ms=(100.0,), tstop_ms=300.0)
    >>> story.n_hexes, round(story.speed_um_per_ms, 2), story.source_um
    (80, 5.99, (217.5..., 182.4...))
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
        for name in ("n_neurons", "seed"):
            value = getattr(self, name)
            object.__setattr__(self, name, int(value) if isinstance(value, np.integer) else value)
        object.__setattr__(self, "stimuli_ms", tuple(float(t) for t in self.stimuli_ms))
        object.__setattr__(self, "tstop_ms", float(self.tstop_ms))
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    # --- answers ----------------------------------------------------------------------------------

    @cached_property
    def sheet(self) -> Sheet:
        """Hexagons, with the silent ones and the distance of the wave to each."""
        wanted = min(self.n_neurons / 25, 3.0 * math.sqrt(self.n_neurons), 3_000)
        return make_sheet(round(wanted), self.wave)

    @property
    def n_hexes(self) -> int:
        """Number of hexagons with neurons."""
        return self.sheet.n_hexes

    @property
    def n_bins(self) -> int:
        """Number of bins of the whole simulation."""
        return round(self.tstop_ms / BIN_MS)

    @property
    def source_um(self) -> tuple[float, float]:
        """(x, y) where a radial wave starts, µm."""
        return self.sheet.source_um

    @property
    def direction_deg(self) -> float | None:
        """Direction of a plane wave, degrees from +x towards +y; None for a radial wave."""
        return self.sheet.direction_deg

    @property
    def speed_um_per_ms(self) -> float:
        """Speed of the wave, µm/ms; the same everywhere."""
        return self.sheet.length_um / self.crossing_ms

    @property
    def latency_ms(self) -> Floats:
        """(n_hexes,) time from a stimulus to the wave's arrival, ms; NaN if it does not arrive."""
        latency = self.sheet.distance_um / self.speed_um_per_ms
        return np.where(self.sheet.reached, latency, np.nan)

    @property
    def gains(self) -> tuple[float, ...]:
        """Relative strength of each stimulus."""
        return tuple(GAINS[k % len(GAINS)] for k in range(len(self.stimuli_ms)))

    @property
    def background_percent(self) -> dict[SynapseClass, float]:
        """Percentage of each class that fires in a bin at rest, outside silent hexagons."""
        exc = 100.0 * self.background_hz * BIN_MS / 1_000.0
        return {"EXC": exc, "INH": INH_BACKGROUND * exc}

    @property
    def peak_percent(self) -> dict[SynapseClass, float]:
        """Percentage of each class that fires at the crest of a wave with gain and strength 1.

        At the crest in a hexagon, the percentage is this times the stimulus' gain and the sheet's
        strength, plus the background; the crest of a class is in one bin or spread over two.
        """
        return {name: 100.0 * PEAK[name] for name in CLASSES}

    @property
    def n_without_place(self) -> dict[str, int]:
        """Number of simulated neurons with flat coordinates NaN, and with -1."""
        nan, minus_one = self.census.in_place[-2:].tolist()
        return {"nan": nan, "minus_one": minus_one}

    @property
    def n_not_simulated(self) -> int:
        """Number of neurons with a flat position that are not in the simulation's node set."""
        return int(self.census.not_simulated.sum())

    @property
    def n_spikes(self) -> int:
        """Number of spikes of the main population."""
        return int(self.plan.spikes.sum())

    def expected(self, synapse_class: SynapseClass | None = None) -> Expected:
        """Return the numbers of neurons, recruited neurons and spikes of each hexagon and bin.

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
            If the class is unknown.
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
            n_spikes=by_place(self.plan.spikes)[:, places],
            n_neurons_selected=int(neurons.sum()),
            n_neurons_without_place=int(neurons[self.n_hexes :].sum()),
        )

    # --- rules ------------------------------------------------------------------------------------

    @cached_property
    def census(self) -> Census:
        """Numbers of neurons of each class and place."""
        return make_census(self.n_neurons, self.sheet, self.rng(0))

    @cached_property
    def plan(self) -> Plan:
        """Numbers of neurons of each class that fire in each place and bin."""
        fires = np.append(~self.sheet.silent, [True, True])
        resting = {name: fires * self.background_percent[name] / 100.0 for name in CLASSES}
        waves = [
            Wave(onset + self.latency_ms, gain * self.sheet.strength)
            for onset, gain in zip(self.stimuli_ms, self.gains, strict=True)
        ]
        return make_plan(self.census, self.n_bins, resting, waves, self.rng(1))

    def rng(self, stream: int) -> np.random.Generator:
        """Return one of the story's independent random generators."""
        return np.random.default_rng([self.seed, stream])

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


SMALL = Story(n_neurons=2_000)
"""80 hexagons, one second of simulation; written immediately."""
MEDIUM = Story(n_neurons=60_000)
"""About 730 hexagons, one second of simulation."""
NBS1 = Story(
    n_neurons=4_234_929,
    stimuli_ms=(1_000.0, 3_000.0, 5_000.0, 7_000.0),
    tstop_ms=10_000.0,
    background_hz=0.265,
)
"""The numbers of neurons, spikes and hexagons of 10 s of the rat somatosensory cortex model."""
