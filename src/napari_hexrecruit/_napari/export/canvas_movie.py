"""The time axis as a movie: its frames, from the renderer or from the canvas, and their writing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from napari.layers import Points
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.layers.timestamp import OVERLAY
from napari_hexrecruit._napari.private.points import FRAME_AXIS, STATE_KEY
from napari_hexrecruit._napari.widgets.loading import Cancelled
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.render.frames import render_frames
from napari_hexrecruit.render.movie import ENDINGS, check_output, is_picture, write_movie
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.render.window import resolve_window
from napari_hexrecruit.schema import RECRUITMENT
from napari_hexrecruit.storage.atomic import written_aside

Frame = npt.NDArray[np.uint8]

_EVEN = (".mp4", ".webm")
_WAITING_FRAMES = 3
"""Pictures that wait to be written; more would only take memory."""
_POLL_S = 0.1
_PAUSE_MS = 1
"""Between two pictures the window answers its user."""
_ALIKE = 0.02
"""Difference of colours, of 1, that nobody sees."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Which movie is asked for.

    Parameters
    ----------
    output
        ``.mp4``, ``.webm`` or ``.gif``; a name without ending or with ``/`` at its end is a folder.
    start, stop, step
        Window and time from frame to frame, ms.
    fps
        Frames per second; None where `dilation` says it.
    dilation
        Seconds of movie per second of simulation.
    size
        (width, height) of a rendered frame, px; the canvas has its own.
    background
        Of a rendered frame: white or black.
    overwrite
        Replace what is there: the user has agreed.
    """

    output: str
    start: float
    stop: float
    step: float
    fps: float | None = 20.0
    dilation: float | None = None
    size: tuple[int, int] = (1280, 720)
    background: str = "white"
    overwrite: bool = False

    @property
    def rate(self) -> float:
        """Frames per second.

        Raises
        ------
        ValueError
            If fps or dilation is not greater than 0.
        """
        given = self.dilation if self.fps is None else self.fps
        if given is None or not (math.isfinite(given) and given > 0.0):
            raise ValueError("the speed must be greater than 0")
        return given if self.fps is not None else 1000.0 / (self.step * given)

    def times_ms(self, cubes: Sequence[xr.Dataset]) -> list[float]:
        """Start of the bin of each frame.

        Raises
        ------
        ValueError
            If the window is empty, outside of the cubes or not made of whole bins, or the time axes
            of the cubes differ.
        """
        shown = resolve_window(cubes, self.start, self.stop, self.step)
        return [shown.first_ms + shown.bin_ms * k for k in shown.bins]


def check_order(order: Order) -> None:
    """Refuse now what could not be written in the end.

    Raises
    ------
    ValueError
        If no file is named, or its ending is no kind of movie.
    FileExistsError, OSError
        If something is there and may not be replaced, or nothing can be written there.
    """
    if not order.output:
        raise ValueError("No file is named: give one that ends with .mp4, .webm or .gif.")
    if is_picture(order.output):
        raise ValueError(
            f"{order.output}: is a single picture: a movie ends with {', '.join(ENDINGS)}, a folder"
            " of PNG files with /"
        )
    check_output(order.output, overwrite=order.overwrite)


def needs_even_sides(output: str) -> bool:
    """Whether this kind of movie has even sides only."""
    return output.lower().endswith(_EVEN)


# --- what the viewer shows ------------------------------------------------------------------------


def visible_hexagons(viewer: Viewer) -> list[Points]:
    """Visible hexagon layers, from the lowest to the uppermost."""
    return [layer for layer in viewer.layers if layer.visible and cube_of(layer) is not None]


def cubes_of_layers(layers: Sequence[Points]) -> list[xr.Dataset]:
    """Cubes that hexagon layers show."""
    return [cube for cube in map(cube_of, layers) if cube is not None]


def offered_window(viewer: Viewer, layer: Points) -> tuple[float, float, float]:
    """Start, stop and step that suit a layer, ms.

    All of its time; or the part between the handles of the time slider (those that a click with the
    right button on it shows), where they are apart.
    """
    cube = cubes_of_layers([layer])[0]
    first, bin_ms, n_bins = float(cube["time"][0]), float(cube.attrs["bin_ms"]), cube.sizes["time"]
    dims, axis = viewer.dims, viewer.dims.ndim + FRAME_AXIS
    before, after = float(dims.margin_left[axis]), float(dims.margin_right[axis])
    low, high = 0, n_bins
    if before + after > 0.0:
        now = (float(dims.point[axis]) - first) / bin_ms
        low = min(max(math.floor(now - before / bin_ms + 1e-6), 0), n_bins - 1)
        high = max(min(math.ceil(now + after / bin_ms - 1e-6), n_bins), low + 1)
    return (round(first + low * bin_ms, 9), round(first + high * bin_ms, 9), bin_ms)


def style_of(viewer: Viewer, layers: Sequence[Points], order: Order) -> MovieStyle:
    """How the renderer shows what the layers show: colours, limits and what stands beside them.

    Raises
    ------
    ValueError
        If the layers differ in what they show, or the renderer lacks their colormap.
    """
    looks: dict[str, list[Any]] = {
        "quantity": [_metric_of(layer) for layer in layers],
        "colour limits": [tuple(map(float, layer.face_contrast_limits)) for layer in layers],
        "colormap": [_matplotlib_name(layer.face_colormap) for layer in layers],
    }
    for what, values in looks.items():
        if len(set(values)) > 1:
            raise ValueError(
                f"the visible hexagon layers differ in their {what}"
                f" ({', '.join(map(str, dict.fromkeys(values)))}): make them alike or hide some"
            )
    metric, limits, colormap = (values[0] for values in looks.values())
    return MovieStyle().replace(
        metric=metric,
        clim=limits,
        colormap=colormap,
        size=order.size,
        background=order.background,
        colorbar=any(layer.face_colorbar.visible for layer in layers),
        timestamp=_shows(viewer, OVERLAY),
        scale_bar=_shows(viewer, "scale_bar"),
        panel_titles=[layer.name for layer in layers] if len(layers) > 1 else (),
    )


def _metric_of(layer: Points) -> str:
    recipe = layer.metadata.get(STATE_KEY)
    return str(getattr(layer, "metric", getattr(recipe, "metric", RECRUITMENT)))


def _matplotlib_name(colormap: Any) -> str:
    """Name of the same colours in matplotlib, which the renderer uses."""
    import matplotlib as mpl

    positions = np.linspace(0.0, 1.0, 65)
    known = mpl.colormaps.get(colormap.name)
    if known is None or not np.allclose(known(positions), colormap.map(positions), atol=_ALIKE):
        raise ValueError(
            f"the colormap {colormap.name!r} is napari's own, and hexagons are drawn with"
            " matplotlib's: choose another one such as viridis, or export the canvas"
        )
    return str(colormap.name)


def _shows(viewer: Viewer, name: str) -> bool:
    """Whether an overlay of the canvas is visible."""
    overlays = viewer.canvas.overlays
    overlay = overlays[name] if name in overlays else getattr(overlays, name, None)
    return overlay is not None and bool(overlay.visible)


# --- writing --------------------------------------------------------------------------------------


def render_movie(
    cubes: Sequence[xr.Dataset], order: Order, style: MovieStyle, progress: Progress
) -> str:
    """Draw and write a movie without the canvas; for any thread.

    Returns
    -------
    str
        What was written.

    Raises
    ------
    ValueError, OSError, HexRecruitError
        As `napari_hexrecruit.render_frames` and `napari_hexrecruit.write_movie`.
    """
    frames = render_frames(
        list(cubes), start=order.start, stop=order.stop, step=order.step, style=style
    )
    return write_frames(frames, order, progress)


def write_frames(frames: Iterable[Frame], order: Order, progress: Progress) -> str:
    """Write frames; a file that is finished while the user cancels does not appear either.

    Raises
    ------
    ValueError, OSError, HexRecruitError
        As `napari_hexrecruit.write_movie`.
    """
    final = Path(order.output)
    if final.suffix.lower() not in ENDINGS:
        write_movie(
            frames, order.output, fps=order.rate, overwrite=order.overwrite, progress=progress
        )
        return order.output
    with written_aside(final, overwrite=order.overwrite) as aside, _named(aside, final):
        write_movie(frames, aside, fps=order.rate, progress=progress)
        progress("finishing", 1, 1)
    return order.output


@contextmanager
def _named(aside: Path, final: Path) -> Iterator[None]:
    """Let errors name the file that the user knows."""
    try:
        yield
    except Cancelled:
        raise
    except (HexRecruitError, ValueError, OSError) as error:
        raise HexRecruitError(str(error).replace(str(aside), str(final))) from error


class FrameFeed:
    """Frames on their way from the window's thread to the one that writes them.

    Parameters
    ----------
    n_frames
        How many will come.
    """

    def __init__(self, n_frames: int) -> None:
        self._n_frames = n_frames
        self._waiting: Queue[Frame] = Queue(_WAITING_FRAMES)

    @property
    def full(self) -> bool:
        """Whether the writer has to catch up first."""
        return self._waiting.full()

    def put(self, frame: Frame) -> None:
        """Send a frame; not to be called while it is full."""
        self._waiting.put_nowait(frame)

    def frames(self, progress: Progress) -> FrameSource:
        """What the writer reads, which ends with an error once `progress` raises one."""
        return FrameSource(self._waiting, self._n_frames, progress)


class FrameSource:
    """The writer's end of a `FrameFeed`."""

    def __init__(self, waiting: Queue[Frame], n_frames: int, progress: Progress) -> None:
        self._waiting, self._n_frames, self._progress = waiting, n_frames, progress

    def __len__(self) -> int:
        return self._n_frames

    def __iter__(self) -> Iterator[Frame]:
        return (self._next(k) for k in range(self._n_frames))

    def _next(self, k: int) -> Frame:
        while True:
            self._progress("photographing the canvas", k, self._n_frames)
            try:
                return self._waiting.get(timeout=_POLL_S)
            except Empty:
                continue


