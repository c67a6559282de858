"""The command line that makes the same movie as the viewer. Knows nothing of widgets."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from napari.layers import Points

from napari_hexrecruit._napari.export.order import Order, cubes_of_layers
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.filters import Rule, rule_to_text
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.storage.cubes import ENDING, read_cube

__all__ = ["commands", "run_options"]

_PROGRAM = "hexrecruit"
_OF_CUBE = (
    *("population", "node_set", "column_atlas", "radius", "bin_ms", "min_neurons"),
    *("spikes", "circuit", "run", "cumulative"),
)
_NEEDED = {"simulation", "where", "flat", "radius", "bin_ms", "min_neurons", "start", "stop"}
_KNOWN = _NEEDED | {*_OF_CUBE}
_REPEATED = {"panel_titles": "--panel-title", "where": "--where"}
_SWITCHES = ("colorbar", "timestamp", "scale_bar")
_REMEDY = "save the layer as .hexrecruit.nc, open that file and export from there"


def commands(layers: Sequence[Points], order: Order, style: MovieStyle) -> str:
    """Write the command that makes a movie of hexagon layers as the renderer draws it.

    Parameters
    ----------
    layers
        The layers of the movie.
    order, style
        The movie.

    Returns
    -------
    str
        Quoted for a shell. Several layers of simulations need cubes on files first, so there is a
        command for each of them before.

    Raises
    ------
    ValueError
        If a cube cannot be computed by a command; the message says what to do.
    """
    files = [_file_of(layer) for layer in layers]
    options = _movie_options(order, style)
    if len(layers) == 1 and files[0] is None:
        recipe = _recipe_of(layers[0])
        if _is_of_window(recipe, order):
            given = options | _cube_options(recipe)
            return _line("movie", _simulation(recipe), order.output, given)
    lines, sources = [], []
    for layer, file in zip(layers, files, strict=True):
        source = file or _cube_file(layer, order)
        sources.append(str(source))
        if file is None:
            recipe = _recipe_of(layer)
            window = {"start": recipe["start"], "stop": recipe["stop"]}
            given = _cube_options(recipe) | window
            lines.append(_line("cube", _simulation(recipe), str(source), given))
    lines.append(_line("movie", sources, order.output, options))
    return " && \\\n".join(lines)


def _simulation(recipe: Mapping[str, Any]) -> list[str]:
    """The argument that names it; none where there are only spikes and a circuit."""
    return [] if recipe["simulation"] == recipe.get("spikes") else [recipe["simulation"]]


def _is_of_window(recipe: Mapping[str, Any], order: Order) -> bool:
    """Whether the bins of a movie are those of a cube of its window alone.

    Neurons that are recruited so far are counted from the start of the cube.
    """
    return not recipe.get("cumulative") or order.start == recipe["start"]


def run_options(layers: Sequence[Points], order: Order, style: MovieStyle) -> dict[str, Any]:
    """Options of the same command by name, for a run file.

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
                f"the layer {layers[0].name!r} counts neurons from {recipe['start']:g} ms on, and a"
                f" run file can only count from the movie's start: set Start to that, or {_REMEDY}"
            )
        options |= _cube_options(recipe)
    return options


def _movie_options(order: Order, style: MovieStyle) -> dict[str, Any]:
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


def _cube_options(recipe: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: recipe[name] for name in _OF_CUBE if recipe.get(name) not in (None, False)}
    options["flatmap" if isinstance(recipe["flat"], str) else "flat"] = recipe["flat"]
    if recipe["where"]:
        options["where"] = [_rule_text(rule) for rule in recipe["where"]]
    return options


def _recipe_of(layer: Points) -> dict[str, Any]:
    """Parameters of the cube of a layer, which a command can be given."""
    recipe = _read_recipe(cubes_of_layers([layer])[0])
    strange = sorted(set(recipe) - _KNOWN)
    if _NEEDED - set(recipe) or not Path(recipe["simulation"]).is_file():
        raise ValueError(
            f"the layer {layer.name!r} does not say which simulation it is of, or that is not here:"
            f" {_REMEDY}"
        )
    if strange:
        raise ValueError(
            f"the layer {layer.name!r} was computed with {', '.join(strange)}, which this command"
            f" has no option for: {_REMEDY}"
        )
    return recipe


def _read_recipe(cube: xr.Dataset) -> dict[str, Any]:
    try:
        recipe = json.loads(cube.attrs["recipe"])
    except (KeyError, TypeError, ValueError):
        return {}
    return recipe if isinstance(recipe, dict) else {}


def _file_of(layer: Points) -> Path | None:
    """The file that a layer was opened from, if that still has what the layer shows."""
    if not str(layer.source.path or "").endswith(ENDING):
        return None
    path = Path(layer.source.path)
    try:
        there = read_cube(path)
    except (HexRecruitError, OSError):
        return None
    return path if there.identical(cubes_of_layers([layer])[0]) else None


def _cube_file(layer: Points, order: Order) -> Path:
    """Name for the cube of a layer beside the movie."""
    name = "".join(c if c.isalnum() else "-" for c in layer.name).strip("-")
    movie = Path(order.output)
    return movie.with_name(f"{movie.stem}-{name}{ENDING}")


def _rule_text(rule: Rule) -> str:
    try:
        return rule_to_text(rule)
    except ValueError as error:
        raise ValueError(
            f"the filter of {rule['column']!r} cannot be written on a command line: {_REMEDY}"
        ) from error


def _line(command: str, sources: Sequence[str], output: str, options: Mapping[str, Any]) -> str:
    words = [_PROGRAM, command, *sources, "-o", output]
    for name, value in options.items():
        words += _words(name, value)
    return shlex.join(words)


def _words(name: str, value: Any) -> list[str]:
    if name in _REPEATED:
        return [word for one in value for word in (_REPEATED[name], one)]
    flag = "bin" if name == "bin_ms" else name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{flag}", *map(_number, values)]


def _number(value: Any) -> str:
    """Exactly, but 10 rather than 10.0; text as it is."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
