"""The layer lives like any other: copies, files, key frames, several of them, other views."""

from __future__ import annotations

import copy
import pickle
from importlib.util import find_spec

import numpy as np
import pytest
from napari.layers import Image, Layer, Points
from napari.layers.points import _points_key_bindings as keys
from napari.settings import get_settings
from tests.support.cubes import sheet_cube, wave_cube
from tests.support.looking import canvas, go_to, scene
from tests.support.viewers import a_viewer

from napari_hexrecruit._napari.layers.layer import LayerRecipe, RecruitmentLayer
from napari_hexrecruit._napari.private.copies import STATE_KEY


def run_command(viewer, command):
    from napari._app_model import get_app_model

    get_app_model().commands.execute_command(command).result()


def assert_shows(layer, cube, bin_):
    assert layer.current_bin == bin_
    np.testing.assert_array_equal(layer.features["recruited"], cube["recruitment"].to_numpy()[bin_])


class TestCopy:
    def test_the_layer_menu_duplicates_it(self, add, cube):
        viewer, layer = add(
            cube,
            metric="n_recruited",
            outline_nan=False,
            name="run 1",
            opacity=0.4,
            face_colormap="magma",
            face_contrast_limits=(2, 30),
            metadata={"run": 1},
        )
        layer.translate = (3000.0, 40.0, 50.0)
        layer.features = {**layer.features, "region": np.arange(12)}
        viewer.layers.selection = {layer}
        run_command(viewer, "napari.layer.duplicate")
        twin = viewer.layers[1]
        assert type(twin) is RecruitmentLayer
        assert twin.cube is cube
        assert (twin.metric, twin.outline_nan, twin.name) == ("n_recruited", False, "run 1 copy")
        assert (twin.opacity, twin.face_colormap.name) == (0.4, "magma")
        assert twin.face_contrast_limits == (2.0, 30.0)
        assert twin.metadata == {"run": 1}
        assert tuple(twin.translate) == (3000.0, 40.0, 50.0)
        assert twin.features["region"].tolist() == list(range(12))

    def test_a_duplicate_is_independent_and_linked_it_shares_its_look(self, add, cube):
        viewer, layer = add(cube)
        run_command(viewer, "napari.layer.duplicate")
        twin = viewer.layers[1]
        twin.metric = "rate"
        twin.cube = wave_cube(2, 2, 4, start_ms=3000.0)
        go_to(viewer, 3020.0)
        assert_shows(layer, cube, 2)
        rates = twin.cube["n_spikes"].to_numpy()[2] / 100 / 0.01
        np.testing.assert_allclose(twin.features["recruited"], rates)

        twin.cube = cube.copy()
        viewer.layers.selection = {layer, twin}
        run_command(viewer, "napari.layer.link_selected_layers")
        layer.metric, layer.opacity, layer.outline_nan = "n_recruited", 0.5, False
        assert (twin.metric, twin.opacity, twin.outline_nan) == ("n_recruited", 0.5, False)
        go_to(viewer, 3030.0)
        assert layer.current_bin == twin.current_bin == 3
        layer.cube = cube.copy()
        assert twin.cube is not layer.cube

    def test_copy_and_create_make_the_same(self, cube):
        layer = RecruitmentLayer(cube)
        assert copy.copy(layer).cube is cube
        assert Layer.create(*layer.as_layer_data_tuple()).cube is cube

    def test_other_layers_are_created_as_before(self):
        points = Layer.create(np.zeros((2, 2)), {"name": "a"}, "points")
        assert type(points) is Points
        assert type(Layer.create(np.zeros((2, 2)))) is Image
        with pytest.raises(ValueError, match="Unrecognized layer_type"):
            Layer.create(np.zeros((2, 2)), {}, "nothing")

    def test_its_tuple_is_good_for_plain_points(self, windowless, cube):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)
        data, state, kind = layer.as_layer_data_tuple()
        assert kind == "points"
        plain = Points(data, **state)
        np.testing.assert_allclose(plain.face_color, layer.face_color, atol=1e-6)
        assert plain.features["hex"].tolist() == cube["hex"].to_numpy().tolist()

    def test_its_tuple_holds_the_cube_itself(self, cube):
        metadata = RecruitmentLayer(cube).as_layer_data_tuple()[1]["metadata"]
        recipe = metadata[STATE_KEY]
        assert isinstance(recipe, LayerRecipe)
        assert recipe.cube is cube
        assert copy.deepcopy(metadata)[STATE_KEY].cube is cube
        assert RecruitmentLayer(cube).metadata == {}


