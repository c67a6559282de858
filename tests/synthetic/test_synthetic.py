"""The sample simulation: its files are SONATA, and what they hold is what the story says."""

from __future__ import annotations

import dataclasses
import json
import warnings
from typing import TYPE_CHECKING

import bluepysnap
import h5py
import numpy as np
import pandas as pd
import pytest
from conntility.circuit_models.neuron_groups import group_by_grid, load_neurons
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reference import Reference, reference_cube
from tests.support.thorough import repetitions

from napari_hexrecruit.synthetic import (
    FIBRES,
    NODE_SET,
    POPULATION,
    REGIONS,
    SMALL,
    Story,
    firing,
    plan,
    write_simulation,
)

if TYPE_CHECKING:
    from pathlib import Path

FLAT = ["ss_flat_x", "ss_flat_y"]
FILES = [
    "circuit_config.json",
    "node_sets.json",
    "nodes.h5",
    "output/spikes.h5",
    "simulation_config.json",
    "simulation_node_sets.json",
]
OVERLAPPING = Story(
    n_neurons=700, seed=4, stimuli_ms=(0.0, 31.7, 60.0, 290.0), tstop_ms=300.0, background_hz=20.0
)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return write_simulation(tmp_path_factory.mktemp("synthetic") / "small", SMALL)


@pytest.fixture(scope="module")
def simulation(small: Path) -> bluepysnap.Simulation:
    return bluepysnap.Simulation(str(small))


def count(config: Path, story: Story, synapse_class: str | None = None) -> Reference:
    rules = [{"column": "synapse_class", "value": synapse_class}] if synapse_class else []
    return reference_cube(config, POPULATION, node_set=NODE_SET, filters=rules, stop=story.tstop_ms)


def simulated_neurons(config: Path) -> pd.DataFrame:
    """Class and flat place of the neurons of the simulation's node set, by id."""
    simulation = bluepysnap.Simulation(str(config))
    columns, node_set = [*FLAT, "synapse_class"], simulation.node_sets[NODE_SET]
    return load_neurons(simulation.circuit, columns, node_set, POPULATION).set_index("node_ids")


def placed_neurons(config: Path) -> pd.DataFrame:
    """Those that have a place, with the name of their hexagon."""
    neurons = simulated_neurons(config)
    nowhere = neurons[FLAT].isna().any(axis=1) | (neurons[FLAT] == -1).all(axis=1)
    there = neurons[~nowhere].reset_index()
    names = group_by_grid(there, FLAT, radius=50.0)["grid-subtarget"].to_numpy()
    return there.assign(hexagon=names).set_index("node_ids")


def spike_table(config: Path) -> pd.DataFrame:
    """Neuron and time of each spike."""
    spikes = bluepysnap.Simulation(str(config)).spikes[POPULATION].get()
    return pd.DataFrame({"neuron": spikes.to_numpy(), "time": spikes.index.to_numpy()})


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# --- the files are SONATA -------------------------------------------------------------------------


def test_writes_the_files_of_a_simulation(small):
    assert sorted(contents(small.parent)) == FILES
    assert small.name == "simulation_config.json"


def test_bluepysnap_opens_the_circuit(simulation):
    nodes = simulation.circuit.nodes
    assert set(nodes.population_names) == {POPULATION, FIBRES}
    assert nodes[POPULATION].type == "biophysical"
    assert nodes[POPULATION].size == SMALL.n_neurons
    assert nodes[FIBRES].type == "virtual"
    assert nodes[FIBRES].property_names == {"model_type"}


