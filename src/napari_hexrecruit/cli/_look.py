"""Options for the look of a picture, and for images under and lines over its hexagons.

Movies and web pages share them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_hexrecruit.cli._options import OF_CUBE, computed, is_given, opened
from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.flatmap import HexRegions
    from napari_hexrecruit.render.scene import Underlay

Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[SIM_OR_CUBE]...",
        help="Simulation or .hexrecruit.nc file; several are shown side by side. Not needed"
        " with --spikes and --circuit.",
    ),
]
Step = Annotated[
    float | None, typer.Option(metavar="MS", help="Time between frames, ms; default: a bin.")
]
Dilation = Annotated[float | None, typer.Option(help="Seconds of movie per second of simulation.")]
Clim = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="LO HI", help="Colour limits; default: 0 50, or 0 and the 99th percentile."
    ),
]
Colormap = Annotated[
    str | None, typer.Option(help="Name of a matplotlib colormap; default: the metric's.")
]
Title = Annotated[str, typer.Option(help="Line above the picture.")]
PanelTitles = Annotated[
    list[str] | None,
    typer.Option("--panel-title", help="Line above each of several maps, in their order."),
]
Marks = Annotated[
    list[str] | None,
    typer.Option("--mark", metavar="START:STOP:LABEL", help="Interval to mark, ms."),
]
Stimuli = Annotated[
    bool, typer.Option("--stimuli", help="Mark the times of the simulation's inputs.")
]
Under = Annotated[
    Path | None, typer.Option(metavar="IMAGE", help="Image to lay under the hexagons.")
]
UnderPixelSize = Annotated[
    float | None, typer.Option(metavar="UM", help="Size of its pixels, if the file lacks it.")
]
UnderOrigin = Annotated[
    tuple[float, float] | None, typer.Option(metavar="X Y", help="Its lower left corner.")
]
Regions = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Outline regions by this property of the neurons."),
]
Opacity = Annotated[float, typer.Option(help="Of the hexagons, 0 to 1.")]


def look(
    clim: Clim = None,
    colormap: Colormap = None,
    title: Title = "",
    panel_titles: PanelTitles = None,
    marks: Marks = None,
    stimuli: Stimuli = False,
    under: Under = None,
    under_pixel_size: UnderPixelSize = None,
    under_origin: UnderOrigin = None,
    regions: Regions = None,
    opacity: Opacity = 1.0,
) -> None:
    """Group the options for colours, titles, and what is under and over the hexagons."""


def read_or_compute(ctx: typer.Context, source: Path | None) -> xr.Dataset:
    """Read the cube of a file, or compute that of a simulation with the command's options."""
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


def sources_of(ctx: typer.Context) -> list[Path | None]:
    """Return simulations and cubes; None is the simulation of --spikes and --circuit."""
    return [*ctx.params["sources"]] if ctx.params["sources"] else [None]


def marks_of(ctx: typer.Context) -> list[str | tuple[float, float, str]]:
    """Return the marked intervals, and with --stimuli the inputs of the first simulation."""
    options = ctx.params
    marked = options["marks"] or []
    if not options["stimuli"]:
        return marked
    return [*marked, *stimulus_marks(sources_of(ctx)[0], options["spikes"], options["circuit"])]


def stimulus_marks(
    source: Path | None, spikes: Path | None = None, circuit: Path | None = None
) -> list[tuple[float, float, str]]:
    """Return the times of the inputs of a simulation, or of the simulation of a cube.

    Raises
    ------
    ValueError
        If there is no simulation configuration, which states the inputs.
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


def underlay(ctx: typer.Context, cube: xr.Dataset) -> Underlay | None:
    """Return the image that --under names, under both hemispheres if the cube has two."""
    options = ctx.params
    if options["under"] is None:
        return None
    from napari_hexrecruit.flatmap import read_flat_image, under_hemispheres
    from napari_hexrecruit.render.scene import Underlay

    size, origin = options["under_pixel_size"], options["under_origin"]
    image = read_flat_image(options["under"], pixel_size=size, origin=origin)
    return Underlay(*under_hemispheres(image, cube).as_underlay())


def regions_of(ctx: typer.Context, cube: xr.Dataset) -> HexRegions | None:
    """Return the regions by the property that --regions names, of the cube's simulation."""
    if ctx.params["regions"] is None:
        return None
    from napari_hexrecruit.flatmap import neuron_regions
    from napari_hexrecruit.pipeline.members import open_recipe
    from napari_hexrecruit.recipe import CubeRecipe

    simulation = open_recipe(CubeRecipe.of(cube))
    return neuron_regions(simulation, cube, ctx.params["regions"])
