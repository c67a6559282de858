"""Edges that are not those of the circuit, or not whole: one sentence with what to do."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pytest
from tests.support.commands import hexrecruit
from tests.support.edge_files import name_edges, write_edges

from napari_hexrecruit import afferents, recruitment_cube, write_cube
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.synthetic import write_simulation

N, NAME = 200, "cortex__cortex__chemical"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    config = write_simulation(tmp_path_factory.mktemp("edges") / "run", n_neurons=N)
    return open_simulation(config), recruitment_cube(config)


def edges(path, **options):
    ids = np.arange(60) % N
    return write_edges(path, ids, ids[::-1], **options)


def changed(path, change, **options):
    file = edges(path, **options)
    with h5py.File(file, "r+") as opened:
        change(opened[f"edges/{NAME}"])
    return file


def without(name):
    def change(group):
        del group[name]

    return change


def nameless(group):
    del group["target_node_id"].attrs["node_population"]


def shorter(group):
    values = group["source_node_id"][:-7]
    attrs = dict(group["source_node_id"].attrs)
    del group["source_node_id"]
    group["source_node_id"] = values
    group["source_node_id"].attrs.update(attrs)


def beyond(group):
    group["indices/source_to_target/range_to_edge_id"][:] = [0, 1000]


def real(group):
    values = group["target_node_id"][:].astype(float)
    attrs = dict(group["target_node_id"].attrs)
    del group["target_node_id"]
    group["target_node_id"] = values
    group["target_node_id"].attrs.update(attrs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("target_node_id"), "has no source_node_id and target_node_id: name other edges"),
        (nameless, "does not say whose ids it holds: an attribute 'node_population' is missing"),
        (shorter, "has 53 sources for 60 targets: is the file complete?"),
        (real, "target_node_id: is float64"),
    ],
)
def test_edges_that_are_not_whole(simulation, tmp_path, change, said):
    sim, cube = simulation
    file = changed(tmp_path / "edges.h5", change)
    with pytest.raises(SimulationDataError, match=re.escape(said)) as caught:
        afferents(sim, cube, population="cortex", edges=file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_index_beyond_the_edges(simulation, tmp_path):
    sim, _ = simulation
    cube = recruitment_cube(sim, radius=15.0)
    file = changed(tmp_path / "edges.h5", beyond, indexed_sources=N)
    few = [str(cube["hex"].values[cube["n_neurons"].values.argmin()])]
    with pytest.raises(SimulationDataError, match="points beyond the 60 edges of the file"):
        afferents(sim, cube, hexes=few, edges=file)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda file: None, "the edges file does not exist"),
        (lambda file: file.write_bytes(b"no edges"), "the edges file is not an HDF5 file"),
        (lambda file: edges(file, ends=("A", "B")), "no edges are from 'cortex' to 'cortex'"),
        (lambda file: cut(edges(file)), "the edges file is cut off, its end is missing"),
        (lambda file: h5py.File(file, "w").close(), "has no group 'edges'"),
    ],
)
def test_files_that_are_not_the_circuits(simulation, tmp_path, write, said):
    sim, cube = simulation
    write(tmp_path / "edges.h5")
    with pytest.raises(SimulationDataError, match=re.escape(said)) as caught:
        afferents(sim, cube, population="cortex", edges=tmp_path / "edges.h5")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(": ") >= 2


def cut(file):
    file.write_bytes(file.read_bytes()[:-300])


def test_ids_that_a_population_lacks_are_counted(simulation, tmp_path):
    sim, cube = simulation
    whole = edges(tmp_path / "whole.h5")
    ids = np.append(np.arange(60) % N, [N + 5, 3])
    odd = write_edges(tmp_path / "odd.h5", ids, np.append(np.arange(60)[::-1] % N, [3, N + 9]))
    expected = afferents(sim, cube, population="cortex", edges=whole)
    found = afferents(sim, cube, population="cortex", edges=odd)
    np.testing.assert_array_equal(found["afferent_synapses"], expected["afferent_synapses"])
    assert (expected.attrs["n_unknown"], found.attrs["n_unknown"]) == (0, 2)


@pytest.mark.slow
def test_the_command_refuses_in_a_line(tmp_path):
    config = write_simulation(tmp_path / "run", n_neurons=N)
    write_cube(recruitment_cube(config), tmp_path / "a.hexrecruit.nc")
    edges(tmp_path / "edges.h5", ends=("A", "B"))
    name_edges(config.parent / "circuit_config.json", tmp_path / "edges.h5", "A__B__chemical")
    run = ("map", tmp_path / "a.hexrecruit.nc", "afferents", "--from", "cortex")
    done = hexrecruit(*run, "-o", tmp_path / "a.png")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "A__B__chemical (A to B): name one, or a file, with --edges NAME" in done.stderr
    assert not (tmp_path / "a.png").exists()
