"""A simulation to its recruitment cube, step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.members import HexMembers, assemble_cube
from napari_hexrecruit.doubts import Tally, doubted
from napari_hexrecruit.errors import ALL_NEURONS, ParameterError
from napari_hexrecruit.filters import (
    matches,
    rule_column,
    typed_rule,
)
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.pipeline.evidence import Evidence, tally_of
from napari_hexrecruit.pipeline.places import (
    FlatSource,
    Places,
    find_places,
    group_places,
)
from napari_hexrecruit.pipeline.window import bins_of, bins_of_report
from napari_hexrecruit.schema import CHOSEN_NODE_SET
from napari_hexrecruit.sonata import Simulation, open_simulation
from napari_hexrecruit.storage.hdf5 import check_memory

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.filters import Rule
    from napari_hexrecruit.pipeline.spike_source import Counted
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.timebins import TimeBins

Ints = npt.NDArray[np.int32]

_BYTES_PER_NEURON = 8
"""Hexagons of all neurons, of the selected ones, and what is looked up while spikes are counted."""


@dataclass(frozen=True)
class Recorded:
    """Which neurons a report has values of, and when.

    Attributes
    ----------
    where
        Its file.
    neurons
        Those that it records.
    span_ms
        Start of its first frame and end of its last one.
    assumed
        What it does not say and was taken for granted.
    """

    where: str
    neurons: Mask
    span_ms: tuple[float, float]
    assumed: tuple[str, ...]


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
    """Neurons in the node set that pass the filters."""
    allow_empty: bool
    doubts: tuple[str, ...]
    """What is suspicious of the places."""
    judged: bool = True
    """Whether it is asked if the spikes can be meant: of the whole, not of its parts."""

    def cube(self, counted: Counted, so_far: Ints | None = None) -> xr.Dataset:
        """The cube of these counts.

        Parameters
        ----------
        counted
            What counting has found.
        so_far
            (n_bins, n_hexes) neurons recruited since the start, in the place of those of the bin.

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
        if so_far is None:
            return self.assembled(counts.n_recruited, counts.n_spikes, attrs)
        cube = self.assembled(so_far, counts.n_spikes, attrs)
        cube["recruitment"].attrs["long_name"] = "Neurons that have fired since the window's start"
        return cube

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

    def attrs_without_spikes(self, title: str) -> dict[str, Any]:
        """Attributes of a cube of another quantity."""
        about = self.attrs["title"].partition(", ")[2]
        return self.attrs | {
            "title": f"{title}; {about}",
            "napari_hexrecruit_version": _version(),
            "notes": json.dumps([*self.doubts, *self.notes[0], *self.notes[1]]),
            "warnings": json.dumps(self.doubts),
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


def resolve(
    sim: Simulation,
    recipe: CubeRecipe,
    *,
    judged: bool = True,
    allow_empty: bool = False,
    recorded: Recorded | None = None,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> Question:
    """Check and resolve what a recipe asks of a simulation, cheapest first; read what it takes.

    Parameters
    ----------
    sim
        The simulation; the files that the recipe names are not looked at.
    recipe
        Which cube.
    judged, allow_empty, n_workers, progress
        As `napari_hexrecruit.pipeline.cubes.computed_cube` takes them.
    recorded
        Which neurons a report records, and when; None: spikes are counted.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something that is asked for.
    ValueError
        If a parameter cannot be used, or no neuron is left.
    """
    recipe.check()
    population = sim.resolve_population(recipe.population)
    check_neurons_fit(sim, population)
    if recorded is None:
        bins, notes = bins_of(sim, recipe.start, recipe.stop, recipe.bin_ms)
    else:
        bins, notes = bins_of_report(sim, recipe, recorded.span_ms)
    node_set, said = _node_set(sim, population, recipe)
    rules = [typed_rule(rule, sim.column(population, rule_column(rule))) for rule in recipe.rules]
    selected = selected_mask(sim, population, node_set, rules)
    if recorded is not None:
        notes += recorded.assumed + _not_recorded(selected, recorded)
        selected &= recorded.neurons
    source = FlatSource.of(sim, recipe.flat, recipe.column_atlas)
    grid = HexGrid(recipe.radius)
    places, members = grouped(sim, population, source, grid, progress, n_workers)
    members = members.keep(selected)
    n_selected, n_placed = selected.count(), int(members.n_neurons.sum())
    doubts = source.doubts(sim, population) if 2 * n_placed < n_selected else ()
    if n_placed == 0:
        columns = source.flat if isinstance(source.flat, tuple) else ()
        raise ParameterError(
            "",
            f"none of the {n_selected:,} neurons has a flat position in {source}",
            doubts[0] if doubts else sim.flat_remedy(population, but=columns),
        )
    answered = recipe.replace(
        **_files(sim),
        population=population,
        node_set=node_set,
        where=rules,
        flat=source.flat,
        column_atlas=source.column_atlas,
        radius=members.grid.radius,
        bin_ms=bins.width_ms,
        start=bins.start_ms,
        stop=bins.stop_ms,
    )
    chosen = recipe.node_set if recipe.node_set not in (None, sim.node_set) else None
    attrs = {
        "title": f"Recruitment, {answered.counted(population, chosen or '')}",
        "population": population,
        "recipe": answered.to_json(),
        "n_neurons_selected": n_selected,
        "n_neurons_without_place": n_selected - n_placed,
        **({CHOSEN_NODE_SET: chosen} if chosen else {}),
    }
    before = [*notes, *sim.assumed, *sim.assumed_of(population)]
    behind = [*_node_set_notes(node_set, said), *source.notes(places, members, selected)]
    return Question(
        *(
            population,
            members,
            bins,
            int(recipe.min_neurons),
            places.units,
            attrs,
            (before, behind),
        ),
        *(sim, selected, allow_empty, doubts, judged),
    )


def check_neurons_fit(sim: Simulation, population: str) -> None:
    """Refuse a population whose hexagons do not fit into memory, before its neurons are read."""
    where = f"{sim.nodes_file(population)}: population {population!r}"
    check_memory(sim.n_neurons(population) * _BYTES_PER_NEURON, where)


def opened(simulation: str | os.PathLike[str] | Simulation) -> tuple[Simulation, bool]:
    """The simulation, and whether it was opened here: then nothing of it is worth keeping."""
    if isinstance(simulation, Simulation):
        return simulation, False
    return open_simulation(simulation), True


def _files(sim: Simulation) -> dict[str, str | int | None]:
    """The simulation's path, and the files and the run that were given beside it."""
    beside = {name: file for name, file in sim.given.items() if name != "path"}
    return {"simulation": str(sim.path), "spikes": None, "circuit": None, "run": sim.run} | beside


def _not_recorded(selected: Mask, recorded: Recorded) -> tuple[str, ...]:
    """What is said of neurons that are selected, and that a report does not record."""
    n_selected = selected.count()
    n_lost = n_selected - (selected & recorded.neurons).count()
    if n_lost == n_selected:
        raise ParameterError(
            recorded.where,
            f"records none of the {n_selected:,} selected neurons",
            "name another node set, or loosen the filters",
        )
    if not n_lost:
        return ()
    return (
        f"{recorded.where}: does not record {n_lost:,} of the {n_selected:,} selected neurons;"
        " they are left out",
    )


def _node_set(sim: Simulation, population: str, recipe: CubeRecipe) -> tuple[str | None, str]:
    """Node set to include, by default the simulation's own, and what is to be noted of it."""
    if recipe.node_set is not None:
        return recipe.node_set, _all_neurons(sim, recipe.node_set)
    return sim.own_node_set(population) if recipe.population else (sim.node_set, "")


def selected_neurons(
    sim: Simulation, population: str, node_set: str | None, rules: Sequence[Rule]
) -> npt.NDArray[np.bool_]:
    """(n_neurons,) neurons that are in a node set, all for None, and pass typed rules."""
    return selected_mask(sim, population, node_set, rules).values()


def selected_mask(
    sim: Simulation, population: str, node_set: str | None, rules: Sequence[Rule]
) -> Mask:
    """The same, with a bit for each neuron."""
    selected = Mask.every(sim.n_neurons(population))
    if node_set is not None:
        selected = sim.node_set_mask(node_set, population)
        if not selected.count():
            raise ParameterError(
                f"node set {node_set!r}",
                f"has no neuron of population {population!r}",
                ("name another node set or population, or count all neurons with ", ALL_NEURONS),
            )
    for rule in rules:
        selected &= Mask.of(matches(rule, sim.column(population, rule_column(rule))))
    if not selected.count():
        raise ValueError("no neuron passes all the filters together: loosen one of them")
    return selected


def grouped(
    sim: Simulation,
    population: str,
    source: FlatSource,
    grid: HexGrid,
    progress: Progress | None,
    n_workers: int | None = None,
) -> tuple[Places, HexMembers]:
    """Places and hexagons of all neurons; kept for the next cube."""

    def group() -> tuple[Places, HexMembers]:
        total = sim.n_neurons(population)
        if progress is not None:
            progress("reading neurons", 0, total)
        places = find_places(sim, population, source, progress)
        members = group_places(sim, population, source, places, grid, progress, n_workers)
        if progress is not None:
            progress("reading neurons", total, total)
        return places, members

    return sim.memo(("hexagons", population, source, grid), group)


def _all_neurons(sim: Simulation, node_set: str) -> str:
    """The note for a name that stands for all neurons instead of a node set."""
    if not sim.means_all(node_set):
        return ""
    return f"no node set is named {node_set!r}; all neurons of the population count"


def _node_set_notes(node_set: str | None, said: str) -> list[str]:
    if node_set is None and not said:
        return ["the simulation names no node set; all neurons count"]
    return [said] if said else []


def _version() -> str:
    from napari_hexrecruit._version import __version__

    return __version__
