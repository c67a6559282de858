"""Intervals of percentages."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.cubes import cube_of

from napari_hexrecruit.analysis import wilson_intervals


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_are_those_of_scipy(level):
    from scipy.stats import binomtest

    counts = [[0, 3, 20, 1], [20, 7, 10, 0]]
    sizes = [20, 60, 20, 1]
    cube = cube_of(counts, row=[0] * 4, col=range(4), n_neurons=sizes)
    found = wilson_intervals(cube, level=level)
    for t, h in np.ndindex(2, 4):
        exact = binomtest(counts[t][h], sizes[h]).proportion_ci(level, method="wilson")
        held = [float(found[name][t, h]) for name in ("low", "high")]
        np.testing.assert_allclose(held, 100.0 * np.array(exact), atol=1e-4)


def test_absent_is_not_0_and_a_level_is_a_probability():
    cube = cube_of([[1, 1]], row=[0, 0], col=[0, 1], n_neurons=[3, 30], min_neurons=10)
    assert np.isnan(wilson_intervals(cube)["low"]).to_numpy().tolist() == [[True, False]]
    with pytest.raises(ValueError, match="level must be between 0 and 1, not 95"):
        wilson_intervals(cube, level=95)
