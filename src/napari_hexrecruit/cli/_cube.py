"""``hexrecruit info`` and ``hexrecruit cube``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_hexrecruit._console import say
from napari_hexrecruit.cli._options import (
    FLAT,
    BinMs,
    ColumnAtlas,
    Flat,
    Flatmap,
    MinNeurons,
    NodeSet,
    Overwrite,
    Population,
    Radius,
    RunFile,
    Sim,
    Start,
    Stop,
    WhereRules,
    computed,
    write_missing_run_file,
)


def info(
    sim: Sim, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Populations, columns and values, node sets, spikes and time span of a simulation."""
    from napari_hexrecruit._report import info_lines
    from napari_hexrecruit.info import simulation_info
    from napari_hexrecruit.sonata import open_simulation

    found = simulation_info(open_simulation(sim))
    say(json.dumps(found, indent=2) if as_json else "\n".join(info_lines(found)))


def cube(
    ctx: typer.Context,
    sim: Sim,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.hexrecruit.nc", help="File to write.")
    ],
    population: Population = None,
    node_set: NodeSet = None,
    where: WhereRules = None,
    flat: Flat = FLAT,
    flatmap: Flatmap = None,
    column_atlas: ColumnAtlas = None,
    radius: Radius = 50.0,
    bin_ms: BinMs = 10.0,
    start: Start = None,
    stop: Stop = None,
    min_neurons: MinNeurons = 1,
    run_file: RunFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the recruitment cube of a simulation as netCDF."""
    from napari_hexrecruit._atomic import check_writable
    from napari_hexrecruit._report import cube_lines
    from napari_hexrecruit.cube_io import check_name, write_cube

    check_name(output)
    check_writable(output, overwrite=overwrite)
    result = computed(ctx, sim)
    write_cube(result, output, overwrite=overwrite)
    write_missing_run_file(ctx, run_file)
    for line in cube_lines(result, output):
        say(line)
