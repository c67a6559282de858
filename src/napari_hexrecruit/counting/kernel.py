"""Compiled loops over spikes. Importing this module imports llvmlite.

A spike needs two look-ups in tables that mostly stay in the caches of the processor:

- ``hexes``: (n_neurons + 1,) uint16 or uint32, the hexagon of each neuron. After the columns of the
  hexagons follow two more, "no hexagon" and "unknown id". The last row stands for unknown ids:
  every invalid id, negative or too large, is clipped to it, because both are too large as unsigned
  numbers.
- ``seen``: one bit per neuron and one for unknown ids, set if the neuron has fired in the bin.

``counts`` are uint64, with neurons in the upper 32 bits and spikes in the lower ones, so that one
addition counts both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.jit import jit, part

Array = npt.NDArray[Any]

_ONE = np.uint64(1)
_32_BITS = np.uint64(32)
_SPIKES = np.uint64((1 << 32) - 1)
_TO_BYTE = np.uint64(3)
_IN_BYTE = np.uint64(7)
_AT_A_TIME = 256
_BYTES_PER_SPIKE = 32
"""Bytes of ``seen`` per spike of a bin, up to which clearing the whole array is faster."""


def hex_table(hex_of_neuron: npt.NDArray[np.signedinteger[Any]], n_hexes: int) -> Array:
    """Return the column of each neuron, and of unknown ids.

    Parameters
    ----------
    hex_of_neuron
        (n_neurons,) int16 or int32; negative for none.
    n_hexes
        Number of hexagons.

    Returns
    -------
    (n_neurons + 1,) uint16 if this type holds all columns, else uint32
    """
    dtype = np.uint16 if n_hexes + 1 <= np.iinfo(np.uint16).max else np.uint32
    hexes = np.empty(len(hex_of_neuron) + 1, dtype=dtype)
    unsigned = hex_of_neuron.view(f"u{hex_of_neuron.itemsize}")
    np.minimum(unsigned, unsigned.dtype.type(n_hexes), out=hexes[:-1], casting="unsafe")
    hexes[-1] = n_hexes + 1
    return hexes


def plain(values: Array) -> Array:
    """Return the array, copied if it is not contiguous or not in native byte order."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


