"""The widget "Hexagon recruitment": from a simulation to layers of hexagons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import Container, Widget
from napari.utils.notifications import show_error, show_warning
from napari.viewer import Viewer
from qtpy.QtCore import QTimer

from napari_hexrecruit._napari.choices import ColumnChoices
from napari_hexrecruit._napari.export_panel import ExportPanel
from napari_hexrecruit._napari.form import Form
from napari_hexrecruit._napari.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.look import default_limits, fitted_limits, largest_limit
from napari_hexrecruit._napari.parts import scrolled
from napari_hexrecruit._napari.playback import Playback
from napari_hexrecruit._napari.request import Request
from napari_hexrecruit._napari.settings import load_settings, save_settings, with_recipe
from napari_hexrecruit._napari.shown import Shown, cube_of
from napari_hexrecruit._napari.work import (
    Loaded,
    Opened,
    computed,
    opened,
    recipe_of,
    summary,
    values_of,
)

__all__ = ["RecruitmentWidget"]

_UPDATE_AFTER_MS = 400
"""Pause after the last change before the cube is computed again: a field may be on its way."""
_SAVE_AFTER_MS = 500


class RecruitmentWidget(Container[Widget]):
    """Panel that picks a simulation, loads its recruitment, and says how it looks and moves.

    A simulation stays in memory: after the first loading another bin, radius, window or filter only
    costs the counting, and changes the layer that is there.

    Parameters
    ----------
    napari_viewer
        The viewer that layers are added to.

    Attributes
    ----------
    form
        The fields.
    export
        The section that writes movies.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(labels=False)
        self._viewer = napari_viewer
        self.form = Form()
        self._shown = Shown(napari_viewer)
        self._opened: Opened | None = None
        self._loaded: tuple[Path, Request] | None = None
        self._keeps_limits = True
        self._loads_next = False
        self._adding = False
        self._look = self.form.look()
        self._status = self.form.status.value
        self._settings = load_settings()
        self.export = ExportPanel(napari_viewer, self.native, lambda: self._playback.stop())
        self._lay_out()
        self._choosing = Jobs(lambda _: None, self.native)
        self._reading = Jobs(lambda _: None, self.native)
        self._loading = Jobs(self._show_progress, self.native)
        self._update_timer = _timer(self.native, _UPDATE_AFTER_MS, self._update)
        self._align_timer = _timer(self.native, 0, self._align)
        self._save_timer = _timer(self.native, _SAVE_AFTER_MS, self._save)
        self._playback = Playback(
            napari_viewer, self._shown.time_axis, self._show_buttons, self.native
        )
        self._connect()
        self._start()

    @property
    def busy(self) -> bool:
        """Whether a thread works for the panel, or is about to."""
        jobs = (self._choosing, self._reading, self._loading)
        working = self.export.busy or any(job.running for job in jobs)
        return self._update_timer.isActive() or working

    # --- construction -----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        sections = [*self.form.sections, *self.export.sections]
        self._panel = scrolled(self, sections)
        self.form.accept_drops(self.native)

    def _align(self) -> None:
        self.form.align(*self.export.labelled)

    def _connect(self) -> None:
        form = self.form
        form.simulation_chosen.connect(self.choose)
        form.population_chosen.connect(self._on_population_chosen)
        form.filter_column_chosen.connect(self._on_filter_column_chosen)
        form.request_changed.connect(self._on_request_changed)
        form.metric_chosen.connect(self._on_metric_chosen)
        form.look_changed.connect(self._on_look_changed)
        form.playback_changed.connect(self._on_playback_changed)
        form.automatic.changed.connect(self._on_request_changed)
        form.load.changed.connect(self.load)
        form.cancel.changed.connect(self._loading.cancel)
        form.fit.changed.connect(self._fit)
        form.play.changed.connect(self._play)
        form.halt.changed.connect(self._playback.stop)
        for event, action in self._viewer_events():
            event.connect(action)
        self.native_parent_changed.connect(self._on_parent_changed)

    def _viewer_events(self) -> list[tuple[Any, Any]]:
        layers = self._viewer.layers
        return [
            (layers.events.inserted, self._on_layer_inserted),
            (layers.events.removed, self._show_buttons),
            (layers.selection.events.active, self._on_active_changed),
        ]

    def _start(self) -> None:
        """Follow the hexagons that are there already, or else last time's simulation."""
        self.form.restore(self._settings)
        self._look = self.form.look()
        self._on_playback_changed()
        active = self._viewer.layers.selection.active
        candidates = [active, *reversed(self._viewer.layers)]
        layer = next((layer for layer in candidates if cube_of(layer) is not None), None)
        if layer is not None:
            self._adopt(layer)
        elif self._settings.simulation and Path(self._settings.simulation).is_file():
            self.choose(Path(self._settings.simulation))

    # --- choosing ---------------------------------------------------------------------------------

    def choose(self, path: Path) -> None:
        """Offer what a simulation has to choose from; a thread reads it.

        Parameters
        ----------
        path
            SONATA simulation configuration. If it is none, a notification says so and the choices
            stay as they are.
        """
        self._reading.cancel()
        self.form.info.value = "Reading ..."
        settings = self._settings
        self._choosing.start(lambda _: opened(path, settings), self._on_chosen)

    def open(self, path: Path) -> None:
        """Offer what a simulation has to choose from, and show it with the settings there are."""
        self._loads_next = True
        self.choose(path)

    def _on_chosen(self, outcome: Outcome[Opened]) -> None:
        loads, self._loads_next = self._loads_next, False
        if outcome.value is not None:
            self._offer(outcome.value)
            if loads:
                self.load()
        else:
            self._show_choices()
        self._report(outcome)
        self._show_buttons()

    def _offer(self, result: Opened) -> None:
        self._opened = result
        self.form.offer(str(result.path), result.choices, self._settings)
        self.form.offer_values(result.filter_values, self._settings)
        self._remember()
        if result.choices.problem is not None:
            show_warning(result.choices.problem)

    def _show_choices(self) -> None:
        """Name the simulation whose choices are offered: another one could not be read."""
        if self._opened is None:
            self.form.show_path("")
            self.form.info.value = "Choose a simulation, or drop it here."
        else:
            self.form.show_path(str(self._opened.path))
            population = self.form.population.value
            self.form.show_info(self._opened.choices.summary(population))

    def _on_population_chosen(self) -> None:
        if self._opened is not None:
            self.form.offer_columns(self._opened.choices, self._settings)
            self._on_filter_column_chosen(self.form.filter_column.value)

    def _on_filter_column_chosen(self, column: str) -> None:
        if self._opened is None or not column:
            self._reading.cancel()
            self.form.offer_values(ColumnChoices(""))
            self._on_request_changed()
            return
        simulation, population = self._opened.simulation, self.form.population.value
        self._reading.start(
            lambda _: values_of(simulation, population, column), self._on_values_read
        )

    def _on_values_read(self, outcome: Outcome[ColumnChoices]) -> None:
        if outcome.value is not None:
            self.form.offer_values(outcome.value, self._settings)
            self._on_request_changed()
        self._report(outcome)

    # --- loading ----------------------------------------------------------------------------------

    def load(self) -> None:
        """Compute what the fields ask for, in a thread, and show it."""
        if self._opened is None:
            show_error("No simulation is chosen: choose or drop a simulation_config.json first.")
            return
        self._update_timer.stop()
        simulation, request = self._opened.simulation, self.form.request()
        state = self._opened.state
        self._loading.start(
            lambda progress: computed(simulation, state, request, progress), self._on_loaded
        )
        self._show_buttons()

    def _on_loaded(self, outcome: Outcome[Loaded]) -> None:
        if outcome.value is not None and self._opened is not None:
            self._show(outcome.value)
        self._report(outcome)
        self._show_buttons()

    def _show(self, result: Loaded) -> None:
        if self._opened is not None and self._opened.path == result.path:
            self._opened = self._opened.renewed(result)
        self._shown.select()
        cubes, metric = list(result.cubes.values()), self.form.metric.value
        limits = None if self._keeps_limits else default_limits(cubes, metric)
        self._keeps_limits = True
        self.form.offer_limits(largest_limit(cubes, metric), limits)
        self._look = self.form.look()
        self._adding = True
        try:
            self._shown.show(result.path, result.cubes, self._look)
        finally:
            self._adding = False
        self._loaded = (result.path, result.request)
        self._show_status(summary(cubes))
        self._remember()

    def _on_request_changed(self) -> None:
        self._remember()
        path = None if self._opened is None else self._opened.path
        is_shown = self._shown.simulation == path and bool(self._shown.layers)
        if self.form.automatic.value and path is not None and is_shown:
            self._update_timer.start()

    def _update(self) -> None:
        if self._opened is not None and self._loaded != (self._opened.path, self.form.request()):
            self.load()
        else:
            self._loading.cancel()

    def _show_progress(self, monitor: Monitor | None) -> None:
        bar: Any = self.form.progress.native
        if monitor is None:
            bar.setRange(0, 1)
            bar.setValue(0)
            self.form.status.value = self._status
            self._show_buttons()
        elif monitor.done == 0:
            bar.setRange(0, 0)  # busy
        else:
            bar.setRange(0, 1000)
            bar.setValue(1000 * monitor.done // max(monitor.total, 1))
            what = monitor.what[:1].upper() + monitor.what[1:]
            self.form.status.value = f"{what}: {monitor.done:,} of {monitor.total:,}"

    def _show_status(self, status: str) -> None:
        self._status = status
        self.form.status.value = status

    def _report(self, outcome: Outcome[Any]) -> None:
        if outcome.error is not None:
            show_error(outcome.error)
        if outcome.warned:
            show_warning("; ".join(outcome.warned))

    # --- looking ----------------------------------------------------------------------------------

    def _on_metric_chosen(self, metric: str) -> None:
        cubes = self._shown.cubes
        self._keeps_limits = bool(cubes)
        if cubes:
            self.form.offer_limits(largest_limit(cubes, metric), default_limits(cubes, metric))
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        before, self._look = self._look, self.form.look()
        self._shown.apply(self._look, before)
        self._remember()

    def _fit(self) -> None:
        cubes, metric = self._shown.cubes, self.form.metric.value
        if cubes:
            self.form.offer_limits(largest_limit(cubes, metric), fitted_limits(cubes, metric))
            self._on_look_changed()

    def _on_active_changed(self) -> None:
        """Say how the hexagons look that are looked at now."""
        if self._adding:
            return
        look = self._shown.look(otherwise=self._look)
        if look != self._look:
            self._look = look
            self.form.show_look(look, largest_limit(self._shown.cubes, look.metric))

    # --- hexagons from elsewhere ------------------------------------------------------------------

    def _on_layer_inserted(self, event: Any) -> None:
        free = not self._shown.layers and not self._loading.running and not self._adding
        if free and cube_of(event.value) is not None:
            self._adopt(event.value)

    def _adopt(self, layer: Any) -> None:
        """Take over a layer that was opened from a file, with the parameters it was made with."""
        cube = cube_of(layer)
        if cube is None:
            return
        self._settings = with_recipe(self._settings, recipe_of(cube))
        self.form.restore(self._settings)
        path = Path(self._settings.simulation)
        self._shown.adopt(layer, path if path.is_file() else None)
        self._look = self._shown.look(otherwise=self.form.look())
        self.form.show_look(self._look, largest_limit([cube], self._look.metric))
        self._show_status(summary([cube]))
        self._show_buttons()
        if path.is_file():
            self.choose(path)

    # --- playing ----------------------------------------------------------------------------------

    def _play(self) -> None:
        self._playback.play()
        self._show_buttons()

    def _on_playback_changed(self) -> None:
        self._playback.speed = self.form.speed.value
        self._playback.loop = self.form.loop.value
        self._remember()

    # --- state of the panel -----------------------------------------------------------------------

    def _show_buttons(self) -> None:
        playing, running = self._playback.playing, self._loading.running
        self.form.load.enabled = self._opened is not None and not running
        self.form.cancel.enabled = running
        self.form.play.enabled = bool(self._shown.layers) and not playing
        self.form.halt.enabled = playing

    def _remember(self) -> None:
        if self._opened is not None:
            self._settings = self.form.settings()
            self._save_timer.start()

    def _save(self) -> None:
        save_settings(self._settings)

    def _on_parent_changed(self, parent: Any) -> None:
        """Take the font of the window, which comes a moment later; rest out of a window."""
        if parent is not None:
            self._align_timer.start()
        else:
            for jobs in (self._choosing, self._reading, self._loading):
                jobs.cancel()
            self._playback.stop()
            self.export.close()
            for event, action in self._viewer_events():
                event.disconnect(action)


def _timer(parent: Any, delay_ms: int, action: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.timeout.connect(action)
    return timer
