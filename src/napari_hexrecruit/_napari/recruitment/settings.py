"""What was chosen last time, kept in a file. Knows nothing of napari or Qt."""

from __future__ import annotations

import json
import math
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

__all__ = [
    "Saver",
    "Settings",
    "load_settings",
    "recipe_in",
    "save_settings",
    "settings_file",
    "with_recipe",
]

_NUMBERS = ("radius", "bin_ms", "start", "stop", "min_neurons")
_FILES = ("simulation", "spikes", "circuit")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every choice of the widget; the defaults are those of a first start.

    Parameters
    ----------
    simulation
        Path of the simulation configuration; empty: none.
    spikes, circuit
        Spikes file and circuit configuration; empty: as the configuration names them.
    population, node_set
        Empty: the simulation's own.
    filter_column, filter_values, filter_low, filter_high
        Property to filter by, empty: none; the values picked from it, none: all; and for a property
        of numbers with many values the interval instead.
    flat_x, flat_y
        Properties with the flat position.
    min_neurons
        Hexagons with fewer neurons have no value.
    radius
        Centre to corner, in the units of flat space.
    bin_ms
        Width of a bin, ms.
    start, stop
        Window, ms; None as `stop`: the end of the simulation.
    also
        Entries of a cube's recipe that are not among these: further filters as ``where``, the file
        of a flatmap as ``flat``, ``column_atlas``, ``cumulative``, and what else there may be.
    split_by
        Property with one layer for each of its values; empty: none.
    automatic
        Compute again when something is changed.
    metric, colormap
        What the colours show and which colours; names.
    low, high
        Contrast limits; None as `high`: the metric's own.
    colorbar, timestamp, outline
        Whether the colour bar, the time on the canvas and the outline of hexagons without a value
        are shown.
    speed
        ms of simulation per second of screen.
    loop
        Start again at the end.
    """

    simulation: str = ""
    spikes: str = ""
    circuit: str = ""
    population: str = ""
    node_set: str = ""
    filter_column: str = ""
    filter_values: tuple[str | int, ...] = ()
    filter_low: float = 0.0
    filter_high: float = 0.0
    flat_x: str = "ss_flat_x"
    flat_y: str = "ss_flat_y"
    min_neurons: int = 1
    radius: float = 50.0
    bin_ms: float = 10.0
    start: float = 0.0
    stop: float | None = None
    also: dict[str, Any] = field(default_factory=dict)
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


def settings_file() -> Path | None:
    """Where the settings are kept: in the user's folder for configurations.

    Like napari, follow the variable ``NAPARI_CONFIG``: beside that file if it names one, and
    nowhere if it is empty, as in tests.
    """
    config = os.environ.get("NAPARI_CONFIG")
    if config is None:
        from platformdirs import user_config_path

        return user_config_path("napari-hexrecruit", appauthor=False) / "widget.json"
    return Path(config).with_name("napari-hexrecruit-widget.json") if config else None


def load_settings() -> Settings:
    """Read the settings of last time.

    Returns
    -------
    Settings
        The default for whatever is missing or is not what it should be, so a broken or foreign file
        does no harm.
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
    """Keep the settings for next time; a folder that cannot be written to is no error.

    The file appears whole or stays as it was. It is not waited for until it is on the disk: after a
    crash of the computer the settings may be those of the time before.
    """
    final = settings_file()
    if final is None:
        return
    content = json.dumps(asdict(settings), indent=1)
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
    """Saves settings in a thread of its own: a home folder on another computer may be slow.

    Of settings that come while others are being written, only the last ones are written.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Settings | None = None
        self._thread: threading.Thread | None = None

    def save(self, settings: Settings) -> None:
        """Save soon; does not wait. The process ends only when it is done."""
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


def with_recipe(settings: Settings, recipe: Mapping[str, Any]) -> Settings:
    """Settings with the parameters that a cube was computed with, all of them.

    Parameters
    ----------
    settings
        Settings of everything else.
    recipe
        The cube's attribute ``recipe``; what it lacks is as at a first start.

    Returns
    -------
    Settings
        `recipe_in` gives the recipe again.
    """
    default = Settings()
    found = {name: recipe.get(name) or "" for name in (*_FILES, "population", "node_set")}
    if found["simulation"] == found["spikes"]:  # there was no configuration
        found["simulation"] = ""
    found |= {name: recipe.get(name, getattr(default, name)) for name in _NUMBERS}
    also = {name: value for name, value in recipe.items() if name not in {*found, "where", "flat"}}
    flat, rules = recipe.get("flat", [default.flat_x, default.flat_y]), [*recipe.get("where", ())]
    if isinstance(flat, str):
        also["flat"] = flat
        flat = [default.flat_x, default.flat_y]
    found |= dict(zip(("flat_x", "flat_y"), flat, strict=True))
    of_fields = dict.fromkeys(("filter_column", "split_by"), "") | _no_filter()
    if rules and _fits_fields(rules[0]):
        of_fields |= _filter(rules.pop(0))
    if rules:
        also["where"] = rules
    return replace(settings, **(of_fields | found), also=also)


def recipe_in(settings: Settings) -> dict[str, Any]:
    """The parameters of settings as a cube's recipe has them, without the files.

    None stands for the simulation's own population and node set, and for its end.
    """
    rules = list(settings.also.get("where", ()))
    if settings.filter_column and settings.filter_values:
        values = list(settings.filter_values)
        rules.insert(0, {"column": settings.filter_column, "values": values})
    elif settings.filter_column and settings.filter_low < settings.filter_high:
        interval = [settings.filter_low, settings.filter_high]
        rules.insert(0, {"column": settings.filter_column, "interval": interval})
    return {
        "population": settings.population or None,
        "node_set": settings.node_set or None,
        "flat": [settings.flat_x, settings.flat_y],
        **{name: getattr(settings, name) for name in _NUMBERS},
        **settings.also,
        "where": rules,
    }


def _no_filter() -> dict[str, Any]:
    return {"filter_values": (), "filter_low": 0.0, "filter_high": 0.0}


def _fits_fields(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is values to pick, or an interval with something in it."""
    if set(rule) == {"column", "values"}:
        return bool(rule["values"]) and all(map(_is_name, rule["values"]))
    ends = rule.get("interval", ())
    return set(rule) == {"column", "interval"} and len(ends) == 2 and ends[0] < ends[1]


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a rule with values or with an interval."""
    of_rule = _no_filter() | {"filter_column": rule["column"]}
    if "values" in rule:
        return of_rule | {"filter_values": tuple(rule["values"])}
    return of_rule | dict(zip(("filter_low", "filter_high"), rule["interval"], strict=True))


def _checked(name: str, value: Any, default: Any) -> Any:
    """The value in the type of the default; the default where it cannot be."""
    if name == "also":
        return value if isinstance(value, dict) and _is_list_of_rules(value) else default
    if name == "filter_values":
        whole = isinstance(value, list) and all(_is_name(item) for item in value)
        return tuple(value) if whole else default
    if isinstance(default, bool):
        return value if isinstance(value, bool) else default
    if isinstance(default, str):
        return value if isinstance(value, str) else default
    if isinstance(default, int):
        return value if _is_number(value) and isinstance(value, int) else default
    return float(value) if _is_number(value) else default


def _is_list_of_rules(also: Mapping[str, Any]) -> bool:
    """Whether further filters, if there are any, are rules on columns."""
    rules = also.get("where", [])
    return isinstance(rules, list) and all(
        isinstance(rule, dict) and isinstance(rule.get("column"), str) for rule in rules
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, (str, int))  # so are true and false, of a column of these


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)