def test_bluepysnap_reads_the_columns(simulation):
    table = simulation.circuit.nodes[POPULATION].get()
    assert set(table.columns) == {
        *("x", "y", "z", "ss_flat_x", "ss_flat_y", "depth"),
        *("synapse_class", "layer", "mtype", "etype", "morph_class", "region", "model_type"),
    }
    assert set(table["synapse_class"]) == {"EXC", "INH"}
    assert set(table["layer"]) == set("123456")
    assert set(table["region"]) == {*REGIONS, "S1DZ"}
    assert isinstance(table["mtype"].dtype, pd.CategoricalDtype)
    assert np.isfinite(table[["x", "y", "z"]]).all(axis=None)
    of_mtype = table.groupby("mtype", observed=True)[["layer", "synapse_class", "etype"]].nunique()
    assert (of_mtype == 1).all(axis=None)


def test_bluepysnap_reads_the_simulation(simulation):
    assert (simulation.time_stop, simulation.dt) == (SMALL.tstop_ms, 0.025)
    assert simulation.to_libsonata.node_set == NODE_SET
    inputs = simulation.inputs
    assert [inputs[f"stimulus_{k}"].delay for k in (1, 2, 3)] == list(SMALL.stimuli_ms)
    assert {(i.duration, i.node_set) for i in inputs.values()} == {(5.0, "Stimulated")}
    assert len(inputs) == 3


def test_the_node_set_exists_only_in_the_simulation(simulation):
    assert NODE_SET not in simulation.circuit.node_sets
    ids = simulation.circuit.nodes[POPULATION].ids(simulation.node_sets[NODE_SET])
    assert len(ids) == SMALL.n_neurons - SMALL.n_not_simulated
    assert {"Excitatory", "Layer4", "S1FL"} <= set(simulation.circuit.node_sets)


def test_the_stimulus_reaches_neurons_at_the_source(simulation):
    nodes = simulation.circuit.nodes[POPULATION]
    where = nodes.get(nodes.ids(simulation.node_sets["Stimulated"]), FLAT)
    first = np.argmin(SMALL.sheet.distance_um)
    assert len(where) == SMALL.census.in_place[first]
    away = np.hypot(*(where.to_numpy() - [SMALL.sheet.x_um[first], SMALL.sheet.y_um[first]]).T)
    assert away.max() < 50.0


def test_bluepysnap_reads_the_spikes(simulation):
    assert simulation.spikes.population_names == [POPULATION, FIBRES]
    spikes = simulation.spikes[POPULATION].get()
    assert len(spikes) == SMALL.n_spikes
    assert simulation.spikes[POPULATION]._sorted_by == "by_time"
    chosen = spikes.index[5]
    some = simulation.spikes[POPULATION].get(group=spikes.iloc[:9].to_list(), t_stop=chosen)
    assert len(some) >= 6


def test_the_fibres_fire_once_in_each_stimulus(simulation):
    spikes = simulation.spikes[FIBRES].get()
    n_fibres = simulation.circuit.nodes[FIBRES].size
    since = spikes.index.to_numpy()[:, None] - np.array(SMALL.stimuli_ms)
    during = (since > -1e-6) & (since < 5.0)
    assert during.sum(axis=0).tolist() == [n_fibres] * 3
    assert (spikes.value_counts() == 3).all()


def test_conntility_loads_the_neurons(simulation):
    node_set = simulation.node_sets[NODE_SET]
    table = load_neurons(simulation.circuit, ["ss_flat_x", "layer"], node_set, POPULATION)
    assert len(table) == SMALL.n_neurons - SMALL.n_not_simulated
    assert {"node_ids", "ss_flat_x", "layer"} <= set(table.columns)


def test_the_layout_is_that_of_the_standard(small):
    with h5py.File(small.parent / "output" / "spikes.h5") as file:
        for name in (POPULATION, FIBRES):
            group = file[f"spikes/{name}"]
            assert group["timestamps"].attrs["units"] == "ms"
            sorting = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
            assert sorting == {"none": 0, "by_id": 1, "by_time": 2}
            assert group.attrs["sorting"] == sorting["by_time"]
            assert group["node_ids"].dtype == np.uint64
            assert group["timestamps"].compression is None
    with h5py.File(small.parent / "nodes.h5") as file:
        population = file[f"nodes/{POPULATION}"]
        assert (population["node_type_id"][:] == -1).all()
        assert (population["node_group_id"][:] == 0).all()
        assert (population["node_group_index"][:] == np.arange(SMALL.n_neurons)).all()


