"""Named options as a command line that can be pasted into a terminal of this platform."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_hexrecruit.errors import Parameter

_PROGRAM = "hexrecruit"
_FLAGS = {
    "bin_ms": "bin",
    "gap_ms": "gap",
    "hexes": "hex",
    "lead_ms": "lead",
    "n_permutations": "permutations",
    "n_sd": "sd",
    "origin": "under-origin",
    "pixel_size": "under-pixel-size",
}
_REPEATED = {"panel_titles": "--panel-title", "population": "--population", "where": "--where"}


def command_line(
    command: str, sources: Sequence[str], output: str, options: Mapping[str, Any]
) -> str:
    """Return a command of ``hexrecruit``, quoted for a shell.

    Parameters
    ----------
    command
        Name of the command, such as ``cube``.
    sources
        Files to read.
    output
        File to write.
    options
        Values by parameter name.

    Examples
    --------
    >>> print(command_line("cube", ["run 1.json"], "a.hexrecruit.nc", {"radius": 50.0}))
    hexrecruit cube 'run 1.json' -o a.hexrecruit.nc --radius 50
    """
    words = [_PROGRAM, command, *sources, "-o", output]
    for name, value in options.items():
        words += _words(name, value)
    return _quoted(words)


def as_option(parameter: Parameter) -> str:
    """Return a parameter as written on the command line.

    Examples
    --------
    >>> from napari_hexrecruit.errors import Parameter
    >>> as_option(Parameter("flat", ("x", "z"))), as_option(Parameter("spikes", hint="FILE"))
    ('--flat x z', '--spikes FILE')
    """
    option = _REPEATED.get(parameter.name, f"--{_flag(parameter.name)}")
    values = [_quoted([str(value)]) for value in parameter.values] or [parameter.hint]
    if parameter.name in _REPEATED:
        return " ".join(f"{option} {value}".rstrip() for value in values)
    return " ".join([option, *values]).rstrip()


def _quoted(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _flag(name: str) -> str:
    return _FLAGS.get(name, name.replace("_", "-"))


def _words(name: str, value: Any) -> list[str]:
    if name in _REPEATED:
        several = [value] if isinstance(value, str) else value
        return [word for one in several for word in (_REPEATED[name], one)]
    flag = _flag(name)
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{flag}", *map(_number, values)]


def _number(value: Any) -> str:
    """Write a number exactly, but 10 rather than 10.0; text is unchanged."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
