"""A short tour: it frames one widget after another, with a sentence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QPoint, QRect, Qt
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

Step = tuple[QWidget, str]
"""The widget that a step frames, and its sentence."""

_ACCENT = "#f5a623"
_LOOK = f"""
QFrame#tour {{ background: #20242c; border: 1px solid {_ACCENT}; border-radius: 4px; }}
QFrame#tour QLabel {{ color: #f0f1f2; background: transparent; }}
"""
_FRAME = f"QFrame#tour_frame {{ background: transparent; border: 2px solid {_ACCENT}; }}"
_WIDTH, _GAP = 260, 10


class Tour(QFrame):
    """Leads through widgets of a window; Esc or *Close* ends it at any step.

    Parameters
    ----------
    window
        The window, which owns the tour.
    steps
        Widgets and sentences; steps with an invisible widget are left out.
    """

    def __init__(self, window: QWidget, steps: Sequence[Step]) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setStyleSheet(_LOOK)
        self.setFixedWidth(_WIDTH)
        self._steps = [step for step in steps if step[0].isVisible()]
        self._at = 0
        self._frame = QFrame(window)
        self._frame.setObjectName("tour_frame")
        self._frame.setStyleSheet(_FRAME)
        self._frame.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.sentence, self.count = QLabel(""), QLabel("")
        self.sentence.setWordWrap(True)
        self.next, self.end = QPushButton("Next"), QPushButton("Close")
        self.next.clicked.connect(self._go_on)
        self.end.clicked.connect(self.leave)
        row = QHBoxLayout()
        row.addWidget(self.count, 1)
        row.addWidget(self.end)
        row.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.addWidget(self.sentence)
        layout.addLayout(row)
        app: Any = QApplication.instance()
        app.installEventFilter(self)
        self._show_step()

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """End with Esc wherever the focus is, and follow the framed widget."""
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.leave()
            return True
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self._place()
        return False

    def leave(self) -> None:
        """End the tour."""
        app: Any = QApplication.instance()
        app.removeEventFilter(self)
        for part in (self._frame, self):
            part.hide()
            part.deleteLater()

    def _go_on(self) -> None:
        self._at += 1
        if self._at == len(self._steps):
            self.leave()
        else:
            self._show_step()

    def _show_step(self) -> None:
        widget, sentence = self._steps[self._at]
        self.sentence.setText(sentence)
        self.count.setText(f"{self._at + 1} of {len(self._steps)}")
        self.next.setText("Next" if self._at + 1 < len(self._steps) else "Done")
        parent: Any = widget.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        if parent is not None:
            parent.ensureWidgetVisible(widget)
        self._place()
        for part in (self._frame, self):
            part.show()
            part.raise_()
        self.next.setFocus()

    def _place(self) -> None:
        """Frame the widget; place the tour to its left if there is room, otherwise below."""
        window: Any = self.parentWidget()
        widget = self._steps[self._at][0]
        framed = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        self._frame.setGeometry(framed.adjusted(-3, -3, 3, 3))
        self.sentence.setMinimumHeight(self.sentence.heightForWidth(_WIDTH - 24))
        self.adjustSize()
        x, y = framed.left() - self.width() - _GAP, framed.top()
        if x < 0:
            x, y = framed.left(), framed.bottom() + _GAP
        x = min(max(x, 0), max(window.width() - self.width(), 0))
        self.move(x, min(max(y, 0), max(window.height() - self.height(), 0)))
