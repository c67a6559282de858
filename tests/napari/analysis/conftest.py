"""Panels of analyses, in a window or without one."""

from __future__ import annotations

import pytest
from tests.napari.analysis.panels import Panel
from tests.support.viewers import a_viewer

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer


@pytest.fixture
def opened(make_napari_viewer, qtbot, monkeypatch):
    """Opens a panel in a viewer with layers of cubes by name."""
    monkeypatch.setenv("NAPARI_CONFIG", "")

    def open_panel(name, window=True, show=False, **cubes):
        viewer = make_napari_viewer(show=show) if window else a_viewer()
        layers = [viewer.add_layer(RecruitmentLayer(c, name=n)) for n, c in cubes.items()]
        return Panel(viewer, qtbot, name), layers

    return open_panel
