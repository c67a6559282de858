"""A matplotlib figure measured in pixels from the top left, and text as masks of pixels.

Only this module sets up matplotlib. Pictures never depend on the user's matplotlib settings, and
need neither a display nor pyplot.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import re
import unicodedata
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.render.layout import Box
from napari_hexrecruit.text import drawable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


Pixels = npt.NDArray[np.uint8]

_DPI = 100.0
_VECTOR_IMAGE_DPI = 300.0
"""Resolution of images inside of vector files."""
_POINTS_PER_INCH = 72.0
_HALF_DIGIT = 0.365
"""Half the height of a digit, in font sizes."""
_DIGITS = "0123456789"
_SEGMENTS = re.compile(r"[0-9]|[^0-9]+")


@contextlib.contextmanager
def default_settings(**settings: Any) -> Iterator[None]:
    """Use matplotlib's defaults and these settings, not the user's; restore them afterwards."""
    import matplotlib.style

    with matplotlib.style.context(["default", settings]):
        yield


def colour_table(name: str) -> Pixels:
    """Return the (n_colours, 4) uint8 colours of a matplotlib colormap, from low to high.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists similar ones.
    """
    import matplotlib as mpl

    if name not in mpl.colormaps:
        known = [known for known in mpl.colormaps if not known.endswith("_r")]
        close = difflib.get_close_matches(name, list(mpl.colormaps), n=5, cutoff=0.5)
        hint = ", ".join(close or [n for n in ("viridis", "magma", "cividis") if n in known])
        raise ValueError(f"colormap {name!r} is unknown to matplotlib: use for example {hint}")
    colormap = mpl.colormaps[name]
    table: Pixels = np.array(colormap(np.arange(colormap.N), bytes=True), dtype=np.uint8)
    return table


class Sheet:
    """A figure measured in pixels: lengths and font sizes are pixels, y runs down.

    Parameters
    ----------
    size
        (width, height), px.
    facecolor
        Any matplotlib colour, ``"none"`` for transparent.
    dpi
        Pixels per inch; matters only for vector files.
    """

    def __init__(self, size: tuple[int, int], facecolor: Any = "none", dpi: float = _DPI) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = size
        self._dpi = dpi
        self.figure: Figure = Figure(figsize=(self.width / dpi, self.height / dpi), dpi=dpi)
        self.figure.patch.set_facecolor(facecolor)
        self._canvas: Any = FigureCanvasAgg(self.figure)

    def points(self, px: float) -> float:
        """Convert a length to points, matplotlib's unit of font sizes and line widths."""
        return px * _POINTS_PER_INCH / self._dpi

    def axes(self, box: Box) -> Axes:
        """Add axes that fill a box."""
        return self.figure.add_axes(
            (
                box.left / self.width,
                1.0 - box.bottom / self.height,
                box.width / self.width,
                box.height / self.height,
            )
        )

    def text(self, x: float, y: float, text: str, px: float, **options: Any) -> Text:
        """Write text at a point, by default with the middle of its left end there."""
        shown = drawable(text)
        settings: dict[str, Any] = {"ha": "left", "va": "center"} | shown.options | options
        where = x / self.width, 1.0 - y / self.height
        return self.figure.text(*where, shown.text, fontsize=self.points(px), **settings)

    def line_of_text(self, x: float, box: Box, text: str, px: float, **options: Any) -> Text:
        """Write text from x on, with its digits vertically centred in a box."""
        y = box.top + box.height / 2 + _HALF_DIGIT * px
        return self.text(x, round(y), text, px, va="baseline", **options)

    def text_width(self, text: Text) -> float:
        """Return the width of a text, px."""
        return float(text.get_window_extent(self._canvas.get_renderer()).width)

    def measure(self, text: str, px: float) -> float:
        """Return the width that a text would have, px."""
        written = self.text(0, 0, text, px)
        width = self.text_width(written)
        written.remove()
        return width

    def style_ticks(self, axes: Axes, px: float, colour: str) -> None:
        """Set the font size and colour of the ticks of axes."""
        axes.tick_params(
            labelsize=self.points(px),
            length=self.points(0.22 * px),
            width=self.points(max(0.8, 0.07 * px)),
            pad=self.points(0.22 * px),
            color=colour,
            labelcolor=colour,
        )

    def pixels(self) -> Pixels:
        """Return the (height, width, 4) uint8 picture with straight alpha."""
        self._canvas.draw()
        return np.array(self._canvas.buffer_rgba())

    def save(self, file: Path | IO[bytes], kind: str) -> None:
        """Write a vector file that depends only on what was drawn, not on the date."""
        metadata = {"Date": None} if kind == "svg" else {"CreationDate": None}
        self.figure.savefig(file, format=kind, metadata=metadata, dpi=_VECTOR_IMAGE_DPI)


class TextMasks:
    """Text as (height, width) coverage; each digit and run of other characters is drawn once.

    All digits have equal width, so that a running number does not jitter.

    Parameters
    ----------
    px
        Font size, px.
    """

    def __init__(self, px: float) -> None:
        self._px = px
        self._height = math.ceil(1.5 * px)
        self._pad = math.ceil(0.3 * px)
        self._masks: dict[str, tuple[npt.NDArray[np.float32], int]] = {}

    @property
    def height(self) -> int:
        """Height of every mask, px; the digits are vertically centred in it."""
        return self._height

    def mask(self, text: str) -> npt.NDArray[np.float32]:
        """Return the (height, width) coverage of a text, 0 to 1."""
        parts = [self._part(part) for part in _segments(text)]
        width = sum(advance for _, advance in parts) + 2 * self._pad
        mask = np.zeros((self._height, width), dtype=np.float32)
        at = 0
        for part, advance in parts:
            target = mask[:, at : at + part.shape[1]]
            np.maximum(target, part[:, : target.shape[1]], out=target)
            at += advance
        return mask[:, self._pad :]

    def _part(self, part: str) -> tuple[npt.NDArray[np.float32], int]:
        if part not in self._masks:
            with default_settings():
                self._masks[part] = self._draw(part)
        return self._masks[part]

    def _draw(self, part: str) -> tuple[npt.NDArray[np.float32], int]:
        advance = self._width(f"0{part}0") - self._width("00")
        if part in _DIGITS:
            advance = (self._width("0" * 11) - self._width("0")) / 10.0
        width = math.ceil(advance) + 2 * self._pad
        sheet = Sheet((width, self._height))
        sheet.line_of_text(self._pad, Box(0, 0, width, self._height), part, self._px, color="black")
        return sheet.pixels()[..., 3].astype(np.float32) / np.float32(255), round(advance)

    def _width(self, text: str) -> float:
        sheet = Sheet((8, 8))
        return sheet.text_width(sheet.text(0, 0, text, self._px))


def _segments(text: str) -> list[str]:
    """Split a text into parts that can be drawn one after the other from left to right."""
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return [text]
    return _SEGMENTS.findall(text)
