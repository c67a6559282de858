"""The widget "Traces": lines, cursor, slider, strip, raster, files; and what it costs."""

from __future__ import annotations

import io
import weakref
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from napari.settings import get_settings
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog
from tests.napari.widgets.windowless import held
from tests.support.cubes import cube_of, sheet_cube, wave_cube
from tests.support.looking import go_to
from tests.support.mouse import LEFT, NO_KEY, Mouse
from tests.support.qt_events import let_events_pass, wait_until_gone
from tests.support.viewers import a_viewer
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import PLUGIN, neurons_in_a_row

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.traces.widget import TracesWidget
from napari_hexrecruit.synthetic import SMALL, write_simulation

# --- the panel ------------------------------------------------------------------------------------


class Panel:
    """The panel in a window, or beside a viewer that draws nothing; and what napari tells."""

    def __init__(self, viewer, qtbot, *, show=False):
        from napari.utils.notifications import notification_manager

        self.viewer, self.qtbot, self.told = viewer, qtbot, []
        notification_manager.notification_ready.connect(self._listen)
        if hasattr(viewer, "window"):
            self.dock, self.widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Traces")
        else:
            self.widget = TracesWidget(viewer)
            self.dock = held(qtbot, self.widget, show=show)
        self.plot, self.canvas = self.widget.canvas.plot, self.widget.canvas
        self.column = self.widget.column
        self.wait()

    def _listen(self, notification):
        self.told.append(str(notification.message))

    def wait(self):
        let_events_pass()
        self.qtbot.waitUntil(lambda: not self.widget.busy, timeout=PATIENCE_MS)

    @property
    def lines(self):
        """Data of the drawn lines by colour; the mean is bold."""
        return self.plot.main.lines

    @property
    def entries(self):
        return [self.column.legend.item(k).text() for k in range(self.column.legend.count())]

    def pixel_of_time(self, time_ms):
        x = self.plot.main.transData.transform((time_ms, 0.0))[0] / self.canvas.device_pixel_ratio
        return QPoint(round(x), self.canvas.height() // 2)

    def press(self, button):
        QTest.mouseClick(button, LEFT)


def open_panel(viewer, qtbot, cube=None, *, show=False):
    layer = None if cube is None else viewer.add_layer(RecruitmentLayer(cube))
    return Panel(viewer, qtbot, show=show), layer


@pytest.fixture
def opened(qtbot, monkeypatch):
    """Opens the panel beside a viewer with a layer of a cube."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return lambda *of, **options: open_panel(a_viewer(), qtbot, *of, **options)


@pytest.fixture
def opened_in_window(make_napari_viewer, qtbot, monkeypatch):
    """Opens the panel, for the first time, in a window with a layer of a cube."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    get_settings().application.plugin_widget_positions = {}
    return lambda cube: open_panel(make_napari_viewer(show=True), qtbot, cube)


class TestLines:
    @pytest.mark.smoke
    def test_a_click_shows_a_line_as_outlined(self, opened_in_window, cube):
        panel, layer = opened_in_window(cube)
        Mouse(panel.viewer).click_hex(cube, "R1;C2")
        assert layer.selected_hexes == ("R1;C2",)
        (line,) = panel.lines
        np.testing.assert_allclose(line.get_ydata(), cube["recruitment"].sel(hex="R1;C2"))
        assert line.get_xdata().tolist() == [3005.0, 3015.0, 3025.0, 3035.0, 3045.0]
        ring = layer.pick_overlay.outlines.colours[0]
        from matplotlib.colors import to_rgba

        np.testing.assert_allclose(to_rgba(line.get_color()), ring, atol=1e-6)

    def test_several_have_a_bold_mean(self, opened, cube):
        panel, layer = opened(cube)
        layer.selected_hexes = ["R0;C0", "R2;C3"]
        first, second, mean = panel.lines
        assert mean.get_linewidth() > 1.5 * first.get_linewidth()
        both = cube["recruitment"].sel(hex=["R0;C0", "R2;C3"])
        np.testing.assert_allclose(second.get_ydata(), both[:, 1])
        np.testing.assert_allclose(mean.get_ydata(), both.mean("hex"))
        assert panel.entries == [
            "Mean of 2 · 200 neurons",
            "R0;C0 · 100 neurons",
            "R2;C3 · 100 neurons",
        ]

        layer.selected_hexes = ["R0;C0"]
        assert panel.plot.main.get_ylabel() == "Neurons recruited (%)"
        assert panel.plot.main.get_xlabel() == "Time (ms)"
        layer.metric = "rate"
        panel.wait()
        assert panel.plot.main.get_ylabel() == "Firing rate (spikes/s per neuron)"
        rates = cube["n_spikes"].sel(hex="R0;C0").to_numpy() / 100 / 0.01
        np.testing.assert_allclose(panel.lines[0].get_ydata(), rates)

        layer.selected_hexes = ["R0;C0", "R2;C3"]
        layer.cube = wave_cube(2, 3, 8)
        panel.wait()
        (line,) = panel.lines
        assert len(line.get_xdata()) == 8
        assert panel.plot.strip.get_xlim() == (0.0, 80.0)

    def test_nothing_picked_says_how(self, opened, cube):
        panel, layer = opened(cube, show=True)
        assert "Click a hexagon" in panel.plot.main.texts[0].get_text()
        assert not panel.column.copy.isEnabled()
        layer.selected_hexes = ["R0;C0"]
        assert not panel.plot.main.texts
        panel.press(panel.column.clear)
        assert layer.selected_hexes == ()
        assert "Click a hexagon" in panel.plot.main.texts[0].get_text()

        # A narrow panel breaks the hint into lines.
        panel.dock.resize(280, 500)
        panel.wait()
        assert panel.widget.width() <= 280
        panel.canvas.draw()
        hint = panel.plot.main.texts[0].get_window_extent()
        assert 0 <= hint.x0 < hint.x1 <= panel.plot.figure.bbox.width

    def test_the_layer_that_is_looked_at(self, opened, cube):
        panel, first = opened(cube)
        first.selected_hexes = ["R0;C0"]
        second = panel.viewer.add_layer(RecruitmentLayer(wave_cube(2, 3, 8)))
        panel.wait()
        assert len(panel.lines) == 0
        second.selected_hexes = ["R1;C1", "R0;C1"]
        assert len(panel.lines) == 3
        second.visible = False
        panel.wait()
        assert len(panel.lines) == 1
        panel.viewer.layers.clear()
        panel.wait()
        assert "load a simulation or a cube" in panel.plot.main.texts[0].get_text()
        assert len(panel.lines) == 0

    def test_without_any_layer(self, opened):
        panel, _ = opened()
        assert "load a simulation or a cube" in panel.plot.main.texts[0].get_text()
        panel.widget.copy()
        assert "click one first" in panel.told[-1]


def test_odd_cubes(opened):
    """A single bin is a dot; a single hexagon; no value; no spike."""
    panel, layer = opened(cube_of([[5, 9]], row=[0, 0], col=[0, 1]), show=True)
    layer.selected_hexes = ["R0;C0", "R0;C1"]
    panel.wait()
    assert all(line.get_marker() == "o" for line in panel.lines)
    assert panel.canvas.cursor_ms == (0.0, 10.0)

    def shown(cube):
        layer.cube = cube
        layer.selected_hexes = ["R0;C0"]
        panel.wait()
        (line,) = panel.lines
        return line

    assert shown(cube_of([[5], [9]], row=[0], col=[0])).get_ydata().tolist() == [5.0, 9.0]
    assert panel.plot.main.get_ylim()[1] > 1.0

    shown(cube_of([[0], [0]], row=[0], col=[0]))
    assert panel.plot.main.get_ylim() == (0.0, 1.0)

    layer.cube = cube_of([[5], [9]], row=[0], col=[0], min_neurons=1000)
    layer.selected_hexes = ["R0;C0"]
    panel.wait()
    assert panel.entries == ["R0;C0 · 100 neurons, no value"]
    assert panel.plot.main.get_ylim() == (0.0, 1.0)
    assert panel.told == []


class TestLargerThanMemory:
    def test_cubes_in_files_are_read_aside(self, opened, cube):
        panel, layer = opened(cube.chunk({"time": 2, "hex": 4}))
        panel.wait()
        (strip,) = panel.plot.strip.lines
        np.testing.assert_allclose(strip.get_ydata(), cube["recruitment"].mean("hex"))
        layer.selected_hexes = ["R0;C0", "R2;C3"]
        assert panel.plot.main.texts[0].get_text() == "Reading ..."
        panel.wait()
        assert len(panel.lines) == 3
        both = cube["recruitment"].sel(hex=["R0;C0", "R2;C3"])
        np.testing.assert_allclose(panel.lines[1].get_ydata(), both[:, 1])
        for name in ("R0;C0", "R1;C1", "R2;C2"):  # the last counts
            layer.selected_hexes = [name]
        panel.wait()
        (line,) = panel.lines
        np.testing.assert_allclose(line.get_ydata(), cube["recruitment"].sel(hex="R2;C2"))
        assert panel.told == []


class TestTime:
    def test_the_slider_moves_the_cursor(self, opened, cube):
        panel, _layer = opened(cube)
        for bin_ in (0, 3, 4):
            go_to(panel.viewer, 3000.0 + 10 * bin_)
            assert panel.canvas.cursor_ms == (3000.0 + 10 * bin_, 3010.0 + 10 * bin_)
        (line,) = panel.plot.strip.lines  # the population
        np.testing.assert_allclose(line.get_ydata(), cube["recruitment"].mean("hex"))
        assert panel.plot.strip.get_xlim() == panel.plot.main.get_xlim() == (3000.0, 3050.0)

    def test_a_click_or_drag_on_the_plot_moves_the_slider(self, opened, cube):
        panel, layer = opened(cube, show=True)
        for time_ms, bin_ in ((3035.0, 3), (3001.5, 0), (3049.0, 4)):
            QTest.mouseClick(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(time_ms))
            assert layer.current_bin == bin_
            assert panel.canvas.cursor_ms == layer.time_window_ms
        QTest.mousePress(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(3005.0))
        QTest.mouseMove(panel.canvas, panel.pixel_of_time(3025.0))
        assert layer.current_bin == 2
        QTest.mouseRelease(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(3025.0))
        QTest.mouseMove(panel.canvas, panel.pixel_of_time(3005.0))
        assert layer.current_bin == 2

        go_to(panel.viewer, 3030.0)  # a click before the first bin goes to it
        QTest.mouseClick(panel.canvas, LEFT, NO_KEY, QPoint(2, 60))
        assert layer.current_bin == 0

        layer.translate = (500.0, 0.0, 0.0)
        panel.wait()
        QTest.mouseClick(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(3025.0))
        assert panel.viewer.dims.point[0] == 520.0
        assert layer.current_bin == 2
        assert panel.canvas.cursor_ms == (3020.0, 3030.0)

    def test_outside_of_the_cubes_time_there_is_no_cursor(self, opened, cube):
        panel, layer = opened(cube)
        panel.viewer.add_layer(RecruitmentLayer(wave_cube(1, 1, 500), visible=False))
        panel.viewer.layers.selection.active = layer
        panel.wait()
        go_to(panel.viewer, 100.0)
        assert panel.canvas.cursor_ms is None
        go_to(panel.viewer, 3010.0)
        assert panel.canvas.cursor_ms == (3010.0, 3020.0)

    def test_time_behind_axes_of_other_layers(self, opened, cube):
        panel, layer = opened(cube, show=True)
        panel.viewer.add_image(np.zeros((3, 2, 4, 4)), name="4-d")
        panel.wait()
        QTest.mouseClick(panel.canvas, LEFT, NO_KEY, panel.pixel_of_time(3025.0))
        assert layer.current_bin == 2
        assert panel.canvas.cursor_ms == (3020.0, 3030.0)

    def test_the_plot_is_in_line_with_the_slider(self, opened_in_window):
        """The middle of a bin is under the middle of napari's handle, at any bin."""
        panel, _layer = opened_in_window(wave_cube(3, 4, 100))
        panel.viewer.window.resize(1300, 900)
        slider = panel.viewer.window._qt_viewer.dims.slider_widgets[0].slider

        def is_in_line(bin_):
            x = panel.pixel_of_time(10.0 * bin_ + 5.0)
            return abs(panel.canvas.mapToGlobal(x).x() - middle_of_handle(slider)) <= 2

        for bin_ in (0, 37, 99):
            go_to(panel.viewer, 10.0 * bin_)
            panel.qtbot.waitUntil(lambda bin_=bin_: is_in_line(bin_), timeout=PATIENCE_MS)


def middle_of_handle(slider):
    from qtpy.QtWidgets import QStyle, QStyleOptionSlider

    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    part = slider.style().subControlRect(
        QStyle.ComplexControl.CC_ScrollBar, option, QStyle.SubControl.SC_ScrollBarSlider, slider
    )
    return slider.mapToGlobal(QPoint(0, 0)).x() + part.x() + part.width() / 2


class TestCost:
    def test_a_step_of_the_slider_moves_only_the_cursor(self, opened):
        panel, layer = opened(sheet_cube(200, 1000), show=True)
        layer.selected_hexes = layer.cube["hex"].to_numpy()[:20]
        panel.wait()
        panel.qtbot.waitUntil(lambda: not panel.canvas._draw_pending, timeout=PATIENCE_MS)
        drawn, steps = [], []
        panel.canvas.mpl_connect("draw_event", drawn.append)
        move = panel.canvas.put_cursor

        def counted(window_ms):
            move(window_ms)
            steps.append(window_ms)

        panel.canvas.put_cursor = counted
        for bin_ in range(20, 600, 20):
            go_to(panel.viewer, 3000.0 + 10.0 * bin_)
            QApplication.processEvents()
        assert len(steps) == 29
        assert drawn == []

    def test_a_click_is_a_drawn_trace_before_anything_else_happens(self, opened):
        panel, layer = opened(sheet_cube(3000, 1000), show=True)
        drawn = []
        panel.canvas.mpl_connect("draw_event", drawn.append)
        for n, name in enumerate(layer.cube["hex"].to_numpy()[1000:1005], start=1):
            layer.selected_hexes = (name,)
            assert len(drawn) == n


class TestFiles:
    def test_copies_csv(self, opened, cube):
        panel, layer = opened(cube)
        layer.selected_hexes = ["R2;C3", "R0;C0"]
        panel.press(panel.column.copy)
        table = pd.read_csv(io.StringIO(QApplication.clipboard().text()))
        assert list(table) == ["time_ms", "R2;C3", "R0;C0", "mean"]
        assert table["time_ms"].tolist() == [3000.0, 3010.0, 3020.0, 3030.0, 3040.0]
        np.testing.assert_allclose(table["R2;C3"], cube["recruitment"].sel(hex="R2;C3"))
        assert panel.column.status.text() == "Copied 5 bins of 2 hexagons."

    def test_saves_a_picture_a_drawing_or_a_table(self, opened, cube, tmp_path, monkeypatch):
        panel, layer = opened(cube)
        layer.selected_hexes = ["R2;C3", "R0;C0"]
        panel.widget.save(tmp_path / "traces.png")
        picture = np.asarray(Image.open(tmp_path / "traces.png").convert("RGB"))
        assert (picture[0, 0] == 255).all()
        assert min(picture.shape[:2]) > 500
        assert [path.name for path in tmp_path.iterdir()] == ["traces.png"]

        for name in ("one.svg", "two.svg"):  # the same bytes each time
            panel.widget.save(tmp_path / name)
        one = (tmp_path / "one.svg").read_bytes()
        assert one == (tmp_path / "two.svg").read_bytes()
        words = {node.text for node in ElementTree.fromstring(one).iter() if node.text}
        assert {"Neurons recruited (%)", "Time (ms)", "R2;C3", "R0;C0"} <= words

        layer.selected_hexes = ["R0;C0"]
        answer = (str(tmp_path / "figure"), "SVG picture (*.svg)")  # the dialog completes the name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
        panel.press(panel.column.save)
        assert (tmp_path / "figure.svg").stat().st_size > 1000
        assert panel.column.status.text() == "Saved figure.svg."

        folder = tmp_path / "tables"
        folder.mkdir()
        for typed in ("values.csv", "values.pdf"):
            answer = (str(folder / typed), "PNG picture (*.png)")
            monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, answer=answer: answer)
            panel.press(panel.column.save)
        assert list(pd.read_csv(folder / "values.csv")) == ["time_ms", "R0;C0", "mean"]
        assert panel.told[-1].startswith("values.pdf: cannot be written: let the name end with")
        assert [path.name for path in folder.iterdir()] == ["values.csv"]

    def test_a_legend_has_ten_lines_at_most(self, opened, cube, tmp_path):
        panel, layer = opened(cube)
        layer.selected_hexes = [str(name) for name in cube["hex"].values]
        panel.widget.save(tmp_path / "traces.svg")
        root = ElementTree.parse(tmp_path / "traces.svg").getroot()
        words = [node.text for node in root.iter() if node.text]
        named = [word for word in words if word.startswith("R") and ";C" in word]
        assert len(named) == 7
        assert {"Mean of 12", "(1,200 neurons)", "and 5 others"} <= set(words)
        # And what cannot be saved is told.
        panel.widget.save(tmp_path / "traces.bmp")
        assert panel.told[-1].startswith("traces.bmp: cannot be written")
        panel.widget.save(tmp_path / "nowhere" / "traces.png")
        assert "there is no such folder" in panel.told[-1]


