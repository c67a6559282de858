"""The neurons of one population, or of several, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import ParameterError
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import Simulation, Spikes
from napari_hexrecruit.timebins import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr

    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.values import Column

_TEXT = "text"
_KINDS = {"iu": "whole numbers", "f": "numbers", "b": "true and false"}


@dataclass(frozen=True)
class Populations:
    """Neurons of some populations, in the order of the populations.

    Rows count from the first neuron of the first population, so that equal ids of two populations
    are two rows. For a single population, rows are those of the population.

    Parameters
    ----------
    sim
        The simulation.
    names
        The populations, each once.
    """

    sim: Simulation
    names: tuple[str, ...]

    @classmethod
    def named(cls, sim: Simulation, population: str | tuple[str, ...] | None) -> Populations:
        """Return the populations that a recipe names; the default one for None.

        Raises
        ------
        SimulationDataError
            If the circuit lacks one of them, or none is named and the circuit has no default.
        """
        given = population if isinstance(population, tuple) else (population,)
        return cls(sim, tuple(sim.resolve_population(name) for name in given))

    @classmethod
    def of(cls, sim: Simulation, cube: xr.Dataset) -> Populations:
        """Return the populations of a cube."""
        recipe = CubeRecipe.of_foreign(cube)
        return cls.named(sim, recipe.populations or str(cube.attrs["population"]))

    @property
    def only(self) -> str | None:
        """Name of the only population; None for several."""
        return self.names[0] if len(self.names) == 1 else None

    @cached_property
    def _ends(self) -> list[int]:
        return [0, *np.cumsum([self.sim.n_neurons(name) for name in self.names]).tolist()]

    @property
    def n_neurons(self) -> int:
        """Neurons of all populations."""
        return self._ends[-1]

    def parts(self) -> list[tuple[str, slice]]:
        """Return each population and its rows."""
        ends = self._ends
        rows = [slice(*ends[k : k + 2]) for k in range(len(self.names))]
        return list(zip(self.names, rows, strict=True))

    def shared(self) -> list[str]:
        """Return the names of the properties that all populations have."""
        every = [self.sim.columns(name) for name in self.names]
        return [column for column in every[0] if all(column in one for one in every[1:])]

    def column(self, name: str, progress: Progress | None = None) -> Column:
        """Return the (n_neurons,) values of a property.

        Raises
        ------
        SimulationDataError
            If a population lacks the property.
        ParameterError
            If it is text in one population and another type in another.
        """
        found = [self.sim.column(one, name, progress) for one in self.names]
        if len(found) == 1:
            return found[0]
        kinds = [_kind(column) for column in found]
        if len(set(kinds)) > 1 and not set(kinds) <= {"whole numbers", "numbers"}:
            each = ", ".join(f"{k} in {n!r}" for k, n in zip(kinds, self.names, strict=True))
            raise ParameterError(
                f"property {name!r}", f"is {each}", "name one of these populations"
            )
        if kinds[0] == _TEXT:
            from pandas.api.types import union_categoricals

            texts: Any = found
            joined: Column = union_categoricals(texts, sort_categories=True, ignore_order=True)
            return joined
        return np.concatenate([np.asarray(column) for column in found])

    def masked(self, mask_of: Callable[[str], Mask]) -> Mask:
        """Join the masks of the populations."""
        masks = [mask_of(name) for name in self.names]
        return masks[0] if len(masks) == 1 else Mask.of(np.concatenate([m.values() for m in masks]))

    def node_set_rows(self, name: str) -> npt.NDArray[np.int64]:
        """Return the rows of the neurons in a node set, ascending."""
        return self.masked(lambda one: self.sim.node_set_mask(name, one)).rows()

    def node_ids(self) -> npt.NDArray[np.int64]:
        """Return the (n_neurons,) SONATA ``node_id`` of each neuron in its population."""
        return np.concatenate([self.sim.node_ids(name) for name in self.names])

    def of_rows(self, rows: npt.NDArray[np.integer[Any]]) -> dict[str, npt.NDArray[np.int64]]:
        """Return the SONATA ``node_id`` of some neurons, by population; without empty ones."""
        found = {}
        for name, part in self.parts():
            inside = rows[(rows >= part.start) & (rows < part.stop)] - part.start
            if inside.size:
                found[name] = self.sim.node_ids(name)[inside]
        return found

    def of_each(self) -> str | npt.NDArray[np.str_]:
        """Return the (n_neurons,) population of each neuron; for a single one only its name."""
        if self.only is not None:
            return self.only
        return np.repeat(np.array(self.names), np.diff(self._ends))

    def spikes(self, progress: Progress | None = None) -> Spikes:
        """Return all spikes, ascending in time; those of several populations are not kept."""
        found = [self.sim.spikes(name, progress) for name in self.names]
        return found[0] if len(found) == 1 else _merged(found, self._ends)


def _kind(column: Column) -> str:
    if not isinstance(column, np.ndarray):
        return _TEXT
    return next(text for kinds, text in _KINDS.items() if column.dtype.kind in kinds)


def _merged(found: Sequence[Spikes], first_rows: Sequence[int]) -> Spikes:
    times = np.concatenate([spikes.times_ms for spikes in found])
    order = np.argsort(times, kind="stable")  # NaN last
    rows = [
        np.where(spikes.neurons < 0, -1, spikes.neurons + first)
        for spikes, first in zip(found, first_rows, strict=False)
    ]
    clocks = [spikes.clock for spikes in found]
    coarsest = max(clocks, key=lambda clock: (clock.stored.kind in "iu", -clock.stored.itemsize))
    steps = [clock.dt_ms for clock in clocks if clock.dt_ms is not None]
    return Spikes(
        np.concatenate(rows).astype(np.int32)[order],
        times[order],
        sum(spikes.n_unknown_id for spikes in found),
        tuple(dict.fromkeys(text for spikes in found for text in spikes.assumed)),
        Clock(coarsest.stored, max(steps, default=None)),
    )
