"""How work that takes long reports to who waits for it, and is ended by them."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``; what it raises ends the work."""
