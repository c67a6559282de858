"""The compiled counting loops. Importing this module imports numba.

Both keep two numbers per neuron side by side, so that a spike costs one look into memory: the
hexagon of the neuron, and a mark of the bin it was last seen in. Two things save branches:

- The last row of the state is nobody's: a neuron -1 (an unknown id) finds it, as -1 is the last
  index, and it is in no hexagon.
- "No hexagon" is a column behind the last one, which is counted and thrown away.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
State = npt.NDArray[Any]


def make_state(hex_of_neuron: Ints, n_hexes: int, n_bins: int) -> State:
    """Hexagon and mark of each neuron, no bin seen yet.

    Parameters
    ----------
    hex_of_neuron
        (n_neurons,) int32; negative for none.
    n_hexes, n_bins
        How many there are: where 16 bits hold both, the state is half as large and stays in the
        cache of the processor more often.

    Returns
    -------
    (n_neurons + 1, 2) uint16 or uint32
    """
    narrow = max(n_hexes, n_bins) < np.iinfo(np.uint16).max
    state = np.zeros((len(hex_of_neuron) + 1, 2), dtype=np.uint16 if narrow else np.uint32)
    state[:-1, 0] = np.where(hex_of_neuron < 0, n_hexes, hex_of_neuron)
    state[-1, 0] = n_hexes
    return state


def _count(
    neurons: Any, starts: Any, first: int, last: int, state: Any, n_recruited: Any, n_spikes: Any
) -> None:
    n_hexes = n_recruited.shape[1]
    recruited, spikes = np.zeros(n_hexes + 1, np.int32), np.zeros(n_hexes + 1, np.int32)
    for k in range(first, last):
        recruited[:] = 0
        spikes[:] = 0
        mark = k + 1
        for spike in range(starts[k], starts[k + 1]):
            neuron = neurons[spike]
            hexagon = state[neuron, 0]
            spikes[hexagon] += 1
            recruited[hexagon] += state[neuron, 1] != mark
            state[neuron, 1] = mark
        n_recruited[k] = recruited[:n_hexes]
        n_spikes[k] = spikes[:n_hexes]


def _count_first(
    neurons: Any, starts: Any, first: int, last: int, state: Any, n_recruited: Any
) -> None:
    n_hexes = n_recruited.shape[1]
    recruited = np.zeros(n_hexes + 1, np.int32)
    for k in range(first, last):
        recruited[:] = 0
        for spike in range(starts[k], starts[k + 1]):
            neuron = neurons[spike]
            recruited[state[neuron, 0]] += state[neuron, 1] == 0
            state[neuron, 1] = 1
        n_recruited[k] = recruited[:n_hexes]


def _compiled(function: Any, n_results: int) -> Any:
    results = ", ".join(["int32[:, ::1]"] * n_results)
    kinds = [f"{kind}[:, ::1]" for kind in ("uint16", "uint32")]
    fixed = "int32[::1], int64[::1], int64, int64"
    signatures = [f"void({fixed}, {state}, {results})" for state in kinds]
    return numba.njit(signatures, nogil=True, cache=True)(function)


count = _compiled(_count, 2)
count_first = _compiled(_count_first, 1)
