"""Loops that numba compiles for the types they are called with. Importing this imports numba."""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

__all__ = ["jit"]

Loop = Callable[..., Any]

_LOCK = threading.RLock()


def jit(*, reads: str) -> Callable[[Loop], Loop]:
    """Compile a loop when it is first called with certain types; others wait for it.

    Numba's own lazy compilation makes another version for arrays that are read-only, and stops
    where it finds no place to keep what it compiled.

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
        compiled: dict[tuple[Any, ...], Loop] = {}

        @functools.wraps(loop)
        def call(*values: Any) -> Any:
            key = tuple((v.dtype, v.ndim) if isinstance(v, np.ndarray) else type(v) for v in values)
            with _LOCK:
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


def _compiled(loop: Loop, types: tuple[Any, ...]) -> Any:
    """For these types; kept on disk where there is a place for it, else in this process only."""
    try:
        kept = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        kept = numba.njit(nogil=True)(loop)
    kept.compile(types)
    return kept
