"""Several populations on one sheet: through every door the sum of the cubes of each."""

from __future__ import annotations

import json
import re

import h5py
import numpy as np
import pytest
from tests.support.commands import hexrecruit
from tests.support.edge_files import write_edges
from tests.support.report_files import write_report
from tests.support.two_populations import SIZES, A, B, two_populations

from napari_hexrecruit import (
    afferents,
    cumulative_cube,
    large_cube,
    read_cube,
    recruitment_cube,
    write_cube,
)
from napari_hexrecruit.analysis import count_trials
from napari_hexrecruit.campaign import (
    computed_campaign,
    list_simulations,
    open_campaign,
    select_cube,
)
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.flatmap import neuron_regions
from napari_hexrecruit.pipeline.members import cube_members, cube_spikes
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import validate_cube
from napari_hexrecruit.sonata import open_simulation

BOTH = [A, B]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return two_populations(tmp_path_factory.mktemp("populations") / "run")


@pytest.fixture(scope="module")
def both(config):
    return recruitment_cube(config, population=BOTH)


def run_command(*words):
    done = hexrecruit(*words)
    assert done.returncode == 0, done.stderr


def summed(cubes, name):
    """(time, hex) or (hex,) of the union of the hexagons, in the order of the first appearance."""
    frames = [cube[name].to_pandas().T for cube in cubes]
    together = frames[0].add(frames[1], fill_value=0)
    return together.T


def assert_is_sum(cube, cubes, names=("n_recruited", "n_spikes")):
    assert set(cube["hex"].values) == set().union(*(set(one["hex"].values) for one in cubes))
    for name in (*names, "n_neurons"):
        expected = summed(cubes, name)[cube["hex"].values]
        np.testing.assert_array_equal(cube[name].values, expected.to_numpy())
    percent = 100.0 * cube["n_recruited"] / cube["n_neurons"]
    np.testing.assert_allclose(cube["recruitment"], percent, rtol=1e-6)


@pytest.mark.parametrize("sorting", [0, 2])
def test_counts_and_neurons_add(tmp_path, sorting):
    config = two_populations(tmp_path / "run", sorting=sorting)
    each = [recruitment_cube(config, population=name) for name in BOTH]
    cube = recruitment_cube(config, population=BOTH)
    assert_is_sum(cube, each)
    validate_cube(cube)
    for name in ("n_neurons_selected", "n_neurons_without_place", "n_spikes_read"):
        assert cube.attrs[name] == sum(one.attrs[name] for one in each)
    order = np.lexsort((cube["col"], cube["row"]))
    assert (order == np.arange(len(order))).all()
    assert cube.attrs["population"] == "A + B,1"
    assert CubeRecipe.of(cube).population == (A, B)
    assert list(json.loads(cube.attrs["spikes_of_populations"])) == BOTH


@pytest.mark.parametrize(
    "options",
    [
        {"where": "layer=2,5"},
        {"where": "layer=3"},
        {"where": "synapse_class=EXC", "min_neurons": 3},
        {"node_set": "Both", "bin_ms": 5.0, "start": 20.0},
        {"radius": 30.0, "where": [{"column": "layer", "interval": [2, 4]}]},
    ],
)
def test_each_option_holds_for_all_of_them(config, options):
    cube = recruitment_cube(config, population=BOTH, **options)
    least = options.pop("min_neurons", 1)
    where = options.pop("where", ())
    split = {A: "layer=2", B: "layer=5"} if where == "layer=2,5" else dict.fromkeys(BOTH, where)
    each = [recruitment_cube(config, population=p, where=split[p], **options) for p in BOTH]
    expected = summed(each, "n_neurons")[cube["hex"].values].to_numpy()
    np.testing.assert_array_equal(cube["n_neurons"], expected)
    assert (cube["recruitment"].isnull().all("time") == (expected < least)).all()
    assert cube["n_spikes"].sum() == sum(int(one["n_spikes"].sum()) for one in each)


def test_a_cube_on_disk_and_one_of_neurons_so_far_are_the_sum_too(config, both, tmp_path):
    large = large_cube(config, tmp_path / "a.hexrecruit.zarr", population=BOTH)
    assert large.load().identical(both)
    so_far = cumulative_cube(config, population=BOTH)
    assert_is_sum(so_far, [cumulative_cube(config, population=name) for name in BOTH])
    write_cube(both, tmp_path / "a.hexrecruit.nc")
    assert read_cube(tmp_path / "a.hexrecruit.nc").identical(both)


