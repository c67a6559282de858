"""A simulation to its recruitment cube, step by step."""

from __future__ import annotations

import inspect
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.members import HexMembers, assemble_cube
from napari_hexrecruit.counting.warm_up import warm_up_ahead
from napari_hexrecruit.doubts import Tally, doubted, issue_warnings, warnings_in
from napari_hexrecruit.filters import (
    Where,
    matches,
    parse_where,
    rule_column,
    typed_rule,
    value_to_text,
)
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.pipeline.evidence import Evidence, tally_of
from napari_hexrecruit.pipeline.places import (
    Flat,
    FlatSource,
    Places,
    find_places,
    flat_units,
    group_places,
)
from napari_hexrecruit.pipeline.spike_source import Counted, spikes_not_kept, spikes_of
from napari_hexrecruit.schema import recipe_of
from napari_hexrecruit.sonata import Simulation, open_simulation
from napari_hexrecruit.system.waiting import interrupted_by
from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS, TimeBins

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    import xarray as xr

    from napari_hexrecruit.progress import Progress

__all__ = [
    "computed_cube",
    "computed_cumulative_cube",
    "cube_members",
    "cumulative_cube",
    "flat_units",
    "open_recipe",
    "recruitment_cube",
]

Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


def recruitment_cube(
    simulation: str | os.PathLike[str] | Simulation,
    *,
    population: str | None = None,
    node_set: str | None = None,
    where: Where = (),
    flat: Flat = ("ss_flat_x", "ss_flat_y"),
    column_atlas: str | os.PathLike[str] | None = None,
    radius: float = 50.0,
    bin_ms: float = 10.0,
    start: float | None = None,
    stop: float | None = None,
    min_neurons: int = 1,
    allow_empty: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Percentage of each hexagon's neurons that fire at least once in each bin of time.

    Parameters
    ----------
    simulation
        Path of a SONATA simulation configuration, or the result of `open_simulation`.
    population
        Node population; by default the only one that is not virtual, or the only one that fired.
    node_set
        Neurons that count; by default the simulation's own node set, all where it has none.
    where
        Further rules that all hold, in conntility's filter vocabulary:
        ``{"column": "synapse_class", "values": ["INH"]}``, ``{"column": "layer", "value": 3}``,
        ``{"column": "depth", "interval": [0, 500]}`` (``lo <= v < hi``), or text such as
        ``"synapse_class=INH"``. Values are typed by their column.
    flat
        Two node properties with the flat position; or the voxel flatmap to look it up in:
        ``"atlas"`` (``flatmap.nrrd`` of the circuit's atlas), ``"atlas:NAME"`` (another volume
        there), or the path of an nrrd file. See ``docs/flatmaps.md``.
    column_atlas
        A volume of column ids, 0 for none, as ``"atlas:NAME"`` or the path of an nrrd file. Its
        columns then take the place of the hexagons, and `radius` is not used.
    radius
        Circumradius of the hexagons (centre to corner), in the units of flat space.
    bin_ms
        Width of a bin, ms.
    start, stop
        Window, ms; by default the simulation's. A given window must be a whole number of bins; the
        ragged end of the default window is left out and said in the attribute ``notes``.
    min_neurons
        Hexagons with fewer neurons have NaN percent.
    allow_empty
        Give a cube of zeros where no spike was counted, in place of an error with the cause.
    progress
        Called as ``progress(what, done, total)``; what it raises ends the work.

    Returns
    -------
    xr.Dataset
        Dimensions (time, hex); ``recruitment`` float32 in percent, ``n_recruited`` and ``n_spikes``
        int32; see ``docs/cube.md``. A hexagon whose neurons do not fire has 0.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something that is asked for.
    ValueError
        If a parameter cannot be used, no neuron passes the filters or has a place, or no spike
        was counted.

    Warns
    -----
    RecruitmentWarning
        If the files hold what cannot be meant; the sentences are in the attribute ``warnings`` too.

    Notes
    -----
    Neurons whose position is NaN, infinite or the atlas's outside value are left out of numerator
    and denominator. The outside value is -1 in both of ``ss_flat_*`` or ``flat_*``, or of what an
    atlas gives; in other properties it is a place like any other. Bins are
    half-open; see `TimeBins` for spikes at an edge.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> cube = recruitment_cube(config, bin_ms=50.0, where="synapse_class=EXC")
    >>> cube["recruitment"].dims, cube["recruitment"].attrs["units"]
    (('time', 'hex'), '%')
    """
    cube = computed_cube(
        simulation,
        population=population,
        node_set=node_set,
        where=where,
        flat=flat,
        column_atlas=column_atlas,
        radius=radius,
        bin_ms=bin_ms,
        start=start,
        stop=stop,
        min_neurons=min_neurons,
        allow_empty=allow_empty,
        progress=progress,
    )
    issue_warnings(warnings_in(cube.attrs))
    return cube


def computed_cube(
    simulation: str | os.PathLike[str] | Simulation, *, judged: bool = True, **options: Any
) -> xr.Dataset:
    """As `recruitment_cube`; what it would warn of is in the cube's attributes alone.

    `judged` is False for a part of a whole, which may well be empty.

    A warning of Python is for who called a function. Commands and windows have their own ways, and
    one that is shown from a thread freezes the viewer.
    """
    warm_up_ahead()
    progress = options.get("progress")
    with interrupted_by(progress), opened(simulation) as sim:
        question = replace(question_of(sim, options), judged=judged)
        spikes = spikes_of(sim, question.population)
        return question.cube(spikes.count(question.members, question.bins, progress))


def cumulative_cube(simulation: str | os.PathLike[str] | Simulation, **options: Any) -> xr.Dataset:
    """Percentage of each hexagon's neurons that have fired since the start of the window.

    Parameters
    ----------
    simulation, **options
        As `recruitment_cube` takes them.

    Returns
    -------
    xr.Dataset
        As `recruitment_cube` gives it, but ``recruitment`` and ``n_recruited`` count the neurons
        that have fired in the bin *or in one before it*, so they never fall; ``n_spikes`` still
        counts the spikes of the bin. The recipe has ``"cumulative": true``.

    Raises
    ------
    SimulationDataError, ValueError
        As `recruitment_cube`.

    Warns
    -----
    RecruitmentWarning
        As `recruitment_cube`.
    """
    cube = computed_cumulative_cube(simulation, **options)
    issue_warnings(warnings_in(cube.attrs))
    return cube


def computed_cumulative_cube(
    simulation: str | os.PathLike[str] | Simulation, **options: Any
) -> xr.Dataset:
    """As `cumulative_cube`; what it would warn of is in the cube's attributes alone."""
    progress = options.get("progress")
    with opened(simulation) as sim:
        cube = computed_cube(sim, **options)
        recipe = json.loads(cube.attrs["recipe"])
        asked = {name: recipe[name] for name in recipe if name in _parameters()}
        question = question_of(sim, asked | {"progress": progress})
        spikes = spikes_of(sim, question.population)
        newly = spikes.newly_recruited(question.members, question.bins, progress)
    so_far = newly.cumsum(axis=0, dtype=np.int32, out=newly)
    result = question.assembled(so_far, cube["n_spikes"].values, {})
    result["recruitment"].attrs["long_name"] = "Neurons that have fired since the window's start"
    result.attrs |= cube.attrs | {"recipe": json.dumps(recipe | {"cumulative": True})}
    return result


def cube_members(
    simulation: str | os.PathLike[str] | Simulation,
    cube: xr.Dataset,
    *,
    progress: Progress | None = None,
) -> HexMembers:
    """Which neuron is in which hexagon of a cube.

    Parameters
    ----------
    simulation
        The one that the cube was computed from.
    cube
        A recruitment cube; its recipe says which neurons count.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    HexMembers
        Hexagons in the order of the cube's.

    Raises
    ------
    SimulationDataError
        If a file cannot be read.
    ValueError
        If the cube has no recipe, or the simulation's neurons do not give the cube's hexagons.
    """
    sim = simulation if isinstance(simulation, Simulation) else open_simulation(simulation)
    recipe = recipe_of(cube)
    missing = {"population", "node_set", "where", "flat", "radius"} - set(recipe)
    if missing:
        raise ValueError(
            f"the cube's recipe lacks {', '.join(sorted(missing))}: compute the cube again"
        )
    population = sim.resolve_population(recipe["population"])
    selected = _select(sim, population, recipe["node_set"], recipe["where"])
    source = FlatSource.of(sim, recipe["flat"], recipe.get("column_atlas"))
    _, members = _group(sim, population, source, HexGrid(recipe["radius"]), progress)
    members = members.keep(selected)
    if not (
        np.array_equal(members.hex_names(), cube["hex"].values)
        and np.array_equal(members.n_neurons, cube["n_neurons"].values)
    ):
        raise ValueError(
            f"{sim.path}: its neurons do not give the hexagons of the cube, which was computed from"
            f" {recipe.get('simulation', 'another simulation')}: open that one"
        )
    return members


@dataclass(frozen=True)
class Question:
    """All that counting needs, and what the cube says beside the counts."""

    population: str
    members: HexMembers
    bins: TimeBins
    min_neurons: int
    flat_units: str
    attrs: dict[str, Any]
    notes: tuple[list[str], list[str]]
    """What stands before and behind that which is assumed of the spikes."""
    sim: Simulation
    selected: Mask
    """(n_neurons,) neurons in the node set that pass the filters."""
    allow_empty: bool
    doubts: tuple[str, ...]
    """What is suspicious of the places."""
    judged: bool = True
    """Whether it is asked if the spikes can be meant: of the whole, not of its parts."""

    def cube(self, counted: Counted) -> xr.Dataset:
        """The cube of these counts.

        Raises
        ------
        ParameterError
            If no spike was counted, and that is not allowed.
        """
        counts = counted.counts
        tally = tally_of(
            *(counted.n_read, counts.n_inside, counts.n_unknown_id, counts.n_spikes),
            self.bins.edges(),
        )
        attrs = self.found(tally, counted.assumed, counted.warnings)
        return self.assembled(counts.n_recruited, counts.n_spikes, attrs)

    def found(
        self, tally: Tally, assumed: tuple[str, ...], warnings: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Attributes that describe the spikes; the warnings are among the notes too.

        Raises
        ------
        ParameterError
            If no spike was counted, and that is not allowed.
        """
        warnings = (*self.doubts, *warnings)
        if self.judged:
            window = self.bins.start_ms, self.bins.stop_ms
            evidence = Evidence(self.sim, self.population, lambda: self.selected, window, tally)
            warnings += doubted(evidence, allow_empty=self.allow_empty)
        return {
            "n_spikes_read": tally.n_read,
            "n_spikes_outside_window": tally.n_read - tally.n_inside,
            "n_spikes_unknown_id": tally.n_unknown_id,
            "napari_hexrecruit_version": _version(),
            "notes": json.dumps([*warnings, *self.notes[0], *assumed, *self.notes[1]]),
            "warnings": json.dumps(warnings),
        }

    def assembled(self, n_recruited: Ints, n_spikes: Ints, attrs: dict[str, Any]) -> xr.Dataset:
        """The cube of these counts with further attributes."""
        return assemble_cube(
            self.members,
            self.bins,
            n_recruited,
            n_spikes,
            min_neurons=self.min_neurons,
            flat_units=self.flat_units,
            attrs=self.attrs | attrs,
        )


def question_of(sim: Simulation, options: Mapping[str, Any]) -> Question:
    """The question that arguments of `recruitment_cube` ask, resolved."""
    given = inspect.signature(recruitment_cube).bind(sim, **options)
    given.apply_defaults()
    chosen = {name: value for name, value in given.arguments.items() if name != "simulation"}
    window = (chosen.pop("start"), chosen.pop("stop"), chosen.pop("bin_ms"))
    return ask(sim, grid=HexGrid(chosen.pop("radius")), window=window, **chosen)


def _parameters() -> set[str]:
    """Names of what `recruitment_cube` takes beside the simulation."""
    return set(inspect.signature(recruitment_cube).parameters) - {"simulation"}


def ask(
    sim: Simulation,
    *,
    population: str | None,
    node_set: str | None,
    where: Where,
    flat: Flat,
    column_atlas: str | os.PathLike[str] | None,
    grid: HexGrid,
    window: tuple[float | None, float | None, float],
    min_neurons: int,
    allow_empty: bool,
    progress: Progress | None,
) -> Question:
    """Check and resolve what is asked, cheapest first, and read what it takes."""
    _check_min_neurons(min_neurons)
    asked, population = population, sim.resolve_population(population)
    bins, notes = _bins(sim, *window)
    if node_set is None:
        node_set, said = sim.own_node_set(population) if asked else (sim.node_set, "")
    else:
        said = _all_neurons(sim, node_set)
    rules = _typed_rules(sim, population, where)
    selected = _select(sim, population, node_set, rules)
    source = FlatSource.of(sim, flat, column_atlas)
    places, members = _group(sim, population, source, grid, progress)
    members = members.keep(selected)
    n_selected, n_placed = int(selected.sum()), int(members.n_neurons.sum())
    doubts = source.doubts(sim, population) if 2 * n_placed < n_selected else ()
    if n_placed == 0:
        columns = source.flat if isinstance(source.flat, tuple) else ()
        raise ValueError(
            f"none of the {n_selected:,} neurons has a place in {source}:"
            f" {doubts[0] if doubts else sim.flat_remedy(population, but=columns)}"
        )
    recipe = {
        **_recipe_of_files(sim),
        "population": population,
        "node_set": node_set,
        "where": rules,
        **source.recipe,
        "radius": members.grid.radius,
        "bin_ms": bins.width_ms,
        "start": bins.start_ms,
        "stop": bins.stop_ms,
        "min_neurons": int(min_neurons),
    }
    attrs = {
        "title": _title(population, rules),
        "population": population,
        "recipe": json.dumps(recipe),
        "n_neurons_selected": n_selected,
        "n_neurons_without_place": n_selected - n_placed,
    }
    before = [*notes, *sim.assumed, *sim.assumed_of(population)]
    behind = [*_node_set_notes(node_set, said), *source.notes(places, members, selected)]
    return Question(
        *(population, members, bins, min_neurons, places.units, attrs, (before, behind)),
        *(sim, selected, allow_empty, doubts),
    )


def open_recipe(recipe: Mapping[str, Any]) -> Simulation:
    """The simulation that a cube was computed from.

    Parameters
    ----------
    recipe
        The cube's attribute ``recipe``, read as JSON.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If its files are not there any more.
    ValueError
        If the recipe names no simulation.
    """
    if "simulation" not in recipe:
        raise ValueError("the cube's recipe names no simulation: compute the cube again")
    spikes, circuit = recipe.get("spikes"), recipe.get("circuit")
    path = recipe["simulation"]
    return open_simulation(
        path if path != spikes else None, spikes=spikes, circuit=circuit, run=recipe.get("run")
    )


@contextmanager
def opened(simulation: str | os.PathLike[str] | Simulation) -> Iterator[Simulation]:
    """The simulation; the spikes of one that is opened for the block only are not kept."""
    if isinstance(simulation, Simulation):
        yield simulation
    else:
        with spikes_not_kept():
            yield open_simulation(simulation)


def _recipe_of_files(sim: Simulation) -> dict[str, str | int]:
    """The simulation's path, and the files and the run that were given beside it."""
    beside = {name: file for name, file in sim.given.items() if name != "path"}
    return {"simulation": str(sim.path), **beside, **({"run": sim.run} if sim.run else {})}


def _bins(
    sim: Simulation, start: float | None, stop: float | None, bin_ms: float
) -> tuple[TimeBins, list[str]]:
    if start is None or stop is None:
        sim.check_window_is_known()
    first = sim.start_ms if start is None else start
    if stop is not None:
        bins, notes = TimeBins(first, stop, bin_ms), []
    elif sim.has_end:
        bins, dropped = TimeBins.within(first, sim.duration_ms, bin_ms)
        notes = [f"the last {dropped:g} ms are no whole bin and were left out"] if dropped else []
    else:
        bins = bins_to(first, sim.last_spike_ms, bin_ms)
        notes = [
            f"{sim.spikes_file}: no configuration says when the simulation ends; {bins.stop_ms:g}"
            " ms, the end of the bin of the last spike, is assumed"
        ]
    earliest, latest = sim.limits_ms
    if bins.start_ms < earliest - EDGE_TOLERANCE_MS or bins.stop_ms > latest + EDGE_TOLERANCE_MS:
        raise ValueError(
            f"the window {bins.start_ms:g} to {bins.stop_ms:g} ms is not within the simulation:"
            f" use times from {earliest:g} to {latest:g} ms"
        )
    return bins, notes


def bins_to(start_ms: float, last_ms: float, bin_ms: float) -> TimeBins:
    """Bins from a start to the one that the last spike is in.

    Raises
    ------
    ValueError
        If the last spike is before the start, or the bin is no width.
    """
    if last_ms < start_ms:
        raise ValueError(
            f"the last spike, at {last_ms:g} ms, is before the start, {start_ms:g} ms:"
            " use an earlier start, or give the stop"
        )
    n_bins = TimeBins.within(start_ms, last_ms, bin_ms) if last_ms - start_ms >= bin_ms else None
    bins = TimeBins(start_ms, n_bins[0].stop_ms if n_bins else start_ms + bin_ms, bin_ms)
    if bins.bin_of([last_ms])[0] < 0:  # at an edge, within the tolerance, or behind it
        bins = TimeBins(start_ms, start_ms + (bins.n_bins + 1) * bin_ms, bin_ms)
    return bins


def _check_min_neurons(min_neurons: int) -> None:
    whole = isinstance(min_neurons, (int, np.integer)) and not isinstance(min_neurons, bool)
    if not whole or min_neurons < 1:
        raise ValueError(f"min_neurons must be a whole number of at least 1, not {min_neurons!r}")


def _typed_rules(sim: Simulation, population: str, where: Where) -> list[dict[str, Any]]:
    return [
        typed_rule(rule, sim.column(population, rule_column(rule))) for rule in parse_where(where)
    ]


def _select(
    sim: Simulation, population: str, node_set: str | None, rules: list[dict[str, Any]]
) -> Mask:
    selected = np.ones(sim.n_neurons(population), dtype=bool)
    if node_set is not None:
        selected[:] = False
        selected[sim.node_set_ids(node_set, population)] = True
        if not selected.any():
            raise ValueError(
                f"node set {node_set!r} has no neuron of population {population!r}:"
                " name another node set or population, or all neurons (--node-set all)"
            )
    for rule in rules:
        selected &= matches(rule, sim.column(population, rule_column(rule)))
    if not selected.any():
        raise ValueError("no neuron passes all the filters together: loosen one of them")
    return selected


def _group(
    sim: Simulation,
    population: str,
    source: FlatSource,
    grid: HexGrid,
    progress: Progress | None,
) -> tuple[Places, HexMembers]:
    """Places and hexagons of all neurons; kept for the next cube."""

    def group() -> tuple[Places, HexMembers]:
        total = sim.n_neurons(population)
        if progress is not None:
            progress("reading neurons", 0, total)
        places = find_places(sim, population, source, progress)
        members = group_places(sim, population, source, places, grid, progress)
        if progress is not None:
            progress("reading neurons", total, total)
        return places, members

    return sim.memo(("hexagons", population, source, grid), group)


def _all_neurons(sim: Simulation, node_set: str) -> str:
    """What is said where a node set is none, but stands for all neurons."""
    if not sim.means_all(node_set):
        return ""
    return f"no node set is named {node_set!r}; all neurons of the population count"


def _node_set_notes(node_set: str | None, said: str) -> list[str]:
    if node_set is None and not said:
        return ["the simulation names no node set; all neurons count"]
    return [said] if said else []


def _title(population: str, rules: list[dict[str, Any]]) -> str:
    parts = [population]
    for rule in rules:
        if "interval" in rule:
            lo, hi = rule["interval"]
            parts.append(f"{rule['column']} {lo:g} to {hi:g}")
        else:
            parts.append(f"{rule['column']} {', '.join(map(value_to_text, rule['values']))}")
    return "Recruitment, " + ", ".join(parts)


def _version() -> str:
    from napari_hexrecruit._version import __version__

    return __version__
