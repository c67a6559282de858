"""The compiled loop over edges. Importing this imports numba."""

from __future__ import annotations

from napari_hexrecruit.counting.jit import jit


@jit(reads="sources targets chosen hexes")
def count_edges(sources, targets, chosen, hexes, synapses, pairs, state):  # type: ignore[no-untyped-def]
    """Count the synapses of each hexagon, and its pairs of a source and a target, once each.

    ``sources`` and ``targets`` are rows, -1 for unknown ids; ``chosen`` is not 0 for sources that
    count; ``hexes`` is -1 for targets in no hexagon. ``state`` holds the last target and source,
    whether edges were in another order than that of targets and then sources, and the number of
    unknown ids.
    """
    target, source = state[0], state[1]
    for k in range(len(sources)):
        t, s = targets[k], sources[k]
        if t < 0 or s < 0:
            state[3] += 1
            continue
        if t < target or (t == target and s < source):
            state[2] = 1
        is_new = t != target or s != source
        target, source = t, s
        if chosen[s] != 0:
            at = hexes[t]
            if at >= 0:
                synapses[at] += 1
                if is_new:
                    pairs[at] += 1
    state[0], state[1] = target, source
