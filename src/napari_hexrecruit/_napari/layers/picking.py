"""Picking hexagons with the mouse, and the layer of hexagons that the user looks at.

A click picks one hexagon. Shift+click adds or removes one. Shift+drag draws a lasso, which adds the
hexagons inside. Escape clears the picks. With the lasso tool, a plain drag picks the hexagons
inside.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from napari.settings import get_settings
from psygnal import Signal

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.points import FRAME_AXIS

_STILL_PIXELS = 4
"""A shorter distance between press and release is a click."""
_NEXT_CORNER_PIXELS = 3
_KEY = "Escape"


def looked_at(viewer: Any, among: Iterable[Any] | None = None) -> RecruitmentLayer | None:
    """Find the layer of hexagons that the user looks at, whose time is on the canvas.

    Parameters
    ----------
    viewer
        A napari viewer.
    among
        Layers to choose from; None: all layers.

    Returns
    -------
    RecruitmentLayer or None
        The active layer if it is visible, otherwise the uppermost visible one.
    """
    layers = [layer for layer in viewer.layers if isinstance(layer, RecruitmentLayer)]
    shown = [layer for layer in layers if layer.visible and (among is None or layer in among)]
    active = viewer.layers.selection.active
    last = shown[-1] if shown else None
    return next((layer for layer in shown if layer is active), last)


class LookedAt:
    """Follows the layer of hexagons that the user looks at.

    Parameters
    ----------
    viewer
        The viewer whose layers are followed.

    Attributes
    ----------
    changed
        Emitted with the new layer, or None, when the layer changes.
    """

    changed = Signal(object)

    def __init__(self, viewer: Any) -> None:
        self._viewer = getattr(viewer, "__wrapped__", viewer)  # widgets get a proxy
        self._layer = looked_at(self._viewer)
        for event in self._events():
            event.connect(self._update)
        for layer in self._viewer.layers:
            layer.events.visible.connect(self._update)

    @property
    def layer(self) -> RecruitmentLayer | None:
        """The layer; None if no layer of hexagons is visible."""
        return self._layer

    def close(self) -> None:
        """Stop following."""
        for event in self._events():
            event.disconnect(self._update)
        for layer in self._viewer.layers:
            layer.events.visible.disconnect(self._update)
        self._layer = None

    def _events(self) -> list[Any]:
        layers = self._viewer.layers
        events = layers.events
        return [events.inserted, events.removed, events.reordered, layers.selection.events.active]

    def _update(self, event: Any = None) -> None:
        kind: str = getattr(event, "type", "")
        layer: Any = getattr(event, "value", None)
        if kind == "inserted":
            layer.events.visible.connect(self._update)
        elif kind == "removed":
            layer.events.visible.disconnect(self._update)
        found = looked_at(self._viewer)
        if found is not self._layer:
            self._layer = found
            self.changed.emit(found)


class Picker:
    """Turns clicks and drags on the map into ``selected_hexes`` of the layer in view.

    It works in 2-D while no layer is active, or the active layer is in pan and zoom mode. Painting,
    moving and selecting in other layers and modes are not affected.

    Parameters
    ----------
    viewer
        The viewer whose canvas the user clicks on.

    Attributes
    ----------
    lasso_changed
        Emitted with True when the lasso tool is switched on, with False when it is switched off.
    """

    lasso_changed = Signal(bool)

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._users: list[int] = []
        self._lasso = False
        self._took_key = False

    @property
    def lasso(self) -> bool:
        """Whether a plain drag draws a lasso instead of moving the map."""
        return self._lasso

    @lasso.setter
    def lasso(self, lasso: bool) -> None:
        viewer = self._viewer()
        if lasso == self._lasso or viewer is None:
            return
        self._lasso = lasso
        viewer.cursor.style = "crosshair" if lasso else "standard"
        self.lasso_changed.emit(lasso)

    def start(self, user: object) -> None:
        """Listen to the mouse until every panel that has called `start` calls `stop`."""
        viewer = self._viewer()
        if viewer is None or id(user) in self._users:
            return
        self._users.append(id(user))
        if len(self._users) > 1:
            return
        viewer.mouse_drag_callbacks.append(self._on_drag)
        self._took_key = _KEY not in {str(key) for key in viewer.keymap}
        if self._took_key:
            viewer.bind_key(_KEY, self._on_escape)

    def stop(self, user: object) -> None:
        """Release this panel; after the last one, clear the picks and ignore clicks."""
        viewer = self._viewer()
        if id(user) in self._users:
            self._users.remove(id(user))
        if self._users or viewer is None or self._on_drag not in viewer.mouse_drag_callbacks:
            return
        self.lasso = False
        for layer in viewer.layers:
            if isinstance(layer, RecruitmentLayer):
                layer.selected_hexes = ()
        viewer.mouse_drag_callbacks.remove(self._on_drag)
        if self._took_key:
            viewer.bind_key(_KEY, None)

    # --- the mouse --------------------------------------------------------------------------------

    def _on_drag(self, viewer: Any, event: Any) -> Generator[None]:
        layer = self._layer_under(viewer, event)
        if layer is None or event.button != 1 or {"Alt", "Control", "Meta"} & set(event.modifiers):
            return
        adds = "Shift" in event.modifiers
        pressed, place = event.pos, event.position
        is_click = True
        with _held_map(viewer, held=adds or self._lasso) as path:
            yield
            while event.type == "mouse_move":
                is_click = is_click and _apart(event.pos, pressed) < _STILL_PIXELS
                if not is_click and path is not None:
                    path.go_on(event)
                    _draw_lasso(layer, path.corners)
                yield
            if path is not None:
                path.go_on(event)
        _draw_lasso(layer, [])
        is_click = is_click and _apart(event.pos, pressed) < _STILL_PIXELS
        if is_click:
            _pick_one(layer, layer.hex_at(place), adds=adds)
        elif path is not None:
            found = layer.hexes_inside(path.corners)
            layer.selected_hexes = (*layer.selected_hexes, *found) if adds else found

    def _layer_under(self, viewer: Any, event: Any) -> RecruitmentLayer | None:
        """Return the layer to pick from; in grid mode that of the field under the mouse."""
        if viewer.dims.ndisplay != 2 or not _is_at_rest(viewer):
            return None
        among = None if not _is_grid(viewer) else _layers_in_field(viewer, event.viewbox)
        layer = looked_at(viewer, among)
        if layer is None or viewer.dims.ndim + FRAME_AXIS in viewer.dims.displayed:
            return None
        if among is not None:
            viewer.layers.selection.active = layer
        return layer

    def _on_escape(self, viewer: Any) -> None:
        layer = looked_at(viewer)
        if layer is not None:
            layer.selected_hexes = ()
            layer.selected_data = set()  # points selected by Ctrl+A


def picker_of(viewer: Any) -> Picker:
    """Return the picker of a viewer; there is one per viewer."""
    viewer = getattr(viewer, "__wrapped__", viewer)  # widgets get a proxy
    if id(viewer) not in _pickers:
        _pickers[id(viewer)] = Picker(viewer)
        weakref.finalize(viewer, _pickers.pop, id(viewer), None)
    return _pickers[id(viewer)]


_pickers: dict[int, Picker] = {}
"""By viewer id."""


class _Path:
    """Positions along the path of the mouse."""

    def __init__(self) -> None:
        self.corners: list[Any] = []
        self._last: Any = None

    def go_on(self, event: Any) -> None:
        """Add the position of the mouse as a corner, unless it has hardly moved."""
        if self._last is None or _apart(event.pos, self._last) >= _NEXT_CORNER_PIXELS:
            self.corners.append(event.position)
            self._last = event.pos


@contextmanager
def _held_map(viewer: Any, *, held: bool) -> Iterator[_Path | None]:
    """If held, keep the mouse from moving the map and give the path of a lasso; otherwise None."""
    if not held:
        yield None
        return
    # The map handles a mouse move before napari's callbacks run, so a callback cannot stop it.
    camera: Any = viewer.scene.camera
    before, camera.mouse_pan = camera.mouse_pan, False
    try:
        yield _Path()
    finally:
        camera.mouse_pan = before


def _pick_one(layer: RecruitmentLayer, name: str | None, *, adds: bool) -> None:
    """Pick only this hexagon; if `adds`, toggle it. Outside of all hexagons, change nothing."""
    if name is None:
        return
    if not adds:
        layer.selected_hexes = (name,)
    elif name in layer.selected_hexes:
        layer.selected_hexes = [other for other in layer.selected_hexes if other != name]
    else:
        layer.selected_hexes = (*layer.selected_hexes, name)


def _draw_lasso(layer: RecruitmentLayer, path: list[Any]) -> None:
    overlay = layer.pick_overlay
    overlay.lasso_colour = tuple(get_settings().appearance.highlight.highlight_color)
    corners = [layer.world_to_data(corner)[-2:] for corner in path]
    overlay.lasso = tuple((float(y), float(x)) for y, x in corners)
    overlay.visible = bool(path) or overlay.outlines is not None


def _apart(one: Any, other: Any) -> float:
    return math.hypot(one[0] - other[0], one[1] - other[1])


def _is_at_rest(viewer: Any) -> bool:
    """Return whether the mouse moves the map, rather than selects, paints or transforms."""
    active = viewer.layers.selection.active
    return active is None or str(active.mode) == "pan_zoom"


def _is_grid(viewer: Any) -> bool:
    return bool(viewer.canvas.grid.enabled)


def _layers_in_field(viewer: Any, field: Any) -> list[Any]:
    contents = dict(viewer.canvas.grid.iter_viewboxes(viewer.layers))
    return [viewer.layers[index] for index in contents.get(tuple(field), ())]
