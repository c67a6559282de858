"""Campaigns in napari: the scan parameters as sliders before time."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tests.support.campaign_files import write_json, write_run
from tests.support.cubes import wave_cube
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit._napari.layers.blocks import Blocks
from napari_hexrecruit._napari.layers.campaign_layer import CampaignLayer
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.reader import get_reader
from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget
from napari_hexrecruit.campaign import list_simulations, open_campaign, run_campaign
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.schema import N_NEURONS

CA, KINDS = (1.05, 1.1, 1.15), ("slow", "fast")
FAILED = (1, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Campaign of 3 x 2 simulations, one of which has failed."""
    top = tmp_path_factory.mktemp("scan")
    rows = []
    for k, (ca, kind) in enumerate((ca, kind) for ca in CA for kind in KINDS):
        write_run(top / "runs" / str(k), seed=k)
        rows.append({"path": f"runs/{k}", "parameters": {"ca": ca, "inputs.a.kind": kind}})
    (top / "runs" / "3" / "output" / "spikes.h5").write_bytes(b"no HDF5")
    campaign = list_simulations(write_json(top / "campaign.json", rows))
    run_campaign(campaign, top / "out", n_workers=1, radius=60.0)
    return top / "out"


@pytest.fixture
def dataset(folder):
    return open_campaign(folder)


@pytest.fixture
def viewer():
    """Without a window: sliders and layers are those of the viewer's model."""
    return a_viewer()


@pytest.fixture
def layer(viewer, dataset):
    return viewer.add_layer(CampaignLayer(dataset))


@pytest.fixture
def window(make_napari_viewer):
    return make_napari_viewer()


def go_to(viewer, ca, kind, time):
    """Move the sliders: calcium in its values, the kind by position, time in ms."""
    viewer.dims.set_point((0, 1, 2), (ca, kind, time))


class TestReading:
    def test_the_dataset_the_file_beside_it_and_a_cube_in_a_folder_open(
        self, window, folder, cube, tmp_path
    ):
        for name, plugin in (
            ("campaign.hexrecruit.zarr", PLUGIN),  # napari itself claims to read zarr, too
            ("campaign.hexrecruit.json", None),
        ):
            (layer,) = window.open(folder / name, plugin=plugin)
            assert isinstance(layer, CampaignLayer), name
            assert layer.name == "out" and layer.face_colorbar.visible, name
            assert layer.campaign.identical(open_campaign(folder)), name
            go_to(window, 1.05, 0, 0.0)
            assert show_time(window).text == "ca 1.05, kind slow\n0 - 10 ms", name
            window.layers.clear()

        path = write_cube(cube, tmp_path / "my.run.hexrecruit.zarr")
        (layer,) = window.open(path, plugin=PLUGIN)
        assert type(layer) is RecruitmentLayer
        assert layer.name == "my.run" and layer.cube.identical(cube)

    def test_folders_of_others_are_declined(self, tmp_path):
        assert get_reader(str(tmp_path)) is None

    def test_one_without_a_dataset_or_with_a_damaged_one_is_told_in_a_line(
        self, window, folder, tmp_path
    ):
        shutil.copy(folder / "campaign.hexrecruit.json", tmp_path)
        with pytest.raises(SimulationDataError, match="run 'hexrecruit campaign' to its end"):
            window.open(tmp_path / "campaign.hexrecruit.json", plugin=PLUGIN)
        assert len(window.layers) == 0

        path = tmp_path / "campaign.hexrecruit.zarr"
        shutil.copytree(folder / path.name, path)
        content = json.loads((path / "zarr.json").read_text())
        del content["attributes"]["hex_radius"]
        (path / "zarr.json").write_text(json.dumps(content))
        with pytest.raises(SimulationDataError, match="'hex_radius' is missing") as told:
            window.open(path, plugin=PLUGIN)
        assert "\n" not in str(told.value)


