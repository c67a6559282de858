"""The widget "Traces": picked hexagons over time, below the map and aligned with its slider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from napari.utils.theme import get_theme
from napari.viewer import Viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.picking import LookedAt, picker_of
from napari_hexrecruit._napari.layers.simulation_source import SimulationSource, is_mean, source_of
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit._napari.traces.canvas import TraceCanvas
from napari_hexrecruit._napari.traces.files import (
    PICTURE_ENDINGS,
    TABLE_ENDING,
    write_picture,
    write_table,
)
from napari_hexrecruit._napari.traces.legend import TraceColumn
from napari_hexrecruit._napari.traces.place import TracePlace, once
from napari_hexrecruit._napari.traces.plot import PlotStyle
from napari_hexrecruit._napari.traces.raster import Raster, read_raster
from napari_hexrecruit._napari.traces.traces import (
    Strip,
    Traces,
    empty_strip,
    is_in_memory,
    metric_over_time,
    strip_of,
    traces_of,
)
from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.message import toast
from napari_hexrecruit._napari.widgets.sentences import reason_first

TITLE = "Traces"
HINT = (
    "Click a hexagon of the map to see it over time.",
    "Shift + click adds or removes one.",
    "Shift + drag draws a lasso; Esc clears.",
)
_NO_LAYER = "No hexagons are visible: load a simulation or a cube, or show a layer."
_READING = "Reading ..."
_OF_MANY = "#888888"
"""Colour of spikes if hexagons do not have their own colours."""


class TracesWidget(QWidget):
    """Panel with the population and the picked hexagons over time.

    While it is open, clicks on the map pick hexagons. A click or drag on the plot moves the time
    slider; the slider moves the cursor of the plot.

    Parameters
    ----------
    napari_viewer
        The viewer in which hexagons are picked.

    Attributes
    ----------
    canvas
        The plot.
    column
        Buttons and legend.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._layer: RecruitmentLayer | None = None
        self._strip: Strip | None = None
        self._traces: Traces | None = None
        self._raster: Raster | None = None
        self._source: SimulationSource | None = None
        self._bin: int | None = -1
        self.canvas = TraceCanvas(self._style())
        self.column = TraceColumn()
        self.setMinimumHeight(150)
        self._place = TracePlace(self, TITLE, self.column, self.canvas, self._time)
        self._reading = Jobs(self._show_progress, self)
        self._reading_strip = Jobs(lambda _: None, self)
        self._reading_traces = Jobs(lambda _: None, self)
        self._picker = picker_of(self._viewer)
        self._looked_at = LookedAt(self._viewer)
        self._refresh = once(self, self._show_traces)
        self._connect()
        self._picker.start(self)
        self.canvas.restyle(self._style())
        self._follow(self._looked_at.layer)

    def sizeHint(self) -> Any:
        """Return a low and wide size."""
        hint = super().sizeHint()
        hint.setHeight(self._place.height())
        return hint

    def minimumSizeHint(self) -> Any:
        """Return the width of the narrow layout: the minimum width of a dock never shrinks."""
        hint = super().minimumSizeHint()
        hint.setWidth(self._place.least_width())
        return hint

    @property
    def busy(self) -> bool:
        """Whether an update is running or pending."""
        working = any(jobs.running for jobs in self._jobs())
        return working or self._refresh.isActive() or self._place.busy

    # --- construction -----------------------------------------------------------------------------

    def _jobs(self) -> tuple[Jobs, ...]:
        return self._reading, self._reading_strip, self._reading_traces

    def _connect(self) -> None:
        column = self.column
        column.lasso.toggled.connect(self._on_lasso)
        column.clear.clicked.connect(self._on_clear)
        column.raster.toggled.connect(self._on_raster)
        column.copy.clicked.connect(self.copy)
        column.save.clicked.connect(self._ask_and_save)
        self.canvas.time_chosen.connect(self._go_to)
        self._picker.lasso_changed.connect(self._show_lasso)
        self._looked_at.changed.connect(self._follow)
        for event, action in self._viewer_events():
            event.connect(action)

    def _viewer_events(self) -> list[tuple[Any, Any]]:
        dims = self._viewer.dims
        return [
            (dims.events.point, self._move_cursor),
            (dims.events.ndim, self._place.align),
            (dims.events.range, self._place.align),
            (dims.events.order, self._place.align),
            (dims.events.ndisplay, self._place.align),
            (self._viewer.events.theme, self._on_theme),
        ]

    def _layer_events(self, layer: RecruitmentLayer) -> list[Any]:
        events = layer.events
        return [events.selection_changed, events.cube_changed, events.metric]

    def _follow(self, layer: RecruitmentLayer | None) -> None:
        """Follow and show another layer, or none."""
        if self._layer is not None:
            for event in self._layer_events(self._layer):
                event.disconnect(self._on_layer_changed)
        self._layer = layer
        if layer is not None:
            for event in self._layer_events(layer):
                event.connect(self._on_layer_changed)
        self._show_layer()

    def _close(self) -> None:
        """Disconnect from the viewer, because the panel has left its window."""
        for jobs in self._jobs():
            jobs.cancel()
        self._picker.stop(self)
        self._follow(None)
        self._looked_at.close()
        self._picker.lasso_changed.disconnect(self._show_lasso)
        self._looked_at.changed.disconnect(self._follow)
        for event, action in self._viewer_events():
            event.disconnect(action)
        self._refresh.stop()
        self._place.close()

    # --- what is shown ----------------------------------------------------------------------------

    def _on_layer_changed(self, event: Any) -> None:
        if event.type == "selection_changed" and not self._refresh.isActive():
            self._show_traces()
            self.canvas.redraw_now()
        else:
            self._show_layer()

    def _show_layer(self) -> None:
        """Show the population of the layer and, after the current event, its picks."""
        self._reading_strip.cancel()
        self._take_strip(None)
        layer = self._layer
        if layer is not None:
            cube, metric = layer.cube, metric_over_time(layer.cube, layer.metric)
            if is_in_memory(cube):
                self._take_strip(strip_of(cube, metric))
            else:
                self._take_strip(empty_strip(cube, metric))
                self._reading_strip.start(lambda _: strip_of(cube, metric), self._on_strip_read)
        self._bin = -1
        self._offer_raster()
        self._place.align()
        self._refresh.start()

    def _take_strip(self, strip: Strip | None) -> None:
        self._strip = strip
        self.canvas.plot.show_strip(strip)

    def _on_strip_read(self, outcome: Outcome[Strip]) -> None:
        if outcome.value is not None:
            self._take_strip(outcome.value)
            self.canvas.redraw()
        self._tell(outcome)

    def _show_traces(self) -> None:
        """Read the picked hexagons: immediately, or in a thread if the cube is in a file."""
        self._reading_traces.cancel()
        layer = self._layer
        if layer is None:
            self._take_traces(None, _NO_LAYER)
            return
        cube, metric = layer.cube, metric_over_time(layer.cube, layer.metric)
        names, slots = layer.selected_hexes, layer.selected_slots
        if not names or is_in_memory(cube):
            self._take_traces(traces_of(cube, names, slots, metric), "\n".join(HINT))
            return
        self._take_traces(None, _READING)
        self._reading_traces.start(
            lambda _: traces_of(cube, names, slots, metric), self._on_traces_read
        )

    def _on_traces_read(self, outcome: Outcome[Traces | None]) -> None:
        self._take_traces(outcome.value, "\n".join(HINT))
        self._tell(outcome)

    def _take_traces(self, traces: Traces | None, hint: str) -> None:
        self._traces = traces
        self.canvas.plot.show_traces(traces, hint)
        self.column.show_entries(traces)
        self._read_raster()
        self._move_cursor()
        self.canvas.redraw()

    # --- time -------------------------------------------------------------------------------------

    def _time(self) -> tuple[int | None, int]:
        return self._axis(), 0 if self._strip is None else len(self._strip.time_ms)

    def _axis(self) -> int | None:
        return None if self._layer is None else self._viewer.dims.ndim + FRAME_AXIS

    def _move_cursor(self, event: object = None) -> None:
        """Move the cursor to the bin of the slider, without redrawing the plot."""
        layer, strip = self._layer, self._strip
        bin_ = None if layer is None else layer.bin_at(self._viewer.dims.point)
        if bin_ == self._bin:
            return
        self._bin = bin_
        if bin_ is None or strip is None:
            self.canvas.put_cursor(None)
        else:
            width = (strip.window_ms[1] - strip.window_ms[0]) / len(strip.time_ms)
            start = strip.window_ms[0] + bin_ * width
            self.canvas.put_cursor((start, start + width))

    def _go_to(self, time_ms: float) -> None:
        """Move the slider to the bin of a time on the plot."""
        layer, strip, axis = self._layer, self._strip, self._axis()
        if layer is None or strip is None or axis is None:
            return
        start, stop = strip.window_ms
        n_bins = len(strip.time_ms)
        bin_ = int((time_ms - start) / (stop - start) * n_bins)
        self._viewer.dims.set_point(axis, layer.slider_ms(min(max(bin_, 0), n_bins - 1)))

    # --- buttons ----------------------------------------------------------------------------------

    def _on_lasso(self, on: bool) -> None:
        self._picker.lasso = on

    def _show_lasso(self, on: bool) -> None:
        self.column.lasso.setChecked(on)

    def _on_clear(self) -> None:
        if self._layer is not None:
            self._layer.selected_hexes = ()

    def copy(self) -> None:
        """Put the traces on the clipboard as CSV."""
        if self._traces is None:
            self._refuse("No hexagon is selected: click one first.")
            return
        clipboard: Any = QApplication.clipboard()
        clipboard.setText(self._traces.csv())
        bins, hexes = len(self._traces.time_ms), self._traces.n_hexes
        self.column.say(f"Copied {bins:,} bins of {hexes:,} hexagon{'' if hexes == 1 else 's'}.")

    def _ask_and_save(self) -> None:
        kinds = ";;".join(f"{end[1:].upper()} picture (*{end})" for end in PICTURE_ENDINGS)
        kinds += f";;Table (*{TABLE_ENDING})"
        name, kind = QFileDialog.getSaveFileName(self, "Save traces", "traces.png", kinds)
        if name:
            path = Path(name)
            if not path.suffix:
                path = path.with_name(path.name + kind.rpartition("*")[2].rstrip(")"))
            self.save(path)

    def save(self, path: Path) -> None:
        """Write the plot as ``.png`` or ``.svg``, dark on white, or its values as ``.csv``."""
        if self._strip is None:
            self._refuse(_NO_LAYER)
            return
        try:
            if path.suffix.lower() == TABLE_ENDING:
                write_table(path, self._traces)
            else:
                write_picture(path, self._strip, self._traces, self._raster)
        except (OSError, ValueError) as error:
            self._refuse(reason_first(error))
            return
        self.column.say(f"Saved {path.name}.")

    # --- the raster -------------------------------------------------------------------------------

    def _offer_raster(self) -> None:
        """Offer a raster if the simulation, which has the spikes, is available."""
        cube = None if self._layer is None else self._layer.cube
        self._source = None if cube is None or is_mean(cube) else source_of(cube)
        self.column.offer_raster(self._source is not None)

    def _on_raster(self, on: bool) -> None:
        """Read the spikes, and make room for the raster."""
        self._read_raster()
        self._place.make_room(for_raster=on)

    def _read_raster(self) -> None:
        """Read the spikes of the picked hexagons in a thread."""
        layer, traces, source = self._layer, self._traces, self._source
        if not self.column.raster.isChecked() or layer is None or traces is None or source is None:
            self._reading.cancel()
            self._show_raster(None, None)
            return
        cube, names = layer.cube, layer.selected_hexes
        colours = tuple(line.colour for line in traces.lines) or (_OF_MANY,) * traces.n_hexes
        size, window = self.canvas.plot.raster_size, self._window_ms()

        def read(progress: Any) -> tuple[Raster, Any]:
            raster = Raster(read_raster(source, cube, names, progress), colours, window)
            return raster, raster.picture(*size)

        self._reading.start(read, self._on_raster_read)

    def _on_raster_read(self, outcome: Outcome[tuple[Raster, Any]]) -> None:
        if outcome.error is not None:
            self._refuse(outcome.reason)
            self.column.raster.setChecked(False)
        elif outcome.value is not None:
            self._show_raster(*outcome.value)

    def _show_raster(self, raster: Raster | None, picture: Any) -> None:
        if raster is None and self._raster is None:
            return
        self._raster = raster
        self.canvas.plot.show_raster(picture, 0 if raster is None else raster.n_lines)
        self._bin = -1
        self._move_cursor()
        self.canvas.redraw()

    def _show_progress(self, monitor: Monitor | None) -> None:
        if monitor is None:
            self.column.say("")
        elif monitor.what:
            part = 100 * monitor.done // max(monitor.total, 1)
            self.column.say(f"{monitor.what[0].upper()}{monitor.what[1:]}: {part} %")

    def _window_ms(self) -> tuple[float, float]:
        return (0.0, 1.0) if self._strip is None else self._strip.window_ms

    def _refuse(self, sentence: str) -> None:
        """Show an error beside the plot, and notify the user."""
        self.column.refuse(sentence)
        show_error(toast(sentence, TITLE))

    def _tell(self, outcome: Outcome[Any]) -> None:
        if outcome.error is not None:
            self._refuse(outcome.reason)

    # --- the window -------------------------------------------------------------------------------

    def _style(self) -> PlotStyle:
        theme = get_theme(self._viewer.theme)
        colours = (theme.background, theme.text, theme.highlight, theme.text)
        return PlotStyle(*(colour.as_hex(format="long")[:7] for colour in colours))

    def _on_theme(self, event: object = None) -> None:
        self.canvas.restyle(self._style())
        self.column.show_entries(self._traces)

    def event(self, event: Any) -> bool:
        """Stop all work when the panel leaves its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._close()
        return bool(super().event(event))
