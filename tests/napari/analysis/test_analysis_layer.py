"""Results of analyses as layers: colours, limits, labels, copies, and beside the compute panel."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer
from tests.support.cubes import cube_of, wave_cube
from tests.support.looking import go_to, pixel_of
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import User

from napari_hexrecruit._napari.commands import fit_limits
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit.analysis import compare, peak, with_maps


@pytest.fixture
def compared():
    """A is 0, 20 and 40 % in one hexagon, B always 20 %; the second hexagon is in B only."""
    a = cube_of([[0], [20], [40]], row=[0], col=[0])
    b = cube_of([[20, 30]] * 3, row=[0, 0], col=[0, 1])
    return compare(a, b)


def windowless(cube, **kwargs):
    """A viewer without a window, with a layer in it."""
    viewer = a_viewer()
    return viewer, viewer.add_layer(RecruitmentLayer(cube, **kwargs))


class TestDerivedMetrics:
    def test_0_is_the_middle_of_colours_and_limits(self, add, compared, photograph):
        viewer, layer = add(compared, metric="difference", show=True)
        low, high = layer.face_contrast_limits
        assert low == -high
        assert layer.face_colormap.name == "RdBu_r"
        assert layer.colorbar_label.text == compared_title(compared)
        seen = []
        for bin_ in range(3):
            go_to(viewer, 10.0 * bin_)
            image = photograph(viewer)
            seen.append(image[pixel_of(viewer, image, 0.0, 0.0)].astype(int))
        less, same, more = seen
        assert less[2] > less[0] + 60
        assert more[0] > more[2] + 60
        assert same.min() > 230

    def test_a_hexagon_of_one_cube_only_has_no_value(self, compared):
        _viewer, layer = windowless(compared, metric="difference")
        absent = layer.features["hex"].tolist().index("R0;C1")
        assert np.isnan(layer.features["recruited"][absent])
        assert "no value" in layer.sentence(absent)

    def test_says_its_units(self, compared):
        viewer, layer = windowless(compared, metric="difference")
        go_to(viewer, 0.0)
        present = layer.features["hex"].tolist().index("R0;C0")
        assert layer.sentence(present) == "R0;C0: -20 percentage points, 100 neurons"

    def test_another_metric_brings_its_colours(self, compared):
        _viewer, layer = windowless(compared)
        assert layer.face_colormap.name == "viridis"
        layer.metric = "difference"
        assert layer.face_colormap.name == "RdBu_r"
        layer.face_colormap = "PiYG"
        layer.metric = "log2_ratio"
        assert layer.face_colormap.name == "PiYG"
        layer.metric = "rate"
        assert layer.face_colormap.name == "viridis"

    def test_a_map_is_the_same_at_any_time(self):
        cube = wave_cube(3, 4, 12)
        viewer, layer = windowless(with_maps(cube, peak(cube)), metric="peak")
        for time_ms in (0.0, 60.0, 110.0):
            go_to(viewer, time_ms)
            np.testing.assert_array_equal(layer.features["recruited"], 60.0)

    def test_a_cube_without_the_variable_is_refused(self, cube, compared):
        with pytest.raises(ValueError, match="no 'difference'"):
            RecruitmentLayer(cube, metric="difference")
        _viewer, layer = windowless(compared, metric="difference")
        with pytest.raises(ValueError, match=r"show recruitment, n_recruited, rate, or compute it"):
            layer.cube = cube
        assert layer.cube is compared
        other = RecruitmentLayer(cube)
        with pytest.raises(ValueError, match="no 'ratio'"):
            other.metric = "ratio"
        assert other.metric == "recruitment"

    def test_a_copy_looks_alike(self, compared):
        layer = RecruitmentLayer(compared, metric="difference", face_contrast_limits=(-5, 5))
        twin = Layer.create(*layer.as_layer_data_tuple())
        assert (twin.metric, twin.face_colormap.name) == ("difference", "RdBu_r")
        assert twin.face_contrast_limits == (-5.0, 5.0)

    def test_limits_are_fitted_about_0(self, compared):
        viewer, layer = windowless(compared, metric="difference", face_contrast_limits=(-1, 3))
        fit_limits(viewer)
        low, high = layer.face_contrast_limits
        assert low == -high
        assert high == pytest.approx(20, rel=0.1)


def compared_title(cube):
    attrs = cube["difference"].attrs
    return f"{attrs['long_name']} ({attrs['units']})"


def test_the_compute_panel_leaves_them_alone(make_napari_viewer, qtbot, monkeypatch, compared):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    viewer = make_napari_viewer()
    add_recruitment_layer(viewer, compared, metric="difference")
    user = User(viewer, qtbot)
    assert user.form.look.metric == "recruitment"
    plain = add_recruitment_layer(viewer, wave_cube(2, 2, 4))
    result = add_recruitment_layer(viewer, compared, metric="log2_ratio")
    limits = tuple(result.face_contrast_limits)
    viewer.layers.selection.active = plain
    viewer.layers.selection.active = result
    plain.metric = "rate"
    assert user.form.look.metric == "rate"
    assert (plain.metric, result.metric) == ("rate", "log2_ratio")
    assert tuple(result.face_contrast_limits) == limits
    assert user.told == []
