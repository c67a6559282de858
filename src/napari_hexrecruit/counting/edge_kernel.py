"""The compiled loop over edges. Importing this imports llvmlite."""

from __future__ import annotations

from napari_hexrecruit.counting.jit import jit


@jit(reads="sources targets chosen hexes")
def count_edges(sources, targets, chosen, hexes, latest, synapses, pairs, state):  # type: ignore[no-untyped-def]
    """Count the synapses of each hexagon, and its pairs of a source and a target, once each.

    ``sources`` and ``targets`` are rows, -1 for unknown ids; ``chosen`` is not 0 for sources that
    count; ``hexes`` is -1 for targets in no hexagon. ``latest`` is the target that each source had
    last: all edges of a target come in a row, so a source with another one makes a new pair.
    ``state`` holds the last target, whether one was lower than the one before, and the number of
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
