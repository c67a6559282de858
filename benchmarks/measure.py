"""Measure time and peak memory of a process, and describe the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import resource


class Measured(NamedTuple):
    """Time, peak memory and output of one process."""

    seconds: float
    peak_mb: float
    output: str


def measured(words: list[str]) -> Measured:
    """Run a command to its end.

    Returns
    -------
    Measured
        Wall time in s, peak resident memory in MB (Linux counts in kB), standard output.
    """
    # Bytecode is kept, as for an installed package.
    env = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=output, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: status {process.returncode}")
        output.seek(0)
        return Measured(seconds, peak_mb(usage), output.read())


def peak_mb(usage: resource.struct_rusage) -> float:
    """Return the peak resident memory of a process, MB."""
    per_mb = 1e6 if sys.platform == "darwin" else 1e3
    return usage.ru_maxrss / per_mb


def machine() -> str:
    """Return one line on processor cores, system and Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"
