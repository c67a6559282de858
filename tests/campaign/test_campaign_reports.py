"""A campaign of reports: each simulation's cube, in one dataset with the report's units."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.campaign_files import N_NEURONS, write_grid
from tests.support.report_files import name_report, write_report

from napari_hexrecruit import open_campaign, recruitment_cube
from napari_hexrecruit.campaign import list_simulations, run_campaign, select_cube
from napari_hexrecruit.errors import ParameterError

pytestmark = pytest.mark.usefixtures("one_server")


@pytest.fixture
def campaign(tmp_path):
    """Four simulations of two parameters; one report is missing."""
    file = write_grid(tmp_path, (1.0, 1.1), (1, 2))
    rng = np.random.default_rng(3)
    for k in range(4):
        run = tmp_path / "runs" / str(k)
        name_report(run / "simulation_config.json")
        if k != 2:
            values = rng.normal(-60.0 + k, 3.0, (200, N_NEURONS)).astype("f4")
            write_report(run / "output" / "soma_v.h5", values)
    return file


@pytest.mark.slow
def test_its_dataset_is_of_the_report(campaign, tmp_path):
    found = list_simulations(campaign)
    options = {"report": "soma_v", "statistic": "max", "radius": 100.0}
    result = run_campaign(found, tmp_path / "out", **options, n_workers=1)
    assert list(result.failures) == ["2"] or len(result.failures) == 1
    assert "the report does not exist" in next(iter(result.failures.values()))
    dataset = open_campaign(tmp_path / "out")
    assert "recruitment" not in dataset
    assert dataset["soma_v_max"].attrs["units"] == "mV"
    assert (
        dataset.attrs["title"] == "soma_v, greatest of the neurons in a campaign of 4 simulations"
    )
    for ca, seed, k in ((1.0, 1, 0), (1.0, 2, 1), (1.1, 2, 3)):
        alone = recruitment_cube(tmp_path / f"runs/{k}/simulation_config.json", **options)
        assert select_cube(dataset, ca=ca, seed=seed).load().identical(alone)
    assert np.isnan(dataset["soma_v_max"].sel(ca=1.1, seed=1)).all()
    again = run_campaign(found, tmp_path / "out", **options, n_workers=1)
    assert again.n_kept == 3
    write_report(tmp_path / "runs/0/output/soma_v.h5", np.full((200, N_NEURONS), -50.0))
    anew = run_campaign(found, tmp_path / "out", **options, n_workers=1)
    assert anew.n_kept == 2
    assert float(open_campaign(tmp_path / "out")["soma_v_max"].sel(ca=1.0, seed=1).max()) == -50.0


def test_windows_are_refused_before_anything_is_written(campaign, tmp_path):
    found = list_simulations(campaign)
    with pytest.raises(ParameterError, match="split_ms divides the spikes"):
        run_campaign(found, tmp_path / "out", report="soma_v", split_ms=50.0)
    assert not (tmp_path / "out").exists()
    assert json.loads(campaign.read_text())
