"""Compute a recruitment cube from a simulation, step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.counting.hemispheres import HEMISPHERES
from napari_hexrecruit.counting.members import NO_HEX, HexMembers, assemble_cube
from napari_hexrecruit.doubts import Tally, doubted
from napari_hexrecruit.errors import ParameterError
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.pipeline.evidence import (
    TALLIES,
    Evidence,
    counts_of,
    tallies_text,
    tally_of,
)
from napari_hexrecruit.pipeline.grouping import grouped, parts_of, place_notes
from napari_hexrecruit.pipeline.places import FlatSource
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.pipeline.scale import FEW_HEXES, doubts_of_minimum, doubts_of_scale
from napari_hexrecruit.pipeline.selecting import selection
from napari_hexrecruit.pipeline.window import bins_of, bins_of_report
from napari_hexrecruit.schema import CHOSEN_NODE_SET
from napari_hexrecruit.sonata import Simulation, open_simulation
from napari_hexrecruit.storage.hdf5 import check_memory

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.pipeline.selecting import Recorded
    from napari_hexrecruit.pipeline.spike_source import Counted
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.timebins import TimeBins

Ints = npt.NDArray[np.int32]

TOGETHER = " + "
"""Separator of the names of populations that are counted together."""
_BYTES_PER_NEURON = 8
"""Memory for the hexagons of all neurons, of the selected ones, and tables for counting."""


class Found(NamedTuple):
    """Tally, assumptions and warnings for the spikes of one population."""

    tally: Tally
    assumed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Everything that counting needs, and the contents of the cube besides counts."""

    populations: Populations
    members: HexMembers
    bins: TimeBins
    min_neurons: int
    flat_units: str
    attrs: dict[str, Any]
    notes: tuple[list[str], list[str]]
    """Notes before and after the assumptions about the spikes."""
    selected: Mask
    """Neurons in the node set that pass the filters."""
    allow_empty: bool
    doubts: tuple[str, ...]
    """Sentences about suspicious positions."""
    judged: bool = True
    """True to check if the spikes are plausible; False for a part of a whole."""

    @property
    def parts(self) -> list[tuple[str, HexMembers]]:
        """Return each population and its neurons in the hexagons of all."""
        return parts_of(self.populations, self.members)

    def cube(self, counted: Sequence[Counted], so_far: Ints | None = None) -> xr.Dataset:
        """Return the cube of counts.

        Parameters
        ----------
        counted
            Counts of each population.
        so_far
            (n_bins, n_hexes) neurons recruited since the start, instead of those of the bin.

        Raises
        ------
        ParameterError
            If no spike was counted and an empty cube is not allowed.
        """
        edges, found = self.bins.edges(), []
        for one in counted:
            counts = one.counts
            n_each = one.n_read, counts.n_inside, counts.n_unknown_id
            found.append(
                Found(tally_of(*n_each, counts.n_spikes, edges), one.assumed, one.warnings)
            )
        attrs = self.found(found)
        n_spikes = added([one.counts.n_spikes for one in counted])
        if so_far is None:
            return self.assembled(
                added([one.counts.n_recruited for one in counted]), n_spikes, attrs
            )
        cube = self.assembled(so_far, n_spikes, attrs)
        cube["recruitment"].attrs["long_name"] = "Neurons that have fired since the window's start"
        return cube

    def found(self, found: Sequence[Found]) -> dict[str, Any]:
        """Return the attributes that describe the spikes; the notes include the warnings.

        Parameters
        ----------
        found
            Facts about the spikes of each population.

        Raises
        ------
        ParameterError
            If no spike was counted and an empty cube is not allowed.
        """
        said = [*self.doubts, *(text for one in found for text in one.warnings)]
        tallies = [one.tally for one in found]
        if self.judged:
            said += self._doubted(tallies)
        warnings = list(dict.fromkeys(said))
        assumed = dict.fromkeys(text for one in found for text in one.assumed)
        return {
            **counts_of(tallies),
            **({} if len(found) == 1 else {TALLIES: tallies_text(self.populations.names, tallies)}),
            "napari_hexrecruit_version": _version(),
            "notes": json.dumps([*warnings, *self.notes[0], *assumed, *self.notes[1]]),
            "warnings": json.dumps(warnings),
        }

    def _doubted(self, tallies: Sequence[Tally]) -> list[str]:
        """Return doubts about the spikes; one population can be silent if another fires."""
        window = self.bins.start_ms, self.bins.stop_ms
        fired = any(tally.latest_ms is not None for tally in tallies)
        said: list[str] = []
        for name, tally in zip(self.populations.names, tallies, strict=True):
            selected = partial(self.selected_of, name)
            if len(tallies) > 1 and not selected().count():
                continue  # a note reports it
            evidence = Evidence(self.populations.sim, name, selected, window, tally)
            said += doubted(evidence, allow_empty=self.allow_empty or fired)
        return said

    def selected_of(self, population: str) -> Mask:
        """Return the selected neurons of one population."""
        if self.populations.only is not None:
            return self.selected
        return Mask.of(self.selected.values()[dict(self.populations.parts())[population]])

    def attrs_without_spikes(self, title: str) -> dict[str, Any]:
        """Return the attributes of a cube of another quantity."""
        about = self.attrs["title"].partition(", ")[2]
        return self.attrs | {
            "title": f"{title}; {about}",
            "napari_hexrecruit_version": _version(),
            "notes": json.dumps([*self.doubts, *self.notes[0], *self.notes[1]]),
            "warnings": json.dumps(self.doubts),
        }

    def assembled(self, n_recruited: Ints, n_spikes: Ints, attrs: dict[str, Any]) -> xr.Dataset:
        """Return the cube of counts with further attributes."""
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
    """Check a recipe against a simulation, cheapest checks first, and read the neurons.

    Parameters
    ----------
    sim
        The simulation; the files that the recipe names are ignored.
    recipe
        Recipe of the cube.
    judged, allow_empty, n_workers, progress
        As in `napari_hexrecruit.pipeline.cubes.computed_cube`.
    recorded
        Neurons and time that a report records; None: spikes are counted.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something that the recipe needs.
    ValueError
        If a parameter cannot be used, or no neuron is left.
    """
    recipe.check()
    populations = Populations.named(sim, recipe.population)
    for name in populations.names:
        check_neurons_fit(sim, name)
    bins, notes = _window(sim, populations, recipe, recorded)
    sets, rules, selected, left_out = selection(populations, recipe, recorded)
    notes += left_out
    source = FlatSource.of(sim, recipe.flat, recipe.column_atlas)
    sheet = grouped(populations, source, recipe, progress, n_workers)
    members = sheet.members.keep(selected)
    doubts = _doubts_of_places(populations, source, members, selected)
    doubts += doubts_of_scale(populations, source, sheet, int(recipe.min_neurons))
    doubts += doubts_of_minimum(members, int(recipe.min_neurons))
    answered = recipe.replace(
        **_files(sim),
        population=populations.names,
        node_set=sets.name,
        where=rules,
        flat=source.flat,
        column_atlas=source.column_atlas,
        radius=members.grid.radius,
        bin_ms=bins.width_ms,
        start=bins.start_ms,
        stop=bins.stop_ms,
    )
    assumed = [text for name in populations.names for text in sim.assumed_of(name)]
    behind = [*sets.notes, *place_notes(populations, source, sheet, members, selected)]
    attrs = _attrs(sim, recipe, answered, selected.count(), int(members.n_neurons.sum()))
    if sheet.layout is not None:
        attrs[HEMISPHERES] = sheet.layout.to_text()
        behind.append(sheet.layout.note(str(recipe.hemisphere)))
    return Question(
        populations=populations,
        members=members,
        bins=bins,
        min_neurons=int(recipe.min_neurons),
        flat_units=sheet.places[0].units,
        attrs=attrs,
        notes=([*notes, *sim.assumed, *dict.fromkeys(assumed)], behind),
        selected=selected,
        allow_empty=allow_empty,
        doubts=doubts,
        judged=judged,
    )


