"""Courses of hexagons, their pooled mean, and their spikes."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit.analysis import (
    cut_trials,
    hex_traces,
    neurons_of,
    population_trace,
    raster,
    trace_figure,
    traces_table,
    trial_mean,
)
from napari_hexrecruit.counting.members import group_neurons
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.metrics import METRICS, metric_named


@pytest.fixture
def cube():
    """Hexagons of 10, 90 and 1 neurons, the last one with too few."""
    made = cube_of(
        [[5, 9, 1], [0, 45, 0]],
        n_spikes=[[8, 20, 3], [0, 99, 0]],
        row=[0, 0, 0],
        col=[0, 1, 2],
        n_neurons=[10, 90, 1],
        min_neurons=2,
        start_ms=100.0,
    )
    assert np.isnan(made["recruitment"][:, 2]).all()
    return made


def test_one_line_a_hexagon_in_the_order_given(cube):
    traces = hex_traces(cube, ["R0;C1", "R0;C0"])
    assert traces["hex"].to_numpy().tolist() == ["R0;C1", "R0;C0"]
    np.testing.assert_allclose(traces["trace"], [[10.0, 50.0], [50.0, 0.0]])
    assert traces["time"].to_numpy().tolist() == [100.0, 110.0]
    assert traces["trace"].attrs == {"long_name": "Recruited", "units": "%"}
    assert {"x", "y", "i", "j", "row", "col", "n_neurons"} <= set(traces.coords)


def test_in_the_mean_every_neuron_counts_alike(cube):
    traces = hex_traces(cube, [0, 1])
    np.testing.assert_allclose(traces["mean"], [100 * 14 / 100, 100 * 45 / 100])
    assert float(traces["mean"][0]) != float(traces["trace"][0].mean())


def test_a_hexagon_with_too_few_neurons_has_no_line_and_no_part_in_the_mean(cube):
    traces = hex_traces(cube, [0, 2])
    assert np.isnan(traces["trace"][:, 1]).all()
    np.testing.assert_allclose(traces["mean"], [50.0, 0.0])
    assert np.isnan(hex_traces(cube, [2])["mean"]).all()


def test_no_hexagon_is_no_line(cube):
    traces = hex_traces(cube, [])
    assert traces["trace"].shape == (2, 0)
    assert np.isnan(traces["mean"]).all()
    assert list(traces_table(traces)) == ["time_ms", "mean"]


@pytest.mark.parametrize("metric", METRICS)
def test_the_mean_of_all_hexagons_is_the_population(cube, metric):
    everywhere = hex_traces(cube, np.arange(3), metric=metric)
    np.testing.assert_allclose(everywhere["mean"], population_trace(cube, metric=metric))
    assert everywhere["mean"].attrs["units"] == METRICS[metric].units
    np.testing.assert_allclose(everywhere["trace"], metric_named(metric).values(cube))


@given(st.sets(st.sampled_from(range(12)), min_size=1), st.sampled_from(range(12)))
def test_the_mean_of_parts_weighted_by_their_neurons_is_the_mean_of_the_whole(part, one):
    rng = np.random.default_rng(one)
    neurons = rng.integers(1, 200, 12)
    row, col = np.divmod(np.arange(12), 4)
    made = cube_of(rng.integers(0, neurons + 1, (5, 12)), row=row, col=col, n_neurons=neurons)
    rest = set(range(12)) - part
    size = {k: int(neurons[list(k)].sum()) for k in (tuple(part), tuple(rest))}
    means = {k: hex_traces(made, list(k))["mean"].to_numpy() for k in size if k}
    total = sum(size[k] * mean for k, mean in means.items()) / neurons.sum()
    np.testing.assert_allclose(total, population_trace(made), rtol=1e-9, atol=1e-12)


def test_the_cube_is_not_changed(cube):
    before = cube.copy(deep=True)
    hex_traces(cube, [0, 2])["trace"][:] = -1.0
    population_trace(cube)
    assert cube.identical(before)


def test_the_table_reads_back(cube):
    traces = hex_traces(cube, [1, 2])
    table = traces_table(traces)
    assert list(table) == ["time_ms", "R0;C1", "R0;C2", "mean"]
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    np.testing.assert_allclose(again.to_numpy(), table.to_numpy(), rtol=1e-6)


def test_a_single_bin():
    one = wave_cube(n_bins=1)
    assert hex_traces(one, [0, 1])["trace"].shape == (1, 2)


# --- spikes ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spikes():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 300, (2, 80))
    members = group_neurons(HexGrid(50.0), x, y, rng.uniform(size=80) > 0.1)
    times = np.sort(rng.uniform(0, 100, 500))
    neurons = rng.integers(-1, 80, 500).astype(np.int32)
    assert (neurons == -1).any() and (members.hex_of_neuron == -1).any()
    return neurons, times, members


def test_the_raster_has_the_spikes_of_the_neurons_in_the_window(spikes):
    neurons, times, members = spikes
    hexes = np.array([4, 1])
    found = raster(*spikes, hexes, start=20.0, stop=60.0)
    theirs = set(neurons_of(members, hexes).tolist())
    slow = [
        (t, n)
        for t, n in zip(times.tolist(), neurons.tolist(), strict=True)
        if 20.0 <= t < 60.0 and n in theirs
    ]
    assert list(zip(found["time"].values, found["neuron"].values, strict=True)) == slow
    assert len(slow) > 10


def test_each_neuron_has_a_line_hexagon_by_hexagon(spikes):
    _, _, members = spikes
    hexes = np.array([4, 1, 6])
    found = raster(*spikes, hexes)
    assert found.attrs["n_lines"] == members.n_neurons[hexes].sum()
    assert (
        found["first_line"].values.tolist()
        == np.cumsum([0, *members.n_neurons[hexes][:-1]]).tolist()
    )
    for neuron, line, at in zip(
        found["neuron"].values, found["line"].values, found["hex_index"].values, strict=True
    ):
        own = neurons_of(members, hexes[[at]]).tolist()
        assert line == int(found["first_line"][at]) + own.index(neuron)


def test_the_raster_of_nothing_is_empty(spikes):
    assert raster(*spikes, np.zeros(0, int)).sizes["spike"] == 0
    assert raster(*spikes, np.array([1]), start=200.0).sizes["spike"] == 0


def test_a_standard_error_has_no_mean_over_hexagons():
    cube = wave_cube(n_bins=12)
    mean = trial_mean(cut_trials(cube, [40.0, 80.0], before=20.0, after=20.0))
    found = hex_traces(mean, [0, 1], metric="sem")
    assert np.isnan(found["mean"]).all() and np.isfinite(found["trace"]).all()
    assert found["trace"].attrs["long_name"] == "Recruited, SEM over 2 trials"
    assert traces_table(found).columns.tolist() == ["time_ms", *found["hex"].values]
    labels = [text.get_text() for text in trace_figure(found).axes[0].get_legend().get_texts()]
    assert labels == found["hex"].values.tolist()
    with pytest.raises(ValueError, match="no joint value for several hexagons"):
        population_trace(mean, metric="sem")
