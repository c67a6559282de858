"""Saves the cube of a hexagon layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_hexrecruit._napari.layers.saving import with_ending
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.widgets.aside import aside
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.storage.cubes import write_cube


def write_layer(path: str, data: object, meta: Mapping[str, Any]) -> list[str]:
    """Write the cube that a layer shows; nothing of how it looks.

    Parameters
    ----------
    path
        File to write, or to replace: napari has asked. The ending is added where it lacks; then
        napari has asked about another file, and none is replaced.
    data, meta
        Coordinates and state of the layer, as in its layer data tuple.

    Returns
    -------
    list of str
        The file.

    Raises
    ------
    HexRecruitError
        If the layer shows no cube. It is not a ValueError: of that napari would say that no plugin
        was found.
    OSError
        If the file cannot be written.

    Notes
    -----
    A thread writes the file, and the window goes on meanwhile.
    """
    recipe = (meta.get("metadata") or {}).get(STATE_KEY)
    if recipe is None:
        raise HexRecruitError(
            f"layer {meta.get('name')!r} shows no recruitment cube: save it as another type of"
            " file, CSV for instance"
        )
    final = with_ending(path)
    return [str(aside(lambda _: write_cube(recipe.cube, final, overwrite=final == path)))]
