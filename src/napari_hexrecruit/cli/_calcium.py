"""``hexrecruit calcium``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_hexrecruit.cli._answers import Cube, check_ending, read
from napari_hexrecruit.cli._console import about, say
from napari_hexrecruit.cli._options import Overwrite


def calcium(
    cube: Cube,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT.hexrecruit.nc", help="File to write."),
    ],
    rise_ms: Annotated[float, typer.Option("--rise", metavar="MS", help="Rise, ms.")] = 50.0,
    decay_ms: Annotated[float, typer.Option("--decay", metavar="MS", help="Decay, ms.")] = 500.0,
    overwrite: Overwrite = False,
) -> None:
    """Write a cube as a slow calcium indicator would show it."""
    from napari_hexrecruit.analysis.slow_kernel import calcium as convolved
    from napari_hexrecruit.schema import notes_of
    from napari_hexrecruit.storage.cubes import ENDINGS, write_cube

    check_ending(output, ENDINGS, overwrite=overwrite)
    with about(cube):
        made = convolved(read(cube), rise_ms=rise_ms, decay_ms=decay_ms)
    write_cube(made, output, overwrite=overwrite)
    say(f"{output}: {notes_of(made)[-1]}")
