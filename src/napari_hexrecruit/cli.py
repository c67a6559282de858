"""The command ``hexrecruit``: parse, call, print, exit status.

Only typer is imported here; each command imports what it needs, so that ``--help`` is quick.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_hexrecruit._console import about, progress_bars, run, say
from napari_hexrecruit.run_file import read_run_file, write_run_file

app = typer.Typer(
    name="hexrecruit",
    help="Where on the cortical sheet a simulated population is recruited, and when.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Sim = Annotated[Path, typer.Argument(metavar="SIM", help="SONATA simulation configuration (JSON).")]
SimOrCube = Annotated[
    Path, typer.Argument(metavar="SIM_OR_CUBE", help="Simulation, or a .hexrecruit.nc file.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def _use_run_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the options of an existing run file the defaults; the command line still wins."""
    if path is not None and path.exists():
        known = {p.name for p in ctx.command.params if p.name} - _NOT_IN_RUN_FILE
        ctx.default_map = read_run_file(path, ctx.info_name or "", known)
    return path


_NOT_IN_RUN_FILE = {"sim", "sim_or_cube", "output", "run_file", "overwrite", "help"}

RunFile = Annotated[
    Path | None,
    typer.Option(
        "--run-file",
        metavar="FILE",
        help="YAML file of options: read if it exists (the command line wins), else written.",
        callback=_use_run_file,
        is_eager=True,
    ),
]


def main(args: list[str] | None = None) -> None:
    """Entry point of ``hexrecruit`` and ``python -m napari_hexrecruit``."""
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    sys.exit(run(lambda: app(words, prog_name="hexrecruit", standalone_mode=False), debug=debug))


