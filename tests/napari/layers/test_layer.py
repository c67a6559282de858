"""The layer and the slider: what it shows when, and what it says."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from napari.layers import Points
from tests.support.cubes import cube_of, letter_cube, wave_cube
from tests.support.looking import go_to
from tests.support.waiting import PATIENCE_MS

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer


def colours_of(layer, values):
    low, high = layer.face_contrast_limits
    return layer.face_colormap.map(np.interp(values, (low, high), (0, 1)))


class ReadRows:
    """An array that keeps which rows were read of it."""

    def __init__(self, values):
        self._values = values
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.read = []

    def __getitem__(self, key):
        self.read.append((key[0].start, key[0].stop))
        return self._values[key]


class TestSlider:
    def test_runs_in_ms_over_all_bins(self, windowless, cube):
        viewer, layer = windowless(cube)
        assert viewer.dims.range[0] == pytest.approx((3000.0, 3040.0, 10.0))
        assert viewer.dims.nsteps[0] == 5
        assert layer.axis_labels == ("time", "y", "x")

    @pytest.mark.smoke
    def test_shows_the_values_of_its_bin(self, add, cube):
        viewer, layer = add(cube)
        for bin_ in range(5):
            go_to(viewer, 3000.0 + 10.0 * bin_)
            expected = cube["recruitment"].to_numpy()[bin_]
            assert layer.current_bin == bin_
            assert layer.time_window_ms == (3000.0 + 10 * bin_, 3010.0 + 10 * bin_)
            assert layer.features["recruited"].dtype == np.float32
            np.testing.assert_array_equal(layer.features["recruited"], expected)
            np.testing.assert_allclose(layer.face_color, colours_of(layer, expected), atol=1e-6)
            np.testing.assert_array_equal(layer.data[:, 0], bin_)

    def test_a_time_belongs_to_the_bin_that_contains_it(self, windowless, cube):
        viewer, layer = windowless(cube)
        viewer.add_points([[3000.0, 0, 0], [3040.0, 0, 0]], units=layer.units)
        for time_ms, bin_ in ((3009.0, 0), (3010.0, 1), (3014.0, 1)):
            go_to(viewer, time_ms)
            assert layer.current_bin == bin_, time_ms

    def test_rounded_times_belong_to_the_bin_that_starts_there(self, windowless):
        viewer, layer = windowless(wave_cube(2, 2, 100, bin_ms=0.1, start_ms=0.3))
        for bin_ in range(100):
            viewer.dims.set_current_step(0, bin_)
            assert layer.current_bin == bin_

    def test_shows_nothing_outside_of_the_cubes_time(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        longer = wave_cube(2, 2, 30, start_ms=2900.0)
        viewer.add_layer(RecruitmentLayer(longer, visible=False))
        assert photograph(viewer).max() > 0
        for time_ms in (2990.0, 3050.0):
            go_to(viewer, time_ms)
            assert layer.current_bin is None, time_ms
            assert layer.time_window_ms is None, time_ms
            assert layer.features["recruited"].isna().all(), time_ms
            assert photograph(viewer).max() == 0, time_ms
            go_to(viewer, 3000.0)
            assert layer.current_bin == 0, time_ms
            assert photograph(viewer).max() > 0, time_ms

    def test_a_layer_without_a_viewer_shows_the_first_bin(self, cube):
        layer = RecruitmentLayer(cube)
        assert layer.current_bin == 0
        np.testing.assert_array_equal(layer.features["recruited"], cube["recruitment"][0])

    def test_a_step_reads_one_block_of_a_long_cube(self, windowless, long_cube):
        blocks = {}
        for name in ("recruitment", "n_recruited", "n_spikes"):
            blocks[name] = ReadRows(long_cube[name].to_numpy())
            array = da.from_array(blocks[name], chunks=(100, -1))
            long_cube[name] = (long_cube[name].dims, array, long_cube[name].attrs)
        viewer, _layer = windowless(long_cube)
        go_to(viewer, 10.0)
        before = {name: len(rows.read) for name, rows in blocks.items()}
        go_to(viewer, 50_000.0)
        read = {name: rows.read[before[name] :] for name, rows in blocks.items()}
        assert read["recruitment"] == [(5000, 5100)]
        assert all(rows in ([], [(5000, 5100)]) for rows in read.values())

    def test_a_step_reads_one_bin(self, windowless, cube, monkeypatch):
        viewer, layer = windowless(cube)
        read = []
        values = type(layer).frame_values
        monkeypatch.setattr(
            RecruitmentLayer, "frame_values", lambda self, k: read.append(k) or values(self, k)
        )
        go_to(viewer, 3000.0)
        go_to(viewer, 3030.0)
        assert read == [0, 3]

    def test_a_cube_that_is_not_in_memory_can_be_shown(self, windowless, cube):
        lazy = cube.copy()
        for name in ("recruitment", "n_recruited", "n_spikes"):
            array = da.from_array(cube[name].to_numpy(), chunks=(1, -1))
            lazy[name] = (cube[name].dims, array, cube[name].attrs)
        viewer, layer = windowless(lazy)
        go_to(viewer, 3020.0)
        np.testing.assert_array_equal(layer.features["recruited"], cube["recruitment"][2])
        assert lazy["recruitment"].chunks is not None


class TestMetric:
    def test_starts_with_recruitment_from_0_to_50_percent(self, cube):
        layer = RecruitmentLayer(cube)
        assert layer.metric == "recruitment"
        assert layer.face_contrast_limits == (0.0, 50.0)
        assert layer.colorbar_label.text == "Recruited (%)"

    @pytest.mark.smoke
    def test_another_metric_is_shown_at_once(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)
        layer.metric = "rate"
        per_second = cube["n_spikes"].to_numpy()[2] / 100 / 0.010
        np.testing.assert_allclose(layer.features["recruited"], per_second)
        np.testing.assert_allclose(layer.face_color, colours_of(layer, per_second), atol=1e-5)
        assert layer.face_contrast_limits[1] == pytest.approx(100.0, rel=0.1)
        assert layer.colorbar_label.text == "Firing rate (spikes/s per neuron)"

    def test_an_integer_metric_is_not_a_category(self, cube):
        layer = RecruitmentLayer(cube, metric="n_recruited")
        assert layer.face_color_mode == "colormap"
        assert layer.features["recruited"].dtype == np.float32

    def test_the_same_metric_keeps_limits(self, cube):
        layer = RecruitmentLayer(cube, face_contrast_limits=(5, 20))
        layer.metric = "recruitment"
        assert layer.face_contrast_limits == (5.0, 20.0)

    def test_an_unknown_one_is_refused_and_nothing_changes(self, cube):
        layer = RecruitmentLayer(cube)
        with pytest.raises(ValueError, match=r"'rates' is unknown.*'rate'.*recruitment"):
            layer.metric = "rates"
        assert layer.metric == "recruitment"
        with pytest.raises(ValueError, match="unknown"):
            RecruitmentLayer(cube, metric="")


class TestCube:
    def test_another_one_brings_its_hexagons_bins_and_times(self, windowless, cube):
        viewer, layer = windowless(cube)
        layer.selected_data = {0, 11}
        layer.features = {**layer.features, "mine": np.arange(12)}
        other = wave_cube(4, 5, 30, bin_ms=5.0, start_ms=100.0, radius=20.0)
        layer.cube = other
        assert layer.cube is other
        assert viewer.dims.range[0] == pytest.approx((100.0, 245.0, 5.0))
        assert len(layer.data) == len(layer.features) == len(layer.face_color) == 20
        assert set(layer.size) == {40.0}
        assert set(layer.selected_data) == set()
        assert "mine" not in layer.features
        assert layer.features["hex"].tolist() == other["hex"].to_numpy().tolist()
        np.testing.assert_array_equal(layer.data[:, 1:], np.stack([other["y"], other["x"]], 1))
        for bin_ in (3, 0, 29):
            go_to(viewer, 100.0 + 5.0 * bin_)
            assert layer.current_bin == bin_
            np.testing.assert_array_equal(layer.features["recruited"], other["recruitment"][bin_])

    def test_the_picture_changes_also_to_fewer_hexagons_than_are_selected(
        self, add, cube, photograph
    ):
        viewer, layer = add(cube, show=True)
        go_to(viewer, 3000.0)
        before = photograph(viewer)
        layer.cube = cube.assign(recruitment=cube["recruitment"] + np.float32(5))
        assert layer.current_bin == 0
        assert (photograph(viewer) != before).any()
        layer.selected_data = {10, 11}
        photograph(viewer)
        layer.cube = letter_cube()
        photograph(viewer)
        assert len(layer.data) == 8

    def test_a_hidden_layer_takes_it_when_it_is_shown(self, windowless, cube):
        viewer, layer = windowless(cube)
        layer.visible = False
        layer.cube = wave_cube(4, 5, 30)
        assert viewer.dims.range[0] == pytest.approx((0.0, 290.0, 10.0))
        go_to(viewer, 120.0)
        layer.visible = True
        assert layer.current_bin == 12
        np.testing.assert_array_equal(
            layer.features["recruited"], layer.cube["recruitment"].to_numpy()[12]
        )

    def test_limits_colormap_and_metric_stay(self, cube):
        layer = RecruitmentLayer(
            cube, metric="rate", face_contrast_limits=(1, 7), face_colormap="magma"
        )
        layer.cube = wave_cube(2, 2, 3)
        assert layer.face_contrast_limits == (1.0, 7.0)
        assert layer.face_colormap.name == "magma"
        assert layer.metric == "rate"

    def test_what_is_no_cube_is_refused_and_nothing_changes(self, windowless, cube):
        viewer, layer = windowless(cube)
        with pytest.raises(ValueError, match="not a recruitment cube"):
            layer.cube = xr.Dataset()
        go_to(viewer, 3010.0)
        assert layer.cube is cube
        assert layer.current_bin == 1
        with pytest.raises(ValueError, match="not a recruitment cube"):
            RecruitmentLayer(cube.drop_vars("n_neurons"))

    def test_it_is_neither_copied_nor_changed(self, windowless, cube):
        untouched = cube.copy(deep=True)
        viewer, layer = windowless(cube)
        for metric in ("rate", "n_recruited", "recruitment"):
            layer.metric = metric
            go_to(viewer, 3030.0)
            go_to(viewer, 3010.0)
        xr.testing.assert_identical(cube, untouched)

    def test_a_cube_may_be_a_single_hexagon_or_bin(self, make_napari_viewer):
        viewer = make_napari_viewer()
        for n_hexes in (1, 2):
            cube = cube_of(np.full((1, n_hexes), 50), row=[0] * n_hexes, col=range(n_hexes))
            layer = viewer.add_layer(RecruitmentLayer(cube))
            assert layer.current_bin == 0, n_hexes
            assert (layer.features["recruited"] == 50).all(), n_hexes


class TestLook:
    def test_limits_and_colormap_do_not_touch_the_cube(self, windowless, cube, monkeypatch):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)

        def refuse(*_args: object) -> None:
            raise AssertionError("the cube was read")

        monkeypatch.setattr(RecruitmentLayer, "frame_values", refuse)
        layer.face_contrast_limits = (20.0, 30.0)
        layer.face_colormap = "magma"
        expected = colours_of(layer, cube["recruitment"].to_numpy()[2])
        np.testing.assert_allclose(layer.face_color, expected, atol=1e-6)

    def test_new_limits_hold_for_the_next_bin(self, windowless, cube):
        viewer, layer = windowless(cube)
        layer.face_contrast_limits = (20.0, 30.0)
        go_to(viewer, 3020.0)
        expected = colours_of(layer, cube["recruitment"].to_numpy()[2])
        np.testing.assert_allclose(layer.face_color, expected, atol=1e-6)

    def test_a_colour_picked_for_selected_hexagons_goes_with_the_next_bin(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3000.0)
        layer.selected_data = {1}
        layer.current_face_color = "red"  # what the controls do
        go_to(viewer, 3020.0)
        expected = colours_of(layer, cube["recruitment"].to_numpy()[2])
        np.testing.assert_allclose(layer.face_color, expected, atol=1e-6)

    def test_arguments_of_points_are_passed_on(self, cube):
        layer = RecruitmentLayer(cube, name="INH", opacity=0.5, metadata={"run": 3})
        assert (layer.name, layer.opacity, layer.metadata) == ("INH", 0.5, {"run": 3})
        assert isinstance(layer, Points)

    @pytest.mark.parametrize("name", ["size", "scale", "face_color", "features", "units"])
    def test_arguments_that_follow_from_the_cube_are_refused(self, cube, name):
        with pytest.raises(TypeError, match=f"{name} cannot be given.*follows from the cube"):
            RecruitmentLayer(cube, **{name: 1})

    def test_units_say_what_is_known(self, cube):
        assert [str(u) for u in RecruitmentLayer(cube).units] == [
            "millisecond",
            "micrometer",
            "micrometer",
        ]
        unknown = wave_cube(2, 2, 2, flat_units="unknown")
        assert [str(u) for u in RecruitmentLayer(unknown).units] == [
            "millisecond",
            "pixel",
            "pixel",
        ]

    def test_text_follows_the_slider(self, windowless, cube):
        viewer, layer = windowless(cube, text="{hex} {recruited:.0f}")
        go_to(viewer, 3020.0)
        assert layer.text.string._values[3] == "R0;C3 23"


class TestSaying:
    def test_status_and_tooltip_are_a_sentence(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)
        place = (3020.0, float(cube["y"][5]), float(cube["x"][5]))
        status = layer.get_status(place, world=True)
        assert status["value"] == "R1;C1: 25 % of 100 neurons"
        assert status["coordinates"].endswith(": R1;C1: 25 % of 100 neurons")
        assert "[3020" in status["coordinates"]
        tip = layer._get_tooltip_text(
            np.array(place), view_direction=None, dims_displayed=[1, 2], world=True
        )
        assert tip == "R1;C1: 25 % of 100 neurons"

    def test_beside_the_hexagons_there_is_no_value(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)
        status = layer.get_status((3020.0, -500.0, 0.0), world=True)
        assert status["value"] == ""
        assert layer._get_tooltip_text((3020.0, -500.0, 0.0), world=True) == ""
        assert layer.get_status(None)["coordinates"] == ": "

    def test_the_cursor_finds_the_hexagon_it_is_in(self, windowless, cube):
        _viewer, layer = windowless(cube)
        go_to(_viewer, 3000.0)
        rng = np.random.default_rng(3)
        centres = np.stack([cube["y"], cube["x"]], axis=1)
        for place in rng.uniform((-60, -60), (230, 400), (300, 2)):
            away = np.abs(place - centres)
            across = np.maximum(away[:, 1], 0.5 * away[:, 1] + np.sqrt(0.75) * away[:, 0])
            nearest = int(np.argmin(across))
            expected = nearest if across[nearest] <= 50 * np.sqrt(0.75) else None
            assert layer.get_value((3000.0, *place), world=True) == expected

    def test_changes_are_announced(self, windowless, cube, qtbot):
        viewer, layer = windowless(cube)
        heard = []
        for name in ("bin_changed", "cube_changed", "metric", "outline_nan", "features"):
            getattr(layer.events, name).connect(lambda event: heard.append(event.type))
        go_to(viewer, 3000.0)
        qtbot.waitUntil(lambda: "features" in heard, timeout=PATIENCE_MS)
        heard.clear()
        go_to(viewer, 3010.0)
        assert heard == ["bin_changed"]
        qtbot.waitUntil(lambda: heard == ["bin_changed", "features"], timeout=PATIENCE_MS)
        go_to(viewer, 3010.0)
        assert heard == ["bin_changed", "features"]
        heard.clear()
        layer.metric = "rate"
        layer.outline_nan = False
        layer.outline_nan = False
        layer.cube = wave_cube(2, 2, 2)
        assert [name for name in heard if name not in ("bin_changed", "features")] == [
            "metric",
            "outline_nan",
            "cube_changed",
        ]

    def test_the_bin_that_is_announced_is_already_shown(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3000.0)
        seen = []
        layer.events.bin_changed.connect(
            lambda event: seen.append((event.value, float(layer.features["recruited"].iloc[0])))
        )
        go_to(viewer, 3040.0)
        assert seen == [(4, 40.0)]


class TestRefusals:
    def test_hexagons_stay_as_they_are(self, windowless, cube):
        _viewer, layer = windowless(cube)
        before = layer.data.copy()
        with pytest.raises(AttributeError, match=r"hexagons cannot be moved.*assign another cube"):
            layer.data = layer.data + 1
        with pytest.raises(TypeError, match="cannot be added"):
            layer.add([0, 0, 0])
        with pytest.raises(TypeError, match="cannot be deleted"):
            layer.remove([0])
        with pytest.raises(ValueError, match="read-only"):
            layer.data[0] = 0
        np.testing.assert_array_equal(layer.data, before)

    def test_colours_are_values(self, cube):
        layer = RecruitmentLayer(cube)
        with pytest.raises(AttributeError, match=r"is its value.*face_colormap"):
            layer.face_color = "red"

    def test_own_features_stay_and_others_are_kept(self, windowless, cube):
        viewer, layer = windowless(cube)
        layer.features = {"hex": ["?"] * 12, "region": np.arange(12), "recruited": np.zeros(12)}
        go_to(viewer, 3030.0)
        assert layer.features.columns.tolist() == ["hex", "n_neurons", "recruited", "region"]
        assert layer.features["hex"].tolist() == cube["hex"].to_numpy().tolist()
        np.testing.assert_array_equal(layer.features["recruited"], cube["recruitment"][3])
        layer.features = {}
        assert layer.features.columns.tolist() == ["hex", "n_neurons", "recruited"]
