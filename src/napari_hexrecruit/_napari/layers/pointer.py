"""Describe the layer under the pointer in the status line, also when layers lie side by side."""

from __future__ import annotations

import functools
import weakref
from typing import Any

import napari
from napari.layers import Layer

from napari_hexrecruit._napari.private.points import FramePoints


def follow_pointer(viewer: napari.Viewer) -> None:
    """Make the status line describe the hexagons under the pointer, also in grid mode.

    Parameters
    ----------
    viewer
        The viewer. napari itself describes the active layer, wherever the pointer is. A second call
        changes nothing.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)  # widgets get a proxy
    if id(viewer) in _followed:
        return
    _followed.add(id(viewer))
    weakref.finalize(viewer, _followed.discard, id(viewer))
    seen = weakref.ref(viewer)
    viewer.layers.events.inserted.connect(lambda event: _follow(seen(), event.value))
    for layer in viewer.layers:
        _follow(viewer, layer)


def pointed_at(viewer: Any) -> Layer | None:
    """Return the layer of the field under the pointer; None if layers do not lie side by side."""
    field = viewer.cursor.viewbox
    if not viewer.canvas.grid.enabled or field is None:
        return None
    here = [viewer.layers[k] for k in viewer.canvas.grid.contents_at(tuple(field), viewer.layers)]
    shown = [layer for layer in here if layer.visible]
    return shown[-1] if shown else None


def _follow(viewer: Any, layer: Layer) -> None:
    if viewer is not None and isinstance(layer, FramePoints):
        layer.told_by = functools.partial(_told_by, weakref.ref(viewer), weakref.ref(layer))


def _told_by(viewer_ref: Any, layer_ref: Any) -> Layer | None:
    """Return the layer that answers if napari asks this one for its status; None for no answer."""
    viewer, layer = viewer_ref(), layer_ref()
    if viewer is None or layer not in viewer.layers:
        return layer
    pointed = pointed_at(viewer)
    if pointed is None or pointed is layer:
        return layer
    # If several layers are selected, or none is active, napari asks each in turn.
    alone = viewer.layers.selection.active is layer and len(viewer.layers.selection) < 2
    return pointed if alone else None


_followed: set[int] = set()
"""Ids of viewers."""
