from .clusters import cluster_test, clusters_table
from .comparison import align, compare, z_score
from .events import find_waves, wave_latency, waves_summary, waves_table
from .false_discoveries import fdr
from .fronts import Isochrone, arrow_line, isochrones, wave_arrow
from .intervals import wilson_intervals
from .latencies import (
    first_spike_latency,
    first_spikes,
    half_peak_latency,
    latency,
)
from .maps import (
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
from .onsets import input_onsets, periodic_onsets
from .pictures import trace_figure
from .selection import (
    hex_positions,
    hexes_by_neurons,
    hexes_in_region,
    neurons_of,
    neurons_table,
    share_of_neurons,
)
from .slow_kernel import calcium
from .traces import hex_traces, population_trace, raster, traces_table
from .trial_results import reliability, trial_cube, trial_mean
from .trials import count_trials, cut_trials
from .velocities import local_velocity, velocity_arrows
from .verdicts import CRITERIA
from .waves import WaveFit, fit_wave
from .windows import bins_of, cut

__all__ = [
    "CRITERIA",
    "MAPS",
    "Isochrone",
    "WaveFit",
    "align",
    "arrow_line",
    "bins_of",
    "calcium",
    "cluster_test",
    "clusters_table",
    "compare",
    "correlation",
    "count_trials",
    "cumulative_fraction",
    "cut",
    "cut_trials",
    "fdr",
    "find_waves",
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
    "local_velocity",
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
    "velocity_arrows",
    "wave_arrow",
    "wave_latency",
    "waves_summary",
    "waves_table",
    "wilson_intervals",
    "with_maps",
    "z_score",
]
