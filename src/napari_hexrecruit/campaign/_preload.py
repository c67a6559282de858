"""Loaded by the workers of a local cluster, those that replace dead ones too."""

from __future__ import annotations

import atexit
import os
import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that the user talks to, and one core to each other worker.

    At its end the worker leaves without taking apart what is in memory, which takes half a second.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # that process ends the workers
    atexit.register(os._exit, 0)  # runs after all that is registered from now on
    os.environ.setdefault("ZARR_THREADING__MAX_WORKERS", "1")
