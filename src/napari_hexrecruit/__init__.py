"""Where on the cortical sheet a simulated population is recruited, and when.

From Python::

    from napari_hexrecruit import recruitment_cube, write_cube
    cube = recruitment_cube("simulation_config.json", radius=50.0, bin_ms=10.0)
    write_cube(cube, "run.hexrecruit.nc")

Everything public is importable from here, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "HexGrid": "hexgrid",
    "HexRecruitError": "errors",
    "MissingExtraError": "errors",
    "SimulationDataError": "errors",
    "TimeBins": "timebins",
    "open_simulation": "sonata",
    "read_cube": "cube_io",
    "recruitment_cube": "pipeline",
    "render_frames": "render",
    "validate_cube": "schema",
    "write_cube": "cube_io",
    "write_movie": "movie",
}

__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
