"""The section "Export" of the widget: the time axis as a movie, and the command for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.layers import Points
from napari.utils.notifications import show_info
from napari.viewer import Viewer
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_hexrecruit._napari.export.camera import CanvasCamera
from napari_hexrecruit._napari.export.command import commands, run_options, verb
from napari_hexrecruit._napari.export.fields import (
    CANVAS,
    FPS,
    HEXAGONS,
    SPEED_UNITS,
    USUAL_SPEEDS,
    ExportFields,
)
from napari_hexrecruit._napari.export.order import (
    Order,
    check_order,
    cubes_of_layers,
    needs_even_sides,
    offered_window,
    style_of,
    visible_hexagons,
)
from napari_hexrecruit._napari.export.writing import render_movie, write_frames
from napari_hexrecruit._napari.layers.saving import file_name
from napari_hexrecruit._napari.widgets.loading import Jobs, Monitor, Outcome
from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.storage.atomic import written_aside
from napari_hexrecruit.storage.run_file import write_run_file

_KINDS = {
    "MP4 movie (*.mp4)": ".mp4",
    "WebM movie (*.webm)": ".webm",
    "GIF (*.gif)": ".gif",
    "Web page (*.html)": ".html",
    "Folder of PNG pictures (*)": "/",
}
_UNNAMED = "recruitment.mp4"
_NO_LAYER = "There is no visible layer of hexagons: load a simulation or a cube first."

Window = tuple[float, float, float]


class ExportPanel(ExportFields):
    """The section Export, with its actions.

    Parameters
    ----------
    viewer
        The viewer whose time axis is exported.
    parent
        The Qt widget that owns timers and jobs.
    on_start
        Called before the export moves the slider, so that anything else that moves it can stop.
    """

    def __init__(self, viewer: Viewer, parent: QWidget, on_start: Callable[[], None]) -> None:
        super().__init__()
        self._viewer, self._parent, self._on_start = viewer, parent, on_start
        self._jobs = Jobs(self._show_progress, parent)
        self._camera = CanvasCamera(viewer, parent)
        self._offered: Window | None = None
        self._confirmed = ""
        self._saved: Path | None = None
        self._refused = False
        self._followed: list[Points] = []
        self._connect()
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether a movie is being written."""
        return self._jobs.running

    def close(self) -> None:
        """Cancel the export, and stop listening to the viewer."""
        self._stop()
        for event, action in self._viewer_events():
            event.disconnect(action)
        self._follow([])

    # --- construction -----------------------------------------------------------------------------

    def _connect(self) -> None:
        self.export.changed.connect(self._export)
        self.cancel.changed.connect(self._stop)
        self.browse.changed.connect(self._browse)
        self.folder.changed.connect(self._open_folder)
        self.overwrite.changed.connect(self._show_length)
        self.copy.changed.connect(self._copy)
        self.save.changed.connect(self._save)
        self.speed_kind.changed.connect(self._on_speed_kind_changed)
        fields: list[Any] = [self.what, self.file, self.start, self.stop, self.step, self.speed]
        for field in [*fields, self.width, self.height]:
            field.changed.connect(self._show_length)
        for event, action in self._viewer_events():
            event.connect(action)

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        events = (layers.inserted, layers.removed, layers.reordered)
        return [(event, self.refresh) for event in (*events, dims.margin_left, dims.margin_right)]

    def _follow(self, layers: list[Points]) -> None:
        """Follow the visibility and cubes of exactly these layers."""
        for before in self._followed:
            for event in _events_of(before):
                event.disconnect(self.refresh)
        for layer in layers:
            for event in _events_of(layer):
                event.connect(self.refresh)
        self._followed = layers

    # --- what is offered --------------------------------------------------------------------------

    def refresh(self, event: object = None) -> None:
        """Offer the window of the uppermost visible hexagon layer, unless another was typed."""
        every = [layer for layer in self._viewer.layers if cubes_of_layers([layer])]
        self._follow(every)
        layers = visible_hexagons(self._viewer)
        if layers:
            window = offered_window(self._viewer, layers[-1])
            if self._offered is None or self._window() == self._offered:
                self.start.value, self.stop.value, self.step.value = window
                self._offered = self._window()
        self._show_length()

    def order(self) -> Order:
        """Return the movie that the fields describe."""
        start, stop, step = self._window()
        is_fps = self.speed_kind.value == FPS
        return Order(
            output=_absolute(self.file.value),
            start=start,
            stop=stop,
            step=step,
            fps=self.speed.value if is_fps else None,
            dilation=None if is_fps else self.speed.value,
            size=(int(self.width.value), int(self.height.value)),
            background=self.background.value,
            overwrite=self.overwrite.value
            or (bool(self._confirmed) and self._confirmed == self.file.value),
        )

    def _window(self) -> Window:
        return (self.start.value, self.stop.value, self.step.value)

    def _on_speed_kind_changed(self, kind: str) -> None:
        self.speed.native.setSuffix(SPEED_UNITS[kind])
        self.speed.value = USUAL_SPEEDS[kind]
        self._show_length()

    def _show_length(self) -> None:
        """Show the length of the movie, and enable the possible actions."""
        layers = visible_hexagons(self._viewer)
        if not self.busy:
            self.status.say(self._length(layers))
            self._look_again(layers)
        self._show_buttons()

    def _length(self, layers: list[Points]) -> str:
        if not layers:
            return "No visible layer of hexagons."
        order = self.order()
        try:
            n_frames, rate = len(order.times_ms(cubes_of_layers(layers))), order.rate
        except ValueError as error:
            return reason_first(error)
        if order.is_web_page:
            return f"{n_frames:,} bins on a web page."
        return f"{n_frames:,} frames, {n_frames / rate:.3g} s at {rate:.3g} frames per s."

    def _show_buttons(self) -> None:
        hexagons, running = self.what.value == HEXAGONS, self.busy
        for field in (self.width, self.height, self.background, self.copy, self.save):
            field.enabled = hexagons
        self.export.enabled = bool(visible_hexagons(self._viewer)) and not running
        self.cancel.enabled = running
        self.folder.enabled = self._saved is not None

    # --- naming -----------------------------------------------------------------------------------

    def _browse(self) -> None:
        """Ask for the name of the movie; the dialog asks before it accepts an existing file."""
        chosen, kind = QFileDialog.getSaveFileName(
            self._parent, "Export movie", self.file.value or self._good_name(), ";;".join(_KINDS)
        )
        if not chosen:
            return
        complete = chosen if Path(chosen).suffix else chosen + _KINDS.get(kind, "")
        self.file.value = complete
        self._confirmed = complete if complete == chosen else ""

    def _good_name(self) -> str:
        """Return a file name from the layer's name, in the folder of the last movie."""
        layers = visible_hexagons(self._viewer)
        name = file_name(layers[-1].name) + ".mp4" if layers else _UNNAMED
        return str(self._saved.parent / name) if self._saved else name

    def _is_named(self) -> bool:
        """Return whether the name shows the kind of file; if not, the dialog asks."""
        name = self.file.value.strip()
        return bool(Path(name).suffix) or name.endswith(("/", "\\"))

    def _open_folder(self) -> None:
        if self._saved is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved.parent)))

    # --- exporting --------------------------------------------------------------------------------

    def _export(self) -> None:
        if visible_hexagons(self._viewer) and not self._is_named():
            self._browse()
            if not self._is_named():
                return
        order, layers = self.order(), visible_hexagons(self._viewer)
        start = self._start_canvas if self.what.value == CANVAS else self._start_hexagons
        try:
            self._check(order, layers)
            self._on_start()
            start(order, layers)
        except (HexRecruitError, ValueError, OSError) as error:
            self._refuse(reason_first(error))
            self._refused = isinstance(error, ValueError | OSError)
        self._show_buttons()

    def _start_hexagons(self, order: Order, layers: list[Points]) -> None:
        cubes, style = cubes_of_layers(layers), style_of(self._viewer, layers, order)
        order.times_ms(cubes)
        self._jobs.start(lambda progress: render_movie(cubes, order, style, progress), self._finish)

    def _start_canvas(self, order: Order, layers: list[Points]) -> None:
        if order.is_web_page:
            raise ValueError("A web page shows hexagons, not the canvas: set What to Hexagons.")
        times = order.times_ms(cubes_of_layers(layers[-1:]))
        even = needs_even_sides(order.output)
        feed = self._camera.start(layers[-1], times, even=even, on_failed=self._fail)
        self._jobs.start(
            lambda progress: write_frames(feed.frames(progress), order, progress), self._finish
        )

    def _finish(self, outcome: Outcome[str]) -> None:
        self._camera.stop()
        self._confirmed = ""
        if outcome.error is not None:
            self._refuse(outcome.reason)
        elif outcome.value is not None:
            self._saved = Path(outcome.value).absolute()
            self._done(f"Saved {self._saved.name}.")
        self._show_buttons()

    def _fail(self, sentence: str) -> None:
        self._stop()
        self._refuse(sentence)

    def _check(self, order: Order, layers: list[Points]) -> None:
        """Refuse an order that could not be written later."""
        if not layers:
            raise ValueError(_NO_LAYER)
        check_order(order)
        order.times_ms(cubes_of_layers(layers))

    def _refuse(self, sentence: str) -> None:
        """Show an error until it is fixed."""
        self._refused = False
        self.status.refuse(sentence, "Hexagon recruitment, Export")

    def _done(self, sentence: str) -> None:
        """Show the outcome, and clear any error."""
        self.status.mended()
        self.status.say(f"{sentence} {self._length(visible_hexagons(self._viewer))}")

    def _look_again(self, layers: list[Points]) -> None:
        """Clear the error of a refused order if the fields are valid now."""
        if not self._refused:
            return
        try:
            self._check(self.order(), layers)
        except (HexRecruitError, ValueError, OSError):
            return
        self._refused = False
        self.status.mended()

    def _stop(self) -> None:
        """Cancel; the thread ends a moment later and leaves no file."""
        self._camera.stop()
        self._jobs.cancel()

    def _show_progress(self, monitor: Monitor | None) -> None:
        bar: Any = self.progress.native
        bar.setRange(0, 1000)
        if monitor is None:
            bar.setValue(0)
            self.status.doing()
            self._show_buttons()
        elif monitor.total:
            bar.setValue(1000 * monitor.done // monitor.total)
            is_last = monitor.done == monitor.total
            told = f"Frame {monitor.done:,} of {monitor.total:,}"
            self.status.doing("Finishing the file ..." if is_last else told)

    # --- the command ------------------------------------------------------------------------------

    def _copy(self) -> None:
        try:
            layers, order, style = self._described()
            line = commands(layers, order, style)
        except ValueError as error:
            self._refuse(reason_first(error))
            return
        clipboard: Any = QApplication.clipboard()
        clipboard.setText(line)
        self._done("Copied.")

    def _save(self) -> None:
        try:
            layers, order, style = self._described()
            options = run_options(layers, order, style)
        except ValueError as error:
            self._refuse(reason_first(error))
            return
        start = str(Path(order.output).with_suffix(".yaml"))
        chosen, _ = QFileDialog.getSaveFileName(
            self._parent, "Save run file", start, "Run file (*.yaml *.yml)"
        )
        if chosen:
            self._write_run_file(Path(chosen), verb(order), options)

    def _write_run_file(self, path: Path, command: str, options: dict[str, Any]) -> None:
        confirmed = bool(path.suffix)  # otherwise the dialog asked about another name
        final = path if confirmed else path.with_suffix(".yaml")
        try:
            with written_aside(final, overwrite=confirmed) as aside:
                write_run_file(aside, command, options)
        except OSError as error:
            self._refuse(reason_first(error))
            return
        show_info(f"hexrecruit {command} SIM_OR_CUBE -o OUT --run-file {final} makes the same.")

    def _described(self) -> tuple[list[Points], Order, Any]:
        """Return layers, order and style of the movie that the fields describe."""
        layers, order = visible_hexagons(self._viewer), self.order()
        if not layers:
            raise ValueError(_NO_LAYER)
        order.times_ms(cubes_of_layers(layers))
        if not self.file.value.strip():
            order = replace(order, output=_UNNAMED)
        return layers, order, style_of(self._viewer, layers, order)


def _events_of(layer: Points) -> list[Any]:
    names = ("visible", "cube_changed")
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]


def _absolute(typed: str) -> str:
    """Return a typed name as an absolute path; keep a final ``/``, which marks a folder."""
    typed = typed.strip()
    if not typed:
        return ""
    path = str(Path(typed).expanduser().absolute())
    return path + "/" if typed.endswith("/") and not path.endswith("/") else path
