"""``hexrecruit campaign``: what it says, and how it ends."""

from __future__ import annotations

import json

import pytest
from tests.support.campaign_files import write_grid, write_run

from napari_hexrecruit import read_cube, recruitment_cube
from napari_hexrecruit.campaign import open_campaign, select_cube
from napari_hexrecruit.cli import main

pytestmark = pytest.mark.usefixtures("one_server")


@pytest.fixture
def run(capsys):
    """Exit status, lines on standard output, lines on standard error."""

    def command(*words):
        with pytest.raises(SystemExit) as end:
            main(["campaign", *map(str, words)])
        said = capsys.readouterr()
        return end.value.code, said.out.splitlines(), said.err.splitlines()

    return command


@pytest.fixture
def campaign(tmp_path):
    return write_grid(tmp_path, (1.0, 1.1), (1,))


@pytest.mark.slow
def test_a_campaign_from_its_file_to_its_dataset_and_again(run, campaign, tmp_path):
    out, options = tmp_path / "out", tmp_path / "run.yaml"
    words = (campaign, "-o", out, "--workers", 1, "--radius", 60, "--where", "layer=1:5")
    status, said, errors = run(*words, "--run-file", options)
    assert (status, errors) == (0, [])
    assert said == [
        f"wrote the options to {options}",
        f"{out}: 2 simulations done",
        f"  dataset: {out / 'campaign.hexrecruit.zarr'}",
    ]
    path = tmp_path / "runs" / "1" / "simulation_config.json"
    cube = recruitment_cube(path, radius=60.0, where="layer=1:5")
    assert select_cube(open_campaign(out), ca=1.1).identical(cube)
    assert read_cube(out / "cubes" / "1.hexrecruit.nc").identical(cube)

    status, said, _ = run(campaign, "-o", out, "--run-file", options)
    assert (status, said[0]) == (0, f"{out}: 2 simulations done, 2 of them before")


@pytest.mark.slow
def test_what_failed_is_told_and_the_rest_is_done(run, campaign, tmp_path):
    (tmp_path / "runs" / "0" / "output" / "spikes.h5").unlink()
    status, said, errors = run(campaign, "-o", tmp_path / "out", "--workers", 1)
    assert (status, errors) == (1, [])
    assert said[0].endswith("out: 1 simulation done, 1 failed")
    assert said[1].startswith("  failed: 0: ") and "run the simulation" in said[1]
    assert len(said) == 3


@pytest.mark.slow
def test_simulations_with_notes_and_in_windows(run, tmp_path):
    for k in range(2):
        write_run(tmp_path / f"r{k}", seed=k, run={"tstop": 100.0, "dt": 0.025, "random_seed": k})
    out = tmp_path / "out"
    pattern = str(tmp_path / "r*")
    status, said, _ = run(pattern, "-o", out, "--workers", 2, "--split", 50)
    assert status == 0
    assert said[1].startswith("  note: parameters are taken from where the configurations differ")
    assert len(list((out / "cubes").iterdir())) == 4
    cube = recruitment_cube(tmp_path / "r1" / "simulation_config.json")
    assert select_cube(open_campaign(out), {"run.random_seed": 1}).identical(cube)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing.json", "-o", "out"], "missing.json: does not exist"),
        (["campaign.json", "-o", "campaign.json"], "is a file: give the name of a folder"),
        (["campaign.json", "-o", "out", "--radius", "0"], "radius"),
        (["campaign.json", "-o", "out", "--split", "15", "--workers", "1"], "use 10 or 20 ms"),
        (["campaign.json", "-o", "out", "--dashboard", ":0"], "needs bokeh: pip install bokeh"),
        (["campaign.json"], "Missing option '-o'"),
    ],
)
def test_mistakes_are_told_in_a_line(run, campaign, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    status, said, errors = run(*words)
    assert (status, said, len(errors)) == (2, [], 1)
    assert says in errors[0]
    assert not (tmp_path / "out" / "cubes").exists() or not any((tmp_path / "out/cubes").iterdir())


def test_other_options_than_before_are_told(run, campaign, tmp_path):
    out = tmp_path / "out"
    manifest = {
        "format": "napari-hexrecruit campaign",
        "version": 1,
        "options": {"radius": 25.0},
        "split_ms": None,
        "notes": [],
        "collected": "",
        "simulations": [],
    }
    out.mkdir()
    (out / "campaign.hexrecruit.json").write_text(json.dumps(manifest))
    status, _, errors = run(campaign, "-o", out)
    assert status == 2
    assert "holds a campaign with other options" in errors[0]
    assert "radius is 25.0, not 50.0" in errors[0]
