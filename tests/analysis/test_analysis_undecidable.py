"""Maps of which one alone cannot tell whether they are a front or chance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from tests.support.wave_cubes import RADIUS_UM, Known, centres

from napari_hexrecruit.analysis import _fits, fit_wave, verdicts, waves

_, _, X, Y = centres(14, 18)
SIZE = float(np.hypot(np.ptp(X), np.ptp(Y)))
SENTENCE = (
    "undecidable, as the latencies are nearly a gradient: what a front leaves is correlated over"
)


def test_a_map_that_is_nearly_a_gradient_is_named_so():
    away = np.hypot(X[:, None] - X, Y[:, None] - Y) / (np.sqrt(3.0) * RADIUS_UM)
    smooth = np.exp(-(away**2) / 72.0) @ np.random.default_rng(0).normal(size=len(X))
    smooth = (smooth - smooth.mean()) / smooth.std()
    values = 30.0 + 10.0 * smooth + 13.0 * (X - X.mean()) / X.std()
    places = {"x": ("hex", X, {"units": "um"}), "y": ("hex", Y)}
    fit = fit_wave(xr.DataArray(values, places, ("hex",)), kind="plane")
    assert not fit.is_wave and fit.correlation_length > SIZE / 3.0
    assert SENTENCE in fit.why and "more than a third of the sheet" in fit.why


@pytest.mark.slow
def test_chance_is_undecidable_only_where_errors_are_alike_over_a_third_of_the_sheet():
    arrival = Known(0.0, direction_deg=40.0).arrival_ms(X, Y)
    points = _fits.Points(X, Y, arrival, np.ones(len(X)))
    front = waves._front(points, "plane", 0)

    def against(length):
        noise = dataclasses.replace(front.noise, length=length, nugget=0.01)
        return verdicts.against(dataclasses.replace(front, noise=noise, p_value=0.2), points, 0.0)

    assert against(SIZE).startswith(SENTENCE)
    assert against(SIZE).endswith("a third of the sheet, so the fit may be chance (p = 0.2)")
    assert against(SIZE / 10.0) == "the fit may be chance (p = 0.2)"
