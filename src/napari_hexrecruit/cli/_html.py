"""``hexrecruit html``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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


def html(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.html", help="Web page to write.")
    ],
    sources: Sources = None,
    start: Start = None,
    stop: Stop = None,
    step: Step = None,
    dilation: Dilation = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="recruitment, n_recruited or rate; or what an analysis has added. May be given"
            " again: the page shows the first one first."
        ),
    ] = None,
    clim: Clim = None,
    colormap: Colormap = None,
    bits: Annotated[
        int | None,
        typer.Option(help="8 or 16: values in so many bits, in place of exact counts."),
    ] = None,
    title: Title = "",
    panel_titles: PanelTitles = None,
    marks: Marks = None,
    stimuli: Stimuli = False,
    under: Under = None,
    under_pixel_size: UnderPixelSize = None,
    under_origin: UnderOrigin = None,
    regions: Regions = None,
    opacity: Opacity = 1.0,
    cumulative: Cumulative = False,
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
    """Write a simulation or cubes as one web page that plays in any browser, without a network."""
    from napari_hexrecruit.render.web.writer import check_html_output, write_html
    from napari_hexrecruit.schema import RECRUITMENT

    check_html_output(output, overwrite=overwrite)
    places: list[Path | None] = [*sources] if sources else [None]
    first = places[0]
    with about(first or spikes or output):
        on = stimulus_marks(first, spikes, circuit) if stimuli else []
        cubes = [read_or_compute(ctx, place) for place in places]
        lines, labels = _outlined(cubes[0], regions)
        image = underlay(under, under_pixel_size, under_origin)
        with progress_bars() as progress:
            write_html(
                cubes,
                output,
                metric=metric or RECRUITMENT,
                start=start,
                stop=stop,
                step=step,
                panel_titles=panel_titles or (),
                marks=[*(marks or []), *on],
                under=image,
                outlines=lines,
                labels=labels,
                overwrite=overwrite,
                progress=progress,
                **{name: ctx.params[name] for name in _SAME},
            )
    write_missing_run_file(ctx, run_file)
    say(f"{output}: a web page of {output.stat().st_size / 1e6:.2f} MB")


_SAME = ("clim", "colormap", "title", "opacity", "dilation", "bits")


def _outlined(cube: Any, column: str | None) -> tuple[list[Any], list[tuple[float, float, str]]]:
    """Lines between regions, and the place of each name."""
    if column is None:
        return [], []
    regions = regions_of(cube, column)
    places = zip(regions.centroids().tolist(), regions.names, strict=True)
    return regions.outlines(), [(x, y, name) for (x, y), name in places if x == x]
