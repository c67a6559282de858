"""Hexagons of several groups of neurons joined: concatenated neurons, distinct hexagons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.counting.members import NO_HEX, HexMembers, smallest_kind
from napari_hexrecruit.hexgrid import ij_to_rowcol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def joined(groups: Sequence[HexMembers]) -> HexMembers:
    """Join the hexagons of all groups.

    Parameters
    ----------
    groups
        Groups with the same tiling; columns of a parcellation have the same positions in all.

    Returns
    -------
    HexMembers
        Hexagons of all groups, with the neurons of the first group, then the second, and so on.

    Examples
    --------
    >>> from napari_hexrecruit.counting.members import group_neurons
    >>> from napari_hexrecruit.hexgrid import HexGrid
    >>> here = np.ones(1, dtype=bool)
    >>> at = [group_neurons(HexGrid(1.0), np.array([x]), np.zeros(1), here) for x in (2.0, 0.0)]
    >>> both = joined(at)
    >>> both.hex_names().tolist(), both.hex_of_neuron.tolist()
    (['R0;C0', 'R0;C1'], [1, 0])
    """
    first = groups[0]
    if len(groups) == 1:
        return first
    i, j = (np.concatenate([getattr(one, axis) for one in groups]) for axis in "ij")
    row, col = ij_to_rowcol(i, j)
    _, once, place = np.unique(np.stack([row, col]), axis=1, return_index=True, return_inverse=True)
    n_hexes = len(once)
    hex_of_neuron = np.empty(sum(len(one.hex_of_neuron) for one in groups), smallest_kind(n_hexes))
    n_neurons = np.zeros(n_hexes, np.int32)
    at = done = 0
    for one in groups:
        places = place.ravel()[at : at + len(one.i)]
        labels = np.append(places, NO_HEX).astype(hex_of_neuron.dtype)  # -1 reads the last entry
        hex_of_neuron[done : done + len(one.hex_of_neuron)] = labels[one.hex_of_neuron]
        n_neurons[places] += one.n_neurons
        at, done = at + len(one.i), done + len(one.hex_of_neuron)
    return HexMembers(
        first.grid,
        i[once],
        j[once],
        hex_of_neuron,
        n_neurons,
        None if first.names is None else _every([one.names for one in groups])[once],
        None if first.centres is None else _every([one.centres for one in groups])[once],
    )


def part_of(members: HexMembers, neurons: slice) -> HexMembers:
    """Return some consecutive neurons with all hexagons, of which some can be empty."""
    hex_of_neuron = members.hex_of_neuron[neurons]
    counts = np.bincount(hex_of_neuron + np.int32(1), minlength=len(members.i) + 1)
    return HexMembers(
        members.grid,
        members.i,
        members.j,
        hex_of_neuron,
        counts[1:].astype(np.int32),
        members.names,
        members.centres,
    )


def _every(arrays: Sequence[npt.NDArray | None]) -> npt.NDArray:  # type: ignore[type-arg]
    return np.concatenate([one for one in arrays if one is not None])
