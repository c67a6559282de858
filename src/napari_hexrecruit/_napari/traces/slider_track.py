"""Find napari's time slider in the window, so that a plot below it can share its time axis."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import QEvent, QObject, QPoint, QRect
from qtpy.QtWidgets import QMainWindow, QScrollBar, QStyle, QStyleOptionSlider, QWidget

_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class SliderTrack(QObject):
    """Gives the position of a slider's handle for the first and the last bin.

    Parameters
    ----------
    panel
        The widget to align with the slider.

    Attributes
    ----------
    moved
        Emitted when the slider moves or is resized.
    """

    moved = Signal()

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self._slider: QScrollBar | None = None

    def follow(self, axis: int | None) -> None:
        """Follow the slider of an axis of the viewer; None: no slider."""
        found = None if axis is None else _slider_of(self._panel.window(), axis)
        if found is self._slider:
            return
        if self._slider is not None:
            self._slider.removeEventFilter(self)
        self._slider = found
        if found is not None:
            found.installEventFilter(self)
            found.destroyed.connect(self._forget)

    def ends(self, n_bins: int) -> tuple[float, float] | None:
        """Find the ends of the time axis on the panel.

        Parameters
        ----------
        n_bins
            Number of bins of the time axis.

        Returns
        -------
        left, right : float or None
            Start of the first bin and end of the last, in pixels from the left side of the panel,
            placed so that the middle of each bin is under the middle of the handle. None if the
            slider does not exist, is hidden, or is in another window.
        """
        slider = self._slider
        if slider is None or not slider.isVisible() or n_bins < 2:
            return None
        if slider.window() is not self._panel.window():
            return None
        left = self._panel.mapFromGlobal(slider.mapToGlobal(QPoint(0, 0))).x()
        groove, handle = _part(slider, "SC_ScrollBarGroove"), _part(slider, "SC_ScrollBarSlider")
        step = (groove.width() - handle.width()) / (n_bins - 1)
        first = left + groove.x() + handle.width() / 2.0 - step / 2.0
        return first, first + n_bins * step

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """React when the slider moves."""
        if event.type() in _MOVES:
            self.moved.emit()
        return False

    def _forget(self) -> None:
        self._slider = None


def _slider_of(window: QWidget | None, axis: int) -> QScrollBar | None:
    """Return napari's slider of an axis: a scroll bar whose parent stores the axis."""
    if not isinstance(window, QMainWindow):
        return None
    for bar in window.findChildren(QScrollBar):
        owner = bar.parent()
        is_slider = getattr(owner, "slider", None) is bar
        if is_slider and getattr(owner, "axis", None) == axis:
            return bar
    return None


def _part(slider: QScrollBar, name: str) -> QRect:
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    style: Any = slider.style()
    part: QRect = style.subControlRect(
        QStyle.ComplexControl.CC_ScrollBar, option, getattr(QStyle.SubControl, name), slider
    )
    return part
