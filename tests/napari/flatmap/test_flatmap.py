"""The widget "Flat map": layers, places, alignment, and what is told of bad files."""

from __future__ import annotations

import json
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy.QtTest import QTest
from tests.napari.flatmap.flat_user import User
from tests.support.atlas_files import LETTER, letter_flatmap, slab_flatmap, write_circuit
from tests.support.looking import pixel_of, scene
from tests.support.qt_events import wait_until_gone
from tests.support.real_data import real_file
from tests.support.viewers import a_viewer
from tests.support.waiting import work_until_cancelled
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.flatmap import widget
from napari_hexrecruit._napari.flatmap.layers import METADATA_KEY
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit.flatmap import read_flat_image

PIXEL = 20.0
"""Side of a pixel of the letter, µm."""


@pytest.fixture
def user(qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(a_viewer(), qtbot)


@pytest.fixture
def in_window(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(), qtbot)


@pytest.fixture
def shown_user(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(show=True), qtbot)


@pytest.fixture
def row_of_neurons(tmp_path):
    """40 neurons 100 µm apart on a line; the first 20 in region A."""
    files = neurons_in_a_row()
    files.columns["region"] = ["A"] * 20 + ["B"] * 20
    return files.write(tmp_path / "simulation")


def write_letter(path):
    """A white F on transparent ground."""
    rgba = np.zeros((*LETTER.shape, 4), dtype=np.uint8)
    rgba[LETTER] = 255
    Image.fromarray(rgba).save(path)
    return path


def drawn_letter(user, photograph, size, corner):
    """Whether each pixel of the letter is bright on the canvas, in rows from the top."""
    picture = photograph(user.viewer)
    height, width = LETTER.shape
    bright = np.zeros(LETTER.shape, dtype=bool)
    for row in range(height):
        for column in range(width):
            y = corner[1] + size * (height - row - 0.5)
            at = pixel_of(user.viewer, picture, y, corner[0] + size * (column + 0.5))
            bright[row, column] = picture[at].min() > 60
    return bright


def hexagons(user, simulation, **options):
    return add_recruitment_layer(user.viewer, recruitment_cube(simulation, **options))


class TestPlaces:
    def test_an_image_file_is_drawn_upright_where_it_belongs(
        self, shown_user, photograph, tmp_path
    ):
        user = shown_user
        path = write_letter(tmp_path / "f.png")
        user.add_image(path, pixel_size=PIXEL, origin_x=300.0, origin_y=-50.0)
        assert user.told == []
        assert str(scene(user.viewer).camera.orientation2d[0]) == "up"
        np.testing.assert_allclose(
            user.layer("image").extent.world, [(-40.0, 310.0), (60.0, 370.0)]
        )
        drawn = drawn_letter(user, photograph, PIXEL, (300.0, -50.0))
        np.testing.assert_array_equal(drawn, LETTER)

    def test_an_atlas_is_drawn_upright_where_it_belongs(self, shown_user, photograph, tmp_path):
        user = shown_user
        letter_flatmap(size=1.0).save_nrrd(str(tmp_path / "flatmap.nrrd"))
        user.add_atlas(flatmap=tmp_path / "flatmap.nrrd")
        assert user.told == []
        drawn = drawn_letter(user, photograph, 1.0, (-0.5, -0.5))
        np.testing.assert_array_equal(drawn, LETTER)

    def test_outlines_and_labels_of_an_atlas_lie_on_its_image(self, user, tmp_path):
        letter_flatmap(size=1.0).save_nrrd(str(tmp_path / "flatmap.nrrd"))
        ids = letter_flatmap(size=1.0)
        ids = ids.with_data((ids.raw[..., 0] >= 0).astype(np.int32))
        ids.save_nrrd(str(tmp_path / "ids.nrrd"))
        user.add_atlas(flatmap=tmp_path / "flatmap.nrrd", columns=tmp_path / "ids.nrrd")
        assert user.told == []
        image, labels = user.layer("image"), user.layer("regions")
        np.testing.assert_array_equal(labels.data > 0, LETTER)
        np.testing.assert_array_equal(labels.extent.world, image.extent.world)
        ends = user.layer("outlines").data.sum(axis=1)
        np.testing.assert_allclose([ends.min(axis=0), ends.max(axis=0)], [(-0.5, -0.5), (5.5, 3.5)])

    def test_units_are_those_of_the_hexagons_without_a_warning(
        self, in_window, row_of_neurons, tmp_path, recwarn
    ):
        user = in_window
        hexagons(user, row_of_neurons)
        user.add_image(write_letter(tmp_path / "f.png"), pixel_size=PIXEL)
        assert [str(unit) for unit in user.layer("image").units] == ["micrometer"] * 2
        assert not [w for w in recwarn if "unit" in str(w.message)]

    def test_a_map_in_pixels_does_not_go_with_hexagons_in_um(self, user, row_of_neurons, tmp_path):
        hexagons(user, row_of_neurons)
        letter_flatmap().save_nrrd(str(tmp_path / "flatmap.nrrd"))
        user.add_atlas(flatmap=tmp_path / "flatmap.nrrd")
        (told,) = user.told
        assert told.startswith("the flat map is in pixels and the hexagons are in µm")
        assert len(user.viewer.layers) == 1


class TestOrder:
    @pytest.mark.smoke
    def test_image_below_outlines_and_names_above(self, in_window, row_of_neurons):
        user = in_window
        hexes = hexagons(user, row_of_neurons)
        user.add_neurons()
        assert user.told == []
        assert user.names == [
            "neurons per hexagon",
            "regions, filled",
            hexes.name,
            "regions, outlines",
            "regions, names",
        ]
        assert hexes.opacity == pytest.approx(0.7)
        assert user.viewer.layers.selection.active is hexes
        assert [layer.visible for layer in user.viewer.layers] == [True, False, True, True, True]

        lines, camera = user.layer("outlines"), scene(user.viewer).camera
        for zoom in (0.2, 3.0):  # lines keep their width on the screen
            camera.zoom = zoom
            assert lines.edge_width * zoom == pytest.approx(2.0, rel=0.05)

        names = user.layer("names")
        assert list(names.features["name"]) == ["A", "B"]
        user.form.show_names.value = False
        assert not names.visible
        user.form.colour.value = "black"
        np.testing.assert_allclose(user.layer("outlines").edge_color[0], (0, 0, 0, 1))

    def test_the_same_where_hexagons_come_later(self, user, row_of_neurons, tmp_path):
        hexes = hexagons(user, row_of_neurons)
        user.add_neurons()
        user.add_image(write_letter(tmp_path / "f.png"), pixel_size=PIXEL)
        user.viewer.layers.remove(hexes)
        hexes = hexagons(user, row_of_neurons, bin_ms=20.0)
        assert user.names[-2:] == ["regions, outlines", "regions, names"]
        assert user.names.index(hexes.name) == 3
        assert hexes.opacity == pytest.approx(0.7)

    def test_adding_again_replaces_its_own_layers_only(self, user, row_of_neurons, tmp_path):
        hexagons(user, row_of_neurons)
        others = user.viewer.add_image(np.zeros((3, 3)), units=("um", "um"))
        user.add_neurons()
        user.add_image(write_letter(tmp_path / "f.png"), pixel_size=PIXEL)
        names = sorted(user.names)
        user.add_neurons("synapse_class")
        user.add_image(tmp_path / "f.png")
        assert len(user.viewer.layers) == len(names)
        assert "synapse_class, names" in user.names
        assert "regions, names" not in user.names
        assert others in user.viewer.layers


class TestCancel:
    def test_nothing_is_added(self, user, tmp_path, monkeypatch):
        def endless(files, cube, progress):
            work_until_cancelled(progress, "reading")

        monkeypatch.setattr(widget, "atlas_map", endless)
        user.form.source.value = "atlas"
        user.form.add.native.click()
        assert user.widget.busy
        assert not user.form.add.enabled
        user.form.cancel.native.click()
        user.wait()
        assert user.form.add.enabled
        assert user.names == user.told == []


class TestAlignment:
    @pytest.fixture
    def strip(self, tmp_path):
        """An image of 20 x 1 pixels of 100 µm, whose first pixel has neuron 0 in its middle."""
        Image.new("L", (20, 1), 200).save(tmp_path / "strip.png")
        return tmp_path / "strip.png"

    def test_shares_are_those_of_a_known_case(self, user, row_of_neurons, strip):
        hexagons(user, row_of_neurons)
        user.add_neurons()
        user.add_image(strip, pixel_size=100.0, origin_x=-50.0, origin_y=-50.0)
        assert user.check().splitlines() == [
            "40 neurons shown",
            "On the image: 50.0 % (20 of 40)",
            "In own region: 100.0 % (40 of 40)",
        ]
        dots = user.layer("dots")
        np.testing.assert_allclose(np.sort(dots.data[:, 1]), 100.0 * np.arange(40))
        assert user.viewer.layers[-1] is dots

    def test_a_nudge_is_seen_at_once_saved_and_read_again(self, user, row_of_neurons, strip):
        hexagons(user, row_of_neurons)
        user.add_image(strip, pixel_size=100.0, origin_x=-50.0, origin_y=-50.0)
        user.check()
        user.form.dx.value = -500.0
        assert "On the image: 37.5 % (15 of 40)" in user.form.result.value
        np.testing.assert_allclose(user.layer("image").affine.translate, [0.0, -500.0])
        user.form.save.native.click()
        assert read_flat_image(strip).nudge.dx == -500.0
        user.form.reset.native.click()
        assert "(20 of 40)" in user.form.result.value
        user.press(user.form.add)
        assert user.form.dx.value == -500.0
        np.testing.assert_allclose(user.layer("image").affine.translate, [0.0, -500.0])
        assert user.told == []

    def test_without_hexagons_it_says_what_to_do(self, user, strip):
        user.add_image(strip, pixel_size=100.0)
        user.check()
        (told,) = user.told
        assert told.startswith("there are no hexagons")
        assert user.names == ["strip.png"]

    def test_turn_and_scale_are_around_the_centre(self, user, strip):
        user.add_image(strip, pixel_size=100.0)
        user.form.turn.value, user.form.scale.value = 90.0, 2.0
        low, high = user.layer("image").extent.world
        np.testing.assert_allclose((low + high) / 2, (50.0, 1000.0))
        # napari's extent is of the pixels' centres.
        np.testing.assert_allclose(high - low, (3800.0, 0.0), atol=1e-6)

    def test_the_file_beside_the_image_fills_the_fields(self, user, strip):
        image = read_flat_image(strip, pixel_size=12.5, origin=(7.0, 8.0), rotation_deg=3.0)
        from napari_hexrecruit.flatmap import write_sidecar

        write_sidecar(strip, image)
        user.form.file.value = strip
        user.wait()
        form = user.form
        said = [f.value for f in (form.pixel_size, form.origin_x, form.origin_y, form.rotation)]
        assert said == [12.5, 7.0, 8.0, 3.0]
        assert form.placing == (None, None, None)


class TestBadInput:
    def told_once(self, user, part):
        (told,) = user.told
        assert part in told
        assert "\n" not in told
        return [layer for layer in user.viewer.layers if METADATA_KEY in layer.metadata] == []

    def test_without_hexagons(self, user, tmp_path):
        """Nothing is chosen, or what is chosen is not what it should be."""
        user.press(user.form.add)
        assert self.told_once(user, "No image is chosen")

        user.told.clear()
        user.add_atlas()
        assert self.told_once(user, "no flatmap is chosen")

        user.told.clear()
        user.add_neurons()
        assert self.told_once(user, "there are no hexagons")

        user.told.clear()
        user.add_image(write_letter(tmp_path / "f.png"), pixel_size=0.0)
        assert self.told_once(user, "does not state the size of a pixel")

        user.told.clear()
        path = tmp_path / "f.json"
        path.write_text(json.dumps({}))
        user.add_image(path, pixel_size=1.0)
        assert self.told_once(user, "cannot be read as an image")

        user.told.clear()
        slab = slab_flatmap()
        slab.with_data(slab.raw[..., 0]).save_nrrd(str(tmp_path / "one.nrrd"))
        user.add_atlas(flatmap=tmp_path / "one.nrrd")
        assert self.told_once(user, "has 1 components a voxel")

    def test_no_atlas_directory_or_one_that_is_not_there(self, user, row_of_neurons, tmp_path):
        layer = hexagons(user, row_of_neurons)
        user.add_atlas()
        assert self.told_once(user, "the circuit names no atlas")
        user.told.clear()
        user.viewer.layers.remove(layer)
        hexagons(user, write_circuit(tmp_path, neurons_in_a_row().columns))
        user.add_atlas()
        assert self.told_once(user, "does not exist")

    def test_the_properties_there_are_are_offered(self, user, row_of_neurons, tmp_path):
        assert user.form.region_column.choices == ()
        layer = hexagons(user, row_of_neurons)
        user.wait()
        assert {"region", "synapse_class", "layer", "depth"} <= set(user.form.region_column.choices)
        assert user.form.region_column.value == "region"
        QTest.keyClicks(user.form.region_column.native, "syn")
        assert user.form.region_column.value == "synapse_class"
        user.viewer.layers.remove(layer)
        user.wait()
        assert user.form.region_column.choices == ()

    def test_a_circuit_without_regions(self, user, tmp_path):
        hexagons(user, neurons_in_a_row().write(tmp_path))
        user.add_neurons()
        assert user.told == []
        assert "layer, names" in user.names

    def test_an_error_leaves_the_former_layers(self, user, tmp_path):
        user.add_image(write_letter(tmp_path / "f.png"), pixel_size=PIXEL)
        user.form.file.value = tmp_path / "gone.png"
        user.press(user.form.add)
        assert user.names == ["f.png"]
        assert len(user.told) == 1


class TestPanel:
    def test_every_field_says_what_it_is(self, user):
        fields = [value for value in vars(user.form).values() if hasattr(value, "tooltip")]
        silent = {"image", "atlas", "neurons", "nudge", "about", "progress", "status", "result"}
        spoken = [f for name, f in vars(user.form).items() if f in fields and name not in silent]
        assert all(field.tooltip for field in spoken)

    def test_a_closed_panel_leaves_the_viewer_alone(self, in_window, row_of_neurons):
        user = in_window
        hexagons(user, row_of_neurons)
        user.add_neurons()
        user.viewer.window.remove_dock_widget(user.widget.native)
        panel = weakref.ref(user.widget)
        del user.widget, user.form
        hexagons(user, row_of_neurons)
        wait_until_gone(user.qtbot, panel)
        assert user.told == []


class TestReal:
    def test_thickness_and_columns(self, user):
        flatmap, columns = real_file("ss_fm.nrrd"), real_file("column_identities.nrrd")
        user.add_atlas(flatmap=Path(flatmap), columns=Path(columns))
        assert user.told == []
        assert user.form.status.value.endswith("240 columns")
        assert not user.layer("names").visible
        assert [str(unit) for unit in user.layer("outlines").units] == ["micrometer"] * 2
