"""The widgets "Trials", "Maps" and "Waves", and what all panels of analyses do and refuse."""

from __future__ import annotations

import weakref

import numpy as np
import pandas as pd
import pytest
from napari.layers import Points, Vectors
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from tests.napari.analysis.panels import time_range
from tests.support.cubes import cube_of, wave_cube
from tests.support.doubtful import doubtful
from tests.support.looking import go_to
from tests.support.qt_events import let_events_pass, wait_until_gone

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.analysis.maps import summary_of
from napari_hexrecruit._napari.analysis.trials import onsets_in
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit.analysis import (
    MAPS,
    cut,
    cut_trials,
    half_peak_latency,
    hex_map,
    reliability,
    trial_mean,
)
from napari_hexrecruit.synthetic import SMALL, write_simulation

pytestmark = doubtful  # most baselines here are short


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The small sample simulation and its cube."""
    path = write_simulation(tmp_path_factory.mktemp("sample") / "small", SMALL)
    return path, recruitment_cube(path)


class TestTrials:
    def test_reads_lists_of_onsets(self):
        assert onsets_in("100, 400;700.5\t9").tolist() == [100.0, 400.0, 700.5, 9.0]
        for text, told in (("", "the list is empty"), ("100, x", "could not convert")):
            with pytest.raises(ValueError, match=told):
                onsets_in(text)

    def test_of_one_layer(self, opened, sample):
        """One question after the other; in between, Back leaves the layer alone."""
        panel, (whole,) = opened("Trials", whole=wave_cube(3, 4, 30))
        for check in (
            self.every_so_often,
            self.at_0_is_the_onset_on_the_slider_and_on_the_canvas,
            self.cut_again_it_cuts_the_whole,
            self.says_what_was_left_out_and_how_far_onsets_are_from_bins,
            self.mistakes_are_told_in_a_sentence,
            self.shows_mean_error_reliability_and_single_trials,
        ):
            check(panel, whole)
            panel.press(panel.widget.back)
            assert list(panel.viewer.layers) == [whole], check
            panel.told.clear()
        self.at_the_inputs_of_the_simulation_counted_anew(panel, whole, sample[1])

    def cut(self, panel, onsets="100, 130", before=20.0, after=60.0):
        panel.widget.source.value = "list"
        panel.widget.list.value = onsets
        panel.widget.before.value, panel.widget.after.value = before, after
        panel.press(panel.widget.cut)

    def at_0_is_the_onset_on_the_slider_and_on_the_canvas(self, panel, whole):
        cube = whole.cube
        self.cut(panel)
        assert time_range(panel.viewer) == (-20.0, 50.0, 10.0)
        assert panel.viewer.dims.point[0] == 0.0
        assert show_time(panel.viewer).text == "0 - 10 ms, from the onset"
        assert not whole.visible
        expected = (cube["recruitment"][10] + cube["recruitment"][13]) / 2
        layer = panel.layer("trials")
        np.testing.assert_allclose(layer.features["recruited"], expected)
        assert panel.widget.status.value == "2 trials of -20 to 60 ms."

    def shows_mean_error_reliability_and_single_trials(self, panel, whole):
        rng = np.random.default_rng(1)
        whole.cube = cube = cube_of(rng.integers(0, 60, (30, 5)), row=[0] * 5, col=range(5))
        self.cut(panel, "50, 120, 200")
        trials = cut_trials(cube, [50.0, 120.0, 200.0], before=20.0, after=60.0)
        mean = trial_mean(trials)
        layer = panel.layer("trials")
        go_to(panel.viewer, 30.0)
        expected = {
            "recruitment": mean["recruitment"][5],
            "sem": mean["recruitment_sem"][5],
            "reliability": reliability(trials),
        }
        for metric, values in expected.items():
            panel.widget.display.value = metric
            assert panel.layer("trials") is layer
            assert panel.viewer.dims.point[0] == 30.0
            np.testing.assert_allclose(layer.features["recruited"], values, rtol=1e-5)
        panel.widget.display.value = "trial"
        for number in (1, 3, 2):
            panel.widget.trial.value = number
            values = trials["recruitment"][number - 1, 5]
            np.testing.assert_allclose(layer.features["recruited"], values)
        assert layer.name == "Trial 2, onset 120 ms"
        assert panel.widget.trial.max == 3
        panel.widget.display.value = "recruitment"

    def says_what_was_left_out_and_how_far_onsets_are_from_bins(self, panel, _whole):
        self.cut(panel, "5, 103, 290")
        status = panel.widget.status.value
        assert "1 trial of -20 to 60 ms." in status
        assert "Left out, as they leave the time of the cube: 5, 290 ms." in status
        assert "up to 3 ms from the edge" in status
        assert "Reliability needs two trials" in status

    def every_so_often(self, panel, _whole):
        panel.widget.first.value, panel.widget.period.value = 40.0, 100.0
        panel.widget.before.value, panel.widget.after.value = 0.0, 50.0
        panel.press(panel.widget.cut)
        assert panel.widget.status.value == "3 trials of 0 to 50 ms."

    def at_the_inputs_of_the_simulation_counted_anew(self, panel, whole, cube):
        whole.cube = cube
        panel.wait()
        panel.widget.source.value = "inputs"
        assert panel.widget.input.value == "*"
        names = [name for name in panel.widget.input.choices if name != "*"]
        assert len(names) == len(SMALL.stimuli_ms)
        panel.widget.exact.value = True
        panel.widget.before.value, panel.widget.after.value = 20.0, 50.0
        panel.press(panel.widget.cut)
        trials = cut_trials(cube, SMALL.stimuli_ms, before=20.0, after=50.0)
        shown = panel.layer("trials").cube
        np.testing.assert_allclose(shown["recruitment"], trial_mean(trials)["recruitment"])
        panel.widget.input.value = names[0]
        panel.press(panel.widget.cut)
        assert panel.widget.status.value.startswith("1 trial of")

    def mistakes_are_told_in_a_sentence(self, panel, whole):
        panel.widget.source.value, panel.widget.after.value = "list", 60.0
        for onsets, before, told in (
            ("", 20.0, "the list is empty"),
            ("9000", 20.0, "no onset"),
            ("100", 15.0, "whole number"),
        ):
            panel.told.clear()
            panel.widget.list.value, panel.widget.before.value = onsets, before
            panel.press(panel.widget.cut)
            assert told in panel.told[0]
            assert list(panel.viewer.layers) == [whole], told
            assert whole.visible, told

    def cut_again_it_cuts_the_whole(self, panel, whole):
        """And going back leaves what there was."""
        self.cut(panel)
        panel.widget.list.value = "200"
        panel.press(panel.widget.cut)
        assert panel.told == []
        assert panel.widget.status.value.startswith("1 trial of -20 to 60 ms.")
        panel.press(panel.widget.back)
        assert list(panel.viewer.layers) == [whole]
        assert whole.visible
        assert time_range(panel.viewer) == (0.0, 290.0, 10.0)


class TestMaps:
    @pytest.fixture
    def cube(self):
        """Each hexagon rises from 10 to 60 % in the bin of its column; from -50 ms."""
        return wave_cube(4, 6, 30, start_ms=-50.0)

    def options_of(self, panel, name, cube):
        given = {"onset": 0.0, "until": 250.0, "start": -50.0, "stop": 250.0}
        given |= {"metric": "recruitment", "n_sd": 5.0, "hexes": [str(cube["hex"].to_numpy()[3])]}
        names = [option for option in given if getattr(panel.widget, option, None) is not None]
        assert set(names) >= {"onset", "until", "start", "stop", "metric", "n_sd"}
        from napari_hexrecruit.analysis import map_options

        return {option: given[option] for option in map_options(name) if option in given}

    def test_every_map_is_a_layer(self, opened, cube):
        panel, (layer,) = opened("Maps", whole=cube)
        layer.selected_hexes = [cube["hex"].to_numpy()[3]]
        for name in (name for name in MAPS if name != "cumulative_fraction"):
            panel.widget.map.value = name
            panel.press(panel.widget.add)
            expected = hex_map(cube, name, **self.options_of(panel, name, cube))
            shown = panel.layer(name)
            for time_ms in (-50.0, 100.0):
                go_to(panel.viewer, time_ms)
                np.testing.assert_allclose(
                    shown.features["recruited"], expected, rtol=1e-5, err_msg=name
                )
            assert panel.told == [], name
            assert panel.visible == [shown.name]
            assert shown.selected_hexes == layer.selected_hexes, name
            assert summary_of(expected) in panel.widget.status.value, name
            panel.viewer.layers.remove(shown)
            assert layer.visible, name

    def test_shows_only_the_fields_that_count(self, opened, cube):
        panel, _layers = opened("Maps", show=True, whole=cube)
        panel.widget.map.value = "latency"
        assert panel.widget.onset.visible
        assert not panel.widget.start.visible
        assert not panel.widget.baseline.visible
        panel.widget.own_baseline.value = True
        assert panel.widget.baseline.visible
        panel.widget.map.value = "correlation"
        assert panel.widget.start.visible
        assert not panel.widget.baseline.visible

    def test_a_baseline_of_its_own(self, opened, cube):
        panel, _layers = opened("Maps", window=False, whole=cube)
        panel.widget.map.value = "latency"
        panel.widget.own_baseline.value = True
        panel.widget.low.value, panel.widget.high.value = -50.0, -40.0
        panel.press(panel.widget.add)
        options = {"onset": 0.0, "until": 250.0, "baseline": (-50.0, -40.0)}
        expected = hex_map(cube, "latency", **options)
        np.testing.assert_array_equal(panel.layer("latency").features["recruited"], expected)

    def test_recruited_at_least_once_is_counted_from_the_spikes(self, opened, sample):
        _path, cube = sample
        panel, _layers = opened("Maps", window=False, whole=cube)
        panel.widget.map.value = "cumulative_fraction"
        panel.widget.until.value = 400.0
        panel.press(panel.widget.add)
        whole = recruitment_cube(sample[0], bin_ms=400.0, stop=400.0)
        expected = whole["recruitment"][0]
        shown = panel.layer("cumulative_fraction").features["recruited"]
        np.testing.assert_allclose(shown, expected, rtol=1e-6)
        assert float(expected.max()) > float(cut(cube, 0, 400)["recruitment"].max())

    def test_what_cannot_be_shown_is_told_in_a_sentence(self, opened, cube):
        panel, (layer,) = opened("Maps", window=False, whole=cube)
        panel.widget.map.value = "cumulative_fraction"  # counted from spikes
        panel.press(panel.widget.add)
        assert "cannot be counted once from a cube of bins" in panel.told[0]
        assert list(panel.viewer.layers) == [layer]

        panel.told.clear()
        panel.widget.map.value = "correlation"  # with a hexagon that was clicked
        panel.press(panel.widget.add)
        sentence = "No hexagon is selected: click the one to correlate with first."
        assert panel.widget.status.value == sentence
        assert panel.told == [f"{sentence} (panel Maps)"]

        panel.told.clear()
        panel.widget.map.value = "peak"
        panel.widget.start.value = 3.0  # inside of a bin
        panel.press(panel.widget.add)
        assert len(panel.told) == 1
        assert "start" in panel.told[0]

    def test_opens_with_a_map_worth_seeing(self, opened):
        unstimulated = cube_of(
            np.full((4, 3), 50), row=np.zeros(3, int), col=np.arange(3), start_ms=0.0
        )
        panel, (layer,) = opened("Maps", window=False, whole=unstimulated)
        assert panel.widget.map.value == "peak"
        layer.cube = cube_of(
            np.full((4, 3), 50), row=np.zeros(3, int), col=np.arange(3), start_ms=-20.0
        )
        let_events_pass()
        assert panel.widget.map.value == "half_peak_latency"
        QTest.keyClicks(panel.widget.map.native, "Mean")
        chosen = panel.widget.map.value
        layer.cube = unstimulated
        let_events_pass()
        assert panel.widget.map.value == chosen != "peak"

    def test_maps_are_of_the_cube_not_of_each_other(self, opened, cube):
        panel, (layer,) = opened("Maps", window=False, whole=cube)
        for name in ("peak", "mean_rate", "peak"):
            panel.widget.map.value = name
            panel.press(panel.widget.add)
        assert len(panel.viewer.layers) == 3
        assert panel.visible == [panel.layer("peak").name]
        for name in ("peak", "mean_rate"):
            panel.viewer.layers.remove(panel.layer(name))
        assert layer.visible

    def test_saves_a_table(self, opened, cube, tmp_path, monkeypatch):
        panel, _layers = opened("Maps", window=False, whole=cube)
        assert not panel.widget.save.enabled
        for name in ("peak", "mean_rate"):
            panel.widget.map.value = name
            panel.press(panel.widget.add)
        target = (str(tmp_path / "maps"), "")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: target)
        panel.press(panel.widget.save)
        table = pd.read_csv(tmp_path / "maps.csv")
        assert list(table) == ["hex", "x", "y", "n_neurons", "peak", "mean_rate"]
        np.testing.assert_allclose(table["peak"], 60.0)
        assert panel.widget.status.value == "Saved 2 maps in maps.csv."

    def test_all_nan_and_single_bins(self, opened):
        nothing = cube_of([[5, 9]], row=[0, 0], col=[0, 1], min_neurons=1000)
        panel, _layers = opened("Maps", window=False, whole=nothing)
        for name in ("peak", "latency", "mean_rate"):
            panel.widget.map.value = name
            panel.press(panel.widget.add)
            assert "No hexagon has a value." in panel.widget.status.value
        assert panel.told == []


class TestWaves:
    @pytest.fixture
    def cube(self):
        """A front that runs along x, one column of hexagons each 10 ms, from 0 ms on."""
        return wave_cube(10, 14, 24, start_ms=-50.0).pipe(shifted, 5)

    def test_a_plane_wave_is_drawn_with_its_numbers(self, opened, cube):
        panel, _layers = opened("Waves", window=False, whole=cube)
        panel.press(panel.widget.find)
        fit = panel.widget.fit
        assert fit.is_wave, fit.why
        assert fit.speed == pytest.approx(50 * np.sqrt(3) / 10, rel=0.05)
        assert min(fit.direction, 360 - fit.direction) < 5
        assert "plane wave" in panel.widget.result.value.lower()
        assert "R²" in panel.widget.quality.value
        (lines,) = (layer for layer in panel.viewer.layers if isinstance(layer, Vectors))
        times = panel.viewer.layers["Wave, times"]
        assert isinstance(times, Points)
        assert len(lines.data) > 20
        assert len(times.data) >= 3
        latencies = half_peak_latency(cube, onset=0.0, until=190.0)
        shown = panel.layer("latency")
        np.testing.assert_allclose(shown.features["recruited"], latencies, rtol=1e-5)
        colours = {tuple(colour[:3]) for colour in np.round(lines.edge_color, 3)}
        assert {(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)} <= colours  # over bright and over dark hexagons
        assert len(colours) == 3  # and the arrow
        places = lines.data[:, 0, :]
        assert places[:, 1].min() >= float(cube["x"].min()) - 50.0
        assert places[:, 1].max() <= float(cube["x"].max()) + 50.0

    def test_no_wave_is_said_and_not_drawn(self, opened):
        rng = np.random.default_rng(8)
        row, col = (a.ravel() for a in np.mgrid[0:8, 0:8])
        bins = rng.integers(5, 25, 64)
        counts = np.where(np.arange(30)[:, None] == bins[None, :], 60, 10)
        noise = cube_of(counts, row=row, col=col, start_ms=-50.0)
        panel, _layers = opened("Waves", window=False, whole=noise)
        panel.press(panel.widget.find)
        assert not panel.widget.fit.is_wave
        assert "No wave:" in panel.widget.result.value
        assert "R²" in panel.widget.quality.value
        assert "95 %" not in panel.widget.quality.value
        assert not any(isinstance(layer, Vectors) for layer in panel.viewer.layers)

    def test_no_wave_takes_the_former_one_away(self, opened, cube):
        """So does Clear, which leaves what there was; without latencies, hexagons stay visible."""
        panel, (layer,) = opened("Waves", whole=cube)
        until = panel.widget.until.value
        panel.press(panel.widget.find)
        assert any(isinstance(each, Vectors) for each in panel.viewer.layers)
        panel.widget.until.value = 10.0
        panel.press(panel.widget.find)
        assert "No wave:" in panel.widget.result.value
        assert not any(isinstance(layer, Vectors) for layer in panel.viewer.layers)

        panel.widget.until.value = until
        panel.press(panel.widget.find)
        assert any(isinstance(each, Vectors) for each in panel.viewer.layers)
        panel.press(panel.widget.erase)
        assert list(panel.viewer.layers) == [layer]
        assert layer.visible
        assert panel.widget.result.value == ""

        panel.widget.latencies.value = False
        panel.press(panel.widget.find)
        assert layer.visible
        assert panel.layer("latency") is None
        assert any(isinstance(each, Vectors) for each in panel.viewer.layers)

    def test_few_hexagons_are_no_wave(self, opened):
        panel, _layers = opened("Waves", window=False, whole=cube_of([[5], [9]], row=[0], col=[0]))
        panel.press(panel.widget.find)
        assert "at least 12 are needed" in panel.widget.result.value
        assert panel.widget.quality.value == ""
        assert panel.told == []


def shifted(cube, n_bins):
    """The front starts after some bins of rest."""
    counts = np.roll(cube["n_recruited"].to_numpy(), n_bins, axis=0)
    counts[:n_bins] = 10
    counts[n_bins + 14 :] = 10
    return cube_of(
        counts,
        row=cube["row"].to_numpy(),
        col=cube["col"].to_numpy(),
        start_ms=float(cube["time"][0]),
    )


ODD_CUBES = {
    "one bin": cube_of([[5, 9]], row=[0, 0], col=[0, 1]),
    "one hexagon": cube_of([[5], [9], [0]], row=[0], col=[0]),
    "no value": cube_of([[5, 9]] * 4, row=[0, 0], col=[0, 1], min_neurons=1000),
    "nobody fires": cube_of([[0, 0]] * 4, row=[0, 0], col=[0, 1]),
}


@pytest.mark.parametrize("name", ["Compare", "Trials", "Maps", "Waves"])
def test_odd_cubes_give_a_layer_or_a_sentence(opened, name):
    panel, _layers = opened(name, window=False)
    widget = panel.widget
    button = {"Compare": "compare", "Trials": "cut", "Maps": "add", "Waves": "find"}[name]
    for which, cube in ODD_CUBES.items():
        panel.viewer.layers.clear()
        panel.told.clear()
        layers = [panel.viewer.add_layer(RecruitmentLayer(cube, name=n)) for n in "ab"]
        panel.wait()
        if name == "Trials":
            widget.source.value, widget.list.value = "list", "0"
            widget.before.value, widget.after.value = 0.0, 10.0
        panel.press(getattr(widget, button))
        said = widget.status.value or getattr(getattr(widget, "result", None), "value", "")
        assert len(panel.told) + bool(said) == 1, (which, panel.told, said)
        assert "\n" not in "".join(panel.told), which
        assert set(layers) <= set(panel.viewer.layers), which


@pytest.mark.parametrize("name", ["Compare", "Trials", "Maps", "Waves"])
class TestPanels:
    @pytest.mark.smoke
    def test_without_hexagons_it_says_so(self, opened, name):
        """And closed, it leaves the viewer alone."""
        panel, _layers = opened(name)
        assert panel.widget.status.value.startswith("No hexagons are visible")
        layer = panel.viewer.add_layer(RecruitmentLayer(wave_cube(3, 4, 30)))
        panel.wait()
        assert panel.widget.status.value == ""
        layer.visible = False
        assert panel.widget.status.value.startswith("No hexagons are visible")
        assert panel.told == []

        layer.visible = True
        panel.wait()
        viewer, qtbot, told = panel.viewer, panel.qtbot, panel.told
        viewer.window.remove_dock_widget(panel.widget.native)
        gone = weakref.ref(panel.widget)
        del panel
        wait_until_gone(qtbot, gone)
        layer.cube = wave_cube(2, 2, 5)
        viewer.layers.clear()
        assert told == []
