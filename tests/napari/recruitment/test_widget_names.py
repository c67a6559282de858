"""What layers and colour bars are called, and that a removed layer stays away."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.napari.widgets.windowless import PanelUser, empty, held
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass, wait_until_work_ends
from tests.support.waiting import PATIENCE_S
from tests.support.widget_helpers import User, neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.analysis.maps import MapsWidget
from napari_hexrecruit._napari.analysis.trials import TrialsWidget
from napari_hexrecruit._napari.export.order import Order, style_of
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment import request
from napari_hexrecruit.metrics import METRICS
from napari_hexrecruit.pipeline.cubes import computed_cube


@pytest.fixture
def user(qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = PanelUser(qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    return user


@pytest.fixture
def in_window(make_napari_viewer, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(), qtbot)
    user.choose(neurons_in_a_row().write(tmp_path))
    return user


class TestNames:
    def test_say_the_filter_where_it_is_changed_later(self, user):
        user.load()
        (layer,) = user.viewer.layers
        assert (layer.name, layer.colorbar_label.text) == ("cortex", "Recruited (%)")
        user.pick_filter("synapse_class", "INH")
        user.wait_until_idle()
        assert layer.name == "cortex, synapse_class INH"
        assert layer.colorbar_label.text == "Recruited (%)\nsynapse_class INH"
        user.pick_filter("synapse_class")
        user.form.filter_values.value = []
        user.wait_until_idle()
        assert (layer.name, layer.colorbar_label.text) == ("cortex", "Recruited (%)")

    def test_of_parts_say_the_filter_too(self, user):
        user.pick_filter("synapse_class", "INH")
        user.form.split_by.value = "layer"
        user.load()
        assert [layer.name for layer in user.viewer.layers] == [
            f"synapse_class INH, layer {n}" for n in (2, 4, 6)
        ]
        order = Order(output="x.mp4", start=0.0, stop=10.0, step=10.0)
        style = style_of(user.viewer, list(user.viewer.layers), order)
        assert style.panel_titles == tuple(layer.name for layer in user.viewer.layers)

    def test_of_a_layer_made_in_python(self, tmp_path):
        cube = recruitment_cube(
            neurons_in_a_row().write(tmp_path), where={"column": "depth", "interval": [0, 100]}
        )
        layer = RecruitmentLayer(cube)
        assert layer.name == "cortex, depth 0 to 100"
        title = METRICS["recruitment"].bar_title
        assert title([cube, cube]) == "Recruited (%), depth 0 to 100"
        assert title([cube, recruitment_cube(tmp_path / "simulation_config.json")]) == (
            "Recruited (%)"
        )


class TestTime:
    def test_stays_where_bins_window_and_split_change(self, user):
        user.load()
        dims = user.viewer.dims
        dims.set_point(0, 40.0)
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert dims.point[0] == 40.0
        user.form.split_by.value = "synapse_class"
        user.wait_until_idle()
        assert (len(user.viewer.layers), dims.point[0]) == (2, 40.0)
        user.form.start.value = 20.0
        user.wait_until_idle()
        assert dims.point[0] == 40.0
        user.form.start.value, user.form.split_by.value = 0.0, ""
        user.wait_until_idle()
        assert (len(user.viewer.layers), dims.point[0]) == (1, 40.0)

    def test_comes_back_after_an_analysis_and_maps_have_none(self, user):
        user.load()
        dims, stamp = user.viewer.dims, show_time(user.viewer)
        dims.set_point(0, 40.0)
        for kind, run in ((TrialsWidget, "cut"), (MapsWidget, "add")):
            panel = kind(user.viewer)
            holder = held(user.qtbot, panel.native)
            wait_until_work_ends(user.qtbot)
            if kind is TrialsWidget:
                panel.first.value, panel.before.value, panel.after.value = 50.0, 20.0, 40.0
            QTest.mouseClick(getattr(panel, run).native, LEFT)
            user.wait(lambda panel=panel: not panel.busy)
            let_events_pass()
            assert panel.stage.layers, panel.status.value
            assert stamp.text == ("0 - 10 ms, from the onset" if kind is TrialsWidget else "")
            if kind is TrialsWidget:
                QTest.mouseClick(panel.back.native, LEFT)
            else:
                panel.stage.clear()
            let_events_pass()
            assert (dims.point[0], stamp.text) == (40.0, "40 - 50 ms")
            empty(holder)


class TestRemoval:
    @pytest.fixture
    def held(self, in_window, monkeypatch):
        """Loads, then lets the next cube wait in its thread until the event is set."""
        user = in_window
        user.load()
        free = threading.Event()

        def slowly(sim, **options):
            assert free.wait(PATIENCE_S)
            return computed_cube(sim, **options)

        monkeypatch.setattr(request, "computed_cube", slowly)
        yield user, free
        free.set()

    def change_bin(self, user):
        edit = user.form.bin_ms.native.lineEdit()
        edit.selectAll()
        QTest.keyClicks(edit, "20")
        QTest.keyClick(edit, Qt.Key.Key_Return)
        user.wait(lambda: user.widget._loading.running)

    def delete(self, user, layer):
        user.viewer.layers.selection = {layer}
        QTest.mouseClick(user.viewer.window._qt_viewer.layerButtons.deleteButton, LEFT)
        let_events_pass()

    def test_ends_the_job_of_the_layer(self, held):
        user, free = held
        self.change_bin(user)
        self.delete(user, user.viewer.layers[0])
        assert not user.widget.busy
        free.set()
        wait_until_work_ends(user.qtbot)
        assert list(user.viewer.layers) == []
        user.load()
        assert len(user.viewer.layers) == 1
        assert user.viewer.layers[0].cube.attrs["bin_ms"] == 20.0

    def test_of_a_part_leaves_the_others_their_job(self, user, monkeypatch):
        user.form.split_by.value = "synapse_class"
        user.load()
        free = threading.Event()

        def slowly(sim, **options):
            assert free.wait(PATIENCE_S)
            return computed_cube(sim, **options)

        monkeypatch.setattr(request, "computed_cube", slowly)
        self.change_bin(user)
        user.viewer.layers.selection = {user.viewer.layers["INH"]}
        user.viewer.layers.remove_selected()
        let_events_pass()
        free.set()
        user.wait_until_idle()
        (layer,) = user.viewer.layers
        assert (layer.name, layer.cube.attrs["bin_ms"]) == ("EXC", 20.0)