class TestSliders:
    def test_there_is_one_for_each_parameter(self, viewer, layer):
        assert layer.ndim == 5
        assert viewer.dims.axis_labels == ("ca", "kind", "time", "y", "x")
        assert viewer.dims.nsteps[:3] == (3, 2, 10)
        # evenly spaced numbers are themselves on the slider, others are counted
        assert tuple(viewer.dims.range[0])[:2] == pytest.approx((1.05, 1.15))
        assert tuple(viewer.dims.range[1])[:2] == (0.0, 1.0)

    @pytest.mark.smoke
    def test_every_position_shows_its_simulation(self, window, dataset):
        viewer, layer = window, window.add_layer(CampaignLayer(dataset))
        for i, ca in enumerate(CA):
            for j, kind in enumerate(KINDS):
                for bin_ in (0, 7):
                    go_to(viewer, ca, j, 10.0 * bin_)
                    assert layer.parameters == {"ca": ca, "inputs.a.kind": kind}
                    assert layer.current_bin == bin_
                    one = dataset.isel({"ca": i, "inputs.a.kind": j, "time": bin_})
                    shown = layer.features
                    np.testing.assert_array_equal(shown["recruited"], one["recruitment"])
                    np.testing.assert_array_equal(shown["n_neurons"], one[N_NEURONS])
                    expected = dataset.isel({"ca": i, "inputs.a.kind": j})["n_spikes"]
                    np.testing.assert_array_equal(layer.cube["n_spikes"], expected)
        # in three dimensions it is that of the sliders
        go_to(viewer, 1.15, 0, 20.0)
        viewer.dims.ndisplay = 3
        viewer.dims.set_point((0, 1), (1.05, 1))
        assert layer.parameters == {"ca": 1.05, "inputs.a.kind": "fast"}
        viewer.dims.ndisplay = 2
        viewer.dims.set_point(2, 30.0)
        one = dataset.isel({"ca": 0, "inputs.a.kind": 1, "time": 3})
        np.testing.assert_array_equal(layer.features["recruited"], one["recruitment"])

    def test_the_steps_of_the_sliders_hit_the_values(self, viewer, layer):
        for step, ca in enumerate(CA):
            viewer.dims.set_current_step(0, step)
            assert layer.parameters["ca"] == ca

    def test_hexagons_that_a_simulation_lacks_have_no_value(self, viewer, layer):
        go_to(viewer, 1.05, 0, 20.0)
        absent = layer.features["n_neurons"] == 0
        assert absent.any()
        assert layer.features["recruited"][absent].isna().all()
        index = int(np.flatnonzero(absent)[0])
        assert layer.sentence(index).endswith(": no value, 0 neurons")

    def test_a_simulation_that_failed_is_empty_and_says_so(self, viewer, layer):
        show_time(viewer)
        go_to(viewer, CA[FAILED[0]], FAILED[1], 30.0)
        assert layer.features["recruited"].isna().all()
        assert show_time(viewer).text == "ca 1.1, kind fast (failed)\n30 - 40 ms"

    def test_others_hear_of_another_simulation_and_not_of_time(self, viewer, layer):
        go_to(viewer, 1.05, 0, 0.0)
        cubes, bins = [], []
        layer.events.cube_changed.connect(lambda event: cubes.append(event.value))
        layer.events.bin_changed.connect(lambda event: bins.append(event.value))
        go_to(viewer, 1.05, 0, 50.0)
        assert (len(cubes), bins) == (0, [5])
        go_to(viewer, 1.15, 0, 50.0)
        assert len(cubes) == 1 and cubes[0] is layer.cube
        assert bins == [5, 5]

    def test_outside_of_its_time_and_beside_its_parameters_nothing_is_drawn(self, viewer, layer):
        viewer.add_layer(RecruitmentLayer(wave_cube(n_bins=30)))
        viewer.dims.set_point(2, 200.0)
        assert layer.current_bin is None
        viewer.dims.set_point(2, 40.0)
        assert layer.current_bin == 4

    def test_a_layer_of_one_cube_shares_the_time_and_ignores_the_parameters(self, viewer, layer):
        other = viewer.add_layer(RecruitmentLayer(wave_cube(n_bins=10)))
        go_to(viewer, 1.15, 1, 60.0)
        assert (layer.current_bin, other.current_bin) == (6, 6)
        assert layer.parameters["ca"] == 1.15


