"""Settings of the tests of campaigns."""

from __future__ import annotations

import sys

import pytest
from tests.support.commands import begin_server


@pytest.fixture(scope="session")
def one_server():
    """Workers and the commands of other tests are forked from one process, whichever come first."""
    if sys.platform not in ("win32", "darwin"):
        begin_server()
