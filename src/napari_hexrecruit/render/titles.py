"""Titles that fit their place: as they are, else smaller, else in several lines. Never cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise

from napari_hexrecruit.text import plain

Measure = Callable[[str, float], float]
"""Width that a text has at a font size, px."""

LINE = 1.3
"""Height of a line, in font sizes."""
_SMALLEST = 0.6
_SCALES = ((1.0, 2), (0.8, 3), (_SMALLEST, None))
"""Sizes of text in several lines, and with how many lines the next smaller one is taken."""
_HALVINGS = 6
_TRIES = 4


@dataclass(frozen=True)
class Fitted:
    """A text that was made to fit.

    Parameters
    ----------
    lines
        From top to bottom.
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
        The title; ends of lines in it are kept.
    width
        What there is, px.
    px
        Font size that is wanted.
    measure
        See `Measure`.

    Returns
    -------
    Fitted
        The title as it is if it fits, or else smaller, but not by more than two fifths; or else in
        as many lines as it takes.
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
    """Shrink until it fits: letters of half the size are not quite half as wide."""
    for _ in range(_TRIES):
        widest = max(measure(line, px) for line in lines)
        if widest <= width:
            break
        px *= width / widest
    return Fitted(tuple(lines), px)


def _wrapped(line: str, width: float, px: float, measure: Measure) -> list[str]:
    """Lines of about the same width, none wider than this."""

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
    """Parts of a line between which it may end; blanks stay at the end of the part before."""
    return [word for part in re.findall(r"\s*\S+\s*|\s+", line) for word in _letters(part)] or [""]


def _letters(word: str) -> list[str]:
    """Single letters of scripts that are written without blanks."""
    cuts = [k for k, c in enumerate(word) if unicodedata.east_asian_width(c) in "WF" and k]
    bounds = sorted({0, *cuts, *(k + 1 for k in cuts), len(word)})
    return [word[a:b] for a, b in pairwise(bounds)]


def _pieces(word: str, width: float, advance: Callable[[str], float]) -> list[str]:
    """A word that is wider than a line, in pieces that are not."""
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
