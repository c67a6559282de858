"""The widget "Compare": two layers, two windows of one, and a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from tests.napari.analysis.panels import time_range
from tests.support.cubes import cube_of, wave_cube
from tests.support.doubtful import doubtful
from tests.support.looking import canvas, go_to

from napari_hexrecruit._napari.analysis.compare import compared, deviation
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

pytestmark = doubtful  # most baselines here are short


class TestCompare:
    def cubes(self):
        """A: 20 % in two hexagons; B: 30 % in one of them and one more."""
        a = cube_of([[20, 20]] * 4, row=[0, 0], col=[0, 1])
        b = cube_of([[30, 30]] * 4, row=[0, 0], col=[1, 2])
        return {"A": a, "B": b}

    @pytest.mark.smoke
    def test_of_two_layers(self, opened):
        cubes = self.cubes()
        panel, (first,) = opened("Compare", A=cubes["A"])
        second = self.a_layer_that_comes_later_is_offered(panel, first, cubes["B"])
        layers = [first, second]
        panel.press(panel.widget.compare)
        self.originals_are_beside_the_difference_on_one_slider(panel, layers)
        self.ratio_is_shown_of_the_same_comparison(panel)
        self.a_hexagon_is_picked_in_all_of_them(panel)
        self.again_it_changes_the_layers_that_are_there(panel, layers)
        self.going_back_or_removing_them_by_hand_leaves_what_there_was(panel, layers)
        assert panel.told == []
        self.other_grids_and_bins_are_refused_in_a_sentence(panel, layers)

    def a_layer_that_comes_later_is_offered(self, panel, first, cube):
        second = panel.viewer.add_layer(RecruitmentLayer(cube, name="B"))
        assert (panel.widget.a.value, panel.widget.b.value) == (first, second)
        second.name = "other"
        assert panel.widget.b.native.findText("other") >= 0
        panel.viewer.layers.remove(second)
        assert panel.widget.b.choices == (first,)
        second = panel.viewer.add_layer(RecruitmentLayer(cube, name="B"))
        assert (panel.widget.a.value, panel.widget.b.value) == (first, second)
        return second

    def originals_are_beside_the_difference_on_one_slider(self, panel, layers):
        layer = panel.layer("comparison")
        names = layer.features["hex"].tolist()
        assert names == ["R0;C0", "R0;C1", "R0;C2"]
        values = layer.features["recruited"].to_numpy()
        np.testing.assert_array_equal(values, [np.nan, -10.0, np.nan])  # some only of A or of B
        assert panel.widget.status.value == "1 hexagon of both, 1 only of A, 1 only of B."
        assert layer.face_contrast_limits[0] == -layer.face_contrast_limits[1]

        assert panel.visible == ["A: recruited (%)", "B: recruited (%)", "A − B (% points)"]
        assert canvas(panel.viewer).grid.enabled
        assert [layer.visible for layer in layers] == [False, False]
        one, other = (panel.layer(f"original {k}") for k in (0, 1))
        assert one.face_contrast_limits == other.face_contrast_limits
        go_to(panel.viewer, 20.0)
        for layer in (one, other, panel.layer("comparison")):
            assert layer.current_bin == 2

    def ratio_is_shown_of_the_same_comparison(self, panel):
        layer = panel.layer("comparison")
        panel.widget.display.value = "ratio"
        assert panel.layer("comparison") is layer
        np.testing.assert_allclose(layer.features["recruited"][1], 20 / 30, rtol=1e-6)
        panel.widget.display.value = "log2_ratio"
        np.testing.assert_allclose(layer.features["recruited"][1], np.log2(2 / 3), rtol=1e-6)
        panel.widget.display.value = "difference"

    def again_it_changes_the_layers_that_are_there(self, panel, layers):
        before = list(panel.viewer.layers)
        panel.widget.a.value, panel.widget.b.value = layers[1], layers[0]
        panel.widget.metric.value = "rate"
        panel.press(panel.widget.compare)
        assert list(panel.viewer.layers) == before
        layer = panel.layer("comparison")
        assert layer.name == "B − A (spikes/s)"
        np.testing.assert_allclose(layer.features["recruited"][1], 10 / 100 / 0.01)

    def going_back_or_removing_them_by_hand_leaves_what_there_was(self, panel, layers):
        panel.press(panel.widget.back)
        assert list(panel.viewer.layers) == layers
        assert panel.visible == ["A", "B"]
        assert not canvas(panel.viewer).grid.enabled
        assert not panel.widget.back.enabled

        self.without_originals(panel)
        for layer in list(panel.viewer.layers)[2:]:
            panel.viewer.layers.remove(layer)
        assert [layer.visible for layer in layers] == [True, True]
        assert not canvas(panel.viewer).grid.enabled

    def other_grids_and_bins_are_refused_in_a_sentence(self, panel, layers):
        layers[1].cube = cube_of([[20]] * 4, row=[0], col=[0], radius=80.0)
        panel.widget.a.value, panel.widget.b.value = layers
        panel.press(panel.widget.compare)
        (told,) = panel.told
        assert "radius 50 in one cube and 80 in the other: compute both" in told
        assert "\n" not in told
        assert list(panel.viewer.layers) == layers
        panel.told.clear()
        layers[0].cube, layers[1].cube = wave_cube(2, 2, 4), wave_cube(2, 2, 4, bin_ms=5.0)
        panel.press(panel.widget.compare)
        assert "bins are 10 ms wide in one cube and 5 ms in the other" in panel.told[0]
        panel.told.clear()
        panel.viewer.layers.remove(layers[1])
        panel.press(panel.widget.compare)
        assert "only one layer" in panel.told[0]

    def a_hexagon_is_picked_in_all_of_them(self, panel):
        shown = panel.widget.stage.layers
        shown[0].selected_hexes = ["R0;C1", "R0;C2"]
        assert {layer.selected_hexes for layer in shown} == {("R0;C1", "R0;C2")}
        shown[2].selected_hexes = ()
        assert {layer.selected_hexes for layer in shown} == {()}

    def without_originals(self, panel):
        panel.widget.beside.value = False
        panel.press(panel.widget.compare)
        assert len(panel.visible) == 1
        assert not canvas(panel.viewer).grid.enabled
        panel.widget.beside.value = True
        originals = [f"{name}: firing rate (spikes/s per neuron)" for name in "BA"]
        assert panel.visible == [*originals, "B − A (spikes/s)"]
        assert canvas(panel.viewer).grid.enabled

    def test_of_windows_of_one_layer(self, opened):
        panel, (layer,) = opened("Compare", whole=wave_cube(3, 4, 20, start_ms=500.0))
        panel.widget.kind.value = "windows"
        self.two_windows_share_a_slider_from_0(panel, layer)
        self.showing_the_whole_again_gives_its_slider_back(panel, layer)
        panel.press(panel.widget.back)
        self.windows_are_kept_where_they_fit_another_cube(panel, layer)
        self.z_score_against_a_baseline(panel, layer)

    def two_windows_share_a_slider_from_0(self, panel, layer):
        cube = layer.cube
        assert panel.widget.window_a.value == (600.0, 700.0)
        assert panel.widget.window_b.value == (500.0, 600.0)
        panel.widget.window_a.start.value, panel.widget.window_a.stop.value = 620.0, 660.0
        panel.widget.window_b.start.value, panel.widget.window_b.stop.value = 500.0, 540.0
        panel.press(panel.widget.compare)
        assert time_range(panel.viewer) == (0.0, 30.0, 10.0)
        go_to(panel.viewer, 20.0)
        expected = cube["recruitment"][14].to_numpy() - cube["recruitment"][2].to_numpy()
        shown = panel.layer("comparison")
        np.testing.assert_allclose(shown.features["recruited"], expected)
        assert shown.name == "Difference (% points)"
        panel.press(panel.widget.back)
        assert time_range(panel.viewer) == (500.0, 690.0, 10.0)
        assert layer.visible

    def showing_the_whole_again_gives_its_slider_back(self, panel, layer):
        panel.press(panel.widget.compare)
        assert time_range(panel.viewer)[1] < 500.0
        assert layer.is_resting
        layer.visible = True
        assert time_range(panel.viewer) == (0.0, 690.0, 10.0)
        assert not layer.is_resting
        assert panel.told == []
        panel.widget.window_a.stop.value -= 10.0
        panel.press(panel.widget.compare)
        assert "choose windows of the same length" in panel.told[0]

    def windows_are_kept_where_they_fit_another_cube(self, panel, layer):
        kept = (520.0, 560.0)
        panel.widget.window_b.start.value, panel.widget.window_b.stop.value = kept
        panel.viewer.layers.selection.active = None
        layer.visible = False  # so that another layer, or none, is in view
        layer.cube = wave_cube(3, 4, 40, start_ms=500.0, bin_ms=5.0)
        assert panel.widget.window_b.value == kept
        assert panel.widget.window_b.start.step == 5.0
        layer.cube = wave_cube(3, 4, 8, start_ms=500.0, bin_ms=25.0)
        assert panel.widget.window_b.value == (500.0, 600.0)
        assert panel.widget.window_a.value == (600.0, 700.0)
        layer.visible = True

    def z_score_against_a_baseline(self, panel, layer):
        rng = np.random.default_rng(3)
        layer.cube = cube = cube_of(rng.integers(0, 50, (20, 6)), row=[0] * 6, col=range(6))
        panel.widget.kind.value = "baseline"
        panel.widget.baseline.stop.value = 80.0
        panel.press(panel.widget.compare)
        go_to(panel.viewer, 120.0)
        values = cube["recruitment"].to_numpy().astype(float)
        score = (values[12] - values[:8].mean(axis=0)) / values[:8].std(axis=0, ddof=1)
        shown = panel.layer("comparison")
        np.testing.assert_allclose(shown.features["recruited"], score, rtol=1e-5)
        assert panel.widget.status.value == "6 hexagons have a z-score."

    def test_a_baseline_that_does_not_vary_is_said(self):
        cube = cube_of([[5, 1], [5, 2], [9, 3]], row=[0, 0], col=[0, 1])
        made = deviation(cube, (0.0, 20.0), "x", "recruitment")
        assert made.sentence.endswith("1 have none: their baseline does not vary.")

    def test_the_same_name_twice_is_told_apart(self):
        cubes = self.cubes()
        assert list(compared(cubes["A"], cubes["B"], ("x", "x"), "rate").originals) == [
            "x",
            "x (B)",
        ]
