"""Values of the metrics, worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.cubes import cube_of

from napari_hexrecruit.metrics import METRICS, is_cumulative, metric_named


@pytest.fixture
def cube():
    """Three hexagons of 10, 100 and 1 neurons, the last one with too few; bins of 20 ms."""
    made = cube_of(
        [[5, 10, 1], [0, 50, 0]],
        n_spikes=[[8, 20, 3], [0, 100, 0]],
        row=[0, 0, 0],
        col=[0, 1, 2],
        n_neurons=[10, 100, 1],
        bin_ms=20.0,
        min_neurons=2,
    )
    assert np.isnan(made["recruitment"][:, 2]).all()
    return made


EXPECTED = {
    "recruitment": [[50.0, 10.0, np.nan], [0.0, 50.0, np.nan]],
    "n_recruited": [[5.0, 10.0, np.nan], [0.0, 50.0, np.nan]],
    "rate": [[40.0, 10.0, np.nan], [0.0, 50.0, np.nan]],
}
POPULATION = {
    "recruitment": [100 * 15 / 110, 100 * 50 / 110],
    "n_recruited": [7.5, 25.0],
    "rate": [28 / 110 / 0.02, 100 / 110 / 0.02],
}


@pytest.mark.parametrize("name", METRICS)
def test_values(cube, name):
    before = cube.copy(deep=True)
    values = metric_named(name).values(cube)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, EXPECTED[name], rtol=1e-6)
    np.testing.assert_allclose(metric_named(name).values(cube, slice(1, 2)), values[1:], rtol=1e-6)
    assert cube.identical(before)


@pytest.mark.parametrize("name", METRICS)
def test_one_bin_is_a_row(cube, name):
    np.testing.assert_allclose(metric_named(name).values(cube, 0), EXPECTED[name][0], rtol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_population_counts_each_neuron_alike_and_leaves_hexagons_without_value_out(cube, name):
    np.testing.assert_allclose(metric_named(name).population(cube), POPULATION[name], rtol=1e-6)


def test_the_population_of_no_hexagon_with_a_value_is_nan():
    cube = cube_of([[1, 1]], row=[0, 0], col=[0, 1], min_neurons=1000)
    for metric in METRICS.values():
        assert np.isnan(metric.population(cube)).all()
        assert np.isnan(metric.values(cube)).all()


def test_titles_carry_units():
    titles = {name: metric.title for name, metric in METRICS.items()}
    assert titles == {
        "recruitment": "Recruited (%)",
        "n_recruited": "Recruited neurons",
        "rate": "Firing rate (spikes/s per neuron)",
    }


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'rates' is unknown \(did you mean 'rate'\?\): use one"):
        metric_named("rates")
    with pytest.raises(ValueError, match="recruitment, n_recruited, rate"):
        metric_named("xyz")


def test_a_cube_of_neurons_recruited_so_far_is_labelled_so(cube):
    assert [metric.title_for(cube) for metric in METRICS.values()] == [
        metric.title for metric in METRICS.values()
    ]
    cube.attrs["recipe"] = json.dumps({"cumulative": True})
    assert is_cumulative(cube)
    assert [metric.title_for(cube) for metric in METRICS.values()] == [
        "Recruited so far (%)",
        "Recruited neurons so far",
        "Firing rate (spikes/s per neuron)",
    ]


@pytest.mark.parametrize("recipe", ["", "{", "[]", "null", '{"cumulative": false}', 3])
def test_any_other_recipe_means_the_bin_alone(cube, recipe):
    cube.attrs["recipe"] = recipe
    assert not is_cumulative(cube)
