"""Signals that end a command: raised as exceptions, so that cleanup runs, or held back."""

from __future__ import annotations

import _thread
import queue
import signal
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
]


_UNTIL_AGAIN_S = 0.2
"""Time for a signal to arrive, s, before it is sent again."""


class Ended(BaseException):
    """The process was told to end, for example by the scheduler of a cluster.

    Parameters
    ----------
    number
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ending_as_exception() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise `Ended` in the block instead of ending the process at once.

    Python prints and drops an exception that is raised in a destructor or the callback of a weak
    reference; such a signal, including Ctrl-C, is sent again a moment later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raising = _Raising()
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        for number, handler in before.items():
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, raising.handle)
        with raising:
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Raising:
    """Turns signals into exceptions, and sends those again that Python dropped."""

    def __init__(self) -> None:
        self._dropped: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._arrived, self._is_over = threading.Event(), False
        self._owed: int | None = None
        """The last signal: what swallows its exception can fail because of it later."""
        self._otherwise = sys.unraisablehook

    def __enter__(self) -> None:
        sys.unraisablehook = self.hook
        threading.Thread(target=self._give_again, daemon=True).start()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        sys.unraisablehook = self._otherwise
        self._dropped.put(None)
        self._is_over = True
        if self._owed is not None and isinstance(error, Exception):
            raise _ending(self._owed) from error  # such as: it ended a program that was needed

    def handle(self, number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code is _Raising.hook.__code__:
            self._give_later(number)  # would be dropped again
            return
        self._owed = number
        self._arrived.set()
        warnings.simplefilter("ignore")  # about interrupted work
        raise _ending(number)

    def hook(self, dropped: Any) -> None:
        error = dropped.exc_value
        if isinstance(error, Ended | KeyboardInterrupt):
            self._give_later(error.number if isinstance(error, Ended) else signal.SIGINT)
        else:
            self._otherwise(dropped)

    def _give_later(self, number: int) -> None:
        self._owed = number
        self._dropped.put(number)

    def _give_again(self) -> None:
        """Send dropped signals until they arrive.

        A signal that arrives just before the main thread starts to wait does not end that wait.
        """
        for number in iter(self._dropped.get, None):
            time.sleep(0.005)
            if self._is_over:
                return
            self._arrived.clear()
            _give(number)
            while not (self._arrived.wait(_UNTIL_AGAIN_S) or self._is_over):
                _give(number)


def _ending(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else Ended(number)


def _give(number: int) -> None:
    """Send a signal to the main thread, even while it waits."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


def end_at_once() -> None:
    """Undo `ending_as_exception`, because an event loop would see the exception much later."""
    for number in _ENDING:
        if isinstance(getattr(signal.getsignal(number), "__self__", None), _Raising):
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)


@contextmanager
def signals_held() -> Iterator[None]:
    """Delay Ctrl-C and the signals that end a process until the block is done.

    For cleanup, and for calls into libraries that lose a KeyboardInterrupt: in h5py, if it is
    raised while objects are collected, Python prints it and continues.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before: dict[int, Any] = {}
    try:
        for number in _ENDING:
            if signal.getsignal(number) != signal.SIG_IGN:  # which programs started here inherit
                before[number] = signal.signal(number, lambda n, _: held.append(n))
        yield
    finally:
        try:
            _handle(before)
        finally:
            _handle(before)  # all of them, even if a signal arrives in between
            for number in held[:1]:
                signal.raise_signal(number)


def _handle(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
