"""Loops that are compiled for the types of their arguments, and kept for later processes.

Importing this imports llvmlite; numba is imported only to compile a loop for the first time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from platformdirs import user_cache_path

from napari_hexrecruit.counting.machine_code import MachineCode, Types, loaded
from napari_hexrecruit.storage.cache import cached_folder, stamp
from napari_hexrecruit.system.waiting import held

Loop = Callable[..., Any]

_log = logging.getLogger(__name__)

_LOCK = threading.RLock()
_CODE, _WORDS = "loop.o", "loop.json"


def part(function: Loop) -> Loop:
    """Mark a function that compiled loops call; it is compiled with them."""
    vars(function)["is_part"] = True
    return function


def jit(*, reads: str) -> Callable[[Loop], Loop]:
    """Compile a loop on its first call with given types; other threads wait for this.

    Numba's own ``njit(cache=True)`` needs numba to load compiled code, which takes longer than a
    small cube. It raises a RuntimeError if neither the package's folder nor the user's is writable,
    and an UnpicklingError if a file of its cache is damaged.

    Parameters
    ----------
    reads
        Names of the arrays that are only read, separated by spaces; the others are written.

    Returns
    -------
    callable
        Takes C-contiguous arrays in native byte order, ints and floats, and releases the GIL. A
        loop creates no arrays and raises nothing.
    """

    def decorate(loop: Loop) -> Loop:
        names = tuple(inspect.signature(loop).parameters)
        is_read = tuple(name in reads.split() for name in names)
        compiled: dict[Any, Loop] = {}

        @functools.wraps(loop)
        def call(*values: Any) -> Any:
            key = tuple((v.dtype, v.ndim) if isinstance(v, np.ndarray) else type(v) for v in values)
            if key not in compiled:
                with held(_LOCK):  # another thread can have compiled it meanwhile
                    if key not in compiled:
                        compiled[key] = _compiled(loop, tuple(map(_type, values)))
            given: list[Any] = []
            for value, only_read in zip(values, is_read, strict=True):
                if isinstance(value, np.ndarray):
                    given += [_address(value, only_read), *value.shape]
                else:
                    given.append(value if isinstance(value, float) else int(value))
            return compiled[key](*given)

        return call

    return decorate


def _type(value: Any) -> tuple[str, int]:
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.ndim
    return ("float64" if isinstance(value, float) else "int64"), 0


def _address(array: np.ndarray[Any, Any], only_read: bool) -> int:
    flags = array.flags
    if not (flags.c_contiguous and array.dtype.isnative and (only_read or flags.writeable)):
        raise TypeError(f"a loop does not take this array: {flags}")
    address: int = array.__array_interface__["data"][0]
    return address


def _compiled(loop: Loop, types: Types) -> Loop:
    """Compile for these types, and keep the code on disk if possible, else in this process."""
    folder = _folder(loop, types)
    try:
        cached_folder(folder, lambda aside: _write(_made(loop, types), aside))
        code = _read(folder)
    except OSError as error:
        _say_once(folder.parent, error.strerror)
        code = _made(loop, types)
    return loaded(code, types)


def _made(loop: Loop, types: Types) -> MachineCode:
    from napari_hexrecruit.counting.compiler import machine_code

    return machine_code(loop, types)


def _write(code: MachineCode, folder: Path) -> None:
    (folder / _CODE).write_bytes(code.content)
    words = {"symbol": code.symbol, "result": code.result, "unreached": code.unreached}
    (folder / _WORDS).write_text(json.dumps(words, indent=1), encoding="utf-8")


def _read(folder: Path) -> MachineCode:
    words = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
    words["unreached"] = tuple(words["unreached"])
    return MachineCode((folder / _CODE).read_bytes(), **words)


@functools.cache
def _say_once(folder: Path, reason: str | None) -> None:
    _log.warning("%s: cannot be stored (%s): the next time takes as long", folder, reason)


@functools.cache
def _machine() -> tuple[Any, ...]:
    """Return the versions and the processor that compiled code depends on."""
    versions = tuple(importlib.metadata.version(name) for name in ("numba", "llvmlite"))
    return (*versions, sys.version, get_host_cpu_name(), get_host_cpu_features().flatten())


def _folder(loop: Loop, types: Types) -> Path:
    """Return the folder for the code of a loop, which depends on source, types and processor."""
    here = Path(__file__).parent
    sources = (inspect.getfile(loop), here / "compiler.py", here / "machine_code.py")
    key = repr(
        (loop.__qualname__, *[stamp(source) for source in sources], types, _machine())
    ).encode()
    cache = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(cache or user_cache_path("napari-hexrecruit", appauthor=False))
    return base / "compiled" / f"{loop.__name__}-{hashlib.sha256(key).hexdigest()[:24]}"
