"""The package's own exceptions and warnings; each is also the builtin that a caller would expect.

An error about input has three fields: where it is, what was found there, and what to do. They
become a sentence only where it is shown, in the words of that interface: a `Parameter` is
``spikes=`` in Python, ``--spikes`` on the command line, and the label of a field in the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


@dataclass(frozen=True)
class Parameter:
    """A parameter that the user can set, and optionally values to suggest.

    Attributes
    ----------
    name
        Name in Python, such as ``bin_ms``.
    values
        Suggested values, as a user would type them; empty for none.
    hint
        Placeholder of the value on the command line, such as ``FILE``.

    Examples
    --------
    >>> in_python(Parameter("flat", ("x", "z"))), in_python(Parameter("spikes", hint="FILE"))
    ("flat=('x', 'z')", 'spikes=')
    """

    name: str
    values: tuple[str | int, ...] = ()
    hint: str = ""


Text: TypeAlias = "str | Parameter | tuple[Text, ...]"
"""Text, a parameter, or a sequence of both."""
Words: TypeAlias = "Callable[[Parameter], str]"
"""Writes a parameter as one interface (Python, command line or viewer) names it."""

POPULATION = Parameter("population", hint="P")
SPIKES_FILE, CIRCUIT_FILE = Parameter("spikes", hint="FILE"), Parameter("circuit", hint="FILE")
FILES: Text = (SPIKES_FILE, " and ", CIRCUIT_FILE)
ALL_NEURONS = Parameter("node_set", ("all",))
WINDOW: Text = (Parameter("start", hint="MS"), " and ", Parameter("stop", hint="MS"))

_PYTHON = {"flatmap": "flat"}
"""Parameters with another name in Python."""


def in_python(parameter: Parameter) -> str:
    """Return a parameter as written in a Python call."""
    name = _PYTHON.get(parameter.name, parameter.name)
    if not parameter.values:
        return f"{name}="
    value = parameter.values[0] if len(parameter.values) == 1 else parameter.values
    return f"{name}={value!r}"


def worded(text: Text, words: Words) -> str:
    """Return a text with its parameters as one interface names them."""
    if isinstance(text, str):
        return text
    return words(text) if isinstance(text, Parameter) else "".join(worded(t, words) for t in text)


def in_words(error: BaseException, words: Words) -> str:
    """Return an error in one line, as one interface words it; its type if it has no text."""
    text = error.sentence(words) if isinstance(error, HexRecruitError) else str(error)
    return " ".join(text.split()) or type(error).__name__


class HexRecruitError(Exception):
    """Base of the package's own errors; ``str()`` is one line that states what to do."""

    def sentence(self, words: Words = in_python) -> str:
        """Return the error in one line, with parameters as one interface names them."""
        return " ".join(str(argument) for argument in self.args)


class InputError(HexRecruitError, ValueError):
    """Input that cannot be used.

    Parameters
    ----------
    where
        File, population or field; empty if the sentence needs none. A `Parameter` without values is
        the subject of the sentence: ``radius must be ...``.
    what
        What was found there.
    remedy
        What to do; empty if `what` makes it obvious.
    """

    def __init__(self, where: Text | os.PathLike[str], what: Text = "", remedy: Text = "") -> None:
        super().__init__(where, what, remedy)
        self.where: Text = where if isinstance(where, (str, tuple, Parameter)) else str(where)
        self.what, self.remedy = what, remedy

    def sentence(self, words: Words = in_python) -> str:
        """Return ``where: what: remedy``, without empty parts."""
        where, what, remedy = (worded(text, words) for text in (self.where, self.what, self.remedy))
        if isinstance(self.where, Parameter) and not self.where.values:
            where, what = "", f"{where.removesuffix('=')} {what}"
        return ": ".join(text for text in (where, what, remedy) if text)

    def __str__(self) -> str:
        return self.sentence()


class SimulationDataError(InputError):
    """A file cannot be used: the fields name the file or population, the fault and the remedy."""


class ParameterError(InputError):
    """A parameter cannot be used: `where` is the `Parameter`, or what it concerns."""


class MissingExtraError(HexRecruitError, ImportError):
    """An optional package is not installed: the message names the extra to install."""


class RecruitmentWarning(UserWarning):
    """A number may not be what the user expects: the message names the cause and the remedy."""


def one_line(error: BaseException) -> str:
    """Return the text of an error without line breaks; its type if it has no text."""
    return in_words(error, in_python)
