"""Start the viewer from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari

from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit.campaign import MANIFEST
from napari_hexrecruit.storage.cubes import ENDINGS

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = "napari-hexrecruit"
WIDGET = "Hexagon recruitment"


def launch(path: Path | None, spikes: Path | None = None, circuit: Path | None = None) -> None:
    """Open a viewer with the widget and the layer of a path; return when the user closes it.

    Parameters
    ----------
    path
        A cube, the folder of a campaign, or a simulation, which the widget reads in a thread with
        the settings of the last session. None: open the viewer without a file.
    spikes, circuit
        Files of a simulation, instead of those that its configuration names.
    """
    viewer = napari.Viewer(title="Hexagon recruitment")
    result = _result(path)
    if result is not None:
        viewer.open(str(result), plugin=PLUGIN)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    files = [file and file.absolute() for file in (path, spikes, circuit)]
    sources = Sources(files[0], files[1], files[2])
    if result is None and sources.enough:
        widget.open(sources)
    napari.run()


def _result(path: Path | None) -> Path | None:
    """Return the path for the reader; None for a simulation, which the widget reads."""
    if path is None:
        return None
    if (path / MANIFEST).is_file():
        return path / MANIFEST
    return path if path.name.endswith((*ENDINGS, MANIFEST)) else None
