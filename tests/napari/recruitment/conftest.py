"""The panel and its user."""

from __future__ import annotations

import pytest
from tests.napari.widgets.windowless import PanelUser

from napari_hexrecruit.synthetic import SMALL, write_simulation


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The small sample simulation."""
    return write_simulation(tmp_path_factory.mktemp("sample") / "small", SMALL)


@pytest.fixture
def user(qtbot, monkeypatch):
    """A user in front of the widget, who has never used it before."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return PanelUser(qtbot)
