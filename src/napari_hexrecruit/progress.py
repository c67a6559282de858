"""How long work reports its progress to the caller, who can cancel it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``; an exception that it raises ends the work."""
