"""Silence napari's scale bar, which warns about the unit of time in 3-D even while hidden."""

from __future__ import annotations

import weakref
from typing import Any

_ASKED = "_on_unit_change"


def silence_scale_bar_in_3d(viewer: Any) -> None:
    """Make the scale bar of a viewer read its unit in 2-D only.

    napari makes a scale bar for each field of a grid, so call this function again when the grid
    changes. If napari lacks a private name used here, it still warns.
    """
    qt_viewer = getattr(getattr(viewer, "window", None), "_qt_viewer", None)
    drawn = getattr(getattr(qt_viewer, "canvas", None), "_viewer_overlay_to_visual", {})
    for visual in drawn.get(viewer.canvas.overlays.scale_bar, []):
        if hasattr(type(visual), _ASKED):
            setattr(visual, _ASKED, _in_2d(weakref.ref(visual), weakref.ref(viewer)))


def _in_2d(visual_ref: Any, viewer_ref: Any) -> Any:
    def ask(event: object = None) -> None:
        visual, viewer = visual_ref(), viewer_ref()
        if visual is not None and viewer is not None and viewer.dims.ndisplay == 2:
            getattr(type(visual), _ASKED)(visual)

    return ask
