"""Counts of spikes again, spike by spike with Python's sets, and spikes to count."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import strategies as st

from napari_hexrecruit import HexGrid, TimeBins
from napari_hexrecruit.counting.members import HexMembers

ID_TYPES = ("uint8", "uint32", "int32", "uint64", "int64")
TIME_TYPES = ("float64", "float32")


def members_of(hex_of_neuron: Any, n_hexes: int) -> HexMembers:
    """Hexagons in a row; some may have no neuron."""
    hexes = np.asarray(hex_of_neuron, dtype=np.int32)
    i = np.arange(n_hexes, dtype=np.int32)
    n_neurons = np.bincount(hexes[hexes >= 0], minlength=n_hexes).astype(np.int32)
    return HexMembers(HexGrid(1.0), i, np.zeros_like(i), hexes, n_neurons)


def slow_cut(edge: float, width: float, stored: Any = "float64", dt: float = 0.0) -> float:
    """First time that counts as at an edge: within a hundredth of a bin, what the noise may be."""
    edge, kind = round(float(edge), 9), np.dtype(stored).type
    spacing = 0.0
    if np.dtype(stored).kind == "f":
        spacing = float(np.nextafter(kind(abs(edge)), kind(np.inf))) - float(kind(abs(edge)))
    return edge - min(max(1e-6, dt / 1000, spacing), width / 100)


def slow_counts(
    ids: Any, times: Any, members: HexMembers, bins: TimeBins, dt: float = 0.0
) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Distinct neurons and spikes of each (bin, hexagon); spikes inside, and with unknown ids."""
    edges = [bins.start_ms + k * bins.width_ms for k in range(bins.n_bins + 1)]
    cuts = [slow_cut(edge, bins.width_ms, times.dtype, dt) for edge in edges]
    n_neurons = len(members.hex_of_neuron)
    fired: dict[tuple[int, int], set[int]] = defaultdict(set)
    n_spikes = np.zeros((bins.n_bins, len(members.i)), int)
    n_inside = n_unknown = 0
    for neuron, time in zip(map(int, ids), map(float, times), strict=True):
        inside = [k for k in range(bins.n_bins) if cuts[k] <= time < cuts[k + 1]]
        if not inside:
            continue
        n_inside += 1
        if not 0 <= neuron < n_neurons:
            n_unknown += 1
        elif members.hex_of_neuron[neuron] >= 0:
            where = (inside[0], int(members.hex_of_neuron[neuron]))
            fired[where].add(neuron)
            n_spikes[where] += 1
    n_recruited = np.zeros_like(n_spikes)
    for where, neurons in fired.items():
        n_recruited[where] = len(neurons)
    return n_recruited, n_spikes, n_inside, n_unknown


@st.composite
def problems(draw: Any) -> tuple[np.ndarray, np.ndarray, HexMembers, TimeBins]:
    """Ids and times in no order, hexagons, and bins.

    Times lie on a grid with float noise, before, in and after the window; ids may be unknown.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_neurons, n_hexes = draw(st.integers(1, 60)), draw(st.integers(1, 8))
    n_spikes = draw(st.integers(0, 250))
    start, width = draw(st.sampled_from([(0.0, 1.0), (0.3, 0.1), (22.3, 10.0), (5.0, 2.5)]))
    n_bins = draw(st.integers(1, 25))
    bins = TimeBins(start, start + n_bins * width, width)
    steps = rng.integers(-5, 2 * n_bins + 5, n_spikes)
    noise = rng.choice([0.0, -9e-7, -2e-6, -5e-6, 1e-10], n_spikes)
    times = (start + steps * width / 2 + noise).astype(draw(st.sampled_from(TIME_TYPES)))
    dtype = np.dtype(draw(st.sampled_from(ID_TYPES)))
    ids = rng.integers(0, n_neurons + 3, n_spikes).astype(dtype)
    if n_spikes and draw(st.booleans()):
        ids[0] = np.iinfo(dtype).max
        ids[-1] = np.iinfo(dtype).min
    return ids, times, members_of(rng.integers(-1, n_hexes, n_neurons), n_hexes), bins
