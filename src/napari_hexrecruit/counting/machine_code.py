"""Compiled loops as bytes: llvmlite loads what numba has compiled once, without a compiler.

Importing numba takes several times as long as importing llvmlite, and as long as everything else
that a small cube needs.
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
"""Type and number of dimensions of each argument of a loop; 0 dimensions for a single number."""

_NUMBERS = {
    "none": None,
    "bool": ctypes.c_bool,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "float64": ctypes.c_double,
}
_lock = threading.Lock()
_loaded: list[Any] = []
"""Objects that must not be freed while their code can run."""


@dataclass(frozen=True)
class MachineCode:
    """A loop compiled for certain types.

    Attributes
    ----------
    content
        Content of the object file.
    symbol
        Name of the function in the object file. It takes arrays as address and shape.
    result
        Type of the returned value: none, bool, int64, uint64 or float64.
    unreached
        Names of functions that the code would call only after an error, including Python's. The
        loops raise no errors.
    """

    content: bytes
    symbol: str
    result: str
    unreached: tuple[str, ...]


def loaded(code: MachineCode, types: Types) -> Callable[..., Any]:
    """Load a loop, which is called with addresses, shapes and numbers, and releases the GIL.

    Raises
    ------
    RuntimeError
        If the object file does not contain the loop.
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
    """Return the target of this machine's processor, with all of its instructions."""
    return _target().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _know(unreached: Iterable[str]) -> None:
    """Make undefined functions, which are never called, abort the process; defined ones stay."""
    end = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
    for name in unreached:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, end)
