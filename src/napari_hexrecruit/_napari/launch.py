"""The viewer, started from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PLUGIN", "launch"]

PLUGIN = "napari-hexrecruit"
WIDGET = "Hexagon recruitment"


def launch(path: Path | None) -> None:
    """Open a viewer with the widget and the layer of a path; return when it is closed."""
    viewer = napari.Viewer(title="Hexagon recruitment")
    viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    if path is not None:
        viewer.open(str(path), plugin=PLUGIN)
    napari.run()
