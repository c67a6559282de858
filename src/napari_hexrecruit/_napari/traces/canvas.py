"""The plot of traces as a widget, with a time cursor that moves without redrawing the plot."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from psygnal import Signal
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_hexrecruit._napari.traces.plot import DPI, PlotStyle, TracePlot

_LINE_PX = 1.5
_SEEN_PX = 3.0
"""Wider bins are shaded."""
_SHADE = 46


class TraceCanvas(FigureCanvasQTAgg):
    """Shows a `TracePlot`; a click or drag chooses a time.

    Parameters
    ----------
    style
        Initial colours.

    Attributes
    ----------
    plot
        The plot; call `redraw` after a change.
    time_chosen
        Emitted with a time in ms while the left button is down on the plot.
    """

    time_chosen = Signal(float)

    def __init__(self, style: PlotStyle) -> None:
        figure = Figure(dpi=DPI)
        super().__init__(figure)  # type: ignore[no-untyped-call]
        self.plot = TracePlot(figure, style)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 110)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the viewer keeps the keyboard
        self._cursor = _Cursor(self)
        self._window: tuple[float, float] | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.mpl_connect("button_press_event", self._on_mouse)
        self.mpl_connect("motion_notify_event", self._on_mouse)

    @property
    def cursor_ms(self) -> tuple[float, float] | None:
        """Start and end of the bin at the cursor, ms."""
        return self._window

    def put_cursor(self, window_ms: tuple[float, float] | None) -> None:
        """Move the cursor to a bin; None hides it."""
        self._window = window_ms
        if window_ms is None:
            self._cursor.hide()
            return
        start, stop = (self._pixel(time) for time in window_ms)
        self._cursor.put(start, stop, self._top(), self._bottom())

    def sizeHint(self) -> Any:
        """Return a small size; the layout enlarges the canvas if there is room."""
        return QSize(320, 220)

    def redraw(self) -> None:
        """Redraw the plot once, after the current event."""
        self.draw_idle()  # type: ignore[no-untyped-call]

    def redraw_now(self) -> None:
        """Redraw the plot immediately, so that it appears together with the map."""
        self.draw()  # type: ignore[no-untyped-call]

    def restyle(self, style: PlotStyle) -> None:
        """Change the colours."""
        self.plot.restyle(style)
        self._cursor.colour = QColor(style.text)
        self.redraw()

    def set_margins(self, left: float, right: float) -> None:
        """Set the margins to the left and right of the time axis, in widget pixels."""
        ratio = self.device_pixel_ratio
        self.plot.set_margins(left * ratio, right * ratio)
        self.put_cursor(self._window)
        self.redraw()

    def resizeEvent(self, event: Any) -> None:
        """Fit the plot and the cursor to the new size."""
        super().resizeEvent(event)  # type: ignore[no-untyped-call]
        self.plot.fit()
        self.put_cursor(self._window)

    def _pixel(self, time_ms: float) -> float:
        return float(self._on_screen(time_ms)) / float(self.device_pixel_ratio)

    def _on_screen(self, time_ms: float) -> float:
        return float(self.plot.main.transData.transform((time_ms, 0.0))[0])

    def _top(self) -> float:
        return self._from_top(self.plot.strip.bbox.y1)

    def _bottom(self) -> float:
        lowest = self.plot.below if self.plot.below.get_visible() else self.plot.main
        return self._from_top(lowest.bbox.y0)

    def _from_top(self, y: Any) -> float:
        return float(self.height()) - float(y) / float(self.device_pixel_ratio)

    def _on_mouse(self, event: Any) -> None:
        pressed = event.button == 1 if event.name == "button_press_event" else 1 in event.buttons
        if pressed and event.x is not None:
            time = float(self.plot.main.transData.inverted().transform((event.x, 0.0))[0])
            if math.isfinite(time):
                self.time_chosen.emit(time)


class _Cursor(QWidget):
    """A line at the middle of a bin, and a shade as wide as the bin; ignores the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.colour = QColor("white")
        self._line_at, self._shade = 0.0, QRectF()
        self.hide()

    def put(self, start: float, stop: float, top: float, bottom: float) -> None:
        """Cover a bin, in pixels of the parent."""
        middle, half = (start + stop) / 2.0, max((stop - start) / 2.0, _LINE_PX)
        left = math.floor(middle - half)
        width = math.ceil(middle + half) - left
        self._line_at = middle - left
        wide = stop - start > _SEEN_PX
        self._shade = QRectF(start - left, 0.0, stop - start, bottom - top) if wide else QRectF()
        self.setGeometry(left, int(top), width, max(int(bottom - top), 1))
        self.show()
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Paint line and shade."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = QColor(self.colour)
        shade.setAlpha(_SHADE)
        painter.fillRect(self._shade, shade)
        line = QRectF(self._line_at - _LINE_PX / 2, 0.0, _LINE_PX, float(self.height()))
        painter.fillRect(line, self.colour)
        painter.end()
