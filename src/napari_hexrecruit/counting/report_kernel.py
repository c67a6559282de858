"""Compiled loops over the frames of a report. Importing this imports llvmlite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.jit import jit

Floats = npt.NDArray[np.float64]

_TILE = 4096
"""Elements summed together: their sums stay in the first-level cache of a core."""


@jit(reads="values")
def add_frames(values, first_frame, last_frame, first, last, totals):  # type: ignore[no-untyped-def]
    """Add the frames of a block to the totals of the elements `first` to `last`.

    It adds four frames at a time, so that each total is read and written once for them, and the
    processor adds several elements at once.
    """
    for start in range(first, last, _TILE):
        stop = min(start + _TILE, last)
        frame = first_frame
        while frame + 4 <= last_frame:
            for k in range(start, stop):
                totals[k] += (np.float64(values[frame, k]) + values[frame + 1, k]) + (
                    np.float64(values[frame + 2, k]) + values[frame + 3, k]
                )
            frame += 4
        while frame < last_frame:
            for k in range(start, stop):
                totals[k] += values[frame, k]
            frame += 1


@jit(reads="values columns")
def add_chosen(values, columns, first_frame, last_frame, first, last, totals):  # type: ignore[no-untyped-def]
    """Add the frames of a block to the totals of neurons `first` to `last`, at chosen columns."""
    for start in range(first, last, _TILE):
        stop = min(start + _TILE, last)
        for frame in range(first_frame, last_frame):
            for k in range(start, stop):
                totals[k] += values[frame, columns[k]]


@jit(reads="totals hexes")
def sum_of_hexes(totals, hexes, n_frames, out):  # type: ignore[no-untyped-def]
    """Add each neuron's mean over frames to its hexagon; return the first not finite, or -1."""
    for k in range(len(totals)):
        mean = totals[k] / n_frames
        if mean - mean != 0.0:
            return k
        out[hexes[k]] += mean
    return -1


@jit(reads="totals hexes means")
def squares_of_hexes(totals, hexes, n_frames, means, out):  # type: ignore[no-untyped-def]
    """Add the squared difference between each neuron's mean and its hexagon's mean."""
    for k in range(len(totals)):
        off = totals[k] / n_frames - means[hexes[k]]
        out[hexes[k]] += off * off


@jit(reads="totals hexes")
def ends_of_hexes(totals, hexes, n_frames, sign, out):  # type: ignore[no-untyped-def]
    """Find the least ``sign * mean`` of each hexagon's neurons; return as `sum_of_hexes`."""
    for k in range(len(totals)):
        mean = totals[k] / n_frames
        if mean - mean != 0.0:
            return k
        if mean * sign < out[hexes[k]]:
            out[hexes[k]] = mean * sign
    return -1


@jit(reads="totals hexes")
def above_of_hexes(totals, hexes, n_frames, level, out):  # type: ignore[no-untyped-def]
    """Count the neurons with a mean above a level; return the first not finite, or -1."""
    for k in range(len(totals)):
        mean = totals[k] / n_frames
        if mean - mean != 0.0:
            return k
        if mean > level:
            out[hexes[k]] += 1.0
    return -1
