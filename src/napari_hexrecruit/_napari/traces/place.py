"""Place the widget "Traces" in the window, and align its time axis with the slider."""

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
"""In a narrower panel, px, the buttons are above the plot."""
_COLUMN = (170, 330)
_LABELS_PX = 72
"""Room for numbers and the axis label to the left of the time axis."""
_RIGHT_PX = 18
_MARGIN = 4


class TracePlace(QObject):
    """Lays out a panel of a column and a plot, and keeps the plot aligned with the slider above.

    Parameters
    ----------
    panel
        The widget; it docks at the bottom when it is first shown.
    title
        Name in the Plugins menu, by which napari remembers the user's position for it.
    column, canvas
        Contents of the panel.
    time
        Returns axis and number of bins of the time slider; the axis is None without a slider.
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
        """Whether a change of the layout is pending."""
        return self._aligning.isActive() or self._placing.isActive()

    def align(self, event: object = None) -> None:
        """Align with the slider after the current event."""
        self._aligning.start()

    def make_room(self, *, for_raster: bool) -> None:
        """Increase the height for a raster, or restore it."""
        dock, window = self._panel.parent(), self._panel.window()
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
            height = dock.height() + (_RASTER_HEIGHT if for_raster else -_RASTER_HEIGHT)
            window.resizeDocks([dock], [max(height, _HEIGHT)], Qt.Orientation.Vertical)

    def close(self) -> None:
        """Stop following the slider."""
        self._track.follow(None)
        self._aligning.stop()
        self._placing.stop()

    @staticmethod
    def height() -> int:
        """Return the default height of the panel, px."""
        return _HEIGHT

    def least_width(self) -> int:
        """Return the least width of the narrow layout, where the column is above the plot, px."""
        parts = self._column.minimumSizeHint().width(), self._canvas.minimumWidth()
        return int(max(parts)) + 2 * _MARGIN

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """React when the panel is shown or resized."""
        if event.type() == QEvent.Type.Resize:
            self.align()
        elif event.type() == QEvent.Type.Show and self._goes_below:
            self._goes_below = False
            self._placing.start()
        return False

    def _go_below(self) -> None:
        """Dock at the bottom; by default, napari docks all panels at the right."""
        dock, window = self._panel.parent(), self._panel.window()
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            window.resizeDocks([dock], [_HEIGHT], Qt.Orientation.Vertical)

    def _align(self) -> None:
        """Align both ends of the time axis with the slider."""
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
    """Make a timer that acts once, after pending events."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(0)
    timer.timeout.connect(action)
    return timer


def _was_docked_before(title: str) -> bool:
    """Return whether napari remembers a position of the panel."""
    positions = get_settings().application.plugin_widget_positions
    return any(str(name).startswith(f"{title} (") for name in positions)
