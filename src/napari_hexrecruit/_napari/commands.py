"""Commands of the Layers menu. They act on the selected hexagon layers, or on all without any."""

from __future__ import annotations

from typing import Any

from napari.layers import Points
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtWidgets import QApplication

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.look import fitted_limits
from napari_hexrecruit._napari.layers.saving import ask_for_cube
from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.widgets.aside import aside
from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.metrics import metrics_for
from napari_hexrecruit.storage.cubes import write_cube


def toggle_time_and_colorbar(viewer: Viewer) -> None:
    """Show or hide the time of the bin and the colour bars on the canvas."""
    layers = _hexagons(viewer)
    if not layers:
        return
    visible = not all(layer.face_colorbar.visible for layer in layers)
    for layer in layers:
        layer.face_colorbar.visible = visible
    show_time(viewer).visible = visible


def fit_limits(viewer: Viewer) -> None:
    """Fit the contrast limits of all layers of one metric to all bins, see `fitted_limits`."""
    layers = _hexagons(viewer)
    if not layers:
        return
    metric = _metric_of(layers[-1])
    alike = [layer for layer in layers if _metric_of(layer) == metric]
    limits = fitted_limits([cube for cube in map(cube_of, alike) if cube is not None], metric)
    for layer in alike:
        layer.face_contrast_limits = limits


def next_quantity(viewer: Viewer) -> None:
    """Show the next metric of each cube: percentage, neurons, rate, reports."""
    for layer in _hexagons(viewer):
        cube = cube_of(layer)
        if isinstance(layer, RecruitmentLayer) and cube is not None:
            names = [metric.name for metric in metrics_for(cube)]
            layer.metric = names[(names.index(layer.metric) + 1) % len(names)]


def save_cube(viewer: Viewer) -> None:
    """Save the cube of the selected hexagon layer, or of the uppermost; ask for the name."""
    layers = _hexagons(viewer)
    cube = cube_of(layers[-1]) if layers else None
    asked = None if cube is None else ask_for_cube(QApplication.activeWindow(), layers[-1].name)
    if cube is None or asked is None:
        return
    path, confirmed = asked
    try:
        aside(lambda _: write_cube(cube, path, overwrite=confirmed))
    except (HexRecruitError, ValueError, OSError) as error:
        show_error(reason_first(error))
        return
    show_info(f"Saved {path.name}.")


def _metric_of(layer: Points) -> str:
    """Return the metric of a layer; for plain points, the first metric of their cube."""
    metric = getattr(layer, "metric", None)
    cube = cube_of(layer)
    return str(metric) if metric or cube is None else metrics_for(cube)[0].name


def _hexagons(viewer: Any) -> list[Points]:
    """Return the selected hexagon layers, or all; notify the user if there are none."""
    own = getattr(viewer, "__wrapped__", viewer)  # commands get a proxy
    layers = [layer for layer in own.layers if cube_of(layer) is not None]
    selected = [layer for layer in layers if layer in own.layers.selection]
    if not layers:
        show_info("There is no layer of hexagons: load a simulation or a cube first.")
    return selected or layers
