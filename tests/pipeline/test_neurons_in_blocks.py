"""Flat columns are read some neurons at a time, however the nodes file stores them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from tests.support.sonata_files import POPULATION
from typer.testing import CliRunner

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.cli import app
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._nodes import Nodes
from napari_hexrecruit.storage import hdf5
from napari_hexrecruit.synthetic import write_simulation

FLAT = ("ss_flat_x", "ss_flat_y")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    config = write_simulation(tmp_path_factory.mktemp("plain") / "run", n_neurons=600)
    return recruitment_cube(config)


@pytest.fixture
def config(tmp_path):
    return write_simulation(tmp_path / "run", n_neurons=600)


def stored_as(config, change):
    """Change the file of neurons; `change` takes the group of properties and the population."""
    with h5py.File(config.parent / "nodes.h5", "r+") as file:
        population = file["nodes"][POPULATION]
        change(population["0"], population)
    return config


def rewritten(group, name, values, **storing):
    del group[name]
    group.create_dataset(name, data=values, **storing)


def in_small_chunks(group, population):
    for name, rows in zip(FLAT, (7, 100), strict=True):
        packed = {"chunks": (rows,), "compression": "gzip", "shuffle": True}
        rewritten(group, name, group[name][:], **packed)


def in_one_chunk(group, population):
    for name in FLAT:
        rewritten(group, name, group[name][:], chunks=(600,), compression="gzip")


def highest_byte_first(group, population):
    for name in FLAT:
        rewritten(group, name, group[name][:].astype(">f8"))


def with_ids(group, population):
    population.create_dataset("node_id", data=np.arange(600))


def in_another_order(group, population):
    order = np.random.default_rng(0).permutation(600)
    for name in [name for name in group if name != "@library"]:
        values = group[name][:]
        stored = np.empty_like(values)
        stored[order] = values
        rewritten(group, name, stored)
    rewritten(population, "node_group_index", order)


@pytest.mark.parametrize(
    "change", [in_small_chunks, in_one_chunk, highest_byte_first, with_ids, in_another_order]
)
def test_the_cube_is_the_same(config, expected, monkeypatch, change):
    monkeypatch.setattr(hdf5, "_ROWS", 64)
    cube = recruitment_cube(stored_as(config, change))
    assert cube.drop_attrs().identical(expected.drop_attrs())


def test_a_column_that_was_read_before_is_not_read_again(config, expected):
    sim = open_simulation(config)
    for name in FLAT:
        sim.column(POPULATION, name)
    with sim.number_columns(POPULATION, FLAT) as columns:
        assert columns is None
    assert recruitment_cube(sim).equals(expected)


def test_columns_of_another_simulation_in_one_array(config, expected):
    """The file has x and y of a place in one dataset with three columns."""

    def change(group, population):
        x, y = (group[name][:] for name in FLAT)
        for axis in "xyz":
            del group[axis]
        group.create_dataset("positions", data=np.stack([x, y, y], axis=1), chunks=(50, 3))

    cube = recruitment_cube(stored_as(config, change), flat=("x", "y"), min_neurons=1)
    at_minus_one = {"R0;C0", "R-1;C-1", "R-1;C0", "R0;C-1"}  # no outside value in these properties
    same = [name for name in cube["hex"].values.tolist() if name not in at_minus_one]
    found, wanted = (one["n_neurons"].sel(hex=same).values for one in (cube, expected))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n_bytes", [0, 600 * 8 - 1])
def test_neurons_that_do_not_fit_are_refused_before_they_are_read(config, monkeypatch, n_bytes):
    monkeypatch.setattr(hdf5, "free_bytes", lambda: n_bytes)
    for name in ("column", "numbers"):
        monkeypatch.setattr(Nodes, name, lambda *_: pytest.fail("it is read"))
    with pytest.raises(SimulationDataError, match=r"nodes\.h5: population 'cortex': needs .* GB"):
        recruitment_cube(config)
    out = config.parent / "a.hexrecruit.nc"
    result = CliRunner().invoke(app, ["cube", str(config), "-o", str(out)])
    assert isinstance(result.exception, SimulationDataError)
    assert not out.exists()
