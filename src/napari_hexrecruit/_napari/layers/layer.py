"""The hexagon layer: a cube as a napari Points layer with time as a slider."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.events import Event

from napari_hexrecruit._napari.layers.at_rest import AtRest
from napari_hexrecruit._napari.layers.coloured_hexes import ColouredHexes
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import metric_of
from napari_hexrecruit.naming import counted_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr


_log = logging.getLogger(__name__)

AXES = ("time", "y", "x")
LOOK: dict[str, Any] = {
    "antialiasing": 0.5,
    "blending": "translucent",
    "border_color": "gray",
    "canvas_size_limits": (0, 1_000_000),
}
"""Default look of a layer.

Half a pixel of antialiasing fades an edge over one pixel. napari's default keeps points between 2
and 10,000 pixels: hexagons outside of this range would overlap or leave gaps.
"""
_OF_THE_CUBE = frozenset(
    {
        *("border_width", "border_width_is_relative", "data", "face_color", "features", "ndim"),
        *("properties", "property_choices", "scale", "size", "symbol", "translate", "units"),
    }
)
"""Arguments of `napari.layers.Points` that follow from the cube."""
_COPIED = (
    *("affine", "antialiasing", "axis_labels", "blending", "border_color", "canvas_size_limits"),
    *("experimental_clipping_planes", "face_colormap", "face_contrast_limits", "name", "opacity"),
    *("projection_mode", "shading", "shown", "text", "visible"),
)
"""Entries of a layer's state that are passed to the constructor of a copy."""
_COPIED_AFTERWARDS = ("scale", "translate", "rotate", "shear", "size", "features")


class RecruitmentLayer(ColouredHexes):
    """Hexagons of a recruitment cube, coloured by the current bin of the time slider.

    One point per hexagon in three dimensions, (time, y, x). Along time a data unit is a bin, and
    ``scale`` and ``translate`` make the slider run in ms. The layer keeps a reference to the cube
    and reads one bin at a time: moving the slider costs the same for 100 bins as for 10,000.

    Parameters
    ----------
    cube
        A recruitment cube. It is neither copied nor changed, and several layers can share it.
    metric
        Metric that the colours show: ``recruitment`` (%), ``n_recruited`` (neurons), ``rate``
        (spikes/s per neuron), or another variable of the cube, such as ``soma_v_mean`` of a report
        or ``difference`` of an analysis. None: the first metric of the cube.
    outline_nan
        If True, outline hexagons without a value. They are never filled.
    **points_kwargs
        Look of the layer, as for `napari.layers.Points`: ``name``, ``opacity``, ``face_colormap``,
        ``face_contrast_limits``, ``border_color`` (of the outlines) and so on. Arguments that
        follow from the cube (coordinates, size, symbol, scale, units, colours, features) are
        refused.

    Raises
    ------
    ValueError
        If the dataset is not a recruitment cube, or the metric is unknown or missing from it.
    TypeError
        If an argument follows from the cube.

    Notes
    -----
    The bin of a time t is the one with ``start <= t < start + bin_ms``; outside of the cube's time
    nothing is drawn. The feature ``recruited`` holds the values of the current bin, whatever the
    metric. The layer's units are ``("ms", "um", "um")``, or pixels for y and x unless the cube
    states that flat space is in µm.

    ``layer.events`` has ``bin_changed``, ``cube_changed``, ``metric``, ``face_colormap``,
    ``face_contrast_limits``, ``outline_nan``, ``outline_color`` and ``selection_changed``.

    Examples
    --------
    >>> import napari
    >>> from napari_hexrecruit import read_cube
    >>> viewer = napari.Viewer()  # doctest: +SKIP
    >>> layer = RecruitmentLayer(read_cube("run.hexrecruit.nc"))  # doctest: +SKIP
    >>> viewer.add_layer(layer)  # doctest: +SKIP
    >>> layer.metric = "rate"  # doctest: +SKIP
    """

    def __init__(
        self,
        cube: xr.Dataset,
        *,
        metric: str | None = None,
        outline_nan: bool = True,
        **points_kwargs: Any,
    ) -> None:
        cube = as_cube(cube)
        refuse_of_the_cube(points_kwargs)
        self._metric = metric_of(cube, metric)
        self._outline_nan = bool(outline_nan)
        self._slots: dict[str, int] = {}
        self._features_told = AtRest(self._tell_features)
        self._take(cube)
        _give_controls()
        look = LOOK | {"name": name_of(cube), "face_colormap": self._metric.colormap}
        look |= {"axis_labels": self.axis_names()}
        limits = points_kwargs.get("face_contrast_limits")
        points_kwargs["face_contrast_limits"] = self._usable(limits)
        super().__init__(
            self._hexes.centres,
            self.fixed_features(),
            **self.geometry(),
            **(look | points_kwargs),
        )
        self.colorbar_label.text = self._bar_title()
        # Linked layers share their look, but not cube, bin or picks, because their hexagons can
        # differ.
        self.events.add(bin_changed=Event, cube_changed=Event, selection_changed=Event)

    # --- what is shown ----------------------------------------------------------------------------

    @property
    def cube(self) -> xr.Dataset:
        """The cube shown.

        Setting another cube keeps colormap, limits and metric, and clears the selected points and
        any features added by other code. Hexagons, bins and start may differ. On the same grid,
        picked hexagons that still exist stay picked.

        Raises
        ------
        ValueError
            When set, if it is not a recruitment cube, or lacks the layer's metric; the layer is
            unchanged.
        """
        return self._cube

    @cube.setter
    def cube(self, cube: xr.Dataset) -> None:
        cube = as_cube(cube)
        self._metric.check(cube)
        self._show(cube)

    def show(self, cube: xr.Dataset, metric: str | None = None) -> None:
        """Show another cube and one of its metrics, with the limits of the metric.

        Parameters
        ----------
        cube
            The cube.
        metric
            Name of the metric that the colours show; None: the first metric of the cube.

        Raises
        ------
        ValueError
            If it is not a recruitment cube, or lacks the metric; the layer is unchanged.
        """
        cube = as_cube(cube)
        before, self._metric = self._metric, metric_of(cube, metric)
        self._show(cube)
        self.show_metric(before)

    def _show(self, cube: xr.Dataset) -> None:
        same_places = self._take(cube)
        self.replace_points(self._hexes.centres, self.fixed_features(), **self.geometry())
        self.colorbar_label.text = self._bar_title()
        self._pick([n for n in self._slots if n in self._position_of] if same_places else [])
        self.events.cube_changed(value=cube)

    # --- where the slider is ----------------------------------------------------------------------

    @property
    def current_bin(self) -> int | None:
        """Bin whose values the features hold; None if the slider is outside of the cube's time.

        A hidden layer does not follow the slider.
        """
        return self.current_frame

    @property
    def time_window_ms(self) -> tuple[float, float] | None:
        """Start and end of the current bin, ms; None outside of the cube's time."""
        return None if self.current_bin is None else self._hexes.window_ms(self.current_bin)

    def bin_at(self, position: Sequence[float]) -> int | None:
        """Find the bin at a position in world coordinates, even if the layer is hidden.

        Parameters
        ----------
        position
            World coordinates, such as ``viewer.dims.point``; the last axes are the layer's.

        Returns
        -------
        int or None
            The bin; None outside of the cube's time.
        """
        return self.frame_at(float(self.world_to_data(position)[FRAME_AXIS]))

    def slider_ms(self, bin_: int) -> float:
        """Return the position of the slider, in world coordinates, that shows a bin."""
        at = np.zeros(self.ndim)
        at[FRAME_AXIS] = bin_
        return float(self.data_to_world(at)[FRAME_AXIS])

    # --- axes -------------------------------------------------------------------------------------

    def axis_names(self) -> tuple[str, ...]:
        """Return the names of the layer's axes."""
        return AXES

    @property
    def caption(self) -> str:
        """Text above the time on the canvas."""
        return ""

    # --- answers to FramePoints -------------------------------------------------------------------

    def recipe(self) -> LayerRecipe:
        """Return the cube, the metric and the outlines, for a copy of the layer."""
        return LayerRecipe(self._cube, self.metric, self.outline_nan)

    def on_frame_changed(self) -> None:
        """Announce the bin immediately, and its features when the slider rests.

        napari's features table rewrites all of its cells, which takes many times longer than
        drawing the bin.
        """
        self.events.bin_changed(value=self.current_bin)
        self._features_told.ask()

    def _tell_features(self) -> None:
        self.events.properties()
        self.events.features()


