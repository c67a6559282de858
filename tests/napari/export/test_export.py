"""The section Export: from the fields to movies, which are decoded again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog
from tests.support.cubes import cube_of
from tests.support.looking import canvas, pixel_of, scene
from tests.support.qt_events import let_events_pass
from tests.support.waiting import PATIENCE_S
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit import read_cube, render_frames, write_cube
from napari_hexrecruit._napari.export import camera, writing
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.shown_cube import cube_of as cube_of_layer

CODEC_TOLERANCE = 12
"""Levels of 255 that H.264 may be off in the middle of a hexagon."""


class Exporter(User):
    """A user of the section Export."""

    @property
    def panel(self):
        return self.widget.export

    def export(self, output, **fields):
        """Fill the fields, press Export, and wait for the end, good or bad."""
        self.fill(output, **fields)
        self.panel.export.native.click()
        self.wait(lambda: not self.panel.busy)

    def fill(self, output, **fields):
        name = str(output)
        self.panel.file.value = name if not name or Path(name).suffix else f"{name}/"
        for name, value in fields.items():
            getattr(self.panel, name).value = value


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    """A window that is not drawn: hexagons are exported without it."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return make_napari_viewer()


@pytest.fixture
def drawn(make_napari_viewer, monkeypatch):
    """A window whose canvas can be exported."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    let_events_pass()
    return viewer


def user_of(viewer, qtbot, cube):
    add_recruitment_layer(viewer, cube)
    user = Exporter(viewer, qtbot)
    viewer.dims.set_point(0, 3020.0)
    viewer.reset_view()
    let_events_pass()
    return user


@pytest.fixture
def user(viewer, qtbot, cube):
    """A user with a layer of 5 bins of 10 ms from 3000 ms and 12 hexagons."""
    return user_of(viewer, qtbot, cube)


@pytest.fixture
def watcher(drawn, qtbot, cube):
    """The same in front of a canvas that is drawn."""
    return user_of(drawn, qtbot, cube)


def forget_export(user):
    """As before anything was exported: for the next case of a test."""
    user.told.clear()
    user.panel.file.value = ""


def state_of(viewer):
    """All that an export must not change."""
    layer = next(layer for layer in viewer.layers if cube_of_layer(layer) is not None)
    camera = scene(viewer).camera
    return (
        tuple(viewer.dims.point),
        tuple(camera.center),
        camera.zoom,
        tuple(camera.angles),
        {one.name for one in viewer.layers.selection},
        set(layer.selected_data),
        layer.current_bin,
        layer.face_colorbar.visible,
        canvas(viewer).overlays.scale_bar.visible,
    )


def colour_of(layer, percent):
    """(3,) uint8 of a value at limits from 0 to 50."""
    return np.round(255 * layer.face_colormap.map(np.array([percent / 50.0]))[0, :3])


def frames_of(path):
    return np.stack(list(iio.imiter(path)))


class TestFields:
    @pytest.mark.smoke
    def test_the_window_is_that_of_the_layer(self, user, cube):
        """Until a user types one, and whatever the slider or another cube makes it."""
        panel = user.panel
        assert (panel.start.value, panel.stop.value, panel.step.value) == (3000.0, 3050.0, 10.0)
        assert panel.status.value == "5 frames, 0.25 s at 20 frames per s."
        user.viewer.dims.margin_left = (10.0, 0.0, 0.0)
        user.viewer.dims.margin_right = (20.0, 0.0, 0.0)
        assert (panel.start.value, panel.stop.value) == (3010.0, 3040.0)
        user.viewer.dims.margin_left = user.viewer.dims.margin_right = (0.0, 0.0, 0.0)
        user.viewer.layers[0].cube = cube_of(np.ones((8, 1)), row=np.zeros(1), col=np.zeros(1))
        assert (panel.start.value, panel.stop.value) == (0.0, 80.0)

    def test_a_typed_window_stays(self, user):
        user.panel.start.value = 3010.0
        add_recruitment_layer(user.viewer, cube_of_layer(user.viewer.layers[0]))
        assert user.panel.start.value == 3010.0
        assert user.panel.status.value.startswith("4 frames")
        user.panel.start.value = 3005.0
        assert user.panel.status.value.startswith("start 3005 ms is inside a bin of 10 ms")

    def test_dilation_says_how_long_the_movie_is(self, user):
        user.panel.speed_kind.value = "dilation"
        user.panel.speed.value = 10.0
        assert user.panel.status.value == "5 frames, 0.5 s at 10 frames per s."

    def test_only_what_has_a_meaning_is_enabled(self, user):
        """Export without a visible layer, fields of hexagons for the canvas."""
        panel = user.panel
        assert panel.export.enabled
        user.viewer.layers[0].visible = False
        assert not panel.export.enabled
        user.viewer.layers[0].visible = True
        assert panel.export.enabled
        panel.what.value = "canvas"
        assert not any(f.enabled for f in (panel.width, panel.background, panel.copy, panel.save))


class TestHexagons:
    @pytest.mark.smoke
    def test_pictures_are_those_of_the_renderer(self, user, cube, tmp_path):
        before = state_of(user.viewer)
        user.export(tmp_path / "frames", width=320.0, height=240.0, start=3010.0, step=20.0)
        assert user.told == []
        files = sorted((tmp_path / "frames").iterdir())
        expected = render_frames(cube, start=3010, step=20, size=(320, 240), clim=(0, 50))
        assert [file.name for file in files] == ["frame-000.png", "frame-001.png"]
        for file, frame in zip(files, expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), frame)
        assert state_of(user.viewer) == before
        assert user.panel.status.value.startswith("Saved frames.")

    def test_movies_have_the_frames_and_the_size(self, user, tmp_path):
        for ending in (".mp4", ".webm", ".gif"):
            path = tmp_path / ending.removeprefix(".") / f"wave{ending}"
            path.parent.mkdir()
            user.export(path, width=320.0, height=240.0)
            assert user.told == [], ending
            assert frames_of(path).shape == (5, 240, 320, 3), ending
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    def test_shows_what_the_layer_shows(self, user, cube, tmp_path):
        layer = user.viewer.layers[0]
        layer.metric, layer.face_colormap, layer.face_contrast_limits = "rate", "magma", (0.0, 3.0)
        layer.face_colorbar.visible = False
        user.export(tmp_path / "frames", width=320.0, height=240.0, background="black")
        expected = render_frames(
            cube,
            size=(320, 240),
            metric="rate",
            colormap="magma",
            clim=(0, 3),
            background="black",
            colorbar=False,
        )
        for file, frame in zip(sorted((tmp_path / "frames").iterdir()), expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), frame)

    def test_visible_layers_are_side_by_side(self, user, cube, tmp_path):
        user.viewer.layers[0].name = "one"
        add_recruitment_layer(user.viewer, cube, name="two")
        add_recruitment_layer(user.viewer, cube, name="hidden").visible = False
        user.export(tmp_path / "frames", width=640.0, height=240.0, stop=3010.0)
        picture = iio.imread(tmp_path / "frames" / "frame-000.png")
        style = {"size": (640, 240), "clim": (0, 50), "panel_titles": ["one", "two"]}
        np.testing.assert_array_equal(picture, render_frames([cube, cube], stop=3010, **style)[0])

    def test_refuses_what_one_movie_cannot_show(self, user, cube, tmp_path):
        """A colormap that only napari has; layers that differ."""
        user.viewer.layers[0].face_colormap = "ice"
        user.export(tmp_path / "wave.mp4")
        assert "'ice' is napari's own" in user.told[0]
        forget_export(user)
        user.viewer.layers[0].face_colormap = "viridis"
        add_recruitment_layer(user.viewer, cube, face_colormap="magma")
        user.export(tmp_path / "wave.mp4")
        assert "differ in their colormap" in user.told[0]
        assert list(tmp_path.iterdir()) == []


class TestCanvas:
    def test_is_what_is_seen(self, watcher, cube, tmp_path, photograph):
        viewer, layer = watcher.viewer, watcher.viewer.layers[0]
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

    def test_pictures_are_the_screenshots(self, watcher, tmp_path, photograph):
        expected = []
        for time_ms in (3010.0, 3030.0):
            watcher.viewer.dims.set_point(0, time_ms)
            expected.append(photograph(watcher.viewer))
        watcher.viewer.dims.set_point(0, 3000.0)
        watcher.export(tmp_path / "frames", what="canvas", start=3010.0, step=20.0)
        for file, picture in zip(sorted((tmp_path / "frames").iterdir()), expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), picture)
        assert watcher.viewer.dims.point[0] == 3000.0

    def test_keeps_its_size_when_the_window_changes(self, watcher, tmp_path):
        watcher.fill(tmp_path / "frames", what="canvas")
        QTimer.singleShot(60, lambda: watcher.viewer.window.resize(700, 500))
        watcher.panel.export.native.click()
        watcher.wait(lambda: not watcher.panel.busy)
        shapes = {iio.imread(file).shape for file in (tmp_path / "frames").iterdir()}
        assert len(shapes) == 1
        assert watcher.told == []

    def test_the_window_answers_meanwhile(self, watcher, tmp_path):
        seen = set()
        timer = QTimer()
        timer.timeout.connect(lambda: seen.add(float(watcher.viewer.dims.point[0])))
        timer.start(0)
        watcher.export(tmp_path / "wave.gif", what="canvas")
        assert seen >= {3000.0, 3010.0, 3020.0, 3030.0, 3040.0}  # after each picture

    def test_an_error_puts_the_slider_back(self, watcher, tmp_path, monkeypatch):
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

    def test_a_layer_that_is_removed_ends_it(self, watcher, tmp_path):
        watcher.fill(tmp_path / "wave.mp4", what="canvas")
        QTimer.singleShot(60, watcher.viewer.layers.clear)
        watcher.panel.export.native.click()
        watcher.wait(lambda: not watcher.panel.busy)
        watcher.wait(lambda: list(tmp_path.iterdir()) == [])
        assert "was removed" in watcher.told[0]

    def test_time_must_have_a_slider(self, watcher, tmp_path):
        watcher.viewer.dims.order = (1, 0, 2)
        watcher.export(tmp_path / "wave.mp4", what="canvas")
        assert watcher.told[-1].startswith("time is an axis of the picture")


class TestCancel:
    @pytest.mark.parametrize("what", ["hexagons", "canvas"])
    def test_leaves_nothing(self, drawn, qtbot, tmp_path, long_cube, what):
        add_recruitment_layer(drawn, long_cube)
        user = Exporter(drawn, qtbot)
        drawn.dims.set_point(0, 500.0)
        let_events_pass()
        before = state_of(drawn)
        for name in ("wave.mp4", "wave.gif", "frames"):
            user.fill(tmp_path / name, what=what)
            user.panel.export.native.click()
            user.wait(lambda: user.panel.status.value.startswith("Frame "))
            user.panel.cancel.native.click()
            assert not user.panel.busy, name
            assert state_of(drawn) == before, name
            user.wait(lambda: list(tmp_path.iterdir()) == [])
            assert user.told == [], name
            assert user.panel.status.value.startswith("10,000 frames"), name
            assert user.panel.export.enabled, name

    def test_also_while_the_file_is_finished(self, user, tmp_path, monkeypatch):
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
        user.viewer.layers.clear()  # nobody listens any more


class TestBadInput:
    @pytest.mark.parametrize("what", ["hexagons", "canvas"])
    def test_is_told_in_one_line(self, user, tmp_path, what):
        for output, told in (
            ("wave.avi", "'.avi' is not a movie format"),
            ("wave.png", "is a single picture"),
            ("missing/wave.mp4", "there is no such folder"),
        ):
            forget_export(user)
            user.export(tmp_path / output, what=what)
            assert len(user.told) == 1, output
            assert told in user.told[0]
            assert "\n" not in user.told[0], output
            assert list(tmp_path.iterdir()) == [], output
        forget_export(user)
        user.export(tmp_path / "wave.mp4", stop=3000.0)
        assert "is empty" in user.told[0]

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_read_only_folder(self, user, tmp_path):
        tmp_path.chmod(0o500)
        user.export(tmp_path / "wave.mp4")
        tmp_path.chmod(0o700)
        assert "read-only" in user.told[0]

    def test_a_folder_that_cannot_be_written_to(self, user, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "access", lambda *args: False)
        user.export(tmp_path / "wave.mp4")
        assert "read-only" in user.told[0]

    def test_odd_sides(self, user, tmp_path):
        user.export(tmp_path / "wave.mp4", width=321.0)
        assert "the sides of this kind of movie are even" in user.told[0]
        assert "wave.mp4" in user.panel.status.value
        assert ".part" not in user.told[0]
        assert list(tmp_path.iterdir()) == []

    def test_a_typed_name_replaces_nothing(self, user, tmp_path):
        for name in ("wave.mp4", "frames"):
            forget_export(user)
            path = tmp_path / name
            user.export(path, width=320.0, height=240.0)
            before = path.stat().st_mtime_ns
            user.export(path)
            assert "exists" in user.told[0], name
            assert path.stat().st_mtime_ns == before, name


class TestBrowse:
    @pytest.fixture
    def answer(self, monkeypatch):
        """Say what the user answers in the dialog; the names that it offered."""

        def say(path, kind="MP4 movie (*.mp4)"):
            offered = []

            def get(parent, caption, name, kinds):
                offered.append(name)
                return str(path), kind

            monkeypatch.setattr(QFileDialog, "getSaveFileName", get)
            return offered

        return say

    def test_a_confirmed_name_is_replaced_once(self, user, tmp_path, answer):
        path = tmp_path / "wave.mp4"
        path.write_bytes(b"old")
        answer(path)
        user.panel.browse.native.click()
        user.export(path, width=320.0, height=240.0)
        assert user.told == []
        assert len(frames_of(path)) == 5
        user.export(path)
        assert "exists" in user.told[0]

    def test_an_ending_that_the_dialog_did_not_ask_about(self, user, tmp_path, answer):
        (tmp_path / "wave.mp4").write_bytes(b"old")
        answer(tmp_path / "wave")
        user.panel.browse.native.click()
        assert user.panel.file.value == str(tmp_path / "wave.mp4")
        user.panel.export.native.click()
        assert "exists" in user.told[0]
        assert (tmp_path / "wave.mp4").read_bytes() == b"old"

    def test_a_name_that_lacks_or_has_no_ending_is_asked_for(self, user, tmp_path, answer):
        offered = answer("")
        user.panel.file.value = ""
        user.panel.export.native.click()
        assert offered == [f"{user.viewer.layers[0].name}.mp4"]
        assert user.told == []
        assert not user.panel.folder.enabled
        answer(tmp_path / "wave", "GIF (*.gif)")
        user.panel.file.value = str(tmp_path / "wave")
        user.panel.export.native.click()
        user.wait(lambda: not user.panel.busy)
        assert len(frames_of(tmp_path / "wave.gif")) == 5
        assert user.panel.folder.enabled
        offered = answer("")
        user.panel.file.value = ""
        user.panel.export.native.click()
        assert offered == [str(tmp_path / f"{user.viewer.layers[0].name}.mp4")]

    def test_overwriting_may_be_allowed_where_the_error_says_so(self, user, tmp_path):
        (tmp_path / "wave.gif").write_bytes(b"old")
        user.export(tmp_path / "wave.gif", width=320.0, height=240.0)
        assert "allow overwriting" in user.panel.status.wrong
        user.panel.overwrite.native.click()
        assert user.panel.status.wrong == ""
        user.export(tmp_path / "wave.gif")
        assert len(frames_of(tmp_path / "wave.gif")) == 5

    def test_a_cancelled_dialog_changes_nothing(self, user, answer):
        user.panel.file.value = "wave.mp4"
        answer("")
        user.panel.browse.native.click()
        assert user.panel.file.value == "wave.mp4"


def test_leaves_no_thread_and_no_widget(watcher, tmp_path):
    user = watcher
    widgets = len(QApplication.topLevelWidgets())
    user.export(tmp_path / "wave.mp4", what="canvas")
    user.export(tmp_path / "wave.gif")
    user.wait(lambda: not [t for t in threading.enumerate() if t.name.startswith("png")])
    assert len(QApplication.topLevelWidgets()) == widgets


def test_the_cube_is_as_before(user, cube, tmp_path):
    write_cube(cube, tmp_path / "before.hexrecruit.nc")
    user.export(tmp_path / "wave.gif", width=320.0, height=240.0)
    assert cube_of_layer(user.viewer.layers[0]).identical(cube)
    assert read_cube(tmp_path / "before.hexrecruit.nc").identical(cube)


def test_a_simulation_from_choosing_to_the_movie(viewer, qtbot, tmp_path):
    user = Exporter(viewer, qtbot)
    user.open_and_load(neurons_in_a_row().write(tmp_path / "run"))
    user.export(tmp_path / "wave.mp4", width=320.0, height=240.0, step=20.0)
    assert user.told == []
    assert frames_of(tmp_path / "wave.mp4").shape == (5, 240, 320, 3)


def test_a_web_page_is_what_python_writes(user, viewer, cube, tmp_path):
    from napari_hexrecruit import write_html

    layer = next(layer for layer in viewer.layers if cube_of_layer(layer) is not None)
    layer.face_contrast_limits = (0, 40)
    user.export(tmp_path / "a.html", start=3010.0, stop=3040.0)
    assert user.told == []
    options = {"start": 3010.0, "stop": 3040.0, "clim": (0, 40), "dilation": 5.0}
    same = write_html(cube_of_layer(layer), tmp_path / "b.html", colormap="viridis", **options)
    assert (tmp_path / "a.html").read_text() == same.read_text()


def test_a_web_page_of_the_canvas_is_refused(user, tmp_path):
    user.export(tmp_path / "a.html", what="canvas")
    assert ["A web page shows hexagons" in told for told in user.told] == [True]
    assert list(tmp_path.iterdir()) == []
