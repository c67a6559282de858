"""The time strip under the map: population mean, marks, axis and cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.rounding import rounded
from napari_hexrecruit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from napari_hexrecruit.render.layout import Box
    from napari_hexrecruit.render.scene import Scene
    from napari_hexrecruit.render.sheet import Sheet
    from napari_hexrecruit.render.style import Mark

_MARK_COLOURS = ("#d55e00", "#cc79a7", "#8a7a00", "#7f7f7f")
_CURVES_ON_LIGHT = ("#0072b2", "#009e73", "#262626", "#56b4e9")
_CURVES_ON_DARK = ("#56b4e9", "#2fd0a0", "#ededed", "#f0e442")
_SMALL = 0.8
"""Size of texts in the strip, in font heights."""


def mark_colours(marks: Iterable[Mark]) -> dict[str, str]:
    """Return the colour of each label; marks with the same label have the same colour."""
    labels = list({mark.label: None for mark in marks})
    return {label: _MARK_COLOURS[k % len(_MARK_COLOURS)] for k, label in enumerate(labels)}


def cursor_x(scene: Scene, box: Box, frame: int) -> float:
    """Return the middle of a frame's bin, px from the left of the picture."""
    shown = scene.shown
    middle = sum(shown.bin_span(frame)) / 2
    return box.left + (middle - shown.start_ms) / (shown.stop_ms - shown.start_ms) * box.width


def draw_cursor(sheet: Sheet, scene: Scene, box: Box, frame: int) -> None:
    """Draw the line at the time of a frame."""
    from matplotlib.lines import Line2D

    x = cursor_x(scene, box, frame) / sheet.width
    line = Line2D(
        [x, x],
        [1.0 - box.bottom / sheet.height, 1.0 - box.top / sheet.height],
        linewidth=sheet.points(cursor_width(scene)),
        color=scene.foreground,
        solid_capstyle="butt",
        transform=sheet.figure.transFigure,
    )
    sheet.figure.add_artist(line)


def cursor_width(scene: Scene) -> float:
    """Return the width of the cursor, px."""
    return max(1.5, 0.1 * scene.layout.font)


def draw_strip(sheet: Sheet, scene: Scene, box: Box) -> None:
    """Draw the constant parts of the strip."""
    axes = sheet.axes(box)
    axes.patch.set_alpha(0.0)
    axes.set_xlim(scene.shown.start_ms, scene.shown.stop_ms)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(scene.foreground)
    axes.spines["bottom"].set_linewidth(sheet.points(max(0.8, 0.06 * scene.layout.font)))
    _draw_marks(sheet, scene, axes, box)
    if scene.style.strip:
        _draw_curves(sheet, scene, axes, box)
    else:
        axes.set_yticks([])
    _label_time(sheet, scene, axes, box)


def _draw_curves(sheet: Sheet, scene: Scene, axes: Axes, box: Box) -> None:
    font, shown = scene.layout.font, scene.shown
    lowest, highest, low = _ends(scene)
    headroom = 1.45 if any(mark.label for mark in scene.style.marks) else 1.05
    span = highest - lowest if highest > lowest else 1.0
    axes.set_ylim(low, lowest + headroom * span)
    single = len(scene.panels) == 1
    palette = _CURVES_ON_DARK if scene.style.background == "black" else _CURVES_ON_LIGHT
    names = ["" if single else panel.title or f"{k + 1}" for k, panel in enumerate(scene.panels)]
    px = _legend_size(sheet, [scene.mean_label, *names], font, box.width)
    x = box.left + sheet.measure(scene.mean_label, px) + font
    for k, panel in enumerate(scene.panels):
        colour = scene.foreground if single else palette[k % len(palette)]
        middles = shown.start_ms + shown.bin_ms * (np.arange(len(panel.mean)) + 0.5)
        axes.plot(middles, panel.mean, color=colour, lw=sheet.points(max(1.0, 0.09 * font)))
        if not single:
            written = sheet.text(x, box.top - 0.75 * font, one_line(names[k]), px, color=colour)
            x += sheet.text_width(written) + 0.8 * font
    axes.set_yticks(_ticks(lowest, highest))
    sheet.text(box.left, box.top - 0.75 * font, scene.mean_label, px, color=scene.foreground)


