"""Shared code of the analysis commands: options, reading cubes, writing tables and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._console import about, say
from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Cube = Annotated[
    Path, typer.Argument(metavar="CUBE", help="A .hexrecruit.nc file or .zarr folder.")
]
Hexes = Annotated[
    list[str] | None,
    typer.Option(
        "--hex", metavar="NAMES", help="Hexagons, as in 'R1;C2,R1;C3'; may be given again."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]
MetricName = Annotated[
    str | None,
    typer.Option(
        help="recruitment, n_recruited or rate, or a variable of the cube; default: its first."
    ),
]
Onset = Annotated[
    float | None,
    typer.Option(metavar="MS", help="When the stimulus begins, ms; 0 in a mean over trials."),
]
Until = Annotated[float | None, typer.Option(metavar="MS", help="End of the search, ms.")]
Baseline = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="START STOP", help="Window of the baseline, ms; default: all before."),
]
Deviations = Annotated[
    float | None,
    typer.Option(
        "--sd",
        metavar="N",
        help="Standard deviations that a response exceeds it by; default: by its counts.",
    ),
]


def read(path: Path) -> xr.Dataset:
    """Read the cube of a file."""
    from napari_hexrecruit.storage.cubes import ENDINGS, read_cube

    if not path.name.endswith(ENDINGS):
        from napari_hexrecruit.storage.kinds import instead_of

        other = instead_of(path, "cube")
        if other is not None:
            raise other
        listed = " or ".join(ENDINGS)
        raise HexRecruitError(
            f"{path}: is not a cube: give a {listed} file (see 'hexrecruit cube')"
        )
    return read_cube(path)


def simulation_of(path: Path, cube: xr.Dataset) -> Any:
    """Open the simulation that a cube was computed from."""
    from napari_hexrecruit.pipeline.members import open_recipe
    from napari_hexrecruit.recipe import CubeRecipe

    with about(path):
        return open_recipe(CubeRecipe.of(cube))


def names_of(hexes: list[str] | None) -> list[str]:
    """Return the single names in values of --hex."""
    together = ",".join(hexes or [])
    return [name.strip() for name in together.split(",") if name.strip()]


def check_ending(output: Path, endings: tuple[str, ...], *, overwrite: bool) -> None:
    """Refuse a name without a known ending, or that cannot be written."""
    from napari_hexrecruit.storage.atomic import check_writable
    from napari_hexrecruit.storage.cubes import ENDINGS, check_output

    if not output.name.lower().endswith(endings):
        raise HexRecruitError(f"{output}: the name must end in {', '.join(endings)}")
    check = check_output if output.name.endswith(ENDINGS) else check_writable
    check(output, overwrite=overwrite)


def write_table(table: pd.DataFrame, output: Path | None, *, overwrite: bool) -> None:
    """Write a table as CSV to a file, or to standard output."""
    from napari_hexrecruit.storage.atomic import written_aside

    text = table.to_csv(index=False, lineterminator="\n")
    if output is None:
        say(text.rstrip("\n"))
        return
    with written_aside(output, overwrite=overwrite) as aside:
        aside.write_text(text, encoding="utf-8")


def say_json(values: dict[str, Any]) -> None:
    """Print values as JSON, for another program."""
    say(json.dumps(values, indent=2))
