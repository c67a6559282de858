"""napari's own saving: the ending of the name decides what is written, not the dialog's filter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from napari.components import LayerList
from napari.layers import Layer

PLUGIN = "napari-hexrecruit"

_ARGUMENTS = {"path", "selected", "plugin", "_writer"}


def saves_by_ending(layers: Any, cube_name: Callable[[str, Sequence[Layer]], str]) -> None:
    """Make a list of layers use this plugin's writer for this plugin's file names.

    napari's dialogs pass the writer of the selected filter, by default CSV, which refuses a name
    with the ending of a cube.

    Parameters
    ----------
    layers
        ``viewer.layers``. It is unchanged if this version of napari saves in another way.
    cube_name
        Called with a path and the layers to save. Returns the name of the file that this plugin
        writes, or an empty string for a file of another writer. Raises if the name is that of a
        cube but the layers do not show one.
    """
    if not knows_saving() or getattr(layers.save, "by_ending", False):
        return
    save = layers.save

    def by_ending(
        path: str, *, selected: bool = False, plugin: str | None = None, _writer: Any = None
    ) -> list[str]:
        chosen = [layer for layer in layers if not selected or layer in layers.selection]
        name = "" if plugin is not None else cube_name(str(path), chosen)
        if name:
            path, plugin, _writer = name, PLUGIN, None
        written: list[str] = save(path, selected=selected, plugin=plugin, _writer=_writer)
        return written

    by_ending.by_ending = True  # type: ignore[attr-defined]
    layers.save = by_ending


def knows_saving() -> bool:
    """Return whether napari's `LayerList.save` has the expected parameters."""
    return set(inspect.signature(LayerList.save).parameters) >= _ARGUMENTS
