"""The recipe that the widget holds, of which the fields edit entries. Knows nothing of napari."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_hexrecruit._napari.recruitment.choices import FLAT_COLUMNS
from napari_hexrecruit._napari.recruitment.settings import Settings, recipe_in
from napari_hexrecruit.schema import N_TRIALS, recipe_of

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit._napari.recruitment.choices import SimulationChoices
    from napari_hexrecruit.filters import Rule

__all__ = ["edited", "fitting", "recipe_to_edit", "said_otherwise"]

_RULE = "rule"
_OF_ANALYSES = ("analysis", "time_origin_ms", N_TRIALS)
_FILES = ("simulation", "spikes", "circuit", "run")


def edited(
    recipe: Mapping[str, Any], shown: Mapping[str, Any], said: Mapping[str, Any], at: int | None
) -> tuple[dict[str, Any], int | None]:
    """A recipe with what a user has edited.

    Parameters
    ----------
    recipe
        What was opened.
    shown, said
        What the fields said when they were filled from it, and what they say now, by entry; as
        ``rule`` the filter. Only entries that differ are edited.
    at
        Which of the recipe's filters the field is for; None for another one.

    Returns
    -------
    recipe : dict
    at : int or None
        Which of its filters the field is for.
    """
    changed = {name: value for name, value in said.items() if value != shown[name]}
    if _RULE not in changed:
        return {**recipe, **changed}, at
    rule, where = changed.pop(_RULE), list(recipe["where"])
    if at is None:
        at = len(where)
        where.append(rule)
    where[at : at + 1] = [] if rule is None else [rule]
    return {**recipe, **changed, "where": where}, None if rule is None else at


def said_otherwise(
    recipe: Mapping[str, Any], at: int | None, said: Mapping[str, Any]
) -> dict[str, Any]:
    """Entries of a recipe that fields do not say.

    Parameters
    ----------
    recipe
        The recipe.
    at
        Which of its filters the field is for.
    said
        What the fields say, as `edited` takes it.
    """
    others: list[Rule] = [
        rule for k, rule in enumerate(recipe["where"]) if k != at or rule != said[_RULE]
    ]
    entries = {
        name: value
        for name, value in recipe.items()
        if name not in ("where", *_FILES) and value is not None and value != said.get(name)
    }
    return ({"where": others} if others else {}) | entries


def fitting(recipe: Mapping[str, Any], choices: SimulationChoices) -> dict[str, Any]:
    """A recipe without what another simulation does not offer in the fields.

    Parameters
    ----------
    recipe
        What was chosen for the simulation before.
    choices
        What the simulation offers.
    """
    default = recipe_in(Settings())
    fitted = dict(recipe)
    if recipe["population"] not in [one.name for one in choices.populations]:
        fitted["population"] = None
    if recipe["node_set"] not in choices.node_sets:
        fitted["node_set"] = None
    of_population = choices.of(fitted["population"] or choices.population)
    flat = recipe["flat"]
    if not isinstance(flat, str) and not set(flat) <= {*of_population.flat_columns, *FLAT_COLUMNS}:
        fitted["flat"] = default["flat"]
    rules = recipe["where"]
    if rules and rules[0]["column"] not in of_population.filter_columns:
        fitted["where"] = rules[1:]
    stop = choices.duration_ms if recipe["stop"] is None else recipe["stop"]
    if not choices.start_ms <= recipe["start"] < stop <= choices.duration_ms:
        fitted |= {"start": choices.start_ms, "stop": None}
    return fitted


def recipe_to_edit(cube: xr.Dataset) -> dict[str, Any] | None:
    """The recipe of a cube, if the cube of another bin or radius follows from it.

    Parameters
    ----------
    cube
        A recruitment cube.

    Returns
    -------
    dict or None
        None for the result of an analysis, and where the cube does not say how it was computed.
    """
    try:
        recipe = recipe_of(cube)
    except ValueError:
        return None
    needed = {*recipe_in(Settings()), "simulation"}
    if not needed <= set(recipe) or any(name in cube.attrs for name in _OF_ANALYSES):
        return None
    if not all(isinstance(rule.get("column"), str) for rule in recipe["where"]):
        return None
    return recipe
