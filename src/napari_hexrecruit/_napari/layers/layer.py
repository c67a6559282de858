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
"""How a layer looks unless the caller says otherwise.

Half a pixel of antialiasing fades an edge over one pixel. napari keeps points between 2 and 10,000
pixels: hexagons outside of that would overlap or part.
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
"""Entries of a layer's state that a copy is made with."""
_COPIED_AFTERWARDS = ("scale", "translate", "rotate", "shear", "size", "features")


class RecruitmentLayer(ColouredHexes):
    """Hexagons of a recruitment cube, coloured by the bin that the time slider is in.

    One point per hexagon in three dimensions, (time, y, x). Along time a data unit is a bin, and
    ``scale`` and ``translate`` make the slider run in ms. The layer keeps a reference to the cube
    and reads one bin of it at a time: moving the slider costs the same for 100 bins and for 10,000.

    Parameters
    ----------
    cube
        A recruitment cube; it is not copied and not changed, and other layers may show it too.
    metric
        What the colours show: ``recruitment`` (%), ``n_recruited`` (neurons), ``rate`` (spikes/s
        per neuron), or another variable of the cube, such as ``soma_v_mean`` of a report or
        ``difference`` of an analysis. None: the first that the cube has.
    outline_nan
        Whether hexagons without a value are outlined. They are never filled.
    **points_kwargs
        How it looks, as for `napari.layers.Points`: ``name``, ``opacity``, ``face_colormap``,
        ``face_contrast_limits``, ``border_color`` (of the outlines) and so on. What follows from
        the cube (coordinates, size, symbol, scale, units, colours, features) cannot be given.

    Raises
    ------
    ValueError
        If the dataset is not a recruitment cube, or the metric is unknown or not in it.
    TypeError
        If an argument is given that follows from the cube.

    Notes
    -----
    The bin of a time is the one that contains it, ``start <= t < start + bin_ms``; outside of the
    cube's time nothing is drawn. The feature ``recruited`` has the values of the current bin, of
    whichever metric. The layer's units are ``("ms", "um", "um")``, or pixels where the cube does
    not say that flat space is in µm.

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
        # Linked layers share the look, but neither the cube nor the bin, nor the picks: the other
        # may not have these hexagons.
        self.events.add(bin_changed=Event, cube_changed=Event, selection_changed=Event)

    # --- what is shown ----------------------------------------------------------------------------

    @property
    def cube(self) -> xr.Dataset:
        """The cube that is shown.

        Setting another one keeps colormap, limits and metric, and clears the selected points and
        features that others have added. Hexagons, bins and start may differ; picked hexagons that
        are in the same place still are picked.

        Raises
        ------
        ValueError
            When set, if it is not a recruitment cube, or lacks what the layer's metric shows; the
            layer stays as it was.
        """
        return self._cube

    @cube.setter
    def cube(self, cube: xr.Dataset) -> None:
        cube = as_cube(cube)
        self._metric.check(cube)
        self._show(cube)

    def show(self, cube: xr.Dataset, metric: str | None = None) -> None:
        """Show another cube, and another metric of it with its limits.

        Parameters
        ----------
        cube
            The cube.
        metric
            Name of what the colours show; None: the first that the cube has.

        Raises
        ------
        ValueError
            If it is not a recruitment cube, or has no such metric; the layer stays as it was.
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
        """Bin whose values the features hold; None where the slider is outside of the cube's time.

        A hidden layer does not follow the slider.
        """
        return self.current_frame

    @property
    def time_window_ms(self) -> tuple[float, float] | None:
        """Start and end of the current bin, ms; None outside of the cube's time."""
        return None if self.current_bin is None else self._hexes.window_ms(self.current_bin)

    def bin_at(self, position: Sequence[float]) -> int | None:
        """Find the bin that a place of the world lies in, whether the layer is shown or not.

        Parameters
        ----------
        position
            World coordinates, such as ``viewer.dims.point``; the last axes are the layer's.

        Returns
        -------
        int or None
            None outside of the cube's time.
        """
        return self.frame_at(float(self.world_to_data(position)[FRAME_AXIS]))

    def slider_ms(self, bin_: int) -> float:
        """World coordinate of the start of a bin on the time axis: where the slider shows it."""
        at = np.zeros(self.ndim)
        at[FRAME_AXIS] = bin_
        return float(self.data_to_world(at)[FRAME_AXIS])

    # --- axes -------------------------------------------------------------------------------------

    def axis_names(self) -> tuple[str, ...]:
        """Names of the layer's axes."""
        return AXES

    @property
    def caption(self) -> str:
        """What stands above the time on the canvas."""
        return ""

    # --- answers to FramePoints -------------------------------------------------------------------

    def recipe(self) -> LayerRecipe:
        """Return cube, metric and outlines: what a copy of the layer is made of."""
        return LayerRecipe(self._cube, self.metric, self.outline_nan)

    def on_frame_changed(self) -> None:
        """Announce the bin at once, and its features when the slider rests.

        napari's features table writes all of its cells anew, which takes many times as long as the
        bin takes to be drawn.
        """
        self.events.bin_changed(value=self.current_bin)
        self._features_told.ask()

    def _tell_features(self) -> None:
        self.events.properties()
        self.events.features()


def _give_controls() -> None:
    # They know this class, and load Qt, which a layer without a window does not need.
    from napari_hexrecruit._napari.layers.controls import use_hexagon_controls

    use_hexagon_controls()


def _clear_picks(layer: RecruitmentLayer) -> None:
    layer.selected_hexes = ()
    layer.selected_data = set()  # what Ctrl+A has selected


RecruitmentLayer.bind_key("Escape", _clear_picks)


@dataclass(frozen=True, eq=False)
class LayerRecipe:
    """What a layer shows; its layer data tuple has it as ``metadata["napari-hexrecruit"]``.

    Parameters
    ----------
    cube
        The cube itself, not a copy.
    metric
        Name of the metric.
    outline_nan
        Whether hexagons without a value are outlined.
    """

    cube: xr.Dataset
    metric: str
    outline_nan: bool

    def __deepcopy__(self, memo: object) -> LayerRecipe:
        # The cube is shared and never changed; a copy of it would be as large as the cube.
        return self

    def new(self, **points_kwargs: Any) -> RecruitmentLayer:
        """Make a layer of this kind."""
        return RecruitmentLayer(
            self.cube, metric=self.metric, outline_nan=self.outline_nan, **points_kwargs
        )

    def layer(self, state: Mapping[str, Any]) -> RecruitmentLayer:
        """Make the layer, with the look that a state describes.

        Parameters
        ----------
        state
            State of a layer, as in a layer data tuple; only how it looks is taken from it.

        Returns
        -------
        RecruitmentLayer
            Shows this cube.
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
    """What a layer is called: the neurons that count."""
    return counted_in(cube) or "recruitment"
