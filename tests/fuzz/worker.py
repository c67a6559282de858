"""A process that carries out plans: one JSON line in, one JSON line out.

The command runs in this process, with descriptors 1 and 2 on files, as HDF5 and libtiff write there
in C. What would be a traceback, a hang or a crash in the shell is one here.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import gc
import json
import os
import re
import resource
import shutil
import sys
import time
import traceback
import unicodedata
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import typer.main

__all__ = ["LIMIT_BYTES", "main"]

LIMIT_BYTES = 2 << 30
"""Memory that an input may take beyond what the warm process has."""
_BEGIN = "hexrecruit: "
_LONGEST_LINE = 5_000
_UNMADE = {"outcome": "unmade", "faults": [], "status": None, "seconds": 0.0, "peak_bytes": 0}
_REFUSED_MEMORY = re.compile(r"[Uu]nable to allocate|MemoryError|[Oo]ut of memory|bad_alloc")


def main() -> None:
    """Read plans from standard input until it ends."""
    folder = Path(sys.argv[1])
    # The commands are put together once, not for each input: that takes longer than most of them.
    typer.main.get_command = functools.cache(typer.main.get_command)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    plans = os.fdopen(os.dup(0), "r")
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
        os.dup2(os.open(os.devnull, flags), number)
    crash = open(folder / "crash.txt", "w", buffering=1)  # noqa: SIM115 (open to the end)
    os.dup2(crash.fileno(), 2)
    faulthandler.enable(crash)
    _warm_up(folder)
    _forget_peak()
    gc.freeze()  # the imported modules: collecting what an input leaves is quick without them
    base = _status_bytes("VmRSS")
    limit = _status_bytes("VmSize") + 2 * LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers.write(json.dumps({"ready": True}) + "\n")
    for line in plans:
        answers.write(json.dumps(_tried(json.loads(line), folder, base)) + "\n")


def _warm_up(folder: Path) -> None:
    """Everything that is imported or compiled at first; sound inputs must give no fault."""
    from tests.fuzz.corpora import KINDS

    tried = set()
    for name, kind in KINDS.items():
        start = kind.starts[0]
        for command in kind.commands:
            if (same := (kind.build, start, command)) in tried:
                continue
            tried.add(same)
            plan = {"kind": name, "start": start, "command": list(command)}
            found = _tried({**plan, "edits": [], "bytes": []}, folder, 0)
            if found["outcome"] not in ("done", "slow"):
                with open(folder / "sound.txt", "a") as file:
                    file.write(json.dumps({**plan, **found}) + "\n")


def _tried(plan: dict[str, Any], folder: Path, base: int) -> dict[str, Any]:
    """What became of an input."""
    from tests.fuzz.corpora import write_input

    case = folder / "case"
    shutil.rmtree(case, ignore_errors=True)
    case.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            words = write_input(case, plan)
        except Exception:  # too large, or no libraries make it
            return dict(_UNMADE, stderr=traceback.format_exc())
    before = _listing(case)
    if base:
        _forget_peak()
    began = time.perf_counter()
    status, raised = _run(words, case, folder)
    seconds = time.perf_counter() - began
    peak = max(_status_bytes("VmHWM") - base, 0)
    said = (folder / "stdout").read_bytes()
    complained = (folder / "stderr").read_bytes()
    faults = [raised] if raised else _faults(words, status, said, complained, case)
    if _listing(case) != before:
        faults.append("files beside the output were changed")
    if base and peak > LIMIT_BYTES:
        faults.append(f"took {peak / 2**30:.1f} GB")
    return {
        "outcome": "fault" if faults else {0: "done", 1: "problems"}.get(status, "refused"),
        "faults": faults,
        "status": status,
        "seconds": round(seconds, 4),
        "peak_bytes": peak,
        "stderr": complained[-6000:].decode("utf-8", "replace"),
    }


def _run(words: list[str], case: Path, folder: Path) -> tuple[Any, str]:
    """Exit status; the traceback of what came through."""
    from tests.fuzz.calls import CALLS

    from napari_hexrecruit.cli import main as hexrecruit
    from napari_hexrecruit.cli._console import run as run_command

    kept = os.dup(1), os.dup(2)
    here = os.getcwd()
    os.chdir(case)
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(folder / name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    status, raised = None, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
                warnings.simplefilter("ignore", kind)
            warnings.simplefilter("ignore", ResourceWarning)
            try:
                if words[0] in CALLS:
                    call, *given = words
                    status = run_command(lambda: CALLS[call](*given), debug=False)
                else:
                    hexrecruit(words)
            except SystemExit as error:
                status = error.code
    except BaseException:
        raised = traceback.format_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        sys.stderr.flush()
        for number, file in zip((1, 2), kept, strict=True):
            os.dup2(file, number)
            os.close(file)
        os.chdir(here)
    return status, raised


def _faults(words: list[str], status: Any, said: bytes, text: bytes, case: Path) -> list[str]:
    """What is wrong with how a command ended."""
    lines = text.decode("utf-8", "replace").splitlines()
    if status == 2:
        left = sorted(path.name for path in (case / "out").iterdir())
        found = _line_faults(lines)
        return [*found, *["stdout beside an error"] * bool(said), *[f"left {left}"] * bool(left)]
    if status == 0 or (status == 1 and words[0] == "check"):
        lines = [line for line in lines if not line.startswith("warning: ")]
        found = [f"{len(lines)} lines on stderr without an error"] if lines else []
        return found + _output_faults(words, said, case)
    return [f"exit status {status}"]


def _line_faults(lines: list[str]) -> list[str]:
    if len(lines) != 1 or not lines[0].startswith(_BEGIN):
        return [f"not one line on stderr but {len(lines)}"]
    found = []
    if not len(_BEGIN) + 12 <= len(lines[0]) <= _LONGEST_LINE:
        found.append(f"a line of {len(lines[0]):,} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in lines[0]):
        found.append("a line with control characters")
    if _REFUSED_MEMORY.search(lines[0]):
        found.append("memory was asked for before the size was checked")
    return found


def _output_faults(words: list[str], said: bytes, case: Path) -> list[str]:
    try:
        if "--json" in words:
            json.loads(said.decode(), parse_constant=_refuse)
        if "-o" not in words:
            return ["wrote a file"] if list((case / "out").iterdir()) else []
        (output,) = (case / "out").iterdir()
        _read_again(output)
    except Exception:
        return ["output is not whole: " + traceback.format_exc()]
    return []


def _read_again(output: Path) -> None:
    """Read an output; any exception means that it is not whole."""
    import imageio.v3 as iio
    import pandas as pd

    from napari_hexrecruit import read_cube

    if output.name.endswith((".hexrecruit.nc", ".hexrecruit.zarr")):
        read_cube(output).load()
    elif output.suffix == ".json":
        json.loads(output.read_text(), parse_constant=_refuse)
    elif output.suffix == ".csv":
        assert len(pd.read_csv(output)) > 0, "an empty table"
    elif output.suffix == ".html":
        assert output.read_text(encoding="utf-8").endswith("</html>\n"), "half a page"
    elif output.suffix == ".svg":
        ElementTree.parse(output)
    else:
        for picture in output.iterdir() if output.is_dir() else (output,):
            assert iio.imread(picture).size > 0, "an empty picture"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON")


def _listing(case: Path) -> list[tuple[str, int, int]]:
    """Files beside the output; a run file that was not there may be written."""
    found = []
    for path in sorted(case.rglob("*")):
        if path.is_file() and "out" not in path.relative_to(case).parts[:1]:
            status = path.stat()
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return found


def _forget_peak() -> None:
    """Give freed memory back, so that the peak is that of the next input."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _status_bytes(field: str) -> int:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
