"""The mouse wheel scrolls a panel, and changes a field only where the keyboard is in it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget

_FIELDS = (QAbstractSpinBox, QComboBox, QAbstractSlider)


class CalmWheel(QObject):
    """Keeps the wheel off the fields of a panel that do not have the focus.

    Qt changes whatever field is under the pointer, and some take the focus from the wheel. A
    person who scrolls a panel would change numbers without a click. The event goes on to what
    scrolls.

    Parameters
    ----------
    panel
        The Qt widget, with all its fields in it; it owns this object.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        for kind in _FIELDS:
            for field in panel.findChildren(kind):
                if not isinstance(field, QScrollBar):
                    self._calm(field)

    def _calm(self, field: Any) -> None:
        if field.focusPolicy() == Qt.FocusPolicy.WheelFocus:
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        field.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Pass the wheel on to the parent of a field without focus."""
        if event.type() != QEvent.Type.Wheel or watched.hasFocus():
            return False
        event.ignore()
        return True
