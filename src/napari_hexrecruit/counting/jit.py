"""Loops that numba compiles for the types they are called with. Importing this imports numba."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from platformdirs import user_cache_path

from napari_hexrecruit.storage.cache import cached_folder, stamp
from napari_hexrecruit.system.waiting import held

_numba_config: Any = numba.config
Loop = Callable[..., Any]
Types = tuple[Any, ...]

_log = logging.getLogger(__name__)

_LOCK = threading.RLock()


def jit(*, reads: str) -> Callable[[Loop], Loop]:
    """Compile a loop when it is first called with certain types; others wait for it.

    Numba's own ``njit(cache=True)`` is as quick (CPU time of the first call in a fresh process,
    cache warm: 2.0 s with either, five runs each), but it stops with a RuntimeError where neither
    the package's folder nor the user's can be written to, and with an UnpicklingError where a file
    of its cache is damaged. It also compiles another version for arrays that are read-only.

    Parameters
    ----------
    reads
        Names of the arrays that are only read, with spaces between; the others are written.

    Returns
    -------
    callable
        Takes C-contiguous arrays of the machine's byte order, ints and floats. Lets other threads
        run meanwhile.
    """

    def decorate(loop: Loop) -> Loop:
        names = tuple(inspect.signature(loop).parameters)
        is_read = tuple(name in reads.split() for name in names)
        compiled: dict[Types, Loop] = {}

        @functools.wraps(loop)
        def call(*values: Any) -> Any:
            key = tuple((v.dtype, v.ndim) if isinstance(v, np.ndarray) else type(v) for v in values)
            if key not in compiled:
                with held(_LOCK):  # others may have compiled it meanwhile
                    if key not in compiled:
                        types = tuple(itertools.starmap(_type, zip(values, is_read, strict=True)))
                        compiled[key] = _compiled(loop, types)
            return compiled[key](*values)

        return call

    return decorate


def _type(value: Any, is_read: bool) -> Any:
    if isinstance(value, np.ndarray):
        dtype = numba.from_dtype(value.dtype)
        return numba.types.Array(dtype, value.ndim, "C", readonly=is_read)
    return numba.types.float64 if isinstance(value, float) else numba.types.int64


def _compiled(loop: Loop, types: Types) -> Loop:
    """For these types; kept on disk where there is a place for it, else in this process only."""
    folder = _folder(loop, types)
    try:
        cached_folder(folder, lambda aside: _compiled_in(aside, loop, types))
        return _compiled_in(folder, loop, types)
    except OSError as error:
        _say_once(folder.parent, error.strerror)
    return _made(numba.njit(nogil=True)(loop), types)


@functools.cache
def _say_once(folder: Path, reason: str | None) -> None:
    _log.warning("%s: cannot be stored (%s): the next time takes as long", folder, reason)


def _compiled_in(folder: Path, loop: Loop, types: Types) -> Loop:
    """Compile, or load what was compiled before, with a folder of its own as numba's cache.

    Numba believes the files that it finds, and stops with an error of pickle or LLVM where they
    are damaged.
    """
    before = _numba_config.CACHE_DIR
    _numba_config.CACHE_DIR = str(folder)
    try:
        return _made(numba.njit(cache=True, nogil=True)(loop), types)
    finally:
        _numba_config.CACHE_DIR = before


def _made(compiler: Any, types: Types) -> Loop:
    compiler.compile(types)
    compiler.disable_compile()  # arrays that can be written to are taken as such that cannot
    return cast("Loop", compiler)


def _folder(loop: Loop, types: Types) -> Path:
    """One folder for all that the compiled code depends on: its source, types and processor."""
    source = stamp(inspect.getfile(loop))
    processor = (get_host_cpu_name(), get_host_cpu_features().flatten())
    versions = (numba.__version__, sys.version, processor)
    key = repr((loop.__qualname__, source, types, versions)).encode()
    base = Path(_numba_config.CACHE_DIR or user_cache_path("napari-hexrecruit", appauthor=False))
    return base / "compiled" / f"{loop.__name__}-{hashlib.sha256(key).hexdigest()[:24]}"
