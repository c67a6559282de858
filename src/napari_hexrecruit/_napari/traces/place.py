"""Where the widget "Traces" is in the window, and how its time axis is in line with the slider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.settings import get_settings
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QBoxLayout, QDockWidget, QMainWindow, QWidget

from napari_hexrecruit._napari.traces.canvas import TraceCanvas
from napari_hexrecruit._napari.traces.legend import TraceColumn
from napari_hexrecruit._napari.traces.slider_track import SliderTrack

_HEIGHT, _RASTER_HEIGHT = 260, 110
_NARROW = 620
"""A panel that is less wide has its buttons above the plot."""
_COLUMN = (170, 330)
_LABELS_PX = 72
"""Room for numbers and the label to the left of the time axis."""
_RIGHT_PX = 18
_MARGIN = 4


class TracePlace(QObject):
    """Lays out a panel of a column and a plot, and keeps the plot in line with the slider above it.

    Parameters
    ----------
    panel
        The widget; it is docked at the bottom when it is shown for the first time.
    title
        Its name in the Plugins menu, by which napari remembers where the user has put it.
    column, canvas
        What is on it.
    time
        Gives axis and number of bins of the time slider; the axis is None without one.
    """

    def __init__(
        self,
        panel: QWidget,
        title: str,
        column: TraceColumn,
        canvas: TraceCanvas,
        time: Callable[[], tuple[int | None, int]],
    ) -> None:
        super().__init__(panel)
        self._panel, self._column, self._canvas, self._time = panel, column, canvas, time
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, panel)
        self._layout.setContentsMargins(_MARGIN, 2, _MARGIN, 2)
        self._layout.setSpacing(_MARGIN)
        self._layout.addWidget(column)
        self._layout.addWidget(canvas, 1)
        self._track = SliderTrack(panel)
        self._track.moved.connect(self.align)
        self._aligning = once(self, self._align)
        self._placing = once(self, self._go_below)
        self._goes_below = not _was_docked_before(title)
        panel.installEventFilter(self)

    @property
    def busy(self) -> bool:
        """Whether something is about to move."""
        return self._aligning.isActive() or self._placing.isActive()

    def align(self, event: object = None) -> None:
        """Get in line with the slider, after the present event."""
        self._aligning.start()

    def make_room(self, *, for_raster: bool) -> None:
        """Become higher for a raster, or as low as before."""
        dock, window = self._panel.parent(), self._panel.window()
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
            height = dock.height() + (_RASTER_HEIGHT if for_raster else -_RASTER_HEIGHT)
            window.resizeDocks([dock], [max(height, _HEIGHT)], Qt.Orientation.Vertical)

    def close(self) -> None:
        """Move no more."""
        self._track.follow(None)
        self._aligning.stop()
        self._placing.stop()

    @staticmethod
    def height() -> int:
        """Usual height of the panel, px."""
        return _HEIGHT

    def least_width(self) -> int:
        """Return the width that the column or the plot needs where one lies above the other, px."""
        parts = self._column.minimumSizeHint().width(), self._canvas.minimumWidth()
        return int(max(parts)) + 2 * _MARGIN

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Hear that the panel is shown or has another size."""
        if event.type() == QEvent.Type.Resize:
            self.align()
        elif event.type() == QEvent.Type.Show and self._goes_below:
            self._goes_below = False
            self._placing.start()
        return False

    def _go_below(self) -> None:
        """Dock at the bottom; napari docks all panels at the right first."""
        dock, window = self._panel.parent(), self._panel.window()
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            window.resizeDocks([dock], [_HEIGHT], Qt.Orientation.Vertical)

    def _align(self) -> None:
        """Let the time axis begin and end where the slider does."""
        axis, n_bins = self._time()
        width = self._panel.width()
        narrow = width < _NARROW
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._layout.setDirection(way)
        self._track.follow(axis)
        ends = None if narrow else self._track.ends(n_bins)
        least, most = _COLUMN
        if ends is None or not (least + _LABELS_PX < ends[0] < ends[1] < width):
            self._column.set_width(None if narrow else least + 40)
            self._canvas.set_margins(_LABELS_PX, _RIGHT_PX)
            return
        left_of_canvas = min(max(int(ends[0]) - _LABELS_PX, least), most)
        self._column.set_width(left_of_canvas - 2 * _MARGIN)
        self._canvas.set_margins(ends[0] - left_of_canvas, max(width - _MARGIN - ends[1], 2.0))


def once(parent: QObject, action: Any) -> QTimer:
    """Make a timer that acts once, after the events that are waiting."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(0)
    timer.timeout.connect(action)
    return timer


def _was_docked_before(title: str) -> bool:
    """Whether napari remembers where the user had the panel."""
    positions = get_settings().application.plugin_widget_positions
    return any(str(name).startswith(f"{title} (") for name in positions)
