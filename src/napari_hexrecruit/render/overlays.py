"""All parts of a picture except its hexagons, drawn with matplotlib once per movie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.render.header import GAP, times_as_text
from napari_hexrecruit.render.layout import Box
from napari_hexrecruit.render.strip import draw_strip, mark_colours
from napari_hexrecruit.render.titles import LINE
from napari_hexrecruit.rounding import rounded

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from napari_hexrecruit.render.scene import Panel, Scene
    from napari_hexrecruit.render.sheet import Sheet
    from napari_hexrecruit.render.titles import Fitted

_EMPTY_EDGE = "#9a9a9a"
_BORDER = "#808080"
_SCALE_BAR_SHARE = 0.22
_UM_PER_MM = 1000.0
_ONE_VALUE = 1.1e-4
"""Limits closer than this share of their size were equal and have been moved apart."""
_MOST_PIXELS_UNDER = 24_000_000


def draw_under(sheet: Sheet, scene: Scene) -> None:
    """Draw the image under the hexagons."""
    if scene.under is None:
        return
    image = _scaled_down(scene.under.image)
    grey: dict[str, Any] = {}
    if image.ndim == 2:
        grey = {"cmap": "gray", "vmin": 0, "vmax": 255 if image.dtype == np.uint8 else 1.0}
    for panel in scene.panels:
        axes = _map_axes(sheet, panel)
        axes.imshow(image, extent=scene.under.extent, aspect="auto", **grey)
        _fit(axes, panel)


def _scaled_down(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Thin out an image finer than any picture, because matplotlib takes 32 bytes per pixel."""
    step = math.ceil(math.sqrt(image.shape[0] * image.shape[1] / _MOST_PIXELS_UNDER))
    return image[::step, ::step]


def draw_over(sheet: Sheet, scene: Scene) -> None:
    """Draw the constant parts over the hexagons and around the map."""
    for panel in scene.panels:
        _draw_empty_hexagons(sheet, scene, panel)
        if scene.has_border:
            _draw_border(sheet, scene, panel)
        _draw_outlines(sheet, scene, panel)
        _draw_panel_title(sheet, scene, panel)
    layout = scene.layout
    if layout.colorbar is not None:
        _draw_colorbar(sheet, scene, layout.colorbar)
    if layout.scale_bar is not None:
        _draw_scale_bar(sheet, scene, layout.scale_bar)
    if scene.header.title is not None:
        _draw_title(sheet, scene, scene.header.title)
    if layout.strip is not None:
        draw_strip(sheet, scene, layout.strip)


def draw_hexagons(sheet: Sheet, scene: Scene, panel: Panel, colours: Any) -> None:
    """Draw the hexagons that have a value as polygons, with (n_filled, 4) colours of 0 to 1.

    Edges have the colour of their hexagon, so that no hairlines show between neighbours.
    """
    from matplotlib.collections import PolyCollection

    corners = panel.hexes.corners(panel.hexes.filled)
    width = sheet.points(max(0.7, 0.045 * scene.layout.font)) if scene.style.opacity == 1.0 else 0.0
    hexagons = PolyCollection(
        list(corners),
        facecolors=colours,
        edgecolors=colours,
        linewidths=width,
        alpha=scene.style.opacity,
    )
    _map_axes(sheet, panel).add_collection(hexagons, autolim=False)


def draw_header(sheet: Sheet, scene: Scene, frame: int) -> None:
    """Write the time of a frame and the marks active in it."""
    box = scene.layout.header
    if box is None:
        return
    x, px = float(box.left), scene.header.px
    for text, colour in header_texts(scene, frame):
        written = sheet.line_of_text(x, box, text, px, color=colour)
        x += sheet.text_width(written) + GAP * scene.layout.font


def header_texts(scene: Scene, frame: int) -> list[tuple[str, str]]:
    """Return the header texts of a frame from left to right, each with its colour."""
    texts = []
    if scene.style.timestamp:
        texts.append((time_texts(scene, [frame])[0], scene.foreground))
    start, stop = scene.shown.bin_span(frame)
    colours = mark_colours(scene.style.marks)
    active = {m.label: None for m in scene.style.marks if m.start < stop and m.stop > start}
    return texts + [(scene.header.labels[label], colours[label]) for label in active]


def time_texts(scene: Scene, frames: Any) -> list[str]:
    """Return the times of frames as text; by default, all have the same number of characters."""
    return times_as_text(scene.style, scene.shown, frames)


def _map_axes(sheet: Sheet, panel: Panel) -> Axes:
    axes = sheet.axes(panel.box)
    axes.set_axis_off()
    _fit(axes, panel)
    return axes


def _fit(axes: Axes, panel: Panel) -> None:
    x0, x1, y0, y1 = panel.view.bounds
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)


def _draw_empty_hexagons(sheet: Sheet, scene: Scene, panel: Panel) -> None:
    from matplotlib.collections import PolyCollection

    if not panel.hexes.empty.size:
        return
    corners = panel.hexes.corners(panel.hexes.empty)
    outlines = PolyCollection(list(corners), facecolors="none", edgecolors=_EMPTY_EDGE)
    outlines.set_linewidth(sheet.points(max(0.5, 0.04 * scene.layout.font)))
    _map_axes(sheet, panel).add_collection(outlines, autolim=False)


