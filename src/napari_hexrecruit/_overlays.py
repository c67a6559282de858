"""Everything of a picture but its hexagons, drawn with matplotlib: once for a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from napari_hexrecruit._layout import Box
    from napari_hexrecruit._scene import Panel, Scene
    from napari_hexrecruit._sheet import Sheet

__all__ = ["draw_hexagons", "draw_over", "draw_time", "draw_under", "time_texts"]

_HEADER_FONT = 1.1
_EMPTY_EDGE = "#9a9a9a"


def draw_under(sheet: Sheet, scene: Scene) -> None:
    """Draw what lies under the hexagons."""
    if scene.under is None:
        return
    for panel in scene.panels:
        axes = _map_axes(sheet, panel)
        image = scene.under.image
        grey: dict[str, Any] = {}
        if image.ndim == 2:
            grey = {"cmap": "gray", "vmin": 0, "vmax": 255 if image.dtype == np.uint8 else 1.0}
        axes.imshow(image, extent=scene.under.extent, aspect="auto", zorder=0, **grey)
        _fit(axes, panel)


def draw_over(sheet: Sheet, scene: Scene) -> None:
    """Draw what lies over the hexagons and beside the map, as far as it does not change."""
    for panel in scene.panels:
        _draw_empty_hexagons(sheet, panel, scene.layout.font)
    if scene.layout.colorbar is not None:
        _draw_colorbar(sheet, scene, scene.layout.colorbar)


def draw_hexagons(sheet: Sheet, panel: Panel, colours: Any) -> None:
    """Draw the hexagons that have a value as polygons, (n_filled, 4) colours of 0 to 1."""
    from matplotlib.collections import PolyCollection

    axes = _map_axes(sheet, panel)
    corners = panel.hexes.corners(panel.hexes.filled)
    hexagons = PolyCollection(list(corners), facecolors=colours, edgecolors="face")
    hexagons.set_linewidth(0.25)
    axes.add_collection(hexagons, autolim=False)


def draw_time(sheet: Sheet, scene: Scene, text: str) -> None:
    """Write the time."""
    box = scene.layout.header
    if box is not None:
        y = box.top + box.height / 2
        sheet.text(box.left, y, text, _HEADER_FONT * scene.layout.font, color=scene.foreground)


def time_texts(scene: Scene) -> tuple[str, ...]:
    """Time of each frame as text; all of the same number of characters by default."""
    spans = [scene.shown.bin_span(frame) for frame in range(len(scene.shown.bins))]
    if scene.style.time_format is not None:
        return tuple(scene.style.time_format.format(start=a, stop=b) for a, b in spans)
    decimals = _decimals([start for start, _ in spans])
    texts = [f"{start:.{decimals}f} ms" for start, _ in spans]
    longest = max(len(text) for text in texts)
    return tuple(text.rjust(longest, "\u2007") for text in texts)


def _decimals(values: list[float]) -> int:
    """Fewest decimals that tell the values apart from their neighbours, at most 4."""
    array = np.asarray(values)
    for decimals in range(4):
        if np.abs(array - array.round(decimals)).max() < 1e-6:
            return decimals
    return 4


def _map_axes(sheet: Sheet, panel: Panel) -> Axes:
    axes = sheet.axes(panel.box)
    axes.set_axis_off()
    _fit(axes, panel)
    return axes


def _fit(axes: Axes, panel: Panel) -> None:
    x0, x1, y0, y1 = panel.view.bounds
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)


def _draw_empty_hexagons(sheet: Sheet, panel: Panel, font: float) -> None:
    from matplotlib.collections import PolyCollection

    if not panel.hexes.empty.size:
        return
    corners = panel.hexes.corners(panel.hexes.empty)
    outlines = PolyCollection(list(corners), facecolors="none", edgecolors=_EMPTY_EDGE)
    outlines.set_linewidth(sheet.points(max(0.5, 0.05 * font)))
    _map_axes(sheet, panel).add_collection(outlines, autolim=False)


def _draw_colorbar(sheet: Sheet, scene: Scene, box: Box) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    colours, font = scene.colours, scene.layout.font
    mappable = ScalarMappable(Normalize(*colours.clim), colours.name)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = sheet.figure.colorbar(
        mappable,
        cax=sheet.axes(box),
        extend=extend.get((colours.below, colours.above), "neither"),
        extendfrac=min(0.05, 0.8 * box.width / box.height),
        ticks=MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]),
    )
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(
        labelsize=sheet.points(0.9 * font),
        length=sheet.points(0.2 * font),
        width=sheet.points(max(0.8, 0.06 * font)),
        pad=sheet.points(0.2 * font),
        color=scene.foreground,
        labelcolor=scene.foreground,
    )
    x, y = box.left + 4.4 * font, box.top + box.height / 2
    options: dict[str, Any] = {"rotation": 90, "ha": "center", "color": scene.foreground}
    sheet.text(x, y, scene.colour_label, font, **options)
