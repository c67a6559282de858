"""The one module that uses private names of napari and vispy.

`FramePoints` is a `napari.layers.Points` whose points stay where they are while the slider of time
changes their values, drawn as hexagons. What it costs to move the slider depends on the
number of points, not on the number of frames.

`PRIVATE_NAMES` lists what is used and why; `missing_names` tells which of it this napari lacks.
Importing the module needs public names only, so that it can be asked.
"""

from __future__ import annotations

import functools
import importlib
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from napari.components.overlays import SceneOverlay, TextOverlay
from napari.layers import Layer, Points
from napari.utils.notifications import show_info

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

__all__ = [
    "PICK_NAMES",
    "PRIVATE_NAMES",
    "STATE_KEY",
    "FramePoints",
    "Outlines",
    "PickOverlay",
    "PrivateName",
    "missing_names",
]

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

STATE_KEY = "napari-hexrecruit"
"""Key of a layer's metadata, in its layer data tuple, under which its `Recipe` is."""
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
_PICK_PIXELS = 3.5
_CASING_PIXELS = 1.0
_PICK_AT_MOST = 0.15
"""Part of corner to corner, so that the colour of a picked hexagon of few pixels is seen."""
_CASING = (0.0, 0.0, 0.0, 0.85)
"""Dark on both sides of an outline, whatever it lies on."""
_LASSO_PIXELS = 1.5
_HARD_EDGE = 1e-6
"""Width of an edge without smoothing, in pixels; 0 would be a division by zero in the shader."""
_APOTHEM = math.sqrt(3.0) / 4.0
"""Centre to side, as a part of corner to corner."""


# --- what is used, and whether it is there --------------------------------------------------------


@dataclass(frozen=True)
class PrivateName:
    """A name that napari or vispy may change without notice.

    Parameters
    ----------
    module
        Where it is.
    path
        Dotted name below the module.
    reason
        What the layer does with it.
    before
        Dotted name that it had in an earlier napari that works too.
    """

    module: str
    path: str
    reason: str
    before: str = ""

    def __str__(self) -> str:
        return f"{self.module}.{self.path} is gone, which the hexagon layer uses {self.reason}"

    def is_there(self) -> bool:
        """Whether this napari and vispy have it."""
        try:
            module = importlib.import_module(self.module)
        except ImportError:
            return False
        return any(_has(module, path) for path in (self.path, self.before) if path)


def _has(owner: Any, path: str) -> bool:
    for part in path.split("."):
        if not hasattr(owner, part):
            return False
        owner = getattr(owner, part)
    return True


_POINTS = "napari.layers.points.points"
_LAYER = "napari.layers.base.base"
_VISPY_POINTS = "napari._vispy.layers.points"

PRIVATE_NAMES: tuple[PrivateName, ...] = (
    PrivateName(
        _POINTS,
        "_PointsSlicingState.make_slice_request_internal",
        "to turn the slider's time into a bin",
    ),
    PrivateName(
        _POINTS, "_PointsSlicingState._update_slice_response", "to announce the bin that is shown"
    ),
    PrivateName(
        _LAYER, "Layer._get_layer_slicing_state", "to answer the slider with one bin of the cube"
    ),
    PrivateName(
        "napari.layers.utils._slice_input", "_ThickNDSlice.copy_with", "to snap a time to its bin"
    ),
    PrivateName(
        "napari.layers.utils._slice_input", "_SliceInput.displayed", "to know the axes of the view"
    ),
    PrivateName(_LAYER, "Layer._extent_data", "to give the slider its range"),
    PrivateName(_LAYER, "Layer._clear_extent", "to give the slider its range"),
    PrivateName(_LAYER, "Layer._get_state", "to keep key frames small and copies whole"),
    PrivateName(_LAYER, "Layer._get_value", "to find the hexagon under the cursor"),
    PrivateName(_LAYER, "Layer._get_tooltip_text", "to say a value in the tool tip"),
    PrivateName(_LAYER, "Layer._type_string", "to be saved as points"),
    PrivateName(_POINTS, "Points._move", "to keep hexagons where they are"),
    PrivateName(_POINTS, "Points._paste_data", "to keep hexagons as many as they are"),
    PrivateName(
        _POINTS,
        "Points._view_indices",
        "to know the hexagons in view",
        before="Points._indices_view",  # until napari 0.8
    ),
    PrivateName(_POINTS, "Points._view_size", "to know how large hexagons are"),
    PrivateName(_POINTS, "Points._view_symbol", "to upload the markers quickly"),
    PrivateName(_POINTS, "Points._view_border_color", "to outline hexagons without a value"),
    PrivateName(_POINTS, "Points._view_border_width", "to outline hexagons without a value"),
    PrivateName(_VISPY_POINTS, "VispyPointsLayer._on_data_change", "to upload the markers"),
    PrivateName(_VISPY_POINTS, "VispyPointsLayer._on_antialiasing_change", "to smooth edges"),
    PrivateName("napari._vispy.visuals.points", "Markers", "to draw hexagons"),
    PrivateName("napari._vispy.visuals.points", "PointsVisual.points_markers", "to draw hexagons"),
    PrivateName("napari._vispy.utils.visual", "layer_to_visual", "to draw its own visual"),
    PrivateName("vispy.visuals.markers", "MarkersVisual._symbol_shader", "to draw hexagons"),
    PrivateName("vispy.visuals.markers", "MarkersVisual._shaders", "to fit hexagons together"),
)
"""Private names that are looked up on modules and classes."""

