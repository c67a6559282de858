"""Screenshots of the canvas at successive times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_hexrecruit._napari.export.writing import Frame, FrameFeed
from napari_hexrecruit._napari.private.points import FRAME_AXIS

_PAUSE_MS = 1
"""Interval between two pictures, in which the window handles events."""


class CanvasCamera(QObject):
    """Takes screenshots of the canvas at successive times, while the window stays responsive.

    Parameters
    ----------
    viewer
        The viewer with the canvas.
    parent
        The QObject that owns this one.
    """

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._steps: Iterator[Frame | None] = iter(())
        self._feed = FrameFeed(0)
        self._on_failed: Any = None
        self._stack = ExitStack()
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def running(self) -> bool:
        """Whether pictures are being taken."""
        return bool(self._timer.isActive())

    def start(
        self, layer: Points, times_ms: Sequence[float], *, even: bool, on_failed: Any
    ) -> FrameFeed:
        """Start taking pictures.

        Parameters
        ----------
        layer
            Hexagon layer whose time axis is used.
        times_ms
            Positions of the slider.
        even
            If True, drop the last row or column of pixels if their number is odd.
        on_failed
            Called with a sentence when taking pictures fails.

        Returns
        -------
        FrameFeed
            Feed of the pictures.

        Raises
        ------
        ValueError
            If the layer is not in the viewer, or time has no slider.
        """
        self.stop()
        _time_axis(self._viewer, layer)
        self._feed, self._on_failed = FrameFeed(len(times_ms)), on_failed
        steps = _photographs(self._viewer, layer, times_ms, even=even)
        self._steps = steps
        self._stack.callback(steps.close)
        self._timer.start()
        return self._feed

    def stop(self) -> None:
        """Stop taking pictures; the slider returns to its earlier position."""
        self._timer.stop()
        self._stack.close()

    def _tick(self) -> None:
        if self._feed.full:
            return
        with ExitStack() as on_error:
            on_error.callback(self.stop)
            try:
                frame = next(self._steps)
            except StopIteration:
                return
            except ValueError as error:
                self._on_failed(str(error))
                return
            if frame is not None:
                self._feed.put(frame)
            on_error.pop_all()


def _photographs(
    viewer: Viewer, layer: Points, times_ms: Sequence[float], *, even: bool
) -> Any:  # Generator[Frame | None, None, None]
    """Yield pictures of equal size, or None while a layer is still loading."""
    before = float(viewer.dims.point[_time_axis(viewer, layer)])
    shape: tuple[int, int] | None = None
    try:
        for time_ms in times_ms:
            viewer.dims.set_point(_time_axis(viewer, layer), time_ms)
            while not all(one.loaded for one in viewer.layers if one.visible):
                yield None
                viewer.dims.set_point(_time_axis(viewer, layer), time_ms)
            picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
            shape = shape or _even(picture.shape[:2], even=even)
            yield _fitted(picture, shape)
    finally:
        if layer in viewer.layers:
            viewer.dims.set_point(viewer.dims.ndim + FRAME_AXIS, before)


def _time_axis(viewer: Viewer, layer: Points) -> int:
    if layer not in viewer.layers:
        raise ValueError(f"the layer {layer.name!r} was removed: no movie was written")
    axis = int(viewer.dims.ndim + FRAME_AXIS)
    if axis in viewer.dims.displayed:
        raise ValueError("time is an axis of the picture: turn the axes so that it has a slider")
    return axis


def _even(shape: tuple[int, int], *, even: bool) -> tuple[int, int]:
    height, width = shape
    return (height - height % 2, width - width % 2) if even else (height, width)


def _fitted(picture: Frame, shape: tuple[int, int]) -> Frame:
    """Crop a picture, or pad it in the colour of its corner if it has become smaller."""
    fitted = np.empty((*shape, 3), dtype=np.uint8)
    fitted[:] = picture[0, 0]
    height, width = min(shape[0], picture.shape[0]), min(shape[1], picture.shape[1])
    fitted[:height, :width] = picture[:height, :width]
    return fitted
