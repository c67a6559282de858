"""The form of the widget: the choices that its fields offer, and the user's choice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_hexrecruit._napari.layers.look import Look
from napari_hexrecruit._napari.recruitment.also import also_line
from napari_hexrecruit._napari.recruitment.choices import (
    ColumnChoices,
    SimulationChoices,
)
from napari_hexrecruit._napari.recruitment.fields import NOTHING, Fields, pick, show_number
from napari_hexrecruit._napari.recruitment.recipes import as_opened, edited, fitting, said_otherwise
from napari_hexrecruit._napari.recruitment.request import Request
from napari_hexrecruit._napari.recruitment.settings import (
    Settings,
    filter_column_of,
    look_of,
)
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit._napari.widgets.parts import FileDrops, fit_height
from napari_hexrecruit._napari.widgets.path_field import PathField
from napari_hexrecruit.filters import Rule
from napari_hexrecruit.pipeline.places import flat_units
from napari_hexrecruit.recipe import FLAT_COLUMNS, CubeRecipe

_LENGTHS = ("radius", "bin_ms", "start")
_UNITS = {"um": " µm", "pixel": " px", "unknown": ""}
_MOST_ROWS = 6
"""Number of filter values visible at once."""


class Form(Fields):
    """The choices that the fields offer, and the user's choice as a recipe.

    Attributes
    ----------
    file_chosen
        Emitted with ``path``, ``spikes`` or ``circuit``, and the path that the user has chosen or
        typed; None if the user has emptied the field.
    population_chosen, filter_column_chosen
        Emitted when the populations change, and when the property to filter by changes; the latter
        with its name, empty for no filter.
    dropped
        Emitted with the paths dropped on the panel.
    request_changed
        Emitted when the fields describe a different cube.
    timestamp_changed
        Emitted when the user shows or hides the time on the canvas.
    playback_changed
        Emitted when speed or loop changes.
    """

    file_chosen = Signal(str, object)
    population_chosen = Signal()
    filter_column_chosen = Signal(str)
    request_changed = Signal()
    dropped = Signal(object)
    timestamp_changed = Signal()
    playback_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sources, self._duration_ms, self._quiet = Sources(), 0.0, False
        self._recipe = CubeRecipe()
        self._look = look_of(Settings())
        self._at: int | None = None
        self._awaits_choices = True
        self._paths = {
            "path": PathField(self.file),
            "spikes": PathField(self.spikes_file),
            "circuit": PathField(self.circuit_file),
        }
        self._filter = ColumnChoices("")
        self._shown = self._said()
        self.offer_values(self._filter)
        self._connect()

    def accept_drops(self, panel: Any) -> None:
        """Accept a simulation dropped anywhere on the Qt widget that holds the fields."""
        for watched in self._paths.values():  # they would insert the URL as text
            watched.field.line_edit.native.setAcceptDrops(False)
        FileDrops(panel, self.dropped.emit)

    # --- what is chosen ---------------------------------------------------------------------------

    def settings(self) -> Settings:
        """Return all choices."""
        recipe, look = self.recipe(), self.look
        low, high = look.limits or (0.0, None)
        return Settings(
            recipe=self._sources.named_in(recipe),
            filter_column=filter_column_of(recipe) or self.filter_column.value or "",
            split_by=self.split_by.value or "",
            automatic=self.automatic.value,
            metric=look.metric,
            colormap=look.colormap,
            low=low,
            high=high,
            colorbar=look.colorbar,
            timestamp=look.timestamp,
            outline=look.outline,
            speed=self.speed.value,
            loop=self.loop.value,
        )

    def request(self) -> Request:
        """Return the request for the simulation."""
        return Request(recipe=self.recipe(), split_by=self.split_by.value or None)

    def recipe(self) -> CubeRecipe:
        """Return the recipe of the requested cube.

        The fields edit entries of the opened recipe. Unedited entries keep their exact value, even
        if no field can show it.
        """
        return edited(self._recipe, self._shown, self._said(), self._at)[0]

    def _said(self) -> dict[str, Any]:
        """Return the entries of the recipe in the fields; the filter is ``rule``."""
        return {
            "population": self.populations.value or None,
            "node_set": self.node_set.value or None,
            "rule": self._rule(),
            "flat": (self.flat_x.value or "", self.flat_y.value or ""),
            "radius": self.radius.value,
            "bin_ms": self.bin_ms.value,
            "start": self.start.value,
            "stop": None if self.stop.value == self._duration_ms else self.stop.value,
            "min_neurons": self.min_neurons.value,
            **self.quantity.said(),
            **self.hemispheres.said(),
        }

    @property
    def look(self) -> Look:
        """Look of new hexagons: that of the previous ones, which have layer controls for it."""
        return replace(self._look, timestamp=self.timestamp.value)

    @look.setter
    def look(self, look: Look) -> None:
        self._look = look

    def _rule(self) -> Rule | None:
        """Return the filter in the fields; None if all neurons count, or while values are read."""
        name, picked = self._filter.name, list(self.filter_values.value)
        if name != (self.filter_column.value or ""):
            return None
        if self._filter.values:
            return self._as_opened({"column": name, "values": picked}) if picked else None
        if self._filter.span is None:
            return None
        low, high = self.filter_low.value, self.filter_high.value
        rule = self._as_opened({"column": name, "interval": [low, high]})
        all_count = low <= self._filter.span[0] and self._filter.span[1] < high
        return None if all_count and rule not in self._recipe.rules else rule

    def _as_opened(self, rule: Rule) -> Rule:
        """Return the recipe's own version of a rule if both mean the same."""
        return rule if self._at is None else as_opened(rule, self._recipe.rules[self._at])

    # --- choices ----------------------------------------------------------------------------------

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Change fields without emitting signals."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def restore(self, settings: Settings) -> None:
        """Restore earlier choices; fields that need a simulation are filled by `offer`."""
        self._recipe = settings.recipe.without_files().replace(run=settings.recipe.run)
        self._at, self._awaits_choices = None, True
        with self._shown_again():
            for name in (*_LENGTHS, "min_neurons"):
                self._show_entry(name)
            for name in ("automatic", "timestamp", "speed", "loop"):
                getattr(self, name).value = getattr(settings, name)
            self._look = look_of(settings)

    def offer(
        self, sources: Sources, choices: SimulationChoices, settings: Settings, *, keep: bool
    ) -> None:
        """Offer the choices of a simulation.

        Parameters
        ----------
        sources
            Files of the simulation.
        choices
            Choices that it offers.
        settings
            Earlier choices.
        keep
            If True, keep earlier choices that the simulation does not offer, because a layer was
            computed with them; computing then refuses them. Otherwise fall back to choices that it
            offers.
        """
        self._fold()
        self._filter, self._at = ColumnChoices(""), None
        self._awaits_choices, self._duration_ms = False, choices.duration_ms
        recipe = self._recipe if keep else fitting(self._recipe, choices)
        self._recipe = recipe.replace(
            run=sources.run,
            population=recipe.population or choices.population,
            stop=None if recipe.stop == self._duration_ms else recipe.stop,
        )
        with self._shown_again():
            self.show_sources(sources)
            self.populations.offer(choices, self._recipe.populations)
            self.quantity.offer(choices, self._recipe)
            self.node_set.choices = [
                (f"{choices.node_set or 'all'} (default)", ""),
                *((name, name) for name in choices.node_sets),
            ]
            pick(self.node_set, self._recipe.node_set or "", "")
            self._show_entry("start", choices.start_ms)
            self._show_entry("stop", self._duration_ms)
        self.offer_columns(choices, settings)

    def offer_columns(self, choices: SimulationChoices, settings: Settings) -> None:
        """Offer the choices that depend on the population, except values of the filter."""
        self._fold()
        self._filter, self._at = ColumnChoices(""), None
        with self._shown_again():
            self.populations.offer_others(choices)
        of_population = choices.of(self.populations.value)
        columns = [*NOTHING, *((name, name) for name in of_population.filter_columns)]
        with self._shown_again():
            self.show_info(choices.summary(self.populations.value))
            self.hemispheres.offer(of_population, self._recipe)
            for field, chosen in (
                (self.filter_column, settings.filter_column),
                (self.split_by, settings.split_by),
            ):
                field.choices = columns
                pick(field, chosen, "")
            pair = self._recipe.columns or FLAT_COLUMNS
            for field, name in zip((self.flat_x, self.flat_y), pair, strict=True):
                field.choices = list(of_population.flat_columns)
                pick(field, name)
        self._show_units()

    def offer_values(self, column: ColumnChoices) -> None:
        """Offer the values of the filter: a list to pick from, or an interval.

        Parameters
        ----------
        column
            Values of the property to filter by; with an empty name for no filter.
        """
        self._fold()
        rules = self._recipe.rules
        mine = (k for k, rule in enumerate(rules) if rule["column"] == column.name)
        self._filter, self._at = column, next(mine, None)
        rule = {} if self._at is None else rules[self._at]
        low, high = column.span or (0.0, 0.0)
        high = math.floor(high) + 1.0
        if not column.values:
            low, high = rule.get("interval", (low, high))
        picked = list(rule.get("values", ()))
        is_list = all(value in column.values for value in picked)
        with self._shown_again():
            self.filter_values.choices = column.labelled_values
            self.filter_values.value = picked if is_list else []
            fit_height(self.filter_values, _MOST_ROWS)
            show_number(self.filter_low, math.floor(low * 1e3) / 1e3 if not rule else low)
            show_number(self.filter_high, high)
        self.filter_values.visible = bool(column.values)
        self.filter_interval.visible = bool(column.span) and not column.values

    def clear_also(self) -> None:
        """Reset the recipe to the entries that the fields show."""
        said = self._said()
        rule = said.pop("rule")
        where = [rule] if rule else []
        self._recipe = CubeRecipe(**said, run=self._sources.run, where=where)
        self._at = 0 if rule else None
        self._shown = self._said()
        self._show_units()
        self.request_changed.emit()

    def stay(self) -> None:
        """Show the entries without a field now: no choices for the fields are being read."""
        self._awaits_choices = False
        self.show_also()

    def show_also(self) -> None:
        """Show the entries without a field, and hide the fields that these entries override."""
        if self._awaits_choices:
            return
        recipe, entries = self.recipe(), self.also()
        self.also_text.value = also_line(entries)
        self.also_text.tooltip = also_line(entries, whole=True)
        self.also_row.visible = bool(entries)
        self.flat_x.visible = self.flat_y.visible = recipe.columns is not None
        self.radius.visible = recipe.column_atlas is None

    def also(self) -> dict[str, Any]:
        """Return the entries of the recipe that no field shows."""
        said = self._said()
        recipe, at = edited(self._recipe, self._shown, said, self._at)
        return said_otherwise(recipe, at, said)

    def _fold(self) -> None:
        """Apply the user's edits to the recipe before the fields are filled again."""
        said = self._said()
        self._recipe, self._at = edited(self._recipe, self._shown, said, self._at)
        self._shown = said

    @contextmanager
    def _shown_again(self) -> Iterator[None]:
        """Fill fields from the recipe, without counting their new values as edits."""
        with self.quiet():
            yield
        self._shown = self._said()
        self.show_also()

    def _show_entry(self, name: str, otherwise: float = 0.0) -> None:
        value = getattr(self._recipe, name)
        show_number(getattr(self, name), otherwise if value is None else value)

    def show_info(self, summary: str) -> None:
        """Describe the simulation, with the time on a separate line, so that it does not wrap."""
        run = "" if self._sources.run is None else f", run {self._sources.run}"
        self.info.mended()
        self.info.say("\n".join(summary.rsplit(" · ", 1)) + run)

    def show_sources(self, sources: Sources) -> None:
        """Show the files of the simulation whose choices are offered."""
        self._sources = sources
        self.show_typed(sources)
        n_others = sum(file is not None for file in (sources.spikes, sources.circuit))
        self.other_files.title = f"Other files: {n_others}" if n_others else "Other files"

    def show_typed(self, sources: Sources) -> None:
        """Show paths in their fields, even unreadable ones, so that the user can correct them."""
        for name, text in sources.texts.items():
            self._paths[name].show(text)

    def _show_units(self) -> None:
        flat = (self.flat_x.value or "", self.flat_y.value or "")
        unit = _UNITS[flat_units(flat) if self._recipe.columns else "unknown"]
        self.radius.native.setSuffix(unit)

    # --- signals ----------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.clear.changed.connect(self.clear_also)
        self.request_changed.connect(self.show_also)
        for name, watched in self._paths.items():
            watched.chosen.connect(self._choosing(name))
        self.population.changed.connect(self._announcing(self.population_chosen))
        self.populations.others.changed.connect(self._announcing(self.population_chosen))
        self.hemispheres.property.changed.connect(self.hemispheres.offer_values)
        self.filter_column.changed.connect(self._announcing(self.filter_column_chosen))
        self.flat_x.changed.connect(self._show_units)
        self.flat_y.changed.connect(self._show_units)
        playback: list[Any] = [self.speed, self.loop]
        for changed, signal in (
            (self._request_fields(), self.request_changed),
            ([self.timestamp], self.timestamp_changed),
            (playback, self.playback_changed),
        ):
            for field in changed:
                field.changed.connect(self._announcing(signal))

    def _request_fields(self) -> list[Any]:
        return [
            *(self.node_set, self.filter_values, self.filter_low, self.filter_high),
            *(self.flat_x, self.flat_y, self.min_neurons, self.split_by),
            *(self.radius, self.bin_ms, self.start, self.stop),
            *self.quantity.fields,
            *self.hemispheres.fields,
        ]

    def _announcing(self, signal: Any) -> Any:
        """Return a callback that emits a signal unless the fields are changed quietly."""
        n_arguments = len(signal.signature.parameters)

        def announce(value: Any = None) -> None:
            if not self._quiet:
                signal.emit(*[value][:n_arguments])

        return announce

    def _choosing(self, name: str) -> Any:
        """Return a callback that emits `file_chosen` for one of the file fields."""
        return lambda text: self.file_chosen.emit(name, Path(text).expanduser() if text else None)
