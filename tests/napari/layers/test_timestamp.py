"""The time on the canvas, and adding a cube with all that belongs to it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import xarray as xr
from napari.components import ViewerModel
from tests.support.cubes import wave_cube
from tests.support.looking import canvas, go_to, scene
from tests.support.viewers import a_viewer

from napari_hexrecruit._napari.layers import timestamp
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time


@pytest.fixture
def viewer():
    """Without a window: the texts are those of the viewer's model."""
    return a_viewer()


class TestTime:
    @pytest.mark.smoke
    def test_follows_the_slider(self, make_napari_viewer, cube):
        viewer = make_napari_viewer()
        layer = viewer.add_layer(RecruitmentLayer(cube))
        overlay = show_time(viewer)
        go_to(viewer, 3000.0)
        assert overlay.text == "3,000 - 3,010 ms"
        go_to(viewer, 3040.0)
        assert overlay.text == "3,040 - 3,050 ms"
        layer.cube = wave_cube(2, 2, 3, bin_ms=2.5)
        go_to(viewer, 2.5)
        assert overlay.text == "2.5 - 5 ms"

    def test_is_that_of_the_selected_or_else_the_uppermost_visible_layer(self, viewer, cube):
        slow = viewer.add_layer(RecruitmentLayer(cube))
        quick = viewer.add_layer(RecruitmentLayer(wave_cube(2, 2, 20, bin_ms=5.0, start_ms=3000.0)))
        picture = viewer.add_image(np.zeros((4, 4)), units=("um", "um"))
        overlay = show_time(viewer)
        go_to(viewer, 3015.0)
        viewer.layers.selection.active = picture
        assert overlay.text == "3,015 - 3,020 ms"
        viewer.layers.selection.active = slow
        assert overlay.text == "3,010 - 3,020 ms"
        slow.visible = False
        assert overlay.text == "3,015 - 3,020 ms"
        quick.visible = False
        assert overlay.text == ""
        slow.visible = True
        assert overlay.text == "3,010 - 3,020 ms"
        viewer.layers.remove(slow)
        assert overlay.text == ""
        quick.visible = True
        viewer.layers.clear()
        assert overlay.text == ""

    def test_outside_of_the_cubes_time_there_is_none(self, viewer, cube):
        layer = viewer.add_layer(RecruitmentLayer(cube))
        viewer.add_layer(RecruitmentLayer(wave_cube(2, 2, 40, start_ms=2900.0), visible=False))
        overlay = show_time(viewer)
        go_to(viewer, 2950.0)
        assert layer.current_bin is None
        assert overlay.text == ""

    def test_a_second_call_changes_nothing(self, viewer, cube):
        viewer.add_layer(RecruitmentLayer(cube))
        overlay = show_time(viewer)
        overlay.visible = False
        n_listeners = len(viewer.layers.events.inserted.callbacks)
        assert show_time(viewer) is overlay
        assert overlay.visible
        assert len(viewer.layers.events.inserted.callbacks) == n_listeners

    def test_layers_added_later_are_followed(self, viewer, cube):
        overlay = show_time(viewer)
        assert overlay.text == ""
        viewer.add_layer(RecruitmentLayer(cube))
        go_to(viewer, 3010.0)
        assert overlay.text == "3,010 - 3,020 ms"

    def test_a_viewer_is_not_kept_alive(self, cube):
        viewer = ViewerModel()
        show_time(viewer)
        add_recruitment_layer(viewer, cube)
        key, gone = id(viewer), weakref.ref(viewer)
        assert key in timestamp._stamps
        del viewer
        gc.collect()
        assert gone() is None
        assert key not in timestamp._stamps

    def test_a_proxy_of_the_viewer_is_the_viewer(self, viewer, cube):
        from napari.utils._proxies import PublicOnlyProxy

        viewer.add_layer(RecruitmentLayer(cube))
        assert show_time(PublicOnlyProxy(viewer)) is show_time(viewer)


class TestAdding:
    def test_the_first_layer_sets_the_stage(self, viewer, cube):
        layer = add_recruitment_layer(viewer, cube, metric="rate", name="INH")
        assert viewer.layers[0] is layer
        assert (layer.metric, layer.name) == ("rate", "INH")
        assert [str(way) for way in scene(viewer).camera.orientation2d] == ["up", "right"]
        assert layer.face_colorbar.visible
        assert layer.colorbar_label.visible
        assert layer.colorbar_label.text == "Firing rate (spikes/s per neuron)"
        overlays = canvas(viewer).overlays
        assert overlays.scale_bar.visible

    def test_a_later_layer_leaves_the_stage_alone(self, viewer, cube):
        viewer.add_image(np.zeros((2, 50, 50)), scale=(10, 10, 10), units=("ms", "um", "um"))
        camera = scene(viewer).camera
        camera.zoom, camera.center = 0.123, (0.0, 7.0, 8.0)
        add_recruitment_layer(viewer, cube)
        assert str(camera.orientation2d[0]) == "down"
        assert (camera.zoom, camera.center[-1]) == (0.123, 8.0)

    def test_what_is_no_cube_leaves_the_viewer_as_it_was(self, viewer):
        with pytest.raises(ValueError, match="not a recruitment cube"):
            add_recruitment_layer(viewer, xr.Dataset())
        assert len(viewer.layers) == 0

    def test_a_text_of_the_users_stays(self, viewer, cube):
        viewer.canvas.overlays.text.text = "mine"
        add_recruitment_layer(viewer, cube)
        assert viewer.canvas.overlays.text.text == "mine"

    def test_the_label_goes_where_the_colour_bar_goes(self, viewer, cube):
        layer = add_recruitment_layer(viewer, cube)
        layer.face_colorbar.position = "bottom_left"
        assert str(layer.colorbar_label.position) == "bottom_left"
        layer.face_colorbar.visible = False
        assert not layer.colorbar_label.visible

    def test_all_of_it_is_drawn(self, make_napari_viewer, cube, photograph):
        viewer = make_napari_viewer(show=True)
        layer = add_recruitment_layer(viewer, cube)
        picture = photograph(viewer)
        height, width = picture.shape[:2]
        corners = {
            "time": picture[-60:, :250],
            "colour bar": picture[10:180, -110:],
            "scale bar": picture[-60:, -200:],
        }
        for name, corner in corners.items():
            white = (corner > 200).all(axis=-1)
            assert white.any(), name
        before = picture[-60:, :250]
        layer_bin = layer.current_bin
        go_to(viewer, 3000.0 if layer_bin else 3010.0)
        assert (photograph(viewer)[-60:, :250] != before).any()
        assert height > 100 < width
