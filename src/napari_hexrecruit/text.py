"""Text of users and files for pictures: every character is drawn, with fonts that have it.

Text is never read as mathematics or markup: a dollar sign is a dollar sign.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import RecruitmentWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontEntry
    from matplotlib.text import Text

_BREAKS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_NOT_VALID = "\ufffd"
_NOT_DRAWN = "\u25a1"
"""Drawn for a character that no font has, as in browsers."""
_TAB = " " * 4
_DEFAULT = "sans-serif"
_MOST_FONTS = 4
_MOST_NAMED = 20
_NO_LETTERS = re.compile(r"last ?resort|adobe ?blank|not ?def", re.IGNORECASE)
"""Fonts that claim to have every character and draw the same box for all."""
_SANS = re.compile(r"sans|gothic|hei|symbola|arial|helvetica", re.IGNORECASE)
_SPECIAL = re.compile(r"serif|mincho|mono|code|display|condensed|unifont", re.IGNORECASE)
_WEIGHTS = ("normal", "regular", "book", "medium", "roman")
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH")


@dataclass(frozen=True)
class Drawable:
    """A text as it is drawn.

    Parameters
    ----------
    text
        Lines of characters that the fonts have.
    families
        Font families to try, in order.
    missing
        Characters that no font of the computer has; boxes replace them.
    """

    text: str
    families: tuple[str, ...] = (_DEFAULT,)
    missing: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """Options of a matplotlib text that shows exactly this."""
        return {"parse_math": False, "fontfamily": list(self.families)}


def plain(text: str) -> str:
    r"""Return text that can be drawn: lines of letters, signs and blanks.

    Lone surrogates (bytes of a file name that are not text) and control characters become U+FFFD,
    tabs become blanks, and all line ends become ``\n``.
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    lines = _BREAKS.split(unicodedata.normalize("NFC", encodable(text)))
    cleaned = ("".join(_shown(c) for c in line).rstrip() for line in lines)
    return "\n".join(cleaned).strip("\n")


def encodable(text: str) -> str:
    """Return text that any file can hold: each lone surrogate becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str) -> str:
    """Return text that can be drawn in one line."""
    return " ".join(plain(text).split("\n"))


def _shown(character: str) -> str:
    if character == "\t":
        return _TAB
    return _NOT_VALID if unicodedata.category(character) in ("Cc", "Cs") else character


@lru_cache(maxsize=4096)
def drawable(text: str) -> Drawable:
    """Return how a text is drawn with the fonts of this computer.

    Other fonts are searched only if matplotlib's default font lacks a character.
    """
    text = plain(text)
    missing = frozenset() if text.isascii() else _missing_in_default(text)
    if not missing:
        return Drawable(text)
    families, left = _fonts_for(missing)
    shown = "".join(_instead(c) if c in left else c for c in text)
    told = tuple(c for c in dict.fromkeys(text) if c in left and _instead(c) == _NOT_DRAWN)
    return Drawable(shown, (_DEFAULT, *families), told)


def set_text(artist: Text, text: str) -> None:
    """Make a matplotlib text show exactly this."""
    shown = drawable(text)
    artist.set(text=shown.text, **shown.options)


def legend_of(axes: Axes, handles: Sequence[Artist], names: Sequence[str], **options: Any) -> None:
    """Draw a legend with exactly these names; matplotlib would read some as formulas."""
    legend = axes.legend(handles, [" "] * len(names), frameon=False, loc="upper left", **options)
    for written, name in zip(legend.get_texts(), names, strict=True):
        set_text(written, name)


def _instead(character: str) -> str:
    """Return what replaces a character that no font has; blanks need no font."""
    category = unicodedata.category(character)
    if category == "Zs":
        return "  " if unicodedata.east_asian_width(character) == "F" else " "
    invisible = category == "Cf" or "VARIATION SELECTOR" in unicodedata.name(character, "")
    return "" if invisible else _NOT_DRAWN


def warn_of_missing(texts: Iterable[str], *, stacklevel: int = 3) -> None:
    """Issue one warning about all characters of some texts that no font has."""
    every = "".join(dict.fromkeys("".join("".join(drawable(text).missing) for text in texts)))
    if not every:
        return
    named = every if len(every) <= _MOST_NAMED else f"{every[:_MOST_NAMED]} ..."
    warnings.warn(
        f"no font on this computer has {named}: the picture shows boxes instead; install a font"
        f" that has them, such as {' and '.join(_remedies(every))}",
        RecruitmentWarning,
        stacklevel=stacklevel,
    )


def _remedies(characters: str) -> list[str]:
    fonts: dict[str, None] = {}
    for character in characters:
        if unicodedata.name(character, "").startswith(_EAST_ASIAN):
            fonts["Noto Sans CJK (Debian, Ubuntu: fonts-noto-cjk)"] = None
        elif unicodedata.category(character).startswith("S"):
            fonts["Symbola, as fonts in colour cannot be used (fonts-symbola)"] = None
        else:
            fonts["Noto Sans (fonts-noto-core, fonts-noto-extra)"] = None
    return list(fonts)


def _missing_in_default(text: str) -> frozenset[str]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=[_DEFAULT])))
    return frozenset(c for c in set(text) - {"\n"} if not font.get_char_index(ord(c)))


@lru_cache(maxsize=256)
def _fonts_for(characters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return families that together have the characters, and characters that none has."""
    from matplotlib.font_manager import fontManager

    entries = list(fontManager.ttflist)
    families, left = _covering(entries, characters)
    if any(_instead(c) == _NOT_DRAWN for c in left) and (new := _new_fonts()):
        families, left = _covering([*entries, *new], characters)
    return families, left


def _covering(
    entries: list[FontEntry], characters: frozenset[str]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Choose a few fonts, each with most of the characters still missing."""
    usable = sorted((e for e in entries if _is_usable(e)), key=_rank)
    has = {entry.name: _characters_of(entry, characters) for entry in reversed(usable)}
    ranked = list(dict.fromkeys(entry.name for entry in usable))
    families: list[str] = []
    left = characters
    while ranked and left and len(families) < _MOST_FONTS:
        best = max(ranked, key=lambda name: len(has[name] & left))
        if not has[best] & left:
            break
        families.append(best)
        left = left - has[best]
    return tuple(families), left


def _is_usable(entry: FontEntry) -> bool:
    upright = entry.style == "normal" and entry.variant == "normal"
    weight: Any = entry.weight
    regular = weight in _WEIGHTS if isinstance(weight, str) else 300 <= int(weight) <= 500
    return upright and regular and not _NO_LETTERS.search(entry.name)


def _rank(entry: FontEntry) -> tuple[bool, bool, str]:
    return (
        bool(_SPECIAL.search(entry.name)),
        not _SANS.search(entry.name),
        entry.name,
    )


def _characters_of(entry: FontEntry, characters: frozenset[str]) -> frozenset[str]:
    """Return which characters a font file has; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    face = getattr(entry, "index", 0)
    try:
        font = FT2Font(entry.fname, face_index=face) if face else FT2Font(entry.fname)
        return frozenset(c for c in characters if font.get_char_index(ord(c)))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@lru_cache(maxsize=1)
def _new_fonts() -> tuple[FontEntry, ...]:
    """Find fonts that were installed after matplotlib cached its list."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    before = len(fontManager.ttflist)
    for path in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError, NotImplementedError):  # in colour, or damaged
            continue
    return tuple(fontManager.ttflist[before:])
