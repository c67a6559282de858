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

import numpy as np
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
        _remember_variables(patch)
        _remember_letters(patch)
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


def _remember_variables(patch: pytest.MonkeyPatch) -> None:
    """vispy looks for the variables of the same few programs in each window."""
    from vispy.gloo.program import Program

    parse = Program._parse_variables_from_code
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    def parsed(self: Any, update_variables: bool = True) -> None:
        code = tuple(shader.code for shader in self._shaders)
        if code not in known:
            parse(self, update_variables=False)
            known[code] = self._code_variables
        self._code_variables = dict(known[code])
        if update_variables:
            self._process_pending_variables()

    patch.setattr(Program, "_parse_variables_from_code", parsed)


def _remember_letters(patch: pytest.MonkeyPatch) -> None:
    """vispy computes the distance field of the same letters in each window."""
    from vispy.visuals.text.text import SDFRendererCPU

    draw = SDFRendererCPU.render_to_texture
    known: dict[tuple[Any, ...], np.ndarray] = {}

    def drawn(self: Any, data: Any, texture: Any, offset: Any, size: tuple[int, int]) -> None:
        letter = (data.tobytes(), data.shape, size)
        if letter not in known:
            pixels = known[letter] = np.empty((size[1], size[0], 3), np.uint8)
            draw(self, data, pixels, (0, 0), size)
        (x, y), (width, height) = offset, size
        texture[y : y + height, x : x + width, :] = known[letter]

    patch.setattr(SDFRendererCPU, "render_to_texture", drawn)


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
