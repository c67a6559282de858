"""What the SONATA libraries raise, as one line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["one_line", "sonata_errors"]


@contextmanager
def sonata_errors(path: Path, what: str) -> Iterator[None]:
    """What the SONATA libraries raise, as one line that names the file."""
    from bluepysnap.exceptions import BluepySnapError
    from libsonata import SonataError

    try:
        yield
    except SimulationDataError:
        raise
    except (BluepySnapError, SonataError, RuntimeError, OSError, ValueError, KeyError) as error:
        raise SimulationDataError(f"{path}: {what}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """The text of an error without line breaks; its kind where it has no text."""
    return " ".join(str(error).split()) or type(error).__name__
