"""The compiled counting loop. Importing this module imports numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]


def make_state(hex_of_neuron: Ints) -> Ints:
    """(n_neurons, 2) int32: the hexagon of each neuron and the bin it was last seen in.

    The two stand side by side because each spike needs both: one look into memory instead of two.
    """
    state = np.empty((len(hex_of_neuron), 2), dtype=np.int32)
    state[:, 0] = hex_of_neuron
    state[:, 1] = -1
    return state


def _count(
    neurons: Any, starts: Any, first: int, last: int, state: Any, n_recruited: Any, n_spikes: Any
) -> None:
    n_neurons = len(state)
    for k in range(first, last):
        for spike in range(starts[k], starts[k + 1]):
            neuron = neurons[spike]
            if neuron < 0 or neuron >= n_neurons:
                continue
            hexagon = state[neuron, 0]
            if hexagon < 0:
                continue
            n_spikes[k, hexagon] += 1
            if state[neuron, 1] != k:
                state[neuron, 1] = k
                n_recruited[k, hexagon] += 1


def _count_first(
    neurons: Any, starts: Any, first: int, last: int, state: Any, n_recruited: Any
) -> None:
    n_neurons = len(state)
    for k in range(first, last):
        for spike in range(starts[k], starts[k + 1]):
            neuron = neurons[spike]
            if neuron < 0 or neuron >= n_neurons:
                continue
            hexagon = state[neuron, 0]
            if hexagon >= 0 and state[neuron, 1] < 0:
                state[neuron, 1] = k
                n_recruited[k, hexagon] += 1


count = numba.njit(
    "void(int32[::1], int64[::1], int64, int64, int32[:, ::1], int32[:, ::1], int32[:, ::1])",
    nogil=True,
    cache=True,
)(_count)

count_first = numba.njit(
    "void(int32[::1], int64[::1], int64, int64, int32[:, ::1], int32[:, ::1])",
    nogil=True,
    cache=True,
)(_count_first)
