"""napari's own saving: the ending of a cube decides what is written, not the filter of a dialog."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from napari.components import LayerList
from napari.layers import Layer

PLUGIN = "napari-hexrecruit"

_ARGUMENTS = {"path", "selected", "plugin", "_writer"}


def saves_by_ending(layers: Any, cube_name: Callable[[str, Sequence[Layer]], str]) -> None:
    """Let a list of layers take this plugin's writer for names that are this plugin's.

    napari's dialogs hand over the writer of the filter that stands in them, and at first that is
    CSV: a name with the ending of a cube would be refused by it.

    Parameters
    ----------
    layers
        ``viewer.layers``. Where this napari saves in another way it stays as it is.
    cube_name
        Gives the name of a file that this plugin writes for a path and the layers that are to be
        saved; empty where it does not; raises where the name is a cube's and the layers are not.
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
    """Whether lists of layers of this napari are saved in the way that is known here."""
    return set(inspect.signature(LayerList.save).parameters) >= _ARGUMENTS
