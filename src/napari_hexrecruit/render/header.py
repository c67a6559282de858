"""The line with time and marks above a picture, and its title: texts, positions and sizes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.render.titles import Fitted, fitted
from napari_hexrecruit.text import one_line, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_hexrecruit.render.style import Mark, MovieStyle
    from napari_hexrecruit.render.titles import Measure
    from napari_hexrecruit.render.window import Shown

HEADER_FONT = 1.1
"""Size of the time and the title, in font heights."""
GAP = 1.0
"""Space between texts of the header, in font heights."""
_SMALLEST = 0.5
_SMALLEST_TITLE = 0.6
_FIGURE_SPACE = "\u2007"


@dataclass(frozen=True)
class Header:
    """Header of a picture: time, marks and title.

    Parameters
    ----------
    px
        Font size of time and marks.
    labels
        Text for each label of the marks.
    reserved
        Width that time and marks need, px; the title is to the right of them.
    title
        The title, or None.
    above
        Whether the title has its own lines above time and marks.
    """

    px: float
    labels: Mapping[str, str] = field(default_factory=dict)
    reserved: float = 0.0
    title: Fitted | None = None
    above: bool = False


def plan_header(
    style: MovieStyle, shown: Shown, font: float, width: float, measure: Measure
) -> Header:
    """Decide how time, marks and title fit a width.

    Parameters
    ----------
    style, shown
        Title, marks and time format, and the bins shown.
    font
        Height of the text, px.
    width
        Available width, px.
    measure
        Function that returns the width of a text at a font size.

    Returns
    -------
    Header
        The title is beside time and marks if it is one line and fits there, else above them.
    """
    wanted, gap = HEADER_FONT * font, GAP * font
    times = times_as_text(style, shown, (0, len(shown.bins) - 1)) if style.timestamp else []
    time = max((measure(text, wanted) + gap for text in times), default=0.0)
    labels = {mark.label: f"● {one_line(mark.label)}".rstrip() for mark in style.marks}
    together = _active_together(style.marks, shown)
    px, labels = _moving_size(together, labels, (time, width, wanted, gap), measure)
    marks = sum(measure(label, px) + gap for label in labels.values())
    reserved = (max(measure(text, px) + gap for text in times) if times else 0.0) + marks
    text = plain(style.title)
    if not text:
        return Header(px, labels, reserved)
    beside = "\n" not in text and _SMALLEST_TITLE * measure(text, wanted) <= width - reserved
    title = fitted(text, width - reserved if beside else width, wanted, measure)
    return Header(px, labels, reserved, title, above=not beside)


def _moving_size(
    together: list[tuple[str, ...]],
    labels: dict[str, str],
    sizes: tuple[float, float, float, float],
    measure: Measure,
) -> tuple[float, dict[str, str]]:
    """Return the font size of time and marks, and the labels, shortened to keep it readable."""
    time, width, wanted, gap = sizes
    widths = {label: measure(text, wanted) + gap for label, text in labels.items()}
    active = max(together, key=lambda some: sum(map(widths.__getitem__, some)))
    scale = min(1.0, (width + gap) / max(1.0, time + sum(widths[label] for label in active)))
    if scale >= _SMALLEST or not active:
        return wanted * scale, labels
    scale = min(_SMALLEST, (width + gap) / (2.0 * time) if time else 1.0)
    room = ((width + gap) / scale - time) / len(active) - gap
    return wanted * scale, {k: _cut(text, room, wanted, measure) for k, text in labels.items()}


def _active_together(marks: Iterable[Mark], shown: Shown) -> list[tuple[str, ...]]:
    """Return the labels that a frame can show together, for each time at which a mark begins."""
    edges = sorted(
        edge
        for mark in marks
        if mark.start < shown.stop_ms and mark.stop > shown.start_ms
        for edge in ((mark.start - shown.bin_ms, 1, mark.label), (mark.stop, 0, mark.label))
    )
    active: Counter[str] = Counter()
    together: list[tuple[str, ...]] = [()]
    for _, begins, label in edges:
        active[label] += 1 if begins else -1
        if begins:
            together.append(tuple(+active))
    return together


def _cut(text: str, width: float, px: float, measure: Measure) -> str:
    """Shorten a label to a width, with an ellipsis at its end."""
    if measure(text, px) <= width:
        return text
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if measure(text[:middle] + "…", px) <= width else (low, middle - 1)
        )
    return text[:low].rstrip() + "…"


def times_as_text(style: MovieStyle, shown: Shown, frames: Any) -> list[str]:
    """Return the times of frames as text; by default, all have the same number of characters."""
    spans = [shown.bin_span(frame) for frame in frames]
    if style.time_format is not None:
        return [one_line(style.time_format.format(start=a, stop=b)) for a, b in spans]
    decimals, longest = time_digits(shown)
    unit = f" ms from {shown.time_from}" if shown.time_from else " ms"
    return [f"{a:.{decimals}f}".rjust(longest, _FIGURE_SPACE) + unit for a, _ in spans]


def time_digits(shown: Shown) -> tuple[int, int]:
    """Return the decimals that starts of bins need, at most 4, and the length of the longest."""
    decimals = 4
    for fewer in range(4):
        parts = np.array([shown.start_ms, shown.bin_ms])
        if np.abs(parts - parts.round(fewer)).max() < 1e-6:
            decimals = fewer
            break
    ends = shown.bin_span(0)[0], shown.bin_span(len(shown.bins) - 1)[0]
    return decimals, max(len(f"{end:.{decimals}f}") for end in ends)
