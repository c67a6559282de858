"""A part of the panel that is folded away until it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import Container, PushButton, Widget
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy

from napari_hexrecruit._napari.widgets.elided import Elided
from napari_hexrecruit._napari.widgets.parts import column

_CLOSED, _OPENED = (
    "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}",
    ("\N{BLACK DOWN-POINTING SMALL TRIANGLE}"),
)
_LOOK = """
QPushButton {
  background: transparent; border: 1px solid transparent;
  text-align: left; padding: 4px 0px 3px 3px;
}
QPushButton:hover { background: rgba(128, 128, 128, 60); }
QPushButton:focus { border-color: #7b818a; }
"""
"""Like text, in any theme; the frame says where the keyboard is."""


class Fold:
    """A button with a title that opens and closes what is below it.

    Parameters
    ----------
    title
        What the button says.
    tooltip
        What the part is for.
    widgets
        What is folded away.
    labels
        Whether their labels are shown.

    Attributes
    ----------
    section
        Button and part, to be put on a panel.
    button
        Takes the focus by Tab; Space opens and closes.
    toggled
        Emitted with whether it is open, when the user opens or closes it.
    """

    toggled = Signal(bool)

    def __init__(
        self, title: str, tooltip: str, widgets: Sequence[Widget], *, labels: bool = False
    ) -> None:
        self._title, self._opened = title, False
        self.button = PushButton(text=title, tooltip=tooltip)
        native: Any = self.button.native
        native.setStyleSheet(_LOOK)
        native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        Elided(native)
        self._part = column("", widgets, labels=labels)
        self.section: Container[Widget] = column("", [self.button, self._part])
        self.button.changed.connect(self._on_pressed)
        self.opened = False

    @property
    def title(self) -> str:
        """What the button says."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title
        self._show()

    @property
    def opened(self) -> bool:
        """Whether the part is seen."""
        return self._opened

    @opened.setter
    def opened(self, opened: bool) -> None:
        self._opened = opened
        self._part.visible = opened
        self._show()

    def _show(self) -> None:
        self.button.text = f"{_OPENED if self._opened else _CLOSED} {self._title}"
        native: Any = self.button.native
        native.setAccessibleName(self._title)
        native.setAccessibleDescription("open" if self._opened else "folded away")

    def _on_pressed(self) -> None:
        self.opened = not self._opened
        self.toggled.emit(self._opened)
