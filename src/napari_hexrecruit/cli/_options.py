"""Options that several commands share, run files, and the cube of given options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._console import about, progress_bars, say, warn
from napari_hexrecruit.cli._groups import names
from napari_hexrecruit.storage.atomic import check_writable
from napari_hexrecruit.storage.run_file import read_run_file, write_run_file

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation

AnySim = Annotated[
    Path | None,
    typer.Argument(
        metavar="[SIM]",
        help="SONATA simulation configuration (JSON); not needed with --spikes and --circuit.",
    ),
]
SpikesFile = Annotated[
    Path | None,
    typer.Option("--spikes", metavar="FILE", help="Spikes file, in place of the simulation's."),
]
CircuitFile = Annotated[
    Path | None,
    typer.Option(
        "--circuit", metavar="FILE", help="Circuit configuration, in place of the simulation's."
    ),
]
Run = Annotated[
    int | None,
    typer.Option(
        "--run",
        metavar="K",
        help="Number of the run, in a configuration of several; 1 is the first.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def _use_run_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the options of an existing run file the defaults; the command line overrides them."""
    if path is not None and path.exists():
        known = {p.name for p in ctx.command.params if p.name} - NOT_IN_RUN_FILE
        options = read_run_file(path, ctx.info_name or "", known)
        lists = {p.name for p in ctx.command.params if getattr(p, "multiple", False)}
        ctx.default_map = {
            name: [value] if name in lists and isinstance(value, str) else value
            for name, value in options.items()
        }
    elif path is not None:
        check_writable(path, overwrite=False)
    return path


NOT_IN_RUN_FILE = {"sim", "sources", "output", "run_file", "overwrite", "help"}

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

Population = Annotated[str | None, typer.Option(metavar="P", help="Node population.")]
Populations = Annotated[
    list[str] | None,
    typer.Option(metavar="P", help="Node population; given again, several are counted together."),
]
NodeSet = Annotated[
    str | None,
    typer.Option(metavar="S", help="Node set to include; default: the simulation's own."),
]
WhereRules = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="column=a,b or column=lo:hi; may be given again."),
]
Flat = Annotated[
    tuple[str, str], typer.Option(metavar="X Y", help="Node properties with the flat position.")
]
Radius = Annotated[
    float, typer.Option(help="Centre to corner of a hexagon, in units of flat space (um).")
]
BinMs = Annotated[float, typer.Option("--bin", help="Width of a bin, ms.")]
Start = Annotated[float | None, typer.Option(metavar="MS", help="Start of the window, ms.")]
Stop = Annotated[float | None, typer.Option(metavar="MS", help="End of the window, ms.")]
Cumulative = Annotated[
    bool,
    typer.Option(
        "--cumulative", help="Count the neurons recruited so far, since the window's start."
    ),
]
MinNeurons = Annotated[int, typer.Option(help="Hexagons with fewer neurons have no value.")]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Write a cube of zeros where no spike is counted.")
]

ReportName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Show a report in place of spikes: its name in the configuration, or an .h5 file.",
    ),
]
StatisticName = Annotated[
    str | None,
    typer.Option(
        metavar="S",
        help="For a report: mean (default), sd, min, max, or above:-30, the percentage above.",
    ),
]
Flatmap = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Look up flat positions in this nrrd flatmap; 'atlas' is the circuit's.",
    ),
]
Hemisphere = Annotated[
    str | None,
    typer.Option(
        metavar="PROPERTY",
        help="Lay two hemispheres with the same flat coordinates side by side, by this property.",
    ),
]
Mirror = Annotated[
    str | None, typer.Option(metavar="VALUE", help="The hemisphere that is mirrored.")
]
ColumnAtlas = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Volume of column ids (nrrd) in place of hexagons."),
]


def files_of_simulation(
    spikes: SpikesFile = None, circuit: CircuitFile = None, run: Run = None
) -> None:
    """Group the options for files that replace the configuration's, and for its run."""


