"""Add a cube to a viewer as a layer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Points
from napari.utils.notifications import show_warning

from napari_hexrecruit._napari.layers.coloured_hexes import pair_of_limits
from napari_hexrecruit._napari.layers.display import (
    contrast_limits,
    hex_points,
    plain_points,
)
from napari_hexrecruit._napari.layers.flat_only import tell_of_3d
from napari_hexrecruit._napari.layers.layer import (
    AXES,
    LOOK,
    LayerRecipe,
    RecruitmentLayer,
    name_of,
    refuse_of_the_cube,
)
from napari_hexrecruit._napari.layers.pointer import follow_pointer
from napari_hexrecruit._napari.layers.room import keep_room
from napari_hexrecruit._napari.layers.saving import take_names_of_cubes
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.private.names import missing_names
from napari_hexrecruit._napari.private.points import VALUE
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import metric_of

if TYPE_CHECKING:
    import xarray as xr


def make_recruitment_layer(
    cube: xr.Dataset,
    *,
    metric: str | None = None,
    outline_nan: bool = True,
    **points_kwargs: Any,
) -> Points:
    """Make a layer of a cube that works in the installed version of napari.

    Parameters
    ----------
    cube
        A recruitment cube.
    metric, outline_nan, **points_kwargs
        As for `RecruitmentLayer`.

    Returns
    -------
    napari.layers.Points
        A `RecruitmentLayer`. If napari lacks something that it needs: plain points, one per bin and
        hexagon, with a notification the first time. These show the same values at the same times,
        but as discs; they need more time and memory, and have no ``cube`` or ``metric`` to set.

    Raises
    ------
    ValueError, TypeError
        As `RecruitmentLayer`.
    """
    missing = missing_names()
    if not missing:
        return RecruitmentLayer(cube, metric=metric, outline_nan=outline_nan, **points_kwargs)
    _tell_once(missing)
    return _plain_layer(cube, metric, outline_nan, points_kwargs)


def add_recruitment_layer(
    viewer: napari.Viewer, cube: xr.Dataset, *, metric: str | None = None, **points_kwargs: Any
) -> Points:
    """Add a cube to a viewer, with colour bar and time stamp.

    Parameters
    ----------
    viewer
        The viewer. With its first layer, y is set to point up, the scale bar is shown and the view
        is fitted.
    cube
        A recruitment cube.
    metric, **points_kwargs
        As for `make_recruitment_layer`.

    Returns
    -------
    napari.layers.Points
        The layer, already in the viewer.

    Raises
    ------
    ValueError, TypeError
        As `RecruitmentLayer`; the viewer is unchanged.
    """
    layer = make_recruitment_layer(cube, metric=metric, **points_kwargs)
    is_first = len(viewer.layers) == 0
    follow_pointer(viewer)
    keep_room(viewer)
    viewer.add_layer(layer)
    layer.face_colorbar.visible = True
    show_time(viewer)
    if is_first:
        set_stage(viewer)
    tell_of_3d(viewer)
    take_names_of_cubes(viewer)
    return layer


def set_stage(viewer: napari.Viewer) -> None:
    """Make y point up, show the scale bar, and fit the view."""
    viewer.scene.camera.orientation2d = ("up", "right")
    viewer.canvas.overlays.scale_bar.visible = True
    viewer.reset_view()


def warm_up() -> None:
    """Make napari read its table of units while a panel opens, not before the first picture.

    Reading takes half a second, once. It happens in the GUI thread, because two threads cannot
    safely read the table.
    """
    Points(np.zeros((1, 3)), units=("ms", "um", "um"))


def _plain_layer(
    cube: xr.Dataset, metric: str | None, outline_nan: bool, points_kwargs: dict[str, Any]
) -> Points:
    cube = as_cube(cube)
    refuse_of_the_cube(points_kwargs)
    shown, hexes = metric_of(cube, metric), hex_points(cube)
    data, features = plain_points(cube, shown)
    look = LOOK | {"name": name_of(cube), "face_colormap": shown.colormap}
    look |= {"axis_labels": AXES, "face_contrast_limits": contrast_limits(cube, shown)}
    metadata = points_kwargs.pop("metadata", None) or {}
    if (limits := points_kwargs.pop("face_contrast_limits", None)) is not None:
        look["face_contrast_limits"] = pair_of_limits(limits)
    layer = Points(
        data,
        features=features,
        face_color=VALUE,
        border_width=0,
        size=hexes.size,
        scale=hexes.scale,
        translate=hexes.translate,
        units=hexes.units,
        metadata={**metadata, STATE_KEY: LayerRecipe(cube, shown.name, outline_nan)},
        **(look | points_kwargs),
    )
    layer.editable = False
    return layer


_log = logging.getLogger(__name__)

_told: list[str] = []
"""Missing names that the user has been notified of; empty before the notification."""


def _tell_once(missing: list[str]) -> None:
    if _told:
        return
    _told.extend(missing)
    _log.info("plain points instead of the hexagon layer: %s", "; ".join(missing))
    show_warning(
        "napari-hexrecruit shows discs instead of hexagons, and moves in time more slowly, because"
        f" it does not know this napari ({napari.__version__}). Update napari-hexrecruit."
    )