def _show_version(wanted: bool) -> None:
    if wanted:
        from napari_hexrecruit import __version__

        say(f"hexrecruit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Where on the cortical sheet a simulated population is recruited, and when."""


@app.command()
def info(
    sim: Sim, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Populations, columns and values, node sets, spikes and time span of a simulation."""
    from napari_hexrecruit.info import simulation_info
    from napari_hexrecruit.sonata import open_simulation

    found = simulation_info(open_simulation(sim))
    say(json.dumps(found, indent=2) if as_json else "\n".join(_info_lines(found)))


@app.command()
def cube(
    ctx: typer.Context,
    sim: Sim,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.hexrecruit.nc", help="File to write.")
    ],
    population: Annotated[str | None, typer.Option(metavar="P", help="Node population.")] = None,
    node_set: Annotated[
        str | None,
        typer.Option(metavar="S", help="Node set that counts; default: the simulation's own."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="column=a,b or column=lo:hi; may be given again."),
    ] = None,
    flat: Annotated[
        tuple[str, str],
        typer.Option(metavar="X Y", help="Node properties with the flat position."),
    ] = ("ss_flat_x", "ss_flat_y"),
    radius: Annotated[
        float, typer.Option(help="Centre to corner of a hexagon, units of flat space (um).")
    ] = 50.0,
    bin_ms: Annotated[float, typer.Option("--bin", help="Width of a bin, ms.")] = 10.0,
    start: Annotated[float | None, typer.Option(metavar="MS", help="Window, ms.")] = None,
    stop: Annotated[float | None, typer.Option(metavar="MS", help="Window, ms.")] = None,
    min_neurons: Annotated[
        int, typer.Option(help="Hexagons with fewer neurons have no percentage.")
    ] = 1,
    run_file: RunFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the recruitment cube of a simulation as netCDF."""
    from napari_hexrecruit._atomic import check_writable
    from napari_hexrecruit.cube_io import check_name, write_cube
    from napari_hexrecruit.pipeline import recruitment_cube

    check_name(output)
    check_writable(output, overwrite=overwrite)
    with progress_bars() as progress, about(sim):
        result = recruitment_cube(
            sim,
            population=population,
            node_set=node_set,
            where=where or (),
            flat=flat,
            radius=radius,
            bin_ms=bin_ms,
            start=start,
            stop=stop,
            min_neurons=min_neurons,
            progress=progress,
        )
    write_cube(result, output, overwrite=overwrite)
    _write_missing_run_file(ctx, run_file)
    for line in _cube_lines(result, output):
        say(line)


@app.command()
def view(
    sim_or_cube: Annotated[
        Path | None,
        typer.Argument(metavar="[SIM_OR_CUBE]", help="Simulation, or a .hexrecruit.nc file."),
    ] = None,
) -> None:
    """Open the viewer with the layer loaded."""
    from napari_hexrecruit.errors import HexRecruitError, MissingExtraError

    if sim_or_cube is not None and not sim_or_cube.exists():
        raise HexRecruitError(f"{sim_or_cube}: does not exist: give a simulation or a cube")
    if not _has_screen():
        raise HexRecruitError(
            "there is no screen here: use 'hexrecruit movie', or connect one (DISPLAY is not set)"
        )
    try:
        from napari_hexrecruit._napari.launch import launch
    except ImportError as error:
        raise MissingExtraError(
            f"napari is not installed ({error}): pip install 'napari-hexrecruit[all]'"
        ) from error
    launch(sim_or_cube)


def _write_missing_run_file(ctx: typer.Context, run_file: Path | None) -> None:
    if run_file is None or run_file.exists():
        return
    chosen = {k: _plain(v) for k, v in ctx.params.items() if k not in _NOT_IN_RUN_FILE}
    write_run_file(run_file, ctx.info_name or "", chosen)
    say(f"wrote the options to {run_file}")


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _has_screen() -> bool:
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _cube_lines(cube: Any, path: Path) -> list[str]:
    attrs = cube.attrs
    placed = attrs["n_neurons_selected"] - attrs["n_neurons_without_place"]
    return [
        f"{path}: {cube.sizes['hex']:,} hexagons, {cube.sizes['time']:,} bins of"
        f" {attrs['bin_ms']:g} ms",
        f"  neurons: {placed:,} counted, {attrs['n_neurons_without_place']:,} without a place",
        f"  spikes: {attrs['n_spikes_read']:,} read, {attrs['n_spikes_outside_window']:,} outside"
        f" the window, {attrs['n_spikes_unknown_id']:,} with an unknown id",
        *(f"  note: {note}" for note in json.loads(attrs.get("notes", "[]"))),
    ]


def _info_lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"simulation   {found['simulation']}",
        f"time         0 to {found['duration_ms']:g} ms",
        f"node set     {found['node_set'] or 'none (all neurons count)'}",
        f"node sets    {', '.join(found['node_sets']) or 'none'}",
    ]
    for stimulus in found["stimuli"]:
        on = f"{stimulus['start_ms']:g} to {stimulus['stop_ms']:g} ms"
        lines.append(f"stimulus     {stimulus['name']}: {on}, node set {stimulus['node_set']}")
    for population in found["populations"]:
        lines += ["", *_population_lines(population)]
    return [*lines, "", *_spikes_lines(found)]


def _population_lines(population: dict[str, Any]) -> list[str]:
    pairs = [" ".join(pair) for pair in population["flat"]]
    lines = [
        f"population   {population['name']} ({population['type']}),"
        f" {population['n_neurons']:,} neurons",
        f"  flat       {', '.join(pairs) or 'no flat columns'}",
    ]
    width = max([len(name) for name in population["columns"]], default=0)
    for name, column in population["columns"].items():
        lines.append(f"  {name:{width}}  {column['kind']:8} {_column_text(column)}")
    return lines


def _column_text(column: dict[str, Any]) -> str:
    if "values" in column:
        shown = [f"{value} ({n:,})" for value, n in column["values"].items()]
        more = column["n_values"] - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")
    if column["range"] is None:
        return "no finite value"
    lo, hi = column["range"]
    missing = column.get("n_not_finite", 0)
    return f"{lo:g} to {hi:g}" + (f", {missing:,} not finite" if missing else "")


def _spikes_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"spikes       {found['spikes_file']}"]
    if found["spikes"] is None:
        return [*lines, "  the file does not exist"]
    for spikes in found["spikes"]:
        span = spikes["span_ms"]
        when = f", {span[0]:g} to {span[1]:g} ms" if span else ""
        lines.append(f"  {spikes['population']}: {spikes['n_spikes']:,} spikes{when}")
    return lines
