"""Loaded by the workers of a local cluster, those that replace dead ones too."""

from __future__ import annotations

import signal

__all__ = ["dask_setup"]


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that the user talks to; it ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
