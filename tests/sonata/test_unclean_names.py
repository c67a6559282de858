"""Names of files and folders that look like patterns, options or formats: they are names."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.support.campaign_files import write_json, write_run
from tests.support.cubes import letter_cube

from napari_hexrecruit import open_simulation, read_cube, recruitment_cube, write_cube, write_movie
from napari_hexrecruit.campaign import list_simulations
from napari_hexrecruit.cli import main
from napari_hexrecruit.pipeline.cubes import large_cube
from napari_hexrecruit.render.frames import render_frames

CONFIG = "simulation_config.json"
STRANGE = ["100%d", "a#b", 'it\'s "so"', "-x", "皮質", "[1] {0} ~", "a:b", "new\nline", "*", "?"]


@pytest.fixture
def scan(tmp_path):
    """Folders of a scan as people name them, and others that the names match as patterns."""
    for name in ("scan[1]/ca[1.0]", "scan[1]/ca[2.0]", "scan1/other"):
        write_run(tmp_path / name, seed=len(name))
    return tmp_path


def names_of(campaign, folder):
    return [str(m.path.parent.relative_to(folder)) for m in campaign.members]


BOTH = ["scan[1]/ca[1.0]", "scan[1]/ca[2.0]"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("scan[1]/*/simulation_config.json", BOTH),
        ("scan[1]/ca[[]?.0]", BOTH),
        ("scan[1]/ca[?.0]", BOTH),
        ("scan[1]/**/simulation_config.json", BOTH),
        ("scan[1]/*/", BOTH),
        ("scan[1]/ca[1.0]", BOTH[:1]),
        ("scan[2]/*", None),
        ("scan?/*", ["scan1/other"]),
        ("*[1]/ca[1.0]", BOTH[:1]),
        ("./scan[1]/../scan[1]/ca[1.0]/*.json", None),
        ("scan\\other", None),
        ("scan1\\other\\simulation_config.json", ["scan1/other"]),
        ("scan[1]\\*\\simulation_config.json", BOTH),
    ],
)
def test_brackets_are_names_where_such_are_there(scan, pattern, found, monkeypatch):
    monkeypatch.chdir(scan)
    for source in (pattern, str(scan / pattern)):
        if found is None:
            with pytest.raises(ValueError):
                list_simulations(source)
        else:
            assert names_of(list_simulations(source), scan) == found


def test_a_name_that_is_also_a_pattern_is_told(scan):
    campaign = list_simulations(f"{scan}/scan[1]/*/{CONFIG}")
    assert campaign.notes[0].startswith("'scan[1]' is a name here and is taken as one, though as")
    (scan / "scan1" / "other" / CONFIG).unlink()
    (scan / "scan1" / "other").rename(scan / "elsewhere")
    (scan / "scan1").rmdir()
    assert not any("is a name" in n for n in list_simulations(f"{scan}/scan[1]/*/{CONFIG}").notes)


def test_a_name_that_leads_nowhere_is_a_pattern(tmp_path):
    (tmp_path / "scan[1]").mkdir()
    write_run(tmp_path / "scan1" / "a")
    assert names_of(list_simulations(f"{tmp_path}/scan[1]/*/{CONFIG}"), tmp_path) == ["scan1/a"]


@pytest.mark.parametrize("name", ["run?", "run*", "a[b", "[ab]"])
def test_wild_letters_in_real_names(tmp_path, name):
    write_run(tmp_path / name)
    write_run(tmp_path / "run1")
    write_run(tmp_path / "a")
    assert names_of(list_simulations(f"{tmp_path}/{name}"), tmp_path) == [name]
    assert names_of(list_simulations(f"{tmp_path}/{name}/sim*.json"), tmp_path) == [name]


def test_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_run(tmp_path / "runs" / "0")
    assert names_of(list_simulations("~/runs/0"), tmp_path) == ["runs/0"]
    assert names_of(list_simulations(f"~/runs/*/{CONFIG}"), tmp_path) == ["runs/0"]


def test_brackets_and_backslashes_in_campaign_files(scan):
    runs = [{"path": "scan[1]/ca[1.0]"}, {"path": f"scan[1]\\ca[2.0]\\{CONFIG}"}]
    file = write_json(scan / "[all].json", {"simulations": runs})
    for source in (file, f"{scan}/[all]*.json", f"{scan}/[all].*"):
        assert names_of(list_simulations(source), scan) == BOTH


@pytest.mark.slow
def test_a_campaign_of_folders_with_brackets_into_one(scan, capsys):
    out = scan / "out[1] 100%d"
    for words in (["--workers", "1"], ["--workers", "1", "--overwrite"]):
        with pytest.raises(SystemExit) as end:
            main(["campaign", f"{scan}/scan[1]/*/{CONFIG}", "-o", str(out), *words])
        assert end.value.code == 0
        assert "2 simulations done" in capsys.readouterr().out
    listed = json.loads((out / "campaign.hexrecruit.json").read_text())
    assert "ca[1.0]" in json.dumps(listed)
    assert not [name for name in os.listdir(out) if name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize("name", STRANGE)
def test_outputs_of_strange_names_in_strange_folders(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    cube, frames = letter_cube(), render_frames(letter_cube(), size=(64, 64), colorbar=False)
    for again in (False, True):
        for ending in (".gif", ".mp4", ".webm", ""):
            written = write_movie(frames, folder / f"{name}{ending}", overwrite=again)
            assert written.exists()
        assert min(os.listdir(folder / name)) == "frame-000.png"
        assert read_cube(write_cube(cube, folder / f"{name}.hexrecruit.nc", overwrite=again))
    found = set(os.listdir(folder))
    assert found == {name + e for e in ("", ".gif", ".mp4", ".webm", ".hexrecruit.nc")}


@pytest.mark.parametrize("name", ["scan[1]", "100%d", "a#b"])
def test_simulations_in_strange_folders_give_the_same_cube(tmp_path, name):
    plain = recruitment_cube(write_run(tmp_path / "plain", seed=3))
    config = write_run(tmp_path / name, seed=3)
    assert (recruitment_cube(config)["n_recruited"] == plain["n_recruited"]).all()
    large = large_cube(open_simulation(config), tmp_path / name / f"{name}.hexrecruit.zarr")
    assert (large["n_recruited"] == plain["n_recruited"]).all()
    assert read_cube(tmp_path / name / f"{name}.hexrecruit.zarr")["n_spikes"].sum() > 0


def hexrecruit(*words, folder, **environment):
    return subprocess.run(
        [sys.executable, "-m", "napari_hexrecruit", *map(os.fspath, words)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_from_the_configuration_to_the_movie(tmp_path):
    config = write_run(tmp_path / os.fsdecode(b"f\xff"), seed=1)
    folder = os.fsencode(config.parent)
    cube, large = folder + b"/c\xfe.hexrecruit.nc", folder + b"/c\xfe.hexrecruit.zarr"
    small = ["--size", "160", "120"]
    for words in (
        ["cube", config, "-o", cube, "--run-file", folder + b"/\xfe.yaml"],
        ["cube", config, "-o", large],
        ["movie", cube, "-o", folder + b"/m\xfe.gif", "--title", b"\xff", *small],
        ["movie", large, "-o", folder + b"/m\xfe/", *small],
        ["info", config],
        ["check", config],
        ["campaign", config, "-o", folder + b"/out\xfe", "--workers", "1"],
    ):
        done = hexrecruit(*words, folder=tmp_path, PYTHONIOENCODING="utf-8")
        assert b"Traceback" not in done.stderr and done.returncode == 0, done.stderr.decode()
    assert {b"m\xfe.gif", b"m\xfe", b"c\xfe.hexrecruit.nc"} <= set(os.listdir(folder))


@pytest.mark.slow
def test_a_name_that_standard_output_cannot_take(tmp_path):
    config = write_run(tmp_path / "皮質", seed=1)
    words = ["cube", config, "-o", tmp_path / "皮質.hexrecruit.nc"]
    done = hexrecruit(*words, folder=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u76ae\u8cea.hexrecruit.nc: " in done.stdout


@pytest.mark.slow
def test_an_output_that_begins_with_a_dash(tmp_path):
    write_cube(letter_cube(), tmp_path / "-c.hexrecruit.nc")
    words = [
        "movie",
        "-o",
        "./-x.gif",
        "--size",
        "64",
        "64",
        "--title=-x",
        "--",
        "-c.hexrecruit.nc",
    ]
    done = hexrecruit(*words, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "-x.gif").exists()


@pytest.mark.slow
def test_a_command_on_a_zarr_folder_ends(tmp_path):
    large_cube(write_run(tmp_path / "run"), tmp_path / "a.hexrecruit.zarr")
    words = ["movie", "a.hexrecruit.zarr", "-o", "a.gif", "--size", "64", "64"]
    assert hexrecruit(*words, folder=tmp_path).returncode == 0
