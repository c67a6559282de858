"""``hexrecruit movie``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._options import (
    FLAT,
    OF_CUBE,
    AllowEmpty,
    BinMs,
    CircuitFile,
    ColumnAtlas,
    Cumulative,
    Flat,
    Flatmap,
    MinNeurons,
    NodeSet,
    Overwrite,
    Population,
    Radius,
    Run,
    RunFile,
    SpikesFile,
    Start,
    Stop,
    WhereRules,
    computed,
    is_given,
    opened,
    write_missing_run_file,
)
from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.render.scene import Underlay


def movie(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help=".mp4, .webm, .gif, DIR/ for PNG frames; .png, .svg, .pdf for one picture.",
        ),
    ],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SIM_OR_CUBE]...",
            help="Simulation or .hexrecruit.nc file; several are shown side by side. Not needed"
            " with --spikes and --circuit.",
        ),
    ] = None,
    start: Start = None,
    stop: Stop = None,
    step: Annotated[
        float | None, typer.Option(metavar="MS", help="Time between frames, ms; default: a bin.")
    ] = None,
    at: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that a single picture shows, ms.")
    ] = None,
    dpi: Annotated[float, typer.Option(help="Pixels per inch of a single picture.")] = 100.0,
    fps: Annotated[float | None, typer.Option(help="Frames per second; default 20.")] = None,
    dilation: Annotated[
        float | None, typer.Option(help="Seconds of movie per second of simulation.")
    ] = None,
    clim: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LO HI", help="Colour limits; default: 0 50, or 0 and the 99th percentile."
        ),
    ] = None,
    colormap: Annotated[
        str | None, typer.Option(help="Name of a matplotlib colormap; default: the metric's.")
    ] = None,
    metric: Annotated[
        str, typer.Option(help="recruitment, n_recruited or rate; or what an analysis has added.")
    ] = "recruitment",
    cumulative: Cumulative = False,
    average: Annotated[int, typer.Option(help="Mean over this many bins, an odd number.")] = 1,
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
        typer.Option("--mark", metavar="START:STOP:LABEL", help="Interval to mark, ms."),
    ] = None,
    stimuli: Annotated[
        bool, typer.Option("--stimuli", help="Mark the times of the simulation's inputs.")
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Population mean over time under the map.")
    ] = False,
    scale_bar: Annotated[bool, typer.Option(help="Show a scale bar.")] = True,
    colorbar: Annotated[bool, typer.Option(help="Show the colour bar.")] = True,
    timestamp: Annotated[bool, typer.Option(help="Show the time.")] = True,
    under: Annotated[
        Path | None, typer.Option(metavar="IMAGE", help="Image to lay under the hexagons.")
    ] = None,
    under_pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="Size of its pixels, if the file lacks it.")
    ] = None,
    under_origin: Annotated[
        tuple[float, float] | None, typer.Option(metavar="X Y", help="Its lower left corner.")
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Outline regions by this property of the neurons."),
    ] = None,
    opacity: Annotated[float, typer.Option(help="Of the hexagons, 0 to 1.")] = 1.0,
    font_scale: Annotated[float, typer.Option(help="Factor on the size of all text.")] = 1.0,
    colorbar_label: Annotated[
        str | None, typer.Option(help="Title of the colour bar; default: the metric's.")
    ] = None,
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
    flatmap: Flatmap = None,
    column_atlas: ColumnAtlas = None,
    radius: Radius = 50.0,
    bin_ms: BinMs = 10.0,
    min_neurons: MinNeurons = 1,
    allow_empty: AllowEmpty = False,
    spikes: SpikesFile = None,
    circuit: CircuitFile = None,
    run: Run = None,
    run_file: RunFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a movie of a simulation or of cubes, without a screen."""
    from napari_hexrecruit.render.frames import render_frames
    from napari_hexrecruit.render.movie import check_output, write_movie
    from napari_hexrecruit.render.picture import is_picture, write_frame

    check_output(output, overwrite=overwrite, pattern=pattern)
    if fps is not None and dilation is not None:
        raise ValueError("--fps and --dilation both set the speed of the movie: give one of them")
    style = {name: ctx.params[name] for name in _STYLE}
    style |= {"panel_titles": panel_titles or (), "marks": marks or []}
    places: list[Path | None] = [*sources] if sources else [None]
    first = places[0]
    with about(first or spikes or output):
        if stimuli:
            style["marks"] = [*(marks or []), *stimulus_marks(first, spikes, circuit)]
        cubes = [_read_or_compute(ctx, place) for place in places]
        frames = render_frames(
            cubes,
            under=_underlay(under, under_pixel_size, under_origin),
            outlines=_outlines(cubes[0], regions),
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
    write_missing_run_file(ctx, run_file)
    say(said)


_FPS = 20.0
_STYLE = (
    *("metric", "clim", "colormap", "background", "average", "colorbar", "timestamp"),
    *("scale_bar", "title", "strip", "size", "opacity", "font_scale", "colorbar_label"),
    "time_format",
)


def _read_or_compute(ctx: typer.Context, source: Path | None) -> xr.Dataset:
    """The cube that a file is, or that a simulation gives with the options of the command."""
    from napari_hexrecruit.storage.cubes import ENDINGS, read_cube

    if source is None or not source.name.endswith(ENDINGS):
        return computed(ctx, source)
    given = [name for name in OF_CUBE if is_given(ctx, name)]
    if given:
        listed = ", ".join("--" + name.removesuffix("_ms").replace("_", "-") for name in given)
        raise HexRecruitError(
            f"{source}: is an existing cube; {listed} applies only to simulations"
        )
    return read_cube(source)


def stimulus_marks(
    source: Path | None, spikes: Path | None = None, circuit: Path | None = None
) -> list[tuple[float, float, str]]:
    """When the inputs of the simulation that a source is, or was computed from, were on.

    Raises
    ------
    ValueError
        If there is no configuration of a simulation, which says so.
    """
    from napari_hexrecruit.pipeline.members import open_recipe
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.storage.cubes import ENDINGS, read_cube

    if source is not None and source.name.endswith(ENDINGS):
        sim = open_recipe(CubeRecipe.of(read_cube(source)))
    else:
        sim = opened(source, spikes, circuit)
    if not sim.configuration:
        raise ValueError(
            "--stimuli needs a simulation configuration, which has the times of inputs: name it,"
            " or give --mark START:STOP:LABEL"
        )
    return [(s.start_ms, s.stop_ms, s.name) for s in sim.stimuli]


def _underlay(
    path: Path | None, pixel_size: float | None, origin: tuple[float, float] | None
) -> Underlay | None:
    if path is None:
        return None
    from napari_hexrecruit.flatmap import read_flat_image
    from napari_hexrecruit.render.scene import Underlay

    image = read_flat_image(path, pixel_size=pixel_size, origin=origin)
    return Underlay(*image.as_underlay())


def _outlines(cube: xr.Dataset, column: str | None) -> list[npt.NDArray[np.float64]]:
    """Lines between regions of the simulation that a cube was computed from."""
    if column is None:
        return []
    from napari_hexrecruit.flatmap import neuron_regions
    from napari_hexrecruit.pipeline.members import open_recipe
    from napari_hexrecruit.recipe import CubeRecipe

    sim = open_recipe(CubeRecipe.of(cube))
    return neuron_regions(sim, cube, column).outlines()
