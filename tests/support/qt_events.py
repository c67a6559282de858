"""Events of Qt, and waiting for what they bring about."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication
from superqt.utils import WorkerBase
from tests.support.waiting import PATIENCE_MS

if TYPE_CHECKING:
    import weakref


def let_events_pass() -> None:
    """All that Qt has put off is done: layouts, pictures, timers that are due, deletions."""
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def wait_until_work_ends(qtbot: Any) -> None:
    """No thread of napari's works any more, and what they have sent has arrived."""
    qtbot.waitUntil(lambda: not WorkerBase._worker_set, timeout=PATIENCE_MS)
    let_events_pass()


def wait_until_gone(qtbot: Any, *refs: weakref.ref[Any]) -> None:
    """What the references are to has been deleted, and is not held by anything."""

    def gone() -> bool:
        let_events_pass()
        gc.collect()
        return all(ref() is None for ref in refs)

    qtbot.waitUntil(gone, timeout=PATIENCE_MS)