# --- the raster -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The small sample simulation and its cube."""
    path = write_simulation(tmp_path_factory.mktemp("sample") / "small", SMALL)
    return path, recruitment_cube(path)


class TestRaster:
    def test_is_offered_where_the_simulation_is_at_hand(self, opened, sample, cube):
        panel, layer = opened(cube)
        assert not panel.column.raster.isEnabled()
        assert "not at hand" in panel.column.raster.toolTip()
        layer.cube = sample[1]
        panel.wait()
        assert panel.column.raster.isEnabled()

    def test_shows_the_spikes_of_the_picked_neurons(self, opened, sample):
        path, cube = sample
        panel, layer = opened(cube, show=True)
        panel.dock.resize(800, 600)
        names = cube["hex"].to_numpy()[[10, 40]].tolist()
        layer.selected_hexes = names
        panel.press(panel.column.raster)
        panel.wait()
        assert panel.widget._raster.n_lines == int(cube["n_neurons"].sel(hex=names).sum())
        assert panel.plot.below.get_visible()
        (image,) = panel.plot.below.images
        picture = image.get_array()
        n_columns = picture.shape[1]
        lit = (picture[..., 3] > 0).any(axis=0)
        n_spikes = cube["n_spikes"].sel(hex=names).sum("hex").to_numpy()
        of_column = np.arange(n_columns + 1) * len(n_spikes) / n_columns
        for first, last, is_lit in zip(of_column[:-1], of_column[1:], lit, strict=True):
            around = n_spikes[int(first) : int(np.ceil(last))]
            assert around.any() or not is_lit
        assert lit.sum() >= (n_spikes > 0).sum() / 2
        layer.selected_hexes = names[:1]
        panel.wait()
        assert panel.widget._raster.n_lines == int(cube["n_neurons"].sel(hex=names[0]))
        panel.press(panel.column.raster)
        assert not panel.plot.below.get_visible()
        assert open_simulation(path).path == path

    def test_a_raster_that_cannot_be_read_is_told(self, opened, tmp_path):
        config = neurons_in_a_row().write(tmp_path)
        panel, layer = opened(recruitment_cube(config))
        layer.selected_hexes = layer.cube["hex"].to_numpy()[:2]
        (tmp_path / "output" / "spikes.h5").unlink()
        panel.press(panel.column.raster)
        panel.wait()
        assert "the spikes file does not exist" in panel.told[-1]
        assert "spikes.h5" in panel.column.status.text()
        assert not panel.column.raster.isChecked()


