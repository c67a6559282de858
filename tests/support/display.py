"""A screen of its own for each process that runs tests: windows of others never take the focus."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# The screen goes with the process that asked for it, however that ends.
_SCREEN = """
Xvfb -displayfd 1 -screen 0 1400x1000x24 -nolisten tcp 2>/dev/null &
cat >/dev/null
kill $!
"""


def take_screen() -> None:
    """Let windows of this process open on a new virtual screen, where there can be one."""
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        return
    screen = subprocess.Popen(
        ["sh", "-c", _SCREEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    _screens.append(screen)
    assert screen.stdout is not None
    number = screen.stdout.readline().strip()
    if not number:
        raise RuntimeError("Xvfb did not start")
    os.environ |= {
        "DISPLAY": f":{number}",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "QT_QPA_PLATFORM": "xcb",
    }


_screens: list[subprocess.Popen[str]] = []
