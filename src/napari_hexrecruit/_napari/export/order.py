"""The requested movie, and the style with which the renderer reproduces the viewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from napari.layers import Points
from napari.viewer import Viewer

from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.layers.timestamp import OVERLAY
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit.render.movie import ENDINGS, check_output
from napari_hexrecruit.render.picture import is_picture
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.render.web.writer import ENDINGS as PAGE_ENDINGS
from napari_hexrecruit.render.web.writer import check_html_output
from napari_hexrecruit.render.window import resolve_window
from napari_hexrecruit.schema import RECRUITMENT

_EVEN = (".mp4", ".webm")
_ALIKE = 0.02
"""Largest invisible difference of a colour component, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """The requested movie.

    Parameters
    ----------
    output
        File that ends with ``.mp4``, ``.webm``, ``.gif``, or ``.html`` for a web page. A name
        without an ending, or with ``/`` at its end, is a folder.
    start, stop, step
        Window, and time from frame to frame, ms.
    fps
        Frames per second; None if `dilation` sets the speed.
    dilation
        Seconds of movie per second of simulation.
    size
        (width, height) of a rendered frame, px; the canvas has its own.
    background
        Background of a rendered frame, ``white`` or ``black``.
    overwrite
        If True, the user has agreed to replace an existing output.
    """

    output: str
    start: float
    stop: float
    step: float
    fps: float | None = 20.0
    dilation: float | None = None
    size: tuple[int, int] = (1280, 720)
    background: str = "white"
    overwrite: bool = False

    @property
    def is_web_page(self) -> bool:
        """Whether the output is a web page rather than a movie."""
        return self.output.lower().endswith(PAGE_ENDINGS)

    @property
    def rate(self) -> float:
        """Frames per second.

        Raises
        ------
        ValueError
            If fps or dilation is not greater than 0.
        """
        given = self.dilation if self.fps is None else self.fps
        if given is None or not (math.isfinite(given) and given > 0.0):
            raise ValueError("the speed must be greater than 0")
        return given if self.fps is not None else 1000.0 / (self.step * given)

    @property
    def page_dilation(self) -> float:
        """Seconds of playback per second of simulation; raises as `rate`."""
        return 1000.0 / (self.step * self.rate) if self.dilation is None else self.dilation

    def times_ms(self, cubes: Sequence[xr.Dataset]) -> list[float]:
        """Return the start of the bin of each frame, ms.

        Raises
        ------
        ValueError
            If the window is empty, outside of the cubes or not made of whole bins, or the time axes
            of the cubes differ.
        """
        shown = resolve_window(cubes, self.start, self.stop, self.step)
        return [shown.first_ms + shown.bin_ms * k for k in shown.bins]


def check_order(order: Order) -> None:
    """Refuse immediately an order that could not be written later.

    Raises
    ------
    ValueError
        If no file is named, or its ending is not a movie format.
    FileExistsError, OSError
        If the output exists and may not be replaced, or cannot be written.
    """
    if not order.output:
        raise ValueError("No file is named: give one that ends with .mp4, .webm, .gif or .html.")
    if is_picture(order.output):
        raise ValueError(
            f"{order.output}: is a single picture: a movie ends with {', '.join(ENDINGS)}, a folder"
            " of PNG files with /"
        )
    if order.is_web_page:
        check_html_output(order.output, overwrite=order.overwrite)
    else:
        check_output(order.output, overwrite=order.overwrite)


def needs_even_sides(output: str) -> bool:
    """Return whether frames of this format must have even sides."""
    return output.lower().endswith(_EVEN)


# --- what the viewer shows ------------------------------------------------------------------------


def visible_hexagons(viewer: Viewer) -> list[Points]:
    """Return the visible hexagon layers, from the lowest to the uppermost."""
    return [layer for layer in viewer.layers if layer.visible and cube_of(layer) is not None]


def cubes_of_layers(layers: Sequence[Points]) -> list[xr.Dataset]:
    """Return the cubes that hexagon layers show."""
    return [cube for cube in map(cube_of, layers) if cube is not None]


def offered_window(viewer: Viewer, layer: Points) -> tuple[float, float, float]:
    """Return start, stop and step that suit a layer, ms.

    They cover all of its time, or only the part between the handles of the time slider if these are
    apart. A right click on the slider shows the handles.
    """
    cube = cubes_of_layers([layer])[0]
    first, bin_ms, n_bins = float(cube["time"][0]), float(cube.attrs["bin_ms"]), cube.sizes["time"]
    dims, axis = viewer.dims, viewer.dims.ndim + FRAME_AXIS
    before, after = float(dims.margin_left[axis]), float(dims.margin_right[axis])
    low, high = 0, n_bins
    if before + after > 0.0:
        now = (float(dims.point[axis]) - first) / bin_ms
        low = min(max(math.floor(now - before / bin_ms + 1e-6), 0), n_bins - 1)
        high = max(min(math.ceil(now + after / bin_ms - 1e-6), n_bins), low + 1)
    return (round(first + low * bin_ms, 9), round(first + high * bin_ms, 9), bin_ms)


def style_of(viewer: Viewer, layers: Sequence[Points], order: Order) -> MovieStyle:
    """Return the style that reproduces layers in the renderer: colours, limits and overlays.

    Raises
    ------
    ValueError
        If the layers differ in metric, limits or colormap, or the renderer lacks their colormap.
    """
    looks: dict[str, list[Any]] = {
        "quantity": [_metric_of(layer) for layer in layers],
        "colour limits": [tuple(map(float, layer.face_contrast_limits)) for layer in layers],
        "colormap": [_matplotlib_name(layer.face_colormap) for layer in layers],
    }
    for what, values in looks.items():
        if len(set(values)) > 1:
            raise ValueError(
                f"the visible hexagon layers differ in their {what}"
                f" ({', '.join(map(str, dict.fromkeys(values)))}): make them alike or hide some"
            )
    metric, limits, colormap = (values[0] for values in looks.values())
    return MovieStyle().replace(
        metric=metric,
        clim=limits,
        colormap=colormap,
        size=order.size,
        background=order.background,
        colorbar=any(layer.face_colorbar.visible for layer in layers),
        timestamp=_shows(viewer, OVERLAY),
        scale_bar=_shows(viewer, "scale_bar"),
        panel_titles=[layer.name for layer in layers] if len(layers) > 1 else (),
    )


def _metric_of(layer: Points) -> str:
    recipe = layer.metadata.get(STATE_KEY)
    return str(getattr(layer, "metric", getattr(recipe, "metric", RECRUITMENT)))


def _matplotlib_name(colormap: Any) -> str:
    """Return the name of the same colours in matplotlib, which the renderer uses."""
    import matplotlib as mpl

    positions = np.linspace(0.0, 1.0, 65)
    known = mpl.colormaps.get(colormap.name)
    if known is None or not np.allclose(known(positions), colormap.map(positions), atol=_ALIKE):
        raise ValueError(
            f"the colormap {colormap.name!r} is napari's own, and hexagons are drawn with"
            " matplotlib's: choose another one such as viridis, or export the canvas"
        )
    return str(colormap.name)


def _shows(viewer: Viewer, name: str) -> bool:
    """Return whether an overlay of the canvas is visible."""
    overlays = viewer.canvas.overlays
    overlay = overlays[name] if name in overlays else getattr(overlays, name, None)
    return overlay is not None and bool(overlay.visible)
