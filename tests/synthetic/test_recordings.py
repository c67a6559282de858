"""The answers of the synthetic report and edges, through the same doors as real ones."""

from __future__ import annotations

import numpy as np
import pytest

from napari_hexrecruit import afferents, recruitment_cube
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.synthetic import Story, write_simulation
from napari_hexrecruit.synthetic.recordings import (
    expected_spread,
    expected_voltage,
    fibres_of_neuron,
)


@pytest.fixture(scope="module")
def story():
    return Story(n_neurons=2_000, stimuli_ms=(100.0, 200.0), tstop_ms=400.0, seed=3)


@pytest.fixture(scope="module")
def sim(story, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings") / "run"
    return open_simulation(write_simulation(folder, story, recordings=True))


def test_the_voltages_are_those_of_the_story(sim, story):
    mean = recruitment_cube(sim, report="soma_v")
    np.testing.assert_allclose(mean["soma_v_mean"], expected_voltage(story), atol=1e-4)
    assert mean["hex"].values.tolist() == story.sheet.names.tolist()
    spread = recruitment_cube(sim, report="soma_v", statistic="sd", bin_ms=50.0)
    expected = np.broadcast_to(expected_spread(story), spread["soma_v_sd"].shape)
    np.testing.assert_allclose(spread["soma_v_sd"], expected, atol=1e-4)


def test_the_edges_are_those_of_the_story(sim, story):
    cube = recruitment_cube(sim)
    found = afferents(sim, cube, population="thalamus")
    np.testing.assert_allclose(found["afferent_neurons"], fibres_of_neuron(story))
    np.testing.assert_allclose(found["afferent_synapses"], 2 * fibres_of_neuron(story))
    n = story.expected().n_neurons
    onward = afferents(sim, cube, hexes=[4])["afferent_synapses"].values
    assert np.flatnonzero(onward).tolist() == [5]
    assert onward[5] == pytest.approx(n[4] / n[5])
