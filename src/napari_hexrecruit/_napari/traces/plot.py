"""Traces drawn with matplotlib: population on top, then picked hexagons, then raster of neurons.

The same plot is shown in the viewer and saved as a picture. Knows neither napari nor Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from napari_hexrecruit._napari.traces.traces import Line, Strip, Traces, decimated, limits_of
from napari_hexrecruit.rounding import short
from napari_hexrecruit.text import drawable, legend_of, plain, set_text, warn_of_missing

DPI = 96
FONT = 8.0
_STRIP_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 34, 12, 18, 38
_RASTER_SHARE = 0.42
_MOST_LINES = 10
"""Largest number of lines of the legend."""
_THIN, _THINNER, _BOLD = 1.3, 1.0, 2.2
_FEW = 7
"""Up to this number of lines, each is drawn a little wider."""
_DOT = 5.0
_LETTER_PX = 5.6
"""Approximate width of a character of the labels."""


@dataclass(frozen=True)
class PlotStyle:
    """Colours of a plot.

    Parameters
    ----------
    background, text, muted, line
        Colours of the background, of text and axes, of secondary elements, and of the mean.
    """

    background: str
    text: str
    muted: str
    line: str


PAPER = PlotStyle("white", "#222222", "#8a8a8a", "black")
"""Style for files: dark on white."""


class TracePlot:
    """A figure with the population over time, the picked hexagons and, optionally, a raster.

    Parameters
    ----------
    figure
        Figure to draw in, of any size.
    style
        Colours of the plot.

    Attributes
    ----------
    strip, main, below
        Axes of population, hexagons and raster; they share the time axis.
    """

    def __init__(self, figure: Figure, style: PlotStyle) -> None:
        self.figure, self.style = figure, style
        self.strip: Axes = figure.add_axes((0.1, 0.8, 0.8, 0.1))
        self.main: Axes = figure.add_axes((0.1, 0.4, 0.8, 0.3), sharex=self.strip)
        self.below: Axes = figure.add_axes((0.1, 0.1, 0.8, 0.2), sharex=self.strip)
        self._margins = (70.0, 16.0)
        self._strip: Strip | None = None
        self._traces: Traces | None = None
        self._hint = ""
        self._raster: tuple[npt.NDArray[np.uint8], int] | None = None
        for axes in (self.strip, self.main, self.below):
            axes.margins(0)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=FONT, length=3, width=0.8)
        self.strip.tick_params(labelbottom=False, bottom=False)
        self.strip.spines["bottom"].set_visible(False)
        self._place()
        self.restyle(style)

    # --- what is shown ----------------------------------------------------------------------------

    def show_strip(self, strip: Strip | None) -> None:
        """Show the population, and set its time window on all axes."""
        self._strip = strip
        if strip is not None:
            warn_of_missing([strip.title, strip.time_title, strip.counted])
        self._place()
        self._redraw_strip()

    def show_traces(self, traces: Traces | None, hint: str = "") -> None:
        """Show hexagons, or a hint if there are none."""
        self._traces, self._hint = traces, hint
        self._redraw_traces()

    def show_raster(self, picture: npt.NDArray[np.uint8] | None, n_lines: int = 0) -> None:
        """Show the raster below the hexagons, or remove it."""
        self._raster = None if picture is None else (picture, n_lines)
        self._place()
        self._redraw_traces()
        self._redraw_raster()

    def restyle(self, style: PlotStyle) -> None:
        """Redraw everything in new colours."""
        self.style = style
        self.figure.set_facecolor(style.background)
        for axes in (self.strip, self.main, self.below):
            axes.set_facecolor("none")
            axes.tick_params(colors=style.text)
            for side in ("left", "bottom"):
                axes.spines[side].set_color(style.muted)
        self._redraw_strip()
        self._redraw_traces()
        self._redraw_raster()

    # --- where it is ------------------------------------------------------------------------------

    def set_margins(self, left: float, right: float) -> None:
        """Set the margins to the left and right of the time axis, px."""
        self._margins = (left, right)
        self._place()
        if self._traces is None:
            self._redraw_traces()  # wraps the hint to the new width

    def fit(self) -> None:
        """Fit the plot to the new size of the figure."""
        self._place()
        self._redraw_traces()

    def span(self) -> tuple[float, float]:
        """Return the left and right end of the time axis, px."""
        left, right = self._margins
        return left, max(left + 1.0, float(self.figure.bbox.width) - right)

    @property
    def raster_size(self) -> tuple[int, int]:
        """Columns and rows of pixels of a raster, shown or not."""
        left, right = self.span()
        _, heights = self._heights(with_raster=True)
        return max(int((right - left) / 1.5), 1), max(int(heights[2]), 1)

    def _place(self) -> None:
        width, height = (max(float(v), 1.0) for v in self.figure.bbox.size)
        left, right = self.span()
        bottoms, heights = self._heights(with_raster=self._raster is not None)
        for axes, bottom, tall in zip(self._all(), bottoms, heights, strict=True):
            axes.set_visible(tall > 0)
            box = (left / width, bottom / height, (right - left) / width, max(tall, 1.0) / height)
            axes.set_position(box)
        lowest = self.below if self._raster is not None else self.main
        for axes in (self.main, self.below):
            axes.tick_params(labelbottom=axes is lowest)
            title = "Time (ms)" if self._strip is None else self._strip.time_title
            axes.set_xlabel("", fontsize=FONT)
            set_text(axes.xaxis.label, title if axes is lowest else "")

    def _heights(self, *, with_raster: bool) -> tuple[list[float], list[float]]:
        """Return bottoms and heights of the axes, px, from top to bottom."""
        height = float(self.figure.bbox.height)
        top = height - _TOP_PX - _STRIP_PX
        room = max(top - _GAP_PX - _BOTTOM_PX, 1.0)
        below = _RASTER_SHARE * (room - _GAP_PX) if with_raster else 0.0
        at = _BOTTOM_PX + below + (_GAP_PX if with_raster else 0.0)
        return [top, at, _BOTTOM_PX], [_STRIP_PX, max(top - _GAP_PX - at, 1.0), max(below, 0.0)]

    def _all(self) -> tuple[Axes, Axes, Axes]:
        return self.strip, self.main, self.below

    # --- drawing ----------------------------------------------------------------------------------

    def _redraw_strip(self) -> None:
        _empty(self.strip)
        strip, style = self._strip, self.style
        if strip is None:
            self.strip.set_yticks([])
            return
        x, y = decimated(strip.time_ms, strip.values, self._n_columns())
        low, high = limits_of([strip.values], fitted=strip.fitted)
        self.strip.set_xlim(*strip.window_ms)
        self.strip.set_ylim(low, high)
        self.strip.fill_between(
            x, y, min(max(low, 0.0), high), color=style.muted, alpha=0.45, linewidth=0
        )
        self.strip.add_line(_line(x, y, style.text, 1.0))
        end = high / 1.05 if high >= -low else low / 1.05
        self.strip.set_yticks([(low + high) / 2 if high < 0 else end])
        self.strip.yaxis.set_major_formatter(FuncFormatter(_rounded))
        counted = self.strip.text(
            *(0.0, 1.0, ""),
            fontsize=FONT - 1,
            color=style.muted,
            transform=self.strip.transAxes,
            va="bottom",
        )
        set_text(counted, _cut(plain(strip.counted), self.strip))
        self.strip.set_ylabel(
            "All", fontsize=FONT, color=style.text, rotation=0, ha="right", va="center"
        )
        self._thin_out_time()

    def _redraw_traces(self) -> None:
        _empty(self.main)
        traces, style = self._traces, self.style
        title = "" if self._strip is None or traces is None else self._strip.title
        self.main.set_ylabel("", fontsize=FONT, color=style.text)
        set_text(self.main.yaxis.label, _fitted(plain(title), self.main))
        self.main.xaxis.label.set_color(style.text)
        if traces is None:
            self.main.set_yticks([])
            self._show_hint()
            return
        self.main.set_ylim(*traces.limits())
        self.main.yaxis.set_major_locator(MaxNLocator(4))
        self.main.yaxis.set_major_formatter(FuncFormatter(_number))
        if traces.limits()[0] < 0 <= traces.limits()[1]:
            self.main.axhline(0.0, color=style.muted, linewidth=0.8, zorder=0)
        if self._strip is not None and self._strip.onset_ms is not None:
            onset = self._strip.onset_ms
            self.main.axvline(onset, color=style.muted, linewidth=1.0, linestyle="--", zorder=0)
        self._draw_lines(traces)

    def _draw_lines(self, traces: Traces) -> None:
        width = _THIN if len(traces.lines) <= _FEW else _THINNER
        for line in traces.lines:
            self.main.add_line(self._hex_line(traces, line, width))
        if traces.band is not None:
            low, high = traces.band
            alone = self.style.muted
            self.main.fill_between(traces.time_ms, low, high, color=alone, alpha=0.5, linewidth=0)
        if traces.n_hexes > 1:
            x, y = decimated(traces.time_ms, traces.mean, self._n_columns())
            self.main.add_line(_line(x, y, self.style.line, _BOLD, zorder=5))

    def _hex_line(self, traces: Traces, line: Line, width: float) -> Line2D:
        x, y = decimated(traces.time_ms, line.values, self._n_columns())
        drawn = _line(x, y, line.colour, width)
        if line.dash:
            drawn.set_dashes([part * 1.6 for part in line.dash])
        return drawn

    def _show_hint(self) -> None:
        lines = [
            fill(line, int(0.9 * _n_letters(self.main)) + 1) for line in self._hint.split("\n")
        ]
        self.main.text(
            0.5,
            0.5,
            drawable("\n".join(lines)).text,
            transform=self.main.transAxes,
            ha="center",
            va="center",
            fontsize=FONT + 1,
            color=self.style.text,
            alpha=0.7,
            linespacing=1.7,
            **drawable(self._hint).options,
        )

    def _redraw_raster(self) -> None:
        _empty(self.below)
        self.below.xaxis.label.set_color(self.style.text)
        if self._raster is None or self._strip is None:
            return
        picture, n_lines = self._raster
        window = self._strip.window_ms
        self.below.imshow(
            picture,
            extent=(*window, 0, max(n_lines, 1)),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
        )
        self.below.set_xlim(*window)
        self.below.set_yticks([max(n_lines, 1)])
        self.below.yaxis.set_major_formatter(FuncFormatter(_number))
        self.below.set_ylabel("Neurons", fontsize=FONT, color=self.style.text)

    def _thin_out_time(self) -> None:
        self.strip.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
        self.strip.xaxis.set_major_formatter(FuncFormatter(_number))

    def _n_columns(self) -> int:
        left, right = self.span()
        return int(right - left)


def add_legend(plot: TracePlot, traces: Traces) -> None:
    """Add a legend beside the hexagons, for a saved picture.

    It has at most ten lines of text; if there are more hexagons, the last line states how many.
    """
    handles = []
    if traces.n_hexes > 1:
        label = f"Mean of {traces.n_hexes}\n({traces.n_neurons:,} neurons)"
        handles.append(_sample(plot.style.line, _BOLD, (), label))
    n_named = min(len(traces.lines), _MOST_LINES - 2 * len(handles))
    if n_named < len(traces.lines):
        n_named -= 1
    named = traces.lines[:n_named]
    handles += [_sample(line.colour, _THIN, line.dash, line.name) for line in named]
    if n_named < len(traces.lines):
        others = f"and {len(traces.lines) - n_named} others"
        handles.append(_sample("none", _THIN, (), others))
    names = [str(handle.get_label()) for handle in handles]
    legend_of(
        *(plot.main, handles, names),
        bbox_to_anchor=(1.01, 1.0),
        fontsize=FONT,
        labelcolor=plot.style.text,
    )
    warn_of_missing(names)


def _sample(colour: str, width: float, dash: tuple[float, ...], label: str) -> Line2D:
    line = Line2D([], [], color=colour, linewidth=width, label=label)
    if dash:
        line.set_dashes([part * 1.6 for part in dash])
    return line


def _line(x: Any, y: Any, colour: str, width: float, zorder: float = 3) -> Line2D:
    """Make a line; a single point, or one between gaps, is drawn as a dot."""
    line = Line2D(x, y, color=colour, linewidth=width, zorder=zorder, solid_joinstyle="round")
    alone = _alone(np.asarray(y, dtype=float))
    if alone.size:
        line.set(marker="o", markersize=_DOT, markevery=alone.tolist(), markeredgewidth=0)
    return line


def _alone(y: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the positions of finite values without a finite neighbour."""
    there = np.concatenate([[False], np.isfinite(y), [False]])
    return np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:])


def _fitted(title: str, axes: Axes) -> str:
    """Break a title into two lines if the axes are too low for one."""
    if len(title) * _LETTER_PX <= float(axes.bbox.height) or " " not in title:
        return title
    middle = len(title) / 2
    at = min((k for k, c in enumerate(title) if c == " "), key=lambda k: abs(k - middle))
    return f"{title[:at]}\n{title[at + 1 :]}"


def _n_letters(axes: Axes) -> int:
    """Return how many letters fit into the width of the axes."""
    return max(int(float(axes.bbox.width) / _LETTER_PX), 1)


def _cut(text: str, axes: Axes) -> str:
    """Shorten a text that is wider than the axes, with an ellipsis."""
    most = _n_letters(axes)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _empty(axes: Axes) -> None:
    """Remove what is drawn, but keep axes, limits and ticks, which are slow to make."""
    for artist in (*axes.lines, *axes.collections, *axes.texts, *axes.images):
        artist.remove()


def _number(value: float, _: object = None) -> str:
    return f"{value:,.6g}"


def _rounded(value: float, _: object = None) -> str:
    return short(value)
