"""Reports of a simulation: values of each neuron, frame after frame, in SONATA's HDF5 files.

Four layouts are read: that of the SONATA guide and of the tools that follow it
(``/report/<population>/data``, with one pointer for each neuron, or one more), BMTK's
(``index_pointer``, no units), and the old one (``/mapping/gids``, ``/<variable>/data``).
Layout: SONATA Developer Guide, "Frame-oriented node element recordings".
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import POPULATION, Parameter, SimulationDataError
from napari_hexrecruit.sonata._report_mapping import Somata, mapping_of, somata_of
from napari_hexrecruit.storage.hdf5 import (
    check_bytes,
    child,
    child_names,
    h5_errors,
    open_h5,
    unit_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

REPORT = Parameter("report", hint="NAME")
OLD_LAYOUT = ""
"""Placeholder of the population in files of the old layout, which name none."""
UNKNOWN_UNITS = "unknown"
_BLOCK_BYTES = 16 << 20
_OFF_FRAMES = 1e-3


@dataclass(frozen=True)
class ReportConfig:
    """A report as the simulation's configuration names it.

    Attributes
    ----------
    name
        Name in the configuration, or of the file.
    path
        The file.
    kind
        Its ``type``, such as ``compartment`` or ``summation``; empty if not stated.
    variable
        Its ``variable_name``; empty if not stated.
    units
        Its ``unit``; empty if not stated.
    """

    name: str
    path: Path
    kind: str = ""
    variable: str = ""
    units: str = ""


@dataclass(frozen=True)
class Report:
    """One population of a report in its open file, with one value per neuron: at the soma.

    Attributes
    ----------
    where
        File and group, the start of messages.
    data
        Dataset (frame, element).
    somata
        Elements that are somata, and their neurons.
    start_ms, dt_ms
        Time of the first frame, and time between frames, ms.
    units
        Units of the values.
    assumed
        Assumptions about what the file does not state, one sentence each.
    """

    where: str
    data: Any
    somata: Somata
    start_ms: float
    dt_ms: float
    units: str
    assumed: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.data.shape[0])

    @property
    def stop_ms(self) -> float:
        """End of the last frame, ms."""
        return self.start_ms + self.n_frames * self.dt_ms

    def times_ms(self) -> npt.NDArray[np.float64]:
        """Return the (n_frames,) time of each frame, ms."""
        return self.start_ms + self.dt_ms * np.arange(self.n_frames, dtype=np.float64)

    def blocks(self, first: int, last: int) -> Iterator[npt.NDArray[Any]]:
        """Yield (n_frames, n_elements) blocks of the frames `first` to `last`.

        Buffers are reused: copy values to keep.
        """
        data, width = self.data, max(1, int(self.data.shape[1]))
        rows = max(1, _BLOCK_BYTES // (width * data.dtype.itemsize))
        if data.chunks:  # whole chunks, so that each is decompressed once
            rows = max(data.chunks[0], rows // data.chunks[0] * data.chunks[0])
        kind = np.float32 if data.dtype.itemsize <= 4 else np.float64
        buffers = [np.empty((min(rows, last - first), width), kind) for _ in range(3)]
        at, number = first, 0
        while at < last:
            end = min(last, (at // rows + 1) * rows)
            values = buffers[number % len(buffers)][: end - at]
            with h5_errors(self.where):
                data.read_direct(values, np.s_[at:end, :])
            yield values
            at, number = end, number + 1


@contextmanager
def opened_report(
    config: ReportConfig,
    population: str | None,
    circuit_populations: Sequence[str],
    rows_of: Callable[[str, npt.NDArray[Any]], npt.NDArray[np.int32]],
) -> Iterator[tuple[str, Report]]:
    """Open a report of one population, and return the population's name with it.

    Parameters
    ----------
    config
        The report.
    population
        Name of the population; None: the only one in both the report and the circuit.
    circuit_populations
        Names of the circuit's populations.
    rows_of
        Returns the rows of a population's neurons by id, -1 for ids that it lacks.

    Raises
    ------
    SimulationDataError
        If the file is not a report of that population with one value per neuron.
    """
    remedy = ("run the simulation, or name another one with ", REPORT)
    with open_h5(config.path, "the report", remedy) as file:
        groups = report_populations(file)
        if not groups:
            raise SimulationDataError(
                config.path,
                "holds no report: there is no group 'report'",
                ("name another one with ", REPORT),
            )
        name = _population_in(config.path, list(groups), population, circuit_populations)
        group = groups.get(name, groups.get(OLD_LAYOUT))
        yield name, _read(config, group, name, OLD_LAYOUT in groups, rows_of)


def populations_of(config: ReportConfig, circuit_populations: Sequence[str]) -> list[str | None]:
    """Return the circuit's populations in a report; [None] if `opened_report` must find it.

    Raises
    ------
    SimulationDataError
        If the file cannot be opened.
    """
    with open_h5(config.path, "the report", "run the simulation") as file:
        known = [name for name in report_populations(file) if name in circuit_populations]
    return list(known) or [None]


def report_populations(file: Any) -> dict[str, Any]:
    """Return the groups of a report file by population; `OLD_LAYOUT` if it names none."""
    report = child(file, "report")
    if hasattr(report, "keys"):
        groups = {name: child(report, name) for name in child_names(report)}
        return {name: group for name, group in groups.items() if hasattr(group, "keys")}
    if hasattr(child(file, "mapping"), "keys"):
        return {OLD_LAYOUT: file}
    return {}


def _population_in(
    path: Path, there: list[str], population: str | None, circuit: Sequence[str]
) -> str:
    if OLD_LAYOUT in there:
        if population is None and len(circuit) != 1:
            raise SimulationDataError(
                path,
                f"has the old layout, without populations; there are: {', '.join(circuit)}",
                ("name the one that it is of with ", POPULATION),
            )
        return population or circuit[0]
    known = [name for name in there if name in circuit]
    wanted = [population] if population is not None else known
    if len(wanted) == 1 and wanted[0] in there:
        return wanted[0]
    listed = ", ".join(there)
    if len(known) > 1 and population is None:
        raise SimulationDataError(
            path, f"is of several populations ({listed})", ("name one with ", POPULATION)
        )
    what = "no population of the circuit" if population is None else f"no population {population!r}"
    raise SimulationDataError(
        path,
        f"has {what}; it is of: {listed}",
        ("name another report with ", REPORT, ", or another population with ", POPULATION),
    )


def _read(
    config: ReportConfig,
    group: Any,
    population: str,
    is_old: bool,
    rows_of: Callable[[str, npt.NDArray[Any]], npt.NDArray[np.int32]],
) -> Report:
    where = f"{config.path}: {group.name}" if group.name != "/" else f"{config.path}"
    data, mapping = _data_of(group, where), child(group, "mapping")
    if not hasattr(mapping, "keys"):
        raise SimulationDataError(
            where,
            "has no group 'mapping', so its values are of no neuron",
            ("write the report again, or name another one with ", REPORT),
        )
    _check_data(data, where)
    start, stop, dt = _times(mapping, where)
    assumed = [*_frames_note(data, start, stop, dt, where)]
    if is_old:
        said = f"has the old layout, without populations; assumed to be of {population!r}"
        assumed.append(f"{where}: {said}")
    found = mapping_of(mapping, int(data.shape[1]), where)
    somata = somata_of(found, rows_of(population, found.node_ids), where, population)
    units, of_units = _units(config, data, where)
    assumed += [*somata.assumed, *of_units]
    return Report(where, data, somata, start, dt, units, tuple(assumed))


def _data_of(group: Any, where: str) -> Any:
    """Return ``data`` of the group; in the old layout it can be in the group's only subgroup."""
    data = child(group, "data")
    if data is None:
        others = [child(group, name) for name in child_names(group) if name != "mapping"]
        inner = [child(one, "data") for one in others if hasattr(one, "keys")]
        found = [one for one in inner if one is not None]
        if len(found) > 1:
            names = ", ".join(one.name for one in found)
            raise SimulationDataError(
                where, f"holds several variables ({names})", "write a report of one of them"
            )
        data = found[0] if found else None
    if data is None or not hasattr(data, "shape"):
        raise SimulationDataError(
            where, "has no dataset 'data'", ("name another report with ", REPORT)
        )
    return data


