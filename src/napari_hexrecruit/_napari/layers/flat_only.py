"""Notify the user, on a switch to 3-D, of what hexagons cannot show there."""

from __future__ import annotations

import weakref
from typing import Any

import napari
from napari.utils.notifications import show_info

from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.private.scale_bar import silence_scale_bar_in_3d

_TOLD = (
    "Hexagons are flat. In 3-D they stay at one bin, without time slider, scale bar and selecting;"
    " the same button leads back to 2-D."
)


def tell_of_3d(viewer: napari.Viewer) -> None:
    """Notify once of what hexagons lack in 3-D, instead of napari's warning about units.

    Parameters
    ----------
    viewer
        The viewer. In 3-D its scale bar is hidden, because it has no unit if time is an axis. Call
        this function whenever hexagons are added.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)  # widgets get a proxy
    if id(viewer) not in _toggles:
        _toggles[id(viewer)] = _Toggle(viewer)
        weakref.finalize(viewer, _toggles.pop, id(viewer), None)
    silence_scale_bar_in_3d(viewer)


class _Toggle:
    """Hides the scale bar in 3-D, and shows it again in 2-D if it was visible before."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._hidden = self._told = False
        viewer.dims.events.ndisplay.connect(self._on_toggled)
        viewer.canvas.grid.events.enabled.connect(self._on_grid, position="last")

    def _on_grid(self) -> None:
        silence_scale_bar_in_3d(self._viewer())

    def _on_toggled(self) -> None:
        viewer: Any = self._viewer()
        bar = viewer.canvas.overlays.scale_bar
        if viewer.dims.ndisplay == 2:
            bar.visible = bar.visible or self._hidden
            self._hidden = False
        elif any(cube_of(layer) is not None for layer in viewer.layers):
            self._hidden, bar.visible = bar.visible, False
            if not self._told:
                show_info(_TOLD)
            self._told = True


_toggles: dict[int, _Toggle] = {}
"""By viewer id."""
