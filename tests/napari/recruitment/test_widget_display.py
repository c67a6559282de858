"""How hexagons look and move, as set in the widget; and hexagons that were opened without it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import PLUGIN, User, neurons_in_a_row

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit._napari.layers.controls import HexagonControls
from napari_hexrecruit._napari.layers.look import fitted_limits, largest_limit
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment import playback
from napari_hexrecruit._napari.recruitment.playback import advance


@pytest.fixture
def in_window(make_napari_viewer, qtbot, monkeypatch):
    """A user in front of a window with the widget."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(), qtbot)


class TestLook:
    @pytest.mark.smoke
    def test_starts_as_published_and_stays_as_it_is_set(self, in_window, sample):
        user = in_window
        layer = user.open_and_load(sample)
        assert layer.metric == "recruitment"
        assert tuple(layer.face_contrast_limits) == (0.0, 50.0)
        assert layer.face_colormap.name == "viridis"
        layer.face_contrast_limits, layer.face_colormap = (10.0, 20.0), "magma"
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert tuple(layer.face_contrast_limits) == (10.0, 20.0)
        user.form.split_by.value = "synapse_class"  # other layers
        user.wait_until_idle()
        assert layer not in user.viewer.layers
        for other in user.viewer.layers:
            assert tuple(other.face_contrast_limits) == (10.0, 20.0)
            assert other.face_colormap.name == "magma"

    def test_the_time_is_shown_and_hidden(self, user, sample):
        user.open_and_load(sample)
        stamp = show_time(user.viewer)
        for visible in (False, True):
            user.form.timestamp.native.click()
            assert stamp.visible == visible

    def test_other_hexagons_have_a_look_of_their_own(self, user, sample, cube):
        from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

        own = user.open_and_load(sample)
        other = RecruitmentLayer(cube, metric="rate", face_colormap="cyan")
        user.viewer.add_layer(other)
        user.viewer.layers.selection.active = other
        other.face_colormap = "inferno"
        assert own.face_colormap.name == "viridis"
        user.load()
        assert user.viewer.layers.selection.active is own
        assert (own.face_colormap.name, other.face_colormap.name) == ("viridis", "inferno")

    def test_without_layers_nothing_happens(self, user):
        user.form.timestamp.native.click()
        assert user.told == []


class TestLimits:
    def test_nothing_but_zeros_has_limits(self, cube):
        silent = cube * 0
        silent.attrs = cube.attrs
        for metric in ("recruitment", "n_recruited", "rate"):
            assert fitted_limits([silent], metric) == (0.0, 1.0)
            assert largest_limit([silent], metric) > 0.0
        assert fitted_limits([], "recruitment") == (0.0, 1.0)

    def test_few_values_above_zero_have_the_largest(self, cube):
        rare = cube.copy(deep=True)
        rare["recruitment"][:] = 0.0
        rare["recruitment"][0, 0] = 37.2
        many = recruitment_of(rare, repeat=20)
        assert fitted_limits([many], "recruitment") == (0.0, 38.0)


def recruitment_of(cube, repeat):
    """The cube with silent bins behind it."""
    import xarray as xr

    silent = xr.zeros_like(cube["recruitment"])
    longer = xr.concat([cube["recruitment"], *[silent] * repeat], dim="time")
    return xr.Dataset({"recruitment": longer}, attrs=cube.attrs)


