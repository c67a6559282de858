"""Spikes, the hexagon of each neuron, and bins to the recruitment cube. Must not know files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit import schema
from napari_hexrecruit.counting.bin_counter import BinCounter, count_ascending
from napari_hexrecruit.hexgrid import TOO_FAR_OUT, HexGrid, hex_names, ij_to_rowcol
from napari_hexrecruit.masks import Mask

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.timebins import Clock, TimeBins

Ints = npt.NDArray[np.int32]

NO_HEX = -1


@dataclass(frozen=True)
class HexMembers:
    """Hexagons that contain neurons, and the hexagon of each neuron.

    Attributes
    ----------
    grid
        Tiling.
    i, j
        (n_hexes,) int32 grid indices, hexagons sorted by (row, col).
    hex_of_neuron
        (n_neurons_of_population,) int16, or int32 for more than 32,766 hexagons: position in `i`
        and `j`; -1 for neurons in no hexagon.
    n_neurons
        (n_hexes,) int32 number of neurons of each hexagon, all greater than 0.
    names
        (n_hexes,) names; None for those of the grid, ``R3;C-1``.
    centres
        (n_hexes, 2) float64 x and y; None for those of the grid.
    """

    grid: HexGrid
    i: Ints
    j: Ints
    hex_of_neuron: npt.NDArray[np.signedinteger[Any]]
    n_neurons: Ints
    names: npt.NDArray[np.str_] | None = None
    centres: npt.NDArray[np.float64] | None = None

    def keep(self, kept: Mask | npt.NDArray[np.bool_]) -> HexMembers:
        """Return these members with only the neurons in a mask or a bool array."""
        from napari_hexrecruit.counting import place_kernel

        bits = (kept if isinstance(kept, Mask) else Mask.of(kept)).bits
        n_neurons = np.zeros(len(self.i), dtype=np.int32)
        place_kernel.count_kept(self.hex_of_neuron, bits, n_neurons)
        if n_neurons.all() and np.array_equal(n_neurons, self.n_neurons):
            return self
        used = np.flatnonzero(n_neurons)
        labels = np.full(len(self.i), NO_HEX, dtype=np.int32)
        labels[used] = np.arange(len(used), dtype=np.int32)
        hex_of_neuron = np.empty(len(self.hex_of_neuron), dtype=smallest_kind(len(used)))
        place_kernel.relabel_kept(self.hex_of_neuron, bits, labels, hex_of_neuron)
        return HexMembers(
            self.grid,
            self.i[used],
            self.j[used],
            hex_of_neuron,
            n_neurons[used],
            None if self.names is None else self.names[used],
            None if self.centres is None else self.centres[used],
        )

    def hex_names(self) -> npt.NDArray[np.str_]:
        """Return the (n_hexes,) names of the hexagons."""
        return hex_names(*ij_to_rowcol(self.i, self.j)) if self.names is None else self.names

    def xy(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the (n_hexes,) x and y of the centres in flat space."""
        if self.centres is None:
            return self.grid.hex_to_xy(self.i, self.j)
        return self.centres[:, 0], self.centres[:, 1]


def group_neurons(
    grid: HexGrid,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    has_place: npt.NDArray[np.bool_],
) -> HexMembers:
    """Group neurons with a flat position by hexagon.

    Parameters
    ----------
    grid
        Tiling.
    x, y
        (n_neurons,) coordinates in flat space.
    has_place
        (n_neurons,) bool; other neurons are in no hexagon and can have any coordinates.

    Returns
    -------
    HexMembers

    Raises
    ------
    ValueError
        If a coordinate of a neuron with a flat position is not finite, or too far out.
    """
    from napari_hexrecruit.counting.placing import InMemory, place_neurons

    xs, ys = (np.where(has_place, axis, np.nan) for axis in (x, y))
    members = place_neurons(grid, InMemory(xs, ys), outside_value=False)
    if int(members.n_neurons.sum()) != np.count_nonzero(has_place):
        raise ValueError(TOO_FAR_OUT)
    return members


def smallest_kind(n_hexes: int) -> type[np.int16 | np.int32]:
    """Return the smallest type for the positions of `n_hexes` hexagons, and one more."""
    return np.int16 if n_hexes < np.iinfo(np.int16).max else np.int32


