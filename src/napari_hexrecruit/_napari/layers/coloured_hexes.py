"""Hexagons with values: what their colours show, and how hexagons without a value look."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from napari.utils.events import Event

from napari_hexrecruit._napari.layers.blocks import Blocks
from napari_hexrecruit._napari.layers.display import contrast_limits, numbers_of, reading
from napari_hexrecruit._napari.layers.named_hexes import NamedHexes
from napari_hexrecruit._napari.private.points import VALUE
from napari_hexrecruit.limits import usable_limits
from napari_hexrecruit.metrics import is_static, metric_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.metrics import Metric

_LETTERS_OF_LINE = 16
"""Characters of a line beside the bar of a narrow field."""
Colour = tuple[float, float, float, float]


class ColouredHexes(NamedHexes):
    """The hexagons of a cube, coloured by one of its metrics.

    A subclass sets `_metric` and `_outline_nan`, and calls `_take` before ``super().__init__``.
    """

    _cube: xr.Dataset
    _metric: Metric
    _outline_nan: bool
    _bar_names_filter = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Linked layers in napari share each attribute that has an event of the same name.
        self.events.add(metric=Event, outline_nan=Event, outline_color=Event)

    @property
    def metric(self) -> str:
        """Name of the metric that the colours show.

        Setting another metric sets its default limits, `limits.first_limits`: 0 to 50 % for
        ``recruitment`` (100 % if cumulative), 0 to the 99th percentile for others, and from the 1st
        percentile for a quantity with values below 0. If 0 is the middle, the colormap has two
        arms.
        """
        return self._metric.name

    @metric.setter
    def metric(self, metric: str) -> None:
        chosen = metric_of(self._cube, metric)
        if chosen is self._metric:
            return
        before, self._metric = self._metric, chosen
        self.show_metric(before)

    def show_metric(self, before: Metric) -> None:
        """Show the layer's metric with its limits; `before` is the metric shown until now."""
        self.colorbar_label.text = self._bar_title()
        if self._metric.colormap != before.colormap:
            self.face_colormap = self._metric.colormap
        self.face_contrast_limits = contrast_limits(self._cube, self._metric)
        self.repaint()
        self.events.metric(value=self.metric)

    @property
    def face_colormap(self) -> Any:
        """Colours from the lower limit to the upper one."""
        return Points.face_colormap.fget(self)

    @face_colormap.setter
    def face_colormap(self, colormap: Any) -> None:
        Points.face_colormap.fset(self, colormap)
        self.events.face_colormap()

    @property
    def face_contrast_limits(self) -> tuple[float, float]:
        """Values of the first and the last colour.

        Equal limits are moved apart by a ten-thousandth; None sets the metric's default limits.

        Raises
        ------
        ValueError
            When set, if a limit is not a finite number or the order is wrong; the layer is
            unchanged.
        """
        limits: tuple[float, float] = Points.face_contrast_limits.fget(self)
        return limits

    @face_contrast_limits.setter
    def face_contrast_limits(self, limits: Sequence[float] | None) -> None:
        before = self.face_contrast_limits
        Points.face_contrast_limits.fset(self, self._usable(limits))
        if self.face_contrast_limits != before:
            self.events.face_contrast_limits()

    def _usable(self, limits: Sequence[float] | None) -> tuple[float, float]:
        return (
            contrast_limits(self._cube, self._metric) if limits is None else pair_of_limits(limits)
        )

    @property
    def outline_nan(self) -> bool:
        """Whether hexagons without a value are outlined, in ``outline_color``."""
        return self._outline_nan

    @outline_nan.setter
    def outline_nan(self, outline_nan: bool) -> None:
        if self._outline_nan == bool(outline_nan):
            return
        self._outline_nan = bool(outline_nan)
        self.refresh(extent=False)
        self.events.outline_nan(value=self._outline_nan)

    @property
    def outline_color(self) -> Colour:
        """RGBA, 0 to 1, of the outlines of hexagons without a value; settable to any colour.

        It is napari's ``border_color``, which is the same for all hexagons.
        """
        red, green, blue, alpha = (float(part) for part in self.border_color[0])
        return (red, green, blue, alpha)

    @outline_color.setter
    def outline_color(self, color: Any) -> None:
        before = self.outline_color
        self.border_color = color
        if self.outline_color != before:
            self.refresh(extent=False)
            self.events.outline_color()

    @property
    def bar_names_filter(self) -> bool:
        """Whether the label of the colour bar states which neurons are counted."""
        return self._bar_names_filter

    @bar_names_filter.setter
    def bar_names_filter(self, names_filter: bool) -> None:
        self._bar_names_filter = names_filter
        self.colorbar_label.text = self._bar_title()

    @property
    def is_static(self) -> bool:
        """Whether the metric is a map: one value per hexagon, the same in all bins."""
        return is_static(self._cube, self._metric)

    # --- answers to FramePoints -------------------------------------------------------------------

    @property
    def n_frames(self) -> int:
        """Number of bins."""
        return self._hexes.n_bins

    def frame_values(self, frame: int) -> npt.NDArray[np.float32]:
        """Return the values of a bin, (n_hexes,) float32."""
        return self._metric.values(*self._numbers.at(frame))

    def sentence(self, index: int) -> str:
        """Describe the current value of a hexagon: ``R3;C-1: 12.5 % of 48 neurons``."""
        hexes = self._hexes
        value = float(self.features[VALUE].iat[index])
        return reading(str(hexes.names[index]), value, int(hexes.n_neurons[index]), self._metric)

    @property
    def outlines(self) -> bool:
        """Whether hexagons without a value are outlined."""
        return self._outline_nan

    def _bar_title(self) -> str:
        """Return the quantity and its units, with the filter on a line of its own."""
        if not self._bar_names_filter:
            return textwrap.fill(self._metric.title_for(self._cube), _LETTERS_OF_LINE)
        return self._metric.bar_title([self._cube], between="\n")

    def _take(self, cube: xr.Dataset) -> bool:
        self._cube = cube
        self._numbers = Blocks(numbers_of(cube))
        return self.take_hexes(cube)


def pair_of_limits(limits: Sequence[float]) -> tuple[float, float]:
    """Return colour limits as two usable numbers.

    Raises
    ------
    ValueError
        If the limits are not two numbers in order.
    """
    try:
        low, high = limits
    except (TypeError, ValueError):
        raise ValueError(f"colour limits must be (low, high), not {limits!r}") from None
    return usable_limits(low, high)
