"""Settings of all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# The first example of a test may import or compile; how long that takes says nothing.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """What runs in the background of a shell ignores Ctrl-C, and so would all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
