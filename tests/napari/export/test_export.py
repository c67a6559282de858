"""The section Export: from the fields to movies, which are decoded again."""

from __future__ import annotations

import os

import imageio.v3 as iio
import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from tests.napari.export.exporting import (
    Exporter,
    forget_export,
    frames_of,
    in_one_window,
    state_of,
)
from tests.support.cubes import cube_of
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import read_cube, render_frames, write_cube, write_html
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.shown_cube import cube_of as cube_of_layer


class TestFields:
    @pytest.mark.smoke
    def test_follow_the_layer_and_what_is_typed(self, user):
        self.only_what_has_a_meaning_is_enabled(user)
        self.dilation_says_how_long_the_movie_is(user)
        self.the_window_is_that_of_the_layer(user)
        self.a_typed_window_stays(user)

    def the_window_is_that_of_the_layer(self, user):
        """Until a user types one, and whatever the slider or another cube makes it."""
        panel = user.panel
        assert (panel.start.value, panel.stop.value, panel.step.value) == (3000.0, 3050.0, 10.0)
        assert panel.status.value == "5 frames, 0.25 s at 20 frames per s."
        user.viewer.dims.margin_left = (10.0, 0.0, 0.0)
        user.viewer.dims.margin_right = (20.0, 0.0, 0.0)
        assert (panel.start.value, panel.stop.value) == (3010.0, 3040.0)
        user.viewer.dims.margin_left = user.viewer.dims.margin_right = (0.0, 0.0, 0.0)
        (layer,), cube = user.viewer.layers, user.viewer.layers[0].cube
        layer.cube = cube_of(np.ones((8, 1)), row=np.zeros(1), col=np.zeros(1))
        assert (panel.start.value, panel.stop.value) == (0.0, 80.0)
        layer.cube = cube
        assert (panel.start.value, panel.stop.value) == (3000.0, 3050.0)

    def a_typed_window_stays(self, user):
        user.panel.start.value = 3010.0
        add_recruitment_layer(user.viewer, cube_of_layer(user.viewer.layers[0]))
        assert user.panel.start.value == 3010.0
        assert user.panel.status.value.startswith("4 frames")
        user.panel.start.value = 3005.0
        assert user.panel.status.value.startswith("start 3005 ms is inside a bin of 10 ms")

    def dilation_says_how_long_the_movie_is(self, user):
        user.panel.speed_kind.value = "dilation"
        user.panel.speed.value = 10.0
        assert user.panel.status.value == "5 frames, 0.5 s at 10 frames per s."
        user.panel.speed_kind.value = "fps"
        user.panel.speed.value = 20.0

    def only_what_has_a_meaning_is_enabled(self, user):
        """Export without a visible layer, fields of hexagons for the canvas."""
        panel = user.panel
        assert panel.export.enabled
        user.viewer.layers[0].visible = False
        assert not panel.export.enabled
        user.viewer.layers[0].visible = True
        assert panel.export.enabled
        panel.what.value = "canvas"
        assert not any(f.enabled for f in (panel.width, panel.background, panel.copy, panel.save))
        panel.what.value = "hexagons"


