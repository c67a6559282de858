"""Commands are put together once in a process: typer does it for each call, which takes longer."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import typer.main
import typer.testing

if TYPE_CHECKING:
    import pytest


def put_together_once(patch: pytest.MonkeyPatch) -> None:
    """From now on, typer remembers the commands of an app."""
    remembered = functools.cache(typer.main.get_command)
    patch.setattr(typer.main, "get_command", remembered)
    patch.setattr(typer.testing, "_get_command", remembered)
