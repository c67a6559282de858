"""The whole method on real files, against the slow reference and by its laws."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.doubtful import doubtful
from tests.support.reference import reference_cube
from tests.support.sonata_files import (
    IDS_THAT_THE_POPULATION_LACKS,
    POPULATION,
    SonataFiles,
    simple_files,
)
from tests.support.thorough import repetitions

from napari_hexrecruit import (
    cumulative_cube,
    open_simulation,
    recruitment_cube,
    validate_cube,
)
from napari_hexrecruit.errors import SimulationDataError

pytestmark = IDS_THAT_THE_POPULATION_LACKS


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    files = simple_files(n_strays=10)
    times, ids = np.asarray(files.times_ms), np.asarray(files.node_ids)
    x, y = files.columns["ss_flat_x"], files.columns["ss_flat_y"]
    # What this file is for: every awkward thing really is in it.
    assert (np.diff(times) < 0).any()
    assert (times < 0).any()
    assert (times > files.tstop_ms).any()
    assert (ids >= len(x)).any()
    assert len(np.unique(np.stack([times, ids]), axis=1).T) < len(times)
    assert np.isnan(x).any()
    assert np.isinf(y).any()
    assert ((x == -1) & (y == -1)).any()
    assert ((x == -1) & (y != -1) & np.isfinite(y)).any()
    return files.write(tmp_path_factory.mktemp("simulation"))


def assert_equals_reference(cube, reference):
    validate_cube(cube)
    assert sorted(cube["hex"].to_numpy()) == list(reference.n_neurons.index)
    cube = cube.sel(hex=list(reference.n_neurons.index))
    np.testing.assert_array_equal(cube["n_neurons"], reference.n_neurons)
    np.testing.assert_array_equal(cube["n_recruited"], reference.n_recruited)
    np.testing.assert_array_equal(cube["n_spikes"], reference.n_spikes)
    np.testing.assert_array_equal(
        cube["recruitment"], reference.percent.to_numpy().astype(np.float32)
    )
    assert cube.attrs["n_neurons_selected"] == reference.n_selected
    assert cube.attrs["n_neurons_without_place"] == reference.n_without_place


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"radius": 20.0, "bin_ms": 2.5}, {"radius": 20.0, "bin_ms": 2.5}),
        ({"bin_ms": 0.1, "start": 10.0, "stop": 20.0}, {"bin_ms": 0.1, "start": 10.0, "stop": 20}),
        ({"start": 22.3, "stop": 62.3}, {"start": 22.3, "stop": 62.3}),
        ({"node_set": "excitatory"}, {"node_set": "excitatory"}),
        (
            {"where": "synapse_class=INH"},
            {"filters": [{"column": "synapse_class", "values": ["INH"]}]},
        ),
        (
            {"where": ["layer=2:5", "mtype=L5_TPC:A"]},
            {
                "filters": [
                    {"column": "layer", "interval": [2, 5]},
                    {"column": "mtype", "value": "L5_TPC:A"},
                ]
            },
        ),
        ({"flat": ("x", "z"), "radius": 150.0}, {"flat": ("x", "z"), "radius": 150.0}),
    ],
    ids=lambda options: ",".join(options) or "defaults",
)
def test_equals_the_slow_reference(config, ours, theirs):
    assert_equals_reference(
        recruitment_cube(config, **ours), reference_cube(config, POPULATION, **theirs)
    )


@pytest.mark.slow
@given(
    seed=st.integers(0, 10**6),
    n_neurons=st.integers(1, 60),
    n_spikes=st.integers(0, 300),
    bin_ms=st.sampled_from([0.1, 1.0, 10.0, 50.0]),
    radius=st.floats(5.0, 500.0),
)
@settings(
    max_examples=repetitions(10, 25), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@doubtful
def test_equals_the_slow_reference_on_random_simulations(
    tmp_path_factory, seed, n_neurons, n_spikes, bin_ms, radius
):
    files = simple_files(n_neurons, n_spikes, seed, n_strays=10)
    path = files.write(tmp_path_factory.mktemp("random"))
    reference = reference_cube(path, POPULATION, bin_ms=bin_ms, radius=radius)
    if reference.n_neurons.empty:
        with pytest.raises(ValueError, match="has a flat position"):
            recruitment_cube(path, bin_ms=bin_ms, radius=radius)
    else:
        cube = recruitment_cube(path, bin_ms=bin_ms, radius=radius, allow_empty=True)
        assert_equals_reference(cube, reference)


def test_spikes_are_neither_lost_nor_made(config):
    files = simple_files(n_strays=10)
    cube = recruitment_cube(config, start=20.0, stop=80.0)
    times, ids = np.asarray(files.times_ms), np.asarray(files.node_ids)
    inside = (times >= 20.0 - 1e-6) & (times < 80.0 - 1e-6)
    assert cube.attrs["n_spikes_read"] == len(times)
    assert cube.attrs["n_spikes_outside_window"] == np.count_nonzero(~inside)
    assert cube.attrs["n_spikes_unknown_id"] == np.count_nonzero(ids[inside] >= 300)
    x, y = files.columns["ss_flat_x"], files.columns["ss_flat_y"]
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & ~((x == -1) & (y == -1)))
    assert cube["n_spikes"].sum() == np.isin(ids[inside], placed).sum()


def test_recruitment_is_never_over_100_percent_nor_over_the_spikes(config):
    cube = recruitment_cube(config)
    assert cube["recruitment"].max() <= 100.0
    assert (cube["n_recruited"] <= cube["n_spikes"]).all()
    assert (cube["n_recruited"] <= cube["n_neurons"]).all()
    assert (cube["n_recruited"] < cube["n_spikes"]).any()


def test_merging_bins_adds_spikes_and_only_bounds_the_recruited(config):
    fine, coarse = recruitment_cube(config, bin_ms=5.0), recruitment_cube(config, bin_ms=10.0)
    pairs = fine.coarsen(time=2)
    np.testing.assert_array_equal(pairs.sum()["n_spikes"], coarse["n_spikes"])
    assert (coarse["n_recruited"].to_numpy() <= pairs.sum()["n_recruited"].to_numpy()).all()
    assert (coarse["n_recruited"].to_numpy() >= pairs.max()["n_recruited"].to_numpy()).all()


def test_classes_add_up_to_everybody(config):
    both = recruitment_cube(config)
    parts = [recruitment_cube(config, where=f"synapse_class={c}") for c in ("EXC", "INH")]
    for name in ("n_recruited", "n_spikes", "n_neurons"):
        total = sum(part[name].reindex(hex=both["hex"], fill_value=0) for part in parts)
        np.testing.assert_array_equal(total, both[name])


def test_the_order_of_spikes_does_not_matter(tmp_path):
    files = simple_files(n_strays=10)
    order = np.random.default_rng(1).permutation(len(files.times_ms))
    one = recruitment_cube(files.write(tmp_path / "one"))
    files.times_ms, files.node_ids = files.times_ms[order], files.node_ids[order]
    other = recruitment_cube(files.write(tmp_path / "other"))
    assert other.drop_attrs().identical(one.drop_attrs())


def test_more_bins_than_16_bits_hold(config):
    from napari_hexrecruit.timebins import TimeBins

    cube = recruitment_cube(config, start=0.0, stop=70.0, bin_ms=0.001)
    assert cube.sizes["time"] == 70_000
    files = simple_files(n_strays=10)
    pairs = np.stack([TimeBins(0.0, 70.0, 0.001).bin_of(files.times_ms), files.node_ids])
    pairs = pairs[:, (pairs[0] >= 0) & (pairs[1] < 300)].astype(int)
    x, y = files.columns["ss_flat_x"], files.columns["ss_flat_y"]
    placed = np.isfinite(x) & np.isfinite(y) & ~((x == -1) & (y == -1))
    pairs = pairs[:, placed[pairs[1]]]
    for name, which in (("n_spikes", pairs), ("n_recruited", np.unique(pairs, axis=1))):
        per_bin = np.bincount(which[0], minlength=70_000)
        np.testing.assert_array_equal(cube[name].sum("hex"), per_bin)


@pytest.mark.parametrize("n_workers", [1, 2, 3, 7])
def test_the_number_of_threads_does_not_matter(config, n_workers):
    from napari_hexrecruit.counting.members import count_spikes, group_neurons
    from napari_hexrecruit.hexgrid import HexGrid
    from napari_hexrecruit.timebins import TimeBins

    sim = open_simulation(config)
    x, y = sim.column(POPULATION, "x"), sim.column(POPULATION, "y")
    members = group_neurons(HexGrid(100.0), x, y, np.isfinite(x))
    spikes = sim.spikes(POPULATION)
    counts = [
        count_spikes(
            spikes.neurons, spikes.times_ms, members, TimeBins(0.0, 100.0, 1.0), n_workers=n
        )
        for n in (1, n_workers)
    ]
    np.testing.assert_array_equal(counts[0], counts[1])


def test_a_second_cube_reads_no_file(config, tmp_path):
    """Only another radius does: it reads the flat positions again, which are not kept."""
    files = simple_files(n_strays=10)
    path = files.write(tmp_path / "simulation")
    sim = open_simulation(path)
    first = recruitment_cube(sim, where="synapse_class=INH")
    for file in (tmp_path / "simulation").rglob("*.h5"):
        file.unlink()
    second = recruitment_cube(sim, bin_ms=20.0, start=20.0, where="synapse_class=EXC")
    assert second.sizes != first.sizes
    assert recruitment_cube(sim, where="synapse_class=INH").identical(first)


def test_the_recipe_computes_the_cube_again(config):
    cube = recruitment_cube(config, where="layer=3", start=20.0, stop=60.0, radius=33.0)
    recipe = json.loads(cube.attrs["recipe"])
    recipe["flat"] = tuple(recipe["flat"])
    assert recruitment_cube(recipe.pop("simulation"), **recipe).identical(cube)


def test_hexagons_with_too_few_neurons_have_no_percentage(config):
    everything, some = recruitment_cube(config), recruitment_cube(config, min_neurons=8)
    few = some["n_neurons"] < 8
    assert few.any()
    assert (~few).any()
    assert some["recruitment"].isnull().all("time").equals(few)
    np.testing.assert_array_equal(some["n_recruited"], everything["n_recruited"])


def test_the_simulations_own_node_set_is_the_default(tmp_path):
    files = simple_files(n_strays=10)
    files.node_set = "excitatory"
    own = recruitment_cube(files.write(tmp_path / "own"))
    named = recruitment_cube(
        simple_files(n_strays=10).write(tmp_path / "named"), node_set="excitatory"
    )
    assert own.drop_attrs().identical(named.drop_attrs())
    assert json.loads(own.attrs["recipe"])["node_set"] == "excitatory"


def test_a_node_set_that_only_the_simulation_has(tmp_path):
    files = simple_files(n_strays=10)
    files.simulation_node_sets = {"first": {"population": POPULATION, "node_id": [*range(100)]}}
    files.node_set = "first"
    cube = recruitment_cube(files.write(tmp_path / "simulation"))
    assert cube.attrs["n_neurons_selected"] == 100


def test_the_ragged_end_of_the_default_window_is_said(tmp_path):
    files = simple_files(n_strays=10)
    files.tstop_ms = 97.0
    cube = recruitment_cube(files.write(tmp_path / "simulation"))
    assert cube.sizes["time"] == 9
    assert "the last 7 ms do not fill a bin" in cube.attrs["notes"]


@doubtful
def test_a_population_that_never_fires_has_0_everywhere_where_that_is_allowed(tmp_path):
    files = simple_files(n_spikes=0)
    cube = recruitment_cube(files.write(tmp_path / "simulation"), allow_empty=True)
    assert (cube["recruitment"] == 0).all()


def test_progress_is_told_and_can_cancel(config):
    class CancelledError(Exception):
        pass

    for simulation, steps in ((config, set()), (open_simulation(config), {"reading spikes"})):
        told = []
        recruitment_cube(simulation, progress=lambda *news, told=told: told.append(news))
        assert {what for what, _, _ in told} == {"reading neurons", "spikes"} | steps
        assert all(0 <= done <= total for _, done, total in told)

    def cancel(what, done, total):
        raise CancelledError(what)

    with pytest.raises(CancelledError):
        recruitment_cube(config, progress=cancel)


def test_units_of_flat_space_are_only_claimed_where_they_are_known(config):
    assert recruitment_cube(config).attrs["flat_units"] == "um"
    assert recruitment_cube(config)["x"].attrs["units"] == "um"
    odd = recruitment_cube(config, flat=("ss_flat_x", "layer"))
    assert odd.attrs["flat_units"] == "unknown"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"population": "nix"}, "there is no population 'nix'; there are: cortex"),
        (
            {"node_set": "nix"},
            "there is no node set 'nix'; there are: everyone, excitatory, nobody",
        ),
        ({"node_set": "nobody"}, "has no neuron of population 'cortex'"),
        ({"where": "layer=9"}, "no neuron has '9'; there are: 1, 2, 3, 4, 5, 6"),
        ({"where": "nix=9"}, "has no property 'nix'"),
        ({"where": ["depth=0:1", "layer=1"]}, "no neuron passes all the filters"),
        ({"flat": ("flat_a", "flat_b")}, "has no property 'flat_a'"),
        ({"flat": ("mtype", "x")}, "flat column 'mtype' does not hold numbers"),
        ({"flat": ("x",)}, "flat must be the names of two columns"),
        ({"flat": "xy"}, "flat must be the names of two columns"),
        ({"radius": 0}, "radius must be a number greater than 0"),
        ({"radius": float("nan")}, "radius must be a number greater than 0"),
        ({"bin_ms": 0}, "bin width must be"),
        ({"bin_ms": 1e9}, "does not fit"),
        ({"start": 50.0, "stop": 40.0}, "is empty"),
        ({"start": 0.0, "stop": 95.0}, "use 0 to 90 ms or 0 to 100 ms"),
        ({"start": 200.0, "stop": 300.0}, "not within the simulation: use times from 0 to 100 ms"),
        ({"start": 0.0, "stop": 110.0}, "not within the simulation"),
        ({"start": -10.0}, "not within the simulation"),
        ({"min_neurons": 0}, "min_neurons must be a whole number of at least 1"),
        ({"min_neurons": 2.5}, "min_neurons must be a whole number of at least 1"),
    ],
)
def test_mistakes_are_refused_with_what_to_do(config, options, said):
    with pytest.raises(ValueError) as error:
        recruitment_cube(config, **options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_population_without_places_is_refused(tmp_path):
    files = SonataFiles({"ss_flat_x": np.full(5, np.nan), "ss_flat_y": np.zeros(5)}, [1.0], [0])
    with pytest.raises(ValueError, match="none of the 5 neurons has a flat position"):
        recruitment_cube(files.write(tmp_path / "simulation"))


def test_flat_columns_that_nothing_gives_are_refused(tmp_path):
    files = SonataFiles({"layer": np.arange(5)}, [1.0], [0])
    with pytest.raises(SimulationDataError, match="no property 'ss_flat_x', nor the positions"):
        recruitment_cube(files.write(tmp_path / "bare"))
    files.columns |= {axis: np.zeros(5) for axis in "xyz"}
    with pytest.raises(SimulationDataError, match="the circuit names no atlas"):
        recruitment_cube(files.write(tmp_path / "no-atlas"))


def test_recruited_so_far_counts_each_neuron_once(config):
    cube = cumulative_cube(config, start=20.0, stop=80.0, where="synapse_class=EXC")
    validate_cube(cube)
    for k, stop in enumerate(np.arange(30.0, 90.0, 10.0)):
        one_bin = recruitment_cube(
            config, start=20.0, stop=stop, bin_ms=stop - 20.0, where="synapse_class=EXC"
        )
        np.testing.assert_array_equal(cube["n_recruited"][k], one_bin["n_recruited"][0])
        np.testing.assert_array_equal(cube["recruitment"][k], one_bin["recruitment"][0])
    bins = recruitment_cube(config, start=20.0, stop=80.0, where="synapse_class=EXC")
    np.testing.assert_array_equal(cube["n_spikes"], bins["n_spikes"])
    assert json.loads(cube.attrs["recipe"])["cumulative"] is True
