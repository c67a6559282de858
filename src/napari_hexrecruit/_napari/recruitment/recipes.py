"""The recipe that the widget holds and the fields edit. Does not know napari."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.recipe import FLAT_COLUMNS, CubeRecipe
from napari_hexrecruit.schema import N_TRIALS

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit._napari.recruitment.choices import SimulationChoices
    from napari_hexrecruit.filters import Rule

_RULE = "rule"
_OF_ANALYSES = ("analysis", "time_origin_ms", N_TRIALS)


def edited(
    recipe: CubeRecipe, shown: Mapping[str, Any], said: Mapping[str, Any], at: int | None
) -> tuple[CubeRecipe, int | None]:
    """Apply a user's edits to a recipe.

    Parameters
    ----------
    recipe
        The opened recipe.
    shown, said
        Values of the fields by entry, when they were filled from the recipe and now; the filter is
        ``rule``. Only entries that differ are edited.
    at
        Index of the recipe's filter that the field shows; None if it shows a new filter.

    Returns
    -------
    recipe : CubeRecipe
        The edited recipe.
    at : int or None
        Index of its filter that the field shows.
    """
    changed = {name: value for name, value in said.items() if value != shown[name]}
    if _RULE not in changed:
        return recipe.replace(**changed), at
    rule, where = changed.pop(_RULE), list(recipe.rules)
    if at is None:
        at = len(where)
        where.append(rule)
    where[at : at + 1] = [] if rule is None else [rule]
    return recipe.replace(**changed, where=where), None if rule is None else at


def as_opened(rule: Rule, opened: Rule) -> Rule:
    """Return the opened filter if the fields show the same one, with values in any order."""
    alike = set(opened) == set(rule) and sorted(map(str, opened.get("values", ()))) == sorted(
        map(str, rule.get("values", ()))
    )
    return opened if alike and opened.get("interval") == rule.get("interval") else rule


def said_otherwise(recipe: CubeRecipe, at: int | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a recipe that the fields do not show.

    Parameters
    ----------
    recipe
        The recipe.
    at
        Index of its filter that the field shows.
    said
        Values of the fields, as for `edited`.
    """
    others = [rule for k, rule in enumerate(recipe.rules) if k != at or rule != said[_RULE]]
    shown = recipe.without_files().replace(
        **{name: value for name, value in said.items() if name != _RULE}
    )
    of_fields = shown.entries()
    entries = {
        name: value
        for name, value in recipe.without_files().entries().items()
        if name != "where" and value is not None and (name not in said or value != of_fields[name])
    }
    return ({"where": others} if others else {}) | entries


def fitting(recipe: CubeRecipe, choices: SimulationChoices) -> CubeRecipe:
    """Reset the entries of a recipe that the fields show and the simulation does not offer.

    Parameters
    ----------
    recipe
        Recipe chosen for the previous simulation.
    choices
        Choices of the simulation.
    """
    fitted = recipe
    if not set(recipe.populations) <= {one.name for one in choices.populations}:
        fitted = fitted.replace(population=None)
    if recipe.node_set not in choices.node_sets:
        fitted = fitted.replace(node_set=None)
    of_population = choices.of(fitted.population or choices.population)
    if recipe.report not in choices.reports:
        fitted = fitted.replace(report=None, statistic=None)
    if recipe.hemisphere not in of_population.two_valued:
        fitted = fitted.replace(hemisphere=None, mirror=None)
    columns = recipe.columns
    if columns and not set(columns) <= {*of_population.flat_columns, *FLAT_COLUMNS}:
        fitted = fitted.replace(flat=FLAT_COLUMNS)
    if recipe.rules and recipe.rules[0]["column"] not in of_population.filter_columns:
        fitted = fitted.replace(where=recipe.rules[1:])
    start = choices.start_ms if recipe.start is None else recipe.start
    stop = choices.duration_ms if recipe.stop is None else recipe.stop
    if not choices.start_ms <= start < stop <= choices.duration_ms:
        return fitted.replace(start=choices.start_ms, stop=None)
    return fitted


def recipe_to_edit(cube: xr.Dataset) -> CubeRecipe | None:
    """Return the recipe of a cube, if a cube with another bin or radius can be computed from it.

    Parameters
    ----------
    cube
        A recruitment cube.

    Returns
    -------
    CubeRecipe or None
        None for the result of an analysis, or if the cube does not state how it was computed.
    """
    recipe = CubeRecipe.of_foreign(cube)
    if recipe.simulation is None or recipe.lacks or any(n in cube.attrs for n in _OF_ANALYSES):
        return None
    return recipe