def seen_bits(n_neurons: int) -> npt.NDArray[np.uint8]:
    """Return cleared bits for each neuron and for unknown ids."""
    return np.zeros(n_neurons // 8 + 1, dtype=np.uint8)


def _scratch() -> Array:
    """Return scratch space for the look-ups of some spikes, because loops create no arrays."""
    return np.empty((3, _AT_A_TIME), np.uint64)


def unpack(counts: Array, n_recruited: Array, n_spikes: Array) -> None:
    """Unpack counts into two int32 arrays of the same shape."""
    np.right_shift(counts, _32_BITS, out=n_recruited, casting="unsafe")
    np.bitwise_and(counts, _SPIKES, out=n_spikes, casting="unsafe")


@part
def _row_of(neuron_id: Any, table: Any) -> Any:
    """Return the row of a neuron in a table whose last row stands for unknown ids."""
    return min(np.uint64(np.int64(neuron_id)), np.uint64(table.size - 1))


@part
def _bin_of(time: float, cuts: Any, per_ms: float) -> Any:
    """Return the bin of a time in the window: a guess, corrected with the exact cuts."""
    k = min(max(np.int64((time - cuts[0]) * per_ms), 0), cuts.size - 2)
    while time < cuts[k]:
        k -= 1
    while time >= cuts[k + 1]:
        k += 1
    return k


@part
def _add(ids: Any, first: int, last: int, hexes: Any, seen: Any, counts: Any, scratch: Any) -> None:
    """Add spikes to the counts of one bin.

    Batches of spikes are handled in two steps. The first one only looks up, so that the processor
    waits for many entries of the large table at once.
    """
    rows, columns = scratch[0], scratch[1]
    for begin in range(first, last, _AT_A_TIME):
        n = min(_AT_A_TIME, last - begin)
        for i in range(n):
            rows[i] = _row_of(ids[begin + i], hexes)
            columns[i] = hexes[rows[i]]
        for i in range(n):
            byte, bit = rows[i] >> _TO_BYTE, rows[i] & _IN_BYTE
            fired = np.uint64(seen[byte])
            counts[columns[i]] += _ONE + (((~fired >> bit) & _ONE) << _32_BITS)
            seen[byte] = fired | (_ONE << bit)


@part
def _clear(ids: Any, first: int, last: int, hexes: Any, seen: Any) -> None:
    if seen.size <= _BYTES_PER_SPIKE * (last - first):
        seen[:] = 0
    else:
        for spike in range(first, last):
            seen[_row_of(ids[spike], hexes) >> _TO_BYTE] = 0


def add_to_bin(ids: Array, first: int, last: int, hexes: Array, seen: Array, counts: Array) -> None:
    """Add spikes `first` to `last` to (n_hexes + 2,) packed counts of one bin."""
    _add_to_bin(ids, first, last, hexes, seen, counts, _scratch())


@jit(reads="ids hexes")
def _add_to_bin(
    ids: Any, first: int, last: int, hexes: Any, seen: Any, counts: Any, scratch: Any
) -> None:
    _add(ids, first, last, hexes, seen, counts, scratch)


def count_bins(
    ids: Array,
    starts: Array,
    first: int,
    last: int,
    hexes: Array,
    seen: Array,
    n_recruited: Array,
    n_spikes: Array,
) -> int:
    """Write rows `first` to `last` of (n_bins, n_hexes) int32 counts.

    Bin k has the spikes ``starts[k]`` to ``starts[k + 1]``. All bits of `seen` are clear before and
    after the call. Returns the number of spikes with unknown ids.
    """
    counts = np.zeros(n_recruited.shape[1] + 2, np.uint64)
    tables = n_recruited, n_spikes, counts, _scratch()
    return int(_count_bins(ids, starts, first, last, hexes, seen, *tables))


@jit(reads="ids starts hexes")
def _count_bins(
    ids: Any,
    starts: Any,
    first: int,
    last: int,
    hexes: Any,
    seen: Any,
    n_recruited: Any,
    n_spikes: Any,
    counts: Any,
    scratch: Any,
) -> Any:
    n_hexes = n_recruited.shape[1]
    n_unknown = np.int64(0)
    for k in range(first, last):
        counts[:] = 0
        _add(ids, starts[k], starts[k + 1], hexes, seen, counts, scratch)
        _clear(ids, starts[k], starts[k + 1], hexes, seen)
        for h in range(n_hexes):
            n_recruited[k, h] = np.int32(counts[h] >> _32_BITS)
            n_spikes[k, h] = np.int32(counts[h] & _SPIKES)
        n_unknown += np.int64(counts[n_hexes + 1] & _SPIKES)
    return n_unknown


def count_first(
    ids: Array, starts: Array, first: int, last: int, hexes: Array, seen: Array, newly: Array
) -> None:
    """Write rows `first` to `last` of (n_bins, n_hexes) numbers of newly recruited neurons."""
    counts = np.zeros(newly.shape[1] + 2, np.uint64)
    _count_first(ids, starts, first, last, hexes, seen, newly, counts, _scratch())


@jit(reads="ids starts hexes")
def _count_first(
    ids: Any,
    starts: Any,
    first: int,
    last: int,
    hexes: Any,
    seen: Any,
    newly: Any,
    counts: Any,
    scratch: Any,
) -> None:
    n_hexes = newly.shape[1]
    for k in range(first, last):
        counts[:] = 0
        _add(ids, starts[k], starts[k + 1], hexes, seen, counts, scratch)
        for h in range(n_hexes):
            newly[k, h] = np.int32(counts[h] >> _32_BITS)


def add_grouped(
    ids: Array,
    times: Array,
    first: int,
    last: int,
    cuts: Array,
    per_ms: float,
    hexes: Array,
    latest: Array,
    counts: Array,
) -> None:
    """Add spikes that are grouped by neuron to (n_hexes + 2, n_bins) packed counts.

    `latest` is the last neuron (uint64) of each bin: all spikes of a neuron are consecutive, in any
    order, so a neuron is newly recruited in a bin whose last neuron is another one.
    """
    flat = counts.reshape(-1)
    _add_grouped(ids, times, first, last, cuts, per_ms, hexes, latest, flat, _scratch())


@jit(reads="ids times cuts hexes")
def _add_grouped(
    ids: Any,
    times: Any,
    first: int,
    last: int,
    cuts: Any,
    per_ms: float,
    hexes: Any,
    latest: Any,
    flat: Any,
    scratch: Any,
) -> Any:
    """The loop of `add_grouped`.

    Batches of spikes are looked up before they are counted, so that the processor waits for many
    entries of the large table at once. The returned sum only keeps the compiler from removing the
    look-ups.
    """
    lo, hi = cuts[0], cuts[cuts.size - 1]
    n_bins = np.uint64(cuts.size - 1)
    rows, bins, places = scratch[0], scratch[1], scratch[2]
    looked_up = np.uint64(0)
    for begin in range(first, last, _AT_A_TIME):
        n = 0
        for spike in range(begin, min(begin + _AT_A_TIME, last)):
            time = np.float64(times[spike])
            if time >= lo and time < hi:
                rows[n] = _row_of(ids[spike], hexes)
                bins[n] = _bin_of(time, cuts, per_ms)
                places[n] = np.uint64(hexes[rows[n]]) * n_bins + bins[n]
                n += 1
        for i in range(n):
            looked_up += flat[places[i]]
        for i in range(n):
            k, row = bins[i], rows[i]
            flat[places[i]] += _ONE + (np.uint64(latest[k] != row) << _32_BITS)
            latest[k] = row
    return looked_up


@jit(reads="times cuts")
def bin_histogram(
    times: Any, first: int, last: int, cuts: Any, per_ms: float, n_in_bin: Any
) -> None:
    """Add spikes `first` to `last` to the (n_bins,) int64 number of spikes of each bin."""
    lo, hi = cuts[0], cuts[cuts.size - 1]
    for spike in range(first, last):
        time = np.float64(times[spike])
        if time >= lo and time < hi:
            n_in_bin[_bin_of(time, cuts, per_ms)] += 1


@jit(reads="ids times cuts")
def scatter_to_bins(
    ids: Any,
    times: Any,
    first: int,
    last: int,
    cuts: Any,
    per_ms: float,
    n_neurons: int,
    free: Any,
    ordered: Any,
) -> None:
    """Write ids into the parts of `ordered` for their bins (uint32; `n_neurons` if unknown).

    `free` is the (n_bins,) int64 position of each bin's next write.
    """
    lo, hi = cuts[0], cuts[cuts.size - 1]
    nobody = np.uint64(n_neurons)
    for spike in range(first, last):
        time = np.float64(times[spike])
        if time >= lo and time < hi:
            k = _bin_of(time, cuts, per_ms)
            ordered[free[k]] = min(np.uint64(np.int64(ids[spike])), nobody)
            free[k] += 1


@jit(reads="ids times cuts")
def note_first_bins(ids: Any, times: Any, cuts: Any, per_ms: float, first_bin: Any) -> None:
    """Lower the (n_neurons + 1,) int64 bin of each neuron's first spike; last row: unknown ids."""
    lo, hi = cuts[0], cuts[cuts.size - 1]
    for spike in range(ids.size):
        time = np.float64(times[spike])
        if time >= lo and time < hi:
            row = _row_of(ids[spike], first_bin)
            first_bin[row] = min(first_bin[row], _bin_of(time, cuts, per_ms))


@jit(reads="first_bin hex_of_neuron")
def add_first_bins(first_bin: Any, hex_of_neuron: Any, newly: Any) -> None:
    """Add each neuron that fires to (n_bins, n_hexes) at its hexagon and first bin."""
    for neuron in range(hex_of_neuron.size):
        k, hexagon = first_bin[neuron], hex_of_neuron[neuron]
        if k < newly.shape[0] and hexagon >= 0:
            newly[k, hexagon] += 1