def _ends(scene: Scene) -> tuple[float, float, float]:
    """Return the lowest and highest value, and where the axis begins.

    The range includes 0 unless the quantity need not begin at 0 and all values are below it.
    """
    means = np.concatenate([panel.mean for panel in scene.panels])
    means = means[np.isfinite(means)]
    if scene.fitted and means.size and means.max() < 0.0:
        lowest, highest = float(means.min()), float(means.max())
    else:
        lowest, highest = float(means.min(initial=0.0)), float(means.max(initial=0.0))
    span = highest - lowest if highest > lowest else 1.0
    return lowest, highest, lowest - (0.05 * span if lowest < 0 else 0.0)


def _legend_size(sheet: Sheet, texts: list[str], font: float, width: int) -> float:
    """Return the font size at which the line of texts above the curves fits a width."""
    wanted, gaps = _SMALL * font, font * len(texts)
    needed = sum(sheet.measure(one_line(text), wanted) for text in texts if text)
    return wanted * min(1.0, max(0.1, (width - gaps) / max(1.0, needed)))


def _ticks(lowest: float, highest: float) -> list[float]:
    """Return 0 and a round number at each end far enough from it; if 0 is outside, both ends."""
    if highest < 0.0:
        step = rounded(max(highest - lowest, 1e-9), (1, 2, 5), "down")
        first, last = np.ceil(lowest / step), np.floor(highest / step)
        return sorted({float(first * step), float(last * step)})
    far = 0.3 * max(highest, -lowest)
    below = [-_round_tick(-lowest)] if lowest < -far else []
    above = [_round_tick(highest)] if highest > far or not below else []
    return [*below, 0.0, *above]


def _round_tick(highest: float) -> float:
    """Return the largest number with one digit up to the highest value; 1 if that is 0."""
    return rounded(highest, range(1, 10), "down") if highest > 0.0 else 1.0


def _draw_marks(sheet: Sheet, scene: Scene, axes: Axes, box: Box) -> None:
    """Shade the marks, and write each label at its first mark with room for it."""
    shown, font = scene.shown, scene.layout.font
    colours, free, written = mark_colours(scene.style.marks), float(box.left), set()
    per_px = (shown.stop_ms - shown.start_ms) / box.width
    for mark in sorted(scene.style.marks, key=lambda mark: mark.start):
        start, stop = max(mark.start, shown.start_ms), min(mark.stop, shown.stop_ms)
        if start >= stop:
            continue
        colour = colours[mark.label]
        axes.axvspan(start, stop, facecolor=colour, alpha=0.25, lw=0)
        thick: Any = {"color": colour, "lw": sheet.points(0.22 * font), "solid_capstyle": "butt"}
        axes.plot([start, stop], [1.0, 1.0], transform=axes.get_xaxis_transform(), **thick)
        x = box.left + (start - shown.start_ms) / per_px + 0.3 * font
        label = one_line(mark.label)
        width = sheet.measure(label, _SMALL * font)
        if mark.label in written or x < free or x + width > box.right:
            continue
        sheet.text(x, box.top + 0.75 * font, label, _SMALL * font, color=colour)
        free = x + width + 0.3 * font
        written.add(mark.label)


def _label_time(sheet: Sheet, scene: Scene, axes: Axes, box: Box) -> None:
    from matplotlib.ticker import MaxNLocator

    font = scene.layout.font
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.ticklabel_format(axis="x", style="plain", useOffset=False)
    sheet.style_ticks(axes, _SMALL * font, scene.foreground)
    x, y = box.left + box.width / 2, box.bottom + 1.75 * font
    since = scene.shown.time_from
    title = f"Time since {since} (ms)" if since else "Time (ms)"
    sheet.text(x, y, title, _SMALL * font, ha="center", color=scene.foreground)
