"""Start of worker processes: fast, without the user's script, and ignoring Ctrl-C."""

from __future__ import annotations

import multiprocessing
import multiprocessing.spawn
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORKER_PROCESSES = ("Dask Worker process", "ignore")
"""Names of dask's worker processes, and Python's of the fork server's preparation data."""
_one_at_a_time = threading.Lock()
_n_campaigns = 0
_spawn: Any = multiprocessing.spawn
_preparation = _spawn.get_preparation_data

MEMORY = {"MALLOC_TRIM_THRESHOLD_": 1 << 33, "MALLOC_MMAP_THRESHOLD_": 1 << 25}
"""Settings with which workers reuse the memory of a cube: new memory takes a sixth of the time."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1)
_IMPORTED = "napari_hexrecruit.campaign._imported"


def begin_early() -> str:
    """Start the process from which workers are forked, and return the start method.

    It imports everything that workers, including replacements, need, while this process imports
    dask. It ends with this process. On platforms without safe forking, each worker imports for
    itself.
    """
    if sys.platform in ("win32", "darwin"):
        return "spawn"
    from multiprocessing import forkserver

    with script_left_out(), interrupts_ignored(), _environment(MEMORY | _ONE_THREAD):
        forkserver.set_forkserver_preload([_IMPORTED])
        forkserver.ensure_running()
    return "forkserver"


def check_may_start() -> None:
    """Refuse a process that cannot start others; dask's own error has hundreds of lines."""
    this = multiprocessing.current_process()
    if getattr(this, "_inheriting", False):
        raise HexRecruitError(
            "a process of multiprocessing is importing your script, and that runs the campaign"
            " again: put the call under if __name__ == '__main__':"
        )
    if this.daemon:
        raise HexRecruitError(
            f"{this.name} is a process of a pool, which may not begin others: run the campaign"
            " outside the pool, or give the address of a scheduler"
        )


@contextmanager
def script_left_out() -> Iterator[None]:
    """Start worker processes without importing the user's script.

    Python imports the script in each new process, in case its functions are needed there. Workers
    do not need them, and a script without ``if __name__ == '__main__'`` would run the campaign
    again in each.
    """
    global _n_campaigns, _preparation
    with _one_at_a_time:
        if _n_campaigns == 0:
            _preparation = _spawn.get_preparation_data
            _spawn.get_preparation_data = _without_script
        _n_campaigns += 1
    try:
        yield
    finally:
        with _one_at_a_time:
            _n_campaigns -= 1
            if _n_campaigns == 0:
                _spawn.get_preparation_data = _preparation


def _without_script(name: str) -> dict[str, Any]:
    data: dict[str, Any] = _preparation(name)
    if name.startswith(_WORKER_PROCESSES):
        data.pop("init_main_from_name", None)
        data.pop("init_main_from_path", None)
    return data


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Make processes started in the block ignore Ctrl-C, which a terminal sends to all.

    They inherit this from the current process, which also ignores Ctrl-C for a second or two.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


@contextmanager
def _environment(values: dict[str, int]) -> Iterator[None]:
    """Set environment variables for processes started in the block, unless the user set them."""
    new = {name: str(value) for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]
