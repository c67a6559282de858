"""Recruitment cubes whose every value follows from the arguments."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from napari_hexrecruit.hexgrid import HexGrid, hex_names, rowcol_to_ij
from napari_hexrecruit.schema import COORDINATES, VARIABLES, validate_cube

LETTER_F = [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (4, 0), (4, 1), (4, 2)]
"""(row, col) of hexagons that look like an F, y up."""


def cube_of(
    n_recruited,
    *,
    row,
    col,
    n_neurons=100,
    n_spikes=None,
    radius=50.0,
    start_ms=0.0,
    bin_ms=10.0,
    min_neurons=1,
    flat_units="um",
):
    """Cube with these numbers of recruited neurons, (n_bins, n_hexes), in these hexagons.

    `n_neurons` is one number or one per hexagon; without `n_spikes` a recruited neuron fires once.
    """
    counts = np.asarray(n_recruited, dtype=np.int32)
    row, col = np.asarray(row), np.asarray(col)
    order = np.lexsort((col, row))
    row, col, counts = row[order], col[order], counts[:, order]
    neurons = np.broadcast_to(np.asarray(n_neurons, dtype=np.int32), row.shape)
    neurons = neurons[order] if np.ndim(n_neurons) else neurons
    spikes = counts if n_spikes is None else np.asarray(n_spikes, dtype=np.int32)[:, order]
    assert (counts <= neurons).all() and (spikes >= counts).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = np.where(neurons >= min_neurons, 100.0 * counts / neurons, np.nan)
    cube = xr.Dataset(
        {
            "recruitment": (("time", "hex"), percent.astype(np.float32)),
            "n_recruited": (("time", "hex"), counts),
            "n_spikes": (("time", "hex"), spikes),
        },
        coords=_coordinates(row, col, neurons, len(counts), radius, start_ms, bin_ms),
        attrs=_attrs(neurons, spikes, radius, bin_ms, flat_units),
    )
    for name, spec in (VARIABLES | COORDINATES).items():
        cube[name].attrs.update(spec.attrs)
    for axis in "xy":
        cube[axis].attrs["units"] = flat_units
    validate_cube(cube)
    return cube


def wave_cube(n_rows=8, n_cols=12, n_bins=20, **options):
    """Sheet of 100 neurons a hexagon; in bin b, column b % n_cols is at 60 %, the rest at 10 %."""
    row, col = (a.ravel() for a in np.mgrid[0:n_rows, 0:n_cols])
    front = np.arange(n_bins)[:, None] % n_cols == col[None, :]
    return cube_of(np.where(front, 60, 10), row=row, col=col, **options)


def letter_cube(n_bins=3, **options):
    """Hexagons that form the letter F, at 50 % in every bin."""
    row, col = np.array(LETTER_F).T
    return cube_of(np.full((n_bins, len(row)), 50), row=row, col=col, **options)


def sheet_cube(n_hexes=3000, n_bins=76, start_ms=3000.0, **options):
    """Disc of `n_hexes` hexagons over which rings of activity run outwards, up to 48 %."""
    half = int(np.sqrt(n_hexes)) + 2
    row, col = (a.ravel() for a in np.mgrid[-half : half + 1, -half : half + 1])
    x, y = HexGrid(1.0).hex_to_xy(*rowcol_to_ij(row, col))
    distance = np.hypot(x / 1.3, y)
    inside = np.sort(np.argsort(distance, kind="stable")[:n_hexes])
    row, col, distance = row[inside], col[inside], distance[inside]
    phase = distance[None, :] / 9.0 - np.arange(n_bins)[:, None] / 6.0
    percent = 48.0 * np.exp(-((np.sin(phase) - 1.0) ** 2) * 3.0) * np.exp(-distance / 60.0)
    neurons = 400 + (7 * row + 13 * col) % 300
    counts = np.floor(percent * neurons / 100.0)
    return cube_of(counts, row=row, col=col, n_neurons=neurons, start_ms=start_ms, **options)


def _coordinates(row, col, neurons, n_bins, radius, start_ms, bin_ms):
    i, j = rowcol_to_ij(row, col)
    x, y = HexGrid(radius).hex_to_xy(i, j)
    time = start_ms + bin_ms * np.arange(n_bins)
    return {
        "time": ("time", time),
        "time_bounds": (("time", "bound"), np.stack([time, time + bin_ms], axis=1)),
        "hex": ("hex", hex_names(row, col)),
        "row": ("hex", row.astype(np.int32)),
        "col": ("hex", col.astype(np.int32)),
        "i": ("hex", i),
        "j": ("hex", j),
        "x": ("hex", x),
        "y": ("hex", y),
        "n_neurons": ("hex", np.array(neurons, dtype=np.int32)),
    }


def _attrs(neurons, spikes, radius, bin_ms, flat_units):
    return {
        "Conventions": "CF-1.11",
        "title": "Recruitment of test neurons",
        "schema_version": 1,
        "hex_radius": float(radius),
        "bin_ms": float(bin_ms),
        "flat_units": flat_units,
        "population": "test",
        "recipe": json.dumps({"made": "by tests"}),
        "n_neurons_selected": int(neurons.sum()),
        "n_neurons_without_place": 0,
        "n_spikes_read": int(spikes.sum()),
        "n_spikes_outside_window": 0,
        "n_spikes_unknown_id": 0,
        "napari_hexrecruit_version": "0.1.0",
    }