def test_opens_without_a_warning_but_those_of_pandas(small):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if hasattr(pd.errors, "Pandas4Warning"):
            warnings.simplefilter("ignore", pd.errors.Pandas4Warning)
        simulation = bluepysnap.Simulation(str(small))
        simulation.circuit.nodes[POPULATION].get(simulation.node_sets[NODE_SET])
        simulation.spikes[POPULATION].get()


# --- what they hold is what the story says --------------------------------------------------------


@pytest.mark.parametrize("synapse_class", [None, "EXC", "INH"])
@pytest.mark.parametrize(
    "story",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(Story(n_neurons=200, seed=9), id="smallest"),
        pytest.param(OVERLAPPING, id="overlapping"),
        pytest.param(Story(n_neurons=3_000, seed=2, wave="plane"), id="plane"),
    ],
)
def test_expected_is_what_is_counted(tmp_path, story, synapse_class):
    config = write_simulation(tmp_path / "run", story)
    counted, expected = count(config, story, synapse_class), story.expected(synapse_class)
    names = expected.hex.tolist()
    assert set(counted.n_neurons.index) == set(names) == set(story.sheet.names)
    assert counted.n_neurons[names].tolist() == expected.n_neurons.tolist()
    np.testing.assert_array_equal(counted.n_recruited[names], expected.n_recruited)
    np.testing.assert_array_equal(counted.n_spikes[names], expected.n_spikes)
    assert counted.n_selected == expected.n_neurons_selected
    assert counted.n_without_place == expected.n_neurons_without_place
    assert (expected.percent <= 100.0).all()


def test_no_neuron_is_in_another_hexagon(small):
    assert set(placed_neurons(small)["hexagon"]) == set(SMALL.sheet.names)


def test_pieces_make_no_difference_to_the_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(firing, "_PIECE_SPIKES", 50)
    assert len(list(firing.spike_pieces(OVERLAPPING))) > 5
    config = write_simulation(tmp_path / "run", OVERLAPPING)
    counted, expected = count(config, OVERLAPPING), OVERLAPPING.expected()
    np.testing.assert_array_equal(counted.n_recruited[expected.hex], expected.n_recruited)


def test_the_story_has_everything_that_is_worth_testing(small):
    expected, sheet = SMALL.expected(), SMALL.sheet
    assert expected.n_recruited[:, sheet.silent].sum() == 0 < sheet.silent.sum()
    assert (expected.n_neurons[sheet.silent] > 0).all()
    assert (expected.n_spikes > expected.n_recruited).any()
    assert 40 < expected.percent.max() < 60
    assert set(sheet.region.tolist()) == {0, 1}
    assert (~sheet.reached & ~sheet.silent).any()
    assert len(set(expected.n_neurons.tolist())) > 5
    neurons = simulated_neurons(small)
    assert neurons[FLAT].isna().all(axis=1).sum() == SMALL.n_without_place["nan"] > 0
    assert neurons[FLAT].isna().any(axis=1).sum() == SMALL.n_without_place["nan"]
    assert (neurons[FLAT] == -1).all(axis=1).sum() == SMALL.n_without_place["minus_one"] > 0
    lost = neurons.index.difference(placed_neurons(small).index)
    assert spike_table(small)["neuron"].isin(lost).any()


def test_neurons_outside_the_node_set_are_there_and_silent(small, simulation):
    table = simulation.circuit.nodes[POPULATION].get(properties=[*FLAT, "region"])
    outside = table[table["region"] == "S1DZ"]
    assert len(outside) == SMALL.n_not_simulated > 0
    assert np.isfinite(outside[FLAT]).all(axis=None)
    assert not spike_table(small)["neuron"].isin(outside.index).any()