class TestHexagons:
    @pytest.mark.smoke
    def test_are_exported_as_they_are_shown(self, user, tmp_path):
        in_one_window(
            user,
            tmp_path,
            self.pictures_are_those_of_the_renderer,
            self.movies_have_the_frames_and_the_size,
            the_cube_is_as_before,
            a_web_page_is_what_python_writes,
            a_web_page_of_the_canvas_is_refused,
            self.shows_what_the_layer_shows,
            self.visible_layers_are_side_by_side,
            self.refuses_what_one_movie_cannot_show,
        )

    def pictures_are_those_of_the_renderer(self, user, tmp_path):
        before, cube = state_of(user.viewer), user.viewer.layers[0].cube
        user.export(tmp_path / "frames", width=320.0, height=240.0, start=3010.0, step=20.0)
        assert user.told == []
        files = sorted((tmp_path / "frames").iterdir())
        expected = render_frames(cube, start=3010, step=20, size=(320, 240), clim=(0, 50))
        assert [file.name for file in files] == ["frame-000.png", "frame-001.png"]
        for file, frame in zip(files, expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), frame)
        assert state_of(user.viewer) == before
        assert user.panel.status.value.startswith("Saved frames.")

    def movies_have_the_frames_and_the_size(self, user, tmp_path):
        for ending in (".mp4", ".webm", ".gif"):
            path = tmp_path / ending.removeprefix(".") / f"wave{ending}"
            path.parent.mkdir()
            user.export(path, width=320.0, height=240.0)
            assert user.told == [], ending
            assert frames_of(path).shape == (5, 240, 320, 3), ending
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    def shows_what_the_layer_shows(self, user, tmp_path):
        layer = user.viewer.layers[0]
        layer.metric, layer.face_colormap, layer.face_contrast_limits = "rate", "magma", (0.0, 3.0)
        layer.face_colorbar.visible = False
        user.export(tmp_path / "frames", width=320.0, height=240.0, background="black")
        expected = render_frames(
            layer.cube,
            size=(320, 240),
            metric="rate",
            colormap="magma",
            clim=(0, 3),
            background="black",
            colorbar=False,
        )
        for file, frame in zip(sorted((tmp_path / "frames").iterdir()), expected, strict=True):
            np.testing.assert_array_equal(iio.imread(file), frame)
        layer.metric, layer.face_colormap = "recruitment", "viridis"
        layer.face_contrast_limits, layer.face_colorbar.visible = (0.0, 50.0), True

    def visible_layers_are_side_by_side(self, user, tmp_path):
        (first,), cube = user.viewer.layers, user.viewer.layers[0].cube
        first.name = "one"
        add_recruitment_layer(user.viewer, cube, name="two")
        add_recruitment_layer(user.viewer, cube, name="hidden").visible = False
        user.export(tmp_path / "frames", width=640.0, height=240.0, stop=3010.0)
        picture = iio.imread(tmp_path / "frames" / "frame-000.png")
        style = {"size": (640, 240), "clim": (0, 50), "panel_titles": ["one", "two"]}
        np.testing.assert_array_equal(picture, render_frames([cube, cube], stop=3010, **style)[0])
        del user.viewer.layers[1:]

    def refuses_what_one_movie_cannot_show(self, user, tmp_path):
        """A colormap that only napari has; layers that differ."""
        user.viewer.layers[0].face_colormap = "ice"
        user.export(tmp_path / "wave.mp4")
        assert "'ice' is napari's own" in user.told[0]
        forget_export(user)
        user.viewer.layers[0].face_colormap = "viridis"
        add_recruitment_layer(user.viewer, user.viewer.layers[0].cube, face_colormap="magma")
        user.export(tmp_path / "wave.mp4")
        assert "differ in their colormap" in user.told[0]
        assert list(tmp_path.iterdir()) == []


