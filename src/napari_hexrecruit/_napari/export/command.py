"""The command line that makes the same movie as the viewer. Does not know widgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari.layers import Points

from napari_hexrecruit._napari.export.order import Order, cubes_of_layers
from napari_hexrecruit.command_line import command_line
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.storage.cubes import ENDING, read_cube

_SWITCHES = ("colorbar", "timestamp", "scale_bar")
_REMEDY = "save the layer as .hexrecruit.nc, open that file and export from there"


def commands(layers: Sequence[Points], order: Order, style: MovieStyle) -> str:
    """Return the command that makes the rendered movie of hexagon layers.

    Parameters
    ----------
    layers
        The layers of the movie.
    order, style
        Order and style of the movie.

    Returns
    -------
    str
        Commands quoted for a shell. Several layers need their cubes as files, so commands that
        write the missing ones come first.

    Raises
    ------
    ValueError
        If a command cannot compute a cube; the message says what to do.
    """
    files = [_file_of(layer) for layer in layers]
    options = _movie_options(order, style)
    if len(layers) == 1 and files[0] is None:
        recipe = _recipe_of(layers[0])
        if _is_of_window(recipe, order):
            given = options | _cube_options(recipe)
            return command_line(verb(order), recipe.sources, order.output, given)
    lines, sources = [], []
    for layer, file in zip(layers, files, strict=True):
        source = file or _cube_file(layer, order)
        sources.append(str(source))
        if file is None:
            recipe = _recipe_of(layer)
            given = _cube_options(recipe) | {"start": recipe.start, "stop": recipe.stop}
            lines.append(command_line("cube", recipe.sources, str(source), given))
    lines.append(command_line(verb(order), sources, order.output, options))
    return " && \\\n".join(lines)


def verb(order: Order) -> str:
    """Return the command of ``hexrecruit`` that fulfils an order."""
    return "html" if order.is_web_page else "movie"


def _is_of_window(recipe: CubeRecipe, order: Order) -> bool:
    """Return whether a cube of only the movie's window has the same values as the layer's cube.

    Cumulative counts begin at the start of the cube.
    """
    return not recipe.cumulative or order.start == recipe.start


def run_options(layers: Sequence[Points], order: Order, style: MovieStyle) -> dict[str, Any]:
    """Return the options of the same command by name, for a run file.

    Raises
    ------
    ValueError
        As `commands`.
    """
    options = _movie_options(order, style)
    if len(layers) == 1 and _file_of(layers[0]) is None:
        recipe = _recipe_of(layers[0])
        if not _is_of_window(recipe, order):
            raise ValueError(
                f"the layer {layers[0].name!r} counts neurons from {recipe.start:g} ms on, and a"
                f" run file can only count from the movie's start: set Start to that, or {_REMEDY}"
            )
        options |= _cube_options(recipe)
    return options


def _movie_options(order: Order, style: MovieStyle) -> dict[str, Any]:
    if order.is_web_page:
        return _page_options(order, style)
    speed = {"dilation": order.dilation} if order.fps is None else {"fps": order.fps}
    options: dict[str, Any] = {
        "start": order.start,
        "stop": order.stop,
        "step": order.step,
        **speed,
    }
    options |= {"clim": list(style.clim or ()), "colormap": style.colormap, "metric": style.metric}
    options |= {"size": list(style.size), "background": style.background}
    options |= {name: False for name in _SWITCHES if not getattr(style, name)}
    if style.panel_titles:
        options["panel_titles"] = list(style.panel_titles)
    return options


def _page_options(order: Order, style: MovieStyle) -> dict[str, Any]:
    options: dict[str, Any] = {"start": order.start, "stop": order.stop, "step": order.step}
    options |= {"dilation": order.page_dilation, "clim": list(style.clim or ())}
    options |= {"colormap": style.colormap, "metric": [style.metric]}
    if style.panel_titles:
        options["panel_titles"] = list(style.panel_titles)
    return options


def _cube_options(recipe: CubeRecipe) -> dict[str, Any]:
    try:
        return recipe.to_options()
    except ValueError as error:
        raise ValueError(f"{str(error).partition(':')[0]}: {_REMEDY}") from error


def _recipe_of(layer: Points) -> CubeRecipe:
    """Return the recipe of a layer's cube, if a command can compute it."""
    recipe = CubeRecipe.of_foreign(cubes_of_layers([layer])[0])
    if recipe.lacks or not Path(recipe.simulation or "").is_file():
        raise ValueError(
            f"the layer {layer.name!r} does not name its simulation, or that file is missing:"
            f" {_REMEDY}"
        )
    if recipe.others:
        raise ValueError(
            f"the layer {layer.name!r} was computed with {', '.join(sorted(recipe.others))}, which"
            f" this command has no option for: {_REMEDY}"
        )
    return recipe


def _file_of(layer: Points) -> Path | None:
    """Return the file that a layer was opened from, if it still holds the shown cube."""
    if not str(layer.source.path or "").endswith(ENDING):
        return None
    path = Path(layer.source.path)
    try:
        there = read_cube(path)
    except (HexRecruitError, OSError):
        return None
    return path if there.identical(cubes_of_layers([layer])[0]) else None


def _cube_file(layer: Points, order: Order) -> Path:
    """Return a file name, next to the movie, for the cube of a layer."""
    name = "".join(c if c.isalnum() else "-" for c in layer.name).strip("-")
    movie = Path(order.output)
    return movie.with_name(f"{movie.stem}-{name}{ENDING}")
