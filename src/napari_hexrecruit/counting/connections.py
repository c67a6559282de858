"""Edges to synapses and distinct pairs of neurons per hexagon, some edges at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Blocks = Iterable[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]

Longs = npt.NDArray[np.int64]

_PAIRS_BYTES = 1 << 28
"""Memory for the pairs that are made distinct at once, if edges are in no order."""


class Connections(NamedTuple):
    """Counts of the edges from some sources.

    Attributes
    ----------
    synapses
        (n_hexes,) number of edges with a target in the hexagon.
    pairs
        (n_hexes,) number of pairs of a source and a target in the hexagon, joined by any edge.
    n_unknown
        Number of edges with an id that is not in its population.
    """

    synapses: Longs
    pairs: Longs
    n_unknown: int


def count_connections(
    blocks: Callable[[], Blocks],
    chosen: npt.NDArray[np.bool_],
    hexes: npt.NDArray[np.int32],
    n_hexes: int,
) -> Connections:
    """Count the edges from chosen sources.

    Parameters
    ----------
    blocks
        Function that yields the rows of sources and targets of all edges, some at a time; called
        again if the edges are not in the order of their targets.
    chosen
        (n_sources,) sources that count.
    hexes
        (n_targets,) hexagon of each target; -1 for none.
    n_hexes
        Number of hexagons.
    """
    from napari_hexrecruit.counting.edge_kernel import count_edges

    synapses, pairs = np.zeros(n_hexes, np.int64), np.zeros(n_hexes, np.int64)
    state, counts = np.array([-1, 0, 0], np.int64), chosen.astype(np.uint8)
    latest = np.full(len(chosen), -1, np.int32)
    for sources, targets in blocks():
        count_edges(sources, targets, counts, hexes, latest, synapses, pairs, state)
    if state[1]:
        pairs = _distinct_pairs(blocks, chosen, hexes, n_hexes, int(synapses.sum()))
    return Connections(synapses, pairs, int(state[2]))


def _distinct_pairs(
    blocks: Callable[[], Blocks],
    chosen: npt.NDArray[np.bool_],
    hexes: npt.NDArray[np.int32],
    n_hexes: int,
    n_synapses: int,
) -> Longs:
    """Count pairs of edges in no order, for some targets at a time, so that memory is bounded."""
    n_parts = max(1, -(-n_synapses * 8 // _PAIRS_BYTES))
    ends = np.linspace(0, len(hexes), n_parts + 1).astype(np.int64)
    pairs, n_sources = np.zeros(n_hexes, np.int64), len(chosen)
    for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        keys = [np.zeros(0, np.int64)]
        for sources, targets in blocks():
            here = (sources >= 0) & (targets >= first) & (targets < last)
            s, t = sources[here], targets[here]
            kept = chosen[s] & (hexes[t] >= 0)
            keys.append(np.unique(t[kept].astype(np.int64) * n_sources + s[kept]))
        distinct = np.unique(np.concatenate(keys))
        pairs += np.bincount(hexes[distinct // n_sources], minlength=n_hexes)
    return pairs
