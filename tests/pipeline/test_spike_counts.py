"""Counting from the file gives the cube that counting from memory gives, byte for byte."""

from __future__ import annotations

import json

import numpy as np
import pytest
from h5py import File
from hypothesis import given
from hypothesis import strategies as st
from tests.support.doubtful import doubtful
from tests.support.sonata_files import POPULATION, simple_files

from napari_hexrecruit import cumulative_cube, open_simulation
from napari_hexrecruit.pipeline import spike_source, spike_stream
from napari_hexrecruit.pipeline.cubes import computed_cube, recruitment_cube
from napari_hexrecruit.pipeline.spike_source import FromFile, FromMemory, spikes_of
from napari_hexrecruit.pipeline.spike_stream import open_stream
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.synthetic import write_simulation

pytestmark = doubtful  # whole ms, dense spikes or none: all sides of the edges

NONE, BY_ID, BY_TIME = 0, 1, 2
WINDOWS = [{}, {"start": 20.0, "stop": 80.0}, {"start": 22.3, "stop": 42.3, "bin_ms": 0.1}]


def files_sorted(by, sorting, dtype=np.float64):
    files = simple_files(seed=3)
    times, ids = np.asarray(files.times_ms, dtype), np.asarray(files.node_ids)
    order = {
        NONE: lambda: np.random.default_rng(0).permutation(len(times)),
        BY_ID: lambda: np.argsort(ids, kind="stable"),
        BY_TIME: lambda: np.argsort(times, kind="stable"),
    }[by]()
    files.times_ms, files.node_ids, files.sorting = times[order], ids[order], sorting
    return files


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", ">f8", "int64"])
@pytest.mark.parametrize(
    ("by", "said"),
    [
        (NONE, NONE),
        (BY_ID, BY_ID),
        (BY_TIME, BY_TIME),
        (BY_TIME, NONE),
        (NONE, BY_TIME),
        (NONE, BY_ID),
        (BY_ID, BY_TIME),
    ],
)
def test_a_path_and_an_opened_simulation_give_the_same_cube(tmp_path, by, said, dtype, window):
    config = files_sorted(by, said, dtype).write(tmp_path)
    opened = open_simulation(config)
    for compute in (recruitment_cube, cumulative_cube):
        kept = compute(opened, **window)
        read = compute(config, **window)
        assert read.identical(kept)
        recipe = CubeRecipe.of(kept)
        assert computed_cube(opened, recipe, keep_spikes=False).identical(kept)


def test_the_file_is_told_to_be_marked_wrongly(tmp_path):
    config = files_sorted(NONE, BY_TIME).write(tmp_path)
    notes = json.loads(recruitment_cube(config).attrs["notes"])
    assert sum("is marked by_time, but its times are not sorted" in note for note in notes) == 1


def test_a_swap_that_no_probe_meets_is_found(tmp_path):
    files = files_sorted(BY_TIME, BY_TIME)
    files.times_ms[[1001, 1002]] = files.times_ms[[1010, 990]]
    config = files.write(tmp_path)
    with open_stream(open_simulation(config), POPULATION) as stream:
        assert stream.order == "by_time"
    for compute in (recruitment_cube, cumulative_cube):
        kept = compute(open_simulation(config))
        assert compute(config).identical(kept)
        assert "not sorted" in kept.attrs["notes"]


def test_ids_that_are_no_rows_are_looked_up(tmp_path):
    config = files_sorted(BY_ID, BY_ID).write(tmp_path)
    with File(tmp_path / "nodes.h5", "r+") as file:
        n_neurons = len(file[f"nodes/{POPULATION}/node_type_id"])
        file[f"nodes/{POPULATION}/node_id"] = np.arange(n_neurons)[::-1] + 3
    opened = open_simulation(config)
    assert opened.has_own_ids(POPULATION)
    assert recruitment_cube(config).identical(recruitment_cube(opened))


def test_a_population_without_spikes(tmp_path):
    files = simple_files(n_spikes=0)
    config = files.write(tmp_path)
    cubes = [recruitment_cube(sim, allow_empty=True) for sim in (config, open_simulation(config))]
    assert cubes[0].identical(cubes[1])


def test_a_file_without_the_population(tmp_path):
    config = simple_files().write(tmp_path)
    with File(tmp_path / "output" / "spikes.h5", "r+") as file:
        del file[f"spikes/{POPULATION}"]
    for compute in (recruitment_cube, cumulative_cube):
        read = compute(config, allow_empty=True)
        assert read.identical(compute(open_simulation(config), allow_empty=True))
        assert "it is assumed that it never fired" in read.attrs["notes"]


@pytest.mark.slow
@given(st.lists(st.floats(0, 100) | st.just(np.nan), min_size=1, max_size=40), st.data())
def test_binary_search_finds_the_window(tmp_path_factory, times, data):
    files = simple_files(n_spikes=0)
    files.times_ms, files.sorting = np.sort(np.array(times)), BY_TIME
    files.node_ids = np.arange(len(times), dtype=np.uint64)
    config = files.write(tmp_path_factory.mktemp("run"))
    start = data.draw(st.floats(-1, 101) | st.sampled_from(times))
    stop = data.draw(st.floats(-1, 101) | st.sampled_from(times))
    if np.isnan([start, stop]).any():
        return
    with (
        pytest.MonkeyPatch.context() as patch,
        open_stream(open_simulation(config), POPULATION) as stream,
    ):
        patch.setattr(spike_stream, "_PAGE", data.draw(st.sampled_from([1, 3, 4096])))
        patch.setattr(spike_stream, "_BLOCKS", data.draw(st.sampled_from([(2, 5), (64,)])))
        ids = [ids for ids, _ in stream.blocks(start, stop)]
    inside = np.flatnonzero((files.times_ms >= start) & (files.times_ms < stop))
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, int), *ids]), inside)


def test_spikes_are_kept_where_half_of_the_free_memory_holds_them(tmp_path, monkeypatch):
    config = simple_files().write(tmp_path)
    for free, kind in ((None, FromMemory), (60_000, FromMemory), (59_000, FromFile)):
        monkeypatch.setattr(spike_source, "free_bytes", lambda free=free: free)
        assert isinstance(spikes_of(open_simulation(config), POPULATION, keep=True), kind)
    sim = open_simulation(config)
    assert sim.spike_populations() == {POPULATION: 2_500}


def test_what_was_decided_once_stays(tmp_path, monkeypatch):
    sim = open_simulation(simple_files().write(tmp_path))
    assert isinstance(spikes_of(sim, POPULATION, keep=True), FromMemory)
    monkeypatch.setattr(spike_source, "free_bytes", lambda: 0)
    assert isinstance(spikes_of(sim, POPULATION, keep=True), FromMemory)
    assert isinstance(spikes_of(sim, POPULATION, keep=False), FromFile)


def test_large_samples_leave_their_node_types_to_the_fill_value(tmp_path):
    """As many files do: nothing is written where all values are the same."""
    config = write_simulation(tmp_path / "run", n_neurons=150_000, tstop_ms=50.0, stimuli_ms=())
    with File(tmp_path / "run" / "nodes.h5") as file:
        types = file["nodes/cortex/node_type_id"]
        assert types.nbytes > 1 << 20
        assert types.id.get_storage_size() == 0
    assert open_simulation(config).n_neurons("cortex") == 150_000