def _give_controls() -> None:
    # Imported here because the controls import this class, and load Qt, which a layer without a
    # window does not need.
    from napari_hexrecruit._napari.layers.controls import use_hexagon_controls

    use_hexagon_controls()


def _clear_picks(layer: RecruitmentLayer) -> None:
    layer.selected_hexes = ()
    layer.selected_data = set()  # points selected by Ctrl+A


RecruitmentLayer.bind_key("Escape", _clear_picks)


@dataclass(frozen=True, eq=False)
class LayerRecipe:
    """What a layer shows, stored in its layer data tuple as ``metadata["napari-hexrecruit"]``.

    Parameters
    ----------
    cube
        The cube itself, not a copy.
    metric
        Name of the metric.
    outline_nan
        If True, outline hexagons without a value.
    """

    cube: xr.Dataset
    metric: str
    outline_nan: bool

    def __deepcopy__(self, memo: object) -> LayerRecipe:
        # The cube is shared and never changed, and a copy would use the same memory again.
        return self

    def new(self, **points_kwargs: Any) -> RecruitmentLayer:
        """Make a `RecruitmentLayer`."""
        return RecruitmentLayer(
            self.cube, metric=self.metric, outline_nan=self.outline_nan, **points_kwargs
        )

    def layer(self, state: Mapping[str, Any]) -> RecruitmentLayer:
        """Make the layer, with the look of a state.

        Parameters
        ----------
        state
            State of a layer, as in a layer data tuple; only its look is used.

        Returns
        -------
        RecruitmentLayer
            A layer that shows this cube.
        """
        metadata = {key: value for key, value in state["metadata"].items() if key != STATE_KEY}
        look = {name: state[name] for name in _COPIED if name in state}
        layer = self.new(metadata=metadata, **look)
        for name in _COPIED_AFTERWARDS:
            if name in state:
                setattr(layer, name, state[name])
        return layer


def refuse_of_the_cube(points_kwargs: Mapping[str, Any]) -> None:
    given = sorted(_OF_THE_CUBE & set(points_kwargs))
    if given:
        raise TypeError(
            f"{', '.join(given)} cannot be given: what is shown, where and how large follows from"
            " the cube; colours are set by metric, face_colormap and face_contrast_limits"
        )


def name_of(cube: xr.Dataset) -> str:
    """Return the name of a layer: the neurons that are counted."""
    return counted_in(cube) or "recruitment"
