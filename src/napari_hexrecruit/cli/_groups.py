"""Groups of options: each is defined once, and added to every command that takes it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Group = Callable[..., None]


def takes(*groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of groups to a command, after its own.

    A group is an empty function whose parameters are the options. The command reads them from
    ``ctx.params``, and its own options as arguments.
    """

    def add(command: Callable[..., None]) -> Callable[..., None]:
        own = _parameters(command)

        @functools.wraps(command)
        def with_groups(**options: Any) -> None:
            command(**{name: options[name] for name in own})

        every = own | {name: one for group in groups for name, one in _parameters(group).items()}
        signature = inspect.Signature(list(every.values()))
        vars(with_groups)["__signature__"] = signature  # inspect, and so typer, reads it first
        return with_groups

    return add


def names(group: Group) -> tuple[str, ...]:
    """Return the names of a group's options."""
    return tuple(inspect.signature(group).parameters)


def _parameters(function: Callable[..., None]) -> dict[str, inspect.Parameter]:
    found = inspect.signature(function, eval_str=True).parameters
    return {name: one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, one in found.items()}