def count_spikes(
    neurons: npt.NDArray[np.integer[Any]],
    times_ms: npt.NDArray[np.floating[Any]],
    members: HexMembers,
    bins: TimeBins,
    *,
    clock: Clock | None = None,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> tuple[Ints, Ints]:
    """Count distinct neurons and spikes of each (bin, hexagon).

    Parameters
    ----------
    neurons
        (n_spikes,) neuron of each spike, any integer type; neurons that are not in `members` are
        ignored.
    times_ms
        (n_spikes,) ascending float64 or float32 times, NaN last.
    members
        Hexagon of each neuron.
    bins
        Bins of time; spikes outside are ignored.
    clock
        Precision of the times, as in `Spikes.clock`; by default that of their dtype.
    progress
        Called with ``"spikes"``, the number of spikes done, and the total.
    n_workers
        Number of threads; by default one per core that this process can use.

    Returns
    -------
    n_recruited, n_spikes : (n_bins, n_hexes) int32

    Notes
    -----
    One pass over the spikes: a neuron counts as recruited if it has not been seen in the bin yet.
    The bins are divided among threads, each with one bit per neuron for "seen", so that the bits
    stay in the processor's cache. Contiguous arrays are not copied.
    """
    with BinCounter(members.hex_of_neuron, len(members.i), n_workers) as counter:
        counts = count_ascending(neurons, times_ms, counter, bins, clock, progress)
    return counts.n_recruited, counts.n_spikes


def count_newly_recruited(
    neurons: npt.NDArray[np.integer[Any]],
    times_ms: npt.NDArray[np.floating[Any]],
    members: HexMembers,
    bins: TimeBins,
    *,
    clock: Clock | None = None,
) -> Ints:
    """Count the neurons of each (bin, hexagon) whose first spike of the window is in the bin.

    Parameters
    ----------
    neurons, times_ms, members, bins, clock
        As for `count_spikes`.

    Returns
    -------
    (n_bins, n_hexes) int32
        The running sum over the bins is the number of neurons recruited so far.
    """
    from napari_hexrecruit.counting import kernel

    newly = np.empty((bins.n_bins, len(members.i)), np.int32)
    hexes = kernel.hex_table(members.hex_of_neuron, len(members.i))
    neurons, seen = kernel.plain(neurons), kernel.seen_bits(len(hexes) - 1)
    starts = bins.starts(times_ms, clock)
    kernel.count_first(neurons, starts, 0, bins.n_bins, hexes, seen, newly)
    return newly


def assemble_cube(
    members: HexMembers,
    bins: TimeBins,
    n_recruited: Ints,
    n_spikes: Ints,
    *,
    min_neurons: int,
    flat_units: str,
    attrs: dict[str, Any],
) -> xr.Dataset:
    """Make the recruitment cube that ``docs/cube.md`` and `napari_hexrecruit.schema` describe.

    Parameters
    ----------
    members, bins
        Hexagons and bins.
    n_recruited, n_spikes
        (n_bins, n_hexes) int32 counts.
    min_neurons
        Hexagons with fewer neurons have NaN as `recruitment`.
    flat_units
        Unit of flat space.
    attrs
        Further attributes.

    Returns
    -------
    xr.Dataset
    """
    values = (_percent(n_recruited, members.n_neurons, min_neurons), n_recruited, n_spikes)
    variables = {
        name: (one, spec.attrs)
        for (name, spec), one in zip(schema.VARIABLES.items(), values, strict=True)
    }
    return assemble(members, bins, variables, flat_units=flat_units, attrs=attrs)


def assemble(
    members: HexMembers,
    bins: TimeBins,
    variables: dict[str, tuple[npt.NDArray[Any], dict[str, str]]],
    *,
    flat_units: str,
    attrs: dict[str, Any],
    version: int = schema.SCHEMA_VERSION,
) -> xr.Dataset:
    """Make a cube of variables over time and hexagons.

    Parameters
    ----------
    members, bins, flat_units, attrs
        As for `assemble_cube`.
    variables
        (n_bins, n_hexes) values of each variable, and its attributes.
    version
        Version of the schema.
    """
    import xarray as xr

    return xr.Dataset(
        {
            name: xr.Variable((schema.TIME, schema.HEX), one, own, fastpath=True)
            for name, (one, own) in variables.items()
        },
        _coordinates(members, bins, flat_units),
        {
            "Conventions": schema.CONVENTIONS,
            "schema_version": version,
            **_grid_attrs(members.grid),
            "bin_ms": bins.width_ms,
            "flat_units": flat_units,
            **attrs,
        },
    )


def _coordinates(members: HexMembers, bins: TimeBins, flat_units: str) -> xr.Coordinates:
    import pandas as pd
    import xarray as xr
    from xarray.indexes import PandasIndex

    row, col = ij_to_rowcol(members.i, members.j)
    x, y = members.xy()
    values: dict[str, npt.NDArray[Any]] = {
        **{name: times for name, (_, times, _) in schema.time_coords(bins.edges()).items()},
        schema.HEX: members.hex_names(),
        "row": row,
        "col": col,
        "i": members.i,
        "j": members.j,
        "x": x,
        "y": y,
        schema.N_NEURONS: members.n_neurons,
    }
    # No checks, because xarray imports dask and pint for them, which takes longer than counting.
    coords = {
        name: xr.Variable(
            spec.dims, values[name], spec.attrs | _flat_attrs(name, flat_units), fastpath=True
        )
        for name, spec in schema.COORDINATES.items()
    }
    indexes = {
        dim: PandasIndex(pd.Index(values[dim], name=dim), dim, coord_dtype=values[dim].dtype)
        for dim in (schema.TIME, schema.HEX)
    }
    for dim, index in indexes.items():
        coords |= index.create_variables({dim: coords[dim]})
    return xr.Coordinates(coords, indexes=indexes)


def _grid_attrs(grid: HexGrid) -> dict[str, float]:
    """Return the radius, and the origin if it is not (0, 0)."""
    attrs = grid.to_attrs()
    return attrs if any(grid.origin) else {"hex_radius": attrs["hex_radius"]}


def _flat_attrs(name: str, flat_units: str) -> dict[str, str]:
    return {"units": flat_units} if name in ("x", "y") else {}


def _percent(n_recruited: Ints, n_neurons: Ints, min_neurons: int) -> npt.NDArray[np.float32]:
    denominator = np.where(n_neurons >= min_neurons, n_neurons, np.nan)
    percent = np.empty(n_recruited.shape, dtype=np.float32)
    for k, counts in enumerate(n_recruited):  # row by row: no float64 copy of the whole cube
        percent[k] = 100.0 * counts / denominator
    return percent