class TestPlayback:
    @pytest.mark.parametrize(
        ("now", "step", "loop", "after"),
        [
            (0.0, 10.0, False, 10.0),
            (95.0, 10.0, False, None),
            (95.0, 10.0, True, 5.0),
            (95.0, 210.0, True, 5.0),
            (-20.0, 10.0, True, 0.0),
        ],
    )
    def test_time_runs_and_ends_or_starts_again(self, now, step, loop, after):
        assert advance(now, step, 0.0, 100.0, loop=loop) == after

    @pytest.fixture
    def clock(self, monkeypatch):
        """The time of the screen, in a list of one number of seconds."""
        now = [100.0]
        monkeypatch.setattr(playback, "monotonic", lambda: now[0])
        return now

    def test_plays_at_the_speed_that_is_set(self, user, sample, clock):
        user.open_and_load(sample)
        dims = user.viewer.dims
        dims.set_point(0, 200.0)
        user.form.speed.value = 500.0
        user.form.play.native.click()
        assert user.form.halt.enabled
        assert not user.form.play.enabled
        for shown in (250.0, 300.0):
            clock[0] += 0.1
            user.wait(lambda shown=shown: dims.point[0] == shown)
        user.form.halt.native.click()
        clock[0] += 0.1
        assert not user.widget._playback.playing
        assert dims.point[0] == 300.0
        assert user.form.play.enabled

    def test_shows_a_bin_until_it_is_over(self, user, sample, clock):
        user.open_and_load(sample)
        dims, timer = user.viewer.dims, user.widget._playback._timer
        dims.set_point(0, 200.0)
        user.form.play.native.click()
        for seconds, shown in ((0.09, 200.0), (0.02, 210.0), (0.1, 220.0)):
            clock[0] += seconds
            user.qtbot.waitSignals([timer.timeout] * 2, timeout=PATIENCE_MS).wait()
            assert dims.point[0] == shown
        user.form.halt.native.click()

    def test_ends_at_the_end(self, user, sample):
        user.open_and_load(sample)
        user.form.loop.value = False
        user.form.speed.value = 5000.0
        user.viewer.dims.set_point(0, 950.0)
        user.form.play.native.click()
        user.wait(lambda: user.form.play.enabled)
        assert user.viewer.dims.point[0] == 990.0
        user.form.speed.value = 100.0
        user.form.play.native.click()  # from the beginning
        assert user.viewer.dims.point[0] == 0.0
        user.form.halt.native.click()

    def test_goes_on_where_the_user_moves_the_slider(self, user, sample, clock):
        user.open_and_load(sample)
        dims = user.viewer.dims
        dims.set_point(0, 0.0)
        user.form.play.native.click()
        clock[0] += 0.1
        user.wait(lambda: dims.point[0] == 10.0)
        dims.set_point(0, 700.0)
        clock[0] += 0.1
        user.wait(lambda: dims.point[0] == 710.0)
        user.form.halt.native.click()

    def test_stops_when_the_layer_is_removed(self, user, sample):
        layer = user.open_and_load(sample)
        user.form.play.native.click()
        user.viewer.layers.remove(layer)
        user.wait(lambda: not user.form.halt.enabled)
        assert not user.form.play.enabled

    def test_moves_time_also_beside_data_of_more_dimensions(self, user, sample, clock):
        user.open_and_load(sample)
        user.viewer.add_image(np.zeros((3, 2, 4, 4)))
        user.viewer.dims.set_point(1, 0.0)
        user.form.play.native.click()
        clock[0] += 0.1
        user.wait(lambda: user.viewer.dims.point[1] == 10.0)
        user.form.halt.native.click()


class TestAdoption:
    """A layer that was opened without the widget is gone on with in it."""

    def test_of_a_simulation(self, make_napari_viewer, qtbot, monkeypatch, sample):
        monkeypatch.setenv("NAPARI_CONFIG", "")
        viewer = make_napari_viewer()
        (layer,) = viewer.open(sample, plugin=PLUGIN)
        user = User(viewer, qtbot)
        assert user.form.status.value.startswith("cortex (small): 80 hexagons")
        user.wait_until_idle()
        assert user.form.settings().recipe.simulation == str(sample)
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert list(viewer.layers) == [layer]
        assert layer.cube.sizes["time"] == 50

    def test_of_a_cube_that_is_opened_later(self, user, tmp_path):
        path = neurons_in_a_row().write(tmp_path)
        cube = recruitment_cube(
            path, where={"column": "layer", "values": [2]}, radius=30.0, bin_ms=5.0, stop=80.0
        )
        file = write_cube(cube, tmp_path / "run.hexrecruit.nc")
        (layer,) = user.viewer.open(file, plugin=PLUGIN)
        user.wait_until_idle()
        form = user.form
        assert (form.radius.value, form.bin_ms.value, form.stop.value) == (30.0, 5.0, 80.0)
        assert (form.filter_column.value, form.filter_values.value) == ("layer", [2])
        user.load()
        assert list(user.viewer.layers) == [layer]
        assert layer.cube.identical(cube)

    def test_of_a_cube_whose_simulation_is_elsewhere(self, user, cube, tmp_path):
        file = write_cube(cube, tmp_path / "run.hexrecruit.nc")
        user.viewer.open(file, plugin=PLUGIN)
        assert user.form.status.value.startswith("run: 12 hexagons, 5 bins")
        assert not user.form.load.enabled
        assert user.form.play.enabled
        assert user.told == []

    def test_the_widgets_own_layers_stay(self, user, sample, cube, tmp_path):
        own = user.open_and_load(sample)
        user.viewer.open(write_cube(cube, tmp_path / "run.hexrecruit.nc"), plugin=PLUGIN)
        user.viewer.layers.selection.active = own
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert own.cube.sizes["time"] == 50
        assert len(user.viewer.layers) == 2


class TestPlainPoints:
    """In a napari that the hexagon layer does not know."""

    @pytest.fixture
    def plain(self, monkeypatch):
        from napari_hexrecruit._napari.layers import adding
        from napari_hexrecruit._napari.recruitment import display

        for module in (adding, display):
            monkeypatch.setattr(module, "missing_names", lambda: ["something is gone"])
        monkeypatch.setattr(adding, "_told", ["something is gone"])

    def test_load_look_and_update_work_all_the_same(self, plain, user, sample):
        points = user.open_and_load(sample)
        assert type(points).__name__ == "Points"
        (fields,) = user.widget._display.section.native.findChildren(HexagonControls)
        fields.limits_slider.setValue((0.0, 20.0))
        assert tuple(points.face_contrast_limits) == (0.0, 20.0)
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        assert len(user.viewer.layers) == 1
        assert tuple(user.viewer.dims.range[0]) == (0.0, 980.0, 20.0)
