"""A file in the place of another: what it is, and how to use it."""

from __future__ import annotations

import json

import pytest
from tests.support.sonata_files import simple_files

from napari_hexrecruit import open_simulation, read_cube, recruitment_cube, write_cube
from napari_hexrecruit.cli import main
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.pipeline.check import check_simulation
from napari_hexrecruit.storage.kinds import kind_of


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of each kind, by kind."""
    folder = tmp_path_factory.mktemp("kinds")
    config = simple_files(60, 200).write(folder)
    cube = recruitment_cube(config)
    (folder / "a.mp4").write_bytes(b"\0\0\0 ftypisom" + bytes(20))
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (folder / "a.nrrd").write_bytes(b"NRRD0004\n")
    (folder / "campaign.json").write_text(json.dumps({"simulations": [str(config)]}))
    other = folder / "renamed.nc"
    other.write_bytes(write_cube(cube, folder / "run.hexrecruit.nc").read_bytes())
    return {
        "simulation": config,
        "circuit": folder / "circuit_config.json",
        "node sets": folder / "node_sets.json",
        "spikes": folder / "output" / "spikes.h5",
        "nodes": folder / "nodes.h5",
        "cube": folder / "run.hexrecruit.nc",
        "cube folder": write_cube(cube, folder / "run.hexrecruit.zarr"),
        "movie": folder / "a.mp4",
        "picture": folder / "a.png",
        "volume": folder / "a.nrrd",
        "campaign": folder / "campaign.json",
        "renamed": other,
    }


KINDS = (
    *("simulation", "circuit", "node sets", "spikes", "nodes", "cube", "cube folder"),
    *("movie", "picture", "volume", "campaign"),
)


def answer(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_known_by_its_content(kind, files):
    assert kind_of(files[kind]) == kind


def test_nothing_is_made_of_what_is_not_known(tmp_path):
    (tmp_path / "a.txt").write_text("0.1 5\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "half.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "list.json").write_text("[1]")
    assert {kind_of(tmp_path / name) for name in ("a.txt", "empty", "half.h5", "list.json")} == {
        None
    }
    assert kind_of(tmp_path) is None
    assert kind_of(tmp_path / "gone") is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "simulation"])
def test_in_the_place_of_a_simulation(kind, files, capsys, tmp_path):
    said = "recruitment cube" if kind == "cube folder" else kind
    for words in (
        ("cube", files[kind], "-o", tmp_path / "a.hexrecruit.nc"),
        ("info", files[kind]),
        ("movie", files[kind], "-o", tmp_path / "a.mp4"),
    ):
        if words[0] == "movie" and kind.startswith("cube"):
            continue
        status, message = answer(capsys, *words)
        assert status == 2
        assert message.count("\n") == 1
        assert said in message
        assert "not a simulation configuration" in message
    with pytest.raises(SimulationDataError, match="not a simulation configuration"):
        open_simulation(files[kind])
    (error,) = check_simulation(files[kind])
    assert error.status == "error"
    assert said in error.found
    assert error.remedy


@pytest.mark.parametrize("kind", ["spikes", "nodes", "movie", "circuit"])
def test_the_viewer_is_not_opened_with_it(kind, files, capsys):
    status, message = answer(capsys, "view", files[kind])
    assert status == 2
    assert "not a simulation configuration" in message


@pytest.mark.parametrize("kind", ["simulation", "circuit", "spikes", "nodes", "movie"])
def test_in_the_place_of_a_cube(kind, files, capsys):
    status, message = answer(capsys, "traces", files[kind])
    assert status == 2
    assert "not a recruitment cube" in message
    if kind == "simulation":
        assert f"hexrecruit cube {files[kind]} -o run.hexrecruit.nc" in message


@pytest.mark.parametrize("kind", ["simulation", "spikes", "nodes"])
def test_under_the_name_of_a_cube(kind, files, tmp_path):
    disguised = tmp_path / "a.hexrecruit.nc"
    disguised.write_bytes(files[kind].read_bytes())
    with pytest.raises(SimulationDataError, match="not a recruitment cube"):
        read_cube(disguised)


def test_a_cube_under_another_name(files, capsys):
    status, message = answer(capsys, "traces", files["renamed"])
    assert status == 2
    assert "is a recruitment cube under another name: rename it to end in .hexrecruit.nc" in message
    status, message = answer(capsys, "info", files["renamed"])
    assert "rename it to end in .hexrecruit.nc, and show it (hexrecruit view" in message


@pytest.mark.parametrize("kind", ["simulation", "nodes", "cube", "movie"])
def test_in_the_place_of_the_spikes(kind, files, capsys, tmp_path):
    words = (
        "cube",
        files["simulation"],
        "--spikes",
        files[kind],
        "-o",
        tmp_path / "a.hexrecruit.nc",
    )
    status, message = answer(capsys, *words)
    assert status == 2
    assert "not a spikes file: " in message


@pytest.mark.parametrize("kind", ["simulation", "nodes", "spikes", "cube"])
def test_in_the_place_of_the_circuit(kind, files, capsys, tmp_path):
    output = tmp_path / "a.hexrecruit.nc"
    words = ("cube", files["simulation"], "--circuit", files[kind], "-o", output)
    status, message = answer(capsys, *words)
    assert status == 2
    assert "not a circuit configuration: " in message


def test_a_spikes_file_in_a_campaign(files, capsys, tmp_path):
    words = ("campaign", files["spikes"], "-o", tmp_path / "scan")
    status, message = answer(capsys, *words)
    assert status == 2
    assert "is a SONATA spikes file" in message
