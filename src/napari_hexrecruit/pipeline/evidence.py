"""Facts from the files about a doubtful count. Files are read again only if there is a reason.

Facts about a file are kept with the opened simulation, for its next cube.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.doubts import Ids, Tally, Times
from napari_hexrecruit.pipeline.spike_stream import open_stream
from napari_hexrecruit.schema import N_SPIKES, TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import xarray as xr

    from napari_hexrecruit.masks import Mask
    from napari_hexrecruit.sonata import Simulation, SpikeTrain

T = TypeVar("T")

TALLIES = "spikes_of_populations"
"""Attribute of a cube of several populations: the `Tally` of each, as JSON."""
_BLOCK = 1 << 18
_MOST_LOOKED_AT = 1 << 22
"""Number of spikes to search for neuron 0, which takes some 10 ms."""
_PER_NEURON = 3
"""Mean spikes per neuron from which a silent neuron is meaningful."""
_FEWEST_NEURONS = 20
"""Fewest neurons; in smaller populations, one is silent by chance now and then."""
_NEARLY_ALL = 0.99
"""Share of other neurons that must fire before the silence of neuron 0 is suspicious."""


def tally_of(
    n_read: int,
    n_inside: int,
    n_unknown_id: int,
    n_spikes: npt.NDArray[np.int32],
    starts_ms: npt.NDArray[np.float64],
) -> Tally:
    """Return the tally of a count.

    Parameters
    ----------
    n_read, n_inside, n_unknown_id
        As in `Tally`.
    n_spikes
        (n_bins, n_hexes) spikes of each hexagon.
    starts_ms
        (n_bins,) starts of the bins.
    """
    for k in range(len(n_spikes) - 1, -1, -1):  # the last row usually has spikes
        if n_spikes[k].any():
            return Tally(n_read, n_inside, n_unknown_id, float(starts_ms[k]))
    return Tally(n_read, n_inside, n_unknown_id, None)


def counts_of(tallies: Sequence[Tally]) -> dict[str, int]:
    """Return the attributes of a cube that count the spikes of all its populations."""
    return {
        "n_spikes_read": sum(tally.n_read for tally in tallies),
        "n_spikes_outside_window": sum(tally.n_read - tally.n_inside for tally in tallies),
        "n_spikes_unknown_id": sum(tally.n_unknown_id for tally in tallies),
    }


def tallies_text(names: Sequence[str], tallies: Sequence[Tally]) -> str:
    """Return the tallies of populations as text, for an attribute of their cube."""
    each = zip(names, tallies, strict=True)
    return json.dumps({name: tally._asdict() for name, tally in each})


def summed_tally(tallies: Sequence[Tally]) -> Tally:
    """Return the tally of a window from those of its parts."""
    latest = [tally.latest_ms for tally in tallies if tally.latest_ms is not None]
    return Tally(
        tallies[0].n_read,
        sum(tally.n_inside for tally in tallies),
        sum(tally.n_unknown_id for tally in tallies),
        max(latest, default=None),
    )


def tallies_in(cube: xr.Dataset) -> list[Tally]:
    """Return the tally of each population of a cube."""
    if TALLIES in cube.attrs:
        return [Tally(**one) for one in json.loads(cube.attrs[TALLIES]).values()]
    n_read, n_outside, n_unknown = (
        int(cube.attrs[f"n_spikes_{what}"]) for what in ("read", "outside_window", "unknown_id")
    )
    n_spikes, starts = (cube[name].values for name in (N_SPIKES, TIME))
    return [tally_of(n_read, n_read - n_outside, n_unknown, n_spikes, starts)]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Facts about the spikes of a population, for `napari_hexrecruit.doubts.doubts`.

    Attributes
    ----------
    sim, population
        Simulation and population of the spikes.
    selected
        Returns the neurons that are in the node set and pass the filters.
    window_ms
        Start and stop of the window that was counted, ms.
    tally
        Result of counting.
    """

    sim: Simulation
    population: str
    selected: Callable[[], Mask]
    window_ms: tuple[float, float]
    tally: Tally

    @property
    def where(self) -> str:
        """File and population."""
        return f"{self.sim.spikes_file}: population {self.population!r}"

    @property
    def n_neurons(self) -> int:
        """Neurons of the population."""
        return self.sim.n_neurons(self.population)

    @property
    def run_ms(self) -> tuple[float, float]:
        """Start and end of the simulation, ms."""
        return 0.0, self.sim.duration_ms

    @property
    def times(self) -> Times:
        """Times of all spikes of the file."""
        start, stop = self.run_ms
        return self._kept("times", lambda: _times(self.sim, self.population, start, stop))

    @property
    def ids(self) -> Ids:
        """Ids of all spikes of the file, and of the population."""
        return self._kept("ids", lambda: _ids(self.sim, self.population))

    @property
    def only_neuron_0_is_silent(self) -> bool:
        """Whether neuron 0 never fires although nearly all others do.

        In a large file only the first spikes are searched. False if there are few spikes per
        neuron.
        """
        return self._kept("neuron 0", lambda: _only_0_is_silent(self.sim, self.population))

    @property
    def why_not_counted(self) -> str:
        """Which neurons fire in the window: others, or selected ones without a flat position."""
        start, stop = self.window_ms
        with self.sim.spike_train(self.population) as train:
            fired = np.zeros(self.n_neurons, dtype=bool)
            for ids, times in train.blocks() if train is not None else ():
                rows = self.sim.rows_of(self.population, ids[(times >= start) & (times < stop)])
                fired[rows[rows >= 0]] = True
        selected = self.selected()
        if (fired & selected.values()).any():
            return "the selected neurons that fire in the window have no flat position"
        return f"none of the {selected.count():,} selected neurons fires in the window"

    def _kept(self, what: str, find: Callable[[], T]) -> T:
        found: dict[str, T] = self.sim.memo(("evidence", self.population), dict)
        if what not in found:
            found[what] = find()
        return found[what]


