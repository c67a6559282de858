"""Selection of neurons by node sets and filters, in one population or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from napari_hexrecruit.errors import ALL_NEURONS, POPULATION, ParameterError
from napari_hexrecruit.filters import matches, rule_column, typed_rule
from napari_hexrecruit.masks import Mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.filters import Rule
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation


@dataclass(frozen=True)
class Recorded:
    """The neurons and the time that a report records.

    Attributes
    ----------
    where
        File of the report.
    neurons
        Neurons that it records.
    span_ms
        Start of the first frame and end of the last one, ms.
    assumed
        Assumptions about what the file does not state.
    """

    where: str
    neurons: Mask
    span_ms: tuple[float, float]
    assumed: tuple[str, ...]


class NodeSets(NamedTuple):
    """The node set of each population, None for all neurons, and notes about them."""

    each: tuple[str | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        """The node set; None if all neurons of all populations count."""
        return next((name for name in self.each if name is not None), None)


def node_sets(populations: Populations, recipe: CubeRecipe) -> NodeSets:
    """Return the node sets to include, by default the simulation's own.

    If the simulation's node set has no neurons of a named population, all neurons of that
    population count.

    Parameters
    ----------
    populations
        Populations of the recipe.
    recipe
        Recipe of the cube.
    """
    sim, name = populations.sim, recipe.node_set
    is_own = name is None or (len(populations.names) > 1 and name == sim.node_set)
    if not is_own:
        return NodeSets((name,) * len(populations.names), _stands_for_all(sim, name))
    if recipe.populations:
        own = [sim.own_node_set(one) for one in populations.names]
        found = NodeSets(
            tuple(name for name, _ in own), tuple(dict.fromkeys(said for _, said in own if said))
        )
    else:
        found = NodeSets((sim.node_set,))
    if found.name is None and not found.notes:
        return NodeSets(found.each, ("the simulation names no node set; all neurons count",))
    return found


def selected_rules(populations: Populations, rules: Sequence[Rule]) -> list[Rule]:
    """Return the filters with values in the types of the properties."""
    return [typed_rule(rule, populations.column(rule_column(rule))) for rule in rules]


def selected_mask(
    populations: Populations, found: NodeSets | str | None, rules: Sequence[Rule]
) -> Mask:
    """Return the neurons that are in a node set (None: all) and pass typed rules.

    Parameters
    ----------
    populations
        Populations of the neurons.
    found
        Node set of each population, or one for all.
    rules
        Rules, as from `selected_rules`.

    Raises
    ------
    ValueError
        If no neuron is selected.
    """
    each = found.each if isinstance(found, NodeSets) else (found,) * len(populations.names)
    of_population = dict(zip(populations.names, each, strict=True))
    selected = populations.masked(
        lambda one: _in_node_set(populations.sim, one, of_population[one])
    )
    if not selected.count():
        raise _no_neurons(populations, next((name for name in each if name is not None), None))
    for rule in rules:
        selected &= Mask.of(matches(rule, populations.column(rule_column(rule))))
    if not selected.count():
        raise ValueError("no neuron passes all the filters together: loosen one of them")
    return selected


def _no_neurons(populations: Populations, node_set: str | None) -> ParameterError:
    """Return the error for populations without neurons in a node set, or without any."""
    listed = " or ".join(map(repr, populations.names))
    if node_set is None or not populations.n_neurons:
        remedy = ("name another one with ", POPULATION, ", or correct the nodes file")
        return ParameterError(f"population {listed}", "has no neurons", remedy)
    return ParameterError(
        f"node set {node_set!r}",
        f"has no neuron of population {listed}",
        ("name another node set or population, or count all neurons with ", ALL_NEURONS),
    )


def none_selected(populations: Populations, selected: Mask) -> list[str]:
    """Return notes on populations without selected neurons, if there are several populations."""
    if populations.only is not None:
        return []
    chosen = selected.values()
    return [
        f"population {name!r} has no neuron in the node set that passes the filters"
        for name, rows in populations.parts()
        if not chosen[rows].any()
    ]


def _in_node_set(sim: Simulation, population: str, name: str | None) -> Mask:
    if name is None:
        return Mask.every(sim.n_neurons(population))
    return sim.node_set_mask(name, population)


def _stands_for_all(sim: Simulation, node_set: str | None) -> tuple[str, ...]:
    """Return the note for a name that means all neurons instead of a node set."""
    if node_set is None or not sim.means_all(node_set):
        return ()
    return (f"no node set is named {node_set!r}; all neurons of the population count",)


def selection(
    populations: Populations, recipe: CubeRecipe, recorded: Recorded | None
) -> tuple[NodeSets, list[Rule], Mask, list[str]]:
    """Return node sets and filters, the neurons that pass both, and notes on those left out."""
    sets = node_sets(populations, recipe)
    rules = selected_rules(populations, recipe.rules)
    selected = selected_mask(populations, sets, rules)
    notes = none_selected(populations, selected)
    if recorded is not None:
        notes += [*recorded.assumed, *_not_recorded(selected, recorded)]
        selected &= recorded.neurons
    return sets, rules, selected, notes


def _not_recorded(selected: Mask, recorded: Recorded) -> tuple[str, ...]:
    """Return a sentence about selected neurons that a report does not record."""
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
