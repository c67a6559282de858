"""Work that its caller waits for, while the window goes on: napari's readers, writers, commands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from qtpy.QtCore import QCoreApplication, QEventLoop, QThread, QTimer

from napari_hexrecruit._napari.widgets.loading import Monitor
from napari_hexrecruit.system.waiting import interrupted_by

T = TypeVar("T")

_POLL_MS = 20


def aside(work: Callable[[Monitor], T], shown: Callable[[Monitor], None] | None = None) -> T:
    """What `work` returns or raises. It runs in a thread, and events are handled meanwhile.

    Parameters
    ----------
    work
        Called with what it may report progress to. The work is told to end, by the exception
        `Cancelled`, when the application ends.
    shown
        Called now and then with how far the work is, in the thread of the window.
    """
    monitor = Monitor()

    def guarded() -> T:
        with interrupted_by(monitor):
            return work(monitor)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(guarded)
        app = QCoreApplication.instance()
        if app is not None and QThread.currentThread() is app.thread():
            app.aboutToQuit.connect(monitor.cancel)
            _handle_events(lambda: future.done(), lambda: shown and shown(monitor))
            app.aboutToQuit.disconnect(monitor.cancel)
        return future.result()


def _handle_events(ended: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
    """Handle events until something has ended, or the application has."""
    loop, timer = QEventLoop(), QTimer()

    def look() -> None:
        if ended():
            loop.quit()
        else:
            meanwhile()

    timer.timeout.connect(look)
    timer.start(_POLL_MS)
    loop.exec()
    timer.stop()
