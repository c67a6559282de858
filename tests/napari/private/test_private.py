"""Every private name of napari and vispy that is used, and what happens without it.

A failure here says which assumption a new napari or vispy has broken.
"""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest
from napari.layers import Layer, Points
from napari.utils.notifications import notification_manager
from tests.support.cubes import wave_cube
from tests.support.looking import go_to

from napari_hexrecruit._napari.layers import adding
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer, make_recruitment_layer
from napari_hexrecruit._napari.layers.controls import HexagonControls
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private import bars, names, points, saving, visuals
from napari_hexrecruit._napari.private.controls import LayerControls
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit._napari.private.names import (
    CONTROL_NAMES,
    LABEL_NAMES,
    PRIVATE_NAMES,
    missing_names,
)


class TestContract:
    @pytest.mark.parametrize(
        "name", (*PRIVATE_NAMES, *LABEL_NAMES, *CONTROL_NAMES), ids=lambda name: name.path
    )
    def test_the_name_is_there(self, name):
        assert name.is_there(), str(name)

    def test_nothing_is_missing(self):
        assert missing_names() == []

    @pytest.mark.parametrize("name", names.INSTANCE_NAMES)
    def test_points_have_the_attribute(self, name):
        reason = names.INSTANCE_NAMES[name]
        assert hasattr(Points(np.zeros((1, 3))), name), f"Points().{name} is used {reason}"

    def test_the_slicing_state_asks_with_these_arguments(self):
        state = importlib.import_module("napari.layers.points.points")._PointsSlicingState
        arguments = list(inspect.signature(state.make_slice_request_internal).parameters)
        assert arguments == ["self", "slice_input", "data_slice"], "slices are asked for otherwise"

    def test_a_slice_holds_a_point_and_margins(self):
        cls = importlib.import_module("napari.layers.utils._slice_input")._ThickNDSlice
        slice_ = cls.make_full(point=(1.5, 0.0), margin_left=(1.0, 1.0), margin_right=(1.0, 1.0))
        snapped = slice_.copy_with(
            point=(1.0, 0.0), margin_left=(0.0, 0.0), margin_right=(0.0, 0.0)
        )
        assert (snapped.point, snapped.margin_left) == ((1.0, 0.0), (0.0, 0.0)), (
            "a slice cannot be moved to its bin"
        )

    def test_colour_properties_are_taken_in_this_order(self):
        module = importlib.import_module("napari.layers.utils.color_manager")
        assert list(inspect.signature(module.ColorProperties).parameters) == [
            "name",
            "values",
            "current_value",
        ], "colours are set otherwise"

    def test_all_points_get_one_upload_a_step(self, add, cube, monkeypatch):
        viewer, layer = add(cube, show=True)
        go_to(viewer, 3000.0)
        markers, uploads = visuals._markers_class(), []
        upload = markers.set_data
        monkeypatch.setattr(
            markers,
            "set_data",
            lambda self, pos=None, **kw: uploads.append(len(pos)) or upload(self, pos, **kw),
        )
        go_to(viewer, 3010.0)
        n_fills = sum(n == len(layer.data) for n in uploads)
        assert n_fills == 1, "napari uploads the markers more than once for a step of the slider"

    def test_the_shader_has_the_line_behind_which_ours_goes(self):
        fragment = importlib.import_module("vispy.visuals.markers").MarkersVisual._shaders[
            "fragment"
        ]
        assert fragment.count(names.SHADER_LINE) == 1, "vispy computes the distance otherwise"
        for word in ("float v_edgewidth;", "uniform float u_antialias;"):
            assert word in fragment, f"vispy's fragment shader lacks {word!r}"
        assert visuals._FIT in visuals._markers_class()._shaders["fragment"]

    def test_layers_of_the_class_have_its_visual(self, add, cube):
        viewer, layer = add(cube, show=True)
        drawn_by = importlib.import_module("napari._vispy.utils.visual").layer_to_visual
        assert drawn_by[points.FramePoints] is visuals._visual_class()
        markers = importlib.import_module("napari._vispy.visuals.points").Markers
        assert markers is not visuals._markers_class(), "napari's own points would be hexagons"
        assert type(viewer.add_points([[0, 0]])) is Points
        assert layer in viewer.layers

    def test_layers_of_the_class_have_its_controls(self, cube):
        RecruitmentLayer(cube)
        container = importlib.import_module(f"{CONTROL_NAMES[0].module}")
        assert container.layer_to_controls[points.FramePoints] is HexagonControls
        for asked in ("deleteLater", "close", "hide", "ndisplay", "_controls"):
            assert asked in inspect.getsource(container) + inspect.getsource(LayerControls)

    def test_create_makes_our_layers_again_and_stays_as_it_is(self, cube):
        layer = RecruitmentLayer(cube)
        data, state, kind = layer.as_layer_data_tuple()
        assert kind == "points"
        copied = Layer.create(data, state, kind)
        assert type(copied) is RecruitmentLayer
        assert copied.cube is cube
        assert Layer.create.__func__.__module__ == "napari.layers.base.base"

    def test_points_of_others_are_points_whatever_their_metadata(self, cube):
        state = RecruitmentLayer(cube).as_layer_data_tuple()[1]
        metadata = {STATE_KEY: state["metadata"][STATE_KEY]}
        made = Layer.create(np.zeros((1, 3)), {"metadata": metadata}, "points")
        assert type(made) is Points

    def test_lists_of_layers_are_saved_with_these_arguments(self):
        assert saving.knows_saving(), "typed endings of cubes are not looked at"


