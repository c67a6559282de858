"""Where things are on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from napari import Viewer


def pixel_of(viewer: Viewer, image: np.ndarray, y: float, x: float) -> tuple[int, int]:
    """Row and column of the picture where a place of the world is drawn."""
    camera = scene(viewer).camera
    height, width = image.shape[:2]
    centre_y, centre_x = camera.center[-2:]
    down = 1 if str(camera.orientation2d[0]) == "down" else -1
    return (
        int(height / 2 + down * (y - centre_y) * camera.zoom),
        int(width / 2 + (x - centre_x) * camera.zoom),
    )


def scene(viewer: Viewer) -> object:
    """Where the camera is."""
    return viewer.scene


def canvas(viewer: Viewer) -> object:
    """Where grid and overlays are."""
    return viewer.canvas


def go_to(viewer: Viewer, time_ms: float) -> None:
    """Move the time slider: the layer has three axes, and is aligned with the last of the world."""
    viewer.dims.set_point(viewer.dims.ndim - 3, time_ms)


def controls(viewer: Viewer) -> Any:
    """Layer controls of what is selected."""
    return viewer.window._qt_viewer.controls.currentWidget()
