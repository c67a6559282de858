"""Work aside from the window: one job at a time, with progress, and cancelled within a moment."""

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
    """The work was cancelled, by the user or because newer work has replaced it."""


class Monitor:
    """What a job and the window tell each other: how far it is, and that it shall end.

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
        """Report progress; raises Cancelled once the job shall end."""
        self.what, self.done, self.total = what, done, total
        if self._cancelled or self._aborted():
            raise Cancelled("cancelled")

    @property
    def sentence(self) -> str:
        """How far it is, in words."""
        if self.done == 0:
            return "Reading ..."
        return f"{self.what[:1].upper()}{self.what[1:]}: {self.done:,} of {self.total:,}"

    def cancel(self) -> None:
        """Let the job end at its next report."""
        self._cancelled = True

    def follow(self, aborted: Callable[[], bool]) -> None:
        """Also end once this is true, as when napari asks all workers to stop."""
        self._aborted = aborted


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How a job ended.

    Parameters
    ----------
    value
        What the job returned; None after an error.
    error
        The user's mistake or the unreadable file, in one line; None if all went well.
    warned
        Warnings of the job, each once.
    reason
        The error as a panel words it, see `reason_first`.
    """

    value: T | None
    error: str | None = None
    warned: tuple[str, ...] = ()
    reason: str = ""


class Jobs(QObject):
    """Runs one job at a time in a thread; a new job replaces the one before.

    Parameters
    ----------
    on_progress
        Called with the monitor of the running job, in the window's thread, and once with None when
        no job is running any more.
    parent
        The QObject that this one ends with.
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
        """Whether the result of a job is awaited."""
        return self._monitor is not None

    def start(self, work: Callable[[Progress], T], on_done: Callable[[Outcome[T]], None]) -> None:
        """Run `work` in a thread and give what comes of it to `on_done`, in the window's thread.

        Parameters
        ----------
        work
            Called with a progress callback, which raises when the job is cancelled. ValueError,
            OSError and MemoryError are taken for mistakes of the user, others go to napari as bugs.
        on_done
            Not called if the job is cancelled or replaced.
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
        """End the running job; the window is free at once, the thread at its next report."""
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
                signal.disconnect(slot)  # napari keeps the worker, which would keep the panel
            self._monitor, self._connected = None, []
            if _is_there(self):
                self._timer.stop()
                self._on_progress(None)


def _is_there(item: QObject) -> bool:
    """Whether Qt has not deleted it with its window, while the result was on its way here."""
    check: Any = isalive
    return bool(check(item))


class _Task:
    """The worker's part, in a thread of its own, which forgets its work when that is done.

    napari keeps every worker until the window closes, to tell which of them still run; the work
    may hold a whole simulation.

    Qt uses the threads of its pool again. libsonata, like all that is built with pybind11,
    remembers in a thread the interpreter's state of its first use there, which is gone at the
    second, and the process crashes. A thread of Python's ends with its state.
    """

    def __init__(self, work: Callable[[Progress], Any], monitor: Monitor) -> None:
        self._todo = [(work, monitor)]

    def __str__(self) -> str:  # napari says so where it is asked to close meanwhile
        return "napari-hexrecruit"

    def __call__(self) -> Outcome[Any]:
        with ThreadPoolExecutor(1) as pool:
            work, monitor = self._todo.pop()
            return pool.submit(_guarded, work, monitor).result()


def _guarded(work: Callable[[Progress], T], monitor: Monitor) -> Outcome[T]:
    """The outcome of the work. Warnings are kept: shown from here they would freeze the viewer."""
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
    """Each text once, without those that libraries address to programmers."""
    technical = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning)
    texts = [str(w.message) for w in caught if not issubclass(w.category, technical)]
    return tuple(dict.fromkeys(texts))
