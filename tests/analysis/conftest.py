"""Cubes here are small and short: most baselines have fewer than 20 bins, which warns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.doubtful import doubtful

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Do not raise that warning; tests of it ask for it by name."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(doubtful)
