"""A user's mouse and keys on the canvas, as events of Qt."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from tests.support.looking import pixel_of

if TYPE_CHECKING:
    import xarray as xr
    from napari import Viewer

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


class Mouse:
    """Clicks and drags on places of the world."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        for _ in range(3):
            QApplication.processEvents()
        self.canvas: Any = viewer.window._qt_viewer.canvas.native

    def click(self, y: float, x: float, keys: Any = NO_KEY, button: Any = LEFT) -> None:
        at = self._pixel(y, x)
        self._send(QEvent.Type.MouseButtonPress, at, keys, button, button)
        self._send(QEvent.Type.MouseButtonRelease, at, keys, button, Qt.MouseButton.NoButton)
        QApplication.processEvents()

    def click_hex(self, cube: xr.Dataset, name: str, keys: Any = NO_KEY) -> None:
        self.click(*place_of(cube, name), keys)

    def drag(self, places: list[tuple[float, float]], keys: Any = NO_KEY, *, drop=True) -> None:
        """Press at the first place, move over the others in small steps, release at the last."""
        pixels = [self._pixel(*place) for place in places]
        self._send(QEvent.Type.MouseButtonPress, pixels[0], keys, LEFT, LEFT)
        for begin, end in itertools.pairwise(pixels):
            for part in range(1, 9):
                at = begin + (end - begin) * (part / 8.0)
                self._send(QEvent.Type.MouseMove, at, keys, Qt.MouseButton.NoButton, LEFT)
                QTest.qWait(12)  # vispy and napari leave moves out that come sooner
        if drop:
            self.drop(places[-1], keys)
        QApplication.processEvents()

    def drop(self, place: tuple[float, float], keys: Any = NO_KEY) -> None:
        at = self._pixel(*place)
        self._send(QEvent.Type.MouseButtonRelease, at, keys, LEFT, Qt.MouseButton.NoButton)

    def press_key(self, key: Any) -> None:
        QTest.keyClick(self.canvas, key)

    def _pixel(self, y: float, x: float) -> QPointF:
        height, width = self.canvas.height(), self.canvas.width()
        row, col = pixel_of(self.viewer, _Shape(height, width), y, x)
        return QPointF(col, row)

    def _send(self, kind: Any, at: QPointF, keys: Any, button: Any, held: Any) -> None:
        there = self.canvas.mapToGlobal(at)
        event = QMouseEvent(kind, at, there, button, held, keys)
        QApplication.sendEvent(self.canvas, event)


class _Shape:
    """Stands for a picture of the canvas."""

    def __init__(self, height: int, width: int) -> None:
        self.shape = (height, width, 3)


def place_of(cube: xr.Dataset, name: str) -> tuple[float, float]:
    """y and x of a hexagon's centre."""
    one = cube.sel(hex=name)
    return float(one["y"]), float(one["x"])


def turn_wheel(widget: Any, notches: int) -> None:
    """Turn the wheel over the middle of a Qt widget; towards the user where it is negative.

    What a widget ignores goes on to its parent: Qt does that for the wheel of a mouse, but not for
    events that a program sends.
    """
    there = QPointF(widget.mapToGlobal(widget.rect().center()))
    while widget is not None:
        event = QWheelEvent(
            widget.mapFromGlobal(there),
            there,
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            NO_KEY,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
        if event.isAccepted():
            break
        widget = widget.parentWidget()
    QApplication.processEvents()
