"""Steps that only the window's thread may do, one at a time: the window goes on in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from qtpy.QtCore import QObject, QTimer


class InTurn:
    """Does steps one after another, each when all events before it are handled.

    Parameters
    ----------
    parent
        The QObject that the steps end with.
    """

    def __init__(self, parent: QObject) -> None:
        self._steps: deque[Callable[[], object]] = deque()
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._do_next)

    @property
    def running(self) -> bool:
        """Whether a step is left to do."""
        return bool(self._steps)

    def start(self, steps: Iterable[Callable[[], object]]) -> None:
        """Do steps in place of those that are left."""
        self._steps = deque(steps)
        self._timer.start()

    def stop(self) -> None:
        """Leave out what is left to do."""
        self._steps.clear()
        self._timer.stop()

    def _do_next(self) -> None:
        if self._steps:
            self._steps.popleft()()
        if self._steps:
            self._timer.start()
