"""Settings of all tests."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# The first example of a test may import or compile; how long that takes says nothing.
# The same examples each time, so that a run judges the change that was made and nothing else:
# HYPOTHESIS_PROFILE=random looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the tests: one window at a time, and a file's fixtures are made once."""
    for item in items:
        with_windows = "napari" in item.path.relative_to(item.config.rootpath).parts[:-1]
        item.add_marker(pytest.mark.xdist_group("windows" if with_windows else item.path.name))


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    """What runs in the background of a shell ignores Ctrl-C, and so would all that tests start.

    The command itself ignores it when it is about to end, which a test that calls it is not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
