"""Module that all workers of a local cluster load, including those that replace dead ones."""

from __future__ import annotations

import atexit
import os
import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the user's process, and use one zarr thread.

    At its end, the worker exits without freeing its memory, which would take half a second.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's process ends the workers
    atexit.register(os._exit, 0)  # runs after all functions registered later
    os.environ.setdefault("ZARR_THREADING__MAX_WORKERS", "1")
