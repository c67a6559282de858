"""Lines and texts that a panel draws over the hexagons, and removes again."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer, Vectors

from napari_hexrecruit._napari.flatmap.stacking import keep_thin


class Drawing:
    """The layers that a panel has drawn last over the hexagons.

    Parameters
    ----------
    viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layers: list[Layer] = []

    def draw(self, *layers: Layer) -> None:
        """Draw layers instead of the previous ones; the active layer does not change."""
        self.clear()
        active = self._viewer.layers.selection.active
        for layer in layers:
            if isinstance(layer, Vectors):
                keep_thin(self._viewer, layer)
            self._layers.append(self._viewer.add_layer(layer))
        self._viewer.layers.selection.active = active

    def clear(self) -> None:
        """Remove the layers that are still in the viewer."""
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers = []
