"""Neurons of a simulation, from its nodes files: properties, positions, node sets."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import ALL_NEURONS, Parameter, SimulationDataError
from napari_hexrecruit.masks import Mask
from napari_hexrecruit.sonata._advice import flat_remedy, nearest
from napari_hexrecruit.sonata._atlas_files import (
    ATLAS_COLUMNS,
    compute_columns,
    computed_together,
)
from napari_hexrecruit.sonata._described import Described
from napari_hexrecruit.sonata._node_set_rules import matching
from napari_hexrecruit.sonata._nodes import Nodes
from napari_hexrecruit.system.waiting import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from pathlib import Path

    from napari_hexrecruit.errors import Text
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata._number_columns import NumberColumns
    from napari_hexrecruit.values import Column


T = TypeVar("T")

_MEMO_SIZE = 8
_NO_NEURONS = ("virtual", "astrocyte", "vasculature", "endfoot", "endfeet", "glia")
"""SONATA types of populations without simulated neurons."""


class Neurons(Described):
    """The neurons of a simulation; data that were read are kept in memory."""

    def __init__(
        self,
        path: Path | None,
        *,
        spikes: Path | None = None,
        circuit: Path | None = None,
        run: int | None = None,
    ) -> None:
        self._kept, self._memo = Kept(), Kept(_MEMO_SIZE)
        super().__init__(path, spikes=spikes, circuit=circuit, run=run)

    def assumed_of(self, population: str) -> tuple[str, ...]:
        """Return assumptions about what the nodes file of a population does not state."""
        return self._nodes(population).assumed()

    def population_type(self, population: str) -> str:
        """Return the SONATA type of a population: biophysical, virtual, point_neuron, ...

        If the circuit does not state it: the ``model_type`` of all its nodes; ``unknown`` if they
        have none or differ.
        """
        said = self._populations[population].type
        if said:
            return said
        import pandas as pd

        nodes = self._nodes(population)
        if "model_type" not in nodes.columns:
            return "unknown"
        try:
            found: Any = pd.unique(self.column(population, "model_type"))
        except SimulationDataError:  # reported when the property is needed; most cubes do not
            return "unknown"
        kinds = {None if pd.isna(kind) else str(kind) for kind in found}
        return kinds.pop() or "unknown" if len(kinds) == 1 else "unknown"

    def holds_neurons(self, population: str) -> bool:
        """Whether a population has simulated neurons: it is not virtual, glia or blood vessels."""
        return self.population_type(population) not in _NO_NEURONS

    def n_neurons(self, population: str) -> int:
        """Return the number of neurons of a population."""
        return self._nodes(population).size

    def columns(self, population: str) -> tuple[str, ...]:
        """Return the names of the properties in the nodes file."""
        return self._nodes(population).columns

    def text_values(self, population: str, column: str) -> tuple[str, ...] | None:
        """Return the possible values of a text column, from its library or the node types table.

        None for other columns, and for one that cannot be read. Reads no values of neurons.
        """
        return self._nodes(population).values(column)

    def column(self, population: str, name: str, progress: Progress | None = None) -> Column:
        """Return the (n_neurons,) values of a property, text as `pandas.Categorical`; cached.

        ``ss_flat_x``, ``ss_flat_y``, ``depth``, ``flat_x`` and ``flat_y`` are computed from the
        circuit's atlas if the nodes file lacks them: NaN for neurons outside the flatmap's box, -1
        in both coordinates for those without a flat position.

        Raises
        ------
        SimulationDataError
            If the population lacks the property; the message lists its properties.
        """
        return self._kept.get(
            ("column", population, name), lambda: self._read_column(population, name, progress)
        )

    @contextmanager
    def number_columns(
        self, population: str, names: Sequence[str]
    ) -> Iterator[NumberColumns | None]:
        """Open the nodes file to read properties block by block.

        None if `column` keeps one in memory, or if one is not a plain dataset of numbers.
        """
        known = [("column", population, name) in self._kept for name in names]
        if any(known) or not set(names) <= set(self.columns(population)):
            yield None
            return
        with self._nodes(population).numbers(names) as columns:
            yield columns

    def rows_of(self, population: str, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the row of each ``node_id`` of a population; -1 for ids that it lacks."""
        return self._nodes(population).rows_of(ids)

    def has_own_ids(self, population: str) -> bool:
        """Whether ``node_id`` differs from 0, 1, 2, ..."""
        return self._nodes(population).ids is not None

    def node_ids(self, population: str) -> npt.NDArray[np.int64]:
        """Return the (n_neurons,) SONATA ``node_id`` of each neuron; usually 0 to n_neurons-1."""
        nodes = self._nodes(population)
        return np.arange(nodes.size) if nodes.ids is None else nodes.ids

    def is_from_atlas(self, population: str, name: str) -> bool:
        """Whether a column is computed from the circuit's atlas, not read from the nodes file."""
        return name in ATLAS_COLUMNS and name not in self.columns(population)

    def positions(self, population: str) -> tuple[npt.NDArray[Any], ...]:
        """Return (n_neurons,) x, y and z in the brain, µm.

        Raises
        ------
        SimulationDataError
            If the population lacks one of them.
        """
        missing = self._missing_axes(population)
        if missing:
            raise SimulationDataError(
                self.path,
                f"population {population!r} has no positions to look up in an atlas"
                f" ({', '.join(missing)} missing)",
                self.flat_remedy(population),
            )
        return tuple(np.asarray(self.column(population, axis)) for axis in "xyz")

    def flat_remedy(self, population: str, but: tuple[str, ...] = ()) -> Text:
        """Return advice on the flat position of a population, for a message.

        Parameters
        ----------
        population
            Population of the neurons.
        but
            Properties that turned out to be unusable.
        """
        return flat_remedy(
            self.columns(population), but, lambda name: self.column(population, name)
        )

    def node_set_ids(self, name: str, population: str) -> npt.NDArray[np.int64]:
        """Return the rows of a population's neurons in a node set; ascending, can be empty.

        See `node_set_mask`.
        """
        return self.node_set_mask(name, population).rows()

    def node_set_mask(self, name: str, population: str) -> Mask:
        """Return which neurons of a population are in a node set; it can be none.

        ``all`` means all neurons, unless a node set has that name.

        Raises
        ------
        SimulationDataError
            If the set does not exist, or names a property that the population lacks.
        """
        if self.means_all(name):
            return Mask.every(self.n_neurons(population))
        try:
            rules = self.node_set_rules
        except SimulationDataError as error:
            raise _or_all(error) from error
        if name not in rules:
            listed, near = ", ".join(self.node_sets) or "none", nearest(name, self.node_sets)
            meant = Parameter("node_set", (near or "",))
            mean = ("did you mean ", meant, "? or ") if near else ()
            raise SimulationDataError(
                self.path,
                f"there is no node set {name!r}; there are: {listed}",
                (*mean, "name one of them, or count all neurons with ", ALL_NEURONS),
            )

        def resolve() -> Mask:
            try:
                mask = matching(
                    name,
                    self.node_set_rules,
                    self._nodes(population),
                    lambda column: self.column(population, column),
                )
            except SimulationDataError as error:
                where = (str(self.path), ": ", error.where)
                named = SimulationDataError(where, error.what, error.remedy)
                raise _or_all(named) from error
            return Mask.of(mask)

        return self.memo(("node set", name, population), resolve)

    def own_node_set(self, population: str) -> tuple[str | None, str]:
        """Return the simulation's node set if it applies to a population, and a note.

        Parameters
        ----------
        population
            A population that the user named.

        Returns
        -------
        name : str or None
            The simulation's node set. None if it has none, or if the set has no neuron of this
            population and either the population is virtual or the set has neurons of another one.
        note : str
            States that the set is not applied; else empty.
        """
        name = self.node_set
        if name is None or self._n_in(name, population, strict=self.holds_neurons(population)):
            return name, ""
        others = (other for other in self.populations if other != population)
        if self.holds_neurons(population) and not any(self._n_in(name, o) for o in others):
            return name, ""
        return None, (
            f"the simulation's node set {name!r} has no neuron of population {population!r} and is"
            " not applied; all of its neurons count"
        )

    def _n_in(self, node_set: str, population: str, strict: bool = False) -> int:
        """Count neurons of a population in a node set; 0 if unresolvable, an error if strict."""
        try:
            return self.node_set_mask(node_set, population).count()
        except SimulationDataError:
            if strict:
                raise
            return 0

    def memo(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return ``compute()``, or its earlier result for the same key; the last few are kept."""
        return self._memo.get(key, compute)

    def _nodes(self, population: str) -> Nodes:
        return self._kept.get(
            ("nodes", population),
            lambda: Nodes(self._populations[population], self._circuit.path),
        )

    def _missing_axes(self, population: str) -> list[str]:
        return [axis for axis in "xyz" if axis not in self.columns(population)]

    def _read_column(self, population: str, name: str, progress: Progress | None) -> Column:
        if name in self.columns(population):
            return self._nodes(population).column(name)
        if name in ATLAS_COLUMNS:
            return self._compute_from_atlas(population, name, progress)
        listed = ", ".join(self.columns(population)) or "none"
        near = nearest(name, self.columns(population))
        raise SimulationDataError(
            self.path,
            f"population {population!r} has no property {name!r}; there are: {listed}",
            "" if near is None else f"did you mean {near!r}?",
        )

    def _compute_from_atlas(
        self, population: str, name: str, progress: Progress | None
    ) -> npt.NDArray[Any]:
        """Compute a flat coordinate that the nodes file lacks; keep others computed with it."""
        where = f"{self.path}: population {population!r}"
        missing = self._missing_axes(population)
        if missing:
            raise SimulationDataError(
                where,
                f"it has no property {name!r}, nor the positions to compute it from"
                f" ({', '.join(missing)} missing)",
                self.flat_remedy(population),
            )
        found = self._kept.get(
            ("computed", population, computed_together(name)),
            lambda: compute_columns(
                self._circuit,
                name,
                lambda why: SimulationDataError(
                    where, f"it has no property {name!r}, and {why}", self.flat_remedy(population)
                ),
                self.nodes_file(population),
                population,
                lambda: self.positions(population),
                progress,
            ),
        )
        return np.asarray(found[name])


def _or_all(error: SimulationDataError) -> SimulationDataError:
    """Return an error about node sets that also explains how to do without them."""
    advice = (", or count all neurons with ", ALL_NEURONS)
    return SimulationDataError(error.where, error.what, (error.remedy, *advice))
