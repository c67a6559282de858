"""Spikes in SONATA's HDF5 files.

They are read with h5py: libsonata refuses a whole file for an attribute that is missing from one
population of it, and builds Python lists.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py

    from napari_hexrecruit.recruitment import Progress

__all__ = ["Spikes", "open_spikes_file", "read_spikes", "spike_span_ms"]

_BLOCK = 1 << 22
"""Spikes read at a time."""
_MS_UNITS = ("ms", "msec", "millisecond", "milliseconds")


@dataclass(frozen=True)
class Spikes:
    """Spikes of one population, ascending in time.

    Attributes
    ----------
    neurons
        (n_spikes,) int32 ids; -1 for ids outside the population.
    times_ms
        (n_spikes,) float64 ascending, NaN last.
    n_unknown_id
        How many ids are outside the population.
    assumed
        What the file does not say and was taken for granted, one sentence each.
    """

    neurons: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.float64]
    n_unknown_id: int
    assumed: tuple[str, ...] = ()


@contextmanager
def open_spikes_file(path: Path, config: Path) -> Iterator[h5py.File]:
    """The spikes file that a configuration names.

    Raises
    ------
    SimulationDataError
        If it does not exist, is no HDF5 file or has no spikes.
    """
    import h5py

    if not path.is_file():
        raise SimulationDataError(
            f"{path}: the spikes file does not exist: run the simulation, or correct 'output'"
            f" in {config}"
        )
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise SimulationDataError(
            f"{path}: the spikes file cannot be opened ({one_line(error)}): is it complete?"
        ) from error
    with file:
        if "spikes" not in file or not hasattr(file["spikes"], "keys"):
            raise SimulationDataError(f"{path}: there is no group '/spikes': no SONATA spikes file")
        yield file


def read_spikes(
    file: h5py.File, population: str, n_neurons: int, progress: Progress | None
) -> Spikes:
    """All spikes of a population.

    Raises
    ------
    SimulationDataError
        If there is no such population, or its datasets are not spikes.
    """
    if population not in file["spikes"]:
        listed = ", ".join(file["spikes"]) or "none"
        raise SimulationDataError(
            f"{file.filename}: there are no spikes of population {population!r};"
            f" there are: {listed}"
        )
    group = file["spikes"][population]
    where = f"{file.filename}: population {population!r}"
    assumed = _check_spikes(group, where)
    try:
        return _load_spikes(group, n_neurons, assumed, progress)
    except OSError as error:
        raise SimulationDataError(f"{where}: {one_line(error)}: is it complete?") from error


def spike_span_ms(file: h5py.File, population: str) -> tuple[float, float] | None:
    """Times of the first and the last spike of a population, ms; None where there is none."""
    times = file["spikes"][population]["timestamps"]
    blocks = (times[at : at + _BLOCK] for at in range(0, times.shape[0], _BLOCK))
    ends = [(np.nanmin(b), np.nanmax(b)) for b in blocks if not np.isnan(b).all()]
    if not ends:
        return None
    return float(min(lo for lo, _ in ends)), float(max(hi for _, hi in ends))


def _check_spikes(group: Any, where: str) -> tuple[str, ...]:
    """Refuse what is no population of spikes; say what had to be assumed."""
    for name in ("timestamps", "node_ids"):
        if name not in group:
            raise SimulationDataError(f"{where}: there is no dataset '{name}'")
        if group[name].ndim != 1 or group[name].dtype.kind not in "iuf":
            raise SimulationDataError(f"{where}: '{name}' is not a row of numbers")
    if group["node_ids"].dtype.kind == "f":
        raise SimulationDataError(f"{where}: 'node_ids' are not whole numbers")
    n_times, n_ids = group["timestamps"].shape[0], group["node_ids"].shape[0]
    if n_times != n_ids:
        raise SimulationDataError(
            f"{where}: {n_times:,} timestamps stand beside {n_ids:,} node_ids: is it complete?"
        )
    units = group["timestamps"].attrs.get("units")
    if units is None:
        return (f"{where}: 'timestamps' has no units; ms is assumed",)
    text = units.decode() if isinstance(units, bytes) else str(units)
    if text.strip().lower() not in _MS_UNITS:
        raise SimulationDataError(f"{where}: 'timestamps' has units {text!r}: only ms can be read")
    return ()


def _load_spikes(
    group: Any, n_neurons: int, assumed: tuple[str, ...], progress: Progress | None
) -> Spikes:
    n_spikes = int(group["timestamps"].shape[0])
    neurons = np.empty(n_spikes, dtype=np.int32)
    times = np.empty(n_spikes, dtype=np.float64)
    n_unknown, ascending, latest = 0, True, -np.inf
    for at in range(0, n_spikes, _BLOCK):
        block = slice(at, min(at + _BLOCK, n_spikes))
        ids = group["node_ids"][block]
        unknown = (ids < 0) | (ids >= n_neurons)
        n_unknown += int(np.count_nonzero(unknown))
        neurons[block] = ids
        neurons[block][unknown] = -1
        times[block] = group["timestamps"][block]
        here = times[block]
        ascending = ascending and bool(here[0] >= latest) and bool((here[1:] >= here[:-1]).all())
        latest = here[-1]
        if progress is not None:
            progress("reading spikes", block.stop, n_spikes)
    if not ascending:
        order = np.argsort(times, kind="stable")
        neurons, times = neurons[order], times[order]
    return Spikes(neurons, times, n_unknown, assumed)
