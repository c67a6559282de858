"""What napari and vispy work out anew for each window, though it stays the same: worked out once.

Each of these only remembers the result of a function that has no other input, or leaves out
drawing of what is hidden, so that a test sees the same window in less time.
"""

from __future__ import annotations

import functools
import inspect
import typing
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def worked_out_once() -> Iterator[None]:
    """Windows that are made inside do less, and look and behave the same."""
    with pytest.MonkeyPatch.context() as patch:
        _remember_manifests(patch)
        _remember_protocols(patch)
        _remember_shaders(patch)
        _remember_signatures(patch)
        _leave_hidden_welcome(patch)
        yield


def _remember_manifests(patch: pytest.MonkeyPatch) -> None:
    """npe2 parses the manifest of every installed plugin for each viewer."""
    from npe2 import PluginManifest

    found = list(PluginManifest.discover())
    patch.setattr(PluginManifest, "discover", lambda paths=(): iter(found))


def _remember_protocols(patch: pytest.MonkeyPatch) -> None:
    """Python 3.11 lists the attributes of a protocol anew for each `isinstance` of magicgui's."""
    listed: Any = getattr(typing, "_get_protocol_attrs", None)
    if listed is not None:
        patch.setattr(typing, "_get_protocol_attrs", functools.cache(listed))


def _remember_shaders(patch: pytest.MonkeyPatch) -> None:
    """vispy strips and parses the source of the same few shaders for each visual."""
    from vispy.visuals.shaders import function, parsing

    cleaned = functools.cache(functools.partial(function.Function._clean_code, None))
    patch.setattr(function.Function, "_clean_code", lambda self, code: cleaned(code))
    parsed = functools.cache(parsing.parse_function_signature)

    def parse(code: str) -> tuple[str, list[Any], str]:
        name, args, kind = parsed(code)
        return name, list(args), kind

    patch.setattr(parsing, "parse_function_signature", parse)


def _remember_signatures(patch: pytest.MonkeyPatch) -> None:
    """napari inspects the signature of a method each time that an event is connected to it."""
    from napari.utils.events import EventEmitter

    check: Callable[[Any], bool] = EventEmitter._check_signature
    known: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()

    def checked(callback: Any) -> bool:
        if not inspect.ismethod(callback) or not inspect.isfunction(callback.__func__):
            return check(callback)
        if callback.__func__ not in known:
            known[callback.__func__] = check(callback)
        return known[callback.__func__]

    patch.setattr(EventEmitter, "_check_signature", staticmethod(checked))


def _leave_hidden_welcome(patch: pytest.MonkeyPatch) -> None:
    """napari writes the hidden welcome screen anew with each shortcut, and again to show it."""
    try:
        from napari._qt.widgets.qt_welcome import QtWelcomeWidget
    except ImportError:
        return
    refresh = QtWelcomeWidget.refresh

    def refreshed(self: Any, event: object = None) -> None:
        if not self.isHidden():
            refresh(self, event)

    patch.setattr(QtWelcomeWidget, "refresh", refreshed)
