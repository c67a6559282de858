"""Frames to files: MP4, WebM, GIF, a folder of PNG files, and single pictures for print."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Sized
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.render.ffmpeg import Encoder, file_url, raw_input, run_ffmpeg
from napari_hexrecruit.render.picture import PICTURE_ENDINGS, is_picture
from napari_hexrecruit.render.png import encode_rows, png_rows
from napari_hexrecruit.storage.atomic import check_writable, written_aside
from napari_hexrecruit.storage.claims import claimed
from napari_hexrecruit.storage.folders import check_folder_writable, folder_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_hexrecruit.progress import Progress

Frame = npt.NDArray[np.uint8]
Shape = tuple[int, int, int]

_N_WORKERS = 8
"""Threads that write PNG files: more than cores, because they mostly wait for the disk."""
_GIF_FASTEST = 50.0
_FASTEST = 240.0
_BT709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
_BITEXACT = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]


def write_movie(
    frames: Iterable[Frame],
    path: str | os.PathLike[str],
    *,
    fps: float = 20.0,
    overwrite: bool = False,
    progress: Progress | None = None,
    pattern: str = "frame-{index}.png",
) -> Path:
    """Write frames as a movie, in the format given by the ending of the name.

    Parameters
    ----------
    frames
        (height, width, 3) or, with straight alpha, (height, width, 4) uint8 pictures of one size,
        for example from `render_frames`. Any iterable works; one frame at a time is in memory.
    path
        ``.mp4`` (H.264, for browsers and slides), ``.webm`` (VP9), ``.gif``, or a folder of PNG
        files: a name without ending or with ``/`` at its end.
    fps
        Frames per second; ignored for a folder.
    overwrite
        Replace an existing file, or a folder that contains only frames of this pattern.
    progress
        Called as ``progress(what, done, total)``; total is 0 if it is not known. An exception that
        it raises ends the work.
    pattern
        Pattern of the file names in a folder. ``{index}`` is the number of the frame from 0, with
        as many digits as the last one needs, at least 3.

    Returns
    -------
    Path
        The file or folder written.

    Raises
    ------
    ValueError
        If the ending is unknown, there are no frames, they differ in size, an MP4 or WebM would
        have an odd side, or the format does not support transparency or this many frames per
        second.
    FileExistsError
        If the output exists and `overwrite` is False, or a folder contains other files.
    MissingExtraError
        If ffmpeg is missing for a movie file.
    OSError
        If the output cannot be written, for example because the disk is full.

    Notes
    -----
    The output appears under its name only when it is complete. If anything ends the work early,
    even Ctrl-C, nothing is left behind.

    Examples
    --------
    >>> import numpy as np
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> frames = [np.full((64, 64, 3), 10 * k, dtype=np.uint8) for k in range(5)]
    >>> write_movie(frames, folder.name + "/grey.mp4", fps=5).name
    'grey.mp4'
    >>> sorted(p.name for p in write_movie(frames, folder.name + "/pictures").iterdir())[:2]
    ['frame-000.png', 'frame-001.png']
    >>> folder.cleanup()
    """
    write, final = _kind_of(path), Path(path)
    if not (math.isfinite(fps) and 0.0 < fps <= _FASTEST):
        raise ParameterError(
            Parameter("fps"), f"must be greater than 0 and at most {_FASTEST:g}, not {fps:g}"
        )
    source = _Source(frames, final, progress)
    write(source, final, _Options(fps, overwrite, pattern))
    return final


def check_output(
    path: str | os.PathLike[str], *, overwrite: bool, pattern: str = "frame-{index}.png"
) -> None:
    """Check a name before any work: refuse what `write_movie` or `write_frame` would refuse.

    Raises
    ------
    ValueError
        If the ending is not a movie or picture format.
    FileExistsError, OSError
        If the output exists and `overwrite` is False, or cannot be written.
    """
    final = Path(path)
    if is_picture(path):
        check_writable(final, overwrite=overwrite)
    elif _kind_of(path) is _write_folder:
        options = _Options(1.0, overwrite, pattern)
        check_folder_writable(final, lambda there: _check_folder(there, options))
    else:
        check_writable(final, overwrite=overwrite)


class _Options:
    def __init__(self, fps: float, overwrite: bool, pattern: str) -> None:
        self.fps, self.overwrite, self.pattern = fps, overwrite, pattern


class _Source:
    """Frames, each checked against the first, with progress reports."""

    def __init__(self, frames: Iterable[Frame], final: Path, progress: Progress | None) -> None:
        self._what, self._progress = f"writing {final.name}", progress
        self.n_frames = len(frames) if isinstance(frames, Sized) else 0
        rest = iter(frames)
        first = next(rest, None)
        if first is None:
            raise ValueError(f"{final}: there are no frames to write")
        self.shape = _checked(first, 0, None)
        self._frames = chain([first], rest)

    def __iter__(self) -> Iterator[Frame]:
        for k, frame in enumerate(self._frames):
            _checked(frame, k, self.shape)
            yield frame
            if self._progress is not None:
                self._progress(self._what, k + 1, self.n_frames)


def _checked(frame: Any, k: int, shape: Shape | None) -> Shape:
    found: tuple[int, ...] = getattr(frame, "shape", ())
    if getattr(frame, "dtype", None) != np.uint8 or len(found) != 3 or found[2] not in (3, 4):
        raise ValueError(f"frame {k} must be (height, width, 3 or 4) uint8, not {found}")
    if shape is not None and found != shape:
        raise ValueError(f"frame {k} is {found} and the first one {shape}: all must be alike")
    return found[0], found[1], found[2]


def _write_mp4(source: _Source, final: Path, options: _Options) -> None:
    _refuse_odd(source.shape, final)
    _refuse_alpha(source.shape, final)
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    _encode(source, final, options, [*codec, *_yuv("yuv420p"), "-movflags", "+faststart"], "mp4")


def _write_webm(source: _Source, final: Path, options: _Options) -> None:
    _refuse_odd(source.shape, final)
    pixels = "yuva420p" if source.shape[2] == 4 else "yuv420p"
    codec = ["-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-deadline", "good", "-cpu-used", "5"]
    _encode(source, final, options, [*codec, "-row-mt", "1", *_yuv(pixels)], "webm")


def _encode(
    source: _Source, final: Path, options: _Options, arguments: list[str], kind: str
) -> None:
    with written_aside(final, overwrite=options.overwrite) as aside:
        reading = raw_input(source.shape, options.fps)
        writing = [*arguments, *_BITEXACT, "-f", kind, file_url(aside)]
        with Encoder([*reading, *writing], str(final)) as encoder:
            for frame in source:
                encoder.write(frame)


def _write_gif(source: _Source, final: Path, options: _Options) -> None:
    """Write frames to a lossless file, find one palette for all, and make the GIF from both."""
    _refuse_alpha(source.shape, final)
    if options.fps > _GIF_FASTEST:
        raise ValueError(
            f"{final}: a GIF has at most {_GIF_FASTEST:g} frames per second, not {options.fps:g}:"
            " lower fps or write an MP4"
        )
    with (
        written_aside(final, overwrite=options.overwrite) as aside,
        claimed(final) as scratch,
    ):
        scratch.part.mkdir()
        lossless = file_url(scratch.part / "frames.mkv")
        palette = file_url(scratch.part / "palette.mkv")
        codec = ["-c:v", "libx264rgb", "-preset", "ultrafast", "-qp", "0", "-f", "matroska"]
        reading = raw_input(source.shape, options.fps)
        with Encoder([*reading, *codec, lossless], str(final)) as encoder:
            for frame in source:
                encoder.write(frame)
        colours = ["-vf", "palettegen=stats_mode=full:reserve_transparent=0", "-c:v", "png"]
        run_ffmpeg(["-i", lossless, *colours, "-f", "matroska", palette], str(final))
        use = ["-lavfi", "paletteuse=dither=none", "-loop", "0", *_BITEXACT, "-f", "gif"]
        run_ffmpeg(["-i", lossless, "-i", palette, *use, file_url(aside)], str(final))


def _write_folder(source: _Source, final: Path, options: _Options) -> None:
    digits = max(3, len(str(max(0, source.n_frames - 1))))
    name, channels = _namer(options.pattern, digits), source.shape[2]
    with (
        folder_aside(
            final, overwrite=options.overwrite, check=lambda there: _check_folder(there, options)
        ) as aside,
        ThreadPoolExecutor(_N_WORKERS, thread_name_prefix="png") as pool,
    ):
        waiting: deque[Future[None]] = deque()
        try:
            for k, frame in enumerate(source):
                waiting.append(pool.submit(_write_png, aside / name(k), png_rows(frame), channels))
                if len(waiting) > _N_WORKERS:
                    waiting.popleft().result()
            while waiting:
                waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _write_png(path: Path, rows: Frame, channels: int) -> None:
    path.write_bytes(encode_rows(rows, channels))


def _namer(pattern: str, digits: int) -> Callable[[int], str]:
    def name(k: int) -> str:
        return pattern.replace("{index}", f"{k:0{digits}d}")

    if (
        "{index}" not in pattern
        or not pattern.lower().endswith(".png")
        or Path(pattern).name != pattern
    ):
        raise ValueError(
            f"pattern {pattern!r} is not a file name with {{index}} in it that ends with .png,"
            " as in frame-{index}.png"
        )
    return name


def _check_folder(final: Path, options: _Options) -> None:
    if not final.is_dir():
        raise FileExistsError(f"{final}: is a file: choose another name for the folder")
    there = {entry.name: entry.is_file() for entry in final.iterdir()}
    head, tail = options.pattern.split("{index}", 1)
    strange = [n for n, is_file in there.items() if not (is_file and _is_frame(n, head, tail))]
    if strange:
        raise FileExistsError(
            f"{final}: holds other files too ({strange[0]!r}): choose another folder"
        )
    if there and not options.overwrite:
        raise FileExistsError(f"{final}: exists: choose another name or allow overwriting")


def _is_frame(name: str, head: str, tail: str) -> bool:
    middle = name[len(head) : len(name) - len(tail)]
    return name.startswith(head) and name.endswith(tail) and middle.isdigit()


def _yuv(pixels: str) -> list[str]:
    convert = f"scale=out_color_matrix=bt709:out_range=tv,format={pixels}"
    return ["-vf", convert, *_BT709, "-color_range", "tv"]


def _refuse_odd(shape: Shape, final: Path) -> None:
    height, width = shape[:2]
    if width % 2 or height % 2:
        raise ValueError(
            f"{final}: the sides of this kind of movie are even, not {width} x {height} px:"
            f" use {width + width % 2} x {height + height % 2}"
        )


def _refuse_alpha(shape: Shape, final: Path) -> None:
    if shape[2] == 4:
        raise ValueError(
            f"{final}: this kind of movie has no transparency: use a white or black background,"
            " or a folder of PNG files"
        )


_WRITERS: dict[str, Callable[[_Source, Path, _Options], None]] = {
    ".mp4": _write_mp4,
    ".webm": _write_webm,
    ".gif": _write_gif,
}
ENDINGS = tuple(_WRITERS)
"""Endings of movie files; a name without an ending is a folder of PNG files."""


def _kind_of(path: str | os.PathLike[str]) -> Callable[[_Source, Path, _Options], None]:
    text, suffix = os.fspath(path), Path(path).suffix.lower()
    if text.endswith(("/", os.sep)) or Path(path).is_dir() or not suffix:
        return _write_folder
    if suffix in _WRITERS:
        return _WRITERS[suffix]
    if suffix in PICTURE_ENDINGS:
        raise ValueError(
            f"{path}: a single picture is written by write_frame; a movie ends with"
            f" {', '.join(ENDINGS)}, and a folder of PNG files with /"
        )
    raise ValueError(
        f"{path}: the ending {suffix!r} is not a movie format: use {', '.join(ENDINGS)},"
        " or / at the end for a folder of PNG files"
    )