def _times(sim: Simulation, population: str, start_ms: float, stop_ms: float) -> Times:
    with open_stream(sim, population) as stream:
        if stream is None:
            return Times(None, None, 0)
        if stream.order == "by_time":  # the first and last times suffice
            first, behind, end = (stream.index_at(t) for t in (start_ms, stop_ms, np.inf))
            n_outside = first + stream.n_spikes - behind
            if end == 0:
                return Times(None, None, n_outside)
            lowest, highest = (stream.train.times_ms(k, k + 1)[0] for k in (0, end - 1))
            return Times(float(lowest), float(highest), n_outside)
        return _all_times(stream.train, start_ms, stop_ms)


def _all_times(train: SpikeTrain, start_ms: float, stop_ms: float) -> Times:
    lows, highs, n_outside = [], [], 0
    for times in _in_blocks(train, train.times_ms):
        finite = times[np.isfinite(times)]
        n_outside += len(times) - int(((times >= start_ms) & (times < stop_ms)).sum())
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return Times(min(lows, default=None), max(highs, default=None), n_outside)


def _ids(sim: Simulation, population: str) -> Ids:
    known = sim.node_ids(population) if sim.has_own_ids(population) else None
    n = sim.n_neurons(population)
    ends = (0, n - 1) if known is None else (int(known.min()), int(known.max()))
    with sim.spike_train(population) as train:
        blocks = _in_blocks(train, train.node_ids) if train is not None else ()
        found = [(int(ids.min()), int(ids.max())) for ids in blocks]
    if not found:
        return Ids(*ends, *ends)
    return Ids(min(lo for lo, _ in found), max(hi for _, hi in found), *ends)


def _only_0_is_silent(sim: Simulation, population: str) -> bool:
    n = sim.n_neurons(population)
    with sim.spike_train(population) as train:
        n_looked_at = 0 if train is None else min(len(train), _MOST_LOOKED_AT)
        few = n < _FEWEST_NEURONS or n_looked_at < _PER_NEURON * n
        if train is None or few or sim.has_own_ids(population):
            return False
        fired = np.zeros(n, dtype=bool)
        for ids in _in_blocks(train, train.node_ids, n_looked_at):
            fired[ids[(ids >= 0) & (ids < n)].astype(np.int64)] = True
            if fired[0]:
                return False
    return bool(np.count_nonzero(fired) >= _NEARLY_ALL * (n - 1))


def _in_blocks(train: SpikeTrain, read: Any, n: int | None = None) -> Iterator[Any]:
    """Yield the results of `read` for consecutive blocks of spikes."""
    end = len(train) if n is None else n
    for first in range(0, end, _BLOCK):
        yield read(first, min(first + _BLOCK, end))
