"""The time of the current bin on the canvas, following the slider."""

from __future__ import annotations

import math
import weakref
from typing import Any

import napari
from napari.components.overlays import TextOverlay
from napari.layers import Layer
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_hexrecruit._napari.layers.display import hex_points, time_label
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.private.points import FRAME_AXIS, FramePoints
from napari_hexrecruit.naming import time_from

OVERLAY = "recruitment_time"
_POSITION = "bottom_left"
"""Colour bars, their labels and layer names are at the top, the scale bar is at the right."""
_FONT_SIZE = 14
_TIME = "time"
"""Name of the time axis in layers."""


def show_time(viewer: napari.Viewer) -> TextOverlay:
    """Show the time of the current bin on the canvas, as ``3,000 - 3,010 ms``.

    Parameters
    ----------
    viewer
        The viewer. With several hexagon layers, the time is that of the selected layer if it is
        visible, or else of the uppermost visible one; without any, no time is shown. A second call
        only shows the time again if it was hidden.

    Returns
    -------
    TextOverlay
        The text on the canvas, for its colour, size, position and visibility.
    """
    # Widgets get a proxy of the viewer, a new object each time.
    viewer = getattr(viewer, "__wrapped__", viewer)
    if id(viewer) not in _stamps:
        _stamps[id(viewer)] = _TimeStamp(viewer)
        weakref.finalize(viewer, _stamps.pop, id(viewer), None)
    overlay = _stamps[id(viewer)].overlay
    overlay.visible = True
    return overlay


class _TimeStamp:
    """Keeps the overlay text of one viewer in step with the time of its hexagon layer."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = weakref.ref(viewer)
        self.overlay = _overlay(viewer)
        layers = viewer.layers
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._update)
        layers.events.reordered.connect(self._update)
        layers.selection.events.active.connect(self._update)
        # Only for plain points: hexagon layers announce their bins.
        viewer.dims.events.point.connect(self._on_moved)
        # After napari's own callback, so that the field already holds the name.
        viewer.dims.events.axis_labels.connect(_make_room_for_names, position="last")
        for layer in layers:
            self._follow(layer)
        self._update()

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)
        self._update()

    def _follow(self, layer: Layer) -> None:
        layer.events.visible.connect(self._update)
        if isinstance(layer, FramePoints):
            layer.events.bin_changed.connect(self._update)
            layer.events.cube_changed.connect(self._update)
            layer.events.metric.connect(self._update)

    def _on_moved(self, event: object = None) -> None:
        viewer = self._viewer()
        if viewer is not None and not isinstance(_timed_layer(viewer), FramePoints):
            self._update()

    def _update(self, event: object = None) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        layer = _timed_layer(viewer)
        window = None if layer is None else _window_ms(viewer, layer)
        if layer is not None:
            _name_axis(viewer, layer)
        lines = [getattr(layer, "caption", ""), _label(layer, window)]
        self.overlay.text = "\n".join(line for line in lines if line)


_stamps: dict[int, _TimeStamp] = {}
"""By viewer id."""


def _overlay(viewer: napari.Viewer) -> TextOverlay:
    """Make a separate text, so that the user's text is kept."""
    overlay = TextOverlay()
    viewer.canvas.overlays[OVERLAY] = overlay
    overlay.position, overlay.font_size = _POSITION, _FONT_SIZE
    return overlay


def _timed_layer(viewer: napari.Viewer) -> Layer | None:
    """Return the selected layer of hexagons if it is visible, or else the uppermost visible one."""
    shown = [layer for layer in viewer.layers if layer.visible and _is_timed(layer)]
    active = viewer.layers.selection.active
    if active in shown:
        return active
    return shown[-1] if shown else None


def _is_timed(layer: Layer) -> bool:
    return isinstance(layer, FramePoints) or STATE_KEY in layer.metadata


def _label(layer: Layer | None, window: tuple[float, float] | None) -> str:
    """Return the time, and its origin unless that is the start of the simulation."""
    if layer is None or window is None or getattr(layer, "is_static", False):
        return ""
    from_ = time_from(_cube_of(layer))
    return time_label(*window) + (f", from {from_}" if from_ else "")


def _name_axis(viewer: napari.Viewer, layer: Layer) -> None:
    """Name the origin of time beside the slider, unless the user has renamed the axis."""
    from_ = time_from(_cube_of(layer))
    axis, labels = viewer.dims.ndim + FRAME_AXIS, list(viewer.dims.axis_labels)
    wanted = f"{_TIME} from {from_}" if from_ else _TIME
    is_ours = axis >= 0 and (labels[axis] == _TIME or labels[axis].startswith(f"{_TIME} from "))
    if is_ours and labels[axis] != wanted:
        labels[axis] = wanted
        viewer.dims.axis_labels = labels


def _make_room_for_names(event: object = None) -> None:
    """Fit the names of sliders: napari does so when a name is typed, but not when it is set."""
    for widget in QApplication.allWidgets() if QApplication.instance() is not None else ():
        if isinstance(widget, QLineEdit) and widget.objectName() == "axis_label":
            widget.textChanged.emit(widget.text())


def _cube_of(layer: Layer) -> Any:
    return layer.cube if isinstance(layer, FramePoints) else layer.metadata[STATE_KEY].cube


def _window_ms(viewer: napari.Viewer, layer: Layer) -> tuple[float, float] | None:
    if isinstance(layer, FramePoints):
        window: tuple[float, float] | None = layer.time_window_ms
        return window
    hexes = hex_points(layer.metadata[STATE_KEY].cube)
    # The last axes of layer and viewer coincide.
    bin_ = math.floor(layer.world_to_data(viewer.dims.point)[0] + 0.5)
    return hexes.window_ms(bin_) if 0 <= bin_ < hexes.n_bins else None