class TestList:
    def test_renamed_hidden_moved_and_removed(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        other = viewer.add_image(np.zeros((20, 20)), scale=(20, 20), units=("um", "um"))
        layer.name = "hexagons"
        viewer.layers.move(0, 2)
        assert [each.name for each in viewer.layers] == [other.name, "hexagons"]
        lit = photograph(viewer).max(axis=-1) > 60
        layer.visible = False
        assert (photograph(viewer).max(axis=-1) > 60).sum() < lit.sum() / 10
        go_to(viewer, 3030.0)
        layer.visible = True
        assert_shows(layer, cube, 3)
        viewer.layers.remove(layer)
        assert (photograph(viewer).max(axis=-1) > 60).sum() < lit.sum() / 10
        viewer.layers.append(layer)
        go_to(viewer, 3010.0)
        assert_shows(layer, cube, 1)

    def test_lengths_and_bin_widths_share_one_slider(self, windowless, cube):
        viewer, slow = windowless(cube)  # 3000 to 3050 in 10 ms
        quick = RecruitmentLayer(wave_cube(2, 2, 20, bin_ms=2.5, start_ms=3020.0))  # to 3070
        viewer.add_layer(quick)
        assert viewer.dims.range[0] == pytest.approx((3000.0, 3067.5, 2.5))
        for time_ms, bins in [
            (3000.0, (0, None)),
            (3017.5, (1, None)),
            (3020.0, (2, 0)),
            (3027.5, (2, 3)),
            (3047.5, (4, 11)),
            (3050.0, (None, 12)),
            (3067.5, (None, 19)),
        ]:
            go_to(viewer, time_ms)
            assert (slow.current_bin, quick.current_bin) == bins

    def test_two_viewers_may_show_one_cube(self, add, windowless, cube):
        layers = []
        for added, time_ms in ((add, 3000.0), (windowless, 3040.0)):
            viewer, layer = added(cube)
            layers.append(layer)
            go_to(viewer, time_ms)
        assert_shows(layers[0], cube, 0)
        assert_shows(layers[1], cube, 4)

    def test_a_model_without_a_window_is_enough(self, cube):
        viewer = a_viewer()
        layer = viewer.add_layer(RecruitmentLayer(cube))
        go_to(viewer, 3020.0)
        assert_shows(layer, cube, 2)

    def test_sliced_in_a_thread(self, make_napari_viewer, cube, qtbot):
        settings = get_settings().experimental
        before, settings.async_ = settings.async_, True
        try:
            viewer = make_napari_viewer(show=True)
            layer = viewer.add_layer(RecruitmentLayer(cube))
            for time_ms in (3010.0, 3040.0, 3020.0):
                go_to(viewer, time_ms)
            qtbot.waitUntil(lambda: layer.loaded, timeout=5000)
            assert_shows(layer, cube, 2)
        finally:
            settings.async_ = before


class TestFiles:
    def test_napari_saves_the_current_bin_as_csv(self, windowless, cube, tmp_path):
        viewer, layer = windowless(cube)
        go_to(viewer, 3020.0)
        (path,) = layer.save(str(tmp_path / "bin.csv"))
        (points,) = viewer.open(path)
        assert type(points) is Points
        np.testing.assert_allclose(points.data, layer.data)
        assert points.features["hex"].tolist() == cube["hex"].to_numpy().tolist()
        np.testing.assert_allclose(points.features["recruited"], cube["recruitment"][2])


class TestViews:
    def test_3d_and_back_then_side_by_side_in_grid_mode(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        go_to(viewer, 3020.0)
        viewer.reset_view()
        flat = photograph(viewer)
        viewer.dims.ndisplay = 3
        viewer.reset_view()
        assert (photograph(viewer).max(axis=-1) > 10).mean() > 0.01
        assert not layer.editable
        assert layer.current_bin == 2
        scene(viewer).camera.angles = (20, 30, 40)
        assert (photograph(viewer).max(axis=-1) > 10).mean() > 0.01
        layer.metric = "rate"
        layer.metric = "recruitment"
        viewer.dims.ndisplay = 2
        viewer.reset_view()
        go_to(viewer, 3020.0)
        assert (photograph(viewer) == flat).mean() > 0.95
        assert_shows(layer, cube, 2)

        viewer.add_layer(RecruitmentLayer(cube, face_colormap="magma"))
        canvas(viewer).grid.enabled = True
        viewer.reset_view()
        lit = photograph(viewer).max(axis=-1) > 10
        half = lit.shape[1] // 2
        assert lit[:, :half].mean() > 0.05
        assert lit[:, half:].mean() > 0.05
        canvas(viewer).grid.enabled = False
        go_to(viewer, 3030.0)
        photograph(viewer)

    def test_any_order_of_the_axes(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        for order in ((1, 0, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)):
            go_to(viewer, 3020.0)
            viewer.dims.order = order
            photograph(viewer)
            viewer.dims.set_current_step(order[0], 1)
            photograph(viewer)
            layer.get_status(tuple(viewer.dims.point), dims_displayed=list(order[1:]), world=True)
            viewer.dims.order = (0, 1, 2)
            go_to(viewer, 3030.0)
            assert_shows(layer, cube, 3)

    def test_time_is_found_behind_axes_of_other_layers(self, windowless, cube):
        viewer, layer = windowless(cube)
        viewer.add_image(np.zeros((3, 2, 4, 4)), name="4-d")
        assert viewer.dims.ndim == 4
        go_to(viewer, 3030.0)
        assert_shows(layer, cube, 3)

    def test_a_picture_of_another_size_lies_under_it(self, make_napari_viewer, cube, photograph):
        viewer = make_napari_viewer(show=True)
        picture = np.zeros((7, 9, 3), dtype=np.uint8)
        picture[..., 0] = 200
        place = {"scale": (150, 150), "translate": (-400, -400), "units": ("um", "um")}
        viewer.add_image(picture, rgb=True, **place)
        layer = viewer.add_layer(RecruitmentLayer(cube))
        assert viewer.dims.range[0] == pytest.approx((3000.0, 3040.0, 10.0))
        image = photograph(viewer)
        red = (image == (200, 0, 0)).all(axis=-1).mean()
        assert 0.1 < red < 0.95
        go_to(viewer, 3040.0)
        assert_shows(layer, cube, 4)


class TestNoEditing:
    def test_keys_and_modes_do_nothing(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        go_to(viewer, 3000.0)
        layer.selected_data = {1, 2}
        keys.copy(layer)
        keys.paste(layer)
        keys.delete_selected_points(layer)
        for mode in ("add", "select", "transform"):
            layer.mode = mode
            assert layer.mode == "pan_zoom"
        layer._move([1], (3000.0, 500.0, 500.0))
        layer.editable = True
        assert not layer.editable
        assert len(layer.data) == 12
        np.testing.assert_array_equal(layer.data[:, 1], cube["y"])
        photograph(viewer)

    def test_the_delete_key_says_why(self, cube):
        from napari.utils.notifications import notification_manager

        layer = RecruitmentLayer(cube)
        layer.remove_selected()
        n_before = len(notification_manager.records)
        layer.selected_data = {3}
        layer.remove_selected()
        (told,) = notification_manager.records[n_before:]
        assert told.message.startswith("hexagons cannot be deleted")


@pytest.mark.skipif(find_spec("napari_animation") is None, reason="napari-animation is optional")
class TestKeyFrames:
    """napari-animation takes a layer's state and sets what differs, on every frame."""

    def test_frames_between_key_frames_show_their_own_bin(self, add, cube, tmp_path):
        """And a movie of them can be rendered."""
        from napari_animation import Animation

        viewer, layer = add(cube)
        movie = Animation(viewer)
        go_to(viewer, 3000.0)
        movie.capture_keyframe()
        go_to(viewer, 3040.0)
        layer.face_contrast_limits = (0.0, 100.0)
        layer.opacity = 0.5
        movie.capture_keyframe(steps=4)
        for frame, bin_ in enumerate(range(5)):
            movie.set_movie_frame_index(frame)
            assert_shows(layer, cube, bin_)
            assert layer.face_color_mode == "colormap"
            assert layer.face_contrast_limits[1] == pytest.approx(50 + 12.5 * frame)
            expected = layer.face_colormap.map(
                cube["recruitment"].to_numpy()[bin_] / layer.face_contrast_limits[1]
            )
            np.testing.assert_allclose(layer.face_color, expected, atol=1e-6)
        assert layer.cube is cube
        movie.animate(tmp_path / "frames", canvas_only=True)
        assert len(list((tmp_path / "frames").glob("*.png"))) == 5

    def test_a_key_frame_of_3000_hexagons_is_small(self):
        layer = RecruitmentLayer(sheet_cube(3000, n_bins=76))
        state = dict(layer.as_layer_data_tuple()[1])
        state.pop("metadata")
        state["units"] = None  # a unit drags its registry along
        assert len(pickle.dumps(state)) < 300_000
