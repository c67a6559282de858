"""Fit the view so that colour bars, names and time on the canvas do not cover hexagons."""

from __future__ import annotations

import weakref
from typing import Any

import napari
import numpy as np
from napari.layers import Layer

from napari_hexrecruit._napari.layers.bars import room_for_bar, room_for_name
from napari_hexrecruit._napari.layers.timestamp import OVERLAY
from napari_hexrecruit._napari.private.points import FramePoints

_PADDING = 10.0
"""napari's padding between overlays and edges, px."""
_FOOT = 34.0
"""Height of the scale bar, and of each line of the time, px."""
_LEAST = 0.25
"""Fraction of a field that the data keep, even if the field is small."""


def keep_room(viewer: napari.Viewer) -> None:
    """Keep colour bars, names, time and scale bar from covering hexagons.

    Parameters
    ----------
    viewer
        The viewer. Whenever napari fits the view, and when the canvas is resized afterwards, the
        hexagons are moved and scaled down to leave room for overlays. A view that the user has
        moved or zoomed is unchanged. A second call changes nothing.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)  # widgets get a proxy
    if id(viewer) not in _rooms:
        _rooms[id(viewer)] = _Room(viewer)
        weakref.finalize(viewer, _rooms.pop, id(viewer), None)


class _Room:
    """Follows the view of one viewer."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._view: tuple[Any, ...] | None = None
        viewer.events.reset_view.connect(self._on_reset)
        viewer.canvas.events.size.connect(self._on_changed)
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            self._follow(layer)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _follow(self, layer: Layer) -> None:
        if isinstance(layer, FramePoints):
            layer.face_colorbar.events.visible.connect(self._on_changed)

    def _on_reset(self, event: Any = None) -> None:
        viewer = self._viewer()
        if viewer is None or viewer.dims.ndisplay != 2:
            return
        extent = _extent(viewer)
        if extent is not None and np.allclose(event.center[-2:], extent.mean(axis=0)):
            self._fit(viewer, extent)

    def _on_changed(self, event: object = None) -> None:
        """Fit again, unless the user has moved the view since."""
        viewer = self._viewer()
        if viewer is not None and self._view == _view(viewer) and viewer.dims.ndisplay == 2:
            extent = _extent(viewer)
            if extent is not None:
                self._fit(viewer, extent)

    def _fit(self, viewer: Any, extent: np.ndarray[Any, Any]) -> None:
        field = np.asarray(viewer.canvas.viewbox_size(viewer.layers), dtype=float)
        size = np.maximum(extent[1] - extent[0], 1e-9)
        choices = []
        for top, right, bottom in _rooms_of(viewer):
            free = np.maximum(field - (top + bottom, right), _LEAST * field)
            choices.append((0.95 * float(np.min(free / size)), top, right, bottom))
        zoom, top, right, bottom = max(choices)
        up = str(viewer.scene.camera.orientation2d[0]) == "up"
        y, x = extent.mean(axis=0)
        y += (1 if up else -1) * (top - bottom) / 2 / zoom
        camera = viewer.scene.camera
        camera.zoom = zoom
        camera.center = (*camera.center[:-2], y, x + right / 2 / zoom)
        self._view = _view(viewer)


def _view(viewer: Any) -> tuple[Any, ...]:
    camera = viewer.scene.camera
    return (camera.zoom, tuple(camera.center))


def _extent(viewer: Any) -> np.ndarray[Any, Any] | None:
    """Return the corners of the data in the view, with whole hexagons; None without hexagons."""
    layers: list[Any] = list(viewer.layers)
    shown: list[Any] = [
        layer for layer in layers if layer.visible and isinstance(layer, FramePoints)
    ]
    axes = list(viewer.dims.displayed)
    if not shown or sorted(axes) != [viewer.dims.ndim - 2, viewer.dims.ndim - 1]:
        return None
    extent = np.asarray(viewer.layers.get_extent(layers).world, dtype=float)[:, axes]
    radius = max(float(layer.size[0]) * abs(layer.scale[-1]) / 2 for layer in shown)
    return np.stack([extent[0] - radius, extent[1] + radius])


def _rooms_of(viewer: Any) -> list[tuple[float, float, float]]:
    """Return the room at the top, right and bottom, px, for bars above or beside the hexagons."""
    shown = [layer for layer in viewer.layers if isinstance(layer, FramePoints)]
    names = max(map(room_for_name, shown), default=0.0)
    bars = [room_for_bar(layer) for layer in shown]
    width, height = (max(part) for part in zip(*bars, strict=True))
    time, scale_bar = viewer.canvas.overlays.get(OVERLAY), viewer.canvas.overlays.scale_bar
    lines = time.text.count("\n") + 1 if time is not None and time.visible else 0
    bottom = _FOOT * max(lines, int(scale_bar.visible))
    above = (max(names, height) + _PADDING if max(names, height) else 0.0, 0.0, bottom)
    beside = (names + _PADDING if names else 0.0, width + _PADDING, bottom)
    return [above, beside] if width else [above]


_rooms: dict[int, _Room] = {}
"""By viewer id."""
