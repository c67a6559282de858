"""The bins of the window that a recipe asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS, TimeBins

if TYPE_CHECKING:
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation


def bins_of(
    sim: Simulation, start: float | None, stop: float | None, bin_ms: float
) -> tuple[TimeBins, list[str]]:
    """Return the bins of a window, by default the simulation's, and notes on assumptions.

    Raises
    ------
    ValueError
        If the window is not a whole number of bins, or not within the simulation.
    """
    if start is None or stop is None:
        sim.check_window_is_known()
    first = sim.start_ms if start is None else start
    if stop is not None:
        bins, notes = TimeBins(first, stop, bin_ms), []
    elif sim.has_end:
        bins, dropped = TimeBins.within(first, sim.duration_ms, bin_ms)
        notes = [left_out(dropped)] if dropped else []
    else:
        bins = bins_to(first, sim.last_spike_ms, bin_ms)
        notes = [
            f"{sim.spikes_file}: no configuration gives the end of the simulation; {bins.stop_ms:g}"
            " ms, the end of the bin of the last spike, is assumed"
        ]
    earliest, latest = sim.limits_ms
    if bins.start_ms < earliest - EDGE_TOLERANCE_MS or bins.stop_ms > latest + EDGE_TOLERANCE_MS:
        raise ValueError(
            f"the window {bins.start_ms:g} to {bins.stop_ms:g} ms is not within the simulation:"
            f" use times from {earliest:g} to {latest:g} ms"
        )
    return bins, notes


def bins_of_report(
    sim: Simulation, recipe: CubeRecipe, span_ms: tuple[float, float]
) -> tuple[TimeBins, list[str]]:
    """Return the bins of a window, by default a report's within the simulation, and notes.

    Raises
    ------
    ValueError
        If the window is not a whole number of bins, or not within the report.
    """
    earliest, latest = sim.limits_ms
    first = max(span_ms[0], earliest) if recipe.start is None else recipe.start
    if recipe.stop is None:
        bins, dropped = TimeBins.within(first, min(span_ms[1], latest), recipe.bin_ms)
        notes = [left_out(dropped)] if dropped else []
    else:
        bins, notes = TimeBins(first, recipe.stop, recipe.bin_ms), []
    low, high = span_ms[0] - EDGE_TOLERANCE_MS, span_ms[1] + EDGE_TOLERANCE_MS
    if bins.start_ms < low or bins.stop_ms > high:
        raise ValueError(
            f"the window {bins.start_ms:g} to {bins.stop_ms:g} ms is not within the report:"
            f" use times from {span_ms[0]:g} to {span_ms[1]:g} ms"
        )
    return bins, notes


def left_out(ragged_ms: float) -> str:
    """Return the note for the end of a window that does not fill a bin."""
    return f"the last {ragged_ms:g} ms do not fill a bin and were left out"


def bins_to(start_ms: float, last_ms: float, bin_ms: float) -> TimeBins:
    """Return bins from a start to the bin of the last spike.

    Raises
    ------
    ValueError
        If the last spike is before the start, or the bin width is not positive.
    """
    if last_ms < start_ms:
        raise ValueError(
            f"the last spike, at {last_ms:g} ms, is before the start, {start_ms:g} ms:"
            " use an earlier start, or give the stop"
        )
    n_bins = TimeBins.within(start_ms, last_ms, bin_ms) if last_ms - start_ms >= bin_ms else None
    bins = TimeBins(start_ms, n_bins[0].stop_ms if n_bins else start_ms + bin_ms, bin_ms)
    if bins.bin_of([last_ms])[0] < 0:  # at an edge, within the tolerance, or after it
        bins = TimeBins(start_ms, start_ms + (bins.n_bins + 1) * bin_ms, bin_ms)
    return bins
