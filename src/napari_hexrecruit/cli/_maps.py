"""``hexrecruit map`` and ``wave``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from napari_hexrecruit.cli._afferents import AFFERENTS, afferent_maps
from napari_hexrecruit.cli._answers import (
    AsJson,
    Baseline,
    Cube,
    Deviations,
    Hexes,
    Onset,
    Until,
    check_ending,
    names_of,
    read,
    say_json,
    write_table,
)
from napari_hexrecruit.cli._console import about, say
from napari_hexrecruit.cli._options import Overwrite, Start, Stop
from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.errors import HexRecruitError, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.analysis import WaveFit

_PICTURES = (".png", ".svg", ".pdf")


def map_(
    cube: Cube,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="latency, half_peak_latency, first_spike_latency, peak, mean_recruitment,"
            " mean_rate, cumulative_fraction or correlation; or afferents.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help=".csv, .png, .svg, .pdf, or .hexrecruit.nc (the cube with the map);"
            " default: CSV on standard output.",
        ),
    ] = None,
    onset: Onset = None,
    until: Until = None,
    baseline: Baseline = None,
    n_sd: Deviations = None,
    start: Start = None,
    stop: Stop = None,
    hexes: Hexes = None,
    metric: Annotated[str | None, typer.Option(help="Variable, for peak and correlation.")] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="For afferents, where the edges come from: a node set, a population or hexagons.",
        ),
    ] = None,
    edges: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="For afferents: a population of edges, or an edges file."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write one number per hexagon: a table, picture or cube."""
    from napari_hexrecruit.analysis import hex_map, maps_table, with_maps
    from napari_hexrecruit.storage.cubes import ENDINGS, write_cube

    if output is not None:
        check_ending(output, (".csv", *_PICTURES, *ENDINGS), overwrite=overwrite)
    source = read(cube)
    options: dict[str, Any] = {
        "onset": onset,
        "until": until,
        "baseline": baseline,
        "n_sd": n_sd,
        "start": start,
        "stop": stop,
        "hexes": names_of(hexes) or None,
        "metric": metric,
    }
    given = {option: value for option, value in options.items() if value is not None}
    if name == AFFERENTS:
        maps = afferent_maps(cube, source, origin, edges, given)
    else:
        with about(cube):
            maps = [_in_options_of_commands(hex_map, source, name, given)]
    found = maps[0]
    if output is not None and output.name.endswith(ENDINGS):
        write_cube(with_maps(source, *maps), output, overwrite=overwrite)
    elif output is not None and output.suffix.lower() in _PICTURES:
        _draw(source, found, output, [], overwrite)
    else:
        write_table(maps_table(*maps), output, overwrite=overwrite)
    if output is not None:
        say(f"{output}: {found.attrs['long_name']}, {_range(found)}")


def wave(
    cube: Cube,
    onset: Onset = None,
    until: Until = None,
    latency: Annotated[
        Literal["half_peak_latency", "latency", "first_spike_latency"],
        typer.Option(help="Which map of latencies the front is fitted to."),
    ] = "half_peak_latency",
    kind: Annotated[
        Literal["best", "plane", "radial"], typer.Option(help="Form of the front.")
    ] = "best",
    baseline: Baseline = None,
    n_sd: Deviations = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="Picture of latencies and front: .png, .svg, .pdf"
        ),
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """Measure speed and direction of a front after an onset.

    If there is no front, the command prints the reason.
    """
    from napari_hexrecruit.analysis import fit_wave, hex_map

    if output is not None:
        check_ending(output, _PICTURES, overwrite=overwrite)
    source = read(cube)
    options = {"onset": onset, "until": until, "baseline": baseline, "n_sd": n_sd}
    with about(cube):
        given = {option: value for option, value in options.items() if value is not None}
        found = _in_options_of_commands(hex_map, source, latency, given)
    fit = fit_wave(found, kind=kind)
    if output is not None:
        _draw(source, found, output, _front_lines(fit, found), overwrite)
    if as_json:
        say_json(fit.to_dict())
        return
    say(fit.why)
    for line in _details(fit):
        say(f"  {line}")


def _in_options_of_commands(function: Any, cube: xr.Dataset, name: str, given: Any) -> xr.DataArray:
    """Compute the map; errors name missing and unknown options as on the command line."""
    from napari_hexrecruit.analysis import MAPS, map_options
    from napari_hexrecruit.schema import N_TRIALS

    if name in MAPS:
        if N_TRIALS in cube.attrs and "onset" in map_options(name):
            given = {"onset": 0.0, **given}  # times of trials are relative to it
        strange = [option for option in given if option not in map_options(name)]
        if strange:
            takes, not_this = map(_options, (map_options(name), strange[:1]))
            raise HexRecruitError(f"the map {name} takes {takes}, not {not_this}")
        for option in ("onset", "hexes"):
            if option in map_options(name) and option not in given:
                raise HexRecruitError(f"the map {name} needs {_options([option])}")
    found: xr.DataArray = function(cube, name, **given)
    return found


def _options(names: Iterable[str]) -> str:
    return ", ".join(as_option(Parameter(name)) for name in names)


def _draw(
    cube: xr.Dataset,
    found: xr.DataArray,
    output: Path,
    lines: list[npt.NDArray[np.float64]],
    overwrite: bool,
) -> None:
    from napari_hexrecruit.analysis import with_maps
    from napari_hexrecruit.render.frames import render_frames
    from napari_hexrecruit.render.picture import write_frame

    first = with_maps(cube, found).isel(time=[0])
    frames = render_frames(first, metric=str(found.name), timestamp=False, outlines=lines)
    write_frame(frames, output, overwrite=overwrite)


def _front_lines(fit: WaveFit, found: xr.DataArray) -> list[npt.NDArray[np.float64]]:
    """Return isochrones and, for a plane front, the arrow; empty without a wave."""
    from napari_hexrecruit.analysis import arrow_line, isochrones, wave_arrow

    if not fit.is_wave:
        return []
    lines = [one.line for one in isochrones(fit, found)]
    return [*lines, arrow_line(wave_arrow(fit, found))] if fit.kind == "plane" else lines


def _range(found: xr.DataArray) -> str:
    known = int(found.notnull().sum())
    of = f"{known:,} of {found.size:,} hexagons"
    if not known:
        return f"none of {found.size:,} hexagons has a value"
    units = f" {found.attrs['units']}" if found.attrs["units"] else ""
    return f"{of}, {float(found.min()):.4g} to {float(found.max()):.4g}{units}"


def _details(fit: WaveFit) -> list[str]:
    """Return more numbers of a wave, one per line."""
    if not fit.is_wave:
        return []
    lines = [
        f"speed        {fit.speed:.4g} {fit.flat_units}/ms,"
        f" 95 % from {fit.speed_ci[0]:.4g} to {fit.speed_ci[1]:.4g}"
    ]
    if fit.kind == "plane":
        lines.append(
            f"direction    {fit.direction:.1f} degrees from +x,"
            f" 95 % from {fit.direction_ci[0]:.1f} to {fit.direction_ci[1]:.1f}"
        )
    else:
        lines.append(f"source       x {fit.source[0]:.4g}, y {fit.source[1]:.4g} {fit.flat_units}")
    lines.append(
        f"fit          residual {fit.residual:.3g} ms, p = {fit.p_value:.2g},"
        f" agreement {fit.agreement:.0%}, errors correlated over {fit.correlation_length:.3g}"
        f" {fit.flat_units}"
    )
    return lines
