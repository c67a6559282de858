"""Compute the cube of a statistic from a report of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.counting.frames import NotFiniteError, Statistic, statistic_of_frames
from napari_hexrecruit.counting.members import NO_HEX, assemble
from napari_hexrecruit.errors import Parameter, ParameterError, SimulationDataError
from napari_hexrecruit.pipeline.question import Question, resolve
from napari_hexrecruit.pipeline.recordings import Recording, opened_recording
from napari_hexrecruit.pipeline.selecting import Recorded
from napari_hexrecruit.schema import QUANTITIES_VERSION
from napari_hexrecruit.system.threads import ahead
from napari_hexrecruit.timebins import Clock, first_at

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.masks import Mask
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Report, Simulation
    from napari_hexrecruit.timebins import TimeBins

_WHOLE = 1e-6


def report_cube(
    sim: Simulation,
    recipe: CubeRecipe,
    *,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the cube of a recipe that names a report.

    Parameters
    ----------
    sim
        The simulation.
    recipe
        Recipe of the cube, with a `report`.
    n_workers, progress
        As in `napari_hexrecruit.pipeline.cubes.computed_cube`.

    Raises
    ------
    SimulationDataError
        If the report cannot be read, or a value is not finite.
    ValueError
        If a parameter cannot be used, or no neuron is left.
    """
    statistic = Statistic.of(recipe.statistic)
    config = sim.report_config(str(recipe.report))
    with opened_recording(sim, config, recipe.population) as recording:
        report = recording.first
        _check_bin(report, recipe.bin_ms)
        span_ms = report.start_ms, report.stop_ms
        given = Recorded(str(config.path), recording.recorded, span_ms, recording.assumed)
        named = config.name if config in sim.reports else str(config.path)
        recipe = recipe.replace(population=recording.populations.names, report=named)
        question = resolve(sim, recipe, recorded=given, progress=progress)
        values = _values(recording, question, statistic, n_workers, progress)
    name = f"{config.name}_{statistic.suffix}"
    attrs = {
        "units": statistic.units(report.units),
        "long_name": statistic.label(config.name, report.units),
    }
    few = question.members.n_neurons < question.min_neurons
    values[:, few] = np.nan
    return assemble(
        question.members,
        question.bins,
        {name: (values, attrs)},
        flat_units=question.flat_units,
        attrs=question.attrs_without_spikes(attrs["long_name"]),
        version=QUANTITIES_VERSION,
    )


def recorded_neurons(populations: Populations, name: str) -> Mask:
    """Return which neurons of some populations a report records."""
    sim = populations.sim
    with opened_recording(sim, sim.report_config(name), populations.names) as recording:
        return recording.recorded


def _check_bin(report: Report, bin_ms: float) -> None:
    """Refuse bins that are not whole numbers of frames; the error suggests widths that are."""
    n_frames = bin_ms / report.dt_ms
    whole = round(n_frames)
    if whole >= 1 and abs(n_frames - whole) <= _WHOLE * max(1, whole):
        return
    below = int(np.floor(n_frames))
    near = [f"{n * report.dt_ms:.10g}" for n in (below, below + 1) if n >= 1]
    raise ParameterError(
        Parameter("bin_ms"),
        f"of {bin_ms:g} ms is not a whole number of the report's frames of {report.dt_ms:.10g} ms",
        f"use {' or '.join(near)} ms",
    )


def _frames(report: Report, bins: TimeBins) -> tuple[int, int, int]:
    """Return the first frame of the bins, frames per bin, and the end of the last bin's frames.

    A frame below an edge by less than the tolerance of spikes belongs to the bin that starts there.
    """
    clock = Clock(dt_ms=report.dt_ms)
    edges = first_at(report.times_ms(), clock.cuts(bins.edges(), bins.width_ms))
    per_bin = round(bins.width_ms / report.dt_ms)
    if not (np.diff(edges) == per_bin).all():
        bin_ = int(np.flatnonzero(np.diff(edges) != per_bin)[0])
        raise SimulationDataError(
            report.where,
            f"has {np.diff(edges)[bin_]} frames in the bin from {bins.edges()[bin_]:g} ms, and"
            f" {per_bin} in others",
            f"start at a frame, a multiple of {report.dt_ms:.10g} ms after {report.start_ms:g} ms",
        )
    return int(edges[0]), per_bin, int(edges[-1])


def _values(
    recording: Recording,
    question: Question,
    statistic: Statistic,
    n_workers: int | None,
    progress: Progress | None,
) -> Any:
    report, rows = recording.first, recording.neurons
    first, per_bin, last = _frames(report, question.bins)
    hexes = question.members.hex_of_neuron[rows]
    counted = np.flatnonzero(hexes != NO_HEX)
    n_hexes = len(question.members.i)
    try:
        with ahead(recording.blocks(first, last)) as blocks:
            return statistic_of_frames(
                *(blocks, recording.columns[counted], hexes[counted], n_hexes),
                *(per_bin, question.bins.n_bins, statistic),
                n_workers=n_workers,
                progress=progress,
            )
    except NotFiniteError as error:
        start = question.bins.edges()[error.bin]
        ((name, node),) = recording.populations.of_rows(rows[counted[[error.neuron]]]).items()
        which = recording.populations.names.index(name)
        raise SimulationDataError(
            f"{recording.reports[which].where}/data",
            f"has a value of neuron {node[0]} that is not finite, in the bin from {start:g} ms",
            "leave the neuron out with a filter, choose another window, or record again",
        ) from error
