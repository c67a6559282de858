"""Points that stay where they are while the slider of time changes their values.

`FramePoints` is a `napari.layers.Points` that is drawn as hexagons. What it costs to move the
slider depends on the number of points, not on the number of frames.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from napari import layers
from napari.layers import Points

from napari_hexrecruit._napari.private.bars import ColorBarLabel, draw_bars, give_colorbar
from napari_hexrecruit._napari.private.copies import STATE_KEY, KindOfOurs, Recipe, layer_again
from napari_hexrecruit._napari.private.fixed import FixedPoints
from napari_hexrecruit._napari.private.names import PICK_NAMES, module_of
from napari_hexrecruit._napari.private.slicing import slicing_state_class
from napari_hexrecruit._napari.private.visuals import (
    APOTHEM,
    PickOverlay,
    displayed_axes,
    draw_as_hexagons,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

FRAME_AXIS = -3
"""Axes are counted from the last one: y and x are -2 and -1 in every layer."""
VALUE = "recruited"
"""Feature that holds the values of the current frame."""
_EARLY = 1e-6
"""A slider this little below a frame, in frames, shows that frame: it holds rounded numbers."""
_OUTSIDE = -1.0
"""Frame coordinate where no point is."""
_UNPAINTED = -2
_OUTLINE_PIXELS = 1.5
_OUTLINE_AT_MOST = 0.1
"""Part of corner to corner, so that a hexagon of few pixels stays open."""


class FramePoints(FixedPoints):
    """Hexagons that stay where they are while the slider of an axis changes their values.

    A subclass says how many frames there are, what the values of one are, how to tell a value in a
    sentence, and how to make the layer again. It may have outer axes before that of the frames:
    their sliders choose which frames there are.

    Parameters
    ----------
    centres
        (n_points, 2) places in the last two axes.
    features
        Features that are the same in every frame; the values of the current one are `VALUE`.
    **kwargs
        As of `napari.layers.Points`; at least ``size``, ``scale`` and ``face_contrast_limits``.
    """

    _type_string: ClassVar[str] = "points"
    colorbar_label: ColorBarLabel
    """Text beside ``face_colorbar``; shown and placed with it."""
    told_by: Callable[[], Any] | None = None
    """Gives the layer that answers for this one where napari asks for its status; None: none."""
    pick_overlay: PickOverlay
    """What is drawn over the points that are picked."""

    def __init__(self, centres: Floats, features: Mapping[str, Any], **kwargs: Any) -> None:
        _register()
        self._frame: int | None = 0
        self._outer = (0,) * len(self.outer_shape)
        self._is_ready = False
        self._resting_at: float | None = None
        self._keep(centres)
        super().__init__(
            self._data_in_frame(centres, 0),
            features={**features, VALUE: self.frame_values(0)},
            face_color=VALUE,
            border_width=0.0,
            border_width_is_relative=False,
            **kwargs,
        )
        self._own_features = (*features, VALUE)
        self.colorbar_label = give_colorbar(self)
        self.pick_overlay = PickOverlay()
        if all(name.is_there() for name in PICK_NAMES):
            self._overlays["picks"] = self.pick_overlay
        self.events.visible.connect(self._on_shown)
        # napari has sliced the layer at 0 of the world, where it may have no frame.
        self._paint(0)
        self._announced = self._is_ready = True

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """Lengths of the axes before that of the frames."""
        return ()

    @property
    def outer_position(self) -> tuple[int, ...]:
        """Where the sliders of the outer axes are."""
        return self._outer

    def on_outer_changed(self) -> None:
        """Answer for the frames of another `outer_position` from now on; points are the same."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        raise NotImplementedError

    def frame_values(self, frame: int) -> Values:
        """(n_points,) float32 values of a frame."""
        raise NotImplementedError

    def sentence(self, index: int) -> str:
        """Say the current value of a point."""
        raise NotImplementedError

    def recipe(self) -> Recipe:
        """Return what makes the layer again."""
        raise NotImplementedError

    def on_frame_changed(self) -> None:
        """Hear that the features hold the values of another frame."""

    @property
    def outlines(self) -> bool:
        """Whether points without a value are outlined."""
        return True

    @property
    def current_frame(self) -> int | None:
        """Frame whose values the features hold; None where the slider is outside of the frames."""
        return None if self._frame == _UNPAINTED else self._frame

    def frame_at(self, position: float) -> int | None:
        """Find the frame that a coordinate of its axis lies in; None outside of the frames."""
        if not (math.isfinite(position) and 0 <= math.floor(position + _EARLY) < self.n_frames):
            return None
        return math.floor(position + _EARLY)

    def rest_at(self, position: float | None) -> None:
        """Hide the layer, and let it take no more of the slider than one coordinate of the world.

        Parameters
        ----------
        position
            World coordinate on that axis, which other layers have, too; None, or showing the layer
            again: it has all of its frames. napari gives the slider the span of all layers, also of
            hidden ones.
        """
        if position is not None:
            self.visible = False
            at = np.zeros(self.ndim)
            at[FRAME_AXIS] = position
            position = float(self.world_to_data(at)[FRAME_AXIS])
        if position != self._resting_at:
            self._resting_at = position
            self._clear_extent()
            self.events.scale()  # the viewer looks at its layers' extents anew

    @property
    def is_resting(self) -> bool:
        """Whether the layer is hidden and takes nothing of the slider."""
        return self._resting_at is not None

    def _on_shown(self, event: object = None) -> None:
        if self.visible:
            self.rest_at(None)

    def repaint(self) -> None:
        """Take the values of the current frame anew."""
        if self._frame != _UNPAINTED:
            self._paint(self._frame)
        self.refresh(extent=False)

    def replace_points(
        self,
        centres: Floats,
        features: Mapping[str, Any],
        *,
        size: float,
        scale: tuple[float, ...],
        translate: tuple[float, ...],
        units: tuple[str, ...],
    ) -> None:
        """Put other points in place of all; clears the selection and the features added by others.

        `n_frames` and `frame_values` answer for the new points already.
        """
        self.selected_data = set()
        self._value = None
        self._keep(centres)
        # The viewer asks for slices and extents on every event: it hears of the last one, when all
        # is in place.
        with self.events.blocker_all():
            Points.data.fset(self, self._data_in_frame(centres, 0))
            no_values = np.full(len(centres), np.nan, dtype=np.float32)
            Points.features.fset(self, {**features, VALUE: no_values})
            self.size = size
            self.translate = translate
        self._frame = _UNPAINTED
        self.units = units
        self.scale = scale

    def _keep(self, centres: Floats) -> None:
        self._outlined = np.zeros(len(centres), dtype=bool)
        # napari asks for the extent several times a step.
        self._span = np.stack([centres.min(axis=0), centres.max(axis=0)])

    # --- frames -----------------------------------------------------------------------------------

    def snap(self, point: Sequence[float], hidden: Iterable[int]) -> tuple[float, ...]:
        """Show the frame that a place lies in, and return where its points are.

        Of the place only the axes that have a slider count, those that are not in the view.
        """
        n_outer, axes = len(self.outer_shape), set(hidden)
        snapped = list(point)
        outer = [
            self._outer_at(axis, point[axis]) if axis in axes else self._outer[axis]
            for axis in range(n_outer)
        ]
        if None not in outer and tuple(outer) != self._outer:
            self._outer = tuple(index for index in outer if index is not None)
            self.on_outer_changed()
            self._frame = _UNPAINTED if self._frame is not None else None
            if n_outer not in axes:
                self._paint(0)
        if n_outer in axes:
            frame = None if None in outer else self.frame_at(point[n_outer])
            if frame != self._frame:
                self._paint(frame)
            snapped[n_outer] = _OUTSIDE if frame is None else float(frame)
        for axis, index in enumerate(outer):
            snapped[axis] = _OUTSIDE if index is None else float(index)
        return tuple(snapped)

    def _outer_at(self, axis: int, position: float) -> int | None:
        """Find the index that a coordinate of an outer axis is nearest to; None outside."""
        if not math.isfinite(position):
            return None
        index = math.floor(position + 0.5)
        return index if 0 <= index < self.outer_shape[axis] else None

    def _paint(self, frame: int | None) -> None:
        if frame is None:
            values = np.full(len(self._data), np.nan, dtype=np.float32)
        else:
            self._data = self._data_in_frame(self._data[:, -2:], frame)
            values = self.frame_values(frame)
        self._frame = frame
        self._outlined = np.isnan(values)
        self._announced = False
        Points.features.fget(self)[VALUE] = values
        self._colour(values)
        self.refresh_text()

    def _data_in_frame(self, centres: Floats, frame: int) -> Floats:
        """Coordinates in a new array: earlier ones may be in a slice request or a key frame."""
        data = np.empty((len(centres), len(self._outer) + 3))
        data[:, :FRAME_AXIS] = self._outer
        data[:, FRAME_AXIS] = frame
        data[:, -2:] = centres
        data.setflags(write=False)
        return data

    def _colour(self, values: Values) -> None:
        colours = self._face
        properties = module_of("napari.layers.utils.color_manager").ColorProperties
        # Slicing ends in an event that uploads the markers; these would upload them twice more.
        with colours.events.blocker_all():
            colours.color_properties = properties(VALUE, values, values[0])
            if str(self.face_color_mode) != "colormap":
                colours.color_mode = "colormap"

    def announce(self) -> None:
        if self._is_ready and not self._announced:
            self._announced = True
            self.on_frame_changed()

    def _get_layer_slicing_state(self, data: Any, cache: bool) -> Any:
        return slicing_state_class()(layer=self, data=data, cache=cache)

    @property
    def _extent_data(self) -> Floats:
        extent = np.zeros((2, len(self._outer) + 3))
        resting = self._resting_at
        extent[1, :FRAME_AXIS] = [length - 1 for length in self.outer_shape]
        extent[:, FRAME_AXIS] = (0, self.n_frames - 1) if resting is None else resting
        extent[:, -2:] = self._span
        return extent

    # --- what the visual reads --------------------------------------------------------------------

    @property
    def _view_border_width(self) -> Floats:
        """(n_in_view,) widths in data units that are alike in pixels at any zoom."""
        shown = self._view_indices
        thin = _OUTLINE_PIXELS * self.scale_factor / abs(self.scale[-1])
        width = np.minimum(thin, _OUTLINE_AT_MOST * self._view_size)
        return np.where(self._outlined[shown] & self.outlines, width, 0.0)

    # --- the cursor -------------------------------------------------------------------------------

    def _get_value(self, position: Any) -> int | None:
        """Index of the hexagon at a position in data coordinates; the nearest where two overlap."""
        shown = self._view_indices
        if not set(displayed_axes(self)) <= {-2, -1} or len(shown) == 0:
            index: int | None = super()._get_value(position)
            return index
        away = np.abs(self._data[shown, -2:] - np.asarray(position)[-2:])
        away *= np.abs(np.asarray(self.scale)[-2:] / self.scale[-1])
        distance = _distance_to_centre(away[:, 1], away[:, 0])
        nearest = int(np.argmin(distance))
        if distance[nearest] > APOTHEM * self._view_size[nearest]:
            return None
        return int(shown[nearest])

    def _get_tooltip_text(self, position: Any, **kwargs: Any) -> str:
        told_by = self._answering()
        if told_by is not self:
            text: str = "" if told_by is None else told_by._get_tooltip_text(position, **kwargs)
            return text
        index = self.get_value(position, **kwargs)
        return "" if index is None else self.sentence(index)

    def _answering(self) -> Any:
        return self if self.told_by is None else self.told_by()

    def get_status(self, position: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Status of the layer at a position: its value as a sentence."""
        told_by = self._answering()
        if told_by is not None and told_by is not self:
            other: dict[str, Any] = told_by.get_status(position, **kwargs)
            return other
        # Of the layer, not of the points: those would list every feature after the index.
        status: dict[str, Any] = super(Points, self).get_status(position, **kwargs)
        if told_by is None:
            return status | {"value": ""}
        index = None if position is None else self.get_value(position, **kwargs)
        if index is not None:
            status["value"] = self.sentence(index)
            status["coordinates"] = f"{status['coords']}: {status['value']}"
        return status

    # --- copies, files and key frames -------------------------------------------------------------

    def _get_state(self) -> dict[str, Any]:
        """State from which plain points look alike, and from which a copy is made.

        What is the same for all points is one value, and colours are the name of the feature: a key
        frame of napari-animation is this state, and would paint another frame's colours.
        """
        state: dict[str, Any] = super()._get_state()
        state |= {name: _one_if_alike(state[name]) for name in ("size", "shown", "symbol")}
        state |= {"border_width": 0.0, "border_color": state["border_color"][0]}
        state["face_color"] = VALUE
        state["metadata"] = {**self.metadata, STATE_KEY: self.recipe()}
        return state

    def as_layer_data_tuple(self) -> tuple[Floats, dict[str, Any], str]:
        """Coordinates, state and type, from which `napari.layers.Layer.create` makes a copy."""
        data, state, kind = super().as_layer_data_tuple()
        return data, state, KindOfOurs(kind)


def _distance_to_centre(dx: Floats, dy: Floats) -> Floats:
    """Distance across the sides of a pointy-top hexagon; dx and dy are not negative."""
    return np.maximum(dx, 0.5 * dx + math.sqrt(0.75) * dy)


def _one_if_alike(values: Any) -> Any:
    return values[0] if len(values) and (values == values[0]).all() else values


@functools.cache
def _register() -> None:
    """Tell napari, once, how to draw the layer and how to make it again."""
    draw_as_hexagons(FramePoints)
    draw_bars()
    layers.HexrecruitPoints = layer_again
