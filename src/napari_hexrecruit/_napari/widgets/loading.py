"""Background work: one job at a time, with progress and quick cancellation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from napari.qt.threading import create_worker
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.errors import HexRecruitError, in_words
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.system.waiting import interrupted_by

T = TypeVar("T")

_POLL_MS = 50
_TOO_LARGE = "There is not enough memory: use larger hexagons, wider bins or a shorter window."


class Cancelled(HexRecruitError):
    """The work was cancelled by the user, or replaced by newer work."""


class Monitor:
    """Link between a job and the window: the job reports progress, the window requests its end.

    Attributes
    ----------
    what, done, total
        The latest report.
    """

    def __init__(self) -> None:
        self.what, self.done, self.total = "", 0, 0
        self._cancelled = False
        self._aborted: Callable[[], bool] = bool

    def __call__(self, what: str, done: int, total: int) -> None:
        """Report progress; raise Cancelled if the end of the job was requested."""
        self.what, self.done, self.total = what, done, total
        if self._cancelled or self._aborted():
            raise Cancelled("cancelled")

    @property
    def sentence(self) -> str:
        """The progress in words."""
        if self.done == 0:
            return "Reading ..."
        return f"{self.what[:1].upper()}{self.what[1:]}: {self.done:,} of {self.total:,}"

    def cancel(self) -> None:
        """Request the end of the job at its next report."""
        self._cancelled = True

    def follow(self, aborted: Callable[[], bool]) -> None:
        """Also end when `aborted` returns True, such as when napari asks all workers to stop."""
        self._aborted = aborted


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How a job ended.

    Parameters
    ----------
    value
        Return value of the job; None after an error or a cancellation.
    error
        The user's mistake or the unreadable file, in one line; None without an error.
    warned
        Warnings of the job, without repetition.
    reason
        The error in the words of a panel, see `reason_first`.
    """

    value: T | None
    error: str | None = None
    warned: tuple[str, ...] = ()
    reason: str = ""


class Jobs(QObject):
    """Runs one job at a time in a thread; a new job replaces the previous one.

    Parameters
    ----------
    on_progress
        Called with the monitor of the running job, in the GUI thread, and once with None when the
        job has ended.
    parent
        The QObject that owns this one.
    """

    def __init__(self, on_progress: Callable[[Monitor | None], None], parent: QObject) -> None:
        super().__init__(parent)
        self._on_progress = on_progress
        self._monitor: Monitor | None = None
        self._connected: list[tuple[Any, Callable[[Any], None]]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._report)

    @property
    def running(self) -> bool:
        """Whether a job is running."""
        return self._monitor is not None

    def start(self, work: Callable[[Progress], T], on_done: Callable[[Outcome[T]], None]) -> None:
        """Run `work` in a thread and pass its outcome to `on_done`, in the GUI thread.

        Parameters
        ----------
        work
            Called with a progress callback, which raises when the job is cancelled.
            HexRecruitError, ValueError, OSError and MemoryError are reported as mistakes of the
            user; other errors go to napari as bugs.
        on_done
            Called with the outcome, unless the job is cancelled or replaced.
        """
        self.cancel()
        monitor = Monitor()
        worker: Any = create_worker(_Task(work, monitor))
        monitor.follow(lambda: bool(worker.abort_requested))
        self._connected = [
            (worker.returned, lambda outcome: self._finish(monitor, on_done, outcome)),
            (worker.errored, lambda _: self._drop(monitor)),
        ]
        for signal, slot in self._connected:
            signal.connect(slot)
        self._monitor = monitor
        self._timer.start()
        worker.start()

    def cancel(self) -> None:
        """End the running job: for the window immediately, for the thread at its next report."""
        if self._monitor is not None:
            self._monitor.cancel()
            self._drop(self._monitor)

    def _report(self) -> None:
        self._on_progress(self._monitor)

    def _finish(
        self, monitor: Monitor, on_done: Callable[[Outcome[T]], None], outcome: Outcome[T]
    ) -> None:
        if monitor is self._monitor:
            self._drop(monitor)
            if _is_there(self):
                on_done(outcome)

    def _drop(self, monitor: Monitor) -> None:
        if monitor is self._monitor:
            for signal, slot in self._connected:
                signal.disconnect(slot)  # napari keeps the worker, and its slots the panel
            self._monitor, self._connected = None, []
            if _is_there(self):
                self._timer.stop()
                self._on_progress(None)


def _is_there(item: QObject) -> bool:
    """Return whether Qt still has the object; it may be deleted before the result arrives."""
    check: Any = isalive
    return bool(check(item))


class _Task:
    """Runs the work in a new thread, and releases it afterwards.

    napari keeps every worker until the window closes, to know which ones still run, and the work
    may hold a whole simulation.

    Qt reuses the threads of its pool. libsonata, like every pybind11 library, stores the
    interpreter's thread state at its first use in a thread. At its second use that state no longer
    exists, and the process crashes. A Python thread ends together with its state.
    """

    def __init__(self, work: Callable[[Progress], Any], monitor: Monitor) -> None:
        self._todo = [(work, monitor)]

    def __str__(self) -> str:  # napari shows this if the user closes it during the work
        return "napari-hexrecruit"

    def __call__(self) -> Outcome[Any]:
        with ThreadPoolExecutor(1) as pool:
            work, monitor = self._todo.pop()
            return pool.submit(_guarded, work, monitor).result()


def _guarded(work: Callable[[Progress], T], monitor: Monitor) -> Outcome[T]:
    """Return the outcome of the work and its warnings: shown here, they would freeze the viewer."""
    with warnings.catch_warnings(record=True) as caught, interrupted_by(monitor):
        warnings.simplefilter("default")
        try:
            value, error, reason = work(monitor), None, ""
        except Cancelled:
            return Outcome(None)
        except (HexRecruitError, ValueError, OSError) as mistake:
            value, error, reason = None, in_words(mistake, in_panel), reason_first(mistake)
        except MemoryError:
            value, error, reason = None, _TOO_LARGE, _TOO_LARGE
    return Outcome(value, error, _own_warnings(caught), reason)


def _own_warnings(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return each text once, without warnings that libraries address to programmers."""
    technical = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning)
    texts = [str(w.message) for w in caught if not issubclass(w.category, technical)]
    return tuple(dict.fromkeys(texts))