LABEL_NAMES: tuple[PrivateName, ...] = (
    PrivateName("napari._vispy.overlays.text", "_VispyLayerTextOverlay", "to label colour bars"),
    PrivateName("napari._vispy.utils.visual", "overlay_to_visual", "to label colour bars"),
    PrivateName(_POINTS, "Points.face_colorbar", "to label colour bars"),
)
"""Names without which colour bars have no label, and nothing else is different."""

_OVERLAYS = "napari._vispy.overlays.base"
PICK_NAMES: tuple[PrivateName, ...] = (
    PrivateName(_OVERLAYS, "LayerOverlayMixin", "to outline picked hexagons"),
    PrivateName(_OVERLAYS, "VispySceneOverlay", "to outline picked hexagons"),
    PrivateName("napari._vispy.utils.visual", "overlay_to_visual", "to outline picked hexagons"),
)
"""Names without which picked hexagons have no outline on the map, and nothing else is different."""

_INSTANCE_NAMES = {
    "_data": "to say the bin as a coordinate",
    "_face": "to colour a bin",
    "_overlays": "to label colour bars",
    "_slice_input": "to know the axes of the view",
    "_value": "to forget the hexagon under the cursor when the cube changes",
}
"""Private attributes of a `Points` layer, with what they are used for."""

_SHADER_LINE = "float r = $marker(pointcoord, v_total_size, int(v_symbol));"
"""Statement of vispy's fragment shader after which the hexagon's own edge rule is put."""


def missing_names() -> list[str]:
    """Say which private names this napari and vispy lack.

    Returns
    -------
    list of str
        One sentence per name; empty where `FramePoints` works.
    """
    missing = [str(name) for name in PRIVATE_NAMES if not name.is_there()]
    if missing:
        return missing
    layer = Points(np.zeros((1, 3)))
    missing += [
        str(PrivateName(_POINTS, f"Points().{name}", reason))
        for name, reason in _INSTANCE_NAMES.items()
        if not hasattr(layer, name)
    ]
    if _SHADER_LINE not in _module("vispy.visuals.markers").MarkersVisual._shaders["fragment"]:
        missing.append(
            "vispy.visuals.markers has another fragment shader, in which the hexagon layer"
            f" does not find {_SHADER_LINE!r}, which it uses to fit hexagons together"
        )
    return missing


def _module(name: str) -> Any:
    return importlib.import_module(name)


# --- the layer ------------------------------------------------------------------------------------


class Recipe(Protocol):
    """What a layer data tuple carries in its metadata to make the same layer again."""

    def layer(self, state: Mapping[str, Any]) -> Layer:
        """Make the layer, with the look that `state` describes."""


