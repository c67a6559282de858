"""The compiled loop over edges. Importing this imports llvmlite."""

from __future__ import annotations

from napari_hexrecruit.counting.jit import jit


@jit(reads="sources targets chosen hexes")
def count_edges(sources, targets, chosen, hexes, latest, synapses, pairs, state):  # type: ignore[no-untyped-def]
    """Count the synapses, and the distinct pairs of a source and a target, of each hexagon.

    ``sources`` and ``targets`` are rows, -1 for unknown ids; ``chosen`` is not 0 for sources that
    count; ``hexes`` is -1 for targets in no hexagon. ``latest`` is the last target of each source:
    all edges of a target are consecutive, so another target makes a new pair. ``state`` has the
    last target, whether any target was lower than the one before, and the number of edges with
    unknown ids.
    """
    target = state[0]
    for k in range(len(sources)):
        t, s = targets[k], sources[k]
        if t < 0 or s < 0:
            state[2] += 1
            continue
        if t < target:
            state[1] = 1
        target = t
        if chosen[s] != 0:
            at = hexes[t]
            if at >= 0:
                synapses[at] += 1
                if latest[s] != t:
                    latest[s] = t
                    pairs[at] += 1
    state[0] = target
