"""Names and paths longer than their field: elided in the middle, complete in the tooltip."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStyleOptionFrame,
    QStylePainter,
    QToolTip,
)

_MARGIN = 2
"""Margin on each side of the text, px, as in Qt."""
_Field = QComboBox | QLineEdit | QPushButton
_KINDS: dict[type, tuple[type, Any]] = {
    QComboBox: (QStyleOptionComboBox, None),
    QLineEdit: (QStyleOptionFrame, QStyle.SubElement.SE_LineEditContents),
    QPushButton: (QStyleOptionButton, QStyle.SubElement.SE_PushButtonContents),
}
"""Style option and text element of each kind of field in Qt."""


class Elided(QObject):
    """Elides a text that is too long in the middle, or at its end on a button.

    A line that the user is editing is unchanged.

    Qt itself cuts off the end, although the end distinguishes paths and long names.

    Parameters
    ----------
    field
        A combo box, a line edit or a button; it owns this object.
    of_any_length
        If True, the texts come from the data, and the panel does not widen for the longest.

    Attributes
    ----------
    of_any_length
        As given.
    """

    def __init__(self, field: _Field, *, of_any_length: bool = True) -> None:
        super().__init__(field)
        self.of_any_length = of_any_length
        self._field: Any = field
        self._option_of, self._element = next(
            found for kind, found in _KINDS.items() if isinstance(field, kind)
        )
        field.installEventFilter(self)

    @property
    def shown(self) -> str:
        """The text as drawn."""
        field, room = self._field, self._rect().width()
        ends = Qt.TextElideMode
        where = ends.ElideRight if isinstance(field, QPushButton) else ends.ElideMiddle
        return str(field.fontMetrics().elidedText(self._text(), where, room))

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Draw a text that is too long elided, and show it complete in the tooltip."""
        if event.type() not in (QEvent.Type.Paint, QEvent.Type.ToolTip):
            return False
        is_edited = isinstance(self._field, QLineEdit) and self._field.hasFocus()
        if is_edited or self.shown == self._text():
            return False
        if event.type() == QEvent.Type.Paint:
            self._draw()
        else:
            tips = dict.fromkeys(filter(None, (self._text(), self._field.toolTip())))
            QToolTip.showText(event.globalPos(), "\n".join(tips), self._field)
        return True

    def _text(self) -> str:
        field = self._field
        return str(field.currentText() if isinstance(field, QComboBox) else field.text())

    def _option(self) -> Any:
        option: Any = self._option_of()
        self._field.initStyleOption(option)
        return option

    def _rect(self) -> Any:
        """Return the rectangle of the text."""
        style, option = self._field.style(), self._option()
        if self._element is not None:
            rect = style.subElementRect(self._element, option, self._field)
        else:
            parts = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
            rect = style.subControlRect(parts[0], option, parts[1], self._field)
        return rect.adjusted(_MARGIN, 0, -_MARGIN, 0)

    def _draw(self) -> None:
        painter, option = QStylePainter(self._field), self._option()
        if isinstance(self._field, QComboBox):
            option.currentText = self.shown
            painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
            painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        elif isinstance(self._field, QPushButton):
            option.text = self.shown
            painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        else:
            painter.drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, option)
            painter.setPen(self._field.palette().text().color())
            painter.drawText(self._rect(), Qt.AlignmentFlag.AlignVCenter, self.shown)
        painter.end()
