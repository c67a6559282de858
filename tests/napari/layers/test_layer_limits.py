"""Contrast limits of the hexagon layer that are equal, reversed or no numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.support.cubes import cube_of

from napari_hexrecruit import render_frames
from napari_hexrecruit._napari.layers.adding import make_recruitment_layer
from napari_hexrecruit.metrics import METRICS


def test_equal_ones_are_moved_apart_and_drawn(add, cube, photograph):
    viewer, layer = add(cube, show=True)
    first, last = layer.face_colormap.map(np.array([0.0, 1.0]))
    for value in (0.0, 1.0, 30.0, -2.0):
        viewer.dims.set_point(0, 3000.0)
        layer.face_contrast_limits = (value, value)
        low, high = layer.face_contrast_limits
        assert low == value < high < value + 0.01
        viewer.dims.set_point(0, 3020.0)
        assert photograph(viewer).any(), value
        above = layer.features["recruited"].to_numpy() > value
        colours, n_above = layer.face_color, above.sum()
        np.testing.assert_allclose(colours[above], np.tile(last, (n_above, 1)), err_msg=f"{value}")
        lowest = np.tile(first, (len(colours) - n_above, 1))
        np.testing.assert_allclose(colours[~above], lowest, atol=0.01, err_msg=f"{value}")


@pytest.mark.parametrize(
    "limits",
    [(5, 1), (math.nan, 1), (0, math.inf), (-math.inf, 0), (math.nan, math.nan), (1,), 3, "ab"],
)
def test_others_are_refused_and_the_layer_stays(windowless, cube, limits):
    viewer, layer = windowless(cube)
    before = layer.face_contrast_limits
    with pytest.raises(ValueError, match=r"limit|float"):
        layer.face_contrast_limits = limits
    assert layer.face_contrast_limits == before
    viewer.dims.set_point(0, 3040.0)
    assert np.isfinite(layer.face_color).all()
    with pytest.raises(ValueError, match=r"limit|float"):
        make_recruitment_layer(cube, face_contrast_limits=limits)


def test_none_are_those_of_the_metric(windowless, cube):
    _, layer = windowless(cube, metric="rate")
    first = layer.face_contrast_limits
    layer.face_contrast_limits = (1, 2)
    layer.face_contrast_limits = None
    assert layer.face_contrast_limits == first


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("percent", [0, 100])
def test_a_cube_of_one_value(windowless, metric, percent):
    one = cube_of(np.full((3, 2), percent), row=[0, 0], col=[0, 1])
    _, layer = windowless(one, metric=metric)
    assert layer.face_contrast_limits == render_frames(one, metric=metric).clim
    layer.face_contrast_limits = (percent, percent)
    assert np.isfinite(layer.face_color).all()
