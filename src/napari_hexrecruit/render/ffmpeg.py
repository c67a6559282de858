"""Frames through a pipe into ffmpeg: one process per file, which never outlives the writing."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import tempfile
import time
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import MissingExtraError
from napari_hexrecruit.storage.claims import locks_held
from napari_hexrecruit.system.signals import signals_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

_FORMATS = {3: "rgb24", 4: "rgba"}
_DISK_ERRORS = {"No space left on device": errno.ENOSPC, "File too large": errno.EFBIG}
_REMEDY = "pip install imageio-ffmpeg, or write a folder of PNG files"
_QUIET = ["-hide_banner", "-v", "error", "-nostats", "-y"]
_SECONDS_TO_END = 600.0
_INTERRUPTED = 255
"""Status of an ffmpeg that a signal has ended, which it catches."""
_SECONDS_BEHIND = 0.5
"""Time within which a signal to several processes reaches them all, s, on a busy machine."""


def ffmpeg_program() -> str:
    """Return the path of the ffmpeg that imageio-ffmpeg brings or finds.

    Raises
    ------
    MissingExtraError
        If ffmpeg is not found.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError as error:
        raise MissingExtraError(f"a movie file needs ffmpeg: {_REMEDY}") from error
    try:
        return str(get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingExtraError(f"no ffmpeg is found: {_REMEDY}") from error


def run_ffmpeg(arguments: Sequence[str], final: str) -> None:
    """Run ffmpeg on files to its end; see `Encoder` for the errors."""
    with Encoder(arguments, final):
        pass


class Encoder:
    """Context manager for an ffmpeg that reads frames from a pipe.

    The file is complete when the block ends; if the block raises, ffmpeg is ended.

    Parameters
    ----------
    arguments
        Arguments of ffmpeg, without the program.
    final
        Name of the file as the user knows it, for messages.

    Raises
    ------
    OSError
        If ffmpeg fails; `errno` shows if the disk is full.
    MissingExtraError
        If ffmpeg is missing, or lacks the encoder.
    """

    def __init__(self, arguments: Sequence[str], final: str) -> None:
        self._final = final
        self._command = [ffmpeg_program(), *_QUIET, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Encoder:
        self._log: IO[bytes] = tempfile.TemporaryFile()
        try:
            with signals_held():  # else a signal could orphan the started process
                self._process = self._started()
        except BaseException:
            self._end()
            raise
        return self

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=True,  # ffmpeg heeds Ctrl-C even where this process ignores it
                pass_fds=locks_held() if os.name == "posix" else (),
            )
        except OSError as error:
            raise MissingExtraError(f"ffmpeg cannot be started ({error}): {_REMEDY}") from error

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the encoder was not entered: use it in a with statement")
        return self._process

    @property
    def _pipe(self) -> IO[bytes]:
        return cast("IO[bytes]", self._running.stdin)

    def write(self, frame: npt.NDArray[np.uint8]) -> None:
        """Send a frame."""
        with self._told():
            self._pipe.write(np.ascontiguousarray(frame).data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._end()

    def _finish(self) -> None:
        with self._told():
            self._pipe.close()
        if self._running.wait(_SECONDS_TO_END) != 0:
            raise self._failure()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Raise ffmpeg's own error if its pipe breaks."""
        try:
            yield
        except OSError as error:
            self._running.wait(_SECONDS_TO_END)
            raise self._failure() from error

    def _end(self) -> None:
        """End ffmpeg if it still runs, and close its pipe and log."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):  # unsent data of the ended process
                self._pipe.close()
        self._log.close()

    def _failure(self) -> Exception:
        if self._running.returncode == _INTERRUPTED or self._running.returncode < 0:
            time.sleep(_SECONDS_BEHIND)  # Ctrl-C is for this process too, and then the reason
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        for text, number in _DISK_ERRORS.items():
            if text in log:
                return OSError(number, os.strerror(number), self._final)
        if "Unknown encoder" in log:
            return MissingExtraError(
                f"this ffmpeg cannot write {self._final} ({_last_line(log)}):"
                " pip install imageio-ffmpeg, which brings one that can"
            )
        if self._running.returncode == -getattr(signal, "SIGXFSZ", 0):
            return OSError(errno.EFBIG, os.strerror(errno.EFBIG), self._final)
        reason = _last_line(log) or f"it ended with status {self._running.returncode}"
        return OSError(errno.EIO, f"ffmpeg could not write it: {reason}", self._final)


def file_url(path: Path) -> str:
    """Name a file for ffmpeg, which otherwise takes text before a colon as a protocol."""
    return f"file:{path}"


def raw_input(shape: tuple[int, int, int], fps: float) -> list[str]:
    """Return the arguments with which ffmpeg reads frames of a shape from its pipe."""
    height, width, channels = shape
    pixels = ["-f", "rawvideo", "-pix_fmt", _FORMATS[channels], "-s", f"{width}x{height}"]
    return [*pixels, "-framerate", f"{fps:.10g}", "-i", "pipe:0"]


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else ""
