"""Playback of the viewer's time axis; its speed is ms of simulation per second of playback."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer

_TICK_MS = 30
"""Interval between two pictures, ms; shorter ones gain nothing."""


def advance(
    now_ms: float, step_ms: float, start_ms: float, end_ms: float, *, loop: bool
) -> float | None:
    """Return the time to show after a step.

    Parameters
    ----------
    now_ms, step_ms
        Current time and length of the step, ms of simulation.
    start_ms, end_ms
        Half-open span of the time axis, ms.
    loop
        If True, start again at the end.

    Returns
    -------
    float or None
        Time in ``[start_ms, end_ms)``; None at the end of playback.

    Examples
    --------
    >>> advance(990.0, 20.0, 0.0, 1000.0, loop=True)
    10.0
    >>> advance(990.0, 20.0, 0.0, 1000.0, loop=False) is None
    True
    """
    after = now_ms + step_ms
    if after < end_ms:
        return max(after, start_ms)
    if not loop or end_ms <= start_ms:
        return None
    return start_ms + (after - start_ms) % (end_ms - start_ms)


class Playback(QObject):
    """Moves the time slider.

    Parameters
    ----------
    viewer
        The viewer whose slider moves.
    time_axis
        Returns the position of the time axis in the viewer's dims; None stops playback.
    on_stopped
        Called when playback ends, for any reason.
    parent
        The QObject that owns this one.

    Attributes
    ----------
    speed
        ms of simulation per second of playback.
    loop
        If True, start again at the end.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        time_axis: Callable[[], int | None],
        on_stopped: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.speed, self.loop = 100.0, True
        self._viewer, self._time_axis, self._on_stopped = viewer, time_axis, on_stopped
        self._now_ms = 0.0
        self._shown: int | None = None
        self._clock = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        """Whether playback is running."""
        return bool(self._timer.isActive())

    def play(self) -> None:
        """Start at the position of the slider, or from the beginning if it is at the end."""
        axis = self._time_axis()
        if axis is None:
            self._on_stopped()
            return
        if self._step(axis) >= self._viewer.dims.nsteps[axis] - 1:
            self._viewer.dims.set_current_step(axis, 0)
        self._shown = None
        self._clock = monotonic()
        self._timer.start()

    def stop(self) -> None:
        """Stop; the slider keeps its position."""
        if self.playing:
            self._timer.stop()
            self._on_stopped()

    def _tick(self) -> None:
        axis = self._time_axis()
        clock = monotonic()
        elapsed_s, self._clock = clock - self._clock, clock
        if axis is None:
            self.stop()
            return
        start_ms, _, bin_ms = self._viewer.dims.range[axis]
        n_steps = int(self._viewer.dims.nsteps[axis])
        if self._step(axis) != self._shown:  # the user has moved the slider
            self._now_ms = start_ms + self._step(axis) * bin_ms
        after = advance(
            self._now_ms,
            elapsed_s * self.speed,
            start_ms,
            start_ms + n_steps * bin_ms,
            loop=self.loop,
        )
        if after is None:
            self._show(axis, n_steps - 1)
            self.stop()
            return
        self._now_ms = after
        self._show(axis, min(n_steps - 1, math.floor((after - start_ms) / bin_ms + 1e-9)))

    def _step(self, axis: int) -> int:
        return int(self._viewer.dims.current_step[axis])

    def _show(self, axis: int, step: int) -> None:
        dims: Any = self._viewer.dims
        if step != self._step(axis):
            dims.set_current_step(axis, step)
        self._shown = step
