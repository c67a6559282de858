"""The viewer, started from the command line."""

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
    """Open a viewer with the widget and the layer of a path; return when it is closed.

    Parameters
    ----------
    path
        A cube, or the folder of a campaign; or a simulation, which the widget reads in a thread,
        with the settings of last time.
    spikes, circuit
        Files of a simulation in place of those that its configuration names.
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
    """What the reader opens at once; None for a simulation."""
    if path is None:
        return None
    if (path / MANIFEST).is_file():
        return path / MANIFEST
    return path if path.name.endswith((*ENDINGS, MANIFEST)) else None
