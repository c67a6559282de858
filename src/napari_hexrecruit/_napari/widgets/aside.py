"""Work whose caller waits while the window stays alive: napari's readers, writers and commands."""

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
    """Run `work` in a thread while events are handled; return or raise its result.

    Parameters
    ----------
    work
        Called with a monitor for progress reports. When the application quits, the next report
        raises `Cancelled`.
    shown
        Called at intervals with the monitor, in the GUI thread.
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
    """Handle events until `ended` returns True or the application quits."""
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
