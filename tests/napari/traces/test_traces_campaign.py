"""Picks and traces of a layer with scan parameters as further sliders."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtTest import QTest
from tests.napari.traces.test_traces import Panel
from tests.support.campaign_files import write_json, write_run
from tests.support.mouse import LEFT, NO_KEY, Mouse

from napari_hexrecruit._napari.layers.campaign_layer import CampaignLayer
from napari_hexrecruit.campaign import list_simulations, open_campaign, run_campaign


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Three simulations with another seed each."""
    top = tmp_path_factory.mktemp("scan")
    rows = []
    for seed in range(3):
        write_run(top / "runs" / str(seed), seed=seed)
        rows.append({"path": f"runs/{seed}", "parameters": {"seed": seed}})
    run_campaign(
        list_simulations(write_json(top / "campaign.json", rows)), top / "out", n_workers=1
    )
    return open_campaign(top / "out")


def test_traces_are_those_of_the_simulation_that_is_shown(
    make_napari_viewer, qtbot, monkeypatch, campaign
):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_layer(CampaignLayer(campaign))
    panel = Panel(viewer, qtbot)
    viewer.reset_view()
    cube = layer.cube.compute()
    most = int(cube["n_spikes"].sum("time").to_numpy().argmax())
    name = str(cube["hex"].to_numpy()[most])
    Mouse(viewer).click_hex(cube, name)
    for seed in (0, 2, 1):
        viewer.dims.set_point(0, seed)
        panel.wait()
        assert layer.selected_hexes == (name,)
        (line,) = panel.lines
        expected = campaign["recruitment"].isel(seed=seed, hex=most).to_numpy()
        np.testing.assert_allclose(line.get_ydata(), expected)
    bin_ms = float(cube.attrs["bin_ms"])
    QTest.mouseClick(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(2.5 * bin_ms))
    assert layer.current_bin == 2
    assert viewer.dims.point[0] == 1
    assert panel.canvas.cursor_ms == (2 * bin_ms, 3 * bin_ms)
    assert panel.told == []
