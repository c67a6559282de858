"""Progress bars on a real terminal, and silence elsewhere."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading

import pytest
import tqdm
from tests.support.sonata_files import simple_files
from tests.support.waiting import PATIENCE_S

from napari_hexrecruit.cli._console import progress_bars

pty = pytest.importorskip("pty", reason="pseudo-terminals are of Unix")
fcntl = pytest.importorskip("fcntl", reason="pseudo-terminals are of Unix")
termios = pytest.importorskip("termios", reason="pseudo-terminals are of Unix")


def on_terminal(words):
    """Output on standard error of a command that has a terminal there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so that the other end was closed
                break
            if not piece:
                break
            said += piece
        os.close(ours)
        assert process.wait(PATIENCE_S) == 0, said
    return said.decode()


@pytest.mark.slow
def test_long_work_shows_its_progress_on_a_terminal(tmp_path):
    config = simple_files().write(tmp_path / "simulation")
    words = [
        sys.executable,
        "-m",
        "napari_hexrecruit",
        "movie",
        str(config),
        "--size",
        "200",
        "150",
    ]
    said = on_terminal([*words, "-o", str(tmp_path / "out.mp4")])
    for what in ("reading neurons", "spikes", "writing out.mp4"):
        assert what in said


def test_progress_needs_no_semaphore_that_an_interrupt_would_leave():
    with progress_bars():
        assert isinstance(tqdm.tqdm.get_lock(), type(threading.RLock()))
