"""``hexrecruit html``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from napari_hexrecruit.flatmap import HexRegions


@takes(window, look, neurons_and_bins, files_of_simulation, kept_options)
def html(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT.html", help="Web page to write.")
    ],
    sources: Sources = None,
    step: Step = None,
    dilation: Dilation = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="recruitment, n_recruited or rate, or a variable of the cube. May be given again:"
            " the page shows the first one first."
        ),
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="8 or 16: values in so many bits, in place of exact counts."),
    ] = None,
    cumulative: Cumulative = False,
    overwrite: Overwrite = False,
) -> None:
    """Write a simulation or cubes as a web page.

    It plays in any browser, without a network.
    """
    from napari_hexrecruit.render.web.writer import check_html_output, write_html

    check_html_output(output, overwrite=overwrite)
    places = sources_of(ctx)
    with about(places[0] or ctx.params["spikes"] or output):
        marks = marks_of(ctx)
        cubes = [read_or_compute(ctx, place) for place in places]
        regions = regions_of(ctx, cubes[0])
        image = underlay(ctx, cubes[0])
        with progress_bars() as progress:
            write_html(
                cubes,
                output,
                metric=metric or None,
                panel_titles=ctx.params["panel_titles"] or (),
                marks=marks,
                under=image,
                outlines=[] if regions is None else regions.outlines(),
                labels=[] if regions is None else _labels(regions),
                overwrite=overwrite,
                progress=progress,
                **{name: ctx.params[name] for name in _SAME},
            )
    write_missing_run_file(ctx)
    say(f"{output}: a web page of {output.stat().st_size / 1e6:.2f} MB")


_SAME = ("start", "stop", "step", "clim", "colormap", "title", "opacity", "dilation", "bits")


def _labels(regions: HexRegions) -> list[tuple[float, float, str]]:
    """Return position and text of each region's name."""
    places = zip(regions.centroids().tolist(), regions.names, strict=True)
    return [(x, y, name) for (x, y), name in places if x == x]
