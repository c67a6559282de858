"""Layer controls of hexagons, handled with mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Points
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QPushButton
from tests.support.looking import controls
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit._napari.layers.controls import HexagonControls
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private import names
from napari_hexrecruit._napari.private.controls import missing_controls
from napari_hexrecruit.metrics import metric_named


def click(widget):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.rect().center())


def tick(box):
    at = box.rect().center()
    at.setX(8)
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=at)


def choose(box, text):
    """Choose from a list with the arrow keys."""
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.count()):
        if box.currentText().startswith(text):
            return
        QTest.keyClick(box, Qt.Key.Key_Down)
    raise AssertionError(text)


def type_into(field, text):
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


@pytest.fixture
def shown(add, gappy_cube):
    """A viewer with its controls, and a layer with a hexagon that has no value."""
    viewer, layer = add(gappy_cube, show=True)
    return viewer, layer, controls(viewer)


def test_fields_and_layer_follow_each_other(shown, gappy_cube):
    _, layer, fields = shown
    each_field_sets_the_layer(layer, fields)
    the_fields_follow_the_layer(layer, fields)
    derived_metrics_are_offered_where_a_cube_has_them(layer, fields, gappy_cube)


def each_field_sets_the_layer(layer, fields):
    assert type(fields) is HexagonControls
    choose(fields.blending_box, "add")
    assert layer.blending == "additive"
    assert fields.opacity_slider.isEnabled()
    choose(fields.blending_box, "opa")
    assert layer.blending == "opaque"
    assert not fields.opacity_slider.isEnabled()  # napari draws opaque layers without it
    choose(fields.blending_box, "translucent")
    click(fields.opacity_slider._slider)
    assert layer.opacity == pytest.approx(0.5, abs=0.05)
    choose(fields.metric_box, "Firing")
    assert layer.metric == "rate"
    choose(fields.colormap_box, "magma")
    assert layer.face_colormap.name == "magma"
    tick(fields.outline_check)
    assert not layer.outline_nan
    type_into(fields.colour_edit.line_edit, "red")
    assert layer.outline_color == (1.0, 0.0, 0.0, 1.0)
    tick(fields.bar_check)
    assert layer.face_colorbar.visible


def test_limits_are_dragged_typed_and_fitted(shown):
    _, layer, fields = shown
    slider = fields.limits_slider
    assert (slider.minimum(), slider.maximum()) == (0.0, 100.0)
    assert fields.numbers_button.text() == "0 to 50 %"
    upper = slider._handleRect(1).center()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=upper)
    upper.setX(slider.width() - 1)
    QTest.mouseMove(slider, upper)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=upper)
    assert layer.face_contrast_limits == (0.0, 100.0)
    QTest.mouseClick(slider, Qt.MouseButton.RightButton, pos=slider.rect().center())
    popup, wide = fields._popup
    assert popup.isVisible()
    type_into(wide._handle_labels[1], "37.5")
    assert layer.face_contrast_limits == (0.0, 37.5)
    assert fields.numbers_button.text() == "0 to 37.5 %"
    popup.close()
    click(fields.fit_button)
    assert layer.face_contrast_limits == (0.0, 40.0)
    assert slider.value() == (0.0, 40.0)


def the_fields_follow_the_layer(layer, fields):
    layer.metric = "recruitment"
    layer.outline_nan, layer.face_colorbar.visible = True, False
    layer.metric = "rate"
    assert fields.metric_box.currentText() == "Firing rate (spikes/s per neuron)"
    layer.face_colormap = "RdBu_r"  # not among napari's own
    assert fields.colormap_box.currentData() == "RdBu_r"
    for limits in ((-5.0, 20.0), (20.0, 20.0), (0.0, 300.0)):
        layer.face_contrast_limits = limits
        assert fields.limits_slider.value() == pytest.approx(layer.face_contrast_limits)
    layer.outline_nan, layer.outline_color = False, "blue"
    layer.opacity, layer.blending = 0.25, "minimum"
    layer.face_colorbar.visible = True
    assert not fields.outline_check.isChecked()
    assert tuple(fields.colour_edit.color) == (0.0, 0.0, 1.0, 1.0)
    assert fields.opacity_slider.value() == 0.25
    assert fields.blending_box.currentData() == "minimum"
    assert fields.bar_check.isChecked()


def derived_metrics_are_offered_where_a_cube_has_them(layer, fields, gappy_cube):
    offered = [fields.metric_box.itemData(k) for k in range(fields.metric_box.count())]
    assert offered == ["recruitment", "n_recruited", "rate"]
    mapped = gappy_cube.assign(peak=("hex", np.arange(9.0)))
    layer.cube = mapped
    layer.metric = "peak"
    assert fields.metric_box.currentText() == metric_named("peak").title


def test_several_selected_layers_are_set_together(add, cube):
    viewer, first = add(cube, show=True)
    second = viewer.add_layer(RecruitmentLayer(cube, metric="rate"))
    viewer.layers.selection = {first, second}
    fields = controls(viewer)
    assert type(fields) is HexagonControls
    choose(fields.colormap_box, "inferno")
    assert first.face_colormap.name == second.face_colormap.name == "inferno"
    points = viewer.add_points([[0.0, 0.0]])
    assert type(points) is Points
    assert not isinstance(controls(viewer), HexagonControls)  # those of others are napari's
    viewer.theme = "light"
    viewer.layers.remove(second)
    first.metric = "rate"


def test_layers_of_a_split_are_set_together(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(), qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    user.form.split_by.value = "synapse_class"
    user.load()
    layers = list(user.viewer.layers)
    fields = controls(user.viewer)
    choose(fields.metric_box, "Firing")
    assert {layer.metric for layer in layers} == {"rate"}
    highest = max(float(metric_named("rate").values(layer.cube).max()) for layer in layers)
    (limits,) = {tuple(layer.face_contrast_limits) for layer in layers}
    assert 0.0 < limits[1] <= highest
    click(fields.fit_button)
    assert len({tuple(layer.face_contrast_limits) for layer in layers}) == 1
    tick(fields.outline_check)
    assert not any(layer.outline_nan for layer in layers)


class TestWithoutPrivateNames:
    """The panel has the fields where napari's layer controls cannot."""

    @pytest.fixture
    def user(self, make_napari_viewer, qtbot, monkeypatch):
        gone = names.PrivateName("napari._qt.nowhere", "Controls", "to show controls")
        monkeypatch.setattr("napari_hexrecruit._napari.private.controls.CONTROL_NAMES", (gone,))
        monkeypatch.setenv("NAPARI_CONFIG", "")
        return User(make_napari_viewer(show=True), qtbot)

    def test_the_panel_has_the_fields(self, user, tmp_path):
        assert len(missing_controls()) == 1
        layer = user.open_and_load(neurons_in_a_row().write(tmp_path))
        section = user.widget._display.section.native
        assert section.isVisible()
        (fields,) = section.findChildren(HexagonControls)
        choose(fields.metric_box, "Firing")
        assert layer.metric == "rate"
        fields.limits_slider.setValue((1.0, 2.0))
        assert layer.face_contrast_limits == (1.0, 2.0)
        type_into(fields.colour_edit, "red")
        assert layer.outline_color == (1.0, 0.0, 0.0, 1.0)
        assert fields.findChildren(QComboBox)
        assert fields.findChildren(QPushButton)
        user.viewer.layers.clear()
        assert not section.isVisible()
