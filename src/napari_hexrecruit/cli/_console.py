"""What a terminal needs: progress bars, one-line errors, exit status."""

from __future__ import annotations

import sys
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
    r"""One line for the user on standard output.

    Characters that it cannot take are escaped, as ``\xe9``: a name of a file must not end the work.
    """
    encoding = sys.stdout.encoding or "utf-8"
    if sys.stdout.errors == "strict":
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    sys.stdout.write(text + "\n")


@contextmanager
def about(path: object) -> Iterator[None]:
    """Name the file that a plain ValueError is about; own errors name it themselves."""
    try:
        yield
    except HexRecruitError:
        raise
    except ValueError as error:
        raise HexRecruitError(f"{path}: {error}") from error


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A progress callback that draws one bar per kind of work on a terminal; silent elsewhere."""
    from tqdm import tqdm

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
    """Exit status of a command; what a user can mend becomes one line on standard error.

    Parameters
    ----------
    command
        The work.
    debug
        Let exceptions through, so that the traceback shows.

    Returns
    -------
    int
        What the command returned if that is a number, 0 done, 2 a mistake or unreadable input,
        130 interrupted, 128 and the number of the signal where another one ended it.
    """
    from typer import TyperException

    try:
        with ending_as_exception(), _warnings_as_lines():
            try:
                status = command()
                with suppress(BrokenPipeError):  # nobody reads any more
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
    """Let the package's own warnings be lines as its errors are, without places in its code."""
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
    if hasattr(error, "format_message"):  # a mistake on the command line, as typer says it
        return f"{error.format_message()} (see --help)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'file'}: {error.strerror}"
    return error.sentence(as_option) if isinstance(error, HexRecruitError) else str(error)


def warn(sentences: Iterable[str]) -> None:
    """One line on standard error for each number that may not be what the user means."""
    for sentence in sentences:
        sys.stderr.write(f"warning: {_as_line(sentence)}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"hexrecruit: {_as_line(text)}\n")


def _as_line(text: str) -> str:
    line = "".join(c if c.isprintable() else _escaped(c) for c in " ".join(text.split()))
    if len(line) > _LONGEST_LINE:  # what is wrong stands first, and what to do last
        line = f"{line[: _LONGEST_LINE // 2]} ... {line[-_LONGEST_LINE // 2 :]}"
    return line


def _escaped(character: str) -> str:
    """What a file holds must not steer the terminal."""
    return character.encode("unicode_escape").decode("ascii")
