"""The choices of the last session, kept in a file. Does not know Qt."""

from __future__ import annotations

import json
import math
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit._napari.layers.look import Look
from napari_hexrecruit.metrics import METRICS
from napari_hexrecruit.recipe import CubeRecipe

if TYPE_CHECKING:
    from napari_hexrecruit.filters import Rule


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All choices of the widget; the defaults are those of a first start.

    Parameters
    ----------
    recipe
        Recipe of the cube, with the files of its simulation.
    filter_column
        Property to filter by in the fields; empty: no filter.
    split_by
        Property to split by, with one layer per value; empty: none.
    automatic
        If True, compute again after each change.
    metric, colormap
        Names of the metric and of the colormap.
    low, high
        Contrast limits; `high` None: the metric's own limits.
    colorbar, timestamp, outline
        If True, show the colour bar, the time on the canvas, and the outlines of hexagons without a
        value.
    speed
        Playback speed, ms of simulation per second.
    loop
        If True, start playback again at the end.
    recent
        Recently opened simulations, one per line, the latest first.
    export
        Choices of the section Export, by the names of its fields.
    """

    recipe: CubeRecipe = field(default_factory=CubeRecipe)
    filter_column: str = ""
    split_by: str = ""
    automatic: bool = True
    metric: str = "recruitment"
    colormap: str = "viridis"
    low: float = 0.0
    high: float | None = None
    colorbar: bool = True
    timestamp: bool = True
    outline: bool = True
    speed: float = 100.0
    loop: bool = True
    recent: str = ""
    export: Mapping[str, Any] = field(default_factory=dict)


def settings_file() -> Path | None:
    """Return the file of the settings, in the user's configuration folder.

    Like napari, follow the variable ``NAPARI_CONFIG``: next to that file if it names one; None if
    it is empty, as in tests.
    """
    config = os.environ.get("NAPARI_CONFIG")
    if config is None:
        from platformdirs import user_config_path

        return user_config_path("napari-hexrecruit", appauthor=False) / "widget.json"
    return Path(config).with_name("napari-hexrecruit-widget.json") if config else None


def load_settings() -> Settings:
    """Read the settings of the last session.

    Returns
    -------
    Settings
        Missing or invalid entries have their default, so a broken or foreign file does no harm.
    """
    path = settings_file()
    try:
        content = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Settings()
    if not isinstance(content, dict):
        return Settings()
    default = Settings()
    names = [one.name for one in fields(Settings) if one.name in content]
    checked = {name: _checked(name, content[name], getattr(default, name)) for name in names}
    return replace(default, **checked)


def save_settings(settings: Settings) -> None:
    """Save the settings for the next session; do nothing if the folder is not writable.

    The file is written completely or not at all. It is not flushed to disk: after a crash of the
    computer the settings may be those of an earlier session.
    """
    final = settings_file()
    if final is None:
        return
    plain = {one.name: getattr(settings, one.name) for one in fields(Settings)}
    content = json.dumps(plain | {"recipe": settings.recipe.entries()}, indent=1)
    with suppress(OSError):
        final.parent.mkdir(parents=True, exist_ok=True)
        file, aside = tempfile.mkstemp(dir=final.parent, prefix=f".{final.name}.")
        try:
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(content)
            os.replace(aside, final)
        except OSError:
            os.unlink(aside)


class Saver:
    """Saves settings in a separate thread, because a home folder on a network may be slow.

    While one version is being written, only the latest of any newer versions is kept and written
    next.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Settings | None = None
        self._thread: threading.Thread | None = None

    def save(self, settings: Settings) -> None:
        """Save in the background; the process does not exit before it is done."""
        with self._lock:
            self._next = settings
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="hexrecruit settings")
                self._thread.start()

    def wait(self) -> None:
        """Wait until everything is saved."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                settings, self._next = self._next, None
                if settings is None:
                    self._thread = None
                    return
            save_settings(settings)


def look_of(settings: Settings) -> Look:
    """Return the look of hexagons in settings; unknown metrics and colormaps get their default."""
    low, high = settings.low, settings.high
    metric = settings.metric if settings.metric in METRICS else Settings.metric
    return Look(
        metric=metric,
        colormap=settings.colormap if _is_colormap(settings.colormap) else Settings.colormap,
        limits=None if high is None or high <= low or metric != settings.metric else (low, high),
        colorbar=settings.colorbar,
        timestamp=settings.timestamp,
        outline=settings.outline,
    )


def _is_colormap(name: str) -> bool:
    from napari.utils.colormaps import ensure_colormap

    with suppress(KeyError, ValueError, TypeError):
        ensure_colormap(name)
        return True
    return False


def filter_column_of(recipe: CubeRecipe) -> str:
    """Return the property of the first filter; empty if the fields cannot show the filter."""
    rules = recipe.rules
    return str(rules[0]["column"]) if rules and _fits_fields(rules[0]) else ""


def _fits_fields(rule: Rule) -> bool:
    """Return whether a rule is a list of values, or an interval that is not empty."""
    if set(rule) == {"column", "values"}:
        return bool(rule["values"]) and all(isinstance(one, (str, int)) for one in rule["values"])
    ends = rule.get("interval", ())
    return set(rule) == {"column", "interval"} and len(ends) == 2 and ends[0] < ends[1]


def _recipe(entries: Any) -> CubeRecipe:
    """Return a recipe of the entries that are valid."""
    found = CubeRecipe()
    for name, value in entries.items() if isinstance(entries, dict) else ():
        with suppress(ValueError):
            read = CubeRecipe.from_entries({name: value})
            entry = {"others": {**found.others, **read.others}}
            found = found.replace(**entry if read.others else {name: getattr(read, name)})
    return found


def _checked(name: str, value: Any, default: Any) -> Any:
    """Return a value with the type of the default; otherwise the default."""
    if name == "recipe":
        return _recipe(value)
    if isinstance(default, dict):
        return value if isinstance(value, dict) else default
    if isinstance(default, bool):
        return value if isinstance(value, bool) else default
    if isinstance(default, str):
        return value if isinstance(value, str) else default
    if isinstance(default, int):
        return value if _is_number(value) and isinstance(value, int) else default
    return float(value) if _is_number(value) else default


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)
