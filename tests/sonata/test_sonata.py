"""Own reading of SONATA against the libraries, wherever they can read."""

from __future__ import annotations

import json

import bluepysnap
import libsonata
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sonata_files import POPULATION, SonataFiles

from napari_hexrecruit import open_simulation
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata import _config
from napari_hexrecruit.synthetic import SMALL, write_simulation

N_NEURONS = 40


@pytest.fixture(scope="module")
def neurons(tmp_path_factory):
    rng = np.random.default_rng(2)
    files = SonataFiles(
        columns={
            "layer": rng.integers(1, 5, N_NEURONS),
            "depth": rng.integers(0, 5, N_NEURONS) / 2,
            "mtype": rng.choice(["L1_DAC", "L5_TPC:A", "L5_TPC:B"], N_NEURONS).tolist(),
        },
        times_ms=[1.0],
        node_ids=[0],
    )
    return files.write(tmp_path_factory.mktemp("neurons"))


@pytest.fixture(scope="module")
def population(neurons):
    return libsonata.NodeStorage(str(neurons.parent / "nodes.h5")).open_population(POPULATION)


texts = st.sampled_from(["L1_DAC", "L5_TPC:A", "L5_TPC:B", "nobody"])
whole = st.integers(0, 6)
rules = st.fixed_dictionaries(
    {},
    optional={
        "layer": whole | st.lists(whole, min_size=1, max_size=3),
        "mtype": texts
        | st.lists(texts, min_size=1, max_size=3)
        | st.sampled_from(["L5.*", "DAC", ".*DAC", "L._.*[AB]"]).map(lambda r: {"$regex": r}),
        "depth": st.sampled_from(["$gt", "$lt", "$gte", "$lte"]).flatmap(
            lambda sign: st.sampled_from([0.0, 0.5, 1.25, 2]).map(lambda v: {sign: v})
        ),
        "node_id": st.lists(st.integers(0, N_NEURONS + 5), max_size=4),
        "population": st.sampled_from([POPULATION, "elsewhere", [POPULATION, "elsewhere"]]),
    },
).filter(bool)


@given(first=rules, second=rules)
def test_node_sets_are_those_of_libsonata(neurons, population, first, second):
    sets = {"first": first, "second": second, "both": ["first", "second"], "again": ["both"]}
    reference = libsonata.NodeSets(json.dumps(sets))
    sim = open_simulation(neurons)
    sim.__dict__["node_set_rules"] = sets
    for name in sets:
        wanted = reference.materialize(name, population).flatten()
        assert sim.node_set_ids(name, POPULATION).tolist() == sorted(wanted)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"etype": "cAC"}, "names the property 'etype', which population 'cortex' lacks"),
        (["gone"], "node set 'gone', which 'set' names: is not defined"),
        (["set"], "node set 'set': contains itself"),
        ({"depth": "deep"}, "'depth' asks for ['deep'], but the property holds numbers"),
        ({"depth": {"$regex": "a"}}, "'depth' has $regex, but the property holds numbers"),
        ({"mtype": {"$regex": "("}}, "'mtype' has an invalid $regex"),
        ({"mtype": {"$gt": 1}}, "compares the text property 'mtype' by $gt"),
        ({"mtype": {"$near": 1}}, "'mtype' has '$near': 1; there are: $regex, $gt"),
        ({"node_id": ["a"]}, "its node_id are not whole numbers"),
        (7, "it is 7, neither a list of names nor"),
    ],
)
def test_a_node_set_that_makes_no_sense_is_refused(neurons, rule, sentence):
    sim = open_simulation(neurons)
    sim.__dict__["node_set_rules"] = {"set": rule}
    with pytest.raises(SimulationDataError) as caught:
        sim.node_set_ids("set", POPULATION)
    assert sentence in str(caught.value)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_simulation(tmp_path_factory.mktemp("sample") / "run", SMALL)


def test_both_ways_of_reading_a_configuration_agree(sample, neurons):
    nothing = _config.Given()
    for path in (sample, neurons):
        content = _config.resolve_manifest(path, _config.read_json(path, "a configuration"))
        by_library = _config.simulation_by_bluepysnap(path, content, nothing)
        assert _config.simulation_by_json(path, content, nothing) == by_library
        circuit = by_library.circuit
        content = _config.read_json(circuit, "a configuration")
        by_library = _config.circuit_by_bluepysnap(circuit, content)
        by_json = _config.circuit_by_json(circuit, content, "said")
        assert by_json.populations == by_library.populations
        assert by_json.node_sets_file == by_library.node_sets_file


def test_columns_are_those_of_bluepysnap(sample):
    sim = open_simulation(sample)
    reference = bluepysnap.Simulation(sample).circuit.nodes["cortex"].get()
    assert set(sim.columns("cortex")) | {"population"} == set(reference.columns) | {"population"}
    for name in sim.columns("cortex"):
        ours, theirs = np.asarray(sim.column("cortex", name)), reference[name].to_numpy()
        if ours.dtype.kind == "O":
            assert ours.tolist() == theirs.tolist()
        else:
            np.testing.assert_array_equal(ours, theirs)


def test_every_node_set_of_the_sample_is_bluepysnaps(sample):
    sim, reference = open_simulation(sample), bluepysnap.Simulation(sample)
    for name in sim.node_sets:
        wanted = reference.circuit.nodes["cortex"].ids(reference.node_sets[name])
        assert sim.node_set_ids(name, "cortex").tolist() == sorted(wanted)
