"""What is found when a simulation's files are walked: OK, an assumption, or an error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata import OLD_LAYOUT, open_simulation

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from napari_hexrecruit.recruitment import Progress
    from napari_hexrecruit.sonata import Simulation, SpikeTrain

__all__ = ["Finding", "check_simulation"]

Status = Literal["OK", "assumption", "warning", "error"]
FLAT_PAIRS = (("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"))


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    status
        ``OK``; ``assumption``: it can be used, and something was taken for granted; ``warning``: it
        can be used, and may not be what is meant; ``error``: it cannot be used.
    where
        File, population, field.
    found
        What was found.
    remedy
        What to do; empty where nothing is to be done.
    """

    status: Status
    where: str
    found: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """Ready for JSON."""
        return asdict(self)


def check_simulation(
    path: str | os.PathLike[str] | None = None,
    *,
    spikes: str | os.PathLike[str] | None = None,
    circuit: str | os.PathLike[str] | None = None,
    population: str | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Walk configuration, nodes, node sets and spikes, and say what is found.

    Parameters
    ----------
    path, spikes, circuit
        As `open_simulation` takes them.
    population
        Look at this population only; by default at all.
    progress
        Called as ``progress(what, done, total)``; what it raises ends the walk.

    Returns
    -------
    list of Finding
        In the order of the walk. Nothing that is wrong with a file is raised: it is a finding.

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
        sim = open_simulation(path, spikes=spikes, circuit=circuit)
    except SimulationDataError as error:
        return [_problem(error)]
    report = progress or _unheard
    steps = [
        _configuration(sim),
        _populations(sim, population, report),
        _node_sets(sim, population),
        _spikes(sim, population, report),
    ]
    found: list[Finding] = []
    for done, step in enumerate(steps):
        report("checking", done, len(steps))
        found += _all_of(step)
    return found


def _unheard(what: str, done: int, total: int) -> None:
    """Progress that nobody asks for."""


def _all_of(step: Iterator[Finding]) -> list[Finding]:
    """What a step finds; an error ends it and is its last finding."""
    found = []
    try:
        for finding in step:
            found.append(finding)
    except SimulationDataError as error:
        found.append(_problem(error))
    return found


def _problem(error: SimulationDataError) -> Finding:
    where, found, remedy = _parts(str(error))
    return Finding("error", where, found, remedy)


def _assumed(sentence: str) -> Finding:
    where, _, found = sentence.partition(": ")
    return Finding("assumption", where, found)


def _parts(message: str) -> tuple[str, str, str]:
    """``where: what: remedy`` taken apart."""
    where, _, rest = message.partition(": ")
    found, _, remedy = rest.rpartition(": ")
    return (where, found, remedy) if found else (where, rest, "")


def _configuration(sim: Simulation) -> Iterator[Finding]:
    yield Finding("OK", str(sim.path), f"simulation of {sim.duration_ms:,g} ms")
    for sentence in sim.assumed:
        yield _assumed(sentence)
    if not sim.populations:
        raise SimulationDataError(
            f"{sim.path}: its circuit has no population of nodes: name another circuit (--circuit)"
        )
    population = sim.default_population() if len(sim.populations) > 1 else sim.populations[0]
    yield Finding("OK", str(sim.path), f"population {population!r} is the default")


def _populations(sim: Simulation, only: str | None, report: Progress) -> Iterator[Finding]:
    for name in sim.populations if only is None else (sim.resolve_population(only),):
        yield from _all_of(_population(sim, name, report))


def _population(sim: Simulation, name: str, report: Progress) -> Iterator[Finding]:
    where = f"{sim.nodes_file(name)}: population {name!r}"
    columns = sim.columns(name)
    yield Finding(
        "OK",
        where,
        f"{sim.n_neurons(name):,} nodes ({sim.population_type(name)}), {len(columns)} properties",
    )
    if sim.has_own_ids(name):
        yield Finding("assumption", where, "node_id is not 0, 1, 2, ...; spikes are matched by it")
    if sim.population_type(name) == "virtual":
        return
    for done, column in enumerate(columns):
        report("checking properties", done, len(columns))
        yield from _all_of(_column(sim, name, column))
    yield _flat(sim, name, where, columns)


def _column(sim: Simulation, name: str, column: str) -> Iterator[Finding]:
    """Only what is odd about a column is worth a line."""
    values = sim.column(name, column)
    if column not in (*"xyz", *FLAT_PAIRS[0], *FLAT_PAIRS[1]) or values.dtype.kind not in "iuf":
        return
    numbers = np.asarray(values, dtype=np.float64)
    where = f"{sim.nodes_file(name)}: population {name!r}, property {column!r}"
    n_lost = int(np.count_nonzero(~np.isfinite(numbers)))
    if n_lost:
        yield Finding("assumption", where, f"{n_lost:,} are not finite; no place for them")
    if numbers.size > 1 and n_lost < numbers.size and np.nanmin(numbers) == np.nanmax(numbers):
        yield Finding(
            "assumption", where, f"all neurons have the same, {np.nanmin(numbers):g}; no flat axis"
        )


def _flat(sim: Simulation, name: str, where: str, columns: tuple[str, ...]) -> Finding:
    for pair in FLAT_PAIRS:
        if set(pair) <= set(columns):
            return Finding("OK", where, f"flat positions in {' and '.join(pair)}")
    if sim.atlas_folder is not None and set("xyz") <= set(columns):
        return Finding("OK", where, f"flat positions can be computed from {sim.atlas_folder}")
    return Finding(
        "error",
        where,
        "has no flat positions",
        "name two properties (--flat X Y), or a flatmap (--flatmap FILE)",
    )


def _node_sets(sim: Simulation, only: str | None) -> Iterator[Finding]:
    real = [only] if only else _real_populations(sim)
    names = sim.node_sets
    n_good = 0
    for name in names:
        found = [_all_of(_node_set(sim, name, population)) for population in real]
        if real and all(findings for findings in found):
            yield found[0][0]
        else:
            n_good += 1
    if n_good:
        yield Finding("OK", str(sim.path), f"{n_good:,} node sets can be resolved")
    if sim.node_set is None:
        yield Finding("assumption", str(sim.path), "names no node set; all neurons count")
        return
    n_each = {population: len(sim.node_set_ids(sim.node_set, population)) for population in real}
    counts = ", ".join(f"{n:,} of {population!r}" for population, n in n_each.items())
    if any(n_each.values()):
        yield Finding("OK", str(sim.path), f"node set {sim.node_set!r}: {counts}")
    else:
        yield Finding(
            "error",
            str(sim.path),
            f"node set {sim.node_set!r} is empty",
            "name another one (--node-set)",
        )


def _real_populations(sim: Simulation) -> list[str]:
    """Those that are not virtual and whose nodes can be read; the others are told of already."""
    real = []
    for name in sim.populations:
        try:
            sim.n_neurons(name)
        except SimulationDataError:
            continue
        if sim.population_type(name) != "virtual":
            real.append(name)
    return real


def _node_set(sim: Simulation, name: str, population: str) -> Iterator[Finding]:
    sim.node_set_ids(name, population)
    yield from ()


def _spikes(sim: Simulation, only: str | None, report: Progress) -> Iterator[Finding]:
    named = sim.spike_populations()
    if not named:
        yield Finding("assumption", str(sim.spikes_file), "it holds no spikes; everybody is silent")
    if OLD_LAYOUT in named:
        yield from _all_of(_train(sim, sim.resolve_population(only), report))
        return
    for name in sim.populations if only is None else (only,):
        if name in named or sim.population_type(name) != "virtual":
            yield from _all_of(_train(sim, name, report))
    for name in sorted(set(named) - set(sim.populations)):
        yield Finding(
            "assumption",
            f"{sim.spikes_file}: population {name!r}",
            f"its {named[name]:,} spikes are of nobody in the circuit; they are left out",
        )


def _train(sim: Simulation, name: str, report: Progress) -> Iterator[Finding]:
    with sim.spike_train(name) as train:
        if train is None:
            yield Finding(
                "assumption",
                str(sim.spikes_file),
                f"has no spikes of population {name!r}; it is assumed that it never fired",
            )
            return
        for sentence in train.assumed:
            yield Finding("assumption", train.where, sentence.removeprefix(f"{train.where}: "))
        yield from _spike_findings(sim, name, train, report)


def _spike_findings(
    sim: Simulation, name: str, train: SpikeTrain, report: Progress
) -> Iterator[Finding]:
    seen = _look_at(sim, name, train, report)
    span = f", {seen['first']:g} to {seen['last']:g} ms" if seen["n_timed"] else ""
    yield Finding("OK", train.where, f"{len(train):,} spikes{span}")
    if train.order == "by_time" and not train.is_ascending(report):
        yield Finding("assumption", train.where, "marked by_time, but not sorted; sorted here")
    if seen["n_nan"]:
        yield Finding("assumption", train.where, f"{seen['n_nan']:,} times are NaN; left out")
    if seen["n_outside"]:
        yield Finding(
            "assumption",
            train.where,
            f"{seen['n_outside']:,} spikes are before 0 or after the end,"
            f" {sim.duration_ms:g} ms; left out",
        )
    if seen["n_unknown"]:
        yield Finding(
            "error",
            train.where,
            f"{seen['n_unknown']:,} of {len(train):,} spikes have ids that the population lacks",
            "is this the circuit of this simulation? they are left out",
        )
    if seen["n_timed"] and seen["last"] < sim.duration_ms / 2:
        yield Finding(
            "assumption",
            train.where,
            f"the last spike is at {seen['last']:g} ms of {sim.duration_ms:g} ms;"
            " the rest is taken as silent",
        )


def _look_at(sim: Simulation, name: str, train: SpikeTrain, report: Progress) -> dict[str, Any]:
    """Counts over all spikes, a block at a time."""
    n_seen = n_nan = n_outside = n_unknown = n_timed = 0
    first, last = np.inf, -np.inf
    for ids, times in train.blocks():
        n_seen += len(ids)
        report("checking spikes", n_seen, len(train))
        lost = np.isnan(times)
        n_nan += int(lost.sum())
        n_unknown += int((sim.rows_of(name, ids) < 0).sum())
        timed = times[~lost]
        n_outside += int(((timed < 0) | (timed > sim.duration_ms)).sum())
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
