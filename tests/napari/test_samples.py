"""File > Open Sample."""

from __future__ import annotations

import pytest
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit import open_simulation
from napari_hexrecruit._napari import samples
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.synthetic import SMALL, Story


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache is a folder of the test, and the medium sample is not that large."""
    monkeypatch.setattr(samples, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setitem(samples.SAMPLES, "medium", Story(n_neurons=5_000))
    return tmp_path / "cache"


@pytest.mark.parametrize(("name", "n_neurons"), [("small", 2_000), ("medium", 5_000)])
def test_opens_the_sample(make_napari_viewer, name, n_neurons):
    viewer = make_napari_viewer()
    (layer,) = viewer.open_sample(PLUGIN, name)
    assert isinstance(layer, RecruitmentLayer)
    assert layer.name == f"cortex ({name} sample)"
    assert layer.cube.attrs["n_neurons_selected"] == pytest.approx(n_neurons, rel=0.1)
    assert viewer.layers[0] is layer
    assert layer.face_colorbar.visible


def test_it_is_what_the_story_says(make_napari_viewer):
    (layer,) = make_napari_viewer().open_sample(PLUGIN, "small")
    expected = SMALL.expected()
    assert (layer.cube["n_recruited"].to_numpy() == expected.n_recruited).all()


def test_it_is_written_once(cache):
    path = samples.sample_simulation("small")
    written = path.stat().st_mtime_ns
    assert samples.sample_simulation("small") == path
    assert path.stat().st_mtime_ns == written
    assert cache in path.parents
    assert open_simulation(path).default_population() == "cortex"


def test_one_that_another_napari_has_just_written_is_taken(monkeypatch):
    real = samples.write_simulation

    def too_late(*args, **kwargs):
        monkeypatch.setattr(samples, "write_simulation", real)
        written.append(samples.sample_simulation("small").stat().st_ino)
        return real(*args, **kwargs)

    written = []
    monkeypatch.setattr(samples, "write_simulation", too_late)
    assert [samples.sample_simulation("small").stat().st_ino] == written


@pytest.mark.parametrize("name", ["nodes.h5", "output/spikes.h5", "simulation_config.json"])
@pytest.mark.parametrize("content", [None, b"", b"no simulation"])
def test_a_damaged_one_is_written_again(name, content):
    folder = samples.sample_simulation("small").parent
    whole = (folder / name).read_bytes()
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    assert samples.sample_simulation("small").parent == folder
    assert (folder / name).read_bytes() == whole


def test_foreign_files_in_the_cache_are_left_alone():
    folder = samples.sample_simulation("small").parent
    (folder / "simulation_config.json").unlink()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis\.txt"):
        samples.sample_simulation("small")
    assert (folder / "thesis.txt").read_text() == "mine"


def test_an_unknown_sample_lists_those_there_are(make_napari_viewer):
    viewer = make_napari_viewer()
    with pytest.raises(ValueError, match="use one of small, medium"):
        viewer.open(f"{samples.SCHEME}huge", plugin=PLUGIN)


def test_progress_is_reported_while_it_is_written():
    reports = []
    samples.sample_simulation("small", lambda *report: reports.append(report))
    assert {what for what, _, _ in reports} == {"neurons", "spikes"}


def test_the_cache_is_the_users(monkeypatch):
    monkeypatch.undo()
    assert "napari-hexrecruit" in samples.cache_folder().parts


def test_a_cache_that_cannot_be_written_is_told_with_what_to_do(cache):
    cache.parent.mkdir(exist_ok=True)
    cache.write_bytes(b"a file in the way")
    with pytest.raises(
        SimulationDataError, match=r"the sample cannot be written: .*hexrecruit demo"
    ):
        samples.sample_simulation("small")
