"""Simulations as they are in the wild: what is read, what is said, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.deviations import DEVIATIONS, spikes_file, write
from tests.support.doubtful import doubtful

from napari_hexrecruit import RecruitmentWarning, open_simulation, recruitment_cube
from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.errors import SimulationDataError, in_words
from napari_hexrecruit.pipeline.check import check_simulation

BIN_MS = 5.0
COUNTS = ("n_recruited", "n_spikes", "n_neurons", "hex", "time")


def cube_of(opened, **options):
    return recruitment_cube(open_simulation(**opened), bin_ms=BIN_MS, radius=40.0, **options)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    opened, _ = write(tmp_path_factory.mktemp("usual"))
    return cube_of(opened)


def sentence(deviation, folder):
    file = spikes_file(folder)
    size = f"{file.stat().st_size:,}" if file.is_file() else ""
    return deviation.refused.replace("{folder}", str(folder)).replace("{size}", size)


def read_names():
    return [name for name, one in DEVIATIONS.items() if not one.refused]


def refused_names():
    return [name for name, one in DEVIATIONS.items() if one.refused]


def test_without_a_deviation_nothing_is_said(usual):
    assert json.loads(usual.attrs["notes"]) == []


@pytest.mark.parametrize("name", read_names())
@doubtful
def test_it_is_read(name, tmp_path, usual):
    opened, deviation = write(tmp_path, name)
    cube = cube_of(opened, **deviation.options)
    notes = json.loads(cube.attrs["notes"])
    assert any(deviation.says in note for note in notes) if deviation.says else notes == []
    same = all(np.array_equal(cube[field], usual[field]) for field in COUNTS)
    assert same == deviation.same


@pytest.mark.parametrize("name", refused_names())
def test_it_is_refused_with_a_sentence(name, tmp_path):
    opened, deviation = write(tmp_path, name)
    with pytest.raises((SimulationDataError, ValueError)) as caught:
        cube_of(opened, **deviation.options)
    assert in_words(caught.value, as_option) == sentence(deviation, tmp_path)


@pytest.mark.parametrize("name", DEVIATIONS)
@doubtful
def test_check_has_an_error_where_the_cube_is_refused(name, tmp_path):
    opened, deviation = write(tmp_path, name)
    options = {key: value for key, value in deviation.options.items() if key == "population"}
    found = check_simulation(**opened, **options)
    errors = [finding.sentence for finding in found if finding.status == "error"]
    try:
        recruitment_cube(open_simulation(**opened), **options)
    except (SimulationDataError, ValueError) as refused:
        assert [error.endswith(str(refused)) for error in errors] == [True]
    else:
        assert errors == []
    if deviation.refused and not deviation.options:
        (found,) = (
            one for one in check_simulation(**opened, words=as_option) if one.status == "error"
        )
        assert found.sentence.endswith(sentence(deviation, tmp_path))


def test_positions_of_one_dataset_are_the_three_axes(tmp_path):
    opened, _ = write(tmp_path / "one", "positions_in_one")
    several, _ = write(tmp_path / "three")
    one, three = open_simulation(**opened), open_simulation(**several)
    for axis in "xyz":
        assert np.array_equal(one.column("cortex", axis), three.column("cortex", axis))


def test_a_node_set_of_the_simulation_alone_counts_its_neurons(tmp_path):
    opened, deviation = write(tmp_path, "own_node_set")
    assert cube_of(opened, **deviation.options).attrs["n_neurons_selected"] == 30


@pytest.mark.parametrize("name", ["no_spikes_at_all", "silent_population"])
def test_silence_is_zero_percent_where_it_is_allowed(tmp_path, name):
    opened, _ = write(tmp_path, name)
    with pytest.warns(RecruitmentWarning, match="there are no spikes"):
        cube = cube_of(opened, allow_empty=True)
    assert (cube["recruitment"] == 0).all()
    assert "it is assumed that it never fired" in cube.attrs["notes"]


def test_left_out_spikes_are_counted(tmp_path):
    opened, _ = write(tmp_path / "ids", "unknown_ids")
    assert cube_of(opened).attrs["n_spikes_unknown_id"] == 2
    opened, _ = write(tmp_path / "times", "odd_times")
    assert cube_of(opened).attrs["n_spikes_outside_window"] == 4


def test_a_bare_spikes_file_ends_after_its_last_spike(tmp_path):
    opened, _ = write(tmp_path, "bare_spikes")
    sim = open_simulation(**opened)
    assert sim.duration_ms == 100.0
    assert sim.path == opened["spikes"]


def test_changed_files_make_a_simulation_stale(tmp_path):
    opened, _ = write(tmp_path)
    sim = open_simulation(**opened)
    assert not sim.is_stale()
    sim.spikes_file.write_bytes(sim.spikes_file.read_bytes() + b"more")
    assert sim.is_stale()
