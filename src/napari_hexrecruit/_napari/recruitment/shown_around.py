"""The tour of the panel, on request."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QDockWidget, QWidget

from napari_hexrecruit._napari.export.panel import ExportPanel
from napari_hexrecruit._napari.recruitment.form import Form
from napari_hexrecruit._napari.widgets.tour import Step, Tour

_CONTROLS = "layer controls"
"""Name of napari's dock widget."""


def show_around(panel: QWidget, form: Form, export: ExportPanel) -> Tour:
    """Start the tour of a panel.

    Parameters
    ----------
    panel
        The panel, in a window.
    form, export
        Parts of the panel with the fields to show.
    """
    window: Any = panel.window()
    for tour in window.findChildren(Tour):
        tour.leave()
    return Tour(window, _steps(window, form, export))


def _steps(window: QWidget, form: Form, export: ExportPanel) -> list[Step]:
    controls = window.findChild(QDockWidget, _CONTROLS)
    of_layer = "Colours, limits and the metric of the hexagons appear here once there are hexagons."
    file, filters, bins = (
        one.native.parentWidget() for one in (form.file, form.filter_column, form.bin_ms)
    )  # including their labels
    return [
        (file, "Choose a SONATA simulation, or drop it anywhere on this panel."),
        (filters, "Count only some neurons. Presets has the usual choices."),
        (bins, "Radius of hexagons and width of bins; a change counts again."),
        (form.load.native, "Load counts which neurons of each hexagon fire in each bin."),
        *([] if controls is None else [(controls, of_layer)]),
        (export.export.native, "Export makes a movie, pictures or a web page of what you see."),
    ]
