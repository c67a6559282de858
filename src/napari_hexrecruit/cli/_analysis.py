"""``hexrecruit traces``, ``compare`` and ``trials``."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._answers import (
    AsJson,
    Cube,
    Hexes,
    MetricName,
    check_ending,
    names_of,
    read,
    say_json,
    simulation_of,
    write_table,
)
from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._options import Overwrite
from napari_hexrecruit.errors import HexRecruitError, RecruitmentWarning
from napari_hexrecruit.schema import notes_of

if TYPE_CHECKING:
    import xarray as xr

CubeFile = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT.hexrecruit.nc", help="File to write.")
]
_PICTURES = (".png", ".svg", ".pdf")


def traces(
    cube: Cube,
    hexes: Hexes = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help=".csv, .png, .svg or .pdf; default: CSV on standard output.",
        ),
    ] = None,
    metric: MetricName = None,
    overwrite: Overwrite = False,
) -> None:
    """Write traces of hexagons and their mean.

    The output is a table or a picture.
    """
    from napari_hexrecruit.analysis import hex_traces, population_trace, traces_table
    from napari_hexrecruit.metrics import metric_of

    if output is not None:
        check_ending(output, (".csv", *_PICTURES), overwrite=overwrite)
    source = read(cube)
    with about(cube):
        picked = names_of(hexes)
        if not picked:
            raise ValueError("no hexagon is named: give --hex, as in --hex 'R1;C2,R1;C3'")
        found = hex_traces(source, picked, metric=metric)
    if output is not None and output.suffix.lower() in _PICTURES:
        pools = metric_of(source, metric).pools
        population = population_trace(source, metric=metric) if pools else None
        _save_traces(found, population, output, overwrite)
    else:
        write_table(traces_table(found), output, overwrite=overwrite)
    if output is not None:
        say(f"{output}: {found.sizes['hex']} hexagons, {found.sizes['time']:,} bins")


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A .hexrecruit.nc file.")],
    output: CubeFile,
    b: Annotated[
        Path | None,
        typer.Argument(metavar="[B]", help="What A is compared with; default: another window."),
    ] = None,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="START STOP", help="Window of A, ms; default: all of it."),
    ] = None,
    other_window: Annotated[
        tuple[float, float] | None,
        typer.Option("--with", metavar="START STOP", help="Window of B, or of A without B, ms."),
    ] = None,
    baseline: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="START STOP", help="Window of A to take z-scores against, ms."),
    ] = None,
    names: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="Names of the two.")
    ] = None,
    metric: MetricName = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """Write difference and ratio of two cubes, or of two windows."""
    from napari_hexrecruit import analysis
    from napari_hexrecruit.storage.cubes import write_cube

    _check_cube_name(output, overwrite=overwrite)
    if b is None and other_window is None:
        raise HexRecruitError(f"{a}: nothing to compare with: name another cube, or give --with")
    whole, other = read(a), read(b or a)
    with about(a):
        one = analysis.cut(whole, *(window or (None, None)))
    with about(b or a):
        other = analysis.cut(other, *(other_window or (None, None)))
    with about(f"{a} and {b}" if b else a):
        result = analysis.compare(one, other, metric=metric, names=names or ("A", "B"))
        if baseline is not None:
            quiet = analysis.cut(whole, *baseline)
            result = result.assign(_z_scores(result, quiet, metric))
    write_cube(result, output, overwrite=overwrite)
    _say_difference(result, output, as_json)


def trials(
    cube: Cube,
    output: CubeFile,
    before: Annotated[float, typer.Option(metavar="MS", help="Time before the onset, ms.")],
    after: Annotated[float, typer.Option(metavar="MS", help="Time after the onset, ms.")],
    onsets: Annotated[str | None, typer.Option(metavar="MS,MS,...", help="Onsets, ms.")] = None,
    period: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="START PERIOD", help="First onset and time between onsets, ms."),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option("--input", metavar="NAME", help="Onsets of these inputs; * matches any."),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Count the spikes again, with a bin starting at each onset."),
    ] = False,
    each: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the cube of each trial.")
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the mean over trials, its error, and reliability.

    Time 0 is the onset.
    """
    from napari_hexrecruit import analysis
    from napari_hexrecruit.storage.cubes import write_cube

    _check_cube_name(output, overwrite=overwrite)
    source = read(cube)
    with about(cube):
        times = _onsets(cube, source, onsets, period, inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RecruitmentWarning)  # reported below, with the numbers
            if exact:
                found = _counted(cube, source, times, before, after)
            else:
                found = analysis.cut_trials(source, times, before=before, after=after)
    reliability = analysis.reliability(found)
    write_cube(
        analysis.with_maps(analysis.trial_mean(found), reliability), output, overwrite=overwrite
    )
    if each is not None:
        _write_each(found, each, overwrite)
    left_out = json.loads(found.attrs["onsets_left_out"])
    numbers = {
        "onsets_ms": found["onset"].values.tolist(),
        "shifts_ms": found["shift"].values.tolist(),
        "left_out_ms": left_out,
        "repeated_ms": json.loads(found.attrs["onsets_repeated"]),
        "median_reliability": _number(reliability.median()),
    }
    if as_json:
        say_json(numbers)
        return
    say(f"{output}: mean of {found.sizes['trial']} trials, {0.0 - before:g} to {after:g} ms")
    for note in notes_of(found)[len(notes_of(source)) :]:
        say(f"  note: {note}")
    if left_out:
        listed = ", ".join(f"{t:g}" for t in left_out)
        say(f"  left out, as their windows are not inside the cube: {listed} ms")
    shift = max(abs(value) for value in numbers["shifts_ms"])
    if shift > 0:
        say(f"  onsets are up to {shift:g} ms from the edge of a bin: --exact counts them exactly")


