"""The section Export: movies of the canvas, and cancelling any movie."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from tests.napari.export.exporting import (
    Exporter,
    frames_of,
    in_one_window,
    state_of,
)
from tests.support.looking import pixel_of
from tests.support.qt_events import let_events_pass
from tests.support.waiting import PATIENCE_S

from napari_hexrecruit._napari.export import camera, writing
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer

CODEC_TOLERANCE = 12
"""Levels of 255 that H.264 may be off in the middle of a hexagon."""


class TestCanvas:
    def test_is_exported_as_it_is_seen(self, watcher, tmp_path, photograph, monkeypatch):
        def pictures_are_the_screenshots(watcher, folder):
            self.pictures_are_the_screenshots(watcher, folder, photograph)

        def is_what_is_seen(watcher, folder):
            self.is_what_is_seen(watcher, folder, photograph)

        def an_error_puts_the_slider_back(watcher, folder):
            with monkeypatch.context() as patch:
                self.an_error_puts_the_slider_back(watcher, folder, patch)

        in_one_window(
            watcher,
            tmp_path,
            pictures_are_the_screenshots,
            self.the_window_answers_meanwhile,
            self.time_must_have_a_slider,
            an_error_puts_the_slider_back,
            is_what_is_seen,
            leaves_no_thread_and_no_widget,
            self.keeps_its_size_when_the_window_changes,
            self.a_layer_that_is_removed_ends_it,
        )

    def is_what_is_seen(self, watcher, tmp_path, photograph):
        viewer, layer = watcher.viewer, watcher.viewer.layers[0]
        cube = layer.cube
        viewer.add_image(np.ones((40, 40)), scale=(10, 10), units=("um", "um"), name="under")
        viewer.layers.move(1, 0)
        viewer.layers.selection.active = viewer.layers[1]
        photograph(viewer)
        viewer.reset_view()
        before, seen = state_of(viewer), photograph(viewer)
        watcher.export(tmp_path / "wave.mp4", what="canvas")
        assert watcher.told == []
        movie = frames_of(tmp_path / "wave.mp4")
        height, width = seen.shape[:2]
        assert movie.shape == (5, height - height % 2, width - width % 2, 3)
        row, col = pixel_of(viewer, seen, float(cube["y"][7]), float(cube["x"][7]))
        for bin_, frame in enumerate(movie):
            off = np.abs(frame[row, col].astype(int) - colour_of(layer, 10 * bin_ + 7))
            assert off.max() <= CODEC_TOLERANCE
        assert state_of(viewer) == before
        viewer.layers.remove("under")

    def pictures_are_the_screenshots(self, watcher, tmp_path, photograph):
        expected = []
        for time_ms in (3010.0, 3030.0):
            watcher.viewer.dims.set_point(0, time_ms)
            expected.append(photograph(watcher.viewer))
        watcher.viewer.dims.set_point(0, 3000.0)
        watcher.export(tmp_path / "frames", what="canvas", start=3010.0, step=20.0)
        for file, picture in zip(sorted((tmp_path / "frames").iterdir()), expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), picture)
        assert watcher.viewer.dims.point[0] == 3000.0

    def keeps_its_size_when_the_window_changes(self, watcher, tmp_path):
        watcher.fill(tmp_path / "frames", what="canvas")
        QTimer.singleShot(60, lambda: watcher.viewer.window.resize(700, 500))
        watcher.panel.export.native.click()
        watcher.wait(lambda: not watcher.panel.busy)
        shapes = {iio.imread(file).shape for file in (tmp_path / "frames").iterdir()}
        assert len(shapes) == 1
        assert watcher.told == []

    def the_window_answers_meanwhile(self, watcher, tmp_path):
        seen = set()
        timer = QTimer()
        timer.timeout.connect(lambda: seen.add(float(watcher.viewer.dims.point[0])))
        timer.start(0)
        watcher.export(tmp_path / "wave.gif", what="canvas")
        timer.stop()
        assert seen >= {3000.0, 3010.0, 3020.0, 3030.0, 3040.0}  # after each picture

    def an_error_puts_the_slider_back(self, watcher, tmp_path, monkeypatch):
        before, taken = state_of(watcher.viewer), []

        def removing(viewer, layer):
            taken.append(1)
            if len(taken) == 6:
                raise ValueError("the layer is gone")
            return 0

        monkeypatch.setattr(camera, "_time_axis", removing)
        watcher.export(tmp_path / "wave.mp4", what="canvas")
        watcher.wait(lambda: list(tmp_path.iterdir()) == [])
        assert watcher.told == ["the layer is gone (panel Hexagon recruitment, Export)"]
        assert watcher.panel.status.value == "The layer is gone"
        assert state_of(watcher.viewer) == before

    def a_layer_that_is_removed_ends_it(self, watcher, tmp_path):
        watcher.fill(tmp_path / "wave.mp4", what="canvas")
        QTimer.singleShot(60, watcher.viewer.layers.clear)
        watcher.panel.export.native.click()
        watcher.wait(lambda: not watcher.panel.busy)
        watcher.wait(lambda: list(tmp_path.iterdir()) == [])
        assert "was removed" in watcher.told[0]

    def time_must_have_a_slider(self, watcher, tmp_path):
        watcher.viewer.dims.order = (1, 0, 2)
        watcher.export(tmp_path / "wave.mp4", what="canvas")
        assert watcher.told[-1].startswith("time is an axis of the picture")
        watcher.viewer.dims.order = (0, 1, 2)


def leaves_no_thread_and_no_widget(user, tmp_path):
    let_events_pass()
    widgets = len(QApplication.topLevelWidgets())
    user.export(tmp_path / "wave.mp4", what="canvas")
    user.export(tmp_path / "wave.gif")
    user.wait(lambda: not [t for t in threading.enumerate() if t.name.startswith("png")])
    assert len(QApplication.topLevelWidgets()) == widgets


def colour_of(layer, percent):
    """(3,) uint8 of a value at limits from 0 to 50."""
    return np.round(255 * layer.face_colormap.map(np.array([percent / 50.0]))[0, :3])


class TestCancel:
    def test_leaves_nothing(self, drawn, qtbot, tmp_path, long_cube):
        add_recruitment_layer(drawn, long_cube)
        user = Exporter(drawn, qtbot)
        drawn.dims.set_point(0, 500.0)
        let_events_pass()
        before = state_of(drawn)
        for what, name in itertools.product(
            ("hexagons", "canvas"), ("wave.mp4", "wave.gif", "frames")
        ):
            case = (what, name)
            user.fill(tmp_path / name, what=what)
            user.panel.export.native.click()
            user.wait(lambda: user.panel.status.value.startswith("Frame "))
            user.panel.cancel.native.click()
            assert not user.panel.busy, case
            assert state_of(drawn) == before, case
            user.wait(lambda: list(tmp_path.iterdir()) == [])
            assert user.told == [], case
            assert user.panel.status.value.startswith("10,000 frames"), case
            assert user.panel.export.enabled, case

    def test_also_while_the_file_is_finished(self, alone, tmp_path, monkeypatch):
        user = alone
        waits, go_on = threading.Event(), threading.Event()

        def slow_to_end(frames, path, **options):
            Path(path).write_bytes(b"a movie")
            waits.set()
            assert go_on.wait(PATIENCE_S)

        monkeypatch.setattr(writing, "write_movie", slow_to_end)
        user.fill(tmp_path / "wave.mp4")
        user.panel.export.native.click()
        assert waits.wait(PATIENCE_S)
        user.panel.cancel.native.click()
        go_on.set()
        user.wait(lambda: list(tmp_path.iterdir()) == [])

    def test_closing_the_panel_ends_it(self, watcher, tmp_path):
        user = watcher
        user.fill(tmp_path / "wave.mp4", what="canvas")
        user.panel.export.native.click()
        panel = user.panel
        user.viewer.window.remove_dock_widget("all")
        assert not panel.busy
        user.wait(lambda: list(tmp_path.iterdir()) == [])
        user.viewer.layers.clear()  # no listener is left
