"""The layers of flat maps in a viewer."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer, Vectors
from napari.viewer import Viewer

from napari_hexrecruit._napari.flatmap.layers import Role
from napari_hexrecruit._napari.flatmap.stacking import (
    keep_thin,
    place_over,
    place_under,
    role_of,
    role_or_none,
)


class MapLayers:
    """Finds, adds and removes layers of flat maps.

    Parameters
    ----------
    viewer
        The viewer.

    Attributes
    ----------
    adding
        Whether this object is adding a layer.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.adding = False

    def of(self, source: str = "", part: str = "") -> list[Layer]:
        """Return the layers of a source and a part; an empty name stands for all."""
        roles = [(layer, role_or_none(layer)) for layer in self._viewer.layers]
        return [
            layer
            for layer, role in roles
            if role and source in ("", role.source) and part in ("", role.part)
        ]

    def insert(self, role: Role, layer: Layer, *, shown: bool) -> None:
        """Add a layer at its position in the stack; the active layer does not change."""
        layer.visible = layer.visible and shown
        if isinstance(layer, Vectors):
            keep_thin(self._viewer, layer)
        layers, active = self._viewer.layers, self._viewer.layers.selection.active
        at = place_under(layers, role) if role.is_under else place_over(layers, role)
        self.adding = True
        try:
            layers.insert(at, layer)
        finally:
            self.adding = False
        layers.selection.active = active

    def remove(self, source: str, part: str = "") -> None:
        """Remove the layers of a source and a part."""
        for layer in self.of(source, part):
            self._viewer.layers.remove(layer)

    def toggle(self, part: str, shown: bool) -> None:
        """Show or hide a part of all maps."""
        for layer in self.of(part=part):
            layer.visible = shown

    def colour_lines(self, colour: str) -> None:
        """Set the colour of outlines and names."""
        for outlines in self.of(part="outlines"):
            lines: Any = outlines
            lines.edge_color = colour
        for named in self.of(part="names"):
            names: Any = named
            names.text.color = colour

    def keep_over(self) -> None:
        """Move the layers that belong over hexagons to the top again."""
        over = [layer for layer in self.of() if not role_of(layer).is_under]
        for layer in sorted(over, key=lambda one: role_of(one).rank):
            layers = self._viewer.layers
            layers.move(layers.index(layer), len(layers))
