"""Standard error without what libraries write there in C."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_hexrecruit.system.waiting import held

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2
_one_at_a_time = threading.RLock()


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Let nothing through to the process's standard error while the block runs.

    For calls that report an error as an exception too. Where there is no standard error, as in a
    window without a console, nothing is changed.
    """
    with held(_one_at_a_time):
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            kept = os.dup(_STDERR)
        except OSError:
            yield
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, _STDERR)
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(nothing)
            os.close(kept)
