"""One frame as a picture: PNG, or hexagons as polygons for print."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.render.png import png_bytes
from napari_hexrecruit.render.vector import save_vector
from napari_hexrecruit.storage.atomic import written_aside

if TYPE_CHECKING:
    from napari_hexrecruit.render.frames import RenderedFrames

_PICTURE_LEVEL = 6


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Return whether a name is that of a single picture."""
    folder = os.fspath(path).endswith(("/", os.sep)) or Path(path).is_dir()
    return not folder and Path(path).suffix.lower() in PICTURE_ENDINGS


def write_frame(
    frames: RenderedFrames,
    path: str | os.PathLike[str],
    *,
    at: float | None = None,
    dpi: float = 100.0,
    overwrite: bool = False,
) -> Path:
    """Write one frame as a picture, in the format given by the ending of the name.

    Parameters
    ----------
    frames
        Result of `render_frames`; the picture looks like the frame of the movie.
    path
        ``.png``, or ``.svg`` or ``.pdf`` with hexagons as polygons, for print.
    at
        A time, ms, within the bin of the frame. Optional if there is only one frame.
    dpi
        Pixels per inch: a picture of ``size=(700, 500)`` at 200 dpi is 3.5 inches wide.
    overwrite
        Replace an existing file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If the ending is unknown, no frame shows that time, or `at` is missing.
    FileExistsError
        If the file exists and `overwrite` is False.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube, render_frames
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> write_frame(render_frames(cube), folder.name + "/figure.svg", at=125.0).name
    'figure.svg'
    >>> folder.cleanup()
    """
    final = Path(path)
    kind = final.suffix.lower()
    if kind not in PICTURE_ENDINGS:
        use = ", ".join(PICTURE_ENDINGS)
        raise ValueError(f"{final}: the ending {kind!r} is not a picture format: use {use}")
    if not (math.isfinite(dpi) and dpi > 0):
        raise ParameterError(Parameter("dpi"), f"must be greater than 0, not {dpi:g}")
    frame = _frame_at(frames, at)
    with written_aside(final, overwrite=overwrite) as aside:
        if kind == ".png":
            aside.write_bytes(png_bytes(frames[frame], level=_PICTURE_LEVEL, dpi=dpi))
        else:
            save_vector(aside, kind[1:], frames.scene, frame, frames.values(frame), dpi)
    return final


def _frame_at(frames: RenderedFrames, at: float | None) -> int:
    if at is not None:
        return frames.frame_at(at)
    if len(frames) == 1:
        return 0
    raise ValueError(f"there are {len(frames)} frames: choose one with a time in ms")


PICTURE_ENDINGS = (".png", ".svg", ".pdf")
"""Endings of single pictures."""
