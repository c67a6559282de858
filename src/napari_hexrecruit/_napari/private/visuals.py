"""How vispy draws hexagons and their outlines."""

from __future__ import annotations

import functools
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from napari.components.overlays import SceneOverlay

from napari_hexrecruit._napari.private.names import (
    OVERLAYS,
    PICK_NAMES,
    SHADER_LINE,
    VISPY_POINTS,
    module_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

Floats = npt.NDArray[np.float64]

APOTHEM = math.sqrt(3.0) / 4.0
"""Distance from centre to side, as a fraction of the distance from corner to corner."""
_PICK_PIXELS = 3.5
_CASING_PIXELS = 1.0
_PICK_AT_MOST = 0.15
"""Fraction of the distance from corner to corner, so that small picks still show their colour."""
_CASING = (0.0, 0.0, 0.0, 0.85)
"""A dark line on both sides of an outline, for contrast on any background."""
_LASSO_PIXELS = 1.5
_HARD_EDGE = 1e-6
"""Width of an unsmoothed edge, in pixels; with 0 the shader would divide by zero."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Hexagons with a coloured outline.

    Parameters
    ----------
    centres
        (n, 2) coordinates in the last two axes of the layer.
    colours
        (n, 4) RGBA, 0 to 1.
    size
        Distance from corner to corner.
    width
        Line width, relative to the default.
    """

    centres: Floats
    colours: Floats
    size: float
    width: float = 1.0


class PickOverlay(SceneOverlay):  # type: ignore[misc]
    """Outlines of hexagons, and the current lasso, drawn over a layer.

    Attributes
    ----------
    outlines
        `Outlines`, or None.
    lasso
        Corners (y, x) of an open line, in the data coordinates of the layer.
    lasso_colour
        RGBA, 0 to 1.
    """

    outlines: Any = None
    lasso: tuple[tuple[float, float], ...] = ()
    lasso_colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


def draw_as_hexagons(layer_class: type) -> None:
    """Register the visuals of a layer class and its overlays in napari."""
    visuals = module_of("napari._vispy.utils.visual")
    visuals.layer_to_visual[layer_class] = _visual_class()
    if all(name.is_there() for name in PICK_NAMES):
        visuals.overlay_to_visual[PickOverlay] = _pick_visual_class()


_HEXAGON = """
float symbol(vec2 pointcoord, float size, int symbol) {
    vec2 p = abs(pointcoord - 0.5) * size;
    p = mix(p, p.yx, $flat_top);
    return max(p.x, 0.5 * p.x + 0.8660254037844386 * p.y) - 0.4330127018922193 * $v_size;
}
"""
"""Signed distance in pixels to the side of a hexagon with opposite corners ``v_size`` apart."""

_FIT = """
    // A fill is opaque up to its side and fades out beyond it, under or over its neighbour, so that
    // no background is between two hexagons. An outline lies inside, where no neighbour hides it.
    r += v_edgewidth > 0.0 ? 0.5 * v_edgewidth : -max(u_antialias, 0.01);
"""


@functools.cache
def _markers_class() -> type:
    base: Any = module_of("napari._vispy.visuals.points").Markers

    class HexMarkers(base):  # type: ignore[misc]
        """Markers drawn as hexagons, whatever their symbol, without gaps between neighbours."""

        _symbol_shader = _HEXAGON
        _shaders: ClassVar = {
            **base._shaders,
            "fragment": base._shaders["fragment"].replace(SHADER_LINE, SHADER_LINE + _FIT),
        }

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.turn(flat_top=False)

        def turn(self, *, flat_top: bool) -> None:
            """Put a side on top instead of a corner, for a view with swapped axes."""
            self._symbol_func["flat_top"] = float(flat_top)

    return HexMarkers


@functools.cache
def _visual_class() -> type:
    base: Any = module_of(VISPY_POINTS).VispyPointsLayer

    class VispyFramePoints(base):  # type: ignore[misc]
        """Draws a `FramePoints`."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # napari looks up the class of its markers in the visual's constructor.
            with _replaced(module_of("napari._vispy.visuals.points"), "Markers", _markers_class()):
                super().__init__(*args, **kwargs)
            events = self.layer.events
            events.scale_factor.connect(self._on_zoom)
            events.opacity.connect(self._on_antialiasing_change)
            events.blending.connect(self._on_antialiasing_change)

        def close(self) -> None:
            """Close, in the GL context in which napari then deletes what was drawn.

            It deletes by number in whatever context is current: in another, the numbers are those
            of other buffers, and the next picture could end the process.
            """
            canvas = self.node.canvas
            if canvas is not None:
                canvas.set_current()
            super().close()

        def _on_data_change(self) -> None:
            flat_top = displayed_axes(self.layer) == (-1, -2)
            for markers in (self.node.points_markers, self.node.selection_markers):
                markers.turn(flat_top=flat_top)
            super()._on_data_change()

        def _on_zoom(self) -> None:
            if self.layer._view_border_width.any():
                super()._on_data_change()

        def _on_antialiasing_change(self) -> None:
            super()._on_antialiasing_change()
            if not _may_be_smooth(self.layer):
                self.node.points_markers.antialias = _HARD_EDGE

    return VispyFramePoints


def _may_be_smooth(layer: Any) -> bool:
    """Return whether the smooth edge of a hexagon may overlap its neighbour.

    False if the overlap would show through, and in 3-D, where it may hide a neighbour farther away.
    """
    covers = str(layer.blending) in ("translucent", "translucent_no_depth")
    flat = len(layer._slice_input.displayed) == 2
    return bool(covers and flat and layer.opacity == 1 and layer.antialiasing > 0)


@contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@functools.cache
def _pick_visual_class() -> type:
    layer_mixin: Any = module_of(OVERLAYS).LayerOverlayMixin
    base: Any = module_of(OVERLAYS).VispySceneOverlay
    scene: Any = module_of("vispy.scene.visuals")

    class VispyPickOverlay(layer_mixin, base):  # type: ignore[misc]
        """Draws a `PickOverlay`: for each hexagon a dark casing, and its colour on top."""

        def __init__(self, **kwargs: Any) -> None:
            self._casings, self._rings = (_markers_class()() for _ in range(2))
            self._lasso = scene.Line(width=_LASSO_PIXELS, antialias=True)
            parts = [self._casings, self._rings, self._lasso]
            super().__init__(node=scene.Compound(parts), **kwargs)
            for marks in (self._casings, self._rings):
                marks.scaling = True
                marks.antialias = 1.0
                marks.canvas_size_limits = (0, 1_000_000)
            self.overlay.events.outlines.connect(self._on_outlines_change)
            self.overlay.events.lasso.connect(self._on_lasso_change)
            self.layer.events.scale_factor.connect(self._on_outlines_change)
            self.layer.events.scale.connect(self._on_outlines_change)
            self.layer.events.set_data.connect(self._on_slice)
            self.reset()

        def _should_be_visible(self) -> bool:
            self._displayed = displayed_axes(self.layer)
            return bool(super()._should_be_visible() and _is_map(self._displayed))

        def _on_slice(self) -> None:
            if displayed_axes(self.layer) != self._displayed:
                self.reset()

        def _on_outlines_change(self) -> None:
            marks = (self._casings, self._rings)
            _draw_outlines(self.layer, *marks, self.overlay.outlines, self._displayed)
            self.node.update()

        def _on_lasso_change(self) -> None:
            _draw_lasso(self._lasso, self.overlay, self._displayed)
            self.node.update()

        def reset(self) -> None:
            super().reset()
            self._on_outlines_change()
            self._on_lasso_change()

    return VispyPickOverlay


def _is_map(displayed: tuple[int, ...]) -> bool:
    """Return whether the view shows exactly the two axes of flat space."""
    return len(displayed) == 2 and set(displayed) == {-2, -1}


def _xy_order(displayed: tuple[int, ...]) -> list[int]:
    """Return the order in which vispy takes the columns y and x."""
    return [0, 1] if displayed == (-1, -2) else [1, 0]


def displayed_axes(layer: Any) -> tuple[int, ...]:
    """Return the axes of the view, counted from the last one."""
    return tuple(axis - layer.ndim for axis in layer._slice_input.displayed)


def _draw_outlines(
    layer: Any, casings: Any, rings: Any, outlines: Outlines | None, displayed: tuple[int, ...]
) -> None:
    """Draw rings with casings of constant width in pixels at any zoom."""
    casings.visible = rings.visible = outlines is not None
    if outlines is None:
        return
    order = _xy_order(displayed)
    size, pixel = outlines.size * abs(layer.scale[-1]), layer.scale_factor
    width = outlines.width * min(_PICK_PIXELS * pixel, _PICK_AT_MOST * size)
    edge = width * _CASING_PIXELS / _PICK_PIXELS
    for marks, inset, thick, colour in (
        (casings, 0.0, width + 2 * edge, _CASING),
        (rings, edge, width, outlines.colours),
    ):
        marks.turn(flat_top=order == [0, 1])
        marks.set_data(
            outlines.centres[:, order],
            size=size - inset / APOTHEM,
            edge_width=thick,
            edge_color=colour,
            face_color=(0.0, 0.0, 0.0, 0.0),
        )


def _draw_lasso(line: Any, overlay: PickOverlay, displayed: tuple[int, ...]) -> None:
    corners = np.array(overlay.lasso, dtype=float).reshape(-1, 2)
    line.visible = len(corners) > 1
    if line.visible:
        at = np.ascontiguousarray(corners[:, _xy_order(displayed)])
        line.set_data(at, color=overlay.lasso_colour)
