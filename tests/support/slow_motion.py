"""Pytest plugin that runs tests of windows in slow motion, to find those that depend on timing.

    make test PYTEST_ARGS="-p tests.support.slow_motion tests/napari"

Keys, clicks and events arrive late, so that timers are due and jobs have begun before a test looks;
jobs take longer, so that a test cannot rely on their end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

LATE_S, JOB_S = 0.2, 0.6


def pytest_configure(config: pytest.Config) -> None:
    from qtpy.QtTest import QTest
    from tests.support import qt_events

    from napari_hexrecruit._napari.widgets import loading

    let_events_pass, guarded = qt_events.let_events_pass, loading._guarded

    def let_events_pass_late() -> None:
        time.sleep(LATE_S)
        let_events_pass()

    def guarded_for_longer(work: Any, monitor: Any) -> Any:
        time.sleep(JOB_S)
        return guarded(work, monitor)

    qt_events.let_events_pass = let_events_pass_late
    loading._guarded = guarded_for_longer
    for name in ("keyClick", "keyClicks", "keySequence", "mouseClick"):
        setattr(QTest, name, staticmethod(_then_late(getattr(QTest, name))))


def _then_late(act: Callable[..., None]) -> Callable[..., None]:
    """Let events pass only a while after a key or a click."""
    from qtpy.QtWidgets import QApplication

    def acted(*args: Any, **kwargs: Any) -> None:
        act(*args, **kwargs)
        time.sleep(LATE_S)
        QApplication.processEvents()

    return acted
