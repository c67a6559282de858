"""Loops to machine code. Importing this imports numba, which is needed once per loop."""

from __future__ import annotations

import types as python
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import numba
import numpy as np

from napari_hexrecruit.counting.machine_code import MachineCode, Types, target_machine

if TYPE_CHECKING:
    from collections.abc import Callable

_numba: Any = numba  # untyped parts of numba

_UNREACHED = ("NRT_", "numba_", "Py", "_Py")
"""Prefixes of functions that are called only after an error, or for arrays that a loop creates."""


def machine_code(loop: Callable[..., Any], types: Types) -> MachineCode:
    """Compile a loop for some types.

    Parameters
    ----------
    loop
        Loop that creates no arrays and raises nothing. Functions of the package that it calls have
        the attribute ``is_part``.
    types
        Types of its arguments.
    """
    inner = _numba.njit(error_model="numpy")(_self_contained(loop))
    inner.compile(tuple(_numba_type(*one) for one in types))
    (signature,) = inner.signatures
    returned = inner.overloads[signature].signature.return_type
    compiled = numba.cfunc(_c_signature(returned, types), error_model="numpy")(
        _with_addresses(inner, types)
    )
    module = llvm.parse_assembly(compiled.inspect_llvm())
    named = (*module.functions, *module.global_variables)
    outside = [item.name for item in named if item.is_declaration]
    unreached = sorted(name for name in outside if name.startswith(_UNREACHED))
    content = target_machine().emit_object(module)
    result = "bool" if returned == numba.types.boolean else str(returned)
    return MachineCode(content, compiled.native_name, result, tuple(unreached))


def _self_contained(function: Callable[..., Any]) -> Any:
    """Return the function with numba's versions of the functions that it calls."""
    known = dict(function.__globals__)
    for name in function.__code__.co_names:
        if getattr(known.get(name), "is_part", False):
            known[name] = numba.njit(error_model="numpy")(_self_contained(known[name]))
    return python.FunctionType(function.__code__, known, function.__name__)


def _numba_type(kind: str, n_dimensions: int) -> Any:
    number = numba.from_dtype(np.dtype(kind))
    return numba.types.Array(number, n_dimensions, "C") if n_dimensions else number


def _c_signature(returned: Any, types: Types) -> Any:
    taken: list[Any] = []
    for kind, n_dimensions in types:
        number = numba.from_dtype(np.dtype(kind))
        sizes = [numba.types.int64] * n_dimensions
        taken += [_numba.types.CPointer(number), *sizes] if n_dimensions else [number]
    return (numba.types.void if returned == numba.types.none else returned)(*taken)


def _with_addresses(inner: Any, types: Types) -> Any:
    """Make a function that takes arrays as address and shape; numba has no variadic arguments."""
    names, values = [], []
    for k, (_, n_dimensions) in enumerate(types):
        sizes = [f"n{k}_{axis}" for axis in range(n_dimensions)]
        names += [f"v{k}", *sizes]
        values.append(f"carray(v{k}, ({', '.join(sizes)},))" if n_dimensions else f"v{k}")
    known: dict[str, Any] = {"inner": inner, "carray": _numba.carray}
    source = f"def taken({', '.join(names)}):\n    return inner({', '.join(values)})\n"
    exec(source, known)
    return known["taken"]