class TestPanel:
    def test_docks_below_the_map_and_fits_a_narrow_place(self, opened_in_window, cube):
        panel, _layer = opened_in_window(cube)
        window = panel.widget.window()
        assert window.dockWidgetArea(panel.dock) == Qt.DockWidgetArea.BottomDockWidgetArea
        assert isinstance(panel.dock, QDockWidget)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, panel.dock)
        window.resizeDocks([panel.dock], [300], Qt.Orientation.Horizontal)
        panel.qtbot.waitUntil(lambda: panel.canvas.y() > panel.column.y(), timeout=PATIENCE_MS)
        assert panel.widget.minimumSizeHint().width() <= 300

    def test_follows_the_theme_and_has_the_pickers_lasso(self, opened, cube):
        panel, _layer = opened(cube)
        panel.viewer.theme = "light"
        panel.wait()
        light = panel.plot.figure.get_facecolor()[:3]
        panel.viewer.theme = "dark"
        panel.wait()
        dark = panel.plot.figure.get_facecolor()[:3]
        assert sum(light) > 2.5
        assert sum(dark) < 0.6

        from napari_hexrecruit._napari.layers.picking import picker_of

        picker = picker_of(panel.viewer)
        panel.press(panel.column.lasso)
        assert picker.lasso
        picker.lasso = False
        assert not panel.column.lasso.isChecked()

    def test_a_closed_panel_leaves_the_viewer_alone(self, opened_in_window, cube):
        panel, layer = opened_in_window(cube)
        viewer = panel.viewer
        layer.selected_hexes = ["R0;C0"]
        n_callbacks = len(viewer.mouse_drag_callbacks)
        viewer.window.remove_dock_widget(panel.widget)
        assert len(viewer.mouse_drag_callbacks) == n_callbacks - 1
        gone = weakref.ref(panel.widget)
        qtbot, told = panel.qtbot, panel.told
        del panel
        wait_until_gone(qtbot, gone)
        layer.selected_hexes = ["R0;C1"]
        go_to(viewer, 3030.0)
        viewer.theme = "light"
        viewer.layers.clear()
        assert told == []