@pytest.mark.slow
def test_a_large_cube_in_many_slabs_is_the_same(tmp_path, monkeypatch):
    config = two_populations(tmp_path / "run", sorting=0)
    monkeypatch.setattr("napari_hexrecruit.pipeline.large._SLAB_BYTES", 1 << 10)
    large = large_cube(config, tmp_path / "a.hexrecruit.zarr", population=BOTH, bin_ms=2.0)
    assert large.load().identical(recruitment_cube(config, population=BOTH, bin_ms=2.0))


def test_an_opened_simulation_gives_the_same_again_and_in_another_order(config, both):
    sim = open_simulation(config)
    first, again = (recruitment_cube(sim, population=BOTH) for _ in range(2))
    assert first.identical(both)
    assert again.identical(both)
    other = recruitment_cube(sim, population=(B, A))
    np.testing.assert_array_equal(other["n_spikes"], both["n_spikes"])
    assert recruitment_cube(sim, population=[A]).identical(recruitment_cube(sim, population=A))


def test_neurons_of_both_are_found_again(config, both):
    """Rows count on; regions, trials and node sets know the population of each neuron."""
    sim = open_simulation(config)
    members = cube_members(sim, both)
    assert len(members.hex_of_neuron) == sum(SIZES.values())
    populations = Populations.of(sim, both)
    spikes = cube_spikes(sim, both)
    assert (np.diff(spikes.times_ms) >= 0).all()
    onsets = [20.0, 60.0]
    trials = count_trials(
        *(both, spikes.neurons, spikes.times_ms, members, onsets),
        before=10.0,
        after=20.0,
        clock=spikes.clock,
    )
    of_cube = [both["n_spikes"].sel(time=slice(t - 10.0, t + 19.0)).sum("time") for t in onsets]
    np.testing.assert_array_equal(trials["n_spikes"].sum("time"), np.stack(of_cube))
    assert neuron_regions(sim, both, "layer").names == ("1", "2", "3", "4", "5")
    rows = np.array([0, SIZES[A], SIZES[A] + 3])
    assert {k: v.tolist() for k, v in populations.of_rows(rows).items()} == {A: [0], B: [0, 3]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"population": [A, A]}, "population names 'A' twice: name each population once"),
        ({"population": []}, "population must be a name or several, and there is none"),
        ({"population": 3}, "population must be a name or several, not 3"),
        ({"population": [A, 3]}, "population must be a name or several, not ('A', 3)"),
        ({"population": "A,B,1"}, "there is no population 'A,B,1'"),
        ({"population": [A, "C"]}, "there is no population 'C'"),
        ({"population": BOTH, "where": "only=3"}, "population 'B,1' has no property 'only'"),
        ({"population": BOTH, "where": "kind=x"}, "is text in 'A', numbers in 'B,1': name one"),
        ({"population": BOTH, "where": "layer=9"}, "no neuron has '9'; there are: 1, 2, 3, 4, 5"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(config, options, said):
    with pytest.raises((HexRecruitError, ValueError), match=re.escape(said)) as caught:
        recruitment_cube(config, **options)
    assert "\n" not in str(caught.value)


def test_a_population_that_a_filter_leaves_empty_is_noted(config):
    cube = recruitment_cube(config, population=BOTH, where="synapse_class=INH")
    alone = recruitment_cube(config, population=A, where="synapse_class=INH")
    np.testing.assert_array_equal(cube["n_spikes"], alone["n_spikes"])
    assert "population 'B,1' has no neuron in the node set" in cube.attrs["notes"]


def test_a_report_of_both_is_pooled(config, tmp_path):
    rng = np.random.default_rng(4)
    values = {name: rng.normal(-60.0, 5.0, (100, n)).astype("f4") for name, n in SIZES.items()}
    path = tmp_path / "v.h5"
    for name in BOTH:
        write_report(path, values[name], population=name, dt=1.0, append=name != A)
    sim = open_simulation(config)
    for statistic, take in (("mean", np.mean), ("sd", np.std), ("max", np.max)):
        cube = recruitment_cube(sim, population=BOTH, report=path, statistic=statistic)
        members = cube_members(sim, cube)
        means = np.concatenate([values[name] for name in BOTH], axis=1).astype("f8")
        means = means.reshape(10, 10, -1).mean(axis=1)
        for k in range(cube.sizes["hex"]):
            expected = take(means[:, members.hex_of_neuron == k], axis=1)
            np.testing.assert_allclose(cube[f"v_{statistic}"][:, k], expected, rtol=1e-5)


@pytest.mark.slow
def test_the_command_takes_the_option_again_and_run_files_keep_it(config, both, tmp_path):
    out, run_file = tmp_path / "a.hexrecruit.nc", tmp_path / "run.yaml"
    options = ["--population", A, "--population", B, "--run-file", run_file]
    run_command("cube", config, "-o", out, *options)
    assert read_cube(out).identical(both)
    assert CubeRecipe.of(both).to_command("x.nc").count("--population") == 2
    again = tmp_path / "b.hexrecruit.nc"
    run_command("cube", config, "-o", again, "--run-file", run_file)
    assert read_cube(again).identical(both)
    one = tmp_path / "c.hexrecruit.nc"
    run_file.write_text("command: cube\npopulation: A\n")
    run_command("cube", config, "-o", one, "--run-file", run_file)
    assert CubeRecipe.of(read_cube(one)).population == A


def test_node_sets_of_both_are_read_back(config, both, tmp_path):
    out, sets = tmp_path / "a.hexrecruit.nc", tmp_path / "sets.json"
    write_cube(both, out)
    name = str(both["hex"].values[both["n_neurons"].values.argmax()])
    run_command("node-set", out, "-o", sets, "--hex", name, "--name", "Picked")
    content = json.loads(sets.read_text())
    assert content["Picked"] == ["Picked.A", "Picked.B,1"]
    n_neurons = int(both["n_neurons"].max())
    assert sum(len(content[f"Picked.{p}"]["node_id"]) for p in BOTH) == n_neurons
    table = tmp_path / "neurons.csv"
    run_command("node-set", out, "-o", table, "--hex", name)
    assert len(table.read_text().splitlines()) == n_neurons + 1


def test_edges_between_all_of_them_add(config, both, tmp_path):
    """Each population is a source and a target; pairs without edges have none."""
    rng = np.random.default_rng(6)
    file, each = tmp_path / "edges.h5", {}
    for ends in ((A, A), (A, B), (B, B)):
        pairs = [rng.integers(0, SIZES[end], 800) for end in ends]
        write_edges(file, *pairs, ends=ends, append=bool(each))
        each[ends] = pairs
    members, counts = cube_members(config, both), np.zeros(both.sizes["hex"])
    picked = int(both["n_neurons"].values.argmax())
    first = {A: 0, B: SIZES[A]}
    for (source, target), (sources, targets) in each.items():
        at = members.hex_of_neuron[targets + first[target]]
        chosen = (members.hex_of_neuron[sources + first[source]] == picked) & (at >= 0)
        counts += np.bincount(at[chosen], minlength=len(counts))
    found = afferents(config, both, hexes=[str(both["hex"].values[picked])], edges=file)
    np.testing.assert_allclose(found["afferent_synapses"], counts / both["n_neurons"].values)
    assert found["afferent_neurons"].sum() > 0


@pytest.mark.slow
def test_a_campaign_in_windows_is_the_whole_and_warns_of_each(tmp_path):
    """Of one population the times are seconds, which the windows alone cannot tell."""
    config = two_populations(tmp_path / "run")
    with h5py.File(tmp_path / "run/output/spikes.h5", "r+") as file:
        times = file[f"spikes/{B}/timestamps"]
        times[:] = np.linspace(0.0, 0.09, len(times))
    recipe = CubeRecipe(population=(A, B))
    cubes = []
    for split in (None, 50.0):
        folder = tmp_path / f"out {split}"
        result = computed_campaign(list_simulations(config), folder, recipe, split_ms=split)
        assert not result.failures
        (said,) = result.warnings.values()
        assert [text for text in said if "'B,1'" in text and "seconds" in text], said
        cubes.append(select_cube(open_campaign(folder)).load())
    np.testing.assert_array_equal(*(cube["n_spikes"] for cube in cubes))
    np.testing.assert_array_equal(*(cube["recruitment"] for cube in cubes))
