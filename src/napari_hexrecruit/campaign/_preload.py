"""Loaded by the workers of a local cluster, those that replace dead ones too."""

from __future__ import annotations

import os
import signal

__all__ = ["dask_setup"]


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that the user talks to, and one core to each other worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # that process ends the workers
    os.environ.setdefault("ZARR_THREADING__MAX_WORKERS", "1")