def test_ids_say_nothing_about_the_place(small):
    there = placed_neurons(small)
    assert np.abs(np.corrcoef(there.index, there["ss_flat_x"])[0, 1]) < 0.1
    assert np.abs(np.corrcoef(there.index, there["synapse_class"] == "EXC")[0, 1]) < 0.1


def test_times_carry_the_noise_of_a_simulator(small):
    times = spike_table(small)["time"].to_numpy()
    off_grid = times - np.rint(times * 10) / 10
    assert 0 < np.abs(off_grid).max() < 1e-7
    on_edge = np.abs(times / 10 - np.rint(times / 10)) < 1e-6
    edges = np.rint(times[on_edge] / 10) * 10
    assert (times[on_edge] < edges).any()
    assert (times[on_edge] >= edges).any()
    assert (np.diff(times) >= 0).all()


def test_the_noise_is_that_of_the_real_files():
    times = firing.grid_times_ms(400_000)
    assert times[223] == pytest.approx(22.300000000099267, abs=1e-12)
    assert np.abs(times - 0.1 * np.arange(400_000)).max() < 1e-7
    assert (np.diff(times) > 0).all()


def test_no_neuron_fires_twice_at_once(small):
    assert not spike_table(small).duplicated(["neuron", "time"]).any()


@pytest.mark.parametrize("wave", ["radial", "plane"])
def test_the_wave_arrives_when_the_story_says(tmp_path, wave):
    story = Story(n_neurons=5_000, background_hz=0.0, stimuli_ms=(33.3,), tstop_ms=400.0, wave=wave)
    config = write_simulation(tmp_path / "run", story)
    there = placed_neurons(config)
    spikes = spike_table(config).join(there["hexagon"], on="neuron", how="inner")
    first = spikes.groupby("hexagon")["time"].min().reindex(story.sheet.names).to_numpy()
    late = first - 33.3 - story.latency_ms
    assert np.isnan(first).tolist() == (~story.sheet.reached).tolist()
    assert np.nanmin(late) > -1e-6
    assert np.nanmax(late) < 12.0


@pytest.mark.parametrize("wave", ["radial", "plane"])
def test_the_latency_is_the_way_over_the_speed(wave):
    story = dataclasses.replace(SMALL, wave=wave)
    dx, dy = story.sheet.x_um - story.source_um[0], story.sheet.y_um - story.source_um[1]
    if wave == "radial":
        way = np.hypot(dx, dy)
        assert story.direction_deg is None
    else:
        angle = np.deg2rad(story.direction_deg)
        way = dx * np.cos(angle) + dy * np.sin(angle)
        way -= way.min()
    reached = story.sheet.reached
    np.testing.assert_allclose(
        story.latency_ms[reached], way[reached] / story.speed_um_per_ms, rtol=1e-12
    )
    assert np.isnan(story.latency_ms[~reached]).all()
    assert way.max() / story.speed_um_per_ms == pytest.approx(story.crossing_ms)


