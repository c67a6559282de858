"""Save the cube of a hexagon layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_hexrecruit._napari.layers.saving import with_ending
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.widgets.aside import aside
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.storage.cubes import write_cube


def write_layer(path: str, data: object, meta: Mapping[str, Any]) -> list[str]:
    """Write the cube that a layer shows, without its look.

    Parameters
    ----------
    path
        File to write, or to replace, since napari has asked. A missing ending is added. In that
        case napari has asked about another name, so an existing file is not replaced.
    data, meta
        Coordinates and state of the layer, as in its layer data tuple.

    Returns
    -------
    list of str
        Path of the file.

    Raises
    ------
    HexRecruitError
        If the layer does not show a cube. This is not a ValueError, which napari would report as a
        missing plugin.
    OSError
        If the file cannot be written.

    Notes
    -----
    A thread writes the file, so that the window stays responsive.
    """
    recipe = (meta.get("metadata") or {}).get(STATE_KEY)
    if recipe is None:
        raise HexRecruitError(
            f"layer {meta.get('name')!r} shows no recruitment cube: save it as another type of"
            " file, CSV for instance"
        )
    final = with_ending(path)
    return [str(aside(lambda _: write_cube(recipe.cube, final, overwrite=final == path)))]
