"""Fields for the look of hexagons, for a napari whose layer controls cannot hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import Container, Widget
from napari.layers import Points

from napari_hexrecruit._napari.layers.controls import HexagonControls
from napari_hexrecruit._napari.private.controls import missing_controls
from napari_hexrecruit._napari.private.names import missing_names
from napari_hexrecruit._napari.widgets.parts import column, heading


class DisplaySection:
    """The layer controls of hexagons as a section of the panel; empty if napari shows them.

    Attributes
    ----------
    section
        The widget to add to the panel.
    """

    def __init__(self) -> None:
        self.section: Container[Widget] = column("", [heading("Display")])
        self._is_needed = bool(missing_controls() or missing_names())
        self._layers: list[Points] = []
        self._controls: HexagonControls | None = None
        self.section.visible = False

    def show(self, layers: Sequence[Points]) -> None:
        """Show the fields for layers; nothing for an empty sequence."""
        if not self._is_needed or list(layers) == self._layers:
            return
        self._layers = list(layers)
        if self._controls is not None:
            self._controls.deleteLater()
        self._controls = HexagonControls(self._layers) if self._layers else None
        if self._controls is not None:
            native: Any = self.section.native
            native.layout().addWidget(self._controls)
        self.section.visible = bool(self._layers)

    def close(self) -> None:
        """Stop listening to the layers."""
        if self._controls is not None:
            self._controls.release()
