"""The form of the widget: what is offered in its fields, and what is chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox
from psygnal import Signal

from napari_hexrecruit._napari.choices import ColumnChoices, SimulationChoices
from napari_hexrecruit._napari.fields import NOTHING, Fields
from napari_hexrecruit._napari.look import Look
from napari_hexrecruit._napari.parts import FileDrops, fit_height
from napari_hexrecruit._napari.path_field import PathField
from napari_hexrecruit._napari.request import Request
from napari_hexrecruit._napari.settings import Settings
from napari_hexrecruit._napari.sources import Sources
from napari_hexrecruit.filters import Rule
from napari_hexrecruit.pipeline import flat_units

__all__ = ["Form"]

_UNITS = {"um": " µm", "pixel": " px", "unknown": ""}
_MOST_ROWS = 6
"""Values of the filter that are seen at once."""


class Form(Fields):
    """What is chosen in the fields, and what is offered in them.

    Attributes
    ----------
    file_chosen
        Emitted with ``path``, ``spikes`` or ``circuit``, and the path that the user has chosen,
        dropped or typed; None where the field was emptied.
    population_chosen, filter_column_chosen
        Emitted with a name; empty for no filter.
    request_changed
        Emitted when another cube is asked for.
    look_changed
        Emitted when the same cube shall look otherwise.
    metric_chosen
        Emitted with a name; its limits are not those of the metric before.
    playback_changed
        Emitted when speed or loop is changed.
    """

    file_chosen = Signal(str, object)
    population_chosen = Signal(str)
    filter_column_chosen = Signal(str)
    request_changed = Signal()
    look_changed = Signal()
    metric_chosen = Signal(str)
    playback_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sources, self._duration_ms, self._quiet = Sources(), 0.0, False
        self._paths = {
            "path": PathField(self.file),
            "spikes": PathField(self.spikes_file),
            "circuit": PathField(self.circuit_file),
        }
        self._filter = ColumnChoices("")
        self.offer_values(self._filter)
        self._connect()

    def accept_drops(self, panel: Any) -> None:
        """Let a simulation be dropped anywhere on a Qt widget that holds the fields."""
        for watched in self._paths.values():  # they would take the address as text
            watched.field.line_edit.native.setAcceptDrops(False)
        FileDrops(panel, lambda path: self.file_chosen.emit("path", path))

    # --- what is chosen ---------------------------------------------------------------------------

    def settings(self) -> Settings:
        """Everything that is chosen."""
        low, high = self.limits.value
        return Settings(
            simulation=_text(self._sources.path),
            spikes=_text(self._sources.spikes),
            circuit=_text(self._sources.circuit),
            population=self.population.value or "",
            node_set=self.node_set.value or "",
            filter_column=self.filter_column.value or "",
            filter_values=tuple(self.filter_values.value),
            filter_low=self.filter_low.value,
            filter_high=self.filter_high.value,
            flat_x=self.flat_x.value or "",
            flat_y=self.flat_y.value or "",
            min_neurons=self.min_neurons.value,
            radius=self.radius.value,
            bin_ms=self.bin_ms.value,
            start=self.start.value,
            stop=None if self.stop.value == self._duration_ms else self.stop.value,
            split_by=self.split_by.value or "",
            automatic=self.automatic.value,
            metric=self.metric.value,
            colormap=self.colormap.value,
            low=low,
            high=high,
            colorbar=self.colorbar.value,
            timestamp=self.timestamp.value,
            outline=self.outline.value,
            speed=self.speed.value,
            loop=self.loop.value,
        )

    def request(self) -> Request:
        """What is asked of the simulation."""
        chosen = self.settings()
        return Request(
            population=chosen.population or None,
            node_set=chosen.node_set or None,
            where=self._rules(),
            flat=(chosen.flat_x, chosen.flat_y),
            radius=chosen.radius,
            bin_ms=chosen.bin_ms,
            start=chosen.start,
            stop=chosen.stop,
            min_neurons=chosen.min_neurons,
            split_by=chosen.split_by or None,
        )

    def look(self) -> Look:
        """How the hexagons shall look."""
        low, high = self.limits.value
        return Look(
            metric=self.metric.value,
            colormap=self.colormap.value,
            limits=(low, high),
            colorbar=self.colorbar.value,
            timestamp=self.timestamp.value,
            outline=self.outline.value,
        )

    def _rules(self) -> tuple[Rule, ...]:
        name, picked = self._filter.name, list(self.filter_values.value)
        if self._filter.values:
            return ({"column": name, "values": picked},) if picked else ()
        if self._filter.span is None:
            return ()
        low, high = self.filter_low.value, self.filter_high.value
        all_count = low <= self._filter.span[0] and self._filter.span[1] < high
        return () if all_count else ({"column": name, "interval": [low, high]},)

    # --- choices ----------------------------------------------------------------------------------

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Change fields without announcing it."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def restore(self, settings: Settings) -> None:
        """Set the fields that need no simulation."""
        with self.quiet():
            for name in (
                *("min_neurons", "radius", "bin_ms", "start", "automatic"),
                *("colorbar", "timestamp", "outline", "speed", "loop"),
            ):
                getattr(self, name).value = getattr(settings, name)
            _pick(self.metric, settings.metric)
            _pick(self.colormap, settings.colormap)
            if settings.high is not None and settings.high > settings.low:
                self.offer_limits(max(self.limits.max, settings.high))
                self.limits.value = (settings.low, settings.high)

    def offer(self, sources: Sources, choices: SimulationChoices, settings: Settings) -> None:
        """Fill the choices with those of a simulation; keep what is chosen where it is offered.

        Parameters
        ----------
        sources
            Files of the simulation.
        choices
            What it offers.
        settings
            What was chosen before.
        """
        own = choices.node_set or "all neurons"
        with self.quiet():
            self.show_sources(sources)
            self.population.choices = [choices.name for choices in choices.populations]
            _pick(self.population, settings.population or choices.population, choices.population)
            self.node_set.choices = [
                (f"{own} (default)", ""),
                *((name, name) for name in choices.node_sets),
            ]
            _pick(self.node_set, settings.node_set, "")
            self._offer_window(choices, settings)
        self.offer_columns(choices, settings)

    def offer_columns(self, choices: SimulationChoices, settings: Settings) -> None:
        """Fill the choices that depend on the population."""
        of_population = choices.of(self.population.value)
        columns = [*NOTHING, *((name, name) for name in of_population.filter_columns)]
        with self.quiet():
            self.show_info(choices.summary(self.population.value))
            for field, chosen in (
                (self.filter_column, settings.filter_column),
                (self.split_by, settings.split_by),
            ):
                field.choices = columns
                _pick(field, chosen, "")
            for field, chosen in ((self.flat_x, settings.flat_x), (self.flat_y, settings.flat_y)):
                field.choices = list(of_population.flat_columns)
                _pick(field, chosen)
        self._show_units()

    def offer_values(self, column: ColumnChoices, settings: Settings | None = None) -> None:
        """Fill the values of the filter: a list to pick from, or an interval.

        Parameters
        ----------
        column
            Values of the property to filter by; one without a name for no filter.
        settings
            What was chosen before, if that was of the same property.
        """
        self._filter = column
        low, high = column.span or (0.0, 0.0)
        high = math.floor(high) + 1.0
        kept: tuple[str | int, ...] = ()
        if settings is not None and settings.filter_column == column.name:
            kept = tuple(value for value in settings.filter_values if value in column.values)
            if settings.filter_low < settings.filter_high:
                low, high = settings.filter_low, settings.filter_high
        with self.quiet():
            self.filter_values.choices = column.labelled_values
            self.filter_values.value = list(kept)
            fit_height(self.filter_values, _MOST_ROWS)
            self.filter_low.value, self.filter_high.value = math.floor(low * 1e3) / 1e3, high
        self.filter_values.visible = bool(column.values)
        self.filter_interval.visible = bool(column.span) and not column.values

    def offer_limits(self, largest: float, limits: tuple[float, float] | None = None) -> None:
        """Set how far the limits may go, and the limits themselves."""
        low, high = limits or self.limits.value
        with self.quiet():
            self.limits.max = max(largest, high)
            self.limits.native.setDecimals(1 if largest >= 10 else 3)
            self.limits.value = (low, high)

    def show_info(self, summary: str) -> None:
        """Describe the simulation; the time is on a line of its own, so that it is not broken."""
        self.info.value = "\n".join(summary.rsplit(" · ", 1))

    def show_look(self, look: Look, largest: float) -> None:
        """Show how hexagons look that came from elsewhere, and how far their limits may go."""
        with self.quiet():
            if look.colormap not in self.colormap.choices:
                self.colormap.choices = [*self.colormap.choices, look.colormap]
            for name in ("metric", "colormap", "colorbar", "timestamp", "outline"):
                getattr(self, name).value = getattr(look, name)
        self.offer_limits(largest, look.limits)

    def show_sources(self, sources: Sources) -> None:
        """Name the files of the simulation whose choices are offered."""
        self._sources = sources
        for name, watched in self._paths.items():
            watched.show(_text(getattr(sources, name)))
        n_others = sum(file is not None for file in (sources.spikes, sources.circuit))
        self.other_files.title = f"Other files: {n_others}" if n_others else "Other files"

    def _offer_window(self, choices: SimulationChoices, settings: Settings) -> None:
        """The whole simulation, unless another window was chosen that lies within."""
        first, last = choices.start_ms, choices.duration_ms
        self._duration_ms = last
        inside = settings.stop is not None and first <= settings.start < settings.stop <= last
        self.start.value = settings.start if inside else first
        self.stop.value = (settings.stop if inside else None) or last

    def _show_units(self) -> None:
        unit = _UNITS[flat_units((self.flat_x.value or "", self.flat_y.value or ""))]
        self.radius.native.setSuffix(unit)

    # --- signals ----------------------------------------------------------------------------------

    def _connect(self) -> None:
        for name, watched in self._paths.items():
            watched.chosen.connect(self._choosing(name))
        self.population.changed.connect(self._announcing(self.population_chosen))
        self.filter_column.changed.connect(self._announcing(self.filter_column_chosen))
        self.metric.changed.connect(self._announcing(self.metric_chosen))
        self.flat_x.changed.connect(self._show_units)
        self.flat_y.changed.connect(self._show_units)
        look: list[Any] = [self.colormap, self.limits, self.colorbar, self.timestamp, self.outline]
        playback: list[Any] = [self.speed, self.loop]
        for changed, signal in (
            (self._request_fields(), self.request_changed),
            (look, self.look_changed),
            (playback, self.playback_changed),
        ):
            for field in changed:
                field.changed.connect(self._announcing(signal))

    def _request_fields(self) -> list[Any]:
        return [
            *(self.node_set, self.filter_values, self.filter_low, self.filter_high),
            *(self.flat_x, self.flat_y, self.min_neurons, self.split_by),
            *(self.radius, self.bin_ms, self.start, self.stop),
        ]

    def _announcing(self, signal: Any) -> Any:
        """A callback that emits a signal unless the fields are changed quietly."""
        n_arguments = len(signal.signature.parameters)

        def announce(value: Any = None) -> None:
            if not self._quiet:
                signal.emit(*[value][:n_arguments])

        return announce

    def _choosing(self, name: str) -> Any:
        """A callback that emits the signal of one of the fields for files."""

        def choose(text: str) -> None:
            self.file_chosen.emit(name, Path(text).expanduser() if text else None)

        return choose


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)


def _pick(field: ComboBox, value: str, otherwise: str | None = None) -> None:
    """Choose a value if it is offered."""
    offered = list(field.choices)
    for wanted in (value, otherwise):
        if wanted in offered:
            field.value = wanted
            return