def _onsets(
    path: Path,
    cube: xr.Dataset,
    listed: str | None,
    period: tuple[float, float] | None,
    inputs: str | None,
) -> Any:
    from napari_hexrecruit.analysis import bins_of, input_onsets, periodic_onsets

    if sum(way is not None for way in (listed, period, inputs)) != 1:
        raise ValueError("give the onsets with one of --onsets, --period and --input")
    if listed is not None:
        try:
            return [float(word) for word in listed.split(",")]
        except ValueError:
            raise ValueError(
                f"--onsets must be numbers of ms with commas between, not {listed!r}"
            ) from None
    if period is not None:
        return periodic_onsets(*period, bins_of(cube).stop_ms)
    configuration = simulation_of(path, cube).configuration
    return input_onsets(configuration.get("inputs") or {}, str(inputs))


def _counted(path: Path, cube: xr.Dataset, onsets: Any, before: float, after: float) -> xr.Dataset:
    from napari_hexrecruit.analysis import count_trials
    from napari_hexrecruit.pipeline.members import cube_members, cube_spikes

    sim = simulation_of(path, cube)
    with progress_bars() as progress:
        members = cube_members(sim, cube, progress=progress)
        spikes = cube_spikes(sim, cube, progress=progress)
        return count_trials(
            cube,
            spikes.neurons,
            spikes.times_ms,
            members,
            onsets,
            before=before,
            after=after,
            within=(sim.start_ms, sim.duration_ms),
            clock=spikes.clock,
            progress=progress,
        )


def _write_each(found: xr.Dataset, folder: Path, overwrite: bool) -> None:
    from napari_hexrecruit.analysis import trial_cube
    from napari_hexrecruit.storage.cubes import ENDING, write_cube

    folder.mkdir(parents=True, exist_ok=True)
    for k in range(found.sizes["trial"]):
        write_cube(trial_cube(found, k), folder / f"trial-{k}{ENDING}", overwrite=overwrite)


def _z_scores(result: xr.Dataset, quiet: xr.Dataset, metric: str | None) -> dict[str, Any]:
    from napari_hexrecruit.analysis import z_score

    return {"z_score": z_score(result, quiet, metric=metric)["z_score"]}


def _say_difference(result: xr.Dataset, output: Path, as_json: bool) -> None:
    from napari_hexrecruit.blocks import parts_of

    difference = result["difference"]
    label, units = difference.attrs["long_name"], difference.attrs["units"]
    numbers: dict[str, Any] = {"label": label, "units": units}
    numbers |= {"largest": None, "smallest": None}
    for part in parts_of(result):
        there = difference.isel(time=part).load()
        if bool(there.notnull().any()):
            for name, at, sign in (("largest", there.argmax, 1), ("smallest", there.argmin, -1)):
                found = _named(there.isel(at(["time", "hex"])))
                before = numbers[name]
                if before is None or sign * found["value"] > sign * before["value"]:
                    numbers[name] = found
    if as_json:
        say_json(numbers)
        return
    say(f"{output}: {result.sizes['hex']:,} hexagons, {result.sizes['time']:,} bins; {label}")
    for name in ("largest", "smallest"):
        found = numbers[name]
        if found is not None:
            say(
                f"  {name} {found['value']:.3g} {units} in {found['hex']} at"
                f" {found['time_ms']:g} ms"
            )


def _named(there: xr.DataArray) -> dict[str, Any]:
    """Return a value with its hexagon and time."""
    return {
        "value": float(there),
        "hex": str(there["hex"].item()),
        "time_ms": float(there["time"]),
    }


def _save_traces(
    found: xr.Dataset, population: xr.DataArray | None, output: Path, overwrite: bool
) -> None:
    from napari_hexrecruit.analysis.pictures import trace_figure
    from napari_hexrecruit.render.sheet import default_settings
    from napari_hexrecruit.storage.atomic import written_aside

    kind = output.suffix.lower().removeprefix(".")
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with (
        default_settings(**{"svg.hashsalt": "hexrecruit", "pdf.fonttype": 42}),
        written_aside(output, overwrite=overwrite) as aside,
    ):
        trace_figure(found, population).savefig(aside, format=kind, dpi=150, metadata=undated)


def _check_cube_name(output: Path, *, overwrite: bool) -> None:
    from napari_hexrecruit.storage.cubes import check_output

    check_output(output, overwrite=overwrite)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if number == number else None
