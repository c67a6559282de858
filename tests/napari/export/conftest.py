"""Users with the section Export in front of them."""

from __future__ import annotations

import pytest
from tests.napari.export.exporting import user_of
from tests.support.qt_events import let_events_pass
from tests.support.viewers import a_viewer


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    """A window that is not drawn: hexagons are exported without it."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return make_napari_viewer()


@pytest.fixture
def drawn(make_napari_viewer, monkeypatch):
    """A window whose canvas can be exported."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    let_events_pass()
    return viewer


@pytest.fixture
def user(viewer, qtbot, cube):
    """A user with a layer of 5 bins of 10 ms from 3000 ms and 12 hexagons."""
    return user_of(viewer, qtbot, cube)


@pytest.fixture
def watcher(drawn, qtbot, cube):
    """The same in front of a canvas that is drawn."""
    return user_of(drawn, qtbot, cube)


@pytest.fixture
def alone(qtbot, cube, monkeypatch):
    """The same with the widget in no window."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return user_of(a_viewer(), qtbot, cube)
