"""The command ``hexrecruit``: parse, call, print, exit status.

Only typer is imported here; each command imports what it needs, so that ``--help`` is fast.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from napari_hexrecruit.cli._analysis import compare, traces, trials
from napari_hexrecruit.cli._calcium import calcium
from napari_hexrecruit.cli._campaign import campaign
from napari_hexrecruit.cli._console import INTERRUPTED, run, say
from napari_hexrecruit.cli._cube import check, cube, info
from napari_hexrecruit.cli._html import html
from napari_hexrecruit.cli._maps import map_, wave
from napari_hexrecruit.cli._movie import movie
from napari_hexrecruit.cli._node_sets import node_set
from napari_hexrecruit.cli._significance import OptionWithMany, significance
from napari_hexrecruit.cli._view import demo, view
from napari_hexrecruit.cli._waves import waves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["app", "main"]

COMMANDS: dict[str, Callable[..., object]] = {
    **{"demo": demo, "info": info, "check": check, "cube": cube, "movie": movie, "html": html},
    **{"campaign": campaign, "view": view},
    **{"traces": traces, "compare": compare, "trials": trials, "calcium": calcium, "wave": wave},
    **{"waves": waves, "node-set": node_set, "map": map_, "significance": significance},
}
_CLASSES = {"significance": OptionWithMany}


def _app_of(names: Iterable[str]) -> typer.Typer:
    """Return the command line with some of its commands."""
    made = typer.Typer(
        name="hexrecruit",
        help="Where on the cortical sheet a simulated population is recruited, and when.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_options)
    for name in names:
        made.command(name, cls=_CLASSES.get(name))(COMMANDS[name])
    return made


def main(args: list[str] | None = None) -> None:
    """Run ``hexrecruit`` or ``python -m napari_hexrecruit``."""
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"] or ["--help"]
    named = next((word for word in words if not word.startswith("-")), None)
    chosen = _app_of([named]) if named in COMMANDS else app  # typer takes 4 ms for each command
    status = run(lambda: chosen(words, prog_name="hexrecruit", standalone_mode=False), debug=debug)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all output is done: no traceback at exit
    if status == INTERRUPTED:
        _leave_at_once(status)
    if args is None:  # the process is ours
        _end_threads()
        atexit._run_exitfuncs()  # removes temporary folders of libraries
        _leave_at_once(status)
    sys.exit(status)


def _end_threads() -> None:
    """Wait for threads as Python does at exit: it first tells idle threads of pools to end.

    Joining them directly would wait for ever, because dask keeps its pool.
    """
    shut_down: Callable[[], None] = vars(threading)["_shutdown"]
    shut_down()


def _leave_at_once(status: int) -> None:
    """End the process without freeing its memory, which would take as long as counting.

    It does not wait for threads either: an interrupt during an import leaves Python's import locks
    taken, and a thread that also imports would never end.
    """
    with contextlib.suppress(OSError):  # `run` has reported errors of standard output
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        from napari_hexrecruit._version import __version__

        say(f"hexrecruit {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Where on the cortical sheet a simulated population is recruited, and when."""


app = _app_of(COMMANDS)
