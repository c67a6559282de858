"""``hexrecruit movie``."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._groups import takes
from napari_hexrecruit.cli._look import (
    Dilation,
    Sources,
    Step,
    look,
    marks_of,
    read_or_compute,
    regions_of,
    sources_of,
    underlay,
)
from napari_hexrecruit.cli._options import (
    Cumulative,
    Overwrite,
    files_of_simulation,
    kept_options,
    neurons_and_bins,
    window,
    write_missing_run_file,
)


@takes(window, look, neurons_and_bins, files_of_simulation, kept_options)
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
    step: Step = None,
    at: Annotated[
        float | None, typer.Option(metavar="MS", help="Time that a single picture shows, ms.")
    ] = None,
    dpi: Annotated[float, typer.Option(help="Pixels per inch of a single picture.")] = 100.0,
    fps: Annotated[float | None, typer.Option(help="Frames per second; default 20.")] = None,
    dilation: Dilation = None,
    metric: Annotated[
        str | None,
        typer.Option(help="recruitment, n_recruited or rate, or a variable of the cube."),
    ] = None,
    cumulative: Cumulative = False,
    average: Annotated[int, typer.Option(help="Mean over this many bins, an odd number.")] = 1,
    size: Annotated[tuple[int, int], typer.Option(metavar="W H", help="Size of a frame, px.")] = (
        1280,
        720,
    ),
    background: Annotated[str, typer.Option(help="white, black or transparent.")] = "white",
    strip: Annotated[
        bool, typer.Option("--strip", help="Population mean over time under the map.")
    ] = False,
    scale_bar: Annotated[bool, typer.Option(help="Show a scale bar.")] = True,
    colorbar: Annotated[bool, typer.Option(help="Show the colour bar.")] = True,
    timestamp: Annotated[bool, typer.Option(help="Show the time.")] = True,
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
    places = sources_of(ctx)
    with about(places[0] or ctx.params["spikes"] or output):
        style |= {"panel_titles": ctx.params["panel_titles"] or (), "marks": marks_of(ctx)}
        cubes = [read_or_compute(ctx, place) for place in places]
        regions = regions_of(ctx, cubes[0])
        frames = render_frames(
            cubes,
            under=underlay(ctx, cubes[0]),
            outlines=[] if regions is None else regions.outlines(),
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
    write_missing_run_file(ctx)
    say(said)


_FPS = 20.0
_STYLE = (
    *("start", "stop", "step"),
    *("metric", "clim", "colormap", "background", "average", "colorbar", "timestamp"),
    *("scale_bar", "title", "strip", "size", "opacity", "font_scale", "colorbar_label"),
    "time_format",
)
