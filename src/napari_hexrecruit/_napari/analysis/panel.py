"""Base of the analysis panels: the layer in view, work in threads, and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import xarray as xr
from magicgui.widgets import ComboBox, Container, PushButton, Widget
from napari.utils.notifications import show_warning
from napari.viewer import Viewer

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.picking import LookedAt
from napari_hexrecruit._napari.layers.simulation_source import source_of
from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.message import Message
from napari_hexrecruit._napari.widgets.parts import (
    name_choice,
    progress_bar,
    scrolled,
    show_on_bar,
)
from napari_hexrecruit.progress import Progress

T = TypeVar("T")

_LINES = 6
"""Lines of the message at the bottom of a panel."""
_NO_LAYER = "No hexagons are visible: load a simulation or a cube, or show a layer."


class AnalysisPanel(Container[Widget]):
    """A panel that analyses the hexagons in view.

    A subclass makes its fields, calls `lay_out`, and implements `on_layer`.

    Parameters
    ----------
    napari_viewer
        The viewer of the layers.

    Attributes
    ----------
    title
        Title of the panel in menus and notifications.
    progress, status
        Progress of the work, and its outcome or error.
    """

    title = ""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(labels=False)
        self.viewer: Any = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.progress, self.status = progress_bar(), Message(lines=_LINES)
        self._buttons: list[PushButton] = []
        self._layer_choices: list[ComboBox] = []
        self._layer: RecruitmentLayer | None = None
        self._source: object = None
        self._has_none = False
        self._works_on: list[xr.Dataset] = []
        self._looked_at = LookedAt(self.viewer)
        self._working = Jobs(self._show_progress, self.native)
        self._reading = Jobs(lambda _: None, self.native)

    # --- for subclasses ---------------------------------------------------------------------------

    def lay_out(self, sections: Sequence[Widget], buttons: Sequence[PushButton]) -> None:
        """Put the sections on the panel; `buttons` are disabled during work."""
        self._panel = scrolled(self, [*sections, self.progress, self.status], stretch=1)
        self._buttons = list(buttons)
        self._looked_at.changed.connect(self._follow)
        self.viewer.layers.events.removed.connect(self._on_any_removed)
        self.native_parent_changed.connect(self._on_parent_changed)
        self._follow(self._looked_at.layer)

    def on_layer(self) -> None:
        """React when the layer in view or its cube changes."""

    def on_layers(self) -> None:
        """React when layers are added, removed or renamed."""

    def on_selection(self) -> None:
        """React when the picked hexagons change."""

    def on_closed(self) -> None:
        """React when the panel leaves its window."""

    @property
    def layer(self) -> RecruitmentLayer | None:
        """The layer in view."""
        return self._layer

    @property
    def cube(self) -> xr.Dataset | None:
        """The cube that this layer shows."""
        return None if self._layer is None else self._layer.cube

    @property
    def busy(self) -> bool:
        """Whether a thread works for the panel."""
        return self._working.running or self._reading.running

    def work(
        self,
        work: Callable[[Progress], T],
        on_done: Callable[[T], None],
        of: Sequence[xr.Dataset] = (),
    ) -> None:
        """Run `work` in a thread; `on_done` shows its result, and the message area its error.

        It is cancelled when a cube in `of` is no longer shown by any layer.
        """
        self._works_on = list(of)
        self._start(self._working, work, on_done)
        self.rest(True)

    def read(self, work: Callable[[Progress], T], on_done: Callable[[T], None]) -> None:
        """Read choices for fields in a thread; the buttons stay enabled."""
        self._start(self._reading, work, on_done)

    def rest(self, resting: bool) -> None:
        """Disable the buttons, or enable them if they can work."""
        for button in self._buttons:
            button.enabled = not resting and self.may_work()

    def may_work(self) -> bool:
        """Return whether the buttons can work."""
        return self._layer is not None

    def say(self, sentence: str) -> None:
        """Show an outcome, and clear any error."""
        self.status.say(sentence)
        self.status.mended()

    def refuse(self, sentence: str) -> None:
        """Show an error until the next outcome."""
        self.status.refuse(sentence, self.title)

    def layer_choice(self, label: str, tooltip: str) -> ComboBox:
        """Make a field for one of the layers of hexagons."""
        field = name_choice(label, lambda _: self._layers(), tooltip)
        self._layer_choices.append(field)
        return field

    def reset_choices(self, *_: object) -> None:
        """Offer the current layers; napari calls this when they change."""
        for field in self._layer_choices:
            field.reset_choices()
        self.on_layers()

    # --- within -----------------------------------------------------------------------------------

    def _layers(self) -> list[tuple[str, RecruitmentLayer]]:
        found = [layer for layer in self.viewer.layers if isinstance(layer, RecruitmentLayer)]
        return [(layer.name, layer) for layer in reversed(found)]

    def _start(
        self, jobs: Jobs, work: Callable[[Progress], T], on_done: Callable[[T], None]
    ) -> None:
        def finish(outcome: Outcome[T]) -> None:
            self.rest(self._working.running)
            if jobs is self._working:
                self._works_on = []
            if outcome.value is not None:
                if jobs is self._working:
                    self.status.mended()
                on_done(outcome.value)
            if outcome.error is not None:
                self.refuse(outcome.reason)
            if outcome.warned:
                show_warning("; ".join(outcome.warned))

        jobs.start(work, finish)

    def _follow(self, layer: RecruitmentLayer | None) -> None:
        if self._layer is not None:
            self._layer.events.cube_changed.disconnect(self._on_cube)
            self._layer.events.selection_changed.disconnect(self._on_selection)
        self._layer = layer
        if layer is not None:
            layer.events.cube_changed.connect(self._on_cube)
            layer.events.selection_changed.connect(self._on_selection)
        self._on_cube()

    def _on_cube(self, event: object = None) -> None:
        self._source = source_of(self.cube)  # kept, so that it stays in memory
        if self._layer is None:
            self.status.say(_NO_LAYER)
        elif self._has_none:
            self.status.say("")
        self._has_none = self._layer is None
        self.rest(self._working.running)
        self.on_layer()

    def _on_any_removed(self, event: object = None) -> None:
        """Cancel work on a cube that no layer shows any more: its result would come back."""
        cubes = [layer.cube for _, layer in self._layers()]
        if any(not any(cube is one for one in cubes) for cube in self._works_on):
            self._works_on = []
            self._working.cancel()

    def _on_selection(self, event: object = None) -> None:
        self.on_selection()

    def _show_progress(self, monitor: Monitor | None) -> None:
        show_on_bar(self.progress, monitor)
        if monitor is None:
            self.rest(False)

    def _on_parent_changed(self, parent: Any) -> None:
        """Stop all work when the panel leaves its window."""
        if parent is not None:
            return
        for jobs in (self._working, self._reading):
            jobs.cancel()
        self.viewer.layers.events.removed.disconnect(self._on_any_removed)
        self._looked_at.changed.disconnect(self._follow)
        self._follow(None)
        self._looked_at.close()
        self.on_closed()
