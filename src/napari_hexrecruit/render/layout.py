"""Boxes of the parts of a picture, in pixels from the top left. Nothing is drawn here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_FONT_PER_SIDE = 0.0235
_SMALLEST_FONT = 7.0
_SMALLEST_PANEL = 12
_COLORBAR_SHARE = 0.85


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.height


@dataclass(frozen=True)
class Parts:
    """Parts of a picture and their sizes."""

    n_panels: int
    aspect: float
    """Width divided by height of the area that a panel shows."""
    header: bool = False
    title_height: float = 0.0
    """Height of a title above the header, px."""
    panel_titles: float = 0.0
    """Height of the tallest panel title, px."""
    colorbar: bool = False
    label_widens: float = 0.0
    """Width of the colour bar's label beyond one line, px."""
    scale_bar: bool = False
    strip: bool = False
    marks: bool = False


@dataclass(frozen=True)
class Layout:
    """Boxes of the parts; None for parts that a picture does not have."""

    font: float
    """Height of the text, px."""
    panels: tuple[Box, ...]
    header: Box | None
    colorbar: Box | None
    scale_bar: Box | None
    strip: Box | None
    title: Box | None = None
    """Box of a title that is not in the header."""
    titles_lower: int = 0
    """Empty rows at the top of a panel, by which its title is lowered."""


def font_of(size: tuple[int, int], font_scale: float) -> float:
    """Return the height of the text of a picture, px."""
    return max(_SMALLEST_FONT, _FONT_PER_SIDE * math.sqrt(size[0] * size[1])) * font_scale


def margin_of(font: float) -> int:
    """Return the empty space along the edges of a picture, px."""
    return round(0.7 * font)


def lay_out(size: tuple[int, int], font_scale: float, parts: Parts) -> Layout:
    """Give each part its box.

    Parameters
    ----------
    size
        (width, height) of the picture, px.
    font_scale
        Factor of the text size.
    parts
        Parts of the picture.

    Returns
    -------
    Layout
        Boxes inside the picture that do not overlap.

    Raises
    ------
    ValueError
        If the space left for the map is too small to show anything.
    """
    width, height = size
    font = font_of(size, font_scale)
    margin = margin_of(font)
    title, header, top = _head(parts, font, margin, width - 2 * margin)
    right = width - margin
    if parts.colorbar:
        right -= round(6.0 * font + parts.label_widens)
    floor = height - margin
    strip, floor = _strip(parts, font, margin, right, floor, height)
    scale_bar = None
    if parts.scale_bar:
        floor -= round(2.0 * font)
        scale_bar = Box(margin, floor, right - margin, round(2.0 * font))
    area = Box(margin, top, right - margin, floor - top)
    panels = _panels(area, parts, font)
    if min(min(box.width, box.height) for box in panels) < _SMALLEST_PANEL:
        raise ValueError(
            f"a picture of {width} x {height} px has no room for the map beside its other parts:"
            " make it larger, leave parts or font_scale out, or shorten titles"
        )
    colorbar = _colorbar(area, right, font) if parts.colorbar else None
    return Layout(font, panels, header, colorbar, scale_bar, strip, title)


def _head(parts: Parts, font: float, margin: int, width: int) -> tuple[Box | None, Box | None, int]:
    """Return the boxes of a separate title and of the header, and the first row below them."""
    title = header = None
    top = margin
    if parts.title_height:
        title = Box(margin, top, width, math.ceil(parts.title_height))
        top = title.bottom
    if parts.header:
        header = Box(margin, top, width, round(1.6 * font))
        top = header.bottom
    return title, header, top + round(0.3 * font) if title or header else top


def _strip(
    parts: Parts, font: float, margin: int, right: int, floor: int, height: int
) -> tuple[Box | None, int]:
    """Return the box of the strip, with tick labels left and below, and the lowest row above it."""
    if not (parts.strip or parts.marks):
        return None, floor
    tall = max(3.0 * font, 0.13 * height) if parts.strip else 1.5 * font
    bottom = floor - round(2.3 * font)
    left = margin + round(2.4 * font)
    strip = Box(left, bottom - round(tall), right - left, round(tall))
    return strip, strip.top - round(1.9 * font if parts.strip else 1.0 * font)


def _panels(area: Box, parts: Parts, font: float) -> tuple[Box, ...]:
    """Arrange panels in the number of columns that shows them largest."""
    title = round(max(1.6 * font, parts.panel_titles + 0.3 * font)) if parts.panel_titles else 0
    gap = round(0.8 * font)
    n = parts.n_panels

    def boxes(n_columns: int) -> tuple[Box, ...]:
        n_rows = math.ceil(n / n_columns)
        width = (area.width - gap * (n_columns - 1)) // n_columns
        height = (area.height - gap * (n_rows - 1)) // n_rows - title
        return tuple(
            Box(
                area.left + (k % n_columns) * (width + gap),
                area.top + (k // n_columns) * (height + title + gap) + title,
                width,
                height,
            )
            for k in range(n)
        )

    def shown_height(columns: int) -> float:
        box = boxes(columns)[0]
        return min(box.height, box.width / parts.aspect)

    return boxes(max(range(1, n + 1), key=shown_height))


def _colorbar(area: Box, right: int, font: float) -> Box:
    return Box(right + round(0.9 * font), area.top, max(2, round(0.9 * font)), area.height)


def close_up(layout: Layout, top: float, bottom: float) -> Layout:
    """Move colour bar, scale bar and titles close to the part of the panels that is filled.

    Parameters
    ----------
    layout
        Boxes from `lay_out`.
    top, bottom
        First and last filled row of a panel, px from the top of the panel.

    Returns
    -------
    Layout
        Layout with the same panels.
    """
    first, last = layout.panels[0], layout.panels[-1]
    high, low = first.top + round(top), last.top + round(bottom)
    colorbar, scale_bar = layout.colorbar, layout.scale_bar
    if colorbar is not None:
        room = colorbar.height
        height = round(min(room, max(_COLORBAR_SHARE * (low - high), 9.0 * layout.font)))
        middle = min(max((high + low) // 2, colorbar.top + height // 2), colorbar.bottom)
        start = min(middle - height // 2, colorbar.bottom - height)
        colorbar = replace(colorbar, top=start, height=height)
    if scale_bar is not None:
        scale_bar = replace(scale_bar, top=min(scale_bar.top, low))
    return replace(layout, colorbar=colorbar, scale_bar=scale_bar, titles_lower=round(top))
