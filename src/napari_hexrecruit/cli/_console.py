"""Terminal output: progress bars, one-line errors, exit status."""

from __future__ import annotations

import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.errors import HexRecruitError, RecruitmentWarning
from napari_hexrecruit.storage.claims import release_all
from napari_hexrecruit.system.signals import Ended, ending_as_exception

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_hexrecruit.progress import Progress

_LONGEST_LINE = 2_000
DONE, MISTAKE, INTERRUPTED, ENDED = 0, 2, 130, 128


def say(text: str) -> None:
    r"""Print one line for the user on standard output.

    Characters that it cannot encode are escaped, as ``\xe9``: a file name must not end the work.
    """
    encoding = sys.stdout.encoding or "utf-8"
    if sys.stdout.errors == "strict":
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    sys.stdout.write(text + "\n")


@contextmanager
def about(path: object) -> Iterator[None]:
    """Add the file to a plain ValueError; the package's own errors already name it."""
    try:
        yield
    except HexRecruitError:
        raise
    except ValueError as error:
        raise HexRecruitError(f"{path}: {error}") from error


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield a progress callback that draws one bar per kind of work on a terminal only."""
    from tqdm import tqdm

    # Only this process draws. tqdm's own lock is a semaphore that an interrupted command leaves.
    tqdm.set_lock(threading.RLock())
    bars: dict[str, Any] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in bars:
            for bar in bars.values():
                bar.close()
            bars[what] = tqdm(
                total=total, desc=what, unit="", unit_scale=True, disable=None, leave=False
            )
        bar = bars[what]
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def run(command: Callable[[], Any], *, debug: bool) -> int:
    """Run a command and return its exit status; errors a user can fix become one line.

    Parameters
    ----------
    command
        The work.
    debug
        Do not catch exceptions, so that the traceback shows.

    Returns
    -------
    int
        The number that the command returned, if any; 0 for success, 2 for a user's mistake or
        unreadable input, 130 if interrupted, 128 plus the number of another signal that ended it.
    """
    from typer import TyperException

    try:
        with ending_as_exception(), _warnings_as_lines():
            try:
                status = command()
                with suppress(BrokenPipeError):  # the reader has closed the pipe
                    sys.stdout.flush()
            finally:
                release_all()
    except KeyboardInterrupt:
        _complain("interrupted: nothing half-written was left")
        return INTERRUPTED
    except Ended as signal:
        _complain("ended by the system: nothing half-written was left")
        return ENDED + signal.number
    except (HexRecruitError, TyperException, ValueError, OSError) as error:
        if debug:
            raise
        _complain(_sentence(error))
        return MISTAKE
    if status == INTERRUPTED:
        _complain("interrupted: nothing half-written was left")
    return status if isinstance(status, int) else DONE


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print the package's own warnings as lines like errors, without code locations."""
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, RecruitmentWarning):
            warn([str(message)])
        else:
            shown(message, category, *rest, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _sentence(error: Exception) -> str:
    if hasattr(error, "format_message"):  # typer's error about the command line
        return f"{error.format_message()} (see --help)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'file'}: {error.strerror}"
    return error.sentence(as_option) if isinstance(error, HexRecruitError) else str(error)


def warn(sentences: Iterable[str]) -> None:
    """Print one line on standard error for each number that the user may not expect."""
    for sentence in sentences:
        sys.stderr.write(f"warning: {_as_line(sentence)}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"hexrecruit: {_as_line(text)}\n")


def _as_line(text: str) -> str:
    line = "".join(c if c.isprintable() else _escaped(c) for c in " ".join(text.split()))
    if len(line) > _LONGEST_LINE:  # keeps the fault at the start and the remedy at the end
        line = f"{line[: _LONGEST_LINE // 2]} ... {line[-_LONGEST_LINE // 2 :]}"
    return line


def _escaped(character: str) -> str:
    """Escape a character, so that a file's content cannot control the terminal."""
    return character.encode("unicode_escape").decode("ascii")
