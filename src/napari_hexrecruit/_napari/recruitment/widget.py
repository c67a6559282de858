"""The widget "Hexagon recruitment": from a simulation to layers of hexagons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from magicgui.widgets import Container, Widget
from napari.utils.notifications import show_warning
from napari.viewer import Viewer

from napari_hexrecruit._napari.export.panel import ExportPanel
from napari_hexrecruit._napari.layers.adding import warm_up
from napari_hexrecruit._napari.layers.shown_cube import cube_of, takes_cubes
from napari_hexrecruit._napari.recruitment.behind import ReadingBehind
from napari_hexrecruit._napari.recruitment.chooser import TITLE, Chooser
from napari_hexrecruit._napari.recruitment.cube_file import CubeFile
from napari_hexrecruit._napari.recruitment.details_panel import DetailsPanel
from napari_hexrecruit._napari.recruitment.display import DisplaySection
from napari_hexrecruit._napari.recruitment.form import Form
from napari_hexrecruit._napari.recruitment.playback import Playback
from napari_hexrecruit._napari.recruitment.preferences import reopens
from napari_hexrecruit._napari.recruitment.recipes import recipe_to_edit
from napari_hexrecruit._napari.recruitment.request import Request
from napari_hexrecruit._napari.recruitment.settings import filter_column_of
from napari_hexrecruit._napari.recruitment.shown import Shown
from napari_hexrecruit._napari.recruitment.shown_around import show_around
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit._napari.recruitment.work import (
    Loaded,
    computed,
    notes_of,
    summary,
    warnings_of,
)
from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.parts import one_shot, scrolled, show_on_bar
from napari_hexrecruit.pipeline.populations import Populations

_UPDATE_AFTER_MS = 100
"""Pause between the last change and the update of the cube, because a key may be held down."""

_NO_SIMULATION = "No simulation is chosen: choose or drop a simulation_config.json first."
_NOT_AGAIN = " The cube has no recipe, or an analysis made it: Load adds another layer."


class RecruitmentWidget(Container[Widget]):
    """Panel that opens a simulation, loads its recruitment, and sets its look and playback.

    A simulation stays in memory: after the first load, another bin, radius, window or filter only
    costs the counting, and updates the existing layer.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.

    Attributes
    ----------
    form
        The fields.
    details
        The section that lists the findings in the files.
    export
        The section that writes movies.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(labels=False)
        self._viewer = napari_viewer
        self.form = Form()
        self._shown = Shown(napari_viewer, self._on_look)
        self._loaded: tuple[Sources, Request] | None = None
        self._told: tuple[Sources | None, set[str]] = (None, set())
        self._loads_next = False
        self._adding = False
        self._updates = False
        self._dropped: set[str] = set()
        self.details = DetailsPanel(napari_viewer, self.native)
        self._chooser = Chooser(self.form, self.details, self.native)
        self.export = ExportPanel(napari_viewer, self.native, lambda: self._playback.stop())
        self._lay_out()
        self._loading = Jobs(self._show_progress, self.native)
        self._cube_file = CubeFile(self._shown, self.form.status, self.native)
        self._behind = ReadingBehind(self._on_behind, self.native)
        self._update_timer = one_shot(self.native, _UPDATE_AFTER_MS, self._update)
        self._playback = Playback(
            napari_viewer, self._shown.time_axis, self._show_buttons, self.native
        )
        self._connect()
        self._start()
        warm_up()

    @property
    def busy(self) -> bool:
        """Whether a thread works for the panel, or is about to, except for the details."""
        working = self._chooser.busy or self._loading.running or self.export.busy
        working = working or self._cube_file.busy or self._behind.running
        return self._update_timer.isActive() or working

    # --- construction -----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        above, below = self.form.sections
        self._display = DisplaySection()
        sections = [*above, self.details.section, self._display.section, *below]
        sections += self.export.sections
        self._panel = scrolled(self, sections)
        self.form.accept_drops(self.native)

    def _connect(self) -> None:
        form = self.form
        self._chooser.ended.connect(self._on_chosen)
        form.request_changed.connect(self._on_request_changed)
        form.timestamp_changed.connect(self._on_timestamp_changed)
        form.playback_changed.connect(self._on_playback_changed)
        form.automatic.changed.connect(self._on_request_changed)
        form.load.changed.connect(self.load)
        form.cancel.changed.connect(self._loading.cancel)
        form.second.answered.connect(self._on_second)
        form.start_here.chosen.connect(self.choose)
        form.start_here.sample_wanted.connect(lambda: self._chooser.open_sample(self._viewer))
        form.start_here.tour_wanted.connect(lambda: show_around(self.native, form, self.export))
        form.save_cube.changed.connect(self._cube_file.save)
        self.export.on_chosen(lambda: self._chooser.remember_export(self.export.choices))
        form.play.changed.connect(self._play)
        form.halt.changed.connect(self._playback.stop)
        for event, action in self._viewer_events():
            event.connect(action)
        self.native_parent_changed.connect(self._on_parent_changed)

    def _viewer_events(self) -> list[tuple[Any, Any]]:
        layers = self._viewer.layers
        return [
            (layers.events.inserted, self._on_layer_inserted),
            (layers.events.removed, self._on_layer_removed),
            (layers.selection.events.active, self._on_active_changed),
        ]

    def _start(self) -> None:
        """Adopt existing hexagons, or else read the simulation of the last session."""
        self.form.restore(self._chooser.settings)
        self.export.restore(self._chooser.settings.export)
        self._on_playback_changed()
        active = self._viewer.layers.selection.active
        candidates = [active, *reversed(self._viewer.layers)]
        layer = next((layer for layer in candidates if takes_cubes(layer)), None)
        if layer is not None:
            self._adopt(layer)
        elif reopens() and (last := Sources.of(self._chooser.settings)).there:
            self._chooser.read(last)
        self._show_buttons()

    # --- choosing ---------------------------------------------------------------------------------

    def choose(self, path: Path) -> None:
        """Offer the choices of a simulation, which a thread reads.

        Parameters
        ----------
        path
            SONATA simulation configuration. If the file is not one, a notification reports it and
            the choices are unchanged.
        """
        self._chooser.choose(path)

    def open(self, files: Path | Sources) -> None:
        """Offer the choices of a simulation, and show it with the current settings."""
        self._loads_next = True
        if isinstance(files, Sources):
            self._chooser.read(files)
        else:
            self.choose(files)

    def _on_chosen(self, opened: bool) -> None:
        loads, self._loads_next = self._loads_next, False
        if opened and loads:
            self.load()
        self._show_buttons()

    # --- loading ----------------------------------------------------------------------------------

    def load(self) -> None:
        """Compute the cubes that the fields describe, in a thread, and show them."""
        chosen = self._chooser.opened
        if chosen is None:
            self.form.status.refuse(_NO_SIMULATION, TITLE)
            return
        self._update_timer.stop()
        self._dropped = set()
        self._updates = self._shown.simulation == chosen.sources and bool(self._shown.layers)
        settings, request = self.form.settings(), self.form.request()
        self._loading.start(
            lambda progress: computed(chosen, settings, request, progress),
            lambda outcome: self._on_loaded(chosen.sources, outcome),
        )
        self.details.pause()
        self._show_buttons()

    def _on_loaded(self, sources: Sources, outcome: Outcome[Loaded]) -> None:
        if outcome.value is not None:
            self._show(outcome.value)
        elif outcome.error is not None:
            self.details.examine(sources, outcome.error)
        self._report(outcome)
        self._show_buttons()

    def _show(self, result: Loaded) -> None:
        sources = result.opened.sources
        self._chooser.renew(result.opened)
        self.details.about(sources)
        self._shown.select()
        kept = {value: cube for value, cube in result.cubes.items() if value not in self._dropped}
        cubes = list(kept.values())
        self._adding = True
        try:
            replaces = self.form.second.replaces
            self._shown.show(sources, kept, self.form.look, replaces=replaces)
        finally:
            self._adding = False
        self.form.second.ask(bool(self._shown.before))
        self._on_look()
        self._loaded = (sources, result.request)
        self._show_notes()
        self._warn(sources, warnings_of(cubes))
        self._describe()
        if cubes and result.request.recipe.report is None:
            self.details.pause()
            simulation = result.opened.simulation
            self._behind.start(simulation, Populations.of(simulation, cubes[0]).names)
            self._on_behind()
        self.form.status.mended()
        self._chooser.remember()

    def _on_second(self, replaces: bool) -> None:
        if replaces:
            self._shown.leave_only_last()

    def _on_behind(self) -> None:
        """Describe what is still being read; check the files after that."""
        self._describe()
        if not (self._behind.running or self._loading.running):
            self.details.resume()

    def _on_request_changed(self) -> None:
        self._chooser.remember()
        sources = self._chooser.sources
        is_shown = self._shown.simulation == sources and bool(self._shown.layers)
        if self.form.automatic.value and sources is not None and is_shown:
            self._update_timer.start()

    def _update(self) -> None:
        if self._loaded != (self._chooser.sources, self.form.request()):
            self.load()
        else:
            self._loading.cancel()

    def _show_progress(self, monitor: Monitor | None) -> None:
        show_on_bar(self.form.progress, monitor)
        self.form.status.doing("" if monitor is None else monitor.sentence)
        if monitor is None:
            self.details.resume()
            self._show_buttons()

    def _report(self, outcome: Outcome[Any]) -> None:
        if outcome.error is not None:
            self.form.status.refuse(outcome.reason, TITLE)
        if outcome.warned:
            show_warning("; ".join(outcome.warned))

    def _show_notes(self) -> None:
        """Show in the details the assumptions behind the hexagons in view."""
        cubes = self._shown.cubes
        self.details.note(self._shown.simulation, notes_of(cubes), warnings_of(cubes))

    def _warn(self, sources: Sources, sentences: list[str]) -> None:
        """Notify of each doubt once, not after every change of a field."""
        told = self._told[1] if self._told[0] == sources else set()
        for sentence in sentences:
            if sentence not in told:
                show_warning(sentence)
        self._told = (sources, told | set(sentences))

    def _describe(self, more: str = "") -> None:
        """Describe the widget's own layers and their cubes."""
        layers = self._shown.layers
        cubes = [cube for cube in map(cube_of, layers) if cube is not None]
        if not cubes:
            self.form.status.say("Nothing is loaded.")
            return
        name = f"{layers[0].name}: " if len(layers) == 1 else ""
        self.form.status.say(f"{name}{summary(cubes)}{more}{self._behind.sentence}")

    # --- looking ----------------------------------------------------------------------------------

    def _on_look(self) -> None:
        """Use the look of the current layers for the next ones."""
        if not self._adding:
            self.form.look = self._shown.look(otherwise=self.form.look)
            self._chooser.remember()

    def _on_timestamp_changed(self) -> None:
        self._shown.show_stamp(self.form.timestamp.value)
        self._chooser.remember()

    def _on_active_changed(self) -> None:
        """Show the notes of the hexagons that are now in view."""
        if not self._adding:
            self._show_buttons()
            self._show_notes()

    # --- hexagons from elsewhere ------------------------------------------------------------------

    def _on_layer_inserted(self, event: Any) -> None:
        free = not self._shown.layers and not self._loading.running and not self._adding
        if free and takes_cubes(event.value):
            self._adopt(event.value)

    def _adopt(self, layer: Any) -> None:
        """Adopt a layer that was opened from a file, and show its parameters in the form."""
        cube = cube_of(layer)
        if cube is None:
            return
        recipe, sources = recipe_to_edit(cube), Sources()
        if recipe is not None:
            self._chooser.settings = replace(
                self._chooser.settings,
                recipe=recipe,
                filter_column=filter_column_of(recipe),
                split_by="",
            )
            self.form.restore(self._chooser.settings)
            sources = Sources.of(self._chooser.settings)
        self._shown.adopt(layer, sources if sources.there else None)
        self.form.look = self._shown.look(otherwise=self.form.look)
        self._describe("" if recipe else _NOT_AGAIN)
        self.form.status.mended()
        self._show_notes()
        if sources.there:
            self._chooser.read(sources, keep=True)
        elif recipe is not None:
            self._chooser.leave(sources.main)
        self._show_buttons()

    def _on_layer_removed(self, event: Any) -> None:
        if not self._adding:
            self._dropped |= self._shown.forget(event.value)
            if self._dropped and not self._shown.layers:
                self._end_update()
            if not self._shown.layers:
                self._describe()
        self._show_buttons()

    def _end_update(self) -> None:
        """Cancel an update, because no layer is left to update; keep loading a new simulation."""
        self._update_timer.stop()
        if self._updates:
            self._loading.cancel()

    # --- playing ----------------------------------------------------------------------------------

    def _play(self) -> None:
        self._playback.play()
        self._show_buttons()

    def _on_playback_changed(self) -> None:
        self._playback.speed = self.form.speed.value
        self._playback.loop = self.form.loop.value
        self._chooser.remember()

    # --- state of the panel -----------------------------------------------------------------------

    def _show_buttons(self) -> None:
        playing, running = self._playback.playing, self._loading.running
        self._chooser.offer_start(empty=not self._shown.layers)
        self.form.load.enabled = self._chooser.opened is not None and not running
        self.form.cancel.enabled = running
        self.form.save_cube.enabled = bool(self._shown.cubes)
        self.form.play.enabled = bool(self._shown.layers) and not playing
        self.form.halt.enabled = playing
        self._display.show(self._shown.looked_at)

    def _on_parent_changed(self, parent: Any) -> None:
        """Stop all work when the panel leaves its window."""
        if parent is not None:
            return
        self._chooser.close()
        self._loading.cancel()
        self._cube_file.close()
        self._behind.cancel()
        self._playback.stop()
        self.details.close()
        self.export.close()
        self._display.close()
        for event, action in self._viewer_events():
            event.disconnect(action)