# --- the canvas -----------------------------------------------------------------------------------


class CanvasCamera(QObject):
    """Photographs the canvas at one time after the other, while the window answers its user.

    Parameters
    ----------
    viewer
        Whose canvas it is.
    parent
        The QObject that this one ends with.
    """

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._steps: Iterator[Frame | None] = iter(())
        self._feed = FrameFeed(0)
        self._on_failed: Any = None
        self._stack = ExitStack()
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def running(self) -> bool:
        """Whether there are pictures to take."""
        return bool(self._timer.isActive())

    def start(
        self, layer: Points, times_ms: Sequence[float], *, even: bool, on_failed: Any
    ) -> FrameFeed:
        """Take pictures from now on.

        Parameters
        ----------
        layer
            Hexagon layer whose time is meant.
        times_ms
            Where the slider goes.
        even
            Leave out a row or column of pixels where their number is odd.
        on_failed
            Called with a sentence when it cannot go on.

        Returns
        -------
        FrameFeed
            Gives the pictures.

        Raises
        ------
        ValueError
            If time is not on the slider.
        """
        self.stop()
        _time_axis(self._viewer, layer)
        self._feed, self._on_failed = FrameFeed(len(times_ms)), on_failed
        steps = _photographs(self._viewer, layer, times_ms, even=even)
        self._steps = steps
        self._stack.callback(steps.close)
        self._timer.start()
        return self._feed

    def stop(self) -> None:
        """Take no more pictures; the slider goes back to where it was."""
        self._timer.stop()
        self._stack.close()

    def _tick(self) -> None:
        if self._feed.full:
            return
        with ExitStack() as on_error:
            on_error.callback(self.stop)
            try:
                frame = next(self._steps)
            except StopIteration:
                return
            except ValueError as error:
                self._on_failed(str(error))
                return
            if frame is not None:
                self._feed.put(frame)
            on_error.pop_all()


