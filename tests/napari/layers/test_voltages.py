"""A cube of voltages as a layer and in the panel of traces: units, limits and the slider."""

from __future__ import annotations

import numpy as np
from tests.support.cubes import wave_cube
from tests.support.qt_events import let_events_pass
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.schema import OF_SPIKES, VARIABLES

TITLE = "soma_v, mean over neurons (mV)"


def voltages(base, seed=0):
    values = np.random.default_rng(seed).normal(-65, 3, base["n_spikes"].shape).astype(np.float32)
    attrs = {"units": "mV", "long_name": "soma_v, mean over neurons"}
    cube = base.drop_vars(list(VARIABLES)).assign(soma_v_mean=(("time", "hex"), values, attrs))
    for name in OF_SPIKES:
        del cube.attrs[name]
    return cube.assign_attrs(schema_version=2)


def test_a_layer_and_its_traces_are_in_millivolts(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    spikes = wave_cube(n_rows=3, n_cols=4, n_bins=20)
    cube, viewer = voltages(spikes), make_napari_viewer()
    layer = viewer.add_layer(RecruitmentLayer(cube))
    assert (layer.metric, layer.colorbar_label.text) == ("soma_v_mean", TITLE)
    ends = np.quantile(cube["soma_v_mean"], (0.01, 0.99))
    np.testing.assert_allclose(layer.face_contrast_limits, ends, rtol=1e-5)
    viewer.dims.set_point(0, 50.0)
    shown = layer.features["recruited"].to_numpy()
    np.testing.assert_array_equal(shown, cube["soma_v_mean"].sel(time=50.0))
    assert "mV" in layer.get_status(layer.data[0], world=True)["coordinates"]
    names = cube["hex"].values[[2, 5]].astype(str).tolist()
    layer.selected_hexes = names
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Traces")
    let_events_pass()
    qtbot.waitUntil(lambda: not panel.busy, timeout=PATIENCE_MS)
    main = panel.canvas.plot.main
    assert "mV" in main.get_ylabel()
    low, high = main.get_ylim()
    assert -90.0 < low < -65.0 < high < -40.0
    copied = layer.copy() if hasattr(layer, "copy") else layer
    assert copied.metric == "soma_v_mean"
    layer.show(spikes)
    assert layer.metric == "recruitment"
    assert layer.face_contrast_limits == (0.0, 50.0)
    assert "%" in layer.colorbar_label.text
    layer.show(cube, "soma_v_mean")
    np.testing.assert_allclose(layer.face_contrast_limits, ends, rtol=1e-5)
    assert layer.selected_hexes == tuple(names)
