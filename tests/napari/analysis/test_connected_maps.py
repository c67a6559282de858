"""The panel "Maps" shows who connects, from the selected hexagons or a population."""

from __future__ import annotations

import numpy as np
from qtpy.QtTest import QTest
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import PATIENCE_MS, PLUGIN

from napari_hexrecruit import afferents, recruitment_cube
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.synthetic import write_simulation


def test_the_selected_hexagons_and_a_population_project_to(
    make_napari_viewer, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    config = write_simulation(tmp_path / "run", n_neurons=300, recordings=True)
    cube = recruitment_cube(config)
    viewer = make_napari_viewer()
    layer = viewer.add_layer(RecruitmentLayer(cube))
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Maps")

    def press_add():
        QTest.mouseClick(panel.add.native, LEFT)
        let_events_pass()
        qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)

    let_events_pass()
    qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)
    panel.map.value = "afferent_synapses"
    press_add()
    assert "No hexagon is selected" in panel.status.value
    names = cube["hex"].values[[4, 7]].astype(str).tolist()
    layer.selected_hexes = names
    press_add()
    sim = open_simulation(config)
    shown = panel.stage.layer("afferent_synapses")
    expected = afferents(sim, cube, hexes=names)["afferent_synapses"]
    np.testing.assert_allclose(shown.cube["afferent_synapses"], expected)
    assert shown.name == "Afferent synapses from 2 hexagons"
    assert set(shown.selected_hexes) == set(names)
    panel.map.value, panel.origin.value = "afferent_neurons", ("population", "thalamus")
    press_add()
    expected = afferents(sim, cube, population="thalamus")["afferent_neurons"]
    shown = panel.stage.layer("afferent_neurons")
    np.testing.assert_allclose(shown.cube["afferent_neurons"], expected)
    assert "per neuron" in panel.status.value


def test_without_edges_the_panel_says_what_there_is(
    make_napari_viewer, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    cube = recruitment_cube(write_simulation(tmp_path / "run", n_neurons=200))
    viewer = make_napari_viewer()
    layer = viewer.add_layer(RecruitmentLayer(cube))
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Maps")
    panel.map.value, layer.selected_hexes = "afferent_neurons", [str(cube["hex"].values[0])]
    panel.run()
    qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)
    assert "No edges are from 'cortex' to 'cortex'" in panel.status.value