class TestBadInput:
    def test_is_told(self, alone, tmp_path, monkeypatch):
        def a_folder_that_cannot_be_written_to(user, folder):
            with monkeypatch.context() as patch:
                self.a_folder_that_cannot_be_written_to(user, folder, patch)

        in_one_window(
            alone,
            tmp_path,
            self.is_told_in_one_line,
            a_folder_that_cannot_be_written_to,
            self.odd_sides,
            self.a_typed_name_replaces_nothing,
            self.overwriting_may_be_allowed_where_the_error_says_so,
        )

    def is_told_in_one_line(self, user, tmp_path):
        for what in ("hexagons", "canvas"):
            for output, told in (
                ("wave.avi", "'.avi' is not a movie format"),
                ("wave.png", "is a single picture"),
                ("missing/wave.mp4", "there is no such folder"),
            ):
                forget_export(user)
                user.export(tmp_path / output, what=what, stop=3050.0)
                assert len(user.told) == 1, (what, output)
                assert told in user.told[0], (what, output)
                assert "\n" not in user.told[0], (what, output)
                assert list(tmp_path.iterdir()) == [], (what, output)
            forget_export(user)
            user.export(tmp_path / "wave.mp4", stop=3000.0)
            assert "is empty" in user.told[0], what

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_read_only_folder(self, alone, tmp_path):
        user = alone
        tmp_path.chmod(0o500)
        user.export(tmp_path / "wave.mp4")
        tmp_path.chmod(0o700)
        assert "read-only" in user.told[0]

    def a_folder_that_cannot_be_written_to(self, user, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "access", lambda *args: False)
        user.export(tmp_path / "wave.mp4")
        assert "read-only" in user.told[0]

    def odd_sides(self, user, tmp_path):
        user.export(tmp_path / "wave.mp4", width=321.0)
        assert "the sides of this kind of movie are even" in user.told[0]
        assert "wave.mp4" in user.panel.status.value
        assert ".part" not in user.told[0]
        assert list(tmp_path.iterdir()) == []

    def a_typed_name_replaces_nothing(self, user, tmp_path):
        for name in ("wave.mp4", "frames"):
            forget_export(user)
            path = tmp_path / name
            user.export(path, width=320.0, height=240.0)
            before = path.stat().st_mtime_ns
            user.export(path)
            assert "exists" in user.told[0], name
            assert path.stat().st_mtime_ns == before, name

    def overwriting_may_be_allowed_where_the_error_says_so(self, user, tmp_path):
        (tmp_path / "wave.gif").write_bytes(b"old")
        user.export(tmp_path / "wave.gif", width=320.0, height=240.0)
        assert "allow overwriting" in user.panel.status.wrong
        user.panel.overwrite.native.click()
        assert user.panel.status.wrong == ""
        user.export(tmp_path / "wave.gif")
        assert len(frames_of(tmp_path / "wave.gif")) == 5


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

    def test_what_is_answered_holds_once(self, alone, tmp_path, answer):
        for check in (
            self.a_name_that_lacks_or_has_no_ending_is_asked_for,
            self.a_confirmed_name_is_replaced_once,
            self.an_ending_that_the_dialog_did_not_ask_about,
            self.a_cancelled_dialog_changes_nothing,
        ):
            folder = tmp_path / check.__name__
            folder.mkdir()
            check(alone, folder, answer)
            forget_export(alone)

    def a_confirmed_name_is_replaced_once(self, user, tmp_path, answer):
        path = tmp_path / "wave.mp4"
        path.write_bytes(b"old")
        answer(path)
        user.panel.browse.native.click()
        user.export(path, width=320.0, height=240.0)
        assert user.told == []
        assert len(frames_of(path)) == 5
        user.export(path)
        assert "exists" in user.told[0]

    def an_ending_that_the_dialog_did_not_ask_about(self, user, tmp_path, answer):
        (tmp_path / "wave.mp4").write_bytes(b"old")
        answer(tmp_path / "wave")
        user.panel.browse.native.click()
        assert user.panel.file.value == str(tmp_path / "wave.mp4")
        user.panel.export.native.click()
        assert "exists" in user.told[0]
        assert (tmp_path / "wave.mp4").read_bytes() == b"old"

    def a_name_that_lacks_or_has_no_ending_is_asked_for(self, user, tmp_path, answer):
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

    def a_cancelled_dialog_changes_nothing(self, user, _folder, answer):
        user.panel.file.value = "wave.mp4"
        answer("")
        user.panel.browse.native.click()
        assert user.panel.file.value == "wave.mp4"


def the_cube_is_as_before(user, tmp_path):
    cube = cube_of_layer(user.viewer.layers[0]).copy(deep=True)
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


def a_web_page_is_what_python_writes(user, tmp_path):
    (layer,) = user.viewer.layers
    layer.face_contrast_limits = (0, 40)
    user.export(tmp_path / "a.html", start=3010.0, stop=3040.0)
    assert user.told == []
    options = {"start": 3010.0, "stop": 3040.0, "clim": (0, 40), "dilation": 5.0}
    same = write_html(cube_of_layer(layer), tmp_path / "b.html", colormap="viridis", **options)
    assert (tmp_path / "a.html").read_text() == same.read_text()
    layer.face_contrast_limits = (0, 50)


def a_web_page_of_the_canvas_is_refused(user, tmp_path):
    user.export(tmp_path / "a.html", what="canvas")
    assert ["A web page shows hexagons" in told for told in user.told] == [True]
    assert list(tmp_path.iterdir()) == []
