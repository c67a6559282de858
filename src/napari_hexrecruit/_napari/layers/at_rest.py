"""Events that cost their listeners more than a step of the slider: told when it rests."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import monotonic
from typing import Any

from qtpy.QtCore import QCoreApplication, QThread, QTimer

_REST_S, _BETWEEN_S = 0.2, 1.0


class AtRest:
    """Calls a method once it has not been asked for a while; while it is asked, once a second.

    Parameters
    ----------
    call
        The method. It is called at once where no window is there to wait for.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Any = weakref.WeakMethod(call)
        self._timer: QTimer | None = None
        self._since, self._called = 0.0, -1.0

    def ask(self) -> None:
        """Ask for the call."""
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
        self._timer.start(max(0, int(1000 * (due - now))))  # events may have been late

    def _do(self) -> None:
        self._called = monotonic()
        call = self._call()
        if call is not None:
            call()
