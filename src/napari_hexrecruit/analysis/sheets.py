"""Whether the hexagons of two cubes are at the same places of the same sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.counting.hemispheres import HEMISPHERES
from napari_hexrecruit.doubts import issue_warnings
from napari_hexrecruit.recipe import CubeRecipe

if TYPE_CHECKING:
    import xarray as xr

_AXES = ("x", "y", "z", "depth")
"""Coordinates in the brain: two of them are the flat positions of no atlas."""
_SAME = "compute both with the same flat columns"


def check_same_sheet(a: xr.Dataset, b: xr.Dataset) -> None:
    """Refuse two cubes whose hexagons are alike in name only.

    Raises
    ------
    ValueError
        If flat space is of different well-known properties, or hemispheres lie differently.

    Warns
    -----
    RecruitmentWarning
        If flat space is of properties with different names, of which one is not well known: they
        can have the same values.
    """
    if a.attrs.get(HEMISPHERES) != b.attrs.get(HEMISPHERES):
        raise ValueError(
            "hemispheres lie side by side in one cube, and not or differently in the other: compute"
            " both with the same hemisphere and mirror"
        )
    mine, theirs = _flat(a), _flat(b)
    if mine is None or theirs is None or mine == theirs:
        return
    found = f"flat space is {_named(mine)} in one cube and {_named(theirs)} in the other"
    if _is_known(mine) and _is_known(theirs):
        raise ValueError(f"{found}: {_SAME}")
    issue_warnings([f"{found}: {_SAME}, unless these have the same values"])


def _flat(cube: xr.Dataset) -> tuple[str, ...] | None:
    """Return the properties of flat space, () for an atlas; None if the recipe does not say."""
    recipe = CubeRecipe.of_foreign(cube)
    if "flat" in recipe.lacks or recipe.column_atlas is not None:
        return None
    names = recipe.flat
    if not isinstance(names, tuple):
        return ()
    return () if all(name.startswith(("ss_flat_", "flat_")) for name in names) else names


def _is_known(names: tuple[str, ...]) -> bool:
    return set(names) <= set(_AXES)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "of an atlas"
