"""Settings of this plugin in napari's Preferences, declared in the manifest."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

from napari_hexrecruit._napari.private.saving import PLUGIN
from napari_hexrecruit._napari.recruitment.start import MOST_RECENT


def reopens() -> bool:
    """Return whether the panel opens with the simulation of the last session."""
    return bool(getattr(_panel(), "reopen", True))


def most_recent() -> int:
    """Return how many simulations *Recent* keeps."""
    return int(getattr(_panel(), "recent", MOST_RECENT))


def _panel() -> Any:
    """Return the settings; None if the plugin is not registered, as in a plain script."""
    try:
        settings: Any = get_plugin_settings(PLUGIN)
    except KeyError:
        return None
    return settings.panel