class TestWithout:
    """A napari that lacks a name gets plain points: the same values at the same times."""

    @pytest.fixture(autouse=True)
    def untold(self, monkeypatch):
        monkeypatch.setattr(adding, "_told", [])

    @pytest.fixture
    def without(self, monkeypatch):
        def remove(name):
            owner = importlib.import_module(name.module)
            *path, last = name.path.split(".")
            for part in path:
                owner = getattr(owner, part)
            for heir in inspect.getmro(owner) if inspect.isclass(owner) else [owner]:
                if last in vars(heir):
                    monkeypatch.delattr(heir, last)

        return remove

    @pytest.fixture
    def unknown_napari(self, without):
        """Lacks a name that plain points do without."""
        (name,) = (name for name in PRIVATE_NAMES if name.path == "Points._move")
        without(name)

    @pytest.mark.parametrize("name", PRIVATE_NAMES, ids=lambda name: name.path)
    def test_each_name_is_missed(self, without, name):
        without(name)
        assert [sentence for sentence in missing_names() if name.path in sentence]
        assert "is gone, which the hexagon layer uses to" in str(name)

    def test_a_module_that_moved_is_missed(self):
        assert not names.PrivateName("napari._vispy.nowhere", "Points", "to draw").is_there()

    def test_an_attribute_that_moved_is_missed(self, monkeypatch):
        monkeypatch.setitem(names.INSTANCE_NAMES, "_nowhere", "to colour a bin")
        (sentence,) = missing_names()
        assert sentence.endswith(
            "Points()._nowhere is gone, which the hexagon layer uses to colour a bin"
        )

    def test_another_shader_is_missed(self, monkeypatch):
        markers = importlib.import_module("vispy.visuals.markers").MarkersVisual
        monkeypatch.setattr(markers, "_shaders", {"fragment": "void main() {}"})
        (sentence,) = missing_names()
        assert "another fragment shader" in sentence

    def test_plain_points_show_the_same(self, make_napari_viewer, unknown_napari, cube, photograph):
        viewer = make_napari_viewer(show=True)
        layer = add_recruitment_layer(viewer, cube, metric="rate", name="plain")
        assert type(layer) is Points
        assert layer.name == "plain"
        assert viewer.dims.range[0] == pytest.approx((3000.0, 3040.0, 10.0))
        overlays = viewer.canvas.overlays
        for bin_ in (0, 3):
            go_to(viewer, 3000.0 + 10 * bin_)
            in_view = layer.features.iloc[layer._view_indices]
            expected = cube["n_spikes"].to_numpy()[bin_] / 100 / 0.01
            np.testing.assert_allclose(in_view["recruited"], expected, rtol=1e-6)
            assert in_view["hex"].tolist() == cube["hex"].to_numpy().tolist()
            start = 3000 + 10 * bin_
            assert overlays["recruitment_time"].text == f"{start:,} - {start + 10:,} ms"
        assert photograph(viewer).max() > 0
        assert layer.as_layer_data_tuple()[1]["metadata"][STATE_KEY].cube is cube

    def test_the_user_is_told_once(self, unknown_napari, cube):
        n_before = len(notification_manager.records)
        make_recruitment_layer(cube)
        make_recruitment_layer(cube)
        (told,) = notification_manager.records[n_before:]
        assert told.message.startswith("napari-hexrecruit shows discs instead of hexagons")
        assert "Update napari-hexrecruit" in told.message

    def test_errors_are_those_of_the_hexagon_layer(self, unknown_napari, cube):
        with pytest.raises(ValueError, match="'pace' is unknown"):
            make_recruitment_layer(cube, metric="pace")
        with pytest.raises(TypeError, match="size cannot be given"):
            make_recruitment_layer(cube, size=3)
        with pytest.raises(ValueError, match="not a recruitment cube"):
            make_recruitment_layer(cube.drop_vars("x"))

    def test_colour_bars_may_lack_a_label(self, without, make_napari_viewer, cube):
        without(LABEL_NAMES[0])
        assert missing_names() == []
        bars.draw_bars()
        viewer = make_napari_viewer(show=False)
        layer = add_recruitment_layer(viewer, cube)
        assert type(layer) is RecruitmentLayer
        assert "face_colorbar_label" not in layer._overlays
        layer.metric = "rate"

    def test_with_all_names_it_is_the_hexagon_layer(self):
        assert type(make_recruitment_layer(wave_cube(2, 2, 2))) is RecruitmentLayer


def test_where_layers_are_saved_otherwise_napari_saves_alone(add, cube, monkeypatch):
    monkeypatch.setattr(saving, "_ARGUMENTS", {"path", "another"})
    viewer, _ = add(cube)
    saving.saves_by_ending(viewer.layers, lambda *_: "")
    assert "save" not in vars(viewer.layers)