def _draw_border(sheet: Sheet, scene: Scene, panel: Panel) -> None:
    from matplotlib.collections import LineCollection

    edges = LineCollection(list(panel.hexes.border()), colors=_BORDER, capstyle="round")
    edges.set_linewidth(sheet.points(max(0.8, 0.06 * scene.layout.font)))
    _map_axes(sheet, panel).add_collection(edges, autolim=False)


def _draw_outlines(sheet: Sheet, scene: Scene, panel: Panel) -> None:
    """Draw light lines with dark borders, visible on hexagons of any colour."""
    from matplotlib.collections import LineCollection

    if not scene.outlines:
        return
    axes, px = _map_axes(sheet, panel), max(1.0, 0.08 * scene.layout.font)
    for colour, width in (("#262626", 2.0 * px), ("#ffffff", px)):
        lines = LineCollection(list(scene.outlines), colors=colour, capstyle="round")
        lines.set_linewidth(sheet.points(width))
        axes.add_collection(lines, autolim=False)


def _draw_panel_title(sheet: Sheet, scene: Scene, panel: Panel) -> None:
    """Write the title of a panel, with its last line directly above the filled part."""
    font, title = scene.layout.font, panel.title_lines
    x = panel.box.left + panel.box.width / 2
    y = panel.box.top + scene.layout.titles_lower - 0.7 * font
    for above, line in enumerate(reversed(title.lines)):
        height = above * LINE * title.px
        sheet.text(x, y - height, line, title.px, ha="center", color=scene.foreground)


def _draw_title(sheet: Sheet, scene: Scene, title: Fitted) -> None:
    """Write each line of the title in the middle, or further right if time and marks need room."""
    layout = scene.layout
    box = layout.title or layout.header
    if box is None:
        return
    left = box.left + (0.0 if layout.title else scene.header.reserved)
    middle = (scene.panels[0].box.left + max(panel.box.right for panel in scene.panels)) / 2
    for number, line in enumerate(title.lines):
        row = box
        if layout.title:
            top = round(box.top + number * LINE * title.px)
            row = Box(box.left, top, box.width, round(LINE * title.px))
        written = sheet.line_of_text(0, row, line, title.px, color=scene.foreground)
        width = sheet.text_width(written)
        x = min(max(middle - width / 2, left), max(left, box.right - width))
        written.set_x(x / sheet.width)


def _draw_scale_bar(sheet: Sheet, scene: Scene, box: Box) -> None:
    """Draw a line of round length with its label, below the left of the map."""
    from matplotlib.lines import Line2D

    panel, font = scene.panels[0], scene.layout.font
    x0, x1, _, _ = panel.hexes.bounds
    wanted = _SCALE_BAR_SHARE * min(x1 - x0, panel.view.scale * panel.box.width)
    length = rounded(wanted, (1, 2, 5), "down")
    left = max(panel.box.left, panel.box.left + float(panel.view.to_pixels(x0, 0.0)[0]))
    right, y = left + length / panel.view.scale, box.top + box.height / 2
    line = Line2D(
        [left / sheet.width, right / sheet.width],
        [1.0 - y / sheet.height] * 2,
        linewidth=sheet.points(max(1.5, 0.18 * font)),
        color=scene.foreground,
        solid_capstyle="butt",
        transform=sheet.figure.transFigure,
    )
    sheet.figure.add_artist(line)
    text = f"{length:g} µm" if length < _UM_PER_MM else f"{length / _UM_PER_MM:g} mm"
    sheet.text(right + 0.5 * font, y, text, 0.9 * font, color=scene.foreground)


def _draw_colorbar(sheet: Sheet, scene: Scene, box: Box) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    colours, font = scene.colours, scene.layout.font
    low, high = colours.clim
    is_one_value = high - low <= _ONE_VALUE * abs(low) or (low == 0.0 and high <= _ONE_VALUE)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = sheet.figure.colorbar(
        ScalarMappable(Normalize(*colours.clim), colours.name),
        cax=sheet.axes(box),
        extend=extend.get((colours.below, colours.above), "neither"),
        extendfrac=min(0.05, 0.8 * box.width / box.height),
        ticks=[low] if is_one_value else MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]),
        format=(lambda value, _: f"{value:g}") if is_one_value else None,
    )
    outline: Any = bar.outline
    outline.set_edgecolor(scene.foreground)
    outline.set_linewidth(sheet.points(max(0.6, 0.04 * font)))
    sheet.style_ticks(bar.ax, 0.9 * font, scene.foreground)
    ticks = [tick for tick in bar.ax.yaxis.get_ticklabels() if tick.get_text()]
    widest = max((sheet.text_width(tick) for tick in ticks), default=0.0)
    label = scene.label_lines
    lines = LINE * label.px * np.arange(len(label.lines))
    most = sheet.width - 0.8 * font - float(lines[-1])
    x = min(box.right + 0.4 * font + widest + 1.0 * font, most)
    options: dict[str, Any] = {"rotation": 90, "ha": "center", "color": scene.foreground}
    half = max(sheet.measure(line, label.px) for line in label.lines) / 2 + 0.7 * font
    y = min(max(box.top + box.height / 2, half), sheet.height - half)
    for line, lower in zip(label.lines, lines.tolist(), strict=True):
        sheet.text(x + lower, y, line, label.px, **options)