def _photographs(
    viewer: Viewer, layer: Points, times_ms: Sequence[float], *, even: bool
) -> Any:  # Generator[Frame | None, None, None]
    """Pictures of one size; None where a layer is still on its way."""
    before = float(viewer.dims.point[_time_axis(viewer, layer)])
    shape: tuple[int, int] | None = None
    try:
        for time_ms in times_ms:
            viewer.dims.set_point(_time_axis(viewer, layer), time_ms)
            while not all(one.loaded for one in viewer.layers if one.visible):
                yield None
                viewer.dims.set_point(_time_axis(viewer, layer), time_ms)
            picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
            shape = shape or _even(picture.shape[:2], even=even)
            yield _fitted(picture, shape)
    finally:
        if layer in viewer.layers:
            viewer.dims.set_point(viewer.dims.ndim + FRAME_AXIS, before)


def _time_axis(viewer: Viewer, layer: Points) -> int:
    if layer not in viewer.layers:
        raise ValueError(f"the layer {layer.name!r} was removed: no movie was written")
    axis = int(viewer.dims.ndim + FRAME_AXIS)
    if axis in viewer.dims.displayed:
        raise ValueError("time is an axis of the picture: turn the axes so that it has a slider")
    return axis


def _even(shape: tuple[int, int], *, even: bool) -> tuple[int, int]:
    height, width = shape
    return (height - height % 2, width - width % 2) if even else (height, width)


def _fitted(picture: Frame, shape: tuple[int, int]) -> Frame:
    """Crop a picture, or continue it in the colour of its corner where it has become smaller."""
    fitted = np.empty((*shape, 3), dtype=np.uint8)
    fitted[:] = picture[0, 0]
    height, width = min(shape[0], picture.shape[0]), min(shape[1], picture.shape[1])
    fitted[:height, :width] = picture[:height, :width]
    return fitted