def _window(
    sim: Simulation, populations: Populations, recipe: CubeRecipe, recorded: Recorded | None
) -> tuple[TimeBins, list[str]]:
    if recorded is None:
        sim.refuse_nameless_spikes(populations.names)
        return bins_of(sim, recipe.start, recipe.stop, recipe.bin_ms)
    return bins_of_report(sim, recipe, recorded.span_ms)


def _doubts_of_places(
    populations: Populations, source: FlatSource, members: HexMembers, selected: Mask
) -> tuple[str, ...]:
    """Return doubts about positions; raise an error if no neuron has one."""
    n_selected, n_placed = selected.count(), int(members.n_neurons.sum())
    few = 2 * n_placed < n_selected or len(members.i) <= FEW_HEXES
    sim, names = populations.sim, populations.names
    doubts = dict.fromkeys(d for name in names if few for d in source.doubts(sim, name))
    if n_placed == 0:
        columns = source.flat if isinstance(source.flat, tuple) else ()
        raise ParameterError(
            "",
            f"none of the {n_selected:,} neurons has a flat position in {source}",
            next(iter(doubts), sim.flat_remedy(names[0], but=columns)),
        )
    if populations.only is None:
        chosen, placed = selected.values(), members.hex_of_neuron != NO_HEX
        for name, rows in populations.parts():
            if chosen[rows].any() and not placed[rows].any():
                where = f"{sim.nodes_file(name)}: population {name!r}"
                doubts[
                    f"{where}: none of its {np.count_nonzero(chosen[rows]):,} selected neurons has"
                    f" a flat position in {source}: leave the population out, or name another flat"
                ] = None
    return tuple(doubts)


def _attrs(
    sim: Simulation, recipe: CubeRecipe, answered: CubeRecipe, n_selected: int, n_placed: int
) -> dict[str, Any]:
    """Return the attributes that describe the neurons."""
    chosen = recipe.node_set if recipe.node_set not in (None, sim.node_set) else None
    together = TOGETHER.join(answered.populations)
    return {
        "title": f"Recruitment, {answered.counted(together, chosen or '')}",
        "population": together,
        "recipe": answered.to_json(),
        "n_neurons_selected": n_selected,
        "n_neurons_without_place": n_selected - n_placed,
        **({CHOSEN_NODE_SET: chosen} if chosen else {}),
    }


def check_neurons_fit(sim: Simulation, population: str) -> None:
    """Refuse a population whose hexagons do not fit into memory, before its neurons are read."""
    where = f"{sim.nodes_file(population)}: population {population!r}"
    check_memory(sim.n_neurons(population) * _BYTES_PER_NEURON, where)


def opened(simulation: str | os.PathLike[str] | Simulation) -> tuple[Simulation, bool]:
    """Return the simulation, and whether it was opened here and thus need not keep data."""
    if isinstance(simulation, Simulation):
        return simulation, False
    return open_simulation(simulation), True


def _files(sim: Simulation) -> dict[str, str | int | None]:
    """Return the simulation's path, and the files and run that were given besides it."""
    beside = {name: file for name, file in sim.given.items() if name != "path"}
    return {"simulation": str(sim.path), "spikes": None, "circuit": None, "run": sim.run} | beside


def added(counts: Sequence[Ints]) -> Ints:
    """Add arrays of counts into the first one."""
    total = counts[0]
    for other in counts[1:]:
        total += other
    return total


def _version() -> str:
    from napari_hexrecruit._version import __version__

    return __version__
