"""The widget "Wave list": what it lists, and what choosing a wave shows."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Vectors
from qtpy.QtTest import QTest
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.wave_cubes import Known, centres, cube_with
from tests.support.widget_helpers import PATIENCE_MS, PLUGIN

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.analysis import find_waves, wave_latency

SHEET = centres(12, 12)
KNOWN = [Known(50.0, (300.0, 400.0)), Known(210.0, direction_deg=30.0)]


@pytest.fixture
def opened(make_napari_viewer, qtbot, monkeypatch):
    """Opens the panel on a cube; gives viewer, layer, panel and a way to press its buttons."""
    monkeypatch.setenv("NAPARI_CONFIG", "")

    def open_panel(cube, show=False):
        viewer = make_napari_viewer(show=show)
        layer = viewer.add_layer(RecruitmentLayer(cube, name="cube"))
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Wave list")

        def press(button):
            QTest.mouseClick(button.native, LEFT)
            let_events_pass()
            qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)

        let_events_pass()
        return viewer, layer, panel, press

    return open_panel


def lines_in(viewer):
    return [layer for layer in viewer.layers if isinstance(layer, Vectors)]


def test_a_wave_that_is_chosen_is_shown(opened):
    arrivals = [one.arrival_ms(*SHEET[2:]) for one in KNOWN]
    cube = cube_with(arrivals, n_bins=45, sheet=SHEET)
    viewer, layer, panel, press = opened(cube)
    assert not panel.list.visible
    press(panel.find)
    found = find_waves(cube)
    assert panel.summary.value.startswith("2 waves, 4.44 per second. Intervals: median 160 ms")
    titles = [panel.list.native.item(k).text() for k in range(panel.list.native.count())]
    assert titles[0].startswith("1: 50 ms, 144 hexagons, ") and titles[0].endswith(" µm/ms")
    assert titles[1].startswith("2: 210 ms, 144 hexagons, ") and titles[1].endswith(" µm/ms, 30°")

    panel.list.value = [1]
    assert viewer.dims.point[0] == 210.0
    reached = np.isfinite(wave_latency(found, 2).values)
    assert set(layer.selected_hexes) == set(cube["hex"].values[reached])
    (drawn,) = lines_in(viewer)
    assert drawn.name == "Wave, front" and len(drawn.data) > 10
    assert panel.about.value.startswith("Plane wave: ") and "A line every" in panel.about.value
    assert viewer.layers.selection.active is layer

    panel.local.value = True
    (drawn,) = lines_in(viewer)
    assert drawn.name == "Wave, local velocity"
    panel.list.value = [0]
    assert viewer.dims.point[0] == 50.0 and len(lines_in(viewer)) == 1
    press(panel.erase)
    assert not lines_in(viewer) and not panel.list.visible and panel.summary.value == ""

    press(panel.find)
    panel.list.value = [0]
    layer.cube = cube_with([], n_bins=12, sheet=SHEET)  # another cube: its waves are unknown
    let_events_pass()
    assert not lines_in(viewer) and panel.found is None
    press(panel.find)
    assert panel.summary.value == "No waves: no activity spreads over enough hexagons."
