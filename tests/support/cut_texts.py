"""Which texts of a Qt widget are cut: those that need more room than they have."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from napari_hexrecruit._napari.widgets.elided import Elided

_ROUNDING = 1


def cut_texts(panel: QWidget) -> list[str]:
    """Describe every visible text of a widget that is cut.

    Texts that are elided on purpose are whole in their tool tips.
    """
    found = []
    for scroll in panel.findChildren(QScrollArea):
        inner, seen = scroll.widget().width(), scroll.viewport().width()
        seen = min(seen, panel.width())
        if inner > seen + _ROUNDING:
            found.append(f"the panel is {inner} px wide, of which {seen} are seen")
    for child in panel.findChildren(QWidget):
        if not child.isVisible():
            continue
        need, has, text = _room(child)
        if need > has + _ROUNDING and text not in child.toolTip():
            found.append(f"{type(child).__name__} {text!r} needs {need} px and has {has}")
    return found


def _room(child: Any) -> tuple[int, int, str]:
    """Pixels that a text needs, pixels that it has, and the text."""
    if isinstance(child, QLabel):
        return _of_label(child)
    if isinstance(child, QComboBox):
        option = QStyleOptionComboBox()
        child.initStyleOption(option)
        field = child.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            child,
        )
        if child.findChild(Elided) is not None:  # both ends of it are drawn
            return _width(child, "M...M"), field.width(), child.currentText()
        return _width(child, child.currentText()), field.width(), child.currentText()
    if isinstance(child, QLineEdit):
        if not isinstance(child.parent(), QAbstractSpinBox):
            return 0, 0, ""  # paths scroll
        return _width(child, child.text()), child.width() - 2, child.text()
    if isinstance(child, QPushButton) and child.findChild(Elided) is not None:
        return _width(child, "M..."), child.contentsRect().width(), child.text()
    if isinstance(child, QPushButton) and child.text():
        return _width(child, child.text()) + 2, child.contentsRect().width(), child.text()
    if isinstance(child, QCheckBox):
        return child.sizeHint().width(), child.width(), child.text()
    if isinstance(child, QAbstractButton):
        return 0, 0, ""
    return 0, 0, ""


def _of_label(label: QLabel) -> tuple[int, int, str]:
    text = label.text()
    if Qt.mightBeRichText(text):
        document = QTextDocument()
        document.setHtml(text)
        text = document.toPlainText()
    room: QSize = label.contentsRect().size()
    if label.wordWrap():
        longest = max(text.split(), key=lambda word: _width(label, word), default="")
        if _width(label, longest) > room.width():
            return _width(label, longest), room.width(), longest
        return label.heightForWidth(label.width()), label.height(), text
    return label.sizeHint().width(), label.width(), text


def _width(widget: QWidget, text: str) -> int:
    return int(widget.fontMetrics().horizontalAdvance(text))
