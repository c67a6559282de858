"""``hexrecruit movie``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._look import (
    Clim,
    Colormap,
    Dilation,
    Marks,
    Opacity,
    PanelTitles,
    Regions,
    Sources,
    Step,
    Stimuli,
    Title,
    Under,
    UnderOrigin,
    UnderPixelSize,
    read_or_compute,
    regions_of,
    stimulus_marks,
    underlay,
)
from napari_hexrecruit.cli._options import (
    FLAT,
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
    write_missing_run_file,
)


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
    sources: Sources = None,
    start: Start = None,
    stop: Stop = None,
    step: Step = None,
    at: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that a single picture shows, ms.")
    ] = None,
    dpi: Annotated[float, typer.Option(help="Pixels per inch of a single picture.")] = 100.0,
    fps: Annotated[float | None, typer.Option(help="Frames per second; default 20.")] = None,
    dilation: Dilation = None,
    clim: Clim = None,
    colormap: Colormap = None,
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
    title: Title = "",
    panel_titles: PanelTitles = None,
    marks: Marks = None,
    stimuli: Stimuli = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Population mean over time under the map.")
    ] = False,
    scale_bar: Annotated[bool, typer.Option(help="Show a scale bar.")] = True,
    colorbar: Annotated[bool, typer.Option(help="Show the colour bar.")] = True,
    timestamp: Annotated[bool, typer.Option(help="Show the time.")] = True,
    under: Under = None,
    under_pixel_size: UnderPixelSize = None,
    under_origin: UnderOrigin = None,
    regions: Regions = None,
    opacity: Opacity = 1.0,
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
        cubes = [read_or_compute(ctx, place) for place in places]
        frames = render_frames(
            cubes,
            under=underlay(under, under_pixel_size, under_origin),
            outlines=[] if regions is None else regions_of(cubes[0], regions).outlines(),
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
