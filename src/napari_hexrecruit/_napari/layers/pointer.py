"""Which of the layers that lie side by side the pointer is on: the status line describes it."""

from __future__ import annotations

import functools
import weakref
from typing import Any

import napari
from napari.layers import Layer

from napari_hexrecruit._napari.private.points import FramePoints


def follow_pointer(viewer: napari.Viewer) -> None:
    """Let the status line describe the hexagons under the pointer from now on, also in grid mode.

    Parameters
    ----------
    viewer
        The viewer. napari describes its active layer, wherever the pointer is. A second call
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
    """The layer of the field that the pointer is on; None where layers do not lie side by side."""
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
    """The layer that answers where napari asks one for its status; None for no answer."""
    viewer, layer = viewer_ref(), layer_ref()
    if viewer is None or layer not in viewer.layers:
        return layer
    pointed = pointed_at(viewer)
    if pointed is None or pointed is layer:
        return layer
    # Of several layers, or of none that is active, napari asks each in turn.
    alone = viewer.layers.selection.active is layer and len(viewer.layers.selection) < 2
    return pointed if alone else None


_followed: set[int] = set()
"""Viewers, by their ids."""
