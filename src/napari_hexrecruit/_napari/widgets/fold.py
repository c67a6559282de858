"""A part of a panel that stays folded until the user opens it."""

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
"""Looks like text in any theme; the border shows the keyboard focus."""


class Fold:
    """A button with a title that opens and closes the part below it.

    Parameters
    ----------
    title
        Text of the button.
    tooltip
        Purpose of the part.
    widgets
        Widgets of the part.
    labels
        If True, show the labels of the widgets.

    Attributes
    ----------
    section
        Button and part, to add to a panel.
    button
        The button. Tab gives it the focus; Space opens and closes the part.
    toggled
        Emitted when the user opens or closes the part; True if it is open.
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
        """Text of the button."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title
        self._show()

    @property
    def opened(self) -> bool:
        """Whether the part is open."""
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
