"""Traces and rasters as they are read from a cube and its simulation, without the panel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.support.cubes import cube_of, sheet_cube

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers.picks import MOST_LINES
from napari_hexrecruit._napari.layers.simulation_source import source_of
from napari_hexrecruit._napari.traces.raster import raster_picture, read_raster
from napari_hexrecruit._napari.traces.traces import decimated, limits_of, traces_of
from napari_hexrecruit.analysis import cut_trials, trial_cube
from napari_hexrecruit.synthetic import SMALL, write_simulation


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The small sample simulation and its cube."""
    path = write_simulation(tmp_path_factory.mktemp("sample") / "small", SMALL)
    return path, recruitment_cube(path)


class TestReading:
    def test_one_line_for_each_hexagon_and_the_mean_of_their_neurons(self):
        cube = cube_of(
            [[10, 0], [5, 30]], row=[0, 0], col=[0, 1], n_neurons=np.array([10, 90]), start_ms=50.0
        )
        traces = traces_of(cube, ["R0;C1", "R0;C0"], [4, 0], "recruitment")
        assert [line.name for line in traces.lines] == ["R0;C1", "R0;C0"]
        assert [line.n_neurons for line in traces.lines] == [90, 10]
        np.testing.assert_allclose(traces.lines[0].values, [0.0, 100 / 3], rtol=1e-6)
        np.testing.assert_allclose(traces.lines[1].values, [100.0, 50.0])
        np.testing.assert_allclose(traces.mean, [10.0, 35.0])
        assert traces.time_ms.tolist() == [55.0, 65.0]

    def test_many_hexagons_are_a_band(self):
        cube = sheet_cube(MOST_LINES + 1, 4)
        names = cube["hex"].to_numpy().tolist()
        slots = range(len(names))
        assert traces_of(cube, names[:-1], slots[:-1], "recruitment").band is None
        many = traces_of(cube, names, slots, "recruitment")
        assert many.lines == ()
        expected = np.percentile(cube["recruitment"].to_numpy(), [10, 90], axis=1)
        np.testing.assert_allclose(many.band, expected, rtol=1e-5)

    def test_hexagons_without_a_value_have_no_line_to_draw(self, gappy_cube):
        traces = traces_of(gappy_cube, ["R1;C1"], [0], "recruitment")
        assert not traces.lines[0].has_value
        assert np.isnan(traces.mean).all()
        assert traces.limits() == (0.0, 1.0)

    @given(hnp.arrays(float, st.integers(0, 30), elements=st.floats(-1e6, 1e6)))
    def test_limits_hold_all_values_and_0(self, values):
        low, high = limits_of([values])
        assert low < high
        assert low <= values.min(initial=0.0)
        assert high >= values.max(initial=0.0)

    @given(
        hnp.arrays(float, st.integers(1, 900), elements=st.floats(-9, 9) | st.just(np.nan)),
        st.integers(1, 50),
    )
    def test_thinned_out_lines_keep_their_lows_and_highs(self, values, n_columns):
        x = np.arange(len(values), dtype=float)
        thin_x, thin_y = decimated(x, values, n_columns)
        assert len(thin_x) == len(thin_y) <= max(4 * n_columns, 2 * n_columns)
        assert (np.diff(thin_x) >= 0).all()
        there = np.isfinite(thin_y)
        np.testing.assert_array_equal(thin_y[there], values[thin_x[there].astype(int)])
        if np.isfinite(values).any():
            assert np.nanmax(thin_y) == np.nanmax(values)
            assert np.nanmin(thin_y) == np.nanmin(values)
        else:
            assert not there.any()


class TestRaster:
    def test_finds_the_simulation_of_a_cube(self, sample, cube):
        path, counted = sample
        source = source_of(counted)
        assert source.simulation().path == path
        assert source_of(counted.copy()) is source
        assert source_of(cube) is None
        for recipe in ("", "[1]", json.dumps({"simulation": "/nowhere/simulation_config.json"})):
            assert source_of(cube.assign_attrs(recipe=recipe)) is None

    def test_a_trial_shows_the_spikes_around_its_onset(self, sample):
        cube = sample[1]
        names = cube["hex"].to_numpy()[:3].tolist()
        trial = trial_cube(cut_trials(cube, [300.0], before=100.0, after=200.0), 0)
        found = read_raster(source_of(trial), trial, names, lambda *_: None)
        assert len(found["time"]) == int(trial["n_spikes"].sel(hex=names).sum())
        assert float(found["time"].min()) >= -100.0
        assert float(found["time"].max()) < 200.0

    @given(st.data())
    def test_every_spike_is_seen_where_it_is(self, data):
        import xarray as xr

        n_lines = data.draw(st.integers(1, 40))
        n_spikes = data.draw(st.integers(0, 60))
        draw_times = st.lists(st.floats(0, 99.999), min_size=n_spikes, max_size=n_spikes)
        times = np.sort(np.array(data.draw(draw_times), dtype=float))
        some_line = st.lists(st.integers(0, n_lines - 1), min_size=n_spikes, max_size=n_spikes)
        lines = np.array(data.draw(some_line), dtype=int)
        spikes = xr.Dataset(
            {"time": ("spike", times), "line": ("spike", lines), "first_line": ("hex", [0])},
            attrs={"n_lines": n_lines},
        )
        n_columns, n_rows = data.draw(st.integers(1, 80)), data.draw(st.integers(1, 40))
        picture = raster_picture(spikes, ["#E69F00"], (0.0, 100.0), n_columns, n_rows)
        rows = min(n_rows, n_lines)
        assert picture.shape == (rows, n_columns, 4)
        expected = np.zeros((rows, n_columns), dtype=bool)
        for time_ms, line in zip(times, lines, strict=True):
            expected[line * rows // n_lines, int(time_ms / 100.0 * n_columns)] = True
        np.testing.assert_array_equal(picture[..., 3] > 80, expected)
        assert (picture[..., :3] == (0xE6, 0x9F, 0x00)).all()

    def test_neurons_have_the_colour_of_their_hexagon(self):
        import xarray as xr

        spikes = xr.Dataset(
            {
                "time": ("spike", [5.0, 5.0]),
                "line": ("spike", [0, 3]),
                "first_line": ("hex", [0, 2]),
            },
            attrs={"n_lines": 4},
        )
        picture = raster_picture(spikes, ["#010203", "#040506"], (0.0, 10.0), 10, 4)
        assert picture[:, 5, :3].tolist() == [[1, 2, 3], [1, 2, 3], [4, 5, 6], [4, 5, 6]]
