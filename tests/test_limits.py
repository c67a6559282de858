"""Colour limits: the same first ones wherever a cube is shown, and equal ones are moved apart."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit import MovieStyle, render_frames
from napari_hexrecruit.__main__ import main
from napari_hexrecruit.analysis import compare
from napari_hexrecruit.limits import first_limits, usable_limits
from napari_hexrecruit.metrics import METRICS, metric_named
from napari_hexrecruit.storage.cubes import write_cube

NOT_LIMITS = [(5, 1), (math.nan, 1), (0, math.nan), (0, math.inf), (-math.inf, 0), (math.nan,) * 2]


def same_everywhere(percent, n_bins=4):
    return cube_of(np.full((n_bins, 2), percent), row=[0, 0], col=[0, 1])


class TestFirst:
    def test_recruitment_is_shown_as_published(self):
        assert first_limits([wave_cube()], METRICS["recruitment"]) == (0.0, 50.0)

    def test_neurons_recruited_so_far_may_be_all(self):
        cube = wave_cube()
        cube = cube.assign_attrs(recipe=json.dumps({"cumulative": True}))
        assert first_limits([cube], METRICS["recruitment"]) == (0.0, 100.0)

    @pytest.mark.parametrize("metric", METRICS)
    def test_pictures_have_those_of_the_cube_in_every_window(self, metric):
        cube = wave_cube(n_bins=8)
        limits = first_limits([cube], METRICS[metric])
        assert render_frames(cube, metric=metric).clim == limits
        assert render_frames(cube, metric=metric, start=20.0, stop=30.0).clim == limits
        assert render_frames(cube, metric=metric, average=3).clim == limits

    def test_several_cubes_share_the_widest(self):
        cubes = [same_everywhere(3), same_everywhere(30)]
        limits = first_limits(cubes, METRICS["n_recruited"])
        assert limits == (0.0, 30.0)
        assert render_frames(cubes, metric="n_recruited").clim == limits

    def test_those_about_0_are_round_and_symmetric(self):
        made = compare(same_everywhere(3), same_everywhere(40))
        assert first_limits([made], metric_named("difference")) == (-40.0, 40.0)

    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("percent", [0, 100])
    def test_a_cube_of_equal_values_has_limits_apart(self, metric, percent):
        low, high = first_limits([same_everywhere(percent)], METRICS[metric])
        assert low < high
        assert render_frames(same_everywhere(percent), metric=metric, size=(160, 120))[0].any()

    def test_equal_cubes_differ_by_limits_apart(self):
        made = compare(same_everywhere(40), same_everywhere(40))
        assert first_limits([made], metric_named("difference")) == (-1.0, 1.0)


class TestEqual:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_are_moved_apart_by_little(self, value):
        low, high = usable_limits(value, value)
        assert low < high
        assert low <= value <= high
        assert high - low <= 1e-4 * max(abs(value), 1.0) * 1.01

    @given(
        st.tuples(*[st.floats(-1e6, 1e6)] * 2)
        .map(sorted)
        .filter(lambda pair: pair[1] - pair[0] > 1e-3 * max(map(abs, pair)))
    )
    def test_others_stay(self, limits):
        assert usable_limits(*limits) == tuple(limits)

    @pytest.mark.parametrize("limits", NOT_LIMITS)
    def test_what_are_no_limits_is_said(self, limits):
        with pytest.raises(ValueError, match="limit"):
            usable_limits(*limits)
        with pytest.raises(ValueError, match=r"limit|clim"):
            MovieStyle(clim=limits)

    @pytest.mark.parametrize("value", [0.0, 1.0, 40.0, -3.0, 1e-9])
    def test_are_drawn(self, value):
        frames = render_frames(wave_cube(), clim=(value, value), size=(320, 240))
        assert frames.clim[0] < frames.clim[1]
        assert np.unique(frames[3].reshape(-1, 3), axis=0).shape[0] > 2

    def test_divide_below_from_above(self):
        cube = cube_of([[10, 20, 30]], row=[0, 0, 0], col=[0, 1, 2])
        frames = render_frames(cube, clim=(20, 20))
        index = frames.scene.colours.index(frames.values(0)[0])
        assert index.tolist() == [0, 0, len(frames.scene.colours.table) - 1]
        assert frames.scene.colours.below and frames.scene.colours.above

    @pytest.mark.parametrize("limits", [("1", "1"), ("0", "0")])
    def test_movie_of_the_command_line(self, tmp_path, limits, capsys):
        write_cube(wave_cube(n_bins=1), tmp_path / "a.hexrecruit.nc")
        words = ["movie", tmp_path / "a.hexrecruit.nc", "-o", tmp_path / "a.png", "--clim", *limits]
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words)])
        assert ended.value.code == 0
        assert (tmp_path / "a.png").is_file()

    def test_wrong_limits_of_the_command_line(self, tmp_path, capsys):
        write_cube(wave_cube(n_bins=1), tmp_path / "a.hexrecruit.nc")
        words = [
            "movie",
            tmp_path / "a.hexrecruit.nc",
            "-o",
            tmp_path / "a.png",
            "--clim",
            "5",
            "1",
        ]
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words)])
        assert ended.value.code == 2
        assert "low below high, not (5, 1)" in capsys.readouterr().err
