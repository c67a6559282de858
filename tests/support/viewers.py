"""A viewer for questions of what it holds: without a window, which costs most and shows it only.

`make reliability` asks the same with a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from npe2 import PluginManager
from tests.support.thorough import repetitions

if TYPE_CHECKING:
    from collections.abc import Callable

_makers: list[Callable[[], Any]] = [ViewerModel]


def a_viewer() -> Any:
    """A model of a viewer that draws nothing, or a window where all is tested."""
    PluginManager.instance().discover()  # as a window does
    return _makers[-1]()


def with_windows(request: Any) -> None:
    """For this test, `a_viewer` opens a window if all is tested."""
    _makers[1:] = [request.getfixturevalue("make_napari_viewer")] if repetitions(0, 1) else []
