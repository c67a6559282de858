"""Colour bars of layers, with a label, and room above them."""

from __future__ import annotations

import functools
from typing import Any

from napari.components.overlays import ColorBarOverlay, TextOverlay

from napari_hexrecruit._napari.private.names import LABEL_NAMES, module_of

_BAR = "face_colorbar"


class ColorBarLabel(TextOverlay):  # type: ignore[misc]
    """Text beside a layer's colour bar."""


class HexColorBar(ColorBarOverlay):  # type: ignore[misc]
    """A colour bar that leaves room above itself for the name of the layer.

    Attributes
    ----------
    room_above
        Empty pixels above the bar.
    """

    room_above: float = 0.0


def give_colorbar(layer: Any) -> ColorBarLabel:
    """Give a layer of points a colour bar, and a label that follows its position and visibility."""
    label = ColorBarLabel()
    if any(not name.is_there() for name in LABEL_NAMES):
        return label
    layer._overlays[_BAR] = bar = HexColorBar(colormanager_attribute="_face")
    label.position, label.visible = bar.position, bar.visible
    for name in ("position", "visible"):
        getattr(bar.events, name).connect(functools.partial(_follow, bar, label, name))
    layer._overlays[f"{_BAR}_label"] = label
    return label


def _follow(leader: Any, follower: Any, name: str, event: object = None) -> None:
    setattr(follower, name, getattr(leader, name))


def draw_bars() -> None:
    """Register the visuals of colour bars and their labels in napari."""
    if all(name.is_there() for name in LABEL_NAMES):
        visuals = module_of("napari._vispy.utils.visual").overlay_to_visual
        visuals[ColorBarLabel] = _label_visual_class()
        visuals[HexColorBar] = _bar_visual_class()


@functools.cache
def _label_visual_class() -> type:
    base: Any = module_of("napari._vispy.overlays.text")._VispyLayerTextOverlay

    class VispyColorBarLabel(base):  # type: ignore[misc]
        """Draws a `ColorBarLabel`."""

        def _connect_events(self) -> None:
            self.overlay.events.text.connect(self._on_text_change)

    return VispyColorBarLabel


@functools.cache
def _bar_visual_class() -> type:
    base: Any = module_of("napari._vispy.overlays.colorbar").VispyColorBarOverlay

    class VispyHexColorBar(base):  # type: ignore[misc]
        """Draws a `HexColorBar`."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.overlay.events.room_above.connect(self._on_ticks_change)

        def _on_ticks_change(self) -> None:
            super()._on_ticks_change()
            above = self.overlay.room_above
            if not self.node.visible or not above:
                return
            for part in (self.node.img, self.node.box, self.node.ticks):
                x, y, *_ = part.transform.translate
                part.transform.translate = (x, y + above)
            self.y_size += above
            self._on_position_change()

    return VispyHexColorBar
