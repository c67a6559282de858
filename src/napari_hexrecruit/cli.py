"""The command ``hexrecruit``: parse, call, print, exit status.

Only typer is imported here; each command imports what it needs, so that ``--help`` is quick.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit._console import about, progress_bars, run, say
from napari_hexrecruit.errors import HexRecruitError, MissingExtraError
from napari_hexrecruit.run_file import read_run_file, write_run_file

if TYPE_CHECKING:
    import xarray as xr

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
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def _use_run_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the options of an existing run file the defaults; the command line still wins."""
    if path is not None and path.exists():
        known = {p.name for p in ctx.command.params if p.name} - _NOT_IN_RUN_FILE
        ctx.default_map = read_run_file(path, ctx.info_name or "", known)
    return path


_NOT_IN_RUN_FILE = {"sim", "sources", "output", "run_file", "overwrite", "help"}

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
    from napari_hexrecruit._report import info_lines
    from napari_hexrecruit.info import simulation_info
    from napari_hexrecruit.sonata import open_simulation

    found = simulation_info(open_simulation(sim))
    say(json.dumps(found, indent=2) if as_json else "\n".join(info_lines(found)))


Population = Annotated[str | None, typer.Option(metavar="P", help="Node population.")]
NodeSet = Annotated[
    str | None,
    typer.Option(metavar="S", help="Node set that counts; default: the simulation's own."),
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
MinNeurons = Annotated[int, typer.Option(help="Hexagons with fewer neurons have no percentage.")]

FLAT = ("ss_flat_x", "ss_flat_y")


@app.command()
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
    result = _computed(sim, ctx.params)
    write_cube(result, output, overwrite=overwrite)
    _write_missing_run_file(ctx, run_file)
    for line in cube_lines(result, output):
        say(line)


@app.command()
def movie(
    ctx: typer.Context,
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SIM_OR_CUBE...",
            help="Simulation or .hexrecruit.nc file; several are shown side by side.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help=".mp4, .webm, .gif, DIR/ for PNG frames; .png, .svg, .pdf for one picture.",
        ),
    ],
    start: Start = None,
    stop: Stop = None,
    step: Annotated[
        float | None, typer.Option(metavar="MS", help="Time between frames, ms; default: a bin.")
    ] = None,
    at: Annotated[
        float | None, typer.Option(metavar="MS", help="Which bin a single picture shows, ms.")
    ] = None,
    dpi: Annotated[float, typer.Option(help="Pixels per inch of a single picture.")] = 100.0,
    fps: Annotated[float | None, typer.Option(help="Frames per second; default 20.")] = None,
    dilation: Annotated[
        float | None, typer.Option(help="Seconds of movie per second of simulation.")
    ] = None,
    clim: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LO HI", help="Colour limits; default: 0 to the 99th percentile."),
    ] = None,
    colormap: Annotated[str, typer.Option(help="Name of a matplotlib colormap.")] = "viridis",
    metric: Annotated[str, typer.Option(help="recruitment, n_recruited or rate.")] = "recruitment",
    cumulative: Annotated[
        bool, typer.Option("--cumulative", help="Neurons recruited so far; from a simulation.")
    ] = False,
    average: Annotated[int, typer.Option(help="Mean over so many bins, an odd number.")] = 1,
    size: Annotated[tuple[int, int], typer.Option(metavar="W H", help="Size of a frame, px.")] = (
        1280,
        720,
    ),
    background: Annotated[str, typer.Option(help="white, black or transparent.")] = "white",
    title: Annotated[str, typer.Option(help="Line above the picture.")] = "",
    panel_titles: Annotated[
        list[str] | None,
        typer.Option("--panel-title", help="Line above each of several maps, in their order."),
    ] = None,
    marks: Annotated[
        list[str] | None,
        typer.Option("--mark", metavar="START:STOP:LABEL", help="Interval to show, ms."),
    ] = None,
    stimuli: Annotated[
        bool, typer.Option("--stimuli", help="Mark when the simulation's inputs were on.")
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Population mean over time under the map.")
    ] = False,
    scale_bar: Annotated[bool, typer.Option(help="Show a scale bar.")] = True,
    colorbar: Annotated[bool, typer.Option(help="Show the colour bar.")] = True,
    timestamp: Annotated[bool, typer.Option(help="Show the time.")] = True,
    opacity: Annotated[float, typer.Option(help="Of the hexagons, 0 to 1.")] = 1.0,
    font_scale: Annotated[float, typer.Option(help="Factor on the size of all text.")] = 1.0,
    colorbar_label: Annotated[str | None, typer.Option(help="In place of the metric's.")] = None,
    time_format: Annotated[
        str | None, typer.Option(metavar="TEXT", help="As in '{start:.0f} to {stop:.0f} ms'.")
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="Names of PNG frames in a folder.")
    ] = "frame-{index}.png",
    population: Population = None,
    node_set: NodeSet = None,
    where: WhereRules = None,
    flat: Flat = FLAT,
    radius: Radius = 50.0,
    bin_ms: BinMs = 10.0,
    min_neurons: MinNeurons = 1,
    run_file: RunFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a movie of a simulation or of cubes; no screen is needed."""
    from napari_hexrecruit.movie import check_output, is_picture, write_frame, write_movie
    from napari_hexrecruit.render import render_frames

    check_output(output, overwrite=overwrite, pattern=pattern)
    if fps is not None and dilation is not None:
        raise ValueError("--fps and --dilation both say how fast the movie runs: give one of them")
    style = {name: ctx.params[name] for name in _STYLE}
    style["panel_titles"] = panel_titles or ()
    with about(sources[0]):
        style["marks"] = [*(marks or []), *(_stimulus_marks(sources) if stimuli else [])]
        frames = render_frames(
            [_read_or_compute(ctx, source) for source in sources],
            start=start,
            stop=stop,
            step=step,
            **style,
        )
    rate = _FPS if fps is None else fps
    if dilation is not None:
        rate = frames.fps_for(dilation)
    width, height = frames.size
    if is_picture(output):
        with about(output):
            write_frame(frames, output, at=at, dpi=dpi, overwrite=overwrite)
        said = f"{output}: {width} x {height} px at {dpi:g} dpi"
    else:
        with progress_bars() as progress:
            write_movie(
                frames, output, fps=rate, overwrite=overwrite, progress=progress, pattern=pattern
            )
        said = f"{output}: {len(frames):,} frames of {width} x {height} px, {rate:g} per second"
    _write_missing_run_file(ctx, run_file)
    say(said)


_FPS = 20.0
_STYLE = (
    *("metric", "clim", "colormap", "background", "average", "colorbar", "timestamp"),
    *("scale_bar", "title", "strip", "size", "opacity", "font_scale", "colorbar_label"),
    "time_format",
)
_OPTIONS = ("population", "node_set", "where", "flat", "radius", "bin_ms", "min_neurons")
_OF_CUBE = (*_OPTIONS, "cumulative")


def _read_or_compute(ctx: typer.Context, source: Path) -> xr.Dataset:
    """The cube that a file is, or that a simulation gives with the options of the command."""
    from napari_hexrecruit.cube_io import ENDING, read_cube

    if not source.name.endswith(ENDING):
        return _computed(source, ctx.params)
    given = [name for name in _OF_CUBE if _is_given(ctx, name)]
    if given:
        listed = ", ".join("--" + name.removesuffix("_ms").replace("_", "-") for name in given)
        raise HexRecruitError(f"{source}: is computed already: {listed} cannot change a cube")
    return read_cube(source)


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _computed(sim: Path, options: dict[str, Any]) -> xr.Dataset:
    from napari_hexrecruit.pipeline import cumulative_cube, recruitment_cube

    chosen = {name: options[name] for name in (*_OPTIONS, "start", "stop")}
    chosen["where"] = chosen["where"] or ()
    compute = cumulative_cube if options.get("cumulative") else recruitment_cube
    with progress_bars() as progress, about(sim):
        return compute(sim, **chosen, progress=progress)


def _stimulus_marks(sources: list[Path]) -> list[tuple[float, float, str]]:
    """When the inputs of the simulation that a source is, or was computed from, were on."""
    from napari_hexrecruit.cube_io import ENDING, read_cube
    from napari_hexrecruit.sonata import open_simulation

    config: Any = sources[0]
    if config.name.endswith(ENDING):
        config = json.loads(read_cube(config).attrs["recipe"])["simulation"]
    return [(s.start_ms, s.stop_ms, s.name) for s in open_simulation(config).stimuli]


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder for the files; made if missing.")
    ] = Path("hexrecruit-demo"),
    view: Annotated[bool, typer.Option(help="Open the viewer where there is a screen.")] = True,
) -> None:
    """Write a sample simulation, its cube and a movie; open the viewer where there is a screen."""
    from napari_hexrecruit.cube_io import read_cube, write_cube
    from napari_hexrecruit.movie import write_movie
    from napari_hexrecruit.pipeline import recruitment_cube
    from napari_hexrecruit.render import render_frames
    from napari_hexrecruit.synthetic import MEDIUM, write_simulation

    config = folder / "simulation" / "simulation_config.json"
    cube_file, movie_file = folder / "demo.hexrecruit.nc", folder / "demo.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    with progress_bars() as progress:
        if _missing(config, "simulation"):
            write_simulation(config.parent, MEDIUM, progress=progress)
        if _missing(cube_file, "recruitment cube"):
            write_cube(recruitment_cube(config, progress=progress), cube_file)
        if _missing(movie_file, "movie"):
            marks = _stimulus_marks([config])
            frames = render_frames(
                read_cube(cube_file), clim=(0, 50), marks=marks, strip=True, scale_bar=True
            )
            write_movie(frames, movie_file, progress=progress)
    if not view:
        return
    if not _has_screen() or importlib.util.find_spec("napari") is None:
        why = "there is no screen here" if not _has_screen() else "napari is not installed"
        say(f"{why}: the viewer stays closed; later: hexrecruit view {cube_file}")
        return
    _launch(cube_file)


def _missing(path: Path, what: str) -> bool:
    """Say what is made, or that it is there already and kept."""
    there = path.exists()
    say(f"{what:18}{path}{' (kept)' if there else ''}")
    return not there


@app.command()
def view(
    sim_or_cube: Annotated[
        Path | None,
        typer.Argument(metavar="[SIM_OR_CUBE]", help="Simulation, or a .hexrecruit.nc file."),
    ] = None,
) -> None:
    """Open the viewer with the layer loaded."""
    if sim_or_cube is not None and not sim_or_cube.exists():
        raise HexRecruitError(f"{sim_or_cube}: does not exist: give a simulation or a cube")
    if not _has_screen():
        raise HexRecruitError(
            "there is no screen here: use 'hexrecruit movie', or connect one (DISPLAY is not set)"
        )
    _launch(sim_or_cube)


def _launch(path: Path | None) -> None:
    try:
        from napari_hexrecruit._napari.launch import launch
    except ImportError as error:
        raise MissingExtraError(
            f"napari is not installed ({error}): pip install 'napari-hexrecruit[all]'"
        ) from error
    launch(path)


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
