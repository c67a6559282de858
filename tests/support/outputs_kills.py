"""Rounds in which a run that replaces an output is ended: what is left must be whole."""

from __future__ import annotations

import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.outputs_runs import KILL, hidden, listing, put, state
from tests.support.waiting import PATIENCE_S


@dataclass
class Tally:
    """What the rounds of one kind of output came to."""

    kind: str
    signal: str
    rounds: int = 0
    caught_writing: int = 0
    kept: int = 0
    replaced: int = 0
    harmed: int = 0
    """Rounds after which there was neither the old output nor the new one."""
    untidy: int = 0
    """Rounds with leftovers or other than one line, though the signal could be caught."""
    faults: list[str] = field(default_factory=list)
    """What was said and left then."""
    cleared: bool = False
    """Whether later runs worked and nothing was left after them."""

    @property
    def fine(self):
        return self.cleared and not (self.harmed or self.untidy)


@dataclass(frozen=True)
class Kind:
    """A kind of output: its name, and the commands that make the old and the new one.

    ``OUT`` in a command stands for its path. An output without an old command is not replaced.
    """

    name: str
    old: tuple | None
    new: tuple


def kinds(config, cube):
    """Outputs of the command line, from a simulation and from its cube."""
    out = ("-o", "OUT", "--overwrite")
    movie = ("movie", cube, "--size", "320", "240", *out)
    longer = (*movie, "--title", "new", "--fps", "10")
    finer = ("cube", config, "--bin", "1")
    few = ("node-set", cube, *out, "--min-neurons")
    run_file = (*finer, "-o", "OUT.hexrecruit.nc", "--overwrite", "--run-file", "OUT")
    coarse, fine = ("cube", config, *out), (*finer, *out)
    return {
        "cube": Kind("a.hexrecruit.nc", coarse, fine),
        "zarr": Kind("a.hexrecruit.zarr", coarse, fine),
        "mp4": Kind("a.mp4", movie, longer),
        "gif": Kind("a.gif", movie, longer),
        "webm": Kind("a.webm", movie, longer),
        "PNG frames": Kind("frames", (*movie, "--stop", "50"), longer),
        "picture": Kind("a.pdf", (*movie, "--at", "10"), (*longer, "--at", "20")),
        "node set": Kind("a.json", (*few, "1"), (*few, "5")),
        "run file": Kind("a.yaml", None, run_file),
    }


def kill_rounds(runner, folder, name, kind, *, rounds, rng, number=KILL, group=False):
    """Make an output `rounds` times, and end each run at some moment.

    Half of the moments are spread over the whole run, the others over its writing, from when the
    first hidden name appears: the first of them at that moment. Those of signals that can be caught
    are all in the writing.

    Parameters
    ----------
    group
        Whether the programs that the run has started get the signal too, as from a terminal or at
        the end of a batch job, or stay behind, as when memory runs out.
    """
    folder = Path(folder)
    folder.mkdir()
    path = folder / kind.name
    tally = Tally(name, signal.Signals(number).name)
    old, new, seconds, names = _both(runner, path, kind)

    def begin():
        if state(path) != old:
            _remove(path)
            put(path, old)
        return runner.start(*_words(kind.new, path))

    for k in range(rounds):
        run = begin()
        in_writing = k % 2 == 1 or number != KILL
        if in_writing:
            _wait_for_writing(folder, run)
        for _ in range(5 if k == 1 else 0):
            if run.process.is_alive() and hidden(folder):
                break
            run.wait()  # it was quicker: once more
            run = begin()
            _wait_for_writing(folder, run)
        if k != 1:
            time.sleep(rng.uniform(0.0, seconds["writing" if in_writing else "all"]))
        tally.caught_writing += run.process.is_alive() and bool(hidden(folder))
        run.signal(number, group=group)
        status, said = run.wait()
        found = state(path)
        tally.rounds += 1
        tally.kept += found == old
        tally.replaced += found == new
        tally.harmed += found not in (old, new)
        if number != KILL:
            quiet = said == "" if status == 0 else said.count("\n") == 1
            if hidden(folder) or status not in (0, 128 + number) or not quiet:
                tally.untidy += 1
                tally.faults.append(f"{status} {hidden(folder)} {said}")
    tally.cleared = _is_clear(runner, kind, path, new, names)
    return tally


def _words(command, path):
    return [str(word).replace("OUT", str(path)) for word in command]


def _both(runner, path, kind):
    """Contents of the old and the new output, how long the new one takes, and all names then."""
    folder = path.parent
    if kind.old is not None:
        assert runner.run(*_words(kind.old, path)) == (0, "")
    old = state(path)
    run = runner.start(*_words(kind.new, path))
    while run.process.is_alive() and not hidden(folder):
        pass
    writing = time.perf_counter()
    assert run.wait() == (0, "")
    end = time.perf_counter()
    new = state(path)
    assert old != new and not hidden(folder)
    return old, new, {"all": end - run.started, "writing": end - writing}, listing(folder)


def _wait_for_writing(folder, run):
    """Wait for a hidden name, or the end: before, a signal could find a Python that starts."""
    before = set(hidden(folder))
    until = time.monotonic() + PATIENCE_S
    while run.process.is_alive() and time.monotonic() < until:
        if set(hidden(folder)) - before:
            return


def _is_clear(runner, kind, path, new, names):
    """Whether a run works, and nothing is left once the programs of killed runs have ended."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if runner.run(*_words(kind.new, path)) != (0, "") or state(path) != new:
            return False
        if listing(path.parent) == names:
            return True
        time.sleep(0.2)
    return False


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