def neurons_and_bins(
    population: Populations = None,
    node_set: NodeSet = None,
    where: WhereRules = None,
    flat: Flat = ("ss_flat_x", "ss_flat_y"),
    flatmap: Flatmap = None,
    column_atlas: ColumnAtlas = None,
    hemisphere: Hemisphere = None,
    mirror: Mirror = None,
    radius: Radius = 50.0,
    bin_ms: BinMs = 10.0,
    min_neurons: MinNeurons = 1,
    allow_empty: AllowEmpty = False,
    report: ReportName = None,
    statistic: StatisticName = None,
) -> None:
    """Group the options for neurons, hexagons and bins."""


def window(start: Start = None, stop: Stop = None) -> None:
    """Group the options for the window."""


def kept_options(run_file: RunFile = None) -> None:
    """Group the option for the run file."""


OF_CUBE = (*names(neurons_and_bins), "cumulative", *names(files_of_simulation))
"""Options for computing a cube, which mean nothing for an existing one."""


def is_given(ctx: typer.Context, name: str) -> bool:
    """Whether an option is given on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def opened(
    sim: Path | None, spikes: Path | None, circuit: Path | None, run: int | None = None
) -> Simulation:
    """Open the simulation that the command line names."""
    from napari_hexrecruit.sonata import open_simulation

    if sim is None and (spikes is None or circuit is None):
        raise ValueError("name a simulation, or both --spikes and --circuit")
    return open_simulation(sim, spikes=spikes, circuit=circuit, run=run)


def cube_recipe(ctx: typer.Context) -> CubeRecipe:
    """Return the recipe of a command's options."""
    from napari_hexrecruit.recipe import CubeRecipe

    options = ctx.params
    if options["flatmap"] is not None and is_given(ctx, "flat"):
        raise ValueError("--flat and --flatmap both name the flat positions: give one of them")
    return CubeRecipe(
        population=options["population"] or None,
        node_set=options["node_set"],
        where=options["where"] or (),
        flat=_flat(options["flatmap"], options["flat"]),
        column_atlas=options["column_atlas"],
        hemisphere=options["hemisphere"],
        mirror=options["mirror"],
        radius=options["radius"],
        bin_ms=options["bin_ms"],
        start=options["start"],
        stop=options["stop"],
        min_neurons=options["min_neurons"],
        cumulative=options.get("cumulative", False),
        report=options["report"],
        statistic=options["statistic"],
    )


def computed(ctx: typer.Context, sim: Path | None) -> xr.Dataset:
    """Compute the cube that a command's options ask for, and print its warnings."""
    from napari_hexrecruit.doubts import warnings_in
    from napari_hexrecruit.pipeline.cubes import computed_cube

    options, recipe = ctx.params, cube_recipe(ctx)
    simulation = opened(sim, options["spikes"], options["circuit"], options["run"])
    with progress_bars() as progress, about(simulation.path):
        cube = computed_cube(
            simulation,
            recipe,
            allow_empty=options["allow_empty"],
            keep_spikes=False,
            progress=progress,
        )
    warn(warnings_in(cube.attrs))
    return cube


def computed_into(ctx: typer.Context, sim: Path | None, output: Path) -> xr.Dataset:
    """Compute the cube into a zarr folder, written while it is counted."""
    from napari_hexrecruit.doubts import warnings_in
    from napari_hexrecruit.pipeline.large import computed_large_cube

    options, recipe = ctx.params, cube_recipe(ctx)
    simulation = opened(sim, options["spikes"], options["circuit"], options["run"])
    with progress_bars() as progress, about(simulation.path):
        cube = computed_large_cube(
            simulation,
            output,
            recipe,
            overwrite=options["overwrite"],
            allow_empty=options["allow_empty"],
            progress=progress,
        )
    warn(warnings_in(cube.attrs))
    return cube


def _flat(flatmap: str | None, columns: tuple[str, str]) -> Any:
    if flatmap is None:
        return tuple(columns)
    return flatmap if flatmap.startswith("atlas") else Path(flatmap)


def write_missing_run_file(ctx: typer.Context) -> None:
    """Write the options of this run to the run file if it does not exist."""
    run_file = ctx.params["run_file"]
    if run_file is None or run_file.exists():
        return
    chosen = {k: plain(v) for k, v in ctx.params.items() if k not in NOT_IN_RUN_FILE}
    try:
        write_run_file(run_file, ctx.info_name or "", chosen)
    except FileExistsError:
        say(f"{run_file} was written by another run meanwhile: kept")
        return
    say(f"wrote the options to {run_file}")


def plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
