"""Signals that end a command: as exceptions, so that everything is tidied up, and held back."""

from __future__ import annotations

import _thread
import functools
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Ended", "end_at_once", "ending_as_exception", "signals_held"]

_ENDING = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
]


class Ended(BaseException):
    """The process was told to end, by the scheduler of a cluster for instance.

    Parameters
    ----------
    number
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ending_as_exception() -> Iterator[None]:
    """Raise `Ended` in the block where SIGTERM or SIGHUP would end the process at once.

    Python drops an exception that falls into a destructor or the callback of a weak reference, and
    prints it; such a signal, Ctrl-C too, is given again a moment later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in _ENDING[1:] if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _raise)
    hook = sys.unraisablehook
    sys.unraisablehook = functools.partial(_give_again, hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _give_again(otherwise: Callable[[Any], Any], dropped: Any) -> None:
    error = dropped.exc_value
    if isinstance(error, Ended | KeyboardInterrupt):
        number = error.number if isinstance(error, Ended) else signal.SIGINT
        timer = threading.Timer(0.005, _thread.interrupt_main, (number,))
        timer.daemon = True
        timer.start()
    else:
        otherwise(dropped)


def end_at_once() -> None:
    """Undo `ending_as_exception`: an event loop would see the exception much later."""
    for number in _ENDING[1:]:
        if signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: Any) -> None:
    raise Ended(number)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let Ctrl-C and the signals that end a process wait until the block is done.

    For tidying up, and for calls into libraries that lose a KeyboardInterrupt, as h5py does when
    it is raised while objects are collected: Python then prints it and goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before: dict[int, Any] = {}
    try:
        for number in _ENDING:
            before[number] = signal.signal(number, lambda n, _: held.append(n))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    for number in held[:1]:
        signal.raise_signal(number)
