"""Work on a dask cluster: a local one, or one that is already running."""

from __future__ import annotations

import importlib.util
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from napari_hexrecruit.campaign._processes import (
    MEMORY,
    begin_early,
    check_may_start,
    interrupts_ignored,
    script_left_out,
)
from napari_hexrecruit.errors import HexRecruitError, InputError, MissingExtraError, Parameter
from napari_hexrecruit.system.threads import n_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Job = TypeVar("Job")
Result = TypeVar("Result")

_SECONDS_TO_CONNECT = 20
_ANY_PORT = "127.0.0.1:0"
"""Port of the scheduler's health checks; dask's usual port would clash with other schedulers."""
_DIED = (
    "its worker process died each time, which mostly means that the memory was used up:"
    " use fewer workers, wider bins, or split the simulation into windows"
)
_ENVIRONMENT = "distributed.nanny.pre-spawn-environ"
_METHOD = "distributed.worker.multiprocessing-method"
_PROFILE = "distributed.worker.profile.enabled"
"""Profiling of workers every 10 ms for the dashboard: a tenth of the time of small cubes."""


@contextmanager
def connected(
    scheduler: Any = None, *, n_workers: int | None = None, dashboard: str | None = None
) -> Iterator[Any]:
    """Connect to a cluster.

    Parameters
    ----------
    scheduler
        None for processes on this machine, which end with the block; the address of a running
        scheduler; or a `distributed.Client`, which is left open.
    n_workers
        Processes of the local cluster; by default one per core. Each has one thread and an equal
        share of the memory.
    dashboard
        Address of dask's dashboard, for example ``:8787``; by default there is no dashboard.

    Yields
    ------
    distributed.Client

    Raises
    ------
    MissingExtraError
        If dask.distributed is not installed.
    HexRecruitError
        If no scheduler answers at the address.
    """
    if scheduler is not None and isinstance(scheduler, _distributed().Client):
        yield scheduler
        return
    with _silenced():
        if scheduler is not None:
            with _existing(str(scheduler)) as client:
                yield client
            return
        if dashboard is not None:
            _check_dashboard()
        with (
            _local_cluster(n_workers or n_cores(), dashboard) as cluster,
            _distributed().Client(cluster) as client,
        ):
            yield client


def results_of(
    client: Any, function: Callable[[Job], Result], jobs: Sequence[Job]
) -> Iterator[tuple[int, Result | Exception]]:
    """Run a function on the cluster for each job.

    Parameters
    ----------
    client
        Client from `connected`.
    function
        Function that the workers can import.
    jobs
        Argument of the function for each job.

    Yields
    ------
    int
        Number of a job, in the order in which the jobs end.
    result or Exception
        Value that the function returned, or exception that it raised. If a worker dies, dask gives
        its jobs to other workers. A job whose workers died four times runs again alone after all
        others, because another job on the same worker can be the cause; only then does it fail.

    Raises
    ------
    HexRecruitError
        If the connection to the scheduler is lost.
    """
    distributed = _distributed()
    futures = client.map(function, list(jobs), pure=False)
    number_of = {future.key: number for number, future in enumerate(futures)}
    suspects = []
    try:
        for future in distributed.as_completed(list(futures)):
            number = number_of[future.key]
            result = _result(client, future)
            future.release()
            if isinstance(result, distributed.KilledWorker):
                suspects.append(number)
            else:
                yield number, result
        for number in suspects:
            futures.append(client.submit(function, jobs[number], pure=False))
            result = _result(client, futures[-1])
            died = isinstance(result, distributed.KilledWorker)
            yield number, MemoryError(_DIED) if died else result
    finally:
        client.cancel(futures, force=True)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            f"a campaign needs dask.distributed ({error}):"
            " pip install 'napari-hexrecruit[campaign]'"
        ) from error
    return distributed


def _result(client: Any, future: Any) -> Any:
    distributed = _distributed()
    try:
        return future.result()
    except distributed.client.FutureCancelledError as error:
        raise HexRecruitError(
            f"{client.scheduler.address if client.scheduler else 'dask'}: the scheduler has gone:"
            " start it again; what is done is kept"
        ) from error
    except Exception as error:  # raised by the function, or the death of workers
        return error


@contextmanager
def _local_cluster(n_workers: int, dashboard: str | None) -> Iterator[Any]:
    """Start processes of one thread each, which leave Ctrl-C to this process."""
    check_may_start()
    with script_left_out():
        method = begin_early()
        import dask

        distributed = _distributed()
        settings = {
            _ENVIRONMENT: dask.config.get(_ENVIRONMENT, {}) | MEMORY,
            _METHOD: method,
            _PROFILE: dashboard is not None,
        }
        with dask.config.set(settings):
            with interrupts_ignored():
                cluster = distributed.LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=distributed.system.MEMORY_LIMIT // n_workers,
                    dashboard_address=dashboard or _ANY_PORT,
                    silence_logs=logging.CRITICAL,
                    preload=["napari_hexrecruit.campaign._preload"],
                    env=dict(os.environ),
                )
            with cluster:
                yield cluster


@contextmanager
def _existing(address: str) -> Iterator[Any]:
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=_SECONDS_TO_CONNECT)
    except (OSError, ValueError, TypeError) as error:
        leave = ("start one, or leave ", Parameter("scheduler"), " out")
        raise InputError(address, "no dask scheduler answers there", leave) from error
    with client:
        yield client


def _check_dashboard() -> None:
    if importlib.util.find_spec("bokeh") is None:
        raise MissingExtraError("dask's dashboard needs bokeh: pip install bokeh")


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep dask's log off the terminal, because errors are reported as sentences."""
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)
