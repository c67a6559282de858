"""What is shown of a cube, without a viewer."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit._napari.layers.display import (
    contrast_limits,
    hex_points,
    numbers_of,
    plain_points,
    reading,
)
from napari_hexrecruit.metrics import METRICS


def test_places_are_y_and_x_in_the_order_of_the_cube(cube):
    hexes = hex_points(cube)
    np.testing.assert_array_equal(hexes.centres[:, 0], cube["y"])
    np.testing.assert_array_equal(hexes.centres[:, 1], cube["x"])
    assert hexes.names.tolist() == cube["hex"].to_numpy().tolist()


def test_the_transform_turns_bins_into_ms(cube):
    hexes = hex_points(cube)
    assert (hexes.scale, hexes.translate) == ((10.0, 1.0, 1.0), (3000.0, 0.0, 0.0))
    assert hexes.window_ms(2) == (3020.0, 3030.0)
    assert hexes.size == 100.0


@pytest.mark.parametrize(
    ("flat_units", "unit"), [("um", "um"), ("µm", "um"), ("pixel", "pixel"), ("unknown", "pixel")]
)
def test_only_micrometres_are_called_so(flat_units, unit):
    cube = wave_cube(2, 2, 1, flat_units=flat_units)
    assert hex_points(cube).units == ("ms", unit, unit)


def test_numbers_share_the_memory_of_the_cube(cube):
    numbers = numbers_of(cube)
    for name in ("recruitment", "n_recruited", "n_spikes"):
        assert np.shares_memory(numbers[name].to_numpy(), cube[name].to_numpy())


@pytest.mark.parametrize("name", METRICS)
def test_numbers_give_what_the_cube_gives(cube, name):
    metric = METRICS[name]
    np.testing.assert_array_equal(metric.values(numbers_of(cube), 3), metric.values(cube, 3))


def test_plain_points_hold_every_value_of_the_cube(cube):
    data, features = plain_points(cube, METRICS["recruitment"])
    n_hexes = cube.sizes["hex"]
    assert data.shape == (5 * n_hexes, 3)
    for bin_ in range(5):
        rows = data[:, 0] == bin_
        np.testing.assert_array_equal(data[rows, 1], cube["y"])
        np.testing.assert_array_equal(features["recruited"][rows], cube["recruitment"][bin_])
        assert features["hex"][rows].tolist() == cube["hex"].to_numpy().tolist()


class TestLimits:
    def test_recruitment_is_shown_as_published(self, cube):
        assert contrast_limits(cube, METRICS["recruitment"]) == (0.0, 50.0)

    def test_others_go_to_the_99th_percentile(self, cube):
        values = METRICS["rate"].values(cube)
        limits = contrast_limits(cube, METRICS["rate"])
        assert limits == (0.0, pytest.approx(np.quantile(values, 0.99)))

    def test_one_active_hexagon_is_visible(self):
        counts = np.zeros((200, 4), dtype=int)
        counts[7, 1] = 30
        cube = cube_of(counts, row=[0, 0, 1, 1], col=[0, 1, 0, 1])
        assert contrast_limits(cube, METRICS["n_recruited"]) == (0.0, 30.0)

    def test_silence_has_limits_too(self):
        cube = cube_of(np.zeros((2, 2)), row=[0, 0], col=[0, 1])
        assert contrast_limits(cube, METRICS["rate"]) == (0.0, 1.0)

    def test_hexagons_without_a_value_have_limits_too(self):
        cube = cube_of(np.zeros((2, 2)), row=[0, 0], col=[0, 1], n_neurons=3, min_neurons=10)
        assert contrast_limits(cube, METRICS["rate"]) == (0.0, 1.0)

    def test_of_a_large_cube_some_bins_are_read(self, monkeypatch):
        monkeypatch.setattr("napari_hexrecruit.limits._ENOUGH_VALUES", 10)
        counts = np.tile([[10, 20, 30, 40]], (8, 1))
        counts[1::2] = 0  # every fourth bin is read, and none of these
        cube = cube_of(counts, row=[0, 0, 1, 1], col=[0, 1, 0, 1])
        high = contrast_limits(cube, METRICS["n_recruited"])[1]
        assert high == pytest.approx(np.quantile([10, 20, 30, 40] * 2, 0.99))


@pytest.mark.parametrize(
    ("metric", "value", "n_neurons", "sentence"),
    [
        ("recruitment", 12.5, 48, "R3;C-1: 12.5 % of 48 neurons"),
        ("recruitment", 100.0, 1, "R3;C-1: 100 % of 1 neuron"),
        ("recruitment", np.nan, 1200, "R3;C-1: no value, 1,200 neurons"),
        ("n_recruited", 6, 48, "R3;C-1: 6 recruited neurons of 48"),
        ("n_recruited", 1234, 5678, "R3;C-1: 1,234 recruited neurons of 5,678"),
        ("rate", 1.25, 48, "R3;C-1: 1.25 spikes/s per neuron, 48 neurons"),
    ],
)
def test_a_value_reads_as_a_sentence(metric, value, n_neurons, sentence):
    assert reading("R3;C-1", value, n_neurons, METRICS[metric]) == sentence
