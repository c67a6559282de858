"""The command as a process, forked from one that has imported everything: it starts at once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_S

Done = subprocess.CompletedProcess[str]


def hexrecruit(*args: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Done:
    """Run a command: exit status, and what it says."""
    if sys.platform == "win32":
        return hexrecruit_anew(*args, cwd=cwd, env=env)
    begin_server()
    words = [str(arg) for arg in args]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdout", "stderr")]
        given = (
            words,
            [str(file) for file in files],
            cwd,
            dict(os.environ if env is None else env),
        )
        context = multiprocessing.get_context("forkserver")
        process = context.Process(target=_command, args=given, daemon=True)
        process.start()
        process.join(PATIENCE_S)
        assert process.exitcode is not None, "the command hangs"
        said = [file.read_text(encoding="utf-8") for file in files]
    return subprocess.CompletedProcess(words, process.exitcode, *said)


def begin_server() -> None:
    """Begin the process that commands are forked from, and the workers of campaigns as well."""
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(["tests.support.outputs_warm"])
    forkserver.ensure_running()


def hexrecruit_anew(*args: object, **options: Any) -> Done:
    """The same with a Python of its own, as from a shell: what imports do can go wrong as well."""
    words = [sys.executable, "-m", "napari_hexrecruit", *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, **options)


def _command(
    words: list[str], files: list[str], cwd: Path | None, environment: dict[str, str]
) -> None:
    for number, file in enumerate(files, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    if cwd is not None:
        os.chdir(cwd)
    from napari_hexrecruit.cli import main

    main(words)
