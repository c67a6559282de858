"""Settings of all tests."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from tests.support.commands_once import put_together_once
from tests.support.display import take_screen
from tests.support.thorough import repetitions

from napari_hexrecruit.system.threads import n_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

# Helpers of the tests have no examples to run, and one does everything once on import.
collect_ignore_glob = ["support/*", "fuzz/*", "golden/*"]

# The first example of a test may import or compile; how long that takes says nothing.
# The same examples each time, so that a run judges the change that was made and nothing else:
# HYPOTHESIS_PROFILE=random looks for new ones.
N_EXAMPLES = repetitions(30, 200)
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=N_EXAMPLES)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure(config: pytest.Config) -> None:
    """Each of several processes that run tests has a screen of its own."""
    if hasattr(config, "workerinput"):
        take_screen()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: as many processes as cores that this one may use."""
    return n_cores()


@pytest.fixture(scope="session", autouse=True)
def _commands_are_put_together_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        put_together_once(patch)
        yield


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    """What runs in the background of a shell ignores Ctrl-C, and so would all that tests start.

    The command itself ignores it when it is about to end, which a test that calls it is not. Under
    ``nohup`` it is the same with a terminal that is closed.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    closed = getattr(signal, "SIGHUP", None)
    if closed is not None and signal.getsignal(closed) is signal.SIG_IGN:
        signal.signal(closed, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of windows and panels are marked by themselves."""
    for item in items:
        if {"make_napari_viewer", "qtbot"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.window)