class FramePoints(Points):  # type: ignore[misc]  # napari has no types
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
    _data: Floats
    selected_data: Any
    colorbar_label: ColorBarLabel
    """Text beside ``face_colorbar``; shown and placed with it."""
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
        self._label_colorbar()
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

    def _label_colorbar(self) -> None:
        """Give the colour bar a label that goes where it goes."""
        self.colorbar_label = ColorBarLabel()
        if any(not name.is_there() for name in LABEL_NAMES):
            return
        bar, label = self.face_colorbar, self.colorbar_label
        label.position, label.visible = bar.position, bar.visible
        for name in ("position", "visible"):
            getattr(bar.events, name).connect(functools.partial(_follow, bar, label, name))
        self._overlays["face_colorbar_label"] = label

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

    def _snap(self, point: Sequence[float], hidden: Iterable[int]) -> tuple[float, ...]:
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
        properties = _module("napari.layers.utils.color_manager").ColorProperties
        # Slicing ends in an event that uploads the markers; these would upload them twice more.
        with colours.events.blocker_all():
            colours.color_properties = properties(VALUE, values, values[0])
            if str(self.face_color_mode) != "colormap":
                colours.color_mode = "colormap"

    def _announce(self) -> None:
        if self._is_ready and not self._announced:
            self._announced = True
            self.on_frame_changed()

    def _get_layer_slicing_state(self, data: Any, cache: bool) -> Any:
        return _slicing_state_class()(layer=self, data=data, cache=cache)

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
    def _in_view(self) -> npt.NDArray[np.intp]:
        before = not hasattr(Points, "_view_indices")
        indices: npt.NDArray[np.intp] = self._indices_view if before else self._view_indices
        return indices

    @property
    def _view_symbol(self) -> Any:
        return self.symbol[:1]

    @property
    def _view_border_color(self) -> Any:
        return self.border_color[:1]

    @property
    def _view_border_width(self) -> Floats:
        """(n_in_view,) widths in data units that are alike in pixels at any zoom."""
        shown = self._in_view
        thin = _OUTLINE_PIXELS * self.scale_factor / abs(self.scale[-1])
        width = np.minimum(thin, _OUTLINE_AT_MOST * self._view_size)
        return np.where(self._outlined[shown] & self.outlines, width, 0.0)

    # --- the cursor -------------------------------------------------------------------------------

    def _get_value(self, position: Any) -> int | None:
        """Index of the hexagon at a position in data coordinates; the nearest where two overlap."""
        shown = self._in_view
        if not set(_displayed(self)) <= {-2, -1} or len(shown) == 0:
            index: int | None = super()._get_value(position)
            return index
        away = np.abs(self._data[shown, -2:] - np.asarray(position)[-2:])
        away *= np.abs(np.asarray(self.scale)[-2:] / self.scale[-1])
        distance = _distance_to_centre(away[:, 1], away[:, 0])
        nearest = int(np.argmin(distance))
        if distance[nearest] > _APOTHEM * self._view_size[nearest]:
            return None
        return int(shown[nearest])

    def _get_tooltip_text(self, position: Any, **kwargs: Any) -> str:
        index = self.get_value(position, **kwargs)
        return "" if index is None else self.sentence(index)

    def get_status(self, position: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Status of the layer at a position: its value as a sentence."""
        # Of the layer, not of the points: those would list every feature after the index.
        status: dict[str, Any] = super(Points, self).get_status(position, **kwargs)
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

    # --- refusals ---------------------------------------------------------------------------------

    @property
    def editable(self) -> bool:
        """False: points cannot be added, moved or deleted."""
        return False

    @editable.setter
    def editable(self, editable: bool) -> None:
        # napari's controls set it whenever the view turns 3-D and back.
        pass

    @property
    def data(self) -> Floats:
        """(n_points, 3) coordinates: current frame, y, x. Read-only."""
        data: Floats = self._data
        return data

    @data.setter
    def data(self, data: object) -> None:
        raise AttributeError(_refusal("be moved"))

    @property
    def features(self) -> Any:
        """Table with one row per point; the layer's own columns follow the slider."""
        return Points.features.fget(self)

    @features.setter
    def features(self, features: Any) -> None:
        table = Points.features.fget(self)
        others = {name: features[name] for name in features if name not in self._own_features}
        if others or len(table.columns) > len(self._own_features):
            Points.features.fset(self, {**{n: table[n] for n in self._own_features}, **others})

    @property
    def face_color(self) -> Any:
        """(n_points, 4) colours of the current frame. Read-only."""
        return Points.face_color.fget(self)

    @face_color.setter
    def face_color(self, face_color: object) -> None:
        raise AttributeError(
            "the colour of a hexagon is its value:"
            " set face_colormap, face_contrast_limits or metric instead of face_color"
        )

    def add(self, coords: object) -> None:
        """Refuse: hexagons are those of the cube."""
        raise TypeError(_refusal("be added"))

    def remove(self, indices: Iterable[int]) -> None:
        """Refuse: hexagons are those of the cube."""
        raise TypeError(_refusal("be deleted"))

    def remove_selected(self) -> None:
        """Tell that hexagons are not deleted; the Delete key comes here."""
        if self.selected_data:
            show_info(_refusal("be deleted"))

    def _move(self, *args: object) -> None:
        pass

    def _paste_data(self) -> None:
        pass


class ColorBarLabel(TextOverlay):  # type: ignore[misc]
    """Text beside a layer's colour bar."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Hexagons with a coloured outline.

    Parameters
    ----------
    centres
        (n, 2) places in the last two axes of the layer.
    colours
        (n, 4) RGBA, 0 to 1.
    size
        Corner to corner.
    width
        Of the lines, as a part of the usual one.
    """

    centres: Floats
    colours: Floats
    size: float
    width: float = 1.0


class PickOverlay(SceneOverlay):  # type: ignore[misc]
    """Outlines of hexagons, and the lasso that is being drawn, over a layer.

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


def _follow(leader: Any, follower: Any, name: str, event: object = None) -> None:
    setattr(follower, name, getattr(leader, name))


def _distance_to_centre(dx: Floats, dy: Floats) -> Floats:
    """Distance across the sides of a pointy-top hexagon; dx and dy are not negative."""
    return np.maximum(dx, 0.5 * dx + math.sqrt(0.75) * dy)


def _one_if_alike(values: Any) -> Any:
    return values[0] if len(values) and (values == values[0]).all() else values


def _refusal(what: str) -> str:
    return f"hexagons cannot {what}: they are those of the cube; set the layer's cube to another"


@functools.cache
def _slicing_state_class() -> type:
    base: Any = _module(_POINTS)._PointsSlicingState

    class FrameSlicingState(base):  # type: ignore[misc]
        """Asks for the points of the frame that the slider is in."""

        def make_slice_request_internal(self, slice_input: Any, data_slice: Any) -> Any:
            hidden = [axis for axis in slice_input.not_displayed if axis < self.layer.ndim - 2]
            if hidden:
                no_margin = (0.0,) * len(data_slice.point)
                data_slice = data_slice.copy_with(
                    point=self.layer._snap(data_slice.point, hidden),
                    margin_left=no_margin,
                    margin_right=no_margin,
                )
            return super().make_slice_request_internal(slice_input, data_slice)

        def _update_slice_response(self, response: Any) -> None:
            super()._update_slice_response(response)
            self.layer._announce()

    return FrameSlicingState


# --- the visual -----------------------------------------------------------------------------------

_HEXAGON = """
float symbol(vec2 pointcoord, float size, int symbol) {
    vec2 p = abs(pointcoord - 0.5) * size;
    p = mix(p, p.yx, $flat_top);
    return max(p.x, 0.5 * p.x + 0.8660254037844386 * p.y) - 0.4330127018922193 * $v_size;
}
"""
"""Signed distance in pixels to the side of a hexagon whose corners are ``v_size`` apart."""

_FIT = """
    // A fill is opaque up to its side and fades out beyond it, under or over its neighbour, so that
    // no background is between two hexagons. An outline lies inside, where no neighbour hides it.
    r += v_edgewidth > 0.0 ? 0.5 * v_edgewidth : -max(u_antialias, 0.01);
"""


@functools.cache
def _markers_class() -> type:
    base: Any = _module("napari._vispy.visuals.points").Markers

    class HexMarkers(base):  # type: ignore[misc]
        """Markers that are hexagons, whatever their symbol: side by side they leave no gap."""

        _symbol_shader = _HEXAGON
        _shaders: ClassVar = {
            **base._shaders,
            "fragment": base._shaders["fragment"].replace(_SHADER_LINE, _SHADER_LINE + _FIT),
        }

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.turn(flat_top=False)

        def turn(self, *, flat_top: bool) -> None:
            """Put a side on top instead of a corner, for a view whose axes are swapped."""
            self._symbol_func["flat_top"] = float(flat_top)

    return HexMarkers


@functools.cache
def _visual_class() -> type:
    base: Any = _module(_VISPY_POINTS).VispyPointsLayer

    class VispyFramePoints(base):  # type: ignore[misc]
        """Draws a `FramePoints`."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # napari names its markers in the visual's constructor.
            with _replaced(_module("napari._vispy.visuals.points"), "Markers", _markers_class()):
                super().__init__(*args, **kwargs)
            events = self.layer.events
            events.scale_factor.connect(self._on_zoom)
            events.opacity.connect(self._on_antialiasing_change)
            events.blending.connect(self._on_antialiasing_change)

        def _on_data_change(self) -> None:
            flat_top = _displayed(self.layer) == (-1, -2)
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
    """Whether the smooth edge of a hexagon may lie over its neighbour.

    Not where it would be seen through, nor in 3-D, where it may hide a neighbour farther away.
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
def _label_visual_class() -> type:
    base: Any = _module("napari._vispy.overlays.text")._VispyLayerTextOverlay

    class VispyColorBarLabel(base):  # type: ignore[misc]
        """Draws a `ColorBarLabel`."""

        def _connect_events(self) -> None:
            self.overlay.events.text.connect(self._on_text_change)

    return VispyColorBarLabel


@functools.cache
def _pick_visual_class() -> type:
    layer_mixin: Any = _module(_OVERLAYS).LayerOverlayMixin
    base: Any = _module(_OVERLAYS).VispySceneOverlay
    scene: Any = _module("vispy.scene.visuals")

    class VispyPickOverlay(layer_mixin, base):  # type: ignore[misc]
        """Draws a `PickOverlay`: of each hexagon a dark casing, its colour over that."""

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
            self._displayed = _displayed(self.layer)
            return bool(super()._should_be_visible() and _is_map(self._displayed))

        def _on_slice(self) -> None:
            if _displayed(self.layer) != self._displayed:
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
    """Whether the view shows the two axes of flat space, and nothing else."""
    return len(displayed) == 2 and set(displayed) == {-2, -1}


def _xy_order(displayed: tuple[int, ...]) -> list[int]:
    """Order in which vispy takes the columns y and x."""
    return [0, 1] if displayed == (-1, -2) else [1, 0]


def _displayed(layer: Any) -> tuple[int, ...]:
    """Axes of the view, counted from the last one."""
    return tuple(axis - layer.ndim for axis in layer._slice_input.displayed)


def _draw_outlines(
    layer: Any, casings: Any, rings: Any, outlines: Outlines | None, displayed: tuple[int, ...]
) -> None:
    """Draw rings with casings that are as wide in pixels at any zoom."""
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
            size=size - inset / _APOTHEM,
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


# --- registration ---------------------------------------------------------------------------------


@functools.cache
def _register() -> None:
    """Tell napari, once, how to draw the layer and how to make it again."""
    visuals = _module("napari._vispy.utils.visual")
    visuals.layer_to_visual[FramePoints] = _visual_class()
    if all(name.is_there() for name in LABEL_NAMES):
        visuals.overlay_to_visual[ColorBarLabel] = _label_visual_class()
    if all(name.is_there() for name in PICK_NAMES):
        visuals.overlay_to_visual[PickOverlay] = _pick_visual_class()
    Layer.create = classmethod(_create_with_recipe(Layer.create.__func__))


def _create_with_recipe(create: Any) -> Any:
    """Make `Layer.create` follow a recipe where the metadata hold one.

    napari duplicates a layer from its layer data tuple, in which a subclass of `Points` is but
    points. Tuples without a recipe go to napari's own function.
    """

    @functools.wraps(create)
    def layer_of(
        cls: type, data: Any, meta: Mapping[str, Any] | None = None, layer_type: str | None = None
    ) -> Any:
        recipe = ((meta or {}).get("metadata") or {}).get(STATE_KEY)
        if recipe is None or str(layer_type).lower() != "points":
            return create(cls, data, meta, layer_type)
        return recipe.layer(meta)

    return layer_of