class TestLife:
    def test_a_copy_shows_the_same(self, viewer, layer):
        go_to(viewer, 1.1, 0, 40.0)
        layer.metric = "rate"
        copy = layer.create(*layer.as_layer_data_tuple())
        viewer.add_layer(copy)
        go_to(viewer, 1.15, 1, 70.0)
        assert isinstance(copy, CampaignLayer) and copy.campaign is layer.campaign
        assert (copy.metric, copy.parameters) == ("rate", layer.parameters)
        np.testing.assert_array_equal(copy.features["recruited"], layer.features["recruited"])

    def test_metric_limits_and_picks_stay_from_one_simulation_to_the_next(self, viewer, layer):
        layer.metric = "n_recruited"
        limits = layer.face_contrast_limits
        name = str(layer.cube["hex"].values[3])
        layer.selected_hexes = [name]
        go_to(viewer, 1.15, 1, 10.0)
        assert layer.selected_hexes == (name,)
        assert (layer.metric, layer.face_contrast_limits) == ("n_recruited", limits)
        np.testing.assert_array_equal(
            layer.features["recruited"].dropna(), layer.cube["n_recruited"][1][has(layer)]
        )

    def test_its_cube_cannot_be_set(self, layer, cube):
        with pytest.raises(AttributeError, match="shows the cubes of a campaign"):
            layer.cube = cube

    def test_the_widget_leaves_it_as_it_is(self, window, dataset, folder):
        viewer = window
        viewer.add_layer(CampaignLayer(dataset))
        widget = RecruitmentWidget(viewer)
        viewer.window.add_dock_widget(widget)
        assert widget._shown.layers == []
        viewer.open(folder / "campaign.hexrecruit.zarr", plugin=PLUGIN)
        assert widget._shown.layers == []

    def test_the_hexagon_under_the_cursor(self, viewer, layer):
        go_to(viewer, 1.1, 0, 40.0)
        for index in (0, len(layer.data) - 1):
            place = (1.1, 0.0, 40.0, *layer.data[index, -2:])
            assert layer.get_value(place, world=True) == index
            assert layer.hex_at(place) == str(layer.cube["hex"].values[index])


def has(layer):
    return layer.cube["recruitment"][1].notnull().to_numpy()


class TestOtherAxes:
    def test_parameters_without_a_grid_are_one_slider_of_simulations(
        self, viewer, tmp_path, folder
    ):
        rows = [
            {"path": str(folder.parent / "runs" / str(k)), "parameters": {"ca": 1.0 + k, "seed": k}}
            for k in (0, 1)
        ]
        rows.append(
            {"path": str(folder.parent / "runs" / "2"), "parameters": {"ca": 1.0, "seed": 1}}
        )
        campaign = list_simulations(write_json(tmp_path / "c.json", rows))
        run_campaign(campaign, tmp_path / "out", n_workers=1)
        layer = viewer.add_layer(CampaignLayer(open_campaign(tmp_path / "out")))
        assert viewer.dims.axis_labels[0] == "simulation"
        viewer.dims.set_point(0, 1)
        assert layer.parameters == {"simulation": "1"}
        config = folder.parent / "runs" / "1" / "simulation_config.json"
        cube = recruitment_cube(config)
        shown = layer.cube.sel(hex=cube["hex"])
        np.testing.assert_array_equal(shown["recruitment"], cube["recruitment"])


class TestBlocks:
    def test_bins_in_memory_are_not_copied(self, cube):
        part, position = Blocks(cube).at(3)
        assert part is cube and position == 3

    def test_bins_on_disk_are_read_some_at_a_time(self):
        cube = wave_cube(n_bins=25)
        reads = []

        def note(block):
            reads.append(len(block))
            return block

        data = cube["recruitment"].chunk({"time": 10}).data.map_blocks(note, meta=np.empty((0, 0)))
        lazily = cube[[]].assign(recruitment=(("time", "hex"), data))
        blocks = Blocks(lazily)
        for bin_ in [*range(25), 24, 3]:
            part, position = blocks.at(bin_)
            np.testing.assert_array_equal(part["recruitment"][position], cube["recruitment"][bin_])
        assert reads == [10, 10, 5, 10]
