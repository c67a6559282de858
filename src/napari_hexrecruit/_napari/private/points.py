"""Points with fixed positions, whose values change with the time slider.

`FramePoints` is a `napari.layers.Points` layer drawn as hexagons. The cost of moving the slider
depends on the number of points, not on the number of frames.
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
"""A slider at most this far below a frame, in frames, shows that frame: its numbers are rounded."""
_OUTSIDE = -1.0
"""Frame coordinate without points."""
_UNPAINTED = -2
_OUTLINE_PIXELS = 1.5
_OUTLINE_AT_MOST = 0.1
"""Fraction of the distance from corner to corner, so that a hexagon of few pixels stays open."""


class FramePoints(FixedPoints):
    """Hexagons with fixed positions, whose values change with the slider of an axis.

    A subclass defines the number of frames, the values of a frame, the sentence for a value, and
    the recipe of a copy. It can have outer axes before the frame axis: their sliders select the set
    of frames.

    Parameters
    ----------
    centres
        (n_points, 2) coordinates in the last two axes.
    features
        Features that are the same in every frame; the feature `VALUE` is added for the current
        frame.
    **kwargs
        As for `napari.layers.Points`; at least ``size``, ``scale`` and ``face_contrast_limits``.
    """

    _type_string: ClassVar[str] = "points"
    colorbar_label: ColorBarLabel
    """Text beside ``face_colorbar``, with the same position and visibility."""
    told_by: Callable[[], Any] | None = None
    """Returns the layer that answers if napari asks this one for its status; None: no answer."""
    pick_overlay: PickOverlay
    """Outlines of picked points, and the lasso."""

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
        # napari has sliced the layer at world coordinate 0, which can be outside of its frames.
        self._paint(0)
        self._announced = self._is_ready = True

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """Lengths of the axes before the frame axis."""
        return ()

    @property
    def outer_position(self) -> tuple[int, ...]:
        """Positions of the sliders of the outer axes."""
        return self._outer

    def on_outer_changed(self) -> None:
        """Use the frames of a new `outer_position`; the points stay the same."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        raise NotImplementedError

    def frame_values(self, frame: int) -> Values:
        """Return the values of a frame, (n_points,) float32."""
        raise NotImplementedError

    def sentence(self, index: int) -> str:
        """Describe the current value of a point."""
        raise NotImplementedError

    def recipe(self) -> Recipe:
        """Return the recipe from which a copy is made."""
        raise NotImplementedError

    def on_frame_changed(self) -> None:
        """React to new values in the features, after a change of the frame."""

    @property
    def outlines(self) -> bool:
        """Whether points without a value are outlined."""
        return True

    @property
    def current_frame(self) -> int | None:
        """Frame whose values the features hold; None if the slider is outside of the frames."""
        return None if self._frame == _UNPAINTED else self._frame

    def frame_at(self, position: float) -> int | None:
        """Find the frame at a coordinate of the frame axis; None outside of the frames."""
        if not (math.isfinite(position) and 0 <= math.floor(position + _EARLY) < self.n_frames):
            return None
        return math.floor(position + _EARLY)

    def rest_at(self, position: float | None) -> None:
        """Hide the layer, and reduce its extent along the slider to one world coordinate.

        Parameters
        ----------
        position
            World coordinate on the frame axis, within the extent of other layers, because napari's
            slider spans all layers, even hidden ones. None restores the full extent, as does
            showing the layer.
        """
        if position is not None:
            self.visible = False
            at = np.zeros(self.ndim)
            at[FRAME_AXIS] = position
            position = float(self.world_to_data(at)[FRAME_AXIS])
        if position != self._resting_at:
            self._resting_at = position
            self._clear_extent()
            self.events.scale()  # makes the viewer read the extents of its layers again

    @property
    def is_resting(self) -> bool:
        """Whether the layer is hidden and does not extend the slider."""
        return self._resting_at is not None

    def _on_shown(self, event: object = None) -> None:
        if self.visible:
            self.rest_at(None)

    def repaint(self) -> None:
        """Read the values of the current frame again."""
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
        """Replace all points; clear the selection and the features added by other code.

        `n_frames` and `frame_values` must already describe the new points.
        """
        self.selected_data = set()
        self._value = None
        self._keep(centres)
        # The viewer reads slices and extents on every event: block all events but the last, which
        # comes when everything is in place.
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
        # napari reads the extent several times per step of the slider.
        self._span = np.stack([centres.min(axis=0), centres.max(axis=0)])

    # --- frames -----------------------------------------------------------------------------------

    def snap(self, point: Sequence[float], hidden: Iterable[int]) -> tuple[float, ...]:
        """Show the frame at a position, and return the coordinates of its points.

        Only the axes with a slider count, which are the axes not in the view.
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
        """Find the index nearest to a coordinate of an outer axis; None outside."""
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
        """Return coordinates in a new array: a slice request or key frame may hold the old one."""
        data = np.empty((len(centres), len(self._outer) + 3))
        data[:, :FRAME_AXIS] = self._outer
        data[:, FRAME_AXIS] = frame
        data[:, -2:] = centres
        data.setflags(write=False)
        return data

    def _colour(self, values: Values) -> None:
        colours = self._face
        properties = module_of("napari.layers.utils.color_manager").ColorProperties
        # The event after slicing uploads the markers; these events would upload them twice more.
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
        """(n_in_view,) widths in data units, constant in pixels at any zoom."""
        shown = self._view_indices
        thin = _OUTLINE_PIXELS * self.scale_factor / abs(self.scale[-1])
        width = np.minimum(thin, _OUTLINE_AT_MOST * self._view_size)
        return np.where(self._outlined[shown] & self.outlines, width, 0.0)

    # --- the cursor -------------------------------------------------------------------------------

    def _get_value(self, position: Any) -> int | None:
        """Return the hexagon at a position in data coordinates; the nearest if several overlap."""
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
        """Return the status of the layer at a position, with its value as a sentence."""
        told_by = self._answering()
        if told_by is not None and told_by is not self:
            other: dict[str, Any] = told_by.get_status(position, **kwargs)
            return other
        # Call `Layer.get_status`: that of `Points` would list every feature after the index.
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
        """Return the state, from which plain points look the same and a copy can be made.

        A value that is the same for all points is stored once. Colours are stored as the name of
        the feature: a key frame of napari-animation is this state, and stored colours would be
        painted in another frame.
        """
        state: dict[str, Any] = super()._get_state()
        state |= {name: _one_if_alike(state[name]) for name in ("size", "shown", "symbol")}
        state |= {"border_width": 0.0, "border_color": state["border_color"][0]}
        state["face_color"] = VALUE
        state["metadata"] = {**self.metadata, STATE_KEY: self.recipe()}
        return state

    def as_layer_data_tuple(self) -> tuple[Floats, dict[str, Any], str]:
        """Return coordinates, state and type, from which `Layer.create` of napari makes a copy."""
        data, state, kind = super().as_layer_data_tuple()
        return data, state, KindOfOurs(kind)


def _distance_to_centre(dx: Floats, dy: Floats) -> Floats:
    """Return the distance from the centre of a pointy-top hexagon across its sides; dx, dy >= 0."""
    return np.maximum(dx, 0.5 * dx + math.sqrt(0.75) * dy)


def _one_if_alike(values: Any) -> Any:
    return values[0] if len(values) and (values == values[0]).all() else values


@functools.cache
def _register() -> None:
    """Register in napari, once, how to draw and how to copy the layer."""
    draw_as_hexagons(FramePoints)
    draw_bars()
    layers.HexrecruitPoints = layer_again
