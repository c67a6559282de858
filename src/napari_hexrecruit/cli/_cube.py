"""``hexrecruit info``, ``hexrecruit check`` and ``hexrecruit cube``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._console import progress_bars, say
from napari_hexrecruit.cli._groups import takes
from napari_hexrecruit.cli._options import (
    AnySim,
    CircuitFile,
    Cumulative,
    Overwrite,
    Population,
    Run,
    SpikesFile,
    computed,
    computed_into,
    files_of_simulation,
    kept_options,
    neurons_and_bins,
    opened,
    window,
    write_missing_run_file,
)
from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.doubts import warnings_in
from napari_hexrecruit.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def info(
    sim: AnySim = None,
    spikes: SpikesFile = None,
    circuit: CircuitFile = None,
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Describe a simulation: populations, spikes and time span.

    It also lists properties, their values, and node sets.
    """
    from napari_hexrecruit.sonata.info import info_lines, simulation_info

    found = simulation_info(opened(sim, spikes, circuit, run), as_option)
    say(json.dumps(found, indent=2) if as_json else "\n".join(info_lines(found)))


def check(
    sim: AnySim = None,
    population: Population = None,
    spikes: SpikesFile = None,
    circuit: CircuitFile = None,
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Check a simulation's files for errors and assumptions.

    The exit status is 1 if there is an error.
    """
    from napari_hexrecruit.pipeline.check import check_simulation
    from napari_hexrecruit.pipeline.findings import finding_lines

    if sim is None and (spikes is None or circuit is None):
        raise ParameterError("", "name a simulation, or both --spikes and --circuit")
    with progress_bars() as progress:
        given: Any = {"spikes": spikes, "circuit": circuit, "run": run, "population": population}
        found = check_simulation(sim, **given, progress=progress, words=as_option)
    if as_json:
        say(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        say("\n".join(finding_lines(found)))
    if any(finding.status == "error" for finding in found):
        raise typer.Exit(1)


@takes(neurons_and_bins, window, files_of_simulation, kept_options)
def cube(
    ctx: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT.hexrecruit.nc",
            help="File to write; a folder OUT.hexrecruit.zarr for cubes larger than memory.",
        ),
    ],
    sim: AnySim = None,
    cumulative: Cumulative = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the recruitment cube of a simulation.

    The format is netCDF or zarr.
    """
    from napari_hexrecruit.storage.cubes import ENDING, check_output, write_cube

    check_output(output, overwrite=overwrite)
    if output.name.endswith(ENDING):
        result = computed(ctx, sim)
        write_cube(result, output, overwrite=overwrite)
    elif cumulative:
        raise ValueError("--cumulative needs all bins at once: write an OUT.hexrecruit.nc")
    else:
        result = computed_into(ctx, sim, output)
    write_missing_run_file(ctx)
    for line in cube_lines(result, output):
        say(line)


def cube_lines(cube: xr.Dataset, path: Path) -> list[str]:
    """Return the lines that describe a cube, without its warnings, which are also notes."""
    attrs = cube.attrs
    notes, told = json.loads(attrs.get("notes", "[]")), warnings_in(attrs)
    placed = attrs["n_neurons_selected"] - attrs["n_neurons_without_place"]
    return [
        f"{path}: {cube.sizes['hex']:,} hexagons, {cube.sizes['time']:,} bins of"
        f" {attrs['bin_ms']:g} ms",
        f"  neurons: {placed:,} counted, {attrs['n_neurons_without_place']:,} without a flat"
        " position",
        *_value_lines(cube),
        *(f"  note: {note}" for note in notes if note not in told),
    ]


def _value_lines(cube: xr.Dataset) -> list[str]:
    """Return lines on the spikes read, and on the range of other quantities."""
    from napari_hexrecruit.schema import has_spikes, quantities_of

    attrs, lines = cube.attrs, []
    if has_spikes(cube):
        lines.append(
            f"  spikes: {attrs['n_spikes_read']:,} read, {attrs['n_spikes_outside_window']:,}"
            f" outside the window, {attrs['n_spikes_unknown_id']:,} with an unknown id"
        )
    for name in quantities_of(cube):
        low, high = float(cube[name].min()), float(cube[name].max())
        lines.append(f"  {name}: {low:.5g} to {high:.5g} {cube[name].attrs['units']}")
    return lines
