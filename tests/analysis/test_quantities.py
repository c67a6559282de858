"""A cube of voltages in everything that takes cubes: its units, its limits, and no percent."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.cubes import wave_cube

from napari_hexrecruit import (
    MovieStyle,
    as_cube,
    compare,
    cut_trials,
    hex_map,
    hex_traces,
    read_cube,
    reliability,
    render_frames,
    trial_mean,
    validate_cube,
    with_maps,
    write_cube,
    z_score,
)
from napari_hexrecruit.analysis import population_trace
from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.metrics import metric_of, metrics_for
from napari_hexrecruit.render.web.content import about
from napari_hexrecruit.render.web.writer import html_page
from napari_hexrecruit.schema import OF_SPIKES, VARIABLES

NAME = "soma_v_mean"
ATTRS = {"units": "mV", "long_name": "soma_v, mean over neurons"}


def as_voltages(base, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(-65, 3, base["n_spikes"].shape).astype(np.float32)
    cube = base.drop_vars(list(VARIABLES)).assign({NAME: (("time", "hex"), values, ATTRS)})
    for name in OF_SPIKES:
        del cube.attrs[name]
    return cube.assign_attrs(schema_version=2)


@pytest.fixture
def cube():
    return as_voltages(wave_cube(n_rows=3, n_cols=4, n_bins=20), 0)


def test_it_is_a_cube_and_stays_one(cube, tmp_path):
    validate_cube(cube)
    for ending in ("nc", "zarr"):
        file = write_cube(cube, tmp_path / f"v.hexrecruit.{ending}")
        assert read_cube(file).load().identical(cube)
    masked = as_cube(cube.where(cube["hex"] != cube["hex"][2]).isel(hex=slice(None, None, -1)))
    assert masked[NAME].dtype == np.float32
    assert np.isnan(masked[NAME].values[:, 2]).all()
    assert masked["n_neurons"].dtype == np.int32
    for broken, said in (
        (cube.drop_vars(NAME), "no variable of a quantity"),
        (cube.assign({NAME: cube[NAME].drop_attrs()}), "lacks the attribute 'units'"),
        (
            cube.assign_attrs(n_spikes_read=3),
            "'n_recruited', 'n_spikes' are missing",
        ),
        (cube.assign({NAME: cube[NAME].astype(str)}), "has type"),
    ):
        with pytest.raises(ValueError, match="not a recruitment cube") as error:
            validate_cube(broken)
        assert said in str(error.value)


def test_its_metric_is_its_variable(cube):
    (metric,) = metrics_for(cube)
    assert (metric.name, metric.title) == (NAME, "soma_v, mean over neurons (mV)")
    assert metric_of(cube) is metric is metric_of(cube, NAME)
    low, high = first_limits([cube], metric)
    assert (low, high) == pytest.approx(np.quantile(cube[NAME], (0.01, 0.99)).tolist())
    weights = cube["n_neurons"].values
    expected = (cube[NAME].values * weights).sum(axis=1) / weights.sum()
    np.testing.assert_allclose(population_trace(cube), expected, rtol=1e-6)
    for name, said in (
        ("recruitment", "show soma_v_mean"),
        ("soma_v", "did you mean 'soma_v_mean'"),
    ):
        with pytest.raises(ValueError, match=said):
            metric_of(cube, name)


def test_traces_and_analyses_have_its_units(cube):
    traces = hex_traces(cube, [0, 3])
    assert (traces["trace"].attrs["units"], traces.attrs["metric"]) == ("mV", NAME)
    other = as_voltages(wave_cube(n_rows=3, n_cols=4, n_bins=20), 1)
    compared = compare(cube, other)
    np.testing.assert_allclose(compared["difference"], cube[NAME].values - other[NAME].values)
    assert compared["difference"].attrs["units"] == "mV"
    mean = hex_traces(compared, [0, 3], metric="difference")["mean"]
    np.testing.assert_allclose(
        mean, compared["difference"].values[:, [0, 3]].mean(axis=1), rtol=1e-4
    )
    with pytest.warns(UserWarning, match="baseline"):
        assert z_score(cube, cube.isel(time=slice(10)))["z_score"].shape == cube[NAME].shape
    peak = hex_map(cube, "peak")
    assert (peak.attrs["units"], float(peak[0])) == ("mV", float(cube[NAME][:, 0].max()))
    assert float(hex_map(cube, "correlation", hexes=[1])[1]) == pytest.approx(1.0)
    assert metrics_for(with_maps(cube, peak))[0].name == "peak"


def test_trials_are_averaged(cube):
    trials = cut_trials(cube, [50.0, 100.0, 150.0], before=20.0, after=30.0)
    stack = np.stack([cube[NAME].values[k : k + 5] for k in (3, 8, 13)])
    mean = trial_mean(trials)
    np.testing.assert_allclose(mean[NAME], stack.mean(axis=0), rtol=1e-6)
    sem = stack.std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(mean[f"{NAME}_sem"], sem, rtol=1e-4)
    assert mean[f"{NAME}_sem"].attrs["units"] == "mV"
    assert reliability(trials).shape == (12,)


@pytest.mark.parametrize(
    "name", ["latency", "first_spike_latency", "mean_rate", "mean_recruitment"]
)
def test_what_needs_spikes_says_so(cube, name):
    options = {"onset": 50.0} if "latency" in name else {}
    with pytest.raises(ValueError, match="show soma_v_mean, or compute it from spikes"):
        hex_map(cube, name, **options)


def test_pictures_and_pages_show_it(cube):
    frames = render_frames(cube, size=(300, 200), strip=True)
    assert frames.scene.colour_label == "soma_v, mean over neurons (mV)"
    assert frames.clim[0] < -65 < frames.clim[1] < 0
    assert MovieStyle().to_dict() == {}
    page = "".join(html_page(cube))
    packed = page.replace(" ", "")
    assert '"name":"soma_v_mean"' in packed
    assert '"units":"mV"' in packed
    assert not any("Spikes" in label for label, _ in about(cube))
