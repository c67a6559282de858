"""Spikes in SONATA's HDF5 files.

They are read with h5py, because libsonata refuses a whole file if one population lacks an
attribute, and builds Python lists. Layout: SONATA Developer Guide, "Spike file".
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.ordering import follows, is_ascending, sort_by_time
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._spike_order import OrderRecord
from napari_hexrecruit.storage.hdf5 import (
    attribute_text,
    check_memory,
    child,
    child_names,
    h5_errors,
    open_h5,
    row_of_numbers,
    unit_text,
)
from napari_hexrecruit.system.threads import ahead
from napari_hexrecruit.timebins import EXACT, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from napari_hexrecruit.errors import Text
    from napari_hexrecruit.progress import Progress

OLD_LAYOUT = ""
"""Placeholder of the population in files that have ``/spikes/gids`` without one."""

_BYTES_PER_SPIKE = np.dtype(np.int32).itemsize + np.dtype(np.float64).itemsize
_BLOCK = 1 << 22
"""Spikes to read at a time."""
_SAMPLE = 1 << 7
"""Number of times from which their precision is judged."""
_EXACT_PER_MS = 1024.0
"""Steps of 1/1024 ms, which times of float32 and of float64 can both lie on."""
_LARGEST_SINGLE = 1e30
_MS_UNITS = ("ms", "msec", "millisecond", "milliseconds")
_IDS = ("node_ids", "gids")
_BY_TIME, _BY_ID = "by_time", "by_id"
_ORDERS = {
    "by_time": _BY_TIME,
    "time": _BY_TIME,
    "by_id": _BY_ID,
    "by_gid": _BY_ID,
    "gid": _BY_ID,
    "id": _BY_ID,
    "none": "none",
}


@dataclass(frozen=True)
class Spikes:
    """Spikes of one population, ascending in time.

    Attributes
    ----------
    neurons
        (n_spikes,) int32 rows of the neurons; -1 for ids outside the population.
    times_ms
        (n_spikes,) ascending, NaN last; float32 if the file stores that, else float64.
    n_unknown_id
        Number of spikes with ids outside the population.
    assumed
        Assumptions about what the file does not state, one sentence each.
    clock
        Precision of the times: their type in the file, and the simulation's step.
    """

    neurons: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.floating[Any]]
    n_unknown_id: int
    assumed: tuple[str, ...] = ()
    clock: Clock = EXACT


@dataclass(frozen=True)
class SpikeTrain:
    """The spikes of one population in an open file.

    Attributes
    ----------
    where
        File and population, the start of messages.
    ids, times
        Datasets of whole numbers and of times in ms.
    order
        Order that the file claims: by_time, by_id or none; empty if it claims nothing.
    assumed
        Assumptions about what the file does not state.
    dt_ms
        Step of the simulation, ms; None if unknown.
    """

    where: str
    ids: Any
    times: Any
    order: str
    assumed: tuple[str, ...]
    dt_ms: float | None = None

    def __len__(self) -> int:
        return int(self.times.shape[0])

    @property
    def mismarked(self) -> str:
        """Note for a file that claims to be sorted by time and is not."""
        return f"{self.where}: is marked by_time, but its times are not sorted; sorted"

    @cached_property
    def clock(self) -> Clock:
        """Precision of the times; that of float32 if float64 holds numbers of float32."""
        stored = self.times.dtype.newbyteorder("=")
        if stored == np.float64 and _are_single(self.times_ms(0, min(len(self), _SAMPLE))):
            stored = np.dtype(np.float32)
        return Clock(stored, self.dt_ms)

    def blocks(
        self, sizes: Iterable[int] = (), first: int = 0, last: int | None = None
    ) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Yield blocks of ids, and times in float32 or float64, of the spikes `first` to `last`.

        Parameters
        ----------
        sizes
            Sizes of the first blocks; the others have the size of the last one.
        """
        end = len(self) if last is None else last
        for part in _parts(first, end, sizes):
            with h5_errors(self.where):
                ids, times = self.ids[part], self.times[part]
            yield ids, times.astype(times_type(times.dtype), copy=False)

    def times_ms(self, first: int, last: int) -> npt.NDArray[Any]:
        """Return only the times of the spikes `first` to `last`, in float32 or float64."""
        with h5_errors(self.where):
            times = np.asarray(self.times[first:last])
        return times.astype(times_type(times.dtype), copy=False)

    def node_ids(self, first: int, last: int) -> npt.NDArray[Any]:
        """Return only the ids of the spikes `first` to `last`."""
        with h5_errors(self.where):
            return np.asarray(self.ids[first:last])

    def span_ms(self) -> tuple[float, float] | None:
        """Return the smallest and largest time, in any order, ms; None without spikes."""
        lo, hi = np.inf, -np.inf
        for times in self._blocks_of_times():
            if not np.isnan(times).all():
                lo, hi = min(lo, float(np.nanmin(times))), max(hi, float(np.nanmax(times)))
        return (lo, hi) if lo <= hi else None

    def is_ascending(self, progress: Progress | None = None) -> bool:
        """Check whether the times ascend, NaN last; reads up to the first that does not.

        The result is remembered until the file changes; see `OrderRecord`.
        """
        found = self.order_record.get()
        if found is None:
            found = self._read_order(progress)
            self.order_record.put(found)
        return found

    @cached_property
    def order_record(self) -> OrderRecord:
        """Record of the order of the times."""
        return OrderRecord(self.times)

    def _read_order(self, progress: Progress | None) -> bool:
        latest, n_read = -np.inf, 0
        with ahead(self._blocks_of_times()) as blocks:
            for times in blocks:
                if not (follows(times[0], latest) and is_ascending(times)):
                    return False
                latest, n_read = float(times[-1]), n_read + len(times)
                if progress is not None:
                    progress("checking the order of spikes", n_read, len(self))
        return True

    def _blocks_of_times(self) -> Iterator[npt.NDArray[Any]]:
        for part in _parts(0, len(self), ()):
            yield self.times_ms(part.start, part.stop)


