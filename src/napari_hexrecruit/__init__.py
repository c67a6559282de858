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

if TYPE_CHECKING:  # so that editors and type checkers see what `__getattr__` gives
    from napari_hexrecruit.check import Finding, check_simulation
    from napari_hexrecruit.cube_io import read_cube, write_cube
    from napari_hexrecruit.errors import HexRecruitError, MissingExtraError, SimulationDataError
    from napari_hexrecruit.hexgrid import HexGrid
    from napari_hexrecruit.movie import write_frame, write_movie
    from napari_hexrecruit.pipeline import cumulative_cube, recruitment_cube
    from napari_hexrecruit.render import Mark, MovieStyle, Underlay, render_frames
    from napari_hexrecruit.schema import validate_cube
    from napari_hexrecruit.sonata import open_simulation
    from napari_hexrecruit.timebins import TimeBins

__all__ = [
    "Finding",
    "HexGrid",
    "HexRecruitError",
    "Mark",
    "MissingExtraError",
    "MovieStyle",
    "SimulationDataError",
    "TimeBins",
    "Underlay",
    "__version__",
    "check_simulation",
    "cumulative_cube",
    "open_simulation",
    "read_cube",
    "recruitment_cube",
    "render_frames",
    "validate_cube",
    "write_cube",
    "write_frame",
    "write_movie",
]

__version__ = "0.1.0"

_HOMES = {
    "Finding": "check",
    "HexGrid": "hexgrid",
    "HexRecruitError": "errors",
    "Mark": "render",
    "MissingExtraError": "errors",
    "MovieStyle": "render",
    "SimulationDataError": "errors",
    "TimeBins": "timebins",
    "Underlay": "render",
    "check_simulation": "check",
    "cumulative_cube": "pipeline",
    "open_simulation": "sonata",
    "read_cube": "cube_io",
    "recruitment_cube": "pipeline",
    "render_frames": "render",
    "validate_cube": "schema",
    "write_cube": "cube_io",
    "write_frame": "movie",
    "write_movie": "movie",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
