"""Where on the cortical sheet a simulated population is recruited, and when.

From Python::

    from napari_hexrecruit import recruitment_cube, write_cube
    cube = recruitment_cube("simulation_config.json", radius=50.0, bin_ms=10.0)
    write_cube(cube, "run.hexrecruit.nc")

Everything public is importable from here, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from napari_hexrecruit._version import __version__

if TYPE_CHECKING:  # so that editors and type checkers see what `__getattr__` gives
    from napari_hexrecruit.analysis.comparison import align, compare, z_score
    from napari_hexrecruit.analysis.maps import hex_map, with_maps
    from napari_hexrecruit.analysis.traces import hex_traces
    from napari_hexrecruit.analysis.trials import count_trials, cut_trials, reliability, trial_mean
    from napari_hexrecruit.analysis.waves import fit_wave
    from napari_hexrecruit.campaign import (
        open_campaign,
        read_campaign,
        run_campaign,
        select_cube,
    )
    from napari_hexrecruit.conform import as_cube
    from napari_hexrecruit.errors import (
        HexRecruitError,
        MissingExtraError,
        RecruitmentWarning,
        SimulationDataError,
    )
    from napari_hexrecruit.hexgrid import HexGrid
    from napari_hexrecruit.pipeline.check import check_simulation
    from napari_hexrecruit.pipeline.findings import Finding
    from napari_hexrecruit.pipeline.large import large_cube
    from napari_hexrecruit.pipeline.question import cumulative_cube, recruitment_cube
    from napari_hexrecruit.render.frames import Mark, MovieStyle, Underlay, render_frames
    from napari_hexrecruit.render.movie import write_frame, write_movie
    from napari_hexrecruit.schema import validate_cube
    from napari_hexrecruit.sonata import open_simulation
    from napari_hexrecruit.storage.cubes import read_cube, write_cube
    from napari_hexrecruit.timebins import TimeBins

__all__ = [
    "Finding",
    "HexGrid",
    "HexRecruitError",
    "Mark",
    "MissingExtraError",
    "MovieStyle",
    "RecruitmentWarning",
    "SimulationDataError",
    "TimeBins",
    "Underlay",
    "__version__",
    "align",
    "as_cube",
    "check_simulation",
    "compare",
    "count_trials",
    "cumulative_cube",
    "cut_trials",
    "fit_wave",
    "hex_map",
    "hex_traces",
    "large_cube",
    "open_campaign",
    "open_simulation",
    "read_campaign",
    "read_cube",
    "recruitment_cube",
    "reliability",
    "render_frames",
    "run_campaign",
    "select_cube",
    "trial_mean",
    "validate_cube",
    "with_maps",
    "write_cube",
    "write_frame",
    "write_movie",
    "z_score",
]


_HOMES = {
    "Finding": "pipeline.findings",
    "HexGrid": "hexgrid",
    "HexRecruitError": "errors",
    "Mark": "render.frames",
    "MissingExtraError": "errors",
    "MovieStyle": "render.frames",
    "RecruitmentWarning": "errors",
    "SimulationDataError": "errors",
    "TimeBins": "timebins",
    "Underlay": "render.frames",
    "align": "analysis.comparison",
    "check_simulation": "pipeline.check",
    "compare": "analysis.comparison",
    "as_cube": "conform",
    "count_trials": "analysis.trials",
    "cumulative_cube": "pipeline.question",
    "cut_trials": "analysis.trials",
    "fit_wave": "analysis.waves",
    "hex_map": "analysis.maps",
    "hex_traces": "analysis.traces",
    "large_cube": "pipeline.large",
    "open_campaign": "campaign",
    "open_simulation": "sonata",
    "read_campaign": "campaign",
    "read_cube": "storage.cubes",
    "recruitment_cube": "pipeline.question",
    "reliability": "analysis.trials",
    "render_frames": "render.frames",
    "run_campaign": "campaign",
    "select_cube": "campaign",
    "trial_mean": "analysis.trials",
    "validate_cube": "schema",
    "with_maps": "analysis.maps",
    "write_cube": "storage.cubes",
    "write_frame": "render.movie",
    "write_movie": "render.movie",
    "z_score": "analysis.comparison",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
