"""What is set for this plugin in napari's Preferences; the manifest declares it."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

from napari_hexrecruit._napari.private.saving import PLUGIN
from napari_hexrecruit._napari.recruitment.start import MOST_RECENT


def reopens() -> bool:
    """Whether the panel opens with the simulation of last time."""
    return bool(getattr(_panel(), "reopen", True))


def most_recent() -> int:
    """How many simulations are remembered under *Recent*."""
    return int(getattr(_panel(), "recent", MOST_RECENT))


def _panel() -> Any:
    """The settings; None where the plugin is not registered, as in a bare script."""
    try:
        settings: Any = get_plugin_settings(PLUGIN)
    except KeyError:
        return None
    return settings.panel
