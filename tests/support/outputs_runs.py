"""Commands as real processes that can be killed, without waiting for imports each time.

A server process imports everything once and forks for each command: a run starts in milliseconds,
has its own signals, files and end, and dies like any process.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from napari_hexrecruit.storage.claims import _NAME


def command(args, log, environment, file_limit, powerless):
    """What a forked process does."""
    os.setsid()
    os.environ.update(environment)
    for number, path in ((1, os.devnull), (2, log)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    if file_limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    if powerless:
        give_up_root()
    from napari_hexrecruit.cli import main

    main([str(word) for word in args])


def give_up_root():
    """Let permissions of files bind root too, as they bind everybody else (Linux)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", 0x20080522, 0)
    sets = ctypes.create_string_buffer(24)
    assert library.capget(header, sets) == 0
    words = list(struct.unpack("=6I", sets.raw))
    for k in range(3):  # effective, permitted, inheritable: override permissions, search folders
        words[k] &= ~0b110
    assert library.capset(header, struct.pack("=6I", *words)) == 0


class Run:
    """A command that runs, in a session of its own."""

    def __init__(self, context, args, log, options):
        self.log, self.started = Path(log), time.perf_counter()
        arguments = (args, str(log), *options)
        self.process = context.Process(target=command, args=arguments, daemon=True)
        self.process.start()

    def signal(self, number, *, group=False):
        try:
            (os.killpg if group else os.kill)(self.process.pid, number)
        except ProcessLookupError:  # it has ended, or has no session of its own yet
            if self.process.is_alive():
                self.process.kill()

    def wait(self, seconds=120):
        """Exit status as a shell says it, and what was written on standard error."""
        self.process.join(seconds)
        assert not self.process.is_alive(), "the command hangs"
        code = self.process.exitcode
        said = self.log.read_text() if self.log.exists() else ""
        return (128 - code if code < 0 else code), said


class Runner:
    """Starts commands; a folder keeps what they say on standard error."""

    def __init__(self, folder):
        self.folder, self.count = Path(folder), 0
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.support.outputs_warm"])

    def start(self, *args, environment=None, file_limit=None, powerless=False):
        """Start a command.

        Parameters
        ----------
        environment
            Variables to set.
        file_limit
            Size that no file can exceed, bytes.
        powerless
            Whether permissions bind root as well.
        """
        self.count += 1
        log = self.folder / f"stderr-{self.count}"
        return Run(self.context, args, log, (environment or {}, file_limit, powerless))

    def run(self, *args, **options):
        return self.start(*args, **options).wait()


def state(path):
    """Content of a file, or of the files in a folder; None where there is nothing."""
    path = Path(path)
    if path.is_dir():
        files = sorted(entry for entry in path.rglob("*") if entry.is_file())
        return {str(file.relative_to(path)): file.read_bytes() for file in files}
    return path.read_bytes() if path.exists() else None


def put(path, content):
    """Write what `state` has read."""
    path = Path(path)
    if content is None:
        return
    if isinstance(content, dict):
        path.mkdir(exist_ok=True)
        for name, data in content.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    else:
        path.write_bytes(content)


def hidden(folder):
    """Names of unfinished outputs in a folder."""
    return sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))


def listing(folder):
    return sorted(os.listdir(folder))


@contextmanager
def small_disk(folder, kilobytes):
    """A real file system of that size; None where only root may mount one."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        yield None
        return
    size = f"size={kilobytes}k"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=False)
    if mounted.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
