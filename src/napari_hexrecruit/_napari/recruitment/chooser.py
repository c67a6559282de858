"""Choosing a simulation: a thread opens it, then the form is filled with its choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_info, show_warning
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_hexrecruit._napari.private.saving import PLUGIN
from napari_hexrecruit._napari.recruitment.choices import ColumnChoices
from napari_hexrecruit._napari.recruitment.details_panel import DetailsPanel
from napari_hexrecruit._napari.recruitment.form import Form
from napari_hexrecruit._napari.recruitment.preferences import most_recent
from napari_hexrecruit._napari.recruitment.presets import (
    Ready,
    applied,
    read_preset,
    write_preset,
)
from napari_hexrecruit._napari.recruitment.settings import Saver, Settings, load_settings
from napari_hexrecruit._napari.recruitment.sources import Sources, configuration_in
from napari_hexrecruit._napari.recruitment.start import with_latest
from napari_hexrecruit._napari.recruitment.work import Opened, opened, values_of
from napari_hexrecruit._napari.widgets.loading import Jobs, Outcome
from napari_hexrecruit._napari.widgets.parts import only_one
from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit.errors import HexRecruitError

TITLE = "Hexagon recruitment"
"""Title of the panel, in menus and notifications."""
_SAVE_AFTER_MS = 500
_CHOOSE = "Choose a simulation, or drop it here."
_FAILED = "could not be read, see Details. Choose another, or name what is missing in Other files."


class Chooser:
    """Keeps the simulation that the form describes, and the choices of the last session.

    Parameters
    ----------
    form
        The form to fill.
    details
        Informed of each file that was opened or could not be opened.
    parent
        The Qt widget that owns timer and jobs.

    Attributes
    ----------
    opened
        The simulation whose choices the form offers; None before the first.
    settings
        All choices, kept for the next session.
    ended
        Emitted with True if a simulation was opened, with False if not.
    """

    ended = Signal(bool)

    def __init__(
        self,
        form: Form,
        details: DetailsPanel,
        parent: QWidget,
    ) -> None:
        self._form, self._details = form, details
        self.opened: Opened | None = None
        self.settings = load_settings()
        self._asked = Sources()
        self._choosing = Jobs(lambda _: None, parent)
        self._reading = Jobs(lambda _: None, parent)
        self._saver = Saver()
        self._save_timer = QTimer(parent)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(_SAVE_AFTER_MS)
        self._save_timer.timeout.connect(self._save)
        form.file_chosen.connect(self._on_file_chosen)
        form.dropped.connect(self._on_dropped)
        form.population_chosen.connect(self._on_population_chosen)
        form.filter_column_chosen.connect(self._on_filter_column_chosen)
        form.presets.ready_chosen.connect(self._on_ready_preset)
        form.presets.file_chosen.connect(self._on_preset_file)
        form.presets.file_named.connect(self._on_preset_named)

    @property
    def busy(self) -> bool:
        """Whether a job is reading."""
        return self._choosing.running or self._reading.running

    @property
    def sources(self) -> Sources | None:
        """Files of the simulation whose choices the form offers."""
        return None if self.opened is None else self.opened.sources

    def close(self) -> None:
        """Stop reading, and save recent choices."""
        self._choosing.cancel()
        self._reading.cancel()
        if self._save_timer.isActive():
            self._save_timer.stop()
            self._save()

    def choose(self, path: Path) -> None:
        """Offer the choices of a simulation.

        Parameters
        ----------
        path
            SONATA simulation configuration. Spikes and circuit files given for an earlier
            configuration are dropped.
        """
        self.read(Sources(path) if self._asked.path else replace(self._asked, path=path))

    def read(self, sources: Sources, *, keep: bool = False) -> None:
        """Offer the choices in these files; if they cannot be read, the choices are unchanged.

        Parameters
        ----------
        sources
            The files.
        keep
            If True, keep earlier choices that the files do not offer, because a layer was made with
            them.
        """
        self._asked = sources
        if not sources.enough:  # the user still has to name the second of two files
            return
        self._reading.cancel()
        self._details.pause()
        self._form.info.doing("Reading ...")
        settings = self.settings
        self._choosing.start(
            lambda _: opened(sources, settings), lambda outcome: self._on_opened(outcome, keep)
        )

    def take(self, settings: Settings) -> None:
        """Apply choices to the open simulation, as if the user had changed the fields."""
        chosen = self.opened
        if chosen is not None:
            self._reading.cancel()
            self._choosing.start(lambda _: applied(chosen, settings), self._on_applied)

    def renew(self, result: Opened) -> None:
        """Offer the choices of files that were read again after a change."""
        if self.sources == result.sources and self.opened is not result:
            self.settings = self._chosen()
            self._offer(result, keep=True)

    def leave(self, main: Path) -> None:
        """Offer no choices: the files of the layer that the form describes are missing."""
        self.close()
        self.opened, self._asked = None, Sources()
        self._form.show_sources(self._asked)
        self._form.info.say(f"{main} is not here: name it in File, or drop it here.")
        self._form.stay()

    def offer_start(self, *, empty: bool) -> None:
        """Offer the first steps if there are no hexagons and no simulation is being read."""
        recent = [Path(line) for line in self.settings.recent.splitlines()]
        nothing = empty and self.opened is None and not self.busy
        self._form.start_here.offer(recent, empty=nothing)

    def open_sample(self, viewer: Any) -> None:
        """Show the hexagons of the small sample; the panel then adopts its layer."""
        try:
            viewer.open_sample(PLUGIN, "small")
        except (HexRecruitError, OSError) as error:
            self._form.info.refuse(reason_first(error), TITLE)

    def remember_export(self, choices: Mapping[str, Any]) -> None:
        """Keep the choices for movies for the next session, even without an open simulation."""
        self.settings = replace(self.settings, export=choices)
        self._save_timer.start()

    def remember(self) -> None:
        """Keep the choices for the next session."""
        if self.opened is not None:
            self.settings = self._chosen()
            self._save_timer.start()

    def _chosen(self) -> Settings:
        """Return the choices of the form, and the recent simulations."""
        recent = self.settings.recent
        if self.opened is not None and self.opened.sources.path is not None:
            recent = with_latest(recent, self.opened.sources.path, most_recent())
        return replace(self._form.settings(), recent=recent, export=self.settings.export)

    def _save(self) -> None:
        self._saver.save(self.settings)

    def _on_file_chosen(self, name: str, path: Path | None) -> None:
        if name == "path" and path is not None:
            self.choose(path)
        else:  # for the last requested simulation, even if it could not be read
            others = {"spikes": self._asked.spikes, "circuit": self._asked.circuit, name: path}
            config = None if name == "path" else self._asked.path
            run = None if config is None else self._asked.run
            self.read(Sources(config, others["spikes"], others["circuit"], run))

    def _on_dropped(self, dropped: list[Path]) -> None:
        try:
            path = configuration_in(only_one(dropped))
        except (HexRecruitError, ValueError) as mistake:
            self._form.info.refuse(reason_first(mistake), TITLE)
            return
        self._form.info.mended()
        self.choose(path)

    def _on_opened(self, outcome: Outcome[Opened], keep: bool) -> None:
        if outcome.value is not None:
            self._offer(outcome.value, keep=keep)
        else:
            self._show_choices()
            self._form.stay()
            self._details.examine(self._asked, outcome.error)
            self._form.info.refuse(outcome.reason, TITLE)
        self.ended.emit(outcome.value is not None)
        self._warn(outcome)

    def _offer(self, result: Opened, *, keep: bool) -> None:
        self.opened, self._asked = result, result.sources
        self._details.examine(result.sources, result.choices.problem)
        self._form.info.doing()
        self._form.offer(result.sources, result.choices, self.settings, keep=keep)
        self._form.offer_values(result.filter_values)
        self._offer_presets(result)
        self.remember()
        if result.choices.problem is not None:
            show_warning(result.choices.problem)

    # --- presets ----------------------------------------------------------------------------------

    def _offer_presets(self, result: Opened) -> None:
        self._form.presets.offer(result.choices.of(self._form.population.value).filter_columns)

    def _on_ready_preset(self, preset: Ready) -> None:
        self.take(preset.applied(self._chosen()))

    def _on_preset_file(self, path: Path) -> None:
        try:
            recipe = read_preset(path)
        except (ValueError, OSError) as mistake:
            self._form.info.refuse(reason_first(mistake), TITLE)
            return
        if self.opened is not None:
            recipe = self.opened.sources.named_in(recipe)
            self.take(replace(self._chosen(), recipe=recipe, split_by=""))

    def _on_preset_named(self, path: Path, confirmed: bool) -> None:
        if self.opened is None:
            return
        default = self.opened.choices.population
        try:
            write_preset(path, self._form.recipe(), default, overwrite=confirmed)
        except (ValueError, OSError) as mistake:
            self._form.info.refuse(reason_first(mistake), TITLE)
            return
        show_info(f"hexrecruit cube SIMULATION -o OUT --run-file {path} counts the same.")

    def _on_applied(self, outcome: Outcome[tuple[Opened, Settings]]) -> None:
        if outcome.value is not None:
            result, self.settings = outcome.value
            self._form.restore(self.settings)
            self._offer(result, keep=True)
            self._form.request_changed.emit()
        elif outcome.error is not None:
            self._form.info.refuse(outcome.reason, TITLE)
        self.ended.emit(outcome.value is not None)
        self._warn(outcome)

    def _show_choices(self) -> None:
        """Name the simulation whose choices are offered, after another one could not be read."""
        if self.opened is None:
            self._form.show_sources(Sources())
            main = self._asked.main.name
            self._form.info.say(f"{main} {_FAILED}" if main else _CHOOSE)
        else:
            self._form.show_sources(self.opened.sources)
            self._form.show_info(self.opened.choices.summary(self._form.populations.value))
        if self._asked.is_mistyped:  # the user can correct the path
            self._form.show_typed(self._asked)

    def _on_population_chosen(self) -> None:
        if self.opened is not None:
            self._form.offer_columns(self.opened.choices, self._form.settings())
            self._offer_presets(self.opened)
            self._on_filter_column_chosen(self._form.filter_column.value)

    def _on_filter_column_chosen(self, column: str) -> None:
        if self.opened is None or not column:
            self._reading.cancel()
            self._form.offer_values(ColumnChoices(""))
            self._form.request_changed.emit()
            return
        simulation, population = self.opened.simulation, self._form.populations.value
        self._reading.start(
            lambda _: values_of(simulation, population, column), self._on_values_read
        )

    def _on_values_read(self, outcome: Outcome[ColumnChoices]) -> None:
        if outcome.value is not None:
            self._form.offer_values(outcome.value)
            self._form.request_changed.emit()
        elif outcome.error is not None:
            self._form.info.refuse(outcome.reason, TITLE)
        self._warn(outcome)

    def _warn(self, outcome: Outcome[Any]) -> None:
        if outcome.warned:
            show_warning("; ".join(outcome.warned))
