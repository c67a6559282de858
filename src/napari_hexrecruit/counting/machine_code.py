"""Compiled loops as bytes that need no compiler: llvmlite loads what numba has made once.

To import numba takes several times as long as to import llvmlite, and as long as all else that a
small cube needs.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Types = tuple[tuple[str, int], ...]
"""Of each value that a loop takes: its type and the number of dimensions, 0 for a single number."""

_NUMBERS = {
    "none": None,
    "bool": ctypes.c_bool,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "float64": ctypes.c_double,
}
_lock = threading.Lock()
_loaded: list[Any] = []
"""What must not be freed while its code may run."""


@dataclass(frozen=True)
class MachineCode:
    """A loop compiled for certain types.

    Attributes
    ----------
    content
        An object file.
    symbol
        Its name in there. It takes arrays as address and shape.
    result
        Type of what it returns: none, bool, int64, uint64 or float64.
    unreached
        Names of functions that the code would call after an error, and of Python's own. The loops
        raise no errors.
    """

    content: bytes
    symbol: str
    result: str
    unreached: tuple[str, ...]


def loaded(code: MachineCode, types: Types) -> Callable[..., Any]:
    """The loop, to be called with addresses, shapes and numbers; others run meanwhile.

    Raises
    ------
    RuntimeError
        If the object file is not one of this machine.
    """
    with _lock:
        _know(code.unreached)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
        file = llvm.ObjectFileRef.from_data(code.content)
        engine.add_object_file(file)
        engine.finalize_object()
        address = engine.get_function_address(code.symbol)
        _loaded.append((engine, file))
    if not address:
        raise RuntimeError(f"the object file has no function {code.symbol!r}")
    taken: list[Any] = []
    for kind, n_dimensions in types:
        if n_dimensions:
            taken += [ctypes.c_void_p, *[ctypes.c_int64] * n_dimensions]
        else:
            taken.append(_NUMBERS[kind])
    return ctypes.CFUNCTYPE(_NUMBERS[code.result], *taken)(address)


@functools.cache
def _target() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple())


def target_machine() -> Any:
    """The processor of this machine, whose instructions are all used."""
    return _target().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _know(unreached: Iterable[str]) -> None:
    """Let functions that are never called end the process if they are; numba's own are kept."""
    end = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
    for name in unreached:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, end)
