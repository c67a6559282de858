"""Picked neurons as SONATA node sets, read back by bluepysnap and by the package."""

from __future__ import annotations

import json
import os
import warnings

import bluepysnap
import numpy as np
import pytest

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.analysis import neurons_of, share_of_neurons
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.sonata.node_sets import merged_node_sets, node_set_of, write_node_sets
from napari_hexrecruit.synthetic import POPULATION, write_simulation


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_simulation(tmp_path_factory.mktemp("sets") / "run", n_neurons=2_000)


def circuit_sets(run):
    return run.parent / "node_sets.json"


def test_hexagons_to_a_node_set_of_a_simulation_and_back(run, tmp_path):
    """The whole circle: pick hexagons, write the set, use it in a simulation, select by it."""
    sim = open_simulation(run)
    cube = recruitment_cube(sim)
    members, picked = cube_members(sim, cube), np.array([3, 17, 40])
    neurons = neurons_of(members, picked)
    sets = merged_node_sets(
        sim.node_set_rules, "Picked", node_set_of(POPULATION, sim.node_ids(POPULATION)[neurons])
    )
    file = write_node_sets(tmp_path / "node_sets.json", sets)

    config = json.loads(run.read_text())
    manifest = {"network": os.fspath(run.parent / config["network"])}
    output = config["output"] | {"output_dir": os.fspath(run.parent / "output")}
    config |= manifest | {"node_sets_file": os.fspath(file), "output": output}
    other = tmp_path / "simulation_config.json"
    other.write_text(json.dumps(config))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snap = bluepysnap.Simulation(other)
        ids = snap.node_sets["Picked"].get_ids(snap.circuit.nodes[POPULATION].to_libsonata)
    assert ids.tolist() == neurons.tolist()

    again = open_simulation(other)
    share = share_of_neurons(members, again.node_set_ids("Picked", POPULATION))
    assert np.flatnonzero(share > 0).tolist() == picked.tolist()
    small = recruitment_cube(again, node_set="Picked")
    assert small["hex"].to_numpy().tolist() == cube["hex"].to_numpy()[picked].tolist()
    np.testing.assert_array_equal(small["n_spikes"], cube["n_spikes"][:, picked])


def test_the_files_of_circuit_and_simulation_are_never_replaced(run):
    before = circuit_sets(run).read_bytes()
    sets = {"Picked": node_set_of(POPULATION, [1])}
    link = run.parent / "link.json"
    link.symlink_to(circuit_sets(run))
    for file in (circuit_sets(run), link):
        with pytest.raises(ValueError, match="is not replaced: write to another file"):
            write_node_sets(file, sets, protected=[circuit_sets(run)], overwrite=True)
    assert circuit_sets(run).read_bytes() == before
    link.unlink()


def test_other_files_are_replaced_only_when_that_is_asked(tmp_path):
    file = write_node_sets(tmp_path / "sets.json", {"A": node_set_of("p", [2, 1])})
    with pytest.raises(FileExistsError):
        write_node_sets(file, {})
    write_node_sets(file, {"B": node_set_of("p", [])}, overwrite=True, protected=[tmp_path / "no"])
    assert json.loads(file.read_text()) == {"B": {"population": "p", "node_id": []}}


@pytest.mark.parametrize(
    ("name", "said"), [("Column", "is a node set 'Column' already"), (" ", "has no name")]
)
def test_a_name_that_is_taken_or_none_is_refused(name, said):
    with pytest.raises(ValueError, match=said):
        merged_node_sets({"Column": {}}, name, node_set_of("p", [1]))


def test_merging_changes_neither():
    sets, new = {"A": {"node_id": [1]}}, node_set_of("p", [1])
    merged = merged_node_sets(sets, "B", new)
    merged["B"]["population"] = "q"
    assert list(sets) == ["A"] and new["population"] == "p"
