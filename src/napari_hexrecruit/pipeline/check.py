"""Check the files of a simulation: what is right, what is assumed, what is wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.doubts import warnings_in
from napari_hexrecruit.errors import InputError, SimulationDataError, in_python, one_line, worded
from napari_hexrecruit.pipeline.findings import Finding, Status
from napari_hexrecruit.pipeline.question import resolve
from napari_hexrecruit.pipeline.spike_source import spikes_of
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import OLD_LAYOUT, open_simulation
from napari_hexrecruit.sonata.info import report_info, report_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation, SpikeTrain

FLAT_PAIRS = (("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"))
_MOST_VALUES = 1 << 24
"""Largest number of values of the trial cube; a longer simulation gets fewer, wider bins."""


def check_simulation(
    path: str | os.PathLike[str] | None = None,
    *,
    spikes: str | os.PathLike[str] | None = None,
    circuit: str | os.PathLike[str] | None = None,
    run: int | None = None,
    population: str | None = None,
    progress: Progress | None = None,
    words: Words = in_python,
) -> list[Finding]:
    """Check the configuration, nodes, node sets and spikes of a simulation.

    Only faults for which `recruitment_cube` refuses the simulation with its defaults are errors.
    Faults in parts that it does not need, such as another population, are assumptions.

    Parameters
    ----------
    path, spikes, circuit, run
        As in `open_simulation`.
    population
        Check only this population; by default all of them, with errors for the default one.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the check.
    words
        How findings name parameters; by default as in Python.

    Returns
    -------
    list of Finding
        Findings in the order of the checks. Faults in files are findings, not exceptions.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> found = check_simulation(write_simulation(folder.name + "/run", n_neurons=200))
    >>> sorted({finding.status for finding in found})
    ['OK', 'assumption']
    """
    try:
        sim = open_simulation(path, spikes=spikes, circuit=circuit, run=run)
    except SimulationDataError as error:
        given = (path, circuit, spikes)
        files = [os.path.abspath(file) for file in given if file]
        return [_of_error(error, "error", files).in_words(words)]
    found = _walk(sim, population, progress or _unheard)
    for finding in _of_the_cube(sim, population, progress):
        found = _merged(found, finding)
    return [finding.in_words(words) for finding in found]


def _unheard(what: str, done: int, total: int) -> None:
    """Ignore progress."""


def _walk(sim: Simulation, population: str | None, report: Progress) -> list[Finding]:
    steps = [_configuration(sim, population)]
    if population is None or population in sim.populations:
        steps += [
            _populations(sim, population, report),
            _node_sets(sim, population),
            _spikes(sim, population, report),
            _reports(sim),
        ]
    found: list[Finding] = []
    for done, step in enumerate(steps):
        report("checking", done, len(steps))
        found += _all_of(sim, step)
    return found


def _of_the_cube(
    sim: Simulation, population: str | None, progress: Progress | None
) -> list[Finding]:
    """Return why no cube can be computed with the defaults, or the warnings of that cube."""
    files = [str(file) for file in sim.files]
    try:
        attrs = _cube_attrs(sim, population, progress)
    except InputError as error:
        found = _of_error(error, "error", files)
        in_files = found.file in files
        return [found if in_files else replace(found, file=str(sim.path), field=found.file)]
    except (ValueError, OSError) as error:
        return [Finding("error", str(sim.path), one_line(error))]
    said = [SimulationDataError(sentence) for sentence in warnings_in(attrs)]
    return [_of_error(sentence, "warning", files) for sentence in said]


def _cube_attrs(
    sim: Simulation, population: str | None, progress: Progress | None
) -> dict[str, Any]:
    question = resolve(sim, CubeRecipe(population=population), progress=progress)
    bins, n_hexes = question.bins, len(question.members.i)
    if bins.n_bins * n_hexes > _MOST_VALUES:
        question = replace(question, bins=replace(bins, width_ms=bins.stop_ms - bins.start_ms))
    counted = [
        spikes_of(sim, name, keep=False).count(members, question.bins, progress)
        for name, members in question.parts
    ]
    attrs: dict[str, Any] = question.cube(counted).attrs
    return attrs


def _merged(found: list[Finding], finding: Finding) -> list[Finding]:
    """Add a finding, in place of those with the same sentence if there are any."""
    same = [one.sentence == finding.sentence for one in found]
    if not any(same):
        return [*found, finding]
    kept = [one for one, is_same in zip(found, same, strict=True) if not is_same]
    kept.insert(same.index(True), finding)
    return kept


def _all_of(sim: Simulation, step: Iterator[Finding]) -> list[Finding]:
    """Return the findings of a step; data that it cannot read end it with a last finding."""
    found = []
    try:
        for finding in step:
            found.append(finding)
    except SimulationDataError as error:
        found.append(_of_error(error, "assumption", map(str, sim.files)))
    return found


def _of_error(error: InputError, status: Status, files: Iterable[str]) -> Finding:
    """Return an error as a finding, under the first of the files that it names."""
    where, what, remedy = worded(error.where, in_python), error.what, error.remedy
    if not what:
        where, what = "", error.where
    for file in files:
        if where == file or where.startswith(f"{file}: "):
            return Finding(status, file, what, remedy, where.removeprefix(file).removeprefix(": "))
        if not where and isinstance(what, str) and what.startswith(f"{file}: "):
            return Finding(status, file, what.removeprefix(f"{file}: "), remedy)
    return Finding(status, where, what, remedy)


def _assumed(sim: Simulation, sentence: str) -> Finding:
    """Return the finding of a sentence that begins with the name of a file."""
    return _of_error(SimulationDataError(sentence), "assumption", map(str, sim.files))


def _configuration(sim: Simulation, only: str | None) -> Iterator[Finding]:
    yield Finding("OK", str(sim.path), _span(sim))
    for sentence in (*sim.assumed, *sim.assumed_end):
        yield _assumed(sim, sentence)
    if only is None and len(sim.populations) > 0:
        name = sim.default_population()
        yield Finding("OK", str(sim.path), f"population {name!r} is the default")


def _span(sim: Simulation) -> str:
    length = sim.duration_ms - sim.start_ms
    when = f", from {sim.start_ms:,g} ms on" if sim.start_ms else ""
    return f"simulation of {length:,g} ms{when}"


def _populations(sim: Simulation, only: str | None, report: Progress) -> Iterator[Finding]:
    for name in sim.populations if only is None else (only,):
        yield from _all_of(sim, _population(sim, name, report))


def _population(sim: Simulation, name: str, report: Progress) -> Iterator[Finding]:
    file, field = str(sim.nodes_file(name)), f"population {name!r}"
    columns, kind = sim.columns(name), sim.population_type(name)
    size = f"{sim.n_neurons(name):,} nodes ({kind}), {len(columns)} properties"
    yield Finding("OK", file, size, field=field)
    if sim.has_own_ids(name):
        said = "node_id is not 0, 1, 2, ...; spikes are matched by it"
        yield Finding("assumption", file, said, field=field)
    if not sim.holds_neurons(name):
        return
    for done, column in enumerate(columns):
        report("checking properties", done, len(columns))
        yield from _all_of(sim, _column(sim, name, column))
    yield _flat(sim, name, columns)


def _column(sim: Simulation, name: str, column: str) -> Iterator[Finding]:
    """Yield what is odd about a column; a flawless one has no finding."""
    values = sim.column(name, column)
    if column not in (*"xyz", *FLAT_PAIRS[0], *FLAT_PAIRS[1]) or values.dtype.kind not in "iuf":
        return
    numbers = np.asarray(values, dtype=np.float64)
    file, field = str(sim.nodes_file(name)), f"population {name!r}, property {column!r}"
    n_lost = int(np.count_nonzero(~np.isfinite(numbers)))
    if n_lost:
        said = f"{n_lost:,} are not finite; those neurons have no flat position"
        yield Finding("assumption", file, said, field=field)
    if numbers.size > 1 and n_lost < numbers.size and np.nanmin(numbers) == np.nanmax(numbers):
        said = f"all neurons have the same, {np.nanmin(numbers):g}; no flat axis"
        yield Finding("assumption", file, said, field=field)


def _flat(sim: Simulation, name: str, columns: tuple[str, ...]) -> Finding:
    file, field = str(sim.nodes_file(name)), f"population {name!r}"
    for pair in FLAT_PAIRS:
        if set(pair) <= set(columns):
            return Finding("OK", file, f"flat positions in {' and '.join(pair)}", field=field)
    if sim.atlas_folder is not None and set("xyz") <= set(columns):
        said = f"flat positions can be computed from {sim.atlas_folder}"
        return Finding("OK", file, said, field=field)
    return Finding(
        "assumption", file, "has no flat positions of its own", sim.flat_remedy(name), field
    )


def _node_sets(sim: Simulation, only: str | None) -> Iterator[Finding]:
    real = [only] if only else _real_populations(sim)
    n_good = 0
    for name in sim.node_sets:
        found = [_all_of(sim, _node_set(sim, name, population)) for population in real]
        if real and all(findings for findings in found):
            yield found[0][0]
        else:
            n_good += 1
    if n_good:
        noun = "node set" if n_good == 1 else "node sets"
        yield Finding("OK", str(sim.path), f"{n_good:,} {noun} can be resolved")
    if sim.node_set is None:
        yield Finding("assumption", str(sim.path), "names no node set; all neurons count")
        return
    n_each = {
        population: sim.node_set_mask(sim.node_set, population).count() for population in real
    }
    counts = ", ".join(f"{n:,} of {population!r}" for population, n in n_each.items())
    status: Status = "OK" if any(n_each.values()) else "assumption"
    yield Finding(status, str(sim.path), f"node set {sim.node_set!r} has {counts or 'no neuron'}")


def _real_populations(sim: Simulation) -> list[str]:
    """Return the non-virtual populations with readable nodes; the others are reported elsewhere."""
    real = []
    for name in sim.populations:
        try:
            sim.n_neurons(name)
        except SimulationDataError:
            continue
        if sim.holds_neurons(name):
            real.append(name)
    return real


def _node_set(sim: Simulation, name: str, population: str) -> Iterator[Finding]:
    sim.node_set_mask(name, population)
    yield from ()


def _spikes(sim: Simulation, only: str | None, report: Progress) -> Iterator[Finding]:
    named, file = sim.spike_populations(), str(sim.spikes_file)
    if not named:
        yield Finding("assumption", file, "it holds no spikes; all neurons are silent")
    if OLD_LAYOUT in named:
        yield from _all_of(sim, _train(sim, sim.resolve_population(only), report))
        return
    for name in sim.populations if only is None else (only,):
        if name in named or (sim.is_there(name) and sim.holds_neurons(name)):
            yield from _all_of(sim, _train(sim, name, report))
    for name in sorted(set(named) - set(sim.populations)):
        said = f"the circuit lacks it; its {named[name]:,} spikes are left out"
        yield Finding("assumption", file, said, field=f"population {name!r}")


def _reports(sim: Simulation) -> Iterator[Finding]:
    """Check reports: recruitment does not need them, so an unreadable one is an assumption."""
    for config in sim.reports:
        for found in report_info(sim, config):
            field = f"report {config.name!r}"
            if "error" in found:
                said = found["error"].removeprefix(f"{config.path}: ")
                yield Finding("assumption", str(config.path), said, field=field)
                continue
            yield Finding("OK", str(config.path), report_text(found), field=field)
            for sentence in found["assumed"]:
                said = sentence.removeprefix(f"{config.path}: ")
                yield Finding("assumption", str(config.path), said, field=field)


def _train(sim: Simulation, name: str, report: Progress) -> Iterator[Finding]:
    file, field = str(sim.spikes_file), f"population {name!r}"
    with sim.spike_train(name) as train:
        if train is None:
            said = f"has no spikes of population {name!r}; it is assumed that it never fired"
            yield Finding("assumption", file, said)
            return
        for sentence in train.assumed:
            said = sentence.removeprefix(f"{train.where}: ")
            yield Finding("assumption", file, said, field=field)
        for status, said in _spike_findings(sim, name, train, report):
            yield Finding(status, file, said, field=field)


def _spike_findings(
    sim: Simulation, name: str, train: SpikeTrain, report: Progress
) -> Iterator[tuple[Status, str]]:
    seen = _look_at(sim, name, train, report)
    span = f", {seen['first']:g} to {seen['last']:g} ms" if seen["n_timed"] else ""
    yield "OK", f"{len(train):,} spikes{span}"
    if train.order == "by_time" and not train.is_ascending(report):
        yield "assumption", "marked by_time, but not sorted; sorted here"
    if seen["n_nan"]:
        yield "assumption", f"{seen['n_nan']:,} times are NaN; left out"
    first, last = sim.start_ms, sim.duration_ms
    if seen["n_outside"]:
        said = f"spikes are before {first:g} or after the end, {last:g} ms; left out"
        yield "assumption", f"{seen['n_outside']:,} {said}"
    if seen["n_unknown"]:
        said = "spikes have ids that the population lacks; left out"
        yield "assumption", f"{seen['n_unknown']:,} of {len(train):,} {said}"
    if seen["n_timed"] and seen["last"] < (first + last) / 2:
        said = f"the last spike is at {seen['last']:g} ms of {last:g} ms"
        yield "assumption", f"{said}; the rest is taken as silent"


def _look_at(sim: Simulation, name: str, train: SpikeTrain, report: Progress) -> dict[str, Any]:
    """Count over all spikes, block by block."""
    n_seen = n_nan = n_outside = n_unknown = n_timed = 0
    first, last = np.inf, -np.inf
    for ids, times in train.blocks():
        n_seen += len(ids)
        report("checking spikes", n_seen, len(train))
        lost = np.isnan(times)
        n_nan += int(lost.sum())
        n_unknown += int((sim.rows_of(name, ids) < 0).sum())
        timed = times[~lost]
        n_outside += int(((timed < sim.start_ms) | (timed > sim.duration_ms)).sum())
        if timed.size:
            n_timed += timed.size
            first, last = min(first, timed.min()), max(last, timed.max())
    return {
        "n_nan": n_nan,
        "n_outside": n_outside,
        "n_unknown": n_unknown,
        "n_timed": n_timed,
        "first": float(first),
        "last": float(last),
    }
