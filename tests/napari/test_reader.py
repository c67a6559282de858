"""Opening simulations and cubes in napari, and saving cubes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.support.looking import scene
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import PLUGIN, neurons_in_a_row, not_a_simulation

from napari_hexrecruit import read_cube, recruitment_cube, write_cube
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.reader import get_reader
from napari_hexrecruit.errors import HexRecruitError, SimulationDataError


@pytest.fixture
def simulation(tmp_path):
    return neurons_in_a_row().write(tmp_path / "run-3")


@pytest.fixture
def viewer():
    """A viewer without a window, which is enough where nothing is drawn."""
    return a_viewer()


@pytest.fixture
def window(make_napari_viewer):
    return make_napari_viewer()


class TestReading:
    def test_a_simulation_with_the_defaults(self, viewer, simulation):
        (layer,) = viewer.open(simulation, plugin=PLUGIN)
        assert isinstance(layer, RecruitmentLayer)
        assert layer.name == "cortex (run-3)"
        assert layer.cube.identical(recruitment_cube(simulation))
        assert layer.source.path == str(simulation)

    def test_a_cube_without_a_window(self, viewer, cube, tmp_path):
        file = write_cube(cube, tmp_path / "my.run.hexrecruit.nc")
        (layer,) = viewer.open(file, plugin=PLUGIN)
        assert layer.name == "my.run"
        assert layer.cube.identical(cube)

    @pytest.mark.smoke
    def test_napari_finds_the_reader_by_itself(self, window, simulation, cube, tmp_path):
        file = write_cube(cube, tmp_path / "run.hexrecruit.nc")
        for path in (simulation, file):
            (layer,) = window.open(path, plugin=None)
            assert isinstance(layer, RecruitmentLayer)

    def test_a_file_can_be_dropped_on_the_canvas(self, make_napari_viewer, simulation):
        from napari.qt import QtViewer
        from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
        from qtpy.QtGui import QDropEvent

        viewer = make_napari_viewer()
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(simulation))])
        copy, left, keys = (
            Qt.DropAction.CopyAction,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        canvas = next(iter(QtViewer._instances))
        canvas.dropEvent(QDropEvent(QPointF(5, 5), copy, mime, left, keys))
        assert isinstance(viewer.layers[0], RecruitmentLayer)

    def test_the_first_layer_sets_the_stage_and_the_second_leaves_it(self, window, cube, tmp_path):
        viewer = window
        file = write_cube(cube, tmp_path / "run.hexrecruit.nc")
        (layer,) = viewer.open(file, plugin=PLUGIN)
        camera = scene(viewer).camera
        assert tuple(map(str, camera.orientation2d)) == ("up", "right")
        assert layer.face_colorbar.visible
        viewer.dims.set_point(0, 3010.0)
        assert show_time(viewer).text == "3,010 - 3,020 ms"
        camera.orientation2d = ("down", "right")
        viewer.open(file, plugin=PLUGIN)
        assert tuple(map(str, camera.orientation2d)) == ("down", "right")

    def test_of_two_viewers_the_one_that_opens_gets_the_layer(self, make_napari_viewer, simulation):
        first, second = make_napari_viewer(), make_napari_viewer()
        first.open(simulation, plugin=PLUGIN)
        assert (len(first.layers), len(second.layers)) == (1, 0)


WITHOUT_CIRCUIT = {"run": {"tstop": 1, "dt": 1}, "network": "none.json"}


class TestDeclining:
    def test_json_of_others_is_left_to_others(self, viewer, tmp_path):
        path = not_a_simulation(tmp_path)
        assert get_reader(str(path)) is None
        with pytest.raises(ValueError, match="refused the file"):
            viewer.open(path, plugin=PLUGIN)
        assert len(viewer.layers) == 0

    def test_several_files_as_one_are_declined(self, simulation):
        assert get_reader([str(simulation), str(simulation)]) is None

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            pytest.param(lambda path: path.write_text("{"), "is not JSON", id="broken"),
            pytest.param(
                lambda path: path.write_text(
                    json.dumps({"run": {"tstop": 1, "dt": 1}, "network": "none.json"})
                ),
                "none.json",
                id="no-circuit",
            ),
            pytest.param(
                lambda path: (path.parent / "output" / "spikes.h5").unlink(),
                "run the simulation",
                id="no-spikes",
            ),
        ],
    )
    def test_a_broken_simulation_is_told_in_a_line(self, viewer, simulation, spoil, says):
        spoil(simulation)
        with pytest.raises(SimulationDataError, match=says) as told:
            viewer.open(simulation, plugin=PLUGIN)
        assert "\n" not in str(told.value)
        assert len(viewer.layers) == 0

    def test_what_is_dropped_by_mistake_is_told_in_a_line_that_helps(
        self, viewer, simulation, cube, tmp_path
    ):
        (layer,) = viewer.open(simulation.parent, plugin=PLUGIN)  # a folder with one simulation
        assert layer.cube.identical(recruitment_cube(simulation))

        shutil.copy(simulation, simulation.with_name("simulation_config_2.json"))
        circuit = tmp_path / "config.json"
        circuit.write_text(json.dumps({"networks": {"nodes": [], "edges": []}}))
        by_bmtk = tmp_path / "bmtk" / "config.json"
        by_bmtk.parent.mkdir()
        by_bmtk.write_text(json.dumps({"network": "c.json", "simulation": "gone.json"}))
        later = write_cube(cube, tmp_path / "later.hexrecruit.nc")
        with h5py.File(later, "r+") as file:
            file.attrs["schema_version"] = 99
        for path, says in (
            (simulation.parent, "2 simulation configurations .*: drop one of them"),
            (circuit, "is a SONATA circuit configuration.*: give the simulation configuration"),
            (by_bmtk, "gone.json: does not exist: give the simulation configuration"),
            (later, "99.*: "),
        ):
            with pytest.raises(SimulationDataError, match=says) as told:
                viewer.open(path, plugin=PLUGIN)
            assert "\n" not in str(told.value)
        assert get_reader(str(tmp_path)) is None
        assert len(viewer.layers) == 1

    def test_a_file_that_is_no_cube_is_told_in_a_line(self, viewer, tmp_path):
        file = tmp_path / "run.hexrecruit.nc"
        file.write_text("no netCDF")
        with pytest.raises(SimulationDataError, match="cannot be read as a cube") as told:
            viewer.open(file, plugin=PLUGIN)
        assert "\n" not in str(told.value)


class TestWriting:
    def test_a_layer_comes_back_with_all_its_values(self, window, simulation, tmp_path):
        viewer = window
        (layer,) = viewer.open(simulation, plugin=PLUGIN)
        file = tmp_path / "saved.hexrecruit.nc"
        for _ in range(2):  # the second time it is replaced: napari has asked
            assert viewer.layers.save(str(file), selected=True) == [str(file)]
        assert read_cube(file).identical(layer.cube)
        (again,) = viewer.open(file, plugin=PLUGIN)
        assert again.cube.identical(layer.cube)

    def test_the_ending_is_added(self, viewer, cube, tmp_path):
        viewer.add_layer(RecruitmentLayer(cube))
        saved = viewer.layers.save(str(tmp_path / "run"), plugin=PLUGIN)
        assert saved == [str(tmp_path / "run.hexrecruit.nc")]

    def test_plain_points_are_refused_in_a_sentence(self, viewer, tmp_path):
        viewer.add_points(np.zeros((2, 2)), name="cells")
        file = tmp_path / "cells.hexrecruit.nc"
        with pytest.raises(HexRecruitError, match="'cells' shows no recruitment cube: save it as"):
            viewer.layers.save(str(file))
        assert not file.exists()

    def test_naparis_csv_stays_available(self, viewer, cube, tmp_path):
        viewer.add_layer(RecruitmentLayer(cube))
        viewer.add_points(np.zeros((2, 2)))
        for layer, name in zip(viewer.layers, ("hexagons.csv", "points"), strict=True):
            viewer.layers.selection = {layer}
            (saved,) = viewer.layers.save(str(tmp_path / name), selected=True)
            assert Path(saved).suffix == ".csv"
            assert Path(saved).read_text().startswith("index,")
