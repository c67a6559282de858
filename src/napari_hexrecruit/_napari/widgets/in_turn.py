"""Steps for the GUI thread, one at a time, so that the window stays responsive in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from qtpy.QtCore import QObject, QTimer


class InTurn:
    """Does steps one after another, each after all pending events are handled.

    Parameters
    ----------
    parent
        The QObject that owns the timer; when it is deleted, the steps end.
    """

    def __init__(self, parent: QObject) -> None:
        self._steps: deque[Callable[[], object]] = deque()
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._do_next)

    @property
    def running(self) -> bool:
        """Whether steps remain."""
        return bool(self._steps)

    def start(self, steps: Iterable[Callable[[], object]]) -> None:
        """Start these steps instead of any that remain."""
        self._steps = deque(steps)
        self._timer.start()

    def stop(self) -> None:
        """Drop the steps that remain."""
        self._steps.clear()
        self._timer.stop()

    def _do_next(self) -> None:
        if self._steps:
            self._steps.popleft()()
        if self._steps:
            self._timer.start()
