"""Soma report and edges of a story, with known answers.

Voltages rest at `REST_MV`. When a wave arrives, they rise by `RISE_MV` times its gain and the
sheet's strength, and decay exponentially with time constant `DECAY_MS`; the neurons of a hexagon
differ by evenly spaced offsets with mean 0. The nearer a neuron is to the source of the waves, the
more fibres contact it, with two synapses each. The neurons of a hexagon project to the next
hexagon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.synthetic.story import Story

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

REST_MV, RISE_MV, DECAY_MS = -65.0, 15.0, 20.0
SPREAD_MV = 4.0
"""Approximate range of the offsets of a hexagon's neurons."""
FRAME_MS = 1.0
MOST_FIBRES = 8
"""Number of fibres of a neuron at the source."""
_BLOCK_VALUES = 1 << 22


def hexagon_courses(story: Story) -> Floats:
    """Return the (n_frames, n_hexes) mean voltage of each hexagon's neurons in each frame, mV."""
    times = FRAME_MS * np.arange(round(story.tstop_ms / FRAME_MS))
    courses = np.full((len(times), story.n_hexes), REST_MV)
    for onset, gain in zip(story.stimuli_ms, story.gains, strict=True):
        since = times[:, None] - (onset + story.latency_ms)
        on = np.nan_to_num(since, nan=-1.0) >= 0
        rise = np.exp(-np.where(on, since, 0.0) / DECAY_MS)
        courses += np.where(on, RISE_MV * gain * story.sheet.strength * rise, 0.0)
    return courses


def expected_voltage(story: Story, bin_ms: float = 10.0) -> Floats:
    """Return the (n_bins, n_hexes) mean voltage of each hexagon's neurons in each bin, mV."""
    courses, per_bin = hexagon_courses(story), round(bin_ms / FRAME_MS)
    n_bins = len(courses) // per_bin
    binned = courses[: n_bins * per_bin].reshape(n_bins, per_bin, -1)
    return np.asarray(binned.mean(axis=1))


def expected_spread(story: Story) -> Floats:
    """Return the (n_hexes,) standard deviation over neurons, the same in every bin, mV."""
    n = story.expected().n_neurons.astype(np.float64)
    return np.asarray(SPREAD_MV * np.sqrt((n * n - 1) / 12) / n)


def fibres_of_neuron(story: Story) -> npt.NDArray[np.int64]:
    """Return the (n_hexes,) number of fibres of each neuron, with two synapses from each."""
    distance = story.sheet.distance_um
    near = 1.0 - distance / distance.max()
    return np.asarray(np.rint(MOST_FIBRES * near), dtype=np.int64)


def recorded(story: Story) -> tuple[Ids, Ids, Floats]:
    """Return hexagon (-1 for none), number in its place, and offset of each simulated neuron."""
    sizes = story.census.in_place
    hexes = np.repeat(np.append(np.arange(story.n_hexes), [-1, -1]), sizes)
    number = np.arange(len(hexes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    return hexes, number, SPREAD_MV * ((number + 0.5) / size - 0.5)


def voltage_blocks(story: Story) -> Iterator[npt.NDArray[np.float32]]:
    """Yield (n_frames, n_simulated) voltages, some frames at a time."""
    hexes, _, offset = recorded(story)
    courses = np.column_stack([hexagon_courses(story), np.full(frames_of(story), REST_MV)])
    rows = max(1, _BLOCK_VALUES // len(hexes))
    for first in range(0, len(courses), rows):
        yield (courses[first : first + rows][:, hexes] + offset).astype(np.float32)


def frames_of(story: Story) -> int:
    """Return the number of frames of the report."""
    return round(story.tstop_ms / FRAME_MS)


def edges_of(story: Story, ids: npt.NDArray[Any], n_fibres: int) -> dict[str, tuple[Ids, Ids]]:
    """Return sources and targets of edges from fibres and from neurons, by target, then source."""
    hexes, number, _ = recorded(story)
    placed = np.flatnonzero(hexes >= 0)
    n_each = fibres_of_neuron(story)[hexes[placed]]
    targets = np.repeat(placed, n_each)
    nth = np.arange(len(targets)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
    fibres = (number[targets] + nth) % n_fibres
    first, sizes = story.census.first_in_group[::2], story.census.in_place
    following = (hexes[placed] + 1) % story.n_hexes
    reached = first[following] + number[placed] % sizes[following]
    return {
        "fibres": _sorted(np.repeat(fibres, 2), ids[np.repeat(targets, 2)]),
        "neurons": _sorted(ids[placed], ids[reached]),
    }


def _sorted(sources: npt.NDArray[Any], targets: npt.NDArray[Any]) -> tuple[Ids, Ids]:
    order = np.lexsort((sources, targets))
    return sources[order].astype(np.int64), targets[order].astype(np.int64)
