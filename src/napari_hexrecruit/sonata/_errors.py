"""What libraries raise, as one line."""

from __future__ import annotations

__all__ = ["one_line"]


def one_line(error: BaseException) -> str:
    """The text of an error without line breaks; its kind where it has no text."""
    return " ".join(str(error).split()) or type(error).__name__
