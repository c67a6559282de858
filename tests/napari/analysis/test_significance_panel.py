"""The widget "Significance": what it tests, outlines and lists."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Vectors
from qtpy.QtTest import QTest
from tests.support.cubes import cube_of
from tests.support.doubtful import doubtful
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import PATIENCE_MS, PLUGIN

from napari_hexrecruit._napari.analysis.significance import borders_of
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.analysis import cluster_test, clusters_table, cut_trials

pytestmark = doubtful  # few trials

ROW, COL = (a.ravel() for a in np.mgrid[0:5, 0:5])
PATCH = (abs(ROW - 2) <= 1) & (abs(COL - 2) <= 1)


def cube(seed=1, extra=30):
    """Onsets every 100 ms from 50 ms on; a patch responds for 20 ms."""
    counts = np.random.default_rng(seed).binomial(100, 0.2, (80, len(ROW)))
    for onset in range(5, 80, 10):
        counts[onset : onset + 2, PATCH] += extra
    return cube_of(counts, row=ROW, col=COL)


@pytest.fixture
def panel_of(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer()
    layer = viewer.add_layer(RecruitmentLayer(cube(), name="cube"))
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Significance")

    def press(button):
        QTest.mouseClick(button.native, LEFT)
        let_events_pass()
        qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)

    let_events_pass()
    return viewer, layer, panel, press


def test_borders_go_around_what_is_significant():
    one = cube_of(np.zeros((2, 25), int), row=ROW, col=COL)
    inside = np.zeros((2, 25), bool)
    inside[1, PATCH] = True
    pieces = borders_of(one.assign(significant=(("time", "hex"), inside)))
    assert set(pieces[:, 0, 0]) == {1.0} and (pieces[:, 1, 0] == 0).all()
    ends = pieces[:, 0] + pieces[:, 1]
    np.testing.assert_allclose(np.hypot(*pieces[:, 1, 1:].T), 50.0)

    def as_set(points):
        return sorted(map(tuple, points[:, 1:].round(6).tolist()))

    assert as_set(pieces[:, 0]) == as_set(ends)  # closed: each corner is left as often as reached
    assert len(pieces) == 6 * 9 - 2 * 16  # nine hexagons share 16 sides


def test_a_response_is_tested_outlined_and_listed(panel_of):
    viewer, layer, panel, press = panel_of
    panel.first.value, panel.period.value, panel.length.value = 50.0, 100.0, 40.0
    press(panel.test)
    trials = cut_trials(layer.cube, np.arange(50.0, 800.0, 100.0), before=40.0, after=40.0)
    expected = clusters_table(cluster_test(trials))
    assert panel.found is not None and panel.found.table.equals(expected)
    assert panel.result.value.startswith("<b>1 of ") and "not itself tested" in panel.result.value
    result = panel.stage.layer("significance")
    assert result.metric == "difference" and not layer.visible
    (drawn,) = [one for one in viewer.layers if isinstance(one, Vectors)]
    bins = np.flatnonzero(panel.found.result["significant"].any("hex"))
    assert set(drawn.data[:, 0, 0]) == set(bins.tolist()) >= {0, 1}
    assert drawn.scale.tolist() == result.scale.tolist()

    viewer.dims.set_point(0, 30.0)
    panel.list.value = [0]
    assert viewer.dims.point[0] == 0.0
    line = panel.list.native.item(0).text()
    assert line.startswith("p 0.0078 (+): ") and line.endswith("hexagons, 0 to 30 ms")
    press(panel.erase)
    assert layer.visible and [one.name for one in viewer.layers] == ["cube"]

    other = viewer.add_layer(RecruitmentLayer(cube(seed=2, extra=0), name="other"))
    let_events_pass()
    panel.kind.value = "layers"
    assert (panel.a.value, panel.b.value) == (layer, other)
    press(panel.test)
    others = cut_trials(other.cube, np.arange(50.0, 800.0, 100.0), before=0.0, after=40.0)
    trials = cut_trials(layer.cube, np.arange(50.0, 800.0, 100.0), before=0.0, after=40.0)
    expected = clusters_table(cluster_test(trials, others))
    assert panel.found.table.equals(expected)
    assert "the trials of A and B differ" in panel.result.value
    inside = panel.found.result["significant"].values
    assert inside[:2, PATCH].all() and not inside[2:].any()
    panel.b.value = layer
    press(panel.test)
    assert panel.status.value.startswith("A and B are one layer")
    panel.b.value = other

    panel.first.value = 5_000.0
    press(panel.test)
    assert "No onset lies from 5000 to 800 ms" in panel.status.value
