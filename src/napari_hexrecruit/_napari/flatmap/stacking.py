"""Position of the layers of a flat map among the others, and width of their lines."""

from __future__ import annotations

import weakref
from typing import Any

from napari.layers import Layer, Vectors
from napari.viewer import Viewer

from napari_hexrecruit._napari.flatmap.layers import (
    METADATA_KEY,
    Role,
)
from napari_hexrecruit._napari.layers.shown_cube import cube_of

_LINE_PIXELS = 2.0


_NOTICEABLE = 1.05
"""Lines are redrawn when their width would be wrong by this factor."""


def role_or_none(layer: Layer) -> Role | None:
    role: Role | None = layer.metadata.get(METADATA_KEY)
    return role


def role_of(layer: Layer) -> Role:
    role: Role = layer.metadata[METADATA_KEY]
    return role


def place_under(layers: Any, role: Role) -> int:
    """Return the position above layers of lower rank, and below all hexagons and outlines."""
    at = 0
    for k, layer in enumerate(layers):
        other = role_or_none(layer)
        if cube_of(layer) is not None or (other and not other.is_under):
            break
        if other is None or other.rank <= role.rank:
            at = k + 1
    return at


def place_over(layers: Any, role: Role) -> int:
    """Return the position on top, but below layers of higher rank."""
    at = len(layers)
    while at > 0:
        other = role_or_none(layers[at - 1])
        if other is None or other.rank <= role.rank:
            break
        at -= 1
    return at


def keep_thin(viewer: Viewer, layer: Vectors) -> None:
    """Keep the width of lines constant in pixels at any zoom."""
    camera = viewer.scene.camera
    lines = weakref.ref(layer)

    def fit_width(event: object = None) -> None:
        layer = lines()
        if layer is None:
            camera.events.zoom.disconnect(fit_width)
            return
        width = _LINE_PIXELS / camera.zoom
        if max(width / layer.edge_width, layer.edge_width / width) > _NOTICEABLE:
            layer.edge_width = width

    fit_width()
    camera.events.zoom.connect(fit_width)
