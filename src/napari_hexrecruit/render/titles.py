"""Titles fitted to a width: unchanged, else smaller, else in several lines, but never cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise

from napari_hexrecruit.text import plain

Measure = Callable[[str, float], float]
"""Function that returns the width of a text at a font size, px."""

LINE = 1.3
"""Height of a line, in font sizes."""
_SMALLEST = 0.6
_SCALES = ((1.0, 2), (0.8, 3), (_SMALLEST, None))
"""Scales of text in several lines, each with the most lines before the next scale is tried."""
_HALVINGS = 6
_TRIES = 4


@dataclass(frozen=True)
class Fitted:
    """A text fitted to a width.

    Parameters
    ----------
    lines
        Lines from top to bottom.
    px
        Font size.
    """

    lines: tuple[str, ...]
    px: float

    @property
    def height(self) -> float:
        """Height of all lines, px."""
        return len(self.lines) * LINE * self.px


def fitted(text: str, width: float, px: float, measure: Measure) -> Fitted:
    """Make a title fit a width.

    Parameters
    ----------
    text
        Title; its line breaks are kept.
    width
        Available width, px.
    px
        Desired font size.
    measure
        See `Measure`.

    Returns
    -------
    Fitted
        The title unchanged if it fits; else smaller, by at most two fifths; else in as many lines
        as it takes.
    """
    lines = plain(text).split("\n")
    widest = max(measure(line, px) for line in lines)
    if _SMALLEST * widest <= width:
        return _no_wider(lines, width, px, measure)
    for scale, most in _SCALES:
        parts = [part for line in lines for part in _wrapped(line, width, scale * px, measure)]
        if most is None or len(parts) <= max(most, len(lines)):
            break
    return _no_wider(parts, width, scale * px, measure)


def _no_wider(lines: list[str], width: float, px: float, measure: Measure) -> Fitted:
    """Shrink repeatedly until the lines fit, because widths are not quite proportional to size."""
    for _ in range(_TRIES):
        widest = max(measure(line, px) for line in lines)
        if widest <= width:
            break
        px *= width / widest
    return Fitted(tuple(lines), px)


def _wrapped(line: str, width: float, px: float, measure: Measure) -> list[str]:
    """Wrap a line into lines of similar width, none wider than `width`."""

    def advance(word: str) -> float:
        return measure(f"0{word}0", px) - measure("00", px)

    words = [piece for word in _words(line) for piece in _pieces(word, width, advance)]
    widths = [advance(word) for word in words]
    n_lines = len(_filled(words, widths, width))
    low, high = sum(widths) / n_lines, width
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if max(widths) <= middle and len(_filled(words, widths, middle)) == n_lines:
            high = middle
        else:
            low = middle
    return _filled(words, widths, high)


def _words(line: str) -> list[str]:
    """Split a line where it can break; blanks stay at the end of the part before."""
    return [word for part in re.findall(r"\s*\S+\s*|\s+", line) for word in _letters(part)] or [""]


def _letters(word: str) -> list[str]:
    """Split off single letters of scripts that are written without blanks."""
    cuts = [k for k, c in enumerate(word) if unicodedata.east_asian_width(c) in "WF" and k]
    bounds = sorted({0, *cuts, *(k + 1 for k in cuts), len(word)})
    return [word[a:b] for a, b in pairwise(bounds)]


def _pieces(word: str, width: float, advance: Callable[[str], float]) -> list[str]:
    """Split a word that is wider than a line into pieces that are not."""
    if len(word) == 1 or advance(word.rstrip()) <= width:
        return [word]
    ends = list(accumulate(advance(letter) for letter in word))
    pieces, start, done = [], 0, 0.0
    for k, end in enumerate(ends):
        if k > start and end - done > width:
            pieces.append(word[start:k])
            start, done = k, ends[k - 1]
    return [*pieces, word[start:]]


def _filled(words: list[str], widths: list[float], width: float) -> list[str]:
    """Fill line after line."""
    lines, at = [""], 0.0
    for word, wide in zip(words, widths, strict=True):
        if lines[-1] and at + wide > width:
            lines.append("")
            at = 0.0
        lines[-1] += word
        at += wide
    return [line.strip() for line in lines]
