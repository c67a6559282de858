"""Commands of the Layers menu. They act on the selected hexagon layers, or on all if none is."""

from __future__ import annotations

from typing import Any

from napari.layers import Points
from napari.utils.notifications import show_info
from napari.viewer import Viewer

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.look import fitted_limits
from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit.metrics import metrics_for
from napari_hexrecruit.schema import RECRUITMENT


def toggle_time_and_colorbar(viewer: Viewer) -> None:
    """Show the time of the bin and the colour bars on the canvas, or hide them."""
    layers = _hexagons(viewer)
    if not layers:
        return
    visible = not all(layer.face_colorbar.visible for layer in layers)
    for layer in layers:
        layer.face_colorbar.visible = visible
    show_time(viewer).visible = visible


def fit_limits(viewer: Viewer) -> None:
    """Set the contrast limits to 0 and the 99th percentile of all bins, alike for all layers."""
    layers = _hexagons(viewer)
    if not layers:
        return
    metric = getattr(layers[-1], "metric", RECRUITMENT)
    alike = [layer for layer in layers if getattr(layer, "metric", RECRUITMENT) == metric]
    limits = fitted_limits([cube for cube in map(cube_of, alike) if cube is not None], metric)
    for layer in alike:
        layer.face_contrast_limits = limits


def next_quantity(viewer: Viewer) -> None:
    """Show the next of what each cube holds: percent, neurons, rate, and results of analyses."""
    for layer in _hexagons(viewer):
        cube = cube_of(layer)
        if isinstance(layer, RecruitmentLayer) and cube is not None:
            names = [metric.name for metric in metrics_for(cube)]
            layer.metric = names[(names.index(layer.metric) + 1) % len(names)]


def _hexagons(viewer: Any) -> list[Points]:
    """Selected hexagon layers, or all; tells the user where there is none."""
    own = getattr(viewer, "__wrapped__", viewer)  # commands get a proxy
    layers = [layer for layer in own.layers if cube_of(layer) is not None]
    selected = [layer for layer in layers if layer in own.layers.selection]
    if not layers:
        show_info("There is no layer of hexagons: load a simulation or a cube first.")
    return selected or layers
