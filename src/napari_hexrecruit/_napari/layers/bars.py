"""Names and colour bars of layers side by side: one bar for all layers with the same colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.layers import Points

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.bars import HexColorBar

LINKED = (
    *("metric", "face_colormap", "face_contrast_limits", "outline_nan", "outline_color"),
    *("opacity", "blending"),
)
"""Attributes that layers side by side share."""
_NAME_FONT = 12
_LINE = 2.0
"""Height of a line, as a multiple of its font size in points."""
_ALONE = {"size": (25.0, 150.0), "font_size": 10.0, "box": True, "room_above": 0.0}
_BESIDE = {"size": (14.0, 76.0), "font_size": 8.0, "box": False}
_LABEL_FONT = {False: 10.0, True: 8.0}


def lay_beside(layers: Sequence[Points], *, beside: bool, font_size: int = _NAME_FONT) -> None:
    """Show the names of layers side by side, with small colour bars below the names.

    Parameters
    ----------
    layers
        Layers to arrange.
    beside
        If True, the layers lie side by side. Otherwise each gets the bar of a single layer, and no
        name.
    font_size
        Font size of the names.
    """
    for layer in layers:
        name: Any = layer.name_overlay
        name.visible, name.position, name.font_size = beside, "top_left", font_size
        bar: Any = layer.face_colorbar
        look = {**_BESIDE, "room_above": _LINE * font_size} if beside else _ALONE
        for entry, value in look.items():
            if entry != "room_above" or isinstance(bar, HexColorBar):
                setattr(bar, entry, value)
        if isinstance(layer, RecruitmentLayer):
            # The label fits below the name, even in a narrow field of the grid.
            label: Any = layer.colorbar_label
            layer.bar_names_filter = not beside  # the name states it
            label.position = "top_left" if beside else bar.position
            label.font_size, label.box = _LABEL_FONT[beside], not beside


def share_bars(layers: Sequence[Points], *, wanted: bool) -> None:
    """Show one colour bar for all layers with the same colours: that of the last one."""
    last = {_colours(layer): layer for layer in layers}
    for layer in layers:
        layer.face_colorbar.visible = wanted and last[_colours(layer)] is layer


def look_alike(viewer: Any, layers: Sequence[Points]) -> None:
    """Link layers with the same colours, and show one colour bar for them.

    napari shows the links in the layer list, where the user can remove them.
    """
    groups: dict[Any, list[Points]] = {}
    for layer in layers:
        if isinstance(layer, RecruitmentLayer):
            groups.setdefault(_colours(layer), []).append(layer)
    for group in groups.values():
        if len(group) > 1:
            viewer.layers.link_layers(group, LINKED)
    share_bars(layers, wanted=any(layer.face_colorbar.visible for layer in layers))


def room_for_bar(layer: Points) -> tuple[float, float]:
    """Return the width and height that a visible colour bar with its label takes, px."""
    bar: Any = layer.face_colorbar
    if not (layer.visible and bar.visible):
        return 0.0, 0.0
    label: Any = getattr(layer, "colorbar_label", None)
    lines = label.text.split("\n") if label is not None and label.visible else []
    text = max(map(len, lines), default=0) * 0.75 * label.font_size if lines else 0.0
    width = bar.size[0] + bar.tick_length + 4.0 * bar.font_size + text
    height = getattr(bar, "room_above", 0.0) + bar.size[1] + 2.0 * bar.font_size
    return width, height


def room_for_name(layer: Points) -> float:
    """Return the height that the name of a layer takes on the canvas, px."""
    name: Any = layer.name_overlay
    return _LINE * float(name.font_size) if layer.visible and name.visible else 0.0


def _colours(layer: Points) -> tuple[Any, ...]:
    return (
        getattr(layer, "metric", ""),
        layer.face_colormap.name,
        tuple(layer.face_contrast_limits),
    )