def _check_data(data: Any, where: str) -> None:
    with h5_errors(where):
        if data.shape is None or data.ndim != 2 or data.dtype.kind not in "fiu":
            raise SimulationDataError(
                f"{where}/data",
                f"is {data.dtype} of shape {data.shape}, not numbers (frame, element)",
                ("name another report with ", REPORT),
            )
        if data.shape[0] == 0:
            raise SimulationDataError(f"{where}/data", "has no frame", "is it still being written?")
        check_bytes(data, f"{where}/data")


def _times(mapping: Any, where: str) -> tuple[float, float, float]:
    """Return start, stop and step of the frames, ms."""
    time = child(mapping, "time")
    what = "has no 'mapping/time' of start, stop and step"
    if time is None or not hasattr(time, "shape") or time.shape != (3,):
        raise SimulationDataError(where, what, "write the report again")
    with h5_errors(where):
        start, stop, dt = (float(value) for value in time[()])
    units = unit_text(time) or "ms"
    if units not in ("ms", "msec", "millisecond", "milliseconds"):
        raise SimulationDataError(
            f"{where}/mapping/time", f"is in {units!r}", "write the report again, with times in ms"
        )
    if not (np.isfinite([start, stop, dt]).all() and dt > 0 and stop > start):
        raise SimulationDataError(
            f"{where}/mapping/time",
            f"is {start:g} to {stop:g} ms in steps of {dt:g} ms, which is impossible",
            "write the report again",
        )
    return start, stop, dt


def _frames_note(data: Any, start: float, stop: float, dt: float, where: str) -> list[str]:
    """Return a note on a frame too many or too few; refuse a larger difference."""
    expected, found = (stop - start) / dt, int(data.shape[0])
    if found < expected - 1 - _OFF_FRAMES or found > expected + 1 + _OFF_FRAMES:
        raise SimulationDataError(
            f"{where}/data",
            f"has {found:,} frames, and its times are of {round(expected):,}"
            f" ({start:g} to {stop:g} ms in steps of {dt:g} ms)",
            "is it complete? run the simulation again",
        )
    if abs(found - expected) <= _OFF_FRAMES:
        return []
    return [
        f"{where}: has {found:,} frames of {dt:g} ms for {start:g} to {stop:g} ms; the first is"
        f" taken to be at {start:g} ms"
    ]


def _units(config: ReportConfig, data: Any, where: str) -> tuple[str, list[str]]:
    """Return the units of the values, and a note on assumed ones."""
    units = unit_text(data)
    said = []
    if units is None and config.units:
        units = config.units
        said.append(f"{where}: states no units; {units}, as the configuration says, is assumed")
    elif units is None:
        units = UNKNOWN_UNITS
        said.append(f"{where}: states no units, and neither does the configuration")
    if config.kind == "summation":
        said.append(
            f"{where}: is a summation report; its units, {units}, are those that the file states:"
            " some simulators write mV for currents in nA"
        )
    return units, said
