"""How often a test repeats what it does: a few times, or as often as shows rare faults."""

from __future__ import annotations

import os

THOROUGH = "HEXRECRUIT_THOROUGH"
"""Variable of the environment; `make reliability` sets it."""


def repetitions(few: int, many: int) -> int:
    """How often: `many` for `make reliability`, otherwise `few`."""
    return many if os.environ.get(THOROUGH) else few
