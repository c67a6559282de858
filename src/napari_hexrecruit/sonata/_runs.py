"""The runs of a simulation: usually one, or several from one configuration."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import FILES, SPIKES_FILE, Parameter, SimulationDataError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.errors import Text

_MOST_RUNS = 10_000
_LONGEST_MS = 1e12


@dataclass(frozen=True)
class Run:
    """Start and stop of a run, ms, and its spikes file.

    Attributes
    ----------
    assumed
        Assumptions about the run.
    unclear
        Reason why start and stop do not hold for the spikes; else empty.
    """

    start_ms: float
    stop_ms: float
    spikes_file: Path
    assumed: tuple[str, ...] = ()
    unclear: str = ""


def read_runs(path: Path, run: dict[str, Any], files: list[Path]) -> tuple[Run, ...]:
    """Return the consecutive runs of a configuration; times continue from run to run.

    BMTK's PointNet runs a network several times if ``run.n_runs`` is given or ``run.tstop`` is a
    list, and writes a spikes file for each run (PointNet guide, "Running multiple simulations with
    a single config file").

    Parameters
    ----------
    path
        The configuration.
    run
        Its section ``run``.
    files
        Spikes files that it names; a single one holds the spikes of all runs.

    Raises
    ------
    SimulationDataError
        If the end is missing, or the numbers of ends, runs and files do not fit together.
    """
    ends = _ends(path, run, len(files))
    if len(files) not in (1, len(ends)):
        raise SimulationDataError(
            path,
            f"'run' is of {len(ends)} runs, and output.spikes_file names {len(files)} files",
            ("correct it, or leave it out and give ", FILES),
        )
    files = files * len(ends) if len(files) == 1 else files
    starts = [0.0, *ends[:-1]]
    return tuple(Run(*one) for one in zip(starts, ends, files, strict=True))


def chosen_run(path: Path, runs: tuple[Run, ...], number: int | None, spikes: Path | None) -> Run:
    """Choose a run.

    Parameters
    ----------
    path
        The configuration.
    runs
        Its runs.
    number
        Number that the user chose, 1 for the first; None: the only run, or that of the given
        spikes, or all runs if one file holds the spikes of all.
    spikes
        Spikes file that the user gave.

    Raises
    ------
    SimulationDataError
        If the run does not exist, or if there are several and none is chosen.
    """
    n_runs = len(runs)
    if number is not None:
        if not 1 <= number <= n_runs:
            many, few = f"{n_runs} runs", "only one run"
            raise SimulationDataError(
                path,
                f"it has no run {number}, but {few if n_runs == 1 else many}",
                ("leave ", Parameter("run"), " out") if n_runs == 1 else _choose(n_runs),
            )
        return runs[number - 1]
    if n_runs == 1:
        return runs[0]
    if spikes is not None:
        named = [k for k, run in enumerate(runs) if _same(run.spikes_file, spikes)]
        if len(named) == 1:
            run = runs[named[0]]
            when = f"{run.start_ms:g} to {run.stop_ms:g} ms"
            said = f"{path}: {spikes.name} is of run {named[0] + 1} of {n_runs}; its time is {when}"
            return replace(run, assumed=(said,))
    whole = Run(runs[0].start_ms, runs[-1].stop_ms, runs[0].spikes_file)
    if len({run.spikes_file for run in runs}) == 1:
        said = (
            f"{path}: its {n_runs} runs follow one another in one file of spikes; all are counted"
        )
        return replace(whole, assumed=(said,))
    if spikes is not None:
        why = f"it has {n_runs} runs, and does not state which of them {spikes} belongs to"
        return replace(whole, unclear=why)
    raise SimulationDataError(
        path,
        f"it has {n_runs} runs, each with its own spikes file",
        (_choose(n_runs), ", or give ", SPIKES_FILE),
    )


def _choose(n_runs: int) -> Text:
    return "choose ", Parameter("run", (1,)), " to ", Parameter("run", (n_runs,))


def _same(named: Path, given: Path) -> bool:
    return os.path.realpath(named) == os.path.realpath(given)


def shown(value: Any) -> str:
    """Return a JSON value as text for a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _ends(path: Path, run: dict[str, Any], n_files: int) -> list[float]:
    """Return the end of each run, ms."""
    name = "tstop" if run.get("tstop") is not None else "duration"
    value, n_runs = run.get(name), _n_runs(path, run)
    if value is None:
        raise SimulationDataError(
            path,
            "run.tstop, the end of the simulation in ms, is missing",
            ("add it, or leave the configuration out and give ", FILES),
        )
    values = value if isinstance(value, list) and value else [value]
    if not all(_is_time(item) for item in values):
        raise SimulationDataError(
            path, f"run.{name} is {shown(value)}, not a time in ms after 0", "correct it"
        )
    times = [float(item) for item in values]
    if len(times) == 1:
        times = times * (n_runs or n_files)
        return list(itertools.accumulate(times))
    if n_runs not in (None, len(times)):
        raise SimulationDataError(
            path, f"run.{name} has {len(times)} times, and run.n_runs is {n_runs}", "correct it"
        )
    if name == "duration":
        return list(itertools.accumulate(times))
    if any(after <= before for before, after in itertools.pairwise(times)):
        raise SimulationDataError(
            path, f"run.tstop is {shown(value)}, whose times do not increase", "correct it"
        )
    return times


def _n_runs(path: Path, run: dict[str, Any]) -> int | None:
    n_runs = run.get("n_runs")
    if n_runs is None:
        return None
    whole = isinstance(n_runs, (int, float)) and not isinstance(n_runs, bool)
    if not whole or n_runs != n_runs or not 1 <= n_runs <= _MOST_RUNS or n_runs != int(n_runs):
        raise SimulationDataError(
            path, f"run.n_runs is {shown(n_runs)}, not a number of runs", "correct it"
        )
    return int(n_runs)


def _is_time(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value < _LONGEST_MS
