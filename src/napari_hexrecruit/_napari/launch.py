"""The viewer, started from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari

from napari_hexrecruit.cube_io import ENDING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PLUGIN", "WIDGET", "launch"]

PLUGIN = "napari-hexrecruit"
WIDGET = "Hexagon recruitment"


def launch(path: Path | None) -> None:
    """Open a viewer with the widget and the layer of a path; return when it is closed.

    Parameters
    ----------
    path
        A cube; or a simulation, which the widget reads in a thread, with the settings of last time.
    """
    viewer = napari.Viewer(title="Hexagon recruitment")
    if path is not None and path.name.endswith(ENDING):
        viewer.open(str(path), plugin=PLUGIN)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    if path is not None and not path.name.endswith(ENDING):
        widget.open(path)
    napari.run()