def _are_single(times: npt.NDArray[Any]) -> bool:
    """Whether times are those of float32, and not on a grid that both types have exactly."""
    finite = times[np.isfinite(times) & (np.abs(times) < _LARGEST_SINGLE)]
    off_grid = finite * _EXACT_PER_MS % 1.0 != 0.0
    return bool(off_grid.any() and (finite.astype(np.float32) == finite).all())


def times_type(stored: np.dtype[Any]) -> type[np.float32 | np.float64]:
    """Return the type to keep and count times in: the stored one if the compiled code takes it."""
    return np.float32 if stored.kind == "f" and stored.itemsize == 4 else np.float64


def _parts(first: int, last: int, sizes: Iterable[int]) -> Iterator[slice]:
    size, more = _BLOCK, iter(sizes)
    while first < last:
        size = next(more, size)
        yield slice(first, min(first + size, last))
        first += size


@contextmanager
def opened_trains(path: Path, remedy: Text) -> Iterator[dict[str, Callable[[], SpikeTrain]]]:
    """Open the spikes file; for each population, a function returns its spikes or raises.

    Raises
    ------
    SimulationDataError
        If the file does not exist, is not an HDF5 file or has no spikes.
    """
    with open_h5(path, "the spikes file", remedy) as file:
        spikes = child(file, "spikes")
        if not hasattr(spikes, "keys"):
            raise SimulationDataError(
                path, "lacks the group '/spikes'", "name a SONATA spikes file"
            )
        names = child_names(spikes)
        items = {name: child(spikes, name) for name in names}
        groups = {name: item for name, item in items.items() if hasattr(item, "keys")}
        beside: tuple[str, ...] = ()
        if "timestamps" in names:
            if not any("timestamps" in child_names(group) for group in groups.values()):
                yield {OLD_LAYOUT: partial(_train, spikes, f"{path}: /spikes")}
                return
            beside = (f"{path}: /spikes: has spikes beside its populations; they are left out",)
        yield {
            name: partial(_train, group, f"{path}: population {name!r}", beside)
            for name, group in groups.items()
        }


def read_spikes(
    train: SpikeTrain,
    rows_of: Callable[[npt.NDArray[Any]], npt.NDArray[np.int32]],
    progress: Progress | None,
) -> Spikes:
    """Read all spikes of a population into memory, ascending in time.

    Parameters
    ----------
    train
        Spikes in their file.
    rows_of
        Returns the rows of neurons for ids; -1 for unknown ids.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    SimulationDataError
        If the file cannot be read to its end, or the spikes do not fit into memory.
    """
    n_spikes = len(train)
    check_memory(n_spikes * _BYTES_PER_SPIKE, train.where)
    neurons = np.empty(n_spikes, dtype=np.int32)
    times = np.empty(n_spikes, dtype=times_type(train.times.dtype))
    n_unknown, ascending, latest, at = 0, True, -np.inf, 0
    with ahead(train.blocks()) as blocks:
        for ids, stamps in blocks:
            block = slice(at, at + len(ids))
            neurons[block] = rows_of(ids)
            n_unknown += int(np.count_nonzero(neurons[block] < 0))
            times[block] = stamps
            here = times[block]
            ascending = ascending and follows(here[0], latest) and is_ascending(here)
            latest, at = here[-1], block.stop
            if progress is not None:
                progress("reading spikes", at, n_spikes)
    assumed = train.assumed
    if not ascending:
        if train.order == _BY_TIME:
            assumed += (train.mismarked,)
        neurons, times = sort_by_time(neurons, times)
    return Spikes(neurons, times, n_unknown, assumed, train.clock)


def _train(group: Any, where: str, beside: tuple[str, ...] = ()) -> SpikeTrain:
    """Return the spikes of a population with assumptions; refuse a group without spikes.

    `beside` are assumptions about the whole file.
    """
    times = child(group, "timestamps")
    ids = next(
        (found for found in (child(group, name) for name in _IDS) if found is not None), None
    )
    for found, name in ((times, "timestamps"), (ids, "node_ids")):
        if found is None:
            raise SimulationDataError(where, f"there is no dataset '{name}'", "name another file")
    times = row_of_numbers(times, f"{where}: 'timestamps'")
    ids = row_of_numbers(ids, f"{where}: 'node_ids'", kinds="iu")
    if times.shape[0] != ids.shape[0]:
        raise SimulationDataError(
            where,
            f"{times.shape[0]:,} timestamps for {ids.shape[0]:,} node_ids",
            "is the file complete?",
        )
    if times.shape[0] and not times.id.get_storage_size():
        raise SimulationDataError(
            where,
            f"has room for {times.shape[0]:,} spikes, but none was written",
            "is it still being written?",
        )
    assumed = [*beside]
    units = unit_text(times, group)
    if units is None:
        assumed.append(f"{where}: 'timestamps' has no units; ms is assumed")
    elif units.strip().lower() not in _MS_UNITS:
        raise SimulationDataError(
            where, f"'timestamps' has units {units!r}: only ms can be read", "convert them"
        )
    order = _order(group, times, ids)
    if not order:
        assumed.append(f"{where}: its order is not stated; its times are checked")
    return SpikeTrain(where, ids, times, order, tuple(assumed))


def _order(*items: Any) -> str:
    """Return the order that the attribute ``sorting`` of an item states; empty for none."""
    for item in items:
        text = attribute_text(item, "sorting")
        if text is not None:
            return _ORDERS.get(text.strip().lower(), "")
    return ""