def test_classes_and_stimuli_recruit_their_shares():
    story = Story(n_neurons=1_000_000)
    near = np.argsort(story.sheet.distance_um)[:3]
    strength = story.sheet.strength[near]
    for synapse_class in plan.CLASSES:
        percent = story.expected(synapse_class).percent[:, near]
        for onset, gain in zip(story.stimuli_ms, story.gains, strict=True):
            crest = percent[int(onset // 10) :][:10].max(axis=0)
            share = story.peak_percent[synapse_class] * gain * strength
            np.testing.assert_allclose(crest, share, rtol=0.05, atol=2.0)


def test_background_is_at_the_level_that_the_story_says():
    story = Story(n_neurons=300_000, stimuli_ms=(), tstop_ms=1_000.0)
    for synapse_class, percent in story.background_percent.items():
        expected = story.expected(synapse_class)
        awake = ~story.sheet.silent
        mean = 100.0 * expected.n_recruited.sum(axis=0) / expected.n_neurons / story.n_bins
        np.testing.assert_allclose(mean[awake], percent, rtol=0.05)
        assert (mean[~awake] == 0).all()
    assert story.background_percent == {"EXC": 0.5, "INH": 1.5}


def test_many_sizes_have_two_areas_a_silent_patch_and_a_place_that_the_wave_misses():
    for n_neurons in np.geomspace(200, 50_000, 60).astype(int).tolist():
        sheet = Story(n_neurons=n_neurons).sheet
        assert sheet.reached[sheet.region == 0].any()
        assert sheet.reached[sheet.region == 1].any()
        assert sheet.silent.any()
        assert (~sheet.reached & ~sheet.silent).any()
        assert sheet.row.min() >= 0
        assert sheet.col.min() >= 0
        assert (np.lexsort((sheet.col, sheet.row)) == np.arange(sheet.n_hexes)).all()


@settings(max_examples=repetitions(15, 40))
@given(
    story=st.builds(
        Story,
        n_neurons=st.integers(200, 3_000),
        seed=st.integers(0, 10**9),
        stimuli_ms=st.lists(st.floats(0.0, 299.9), max_size=4).map(tuple),
        tstop_ms=st.just(300.0),
        background_hz=st.floats(0.0, 20.0),
        crossing_ms=st.floats(1.0, 1_000.0),
        wave=st.sampled_from(["radial", "plane"]),
    )
)
def test_the_spikes_are_those_that_were_planned(story):
    planned = story.plan
    pieces = list(firing.spike_pieces(story))
    neurons = np.concatenate([piece.neurons for piece in pieces])
    steps = np.concatenate([piece.steps for piece in pieces])
    group = np.repeat(np.arange(len(story.census.in_group)), story.census.in_group)[neurons]
    table = pd.DataFrame({"neuron": neurons, "group": group, "bin": steps // 100, "step": steps})
    shape = (range(story.n_bins), range(len(story.census.in_group)))
    for rows, counts in (
        (table, planned.spikes),
        (table.drop_duplicates(["neuron", "bin"]), planned.recruited),
    ):
        there = rows.groupby(["bin", "group"]).size().unstack(fill_value=0)
        there = there.reindex(index=shape[0], columns=shape[1], fill_value=0)
        np.testing.assert_array_equal(there, counts)
    assert (np.diff(steps) >= 0).all()
    assert not table.duplicated(["neuron", "step"]).any()
    assert (planned.recruited <= story.census.in_group).all()
    assert (planned.wave <= planned.recruited).all()
    assert story.census.in_group.min() > 0
    assert story.census.n_simulated + story.n_not_simulated == story.n_neurons


# --- writing --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    again = write_simulation(tmp_path / "again", SMALL)
    assert contents(again.parent) == contents(small.parent)


def test_another_seed_gives_other_neurons_and_spikes(small, tmp_path):
    other = contents(write_simulation(tmp_path / "other", SMALL, seed=1).parent)
    same = {name for name, content in contents(small.parent).items() if other[name] == content}
    assert same == {"circuit_config.json", "node_sets.json"}


def test_parameters_change_the_story(tmp_path):
    config = write_simulation(tmp_path / "run", n_neurons=200, stimuli_ms=(5.0,), tstop_ms=50.0)
    assert json.loads(config.read_text())["run"]["tstop"] == 50.0
    assert bluepysnap.Simulation(str(config)).circuit.nodes[POPULATION].size == 200


def test_an_existing_folder_is_refused(small):
    before = contents(small.parent)
    with pytest.raises(FileExistsError, match="exists: choose another folder or allow"):
        write_simulation(small.parent, n_neurons=200)
    assert contents(small.parent) == before


def test_an_empty_folder_is_filled(tmp_path):
    assert write_simulation(tmp_path, n_neurons=200).parent == tmp_path


def test_the_path_that_comes_back_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_simulation("here", n_neurons=200) == tmp_path / "here" / "simulation_config.json"


def test_missing_parents_are_made(tmp_path):
    assert write_simulation(tmp_path / "a" / "b", n_neurons=200).is_file()


def test_overwriting_replaces_a_simulation(tmp_path):
    write_simulation(tmp_path / "run", n_neurons=200, seed=1)
    write_simulation(tmp_path / "run", n_neurons=200, seed=2, overwrite=True)
    fresh = write_simulation(tmp_path / "fresh", n_neurons=200, seed=2)
    assert contents(tmp_path / "run") == contents(fresh.parent)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "fresh"}


def test_overwriting_spares_the_files_of_others(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"thesis\.tex"):
        write_simulation(tmp_path, n_neurons=200, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_overwriting_spares_what_others_put_out(tmp_path):
    config = write_simulation(tmp_path / "run", n_neurons=200)
    (config.parent / "output" / "voltage.h5").write_text("a day of computing")
    with pytest.raises(FileExistsError, match=r"output/voltage\.h5"):
        write_simulation(tmp_path / "run", n_neurons=200, overwrite=True)


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(FileExistsError, match="is a file"):
        write_simulation(tmp_path / "run", n_neurons=200, overwrite=True)


def test_progress_counts_up_to_all(tmp_path):
    reports: list[tuple[str, int, int]] = []
    story = Story(n_neurons=200)
    write_simulation(tmp_path / "run", story, progress=lambda *report: reports.append(report))
    for what, total in (("neurons", 200), ("spikes", story.n_spikes)):
        done = [report[1] for report in reports if report[0] == what]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, total)
        assert {report[2] for report in reports if report[0] == what} == {total}


@pytest.mark.parametrize("moment", ["neurons", "spikes"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_cancelled_writing_leaves_nothing_behind(tmp_path, moment, overwrite):
    class CancelledError(Exception):
        pass

    def cancel(what: str, done: int, total: int) -> None:
        if what == moment and done == total:
            raise CancelledError

    if overwrite:
        write_simulation(tmp_path / "run", n_neurons=200, seed=1)
    before = contents(tmp_path)
    with pytest.raises(CancelledError):
        write_simulation(tmp_path / "run", n_neurons=300, overwrite=overwrite, progress=cancel)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"] * overwrite


# --- stories --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_neurons": 199}, "n_neurons must be 200 to 100000000, not 199"),
        ({"n_neurons": 500.5}, "n_neurons must be .* not 500.5"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"tstop_ms": 105.0, "stimuli_ms": ()}, "tstop_ms must be a multiple of 10 ms"),
        ({"tstop_ms": float("nan"), "stimuli_ms": ()}, "tstop_ms must be a multiple"),
        ({"stimuli_ms": (1_000.0,)}, "stimuli_ms must lie between 0 and tstop_ms"),
        ({"background_hz": -0.1}, "background_hz must be 0 to 20"),
        ({"crossing_ms": 0.0}, "crossing_ms must be greater than 0"),
        ({"wave": "spiral"}, "wave must be one of .*'radial', 'plane'.*, not 'spiral'"),
    ],
)
def test_impossible_stories_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Story(**change)


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match=r"n_neurons must .*; seed must"):
        Story(n_neurons=1, seed=-1)


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match=r"synapse_class must be one of .*, not 'exc'"):
        SMALL.expected("exc")


def test_numbers_of_numpy_are_numbers(tmp_path):
    story = Story(n_neurons=np.int64(300), seed=np.int32(2), stimuli_ms=np.array([5.0]))
    assert story == Story(n_neurons=300, seed=2, stimuli_ms=(5.0,))
    assert write_simulation(tmp_path / "run", story).is_file()


def test_stories_are_values():
    assert Story(n_neurons=300, stimuli_ms=[1, 2]) == Story(n_neurons=300, stimuli_ms=(1.0, 2.0))
    assert hash(Story(n_neurons=300)) == hash(Story(n_neurons=300))
