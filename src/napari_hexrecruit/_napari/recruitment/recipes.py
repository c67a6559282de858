"""The recipe that the widget holds, of which the fields edit entries. Knows nothing of napari."""

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
    recipe : CubeRecipe
    at : int or None
        Which of its filters the field is for.
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
    """A filter of the fields as it was opened, if it is the same: values may be in any order."""
    alike = set(opened) == set(rule) and sorted(map(str, opened.get("values", ()))) == sorted(
        map(str, rule.get("values", ()))
    )
    return opened if alike and opened.get("interval") == rule.get("interval") else rule


def said_otherwise(recipe: CubeRecipe, at: int | None, said: Mapping[str, Any]) -> dict[str, Any]:
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
    """A recipe without what another simulation does not offer in the fields.

    Parameters
    ----------
    recipe
        What was chosen for the simulation before.
    choices
        What the simulation offers.
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
    """The recipe of a cube, if the cube of another bin or radius follows from it.

    Parameters
    ----------
    cube
        A recruitment cube.

    Returns
    -------
    CubeRecipe or None
        None for the result of an analysis, and where the cube does not say how it was computed.
    """
    recipe = CubeRecipe.of_foreign(cube)
    if recipe.simulation is None or recipe.lacks or any(n in cube.attrs for n in _OF_ANALYSES):
        return None
    return recipe
