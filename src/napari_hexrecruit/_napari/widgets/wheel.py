"""The mouse wheel scrolls a panel, and changes a field only if it has the focus."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget

_FIELDS = (QAbstractSpinBox, QComboBox, QAbstractSlider)


class CalmWheel(QObject):
    """Keeps the wheel from changing fields of a panel without the focus.

    With Qt's default, the wheel changes the field under the pointer, and gives some fields the
    focus: a user who scrolls a panel would change numbers without a click. Here the event goes on
    to the scroll area.

    Parameters
    ----------
    panel
        The Qt widget with all fields in it; it owns this object.
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
        """Pass the event on to the parent of a field without the focus."""
        if event.type() != QEvent.Type.Wheel or watched.hasFocus():
            return False
        event.ignore()
        return True
