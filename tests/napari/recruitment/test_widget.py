"""The widget from choosing a simulation to the hexagons on the canvas."""

from __future__ import annotations

import itertools
import threading
import weakref

import h5py
import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from tests.support.looking import canvas, scene
from tests.support.qt_events import let_events_pass, wait_until_gone, wait_until_work_ends
from tests.support.waiting import PATIENCE_S, work_until_cancelled
from tests.support.widget_helpers import PLUGIN, WIDGET, User, neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment import request, sources
from napari_hexrecruit._napari.widgets.loading import Cancelled
from napari_hexrecruit.pipeline.cubes import computed_cube
from napari_hexrecruit.sonata import _described, _simulation
from napari_hexrecruit.synthetic import SMALL


@pytest.fixture
def in_window(make_napari_viewer, qtbot, monkeypatch):
    """A user in front of a window with the widget."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(), qtbot)


class TestChoosing:
    def test_offers_what_the_simulation_has_before_its_spikes_are_read(
        self, user, sample, monkeypatch
    ):
        may_read = threading.Event()
        read = _simulation.read_spikes

        def slowly(*args):
            assert may_read.wait(PATIENCE_S)
            return read(*args)

        monkeypatch.setattr(_simulation, "read_spikes", slowly)
        user.choose(sample)
        form = user.form
        assert form.population.choices == ("cortex", "thalamus")
        assert form.population.value == "cortex"
        assert form.node_set.value == ""
        assert "Simulated" in form.node_set.choices
        assert {"", "synapse_class", "layer", "mtype", "region"} <= set(form.filter_column.choices)
        assert form.flat_x.value == "ss_flat_x"
        assert (form.start.value, form.stop.value) == (0.0, 1000.0)
        assert form.load.enabled
        assert user.told == []
        may_read.set()
        form.population.value = "thalamus"  # has other columns
        user.wait_until_idle()
        assert "synapse_class" not in form.filter_column.choices
        assert "thalamus" not in form.info.value

    def test_does_not_block_the_window(self, user, sample, monkeypatch):
        opened, free = sources.open_simulation, threading.Event()

        def slowly(*paths, **others):
            assert free.wait(PATIENCE_S)
            return opened(*paths, **others)

        monkeypatch.setattr(sources, "open_simulation", slowly)
        user.form.file.value = sample
        assert user.widget.busy
        assert not user.form.load.enabled
        free.set()
        user.wait(lambda: user.form.load.enabled)

    def test_typing_asks_for_a_file_when_it_is_finished(self, user, sample):
        edit = user.form.file.line_edit.native
        edit.setText(str(sample)[:-3])
        assert not user.widget.busy
        assert user.told == []
        edit.editingFinished.emit()
        user.wait_until_idle()
        assert "does not exist" in user.told[0]
        assert edit.text() == str(sample)[:-3]  # to be corrected

    def test_a_dropped_file_is_chosen(self, user, sample):
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(sample))])
        where, copy, left = QPointF(20, 20), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        keys = Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(where.toPoint(), copy, mime, left, keys)
        QApplication.sendEvent(user.widget.native, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(user.widget.native, QDropEvent(where, copy, mime, left, keys))
        user.wait_until_idle()
        assert user.form.settings().recipe.simulation == str(sample)

    def test_the_last_of_two_choices_counts(self, user, sample, tmp_path):
        other = neurons_in_a_row(tstop_ms=1500.0).write(tmp_path)
        user.form.file.value = sample
        user.form.file.value = other
        user.wait_until_idle()
        assert user.form.settings().recipe.simulation == str(other)
        assert user.form.population.choices == ("cortex",)
        assert user.form.info.value == "40 neurons · 40 spikes\n0 - 1,500 ms"


class TestPanel:
    @pytest.fixture
    def seen(self, make_napari_viewer, qtbot, monkeypatch):
        """A user whose window is on the screen."""
        monkeypatch.setenv("NAPARI_CONFIG", "")
        user = User(make_napari_viewer(show=True), qtbot)
        let_events_pass()
        return user

    def test_fields_are_aligned_and_tab_goes_from_top_to_bottom(self, seen):
        panel, first = seen.widget.native, seen.form.file.line_edit.native
        places, field = [], first
        while field is not first or not places:
            takes_tab = field.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes_tab and panel.isAncestorOf(field) and field.isVisible():
                places.append(field.mapTo(panel, field.rect().center()))
            field = field.nextInFocusChain()
        fields, around = places[:-1], places[-1]  # the scroll area itself is the last
        assert len(fields) > 20
        assert around == panel.rect().center()
        for above, below in itertools.pairwise(fields):
            assert below.y() > above.y() or (abs(below.y() - above.y()) < 20)
        form = seen.form
        left = [
            *(form.file, form.population, form.filter_column, form.min_neurons, form.radius),
            *(form.split_by, form.speed),
        ]
        assert len({field.native.mapTo(panel, QPoint(0, 0)).x() for field in left}) == 1


class TestFilter:
    def test_lists_the_values_there_are_with_their_neurons(self, user, tmp_path):
        user.choose(neurons_in_a_row().write(tmp_path))
        user.pick_filter("synapse_class")
        items = user.form.filter_values
        assert items.choices == ("EXC", "INH")
        assert items.native.item(0).text() == "EXC (20 neurons)"
        assert not items.native.isHidden()
        assert user.form.filter_interval.native.isHidden()
        user.pick_filter("synapse_class", "INH")
        assert len(user.form.request().recipe.rules) == 1
        user.form.filter_values.value = []
        assert user.form.request().recipe.rules == ()  # nothing picked means all, as does no filter
        user.pick_filter("synapse_class", "INH")
        user.form.filter_column.value = ""
        assert user.form.request().recipe.rules == ()
        assert user.form.filter_values.native.isHidden()

    def test_only_the_picked_values_count(self, user, tmp_path):
        user.choose(neurons_in_a_row().write(tmp_path))
        user.pick_filter("layer", 2, 3)
        user.load()
        cube = user.viewer.layers[0].cube
        assert cube.attrs["n_neurons_selected"] == 14
        assert user.viewer.layers[0].name == "cortex, layer 2, 3"

    def test_many_numbers_are_picked_by_interval(self, user, tmp_path):
        user.choose(neurons_in_a_row().write(tmp_path))
        user.pick_filter("depth")
        form = user.form
        assert form.filter_values.native.isHidden()
        assert (form.filter_low.value, form.filter_high.value) == (0.0, 391.0)
        assert form.request().recipe.rules == ()
        form.filter_high.value = 100.0
        user.load()
        assert user.viewer.layers[0].cube.attrs["n_neurons_selected"] == 10


class TestLoading:
    @pytest.mark.smoke
    def test_shows_the_sample(self, in_window, sample):
        user = in_window
        layer = user.open_and_load(sample)
        axis = user.viewer.dims.ndim - layer.ndim
        assert tuple(user.viewer.dims.range[axis]) == (0.0, 990.0, 10.0)
        assert user.viewer.dims.nsteps[axis] == 100
        assert tuple(str(unit) for unit in layer.units) == (
            "millisecond",
            "micrometer",
            "micrometer",
        )
        expected = SMALL.expected()
        assert layer.features["hex"].tolist() == expected.hex.tolist()
        bin_ = int(np.argmax(expected.percent.sum(axis=1)))
        user.viewer.dims.set_point(axis, 10.0 * bin_)
        assert layer.time_window_ms == (10.0 * bin_, 10.0 * bin_ + 10.0)
        np.testing.assert_allclose(layer.features["recruited"], expected.percent[bin_], rtol=1e-6)
        colours = layer.face_colormap.map(np.clip(expected.percent[bin_] / 50.0, 0.0, 1.0))
        np.testing.assert_allclose(layer.face_color, colours, atol=1e-6)
        assert len(np.unique(layer.face_color, axis=0)) > 3
        # The first layer sets the stage.
        assert tuple(map(str, scene(user.viewer).camera.orientation2d)) == ("up", "right")
        assert layer.face_colorbar.visible
        user.viewer.dims.set_point(0, 120.0)
        assert show_time(user.viewer).text == "120 - 130 ms"

    def test_shows_what_python_computes(self, user, tmp_path):
        path = neurons_in_a_row().write(tmp_path)
        layer = user.open_and_load(path)
        assert layer.cube.identical(recruitment_cube(path))

    def test_passes_every_choice_on(self, user, tmp_path):
        path = neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}}).write(tmp_path)
        user.choose(path)
        form = user.form
        form.node_set.value = "Even"
        form.flat_x.value, form.flat_y.value = "depth", "ss_flat_y"
        form.min_neurons.value = 2
        form.radius.value, form.bin_ms.value = 30.0, 5.0
        form.start.value, form.stop.value = 10.0, 60.0
        user.pick_filter("layer", 1, 3)
        user.load()
        assert user.viewer.layers[0].cube.identical(
            recruitment_cube(
                path,
                node_set="Even",
                where={"column": "layer", "values": [1, 3]},
                flat=("depth", "ss_flat_y"),
                radius=30.0,
                bin_ms=5.0,
                start=10.0,
                stop=60.0,
                min_neurons=2,
            )
        )

    def test_says_what_is_shown(self, user, tmp_path):
        sim = neurons_in_a_row(tstop_ms=103.0)
        sim.columns["ss_flat_x"][:3] = np.nan
        user.open_and_load(sim.write(tmp_path))
        assert user.form.status.value == (
            "cortex: 37 hexagons, 10 bins, 37 of 40 neurons counted. 2 notes in Details."
        )
        assert {"the last 3 ms do not fill a bin and were left out"} < {
            entry.found for entry in user.widget.details.entries
        }

    def test_shows_progress(self, user, sample, monkeypatch):
        steps, go_on = [], threading.Event()

        def slowly(sim, *, progress, **options):
            progress("reading spikes", 25, 100)
            assert go_on.wait(PATIENCE_S)
            return computed_cube(sim, progress=progress, **options)

        monkeypatch.setattr(request, "computed_cube", slowly)
        user.choose(sample)
        user.form.load.native.click()
        user.wait(lambda: "25 of 100" in user.form.status.value)
        steps.append((user.form.progress.native.value(), user.form.progress.native.maximum()))
        assert user.form.cancel.enabled
        assert not user.form.load.enabled
        go_on.set()
        user.wait_until_idle()
        assert steps == [(250, 1000)]
        assert user.form.progress.native.value() == 0
        assert user.form.status.value.startswith("cortex: 80 hexagons")
        assert user.form.load.enabled
        assert not user.form.cancel.enabled

    def test_cancel_ends_the_thread(self, user, sample, monkeypatch):
        user.open_and_load(sample)
        before = user.viewer.layers[0].cube
        ended = threading.Event()

        def endless(sim, *, progress, **options):
            try:
                work_until_cancelled(progress)
            finally:
                ended.set()

        monkeypatch.setattr(request, "computed_cube", endless)
        user.form.load.native.click()
        user.wait(lambda: "1 of 100" in user.form.status.value)
        user.form.cancel.native.click()
        assert ended.wait(PATIENCE_S)
        assert not user.widget.busy
        assert user.form.load.enabled
        assert user.form.status.value.startswith("cortex: 80 hexagons")
        assert user.viewer.layers[0].cube is before
        assert user.told == []

    def test_warnings_of_the_thread_are_told_once(self, user, sample, monkeypatch):
        import warnings

        def warning(sim, **options):
            for _ in range(3):
                warnings.warn("the moon is full", stacklevel=1)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            return computed_cube(sim, **options)

        monkeypatch.setattr(request, "computed_cube", warning)
        user.choose(sample)
        user.load()
        assert user.told == ["the moon is full"]
        assert len(user.viewer.layers) == 1


class TestUpdating:
    @pytest.mark.smoke
    def test_changes_the_layer_that_is_there(self, in_window, sample):
        user = in_window
        layer = user.open_and_load(sample)
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert list(user.viewer.layers) == [layer]
        assert layer.cube.sizes["time"] == 50
        assert tuple(user.viewer.dims.range[0]) == (0.0, 980.0, 20.0)
        user.pick_filter("synapse_class", "INH")
        user.wait_until_idle()
        assert layer.cube.identical(
            recruitment_cube(sample, bin_ms=20.0, where="synapse_class=INH")
        )
        assert list(user.viewer.layers) == [layer]
        layer.name = "mine"
        user.pick_filter("synapse_class", "EXC")
        user.wait_until_idle()
        assert layer.cube.identical(
            recruitment_cube(sample, bin_ms=20.0, where="synapse_class=EXC")
        )
        assert layer.name == "mine"

    def test_reads_nothing_again(self, user, sample, monkeypatch):
        user.open_and_load(sample)
        user.wait_for_details()
        reads = []
        for module, name in ((_simulation, "read_spikes"), (_described, "read_simulation")):
            monkeypatch.setattr(module, name, lambda *a, name=name: reads.append(name))
        user.form.radius.value = 80.0
        user.wait_until_idle()
        user.load()
        assert user.viewer.layers[0].cube.attrs["hex_radius"] == 80.0
        assert reads == []
        cube = user.viewer.layers[0].cube
        user.form.bin_ms.value = 20.0
        user.form.bin_ms.value = 10.0
        user.wait_until_idle()
        assert user.viewer.layers[0].cube is cube  # nothing was computed

    def test_reads_a_simulation_again_that_was_written_again(self, user, tmp_path):
        user.open_and_load(neurons_in_a_row().write(tmp_path))
        with h5py.File(tmp_path / "output" / "spikes.h5", "r+") as file:
            file["spikes/cortex/timestamps"][:] = 0.0
        user.load()
        cube = user.viewer.layers[0].cube
        assert cube["n_spikes"].sum("hex").to_numpy().tolist() == [40] + [0] * 9

    def test_only_happens_by_itself_when_asked_to(self, user, sample, tmp_path):
        """Not before the first time, nor when it is off, nor for another simulation."""
        user.choose(sample)
        user.form.bin_ms.value = 20.0
        assert not user.widget.busy
        user.form.bin_ms.value = 10.0
        user.load()
        (layer,) = user.viewer.layers
        assert layer.cube.sizes["time"] == 100
        user.form.automatic.value = False
        user.form.bin_ms.value = 20.0
        assert not user.widget.busy
        assert layer.cube.sizes["time"] == 100
        user.load()
        assert layer.cube.sizes["time"] == 50
        user.form.radius.value = 90.0
        user.form.automatic.value = True
        user.wait_until_idle()
        assert layer.cube.attrs["hex_radius"] == 90.0
        user.choose(neurons_in_a_row().write(tmp_path))
        user.form.bin_ms.value = 25.0
        assert not user.widget.busy
        assert list(user.viewer.layers) == [layer]
        assert layer.cube.sizes["time"] == 50

    def test_what_was_chosen_while_another_loads_stays_chosen(
        self, user, sample, tmp_path, monkeypatch
    ):
        go_on = threading.Event()

        def slowly(sim, **options):
            assert go_on.wait(PATIENCE_S)
            return computed_cube(sim, **options)

        monkeypatch.setattr(request, "computed_cube", slowly)
        user.choose(sample)
        user.form.load.native.click()
        user.form.file.value = neurons_in_a_row().write(tmp_path)
        user.wait(lambda: "40 neurons" in user.form.info.value)
        go_on.set()
        user.wait_until_idle()
        user.load()
        assert [layer.cube.sizes["hex"] for layer in user.viewer.layers] == [80, 40]

    def test_what_was_asked_last_is_shown(self, user, sample, monkeypatch):
        layer = user.open_and_load(sample)
        first_may_end, first_ended = threading.Event(), threading.Event()

        def slow_at_first(sim, *, recipe, **options):
            cube = computed_cube(sim, recipe, **{**options, "progress": None})
            if recipe.bin_ms == 20.0:
                assert first_may_end.wait(PATIENCE_S)
                first_ended.set()
            return cube

        monkeypatch.setattr(request, "computed_cube", slow_at_first)
        user.form.bin_ms.value = 20.0
        user.form.load.native.click()
        user.form.bin_ms.value = 25.0
        user.wait(lambda: layer.cube.attrs["bin_ms"] == 25.0)
        first_may_end.set()
        assert first_ended.wait(PATIENCE_S)
        wait_until_work_ends(user.qtbot)
        assert layer.cube.attrs["bin_ms"] == 25.0

    def test_a_removed_layer_is_added_again(self, user, sample):
        layer = user.open_and_load(sample)
        user.viewer.layers.remove(layer)
        assert not user.form.play.enabled
        user.load()
        assert len(user.viewer.layers) == 1


class TestSplitting:
    def test_makes_a_layer_for_each_value_side_by_side_that_look_alike(self, in_window, sample):
        user = in_window
        user.choose(sample)
        user.form.split_by.value = "synapse_class"
        user.load()
        layers = list(user.viewer.layers)
        assert [layer.name for layer in layers] == ["EXC", "INH"]
        for layer in layers:
            assert layer.cube.identical(
                recruitment_cube(sample, where=f"synapse_class={layer.name}")
            )
            assert layer.name_overlay.visible
        assert [layer.face_colorbar.visible for layer in layers] == [False, True]
        grid = canvas(user.viewer).grid
        assert grid.enabled
        assert grid.stride == 1  # the first value comes first
        assert user.form.status.value.startswith("2 layers, ")

        first, second = user.viewer.layers
        second.face_contrast_limits = (5.0, 30.0)
        assert first.face_contrast_limits == second.face_contrast_limits == (5.0, 30.0)
        first.face_colormap = "inferno"
        assert first.face_colormap.name == second.face_colormap.name == "inferno"

        camera = scene(user.viewer).camera
        camera.zoom = 3.0
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert first.cube.attrs["bin_ms"] == 20.0
        assert camera.zoom == 3.0  # the view stays

    def test_splitting_and_not_splitting_again_keeps_what_is_the_same(self, user, sample):
        user.open_and_load(sample)
        user.form.split_by.value = "synapse_class"
        user.wait_until_idle()
        exc, inh = user.viewer.layers
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert list(user.viewer.layers) == [exc, inh]
        user.form.split_by.value = ""
        user.wait_until_idle()
        assert [layer.name for layer in user.viewer.layers] == ["cortex"]
        assert not canvas(user.viewer).grid.enabled

    def test_only_values_that_pass_the_filter_are_split(self, user, tmp_path):
        user.choose(neurons_in_a_row().write(tmp_path))
        user.pick_filter("synapse_class", "EXC")
        user.form.split_by.value = "layer"
        user.load()
        assert [layer.name for layer in user.viewer.layers] == [
            f"synapse_class EXC, layer {n}" for n in (1, 3, 5)
        ]

    def test_too_many_values_are_refused(self, user, tmp_path):
        sim = neurons_in_a_row()
        sim.columns["many"] = [f"m{k % 20:02}" for k in range(40)]
        user.choose(sim.write(tmp_path))
        for column, says in (("depth", "too many values"), ("many", "at most 16 layers")):
            user.told.clear()
            user.form.split_by.value = column
            user.load()
            assert len(user.told) == 1, column
            assert says in user.told[0]
            assert len(user.viewer.layers) == 0, column


class TestClosing:
    @pytest.fixture
    def endless(self, monkeypatch):
        """Work that only ends when it is told to; the event says that it has."""
        ended = threading.Event()

        def work_on(sim, *, progress, **options):
            try:
                work_until_cancelled(progress)
            except Cancelled:
                ended.set()
                raise

        monkeypatch.setattr(request, "computed_cube", work_on)
        return ended

    def test_the_thread_ends_with_the_window(self, in_window, sample, endless):
        user = in_window
        user.choose(sample)
        user.form.load.native.click()
        user.wait(lambda: "1 of 100" in user.form.status.value)
        user.viewer.close()
        assert endless.wait(PATIENCE_S)

    def test_the_thread_ends_with_the_panel_and_nothing_is_left_of_it(
        self, in_window, sample, endless
    ):
        user = in_window
        user.choose(sample)
        user.form.load.native.click()
        user.wait(lambda: "1 of 100" in user.form.status.value)
        panel = weakref.ref(user.widget)
        user.viewer.window.remove_dock_widget(user.widget.native)
        assert endless.wait(PATIENCE_S)
        user.viewer.add_points(np.zeros((1, 2)))
        wait_until_gone(user.qtbot, panel)

    def test_it_can_be_opened_from_the_plugins_menu(self, in_window):
        user = in_window
        dock, again = user.viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        assert again is user.widget
        assert WIDGET in dock.name
