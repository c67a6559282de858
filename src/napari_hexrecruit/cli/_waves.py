"""``hexrecruit waves``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._answers import AsJson, Cube, check_ending, read, say_json, write_table
from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._options import Overwrite

if TYPE_CHECKING:
    import xarray as xr


def waves(
    cube: Cube,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT.csv", help="Table; default: CSV on standard output."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.hexrecruit.nc",
            help="The cube with the number of the wave of each hexagon and bin, to show.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="Least recruitment in a wave; default: by counts."),
    ] = None,
    gap_ms: Annotated[
        float, typer.Option("--gap", metavar="MS", help="Longest pause within a wave, ms.")
    ] = 0.0,
    reach: Annotated[
        float | None,
        typer.Option(
            metavar="DISTANCE",
            help="Farthest that a wave leaps, in units of flat space; default: two hexagons.",
        ),
    ] = None,
    min_hexes: Annotated[int, typer.Option(metavar="N", help="Least hexagons of a wave.")] = 7,
    lead_ms: Annotated[
        float | None,
        typer.Option(
            "--lead",
            metavar="MS",
            help="Where two meet, how long the later one has spread before; default: two bins.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random draws.")] = 0,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """List the waves of a cube with times, places and speeds."""
    from napari_hexrecruit.analysis import find_waves, waves_summary, waves_table
    from napari_hexrecruit.storage.cubes import ENDINGS, write_cube

    if output is not None:
        check_ending(output, (".csv",), overwrite=overwrite)
    if labels is not None:
        check_ending(labels, ENDINGS, overwrite=overwrite)
    source = read(cube)
    with about(cube), progress_bars() as progress:
        found = find_waves(
            source,
            threshold=threshold,
            gap_ms=gap_ms,
            reach=reach,
            min_hexes=min_hexes,
            lead_ms=lead_ms,
            seed=seed,
            progress=progress,
        )
    if labels is not None:
        write_cube(found, labels, overwrite=overwrite)
    summary = waves_summary(found)
    if output is not None or not as_json:
        write_table(waves_table(found), output, overwrite=overwrite)
    if as_json:
        rows = waves_table(found).astype(object)
        say_json({**summary, "waves": rows.where(rows.notna(), None).to_dict("records")})
    elif output is not None:
        say(f"{output}: {_told(summary)}")
        for line in _distributions(found, summary):
            say(f"  {line}")


def _told(summary: dict[str, Any]) -> str:
    n = summary["n_waves"]
    if not n:
        return "no waves"
    kinds = ", ".join(f"{count} {_WORDS[kind]}" for kind, count in summary["kinds"].items())
    return f"{n} wave{'' if n == 1 else 's'} ({kinds}), {summary['rate_per_s']:.3g} per second"


_WORDS = {"plane": "plane", "radial": "radial", "none": "without a front"}


def _distributions(found: xr.Dataset, summary: dict[str, Any]) -> list[str]:
    """Return a line for intervals and one for speeds, if there are any."""
    units = f"{found.attrs['flat_units']}/ms"
    lines = []
    for name, label, unit in (("intervals_ms", "interval", "ms"), ("speeds", "speed", units)):
        one = summary[name]
        if one["n"]:
            lines.append(
                f"{label:<9} median {one['median']:.4g} {unit}, quartiles {one['low']:.4g} to"
                f" {one['high']:.4g}, of {one['n']}"
            )
    return lines
