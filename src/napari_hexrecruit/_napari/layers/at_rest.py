"""Delay events that cost their listeners more than a step of the slider until the slider rests."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import monotonic
from typing import Any

from qtpy.QtCore import QCoreApplication, QThread, QTimer

_REST_S, _BETWEEN_S = 0.2, 1.0


class AtRest:
    """Calls a method after a pause without requests; during continuous requests, once a second.

    Parameters
    ----------
    call
        The method. Without a Qt application, or outside of its thread, it is called immediately.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Any = weakref.WeakMethod(call)
        self._timer: QTimer | None = None
        self._since, self._called = 0.0, -1.0

    def ask(self) -> None:
        """Request the call."""
        app = QCoreApplication.instance()
        if app is None or QThread.currentThread() is not app.thread():
            self._do()
            return
        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._do)
        now = monotonic()
        if not self._timer.isActive():
            self._since = now
        due = min(now + _REST_S, self._since + _BETWEEN_S)
        due = max(due, self._called + _BETWEEN_S)
        self._timer.start(max(0, int(1000 * (due - now))))  # timers can fire late

    def _do(self) -> None:
        self._called = monotonic()
        call = self._call()
        if call is not None:
            call()
