"""What a simulation offers to choose from."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import open_simulation
from napari_hexrecruit._napari.recruitment.choices import column_choices, simulation_choices
from napari_hexrecruit._napari.recruitment.work import summary
from napari_hexrecruit.errors import SimulationDataError


class TestColumn:
    @pytest.mark.parametrize(
        ("column", "values", "n_neurons", "span"),
        [
            pytest.param(
                pd.Categorical(["b", "a", "b"], categories=["b", "unused", "a"]),
                ("a", "b"),
                (1, 2),
                None,
                id="text",
            ),
            pytest.param(np.array([3, 1, 3]), (1, 3), (1, 2), (1.0, 3.0), id="integers"),
            pytest.param(np.arange(101), (), (), (0.0, 100.0), id="many-integers"),
            pytest.param(np.array([0, 10**9]), (), (), (0.0, 1e9), id="far-integers"),
            pytest.param(np.array([0.5, np.nan, 2.0]), (), (), (0.5, 2.0), id="real"),
            pytest.param(np.array([np.nan]), (), (), None, id="nothing-finite"),
            pytest.param(np.array([], dtype=int), (), (), None, id="nobody"),
        ],
    )
    def test_values(self, column, values, n_neurons, span):
        choices = column_choices("c", column)
        assert (choices.values, choices.n_neurons, choices.span) == (values, n_neurons, span)

    def test_labels_say_how_many_neurons_have_a_value(self):
        choices = column_choices("layer", np.repeat([2, 3], [1200, 1]))
        assert choices.labelled_values == [("2 (1,200 neurons)", 2), ("3 (1 neuron)", 3)]


class TestSimulation:
    def test_a_population_that_is_broken_does_not_spoil_the_others(self, tmp_path):
        path = two_populations(tmp_path, broken_file=True)
        choices = simulation_choices(open_simulation(path))
        assert [population.name for population in choices.populations] == ["cortex"]
        assert choices.population == "cortex"

    def test_of_several_populations_the_largest_is_offered_first(self, tmp_path):
        path = two_populations(tmp_path, broken_file=False)
        (tmp_path / "output" / "spikes.h5").unlink()
        choices = simulation_choices(open_simulation(path))
        assert choices.population == "cortex"
        assert "does not exist" in choices.problem
        assert choices.of("other").n_spikes is None
        assert choices.of("unheard of").name == "cortex"

    def test_without_a_readable_population_it_is_an_error(self, tmp_path):
        path = neurons_in_a_row().write(tmp_path)
        (tmp_path / "nodes.h5").write_text("no HDF5")
        with pytest.raises(SimulationDataError, match="is not an HDF5 file"):
            simulation_choices(open_simulation(path))

    def test_flat_columns_are_the_usual_ones_and_then_the_others(self, tmp_path):
        choices = simulation_choices(open_simulation(neurons_in_a_row().write(tmp_path)))
        flat = choices.of("cortex").flat_columns
        assert flat == ("ss_flat_x", "ss_flat_y", "flat_x", "flat_y", "depth", "layer")


def test_a_summary_of_one_thing_is_singular(cube):
    one = cube.isel(time=[0], hex=[0])
    one.attrs = cube.attrs | {"n_neurons_selected": 1, "notes": "[]"}
    assert summary([one]) == "1 hexagon, 1 bin, 1 of 1 neuron counted."


def two_populations(folder, *, broken_file):
    """The neurons in a row, and another population of fewer neurons in a file of its own."""
    import json

    path = neurons_in_a_row().write(folder)
    circuit = folder / "circuit_config.json"
    content = json.loads(circuit.read_text())
    content["networks"]["nodes"].append(
        {"nodes_file": str(folder / "other.h5"), "populations": {"other": {"type": "point_neuron"}}}
    )
    circuit.write_text(json.dumps(content))
    if broken_file:
        (folder / "other.h5").write_text("no HDF5")
        return path
    with h5py.File(folder / "other.h5", "w") as file:
        file["nodes/other/node_type_id"] = np.full(3, -1)
        file["nodes/other/0/ss_flat_x"] = np.zeros(3)
    return path
