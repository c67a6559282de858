"""Questions to recruitment cubes: pure functions, labelled arrays in and out.

`traces` reads hexagons over time, `selection` turns hexagons into neurons and back, `comparison`
sets two cubes against each other, `trials` cuts a cube around onsets, `latencies` and `maps` give
one number per hexagon, `waves` fits a travelling front. ``docs/analysis.md`` has the formulas.

What can be drawn is a recruitment cube with one more variable: a metric of
`napari_hexrecruit.metrics` shows it in the viewer, in pictures and in movies.

Everything public is importable from here, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # so that editors and type checkers see what `__getattr__` gives
    from napari_hexrecruit.analysis.comparison import align, compare, z_score
    from napari_hexrecruit.analysis.fronts import Isochrone, arrow_line, isochrones, wave_arrow
    from napari_hexrecruit.analysis.latencies import (
        first_spike_latency,
        first_spikes,
        half_peak_latency,
        latency,
    )
    from napari_hexrecruit.analysis.maps import (
        MAPS,
        correlation,
        cumulative_fraction,
        hex_map,
        map_options,
        maps_table,
        mean_rate,
        mean_recruitment,
        peak,
        with_maps,
    )
    from napari_hexrecruit.analysis.onsets import input_onsets, periodic_onsets
    from napari_hexrecruit.analysis.pictures import trace_figure
    from napari_hexrecruit.analysis.selection import (
        hex_positions,
        hexes_by_neurons,
        hexes_in_region,
        neurons_of,
        neurons_table,
        share_of_neurons,
    )
    from napari_hexrecruit.analysis.traces import hex_traces, population_trace, raster, traces_table
    from napari_hexrecruit.analysis.trials import (
        count_trials,
        cut_trials,
        reliability,
        trial_cube,
        trial_mean,
    )
    from napari_hexrecruit.analysis.waves import CRITERIA, WaveFit, fit_wave
    from napari_hexrecruit.analysis.windows import bins_of, cut

__all__ = [
    "CRITERIA",
    "MAPS",
    "Isochrone",
    "WaveFit",
    "align",
    "arrow_line",
    "bins_of",
    "compare",
    "correlation",
    "count_trials",
    "cumulative_fraction",
    "cut",
    "cut_trials",
    "first_spike_latency",
    "first_spikes",
    "fit_wave",
    "half_peak_latency",
    "hex_map",
    "hex_positions",
    "hex_traces",
    "hexes_by_neurons",
    "hexes_in_region",
    "input_onsets",
    "isochrones",
    "latency",
    "map_options",
    "maps_table",
    "mean_rate",
    "mean_recruitment",
    "neurons_of",
    "neurons_table",
    "peak",
    "periodic_onsets",
    "population_trace",
    "raster",
    "reliability",
    "share_of_neurons",
    "trace_figure",
    "traces_table",
    "trial_cube",
    "trial_mean",
    "wave_arrow",
    "with_maps",
    "z_score",
]

_HOMES = {
    "CRITERIA": "waves",
    "MAPS": "maps",
    "Isochrone": "fronts",
    "WaveFit": "waves",
    "align": "comparison",
    "arrow_line": "fronts",
    "bins_of": "windows",
    "compare": "comparison",
    "correlation": "maps",
    "count_trials": "trials",
    "cumulative_fraction": "maps",
    "cut": "windows",
    "cut_trials": "trials",
    "first_spike_latency": "latencies",
    "first_spikes": "latencies",
    "fit_wave": "waves",
    "half_peak_latency": "latencies",
    "hex_map": "maps",
    "hex_positions": "selection",
    "hex_traces": "traces",
    "hexes_by_neurons": "selection",
    "hexes_in_region": "selection",
    "input_onsets": "onsets",
    "isochrones": "fronts",
    "latency": "latencies",
    "map_options": "maps",
    "maps_table": "maps",
    "mean_rate": "maps",
    "mean_recruitment": "maps",
    "neurons_of": "selection",
    "neurons_table": "selection",
    "peak": "maps",
    "periodic_onsets": "onsets",
    "population_trace": "traces",
    "raster": "traces",
    "reliability": "trials",
    "share_of_neurons": "selection",
    "trace_figure": "pictures",
    "traces_table": "traces",
    "trial_cube": "trials",
    "trial_mean": "trials",
    "wave_arrow": "fronts",
    "with_maps": "maps",
    "z_score": "comparison",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
