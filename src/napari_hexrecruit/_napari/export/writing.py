"""Writing the frames of a movie to a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import numpy as np
import numpy.typing as npt
import xarray as xr

from napari_hexrecruit._napari.export.order import Order
from napari_hexrecruit._napari.widgets.loading import Cancelled
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.render.frames import render_frames
from napari_hexrecruit.render.movie import ENDINGS, write_movie
from napari_hexrecruit.render.style import MovieStyle
from napari_hexrecruit.render.web.writer import write_html
from napari_hexrecruit.storage.atomic import written_aside

Frame = npt.NDArray[np.uint8]


_WAITING_FRAMES = 3
"""Largest number of pictures that wait to be written; more would only use memory."""


_POLL_S = 0.1


def render_movie(
    cubes: Sequence[xr.Dataset], order: Order, style: MovieStyle, progress: Progress
) -> str:
    """Draw and write a movie or a web page without the canvas, in any thread.

    Returns
    -------
    str
        Path of the output.

    Raises
    ------
    ValueError, OSError, HexRecruitError
        As `napari_hexrecruit.render_frames` and `napari_hexrecruit.write_movie`.
    """
    if order.is_web_page:
        return _write_page(cubes, order, style, progress)
    frames = render_frames(
        list(cubes), start=order.start, stop=order.stop, step=order.step, style=style
    )
    return write_frames(frames, order, progress)


def _write_page(
    cubes: Sequence[xr.Dataset], order: Order, style: MovieStyle, progress: Progress
) -> str:
    write_html(
        list(cubes),
        order.output,
        metric=style.metric,
        clim=style.clim,
        colormap=style.colormap,
        panel_titles=style.panel_titles,
        start=order.start,
        stop=order.stop,
        step=order.step,
        dilation=order.page_dilation,
        overwrite=order.overwrite,
        progress=progress,
    )
    return order.output


def write_frames(frames: Iterable[Frame], order: Order, progress: Progress) -> str:
    """Write frames; if the user cancels, even a file that is just finished does not appear.

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
    """Make errors name the final file instead of the temporary one."""
    try:
        yield
    except Cancelled:
        raise
    except (HexRecruitError, ValueError, OSError) as error:
        raise HexRecruitError(str(error).replace(str(aside), str(final))) from error


class FrameFeed:
    """Passes frames from the GUI thread to the thread that writes them.

    Parameters
    ----------
    n_frames
        Number of frames to expect.
    """

    def __init__(self, n_frames: int) -> None:
        self._n_frames = n_frames
        self._waiting: Queue[Frame] = Queue(_WAITING_FRAMES)

    @property
    def full(self) -> bool:
        """Whether the queue is full, so that the writer must catch up."""
        return self._waiting.full()

    def put(self, frame: Frame) -> None:
        """Send a frame; call this only while the feed is not `full`."""
        self._waiting.put_nowait(frame)

    def frames(self, progress: Progress) -> FrameSource:
        """Return the frames for the writer; an exception of `progress` ends them."""
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
