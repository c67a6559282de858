"""Maps of who connects, against brute force over the pairs."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from tests.support.edge_files import name_edges, write_edges

from napari_hexrecruit import afferents, recruitment_cube
from napari_hexrecruit.analysis import neurons_of, with_maps
from napari_hexrecruit.counting import connections
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.metrics import metrics_for
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.synthetic import write_simulation

N, N_EDGES = 400, 6_000
NAME = "cortex__cortex__chemical"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    """A simulation, its cube, and edges in no order with many synapses of one pair."""
    config = write_simulation(tmp_path_factory.mktemp("edges") / "run", n_neurons=N)
    rng = np.random.default_rng(2)
    sources, targets = rng.integers(0, N, (2, N_EDGES))
    sources, targets = np.tile(sources, 2), np.tile(targets, 2)
    sim = open_simulation(config)
    return sim, recruitment_cube(sim), sources, targets


def brute_force(sim, cube, sources, targets, chosen):
    members = cube_members(sim, cube)
    synapses, pairs = np.zeros(cube.sizes["hex"]), np.zeros(cube.sizes["hex"])
    seen = set()
    for s, t in zip(sources.tolist(), targets.tolist(), strict=True):
        at = members.hex_of_neuron[t]
        if at >= 0 and s in chosen:
            synapses[at] += 1
            pairs[at] += (s, t) not in seen
            seen.add((s, t))
    return synapses / cube["n_neurons"].values, pairs / cube["n_neurons"].values


@pytest.mark.parametrize("order", ["none", "by target", "by source, with an index"])
def test_maps_are_those_of_brute_force(simulation, tmp_path, monkeypatch, order):
    sim, cube, sources, targets = simulation
    keys = {"none": (np.arange(len(sources)),), "by target": (np.arange(len(sources)), targets)}
    if order == "by target":
        monkeypatch.delattr(connections, "_distinct_pairs")  # one pass is enough
    by = np.lexsort(keys.get(order, (targets, sources)))
    sources, targets = sources[by], targets[by]
    file = write_edges(
        tmp_path / "edges.h5", sources, targets, indexed_sources=N if "index" in order else 0
    )
    picked = cube["hex"].values[[3, 8]].tolist()
    in_hexes = set(neurons_of(cube_members(sim, cube), np.array([3, 8])).tolist())
    everyone, excitatory = set(range(N)), set(sim.node_set_ids("Excitatory", "cortex").tolist())
    for options, chosen in (
        ({"hexes": picked}, in_hexes),
        ({"node_set": "Excitatory"}, excitatory),
        ({"population": "cortex"}, everyone),
    ):
        found = afferents(sim, cube, edges=file, **options)
        synapses, pairs = brute_force(sim, cube, sources, targets, chosen)
        np.testing.assert_allclose(found["afferent_synapses"], synapses)
        np.testing.assert_allclose(found["afferent_neurons"], pairs)


def test_pairs_in_no_order_are_counted_in_parts(simulation, tmp_path, monkeypatch):
    sim, cube, sources, targets = simulation
    file = write_edges(tmp_path / "edges.h5", sources, targets)
    whole = afferents(sim, cube, population="cortex", edges=file)
    monkeypatch.setattr(connections, "_PAIRS_BYTES", 10_000)
    assert afferents(sim, cube, population="cortex", edges=file).identical(whole)


def test_a_map_is_shown_like_others(simulation, tmp_path):
    sim, cube, sources, targets = simulation
    found = afferents(
        sim, cube, population="cortex", edges=write_edges(tmp_path / "e.h5", sources, targets)
    )
    shown = with_maps(cube, found["afferent_synapses"])
    metric = metrics_for(shown)[-1]
    assert (metric.name, metric.units) == ("afferent_synapses", "synapses per neuron")
    assert metric.title == "Afferent synapses from cortex (synapses per neuron)"


def test_edges_that_do_not_fit_are_refused(simulation, tmp_path):
    sim, cube, sources, targets = simulation
    circuit = sim.path.parent / "circuit_config.json"
    with pytest.raises(SimulationDataError, match=r"no edges are from 'cortex' to 'cortex'.*none"):
        afferents(sim, cube, population="cortex")
    strange = write_edges(tmp_path / "strange.h5", sources, targets, ends=("VPM", "POm"))
    with pytest.raises(SimulationDataError, match=r"VPM__POm__chemical \(VPM to POm\)"):
        afferents(sim, cube, population="cortex", edges=strange)
    file = write_edges(tmp_path / "edges.h5", sources, targets)
    name_edges(circuit, file, NAME)
    assert afferents(sim, cube, population="cortex", edges=NAME).attrs["n_unknown"] == 0
    with h5py.File(file, "r+") as opened:
        opened[f"edges/{NAME}/source_node_id"][5] = N + 7
    assert afferents(sim, cube, population="cortex").attrs["n_unknown"] == 1
    with h5py.File(file, "r+") as opened:
        del opened[f"edges/{NAME}/source_node_id"].attrs["node_population"]
    with pytest.raises(SimulationDataError, match="'node_population' is missing"):
        afferents(sim, cube, population="cortex")
    with pytest.raises(ValueError, match="the sources are not named"):
        afferents(sim, cube)
    with pytest.raises(ValueError, match="hexagons hold neurons of 'cortex'"):
        afferents(sim, cube, hexes="R0;C0", population="thalamus")
