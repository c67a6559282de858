"""Picking hexagons with the mouse, what is outlined, and what stays napari's own."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests.napari.layers.test_picks import columns_cube
from tests.support.cubes import sheet_cube, wave_cube
from tests.support.looking import canvas, go_to, pixel_of, scene
from tests.support.mouse import ALT, SHIFT, Mouse, place_of

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.picking import LookedAt, picker_of
from napari_hexrecruit._napari.layers.picks import COLOURS, MOST_LINES
from napari_hexrecruit._napari.private.names import PICK_NAMES


@pytest.fixture
def picking(add, cube):
    """A viewer with a layer whose hexagons can be picked, and its mouse."""
    viewer, layer = add(cube, show=True)
    picker = picker_of(viewer)
    picker.start("test")
    yield viewer, layer, Mouse(viewer)
    picker.stop("test")


def in_one_window(picking, cube, *checks):
    """One check after the other, each of nothing but the layer in its first view."""
    viewer, layer, _mouse = picking
    for check in checks:
        check(picking, cube)
        for other in [one for one in viewer.layers if one is not layer]:
            if isinstance(other, RecruitmentLayer):
                other.selected_hexes = ()
            viewer.layers.remove(other)
        viewer.layers.selection.active = layer
        layer.visible, layer.cube, layer.selected_hexes = True, cube, ()
        viewer.reset_view()


class TestClicks:
    def test_pick_what_is_under_them(self, picking, cube):
        in_one_window(
            picking,
            cube,
            self.a_click_picks_one_and_shift_adds_and_removes,
            self.edges_are_those_of_neurons,
            self.outside_of_the_cubes_time_it_picks_all_the_same,
            self.columns_of_an_atlas,
            self.a_layer_that_was_moved_and_scaled,
        )

    def a_click_picks_one_and_shift_adds_and_removes(self, picking, cube):
        viewer, layer, mouse = picking
        for name in ("R0;C0", "R2;C3", "R1;C1"):
            mouse.click_hex(cube, name)
            assert layer.selected_hexes == (name,)
        mouse.click(-70.0, -60.0)  # beside all hexagons
        assert layer.selected_hexes == ("R1;C1",)

        layer.selected_hexes = ()
        for name in ("R0;C0", "R1;C1", "R2;C2"):
            mouse.click_hex(cube, name, SHIFT)
        assert layer.selected_hexes == ("R0;C0", "R1;C1", "R2;C2")
        colours = layer.selected_slots
        mouse.click_hex(cube, "R1;C1", SHIFT)
        assert layer.selected_hexes == ("R0;C0", "R2;C2")
        assert layer.selected_slots == (colours[0], colours[2])

        layer.selected_hexes = ()
        mouse.click(*place_of(cube, "R1;C1"), button=Qt.MouseButton.RightButton)
        mouse.click_hex(cube, "R1;C1", ALT)
        assert layer.selected_hexes == ()

        for others in (False, True):  # Escape clears, whatever layer is active
            mouse.click_hex(cube, "R1;C1")
            assert layer.selected_hexes == ("R1;C1",)
            if others:
                viewer.add_image(np.zeros((4, 4)), units=("um", "um"))
            mouse.press_key(Qt.Key.Key_Escape)
            assert layer.selected_hexes == ()

    def edges_are_those_of_neurons(self, picking, cube):
        """A pixel left and right of a side, at several zooms."""
        viewer, layer, mouse = picking
        y, x = place_of(cube, "R1;C1")
        side = x + 50.0 * np.sqrt(0.75)
        for zoom in (0.5, 2.0, 20.0):
            scene(viewer).camera.zoom = zoom
            scene(viewer).camera.center = (y, side)
            mouse.click(y, side - 1.5 / zoom)
            assert layer.selected_hexes == ("R1;C1",)
            mouse.click(y, side + 1.5 / zoom)
            assert layer.selected_hexes == ("R1;C2",)

    def a_layer_that_was_moved_and_scaled(self, picking, cube):
        viewer, layer, mouse = picking
        layer.translate = (3000.0, 400.0, -200.0)
        layer.scale = (10.0, 2.0, 3.0)
        viewer.reset_view()
        y, x = place_of(cube, "R2;C1")
        mouse.click(400.0 + 2.0 * y, -200.0 + 3.0 * x)
        assert layer.selected_hexes == ("R2;C1",)

    def columns_of_an_atlas(self, picking, _cube):
        viewer, layer, mouse = picking
        layer.cube = cube = columns_cube()
        viewer.reset_view()
        for name in ("0", "7", "18"):
            mouse.click_hex(cube, name)
            assert layer.selected_hexes == (name,)

    def outside_of_the_cubes_time_it_picks_all_the_same(self, picking, cube):
        viewer, layer, mouse = picking
        viewer.add_layer(RecruitmentLayer(wave_cube(1, 1, 400), visible=False))
        viewer.layers.selection.active = layer
        go_to(viewer, 100.0)
        assert layer.current_bin is None
        mouse.click_hex(cube, "R1;C1")
        assert layer.selected_hexes == ("R1;C1",)


class TestLasso:
    AROUND = ((-80.0, -60.0), (-80.0, 150.0), (90.0, 150.0), (90.0, -60.0))

    def test_picks_what_is_inside(self, picking, cube, photograph):
        in_one_window(
            picking,
            cube,
            self.shift_and_a_drag_adds_what_is_inside,
            self.the_tool_picks_what_is_inside_and_holds_the_map,
            self.around_nothing_with_the_tool_picks_nothing,
            self.a_plain_drag_moves_the_map_and_picks_nothing,
        )
        self.is_drawn_while_the_mouse_is_down(picking, photograph)

    def inside(self, cube):
        x, y = cube["x"].to_numpy(), cube["y"].to_numpy()
        found = (x > -60) & (x < 150) & (y > -80) & (y < 90)
        names = tuple(str(name) for name in cube["hex"].to_numpy()[found])
        assert len(names) == 4
        return names

    def shift_and_a_drag_adds_what_is_inside(self, picking, cube):
        viewer, layer, mouse = picking
        layer.selected_hexes = ["R2;C3"]
        before = tuple(scene(viewer).camera.center)
        mouse.drag(list(self.AROUND), SHIFT)
        assert layer.selected_hexes == ("R2;C3", *self.inside(cube))
        assert tuple(scene(viewer).camera.center) == before

    def the_tool_picks_what_is_inside_and_holds_the_map(self, picking, cube):
        viewer, layer, mouse = picking
        layer.selected_hexes = ["R2;C3"]
        picker = picker_of(viewer)
        picker.lasso = True
        assert viewer.cursor.style == "crosshair"
        before = tuple(scene(viewer).camera.center)
        mouse.drag(list(self.AROUND))
        assert layer.selected_hexes == self.inside(cube)
        assert tuple(scene(viewer).camera.center) == before
        mouse.click_hex(cube, "R2;C0")
        assert layer.selected_hexes == ("R2;C0",)
        picker.lasso = False
        assert viewer.cursor.style == "standard"

    def a_plain_drag_moves_the_map_and_picks_nothing(self, picking, _cube):
        viewer, layer, mouse = picking
        before = tuple(scene(viewer).camera.center)
        mouse.drag([(0.0, 0.0), (40.0, 90.0)])
        assert layer.selected_hexes == ()
        moved = np.subtract(scene(viewer).camera.center[-2:], before[-2:])
        np.testing.assert_allclose(moved, (-40.0, -90.0), atol=3)

    def is_drawn_while_the_mouse_is_down(self, picking, photograph):
        viewer, layer, mouse = picking
        before = photograph(viewer)
        mouse.drag(list(self.AROUND), SHIFT, drop=False)
        assert len(layer.pick_overlay.lasso) > 8
        drawn = photograph(viewer)
        row, col = pixel_of(viewer, drawn, 0.0, 150.0)
        beside = drawn[row, col - 3 : col + 4].astype(int)
        assert np.abs(beside - before[row, col - 3 : col + 4].astype(int)).max() > 60
        mouse.drop(self.AROUND[-1], SHIFT)
        assert layer.pick_overlay.lasso == ()

    def around_nothing_with_the_tool_picks_nothing(self, picking, _cube):
        viewer, layer, mouse = picking
        layer.selected_hexes = ["R1;C1"]
        picker_of(viewer).lasso = True
        mouse.drag([(-80.0, -60.0), (-80.0, -50.0), (-70.0, -60.0)])
        assert layer.selected_hexes == ()
        picker_of(viewer).lasso = False


class TestLeavesNapariAlone:
    def test_what_is_no_pick_stays_naparis(self, picking, cube, photograph):
        in_one_window(
            picking,
            cube,
            self.selecting_points_stays_selecting_points,
            self.hexagons_are_no_points_to_select,
            self.painting_labels_stays_painting,
        )
        self.nothing_is_picked_in_3d(picking, cube, photograph)
        layer = picking[1]
        layer.selected_hexes = ()
        self.nothing_is_picked_while_time_is_an_axis_of_the_view(picking)

    def selecting_points_stays_selecting_points(self, picking, cube):
        viewer, layer, mouse = picking
        y, x = place_of(cube, "R1;C1")
        points = viewer.add_points([[y, x], [y + 90, x]], size=30, units=("um", "um"))
        points.mode = "select"
        mouse.click(y, x)
        assert points.selected_data == {0}
        mouse.click(y + 90, x, SHIFT)
        assert points.selected_data == {0, 1}
        mouse.drag([(y - 40, x - 40), (y + 40, x + 40)])
        assert points.selected_data == {0}
        assert layer.selected_hexes == ()
        points.mode = "add"
        mouse.click_hex(cube, "R2;C2")
        assert len(points.data) == 3
        assert layer.selected_hexes == ()

    def hexagons_are_no_points_to_select(self, picking, cube):
        _viewer, layer, mouse = picking
        layer.mode = "select"
        assert layer.mode == "pan_zoom"
        mouse.click_hex(cube, "R1;C1")
        assert layer.selected_hexes == ("R1;C1",)

    def painting_labels_stays_painting(self, picking, cube):
        viewer, layer, mouse = picking
        labels = viewer.add_labels(
            np.zeros((40, 40), dtype=int), scale=(10, 10), units=("um", "um")
        )
        labels.mode = "paint"
        mouse.click(*place_of(cube, "R1;C1"))
        assert labels.data.any()
        assert layer.selected_hexes == ()

    def nothing_is_picked_in_3d(self, picking, cube, photograph):
        viewer, layer, mouse = picking
        viewer.dims.ndisplay = 3
        photograph(viewer)
        mouse.click(0.0, 0.0)
        mouse.drag(list(TestLasso.AROUND), SHIFT)
        assert layer.selected_hexes == ()
        viewer.dims.ndisplay = 2
        viewer.reset_view()
        photograph(viewer)
        mouse.click_hex(cube, "R1;C1")
        assert layer.selected_hexes == ("R1;C1",)

    def nothing_is_picked_while_time_is_an_axis_of_the_view(self, picking):
        viewer, layer, mouse = picking
        viewer.dims.order = (1, 0, 2)
        mouse.click(0.0, 0.0)
        assert layer.selected_hexes == ()

    def test_without_a_panel_clicks_do_nothing(self, add, cube):
        viewer, layer = add(cube, show=True)
        picker = picker_of(viewer)
        n_before = len(viewer.mouse_drag_callbacks)
        picker.start("one")
        picker.start("one")
        picker.start("two")
        assert len(viewer.mouse_drag_callbacks) == n_before + 1
        picker.stop("one")
        mouse = Mouse(viewer)
        mouse.click_hex(cube, "R1;C1")
        assert layer.selected_hexes == ("R1;C1",)
        picker.stop("two")
        assert layer.selected_hexes == ()  # nor does an outline stay that no panel shows
        mouse.click_hex(cube, "R0;C0")
        assert layer.selected_hexes == ()
        assert len(viewer.mouse_drag_callbacks) == n_before
        assert [str(key) for key in viewer.keymap] == []

    def test_a_users_escape_key_stays(self, windowless, cube):
        viewer, _layer = windowless(cube)
        pressed = []
        viewer.bind_key("Escape", pressed.append)
        picker = picker_of(viewer)
        picker.start("test")
        picker.stop("test")
        assert [str(key) for key in viewer.keymap] == ["Escape"]


class TestWhichLayer:
    def test_is_picked_from(self, picking, cube):
        in_one_window(
            picking,
            cube,
            self.the_active_one_else_the_uppermost_visible,
            self.hidden_layers_are_not_picked_from,
            self.in_a_grid_the_field_under_the_mouse_tells,
        )

    def the_active_one_else_the_uppermost_visible(self, picking, cube):
        viewer, first, mouse = picking
        second = viewer.add_layer(RecruitmentLayer(cube))
        mouse.click_hex(cube, "R0;C0")
        assert (first.selected_hexes, second.selected_hexes) == ((), ("R0;C0",))
        viewer.layers.selection.active = first
        mouse.click_hex(cube, "R0;C1")
        assert (first.selected_hexes, second.selected_hexes) == (("R0;C1",), ("R0;C0",))
        first.visible = False
        mouse.click_hex(cube, "R0;C2")
        assert (first.selected_hexes, second.selected_hexes) == (("R0;C1",), ("R0;C2",))
        viewer.add_image(np.zeros((3, 3)), units=("um", "um"))
        mouse.click_hex(cube, "R0;C3")
        assert second.selected_hexes == ("R0;C3",)

    def hidden_layers_are_not_picked_from(self, picking, cube):
        _viewer, layer, mouse = picking
        layer.visible = False
        mouse.click_hex(cube, "R1;C1")
        assert layer.selected_hexes == ()

    def in_a_grid_the_field_under_the_mouse_tells(self, picking, cube):
        viewer, first, mouse = picking
        second = viewer.add_layer(RecruitmentLayer(cube))
        canvas(viewer).grid.enabled = True
        viewer.reset_view()
        Mouse(viewer)
        height, width = mouse.canvas.height(), mouse.canvas.width()
        fields = {"left": width // 4, "right": 3 * width // 4}
        for col in fields.values():
            centre = scene(viewer).camera.center[-2:]
            zoom = scene(viewer).camera.zoom
            mouse.click(centre[0], centre[1] + (col - width / 2) / zoom)
            picked = [layer for layer in (first, second) if layer.selected_hexes]
            assert len(picked) == 1
            assert viewer.layers.selection.active is picked[0]
            picked[0].selected_hexes = ()
            fields = fields | {("left" if col < width / 2 else "right"): picked[0]}
        assert {fields["left"], fields["right"]} == {first, second}
        assert height > 0

    def test_the_looked_at_layer_is_followed(self, windowless, cube):
        viewer, first = windowless(cube)
        told, looked_at = [], LookedAt(viewer)
        looked_at.changed.connect(told.append)
        assert looked_at.layer is first
        second = viewer.add_layer(RecruitmentLayer(cube))
        first_again = [second, first]
        viewer.layers.selection.active = first
        first.visible = False
        viewer.layers.remove(second)
        first.visible = True
        viewer.layers.clear()
        assert told == [*first_again, second, None, first, None]
        looked_at.close()
        viewer.add_layer(RecruitmentLayer(cube))
        assert looked_at.layer is None


class TestOutlines:
    def ring(self, viewer, image, cube, name, inset=3.5):
        """Colours along the sides of a hexagon, some pixels inside."""
        y, x = place_of(cube, name)
        angle = np.deg2rad(60 * np.arange(6))
        away = 50 * np.sqrt(0.75) - inset / scene(viewer).camera.zoom
        at = [pixel_of(viewer, image, y + away * np.sin(a), x + away * np.cos(a)) for a in angle]
        return np.array([image[row, col] for row, col in at]).astype(int)

    def test_are_drawn(self, add, cube, photograph):
        viewer, layer = add(cube, show=True)
        self.stay_through_the_life_of_the_layer(viewer, layer, photograph)
        layer.selected_hexes = ()
        for zoom in (1.0, 3.0):
            self.have_the_colours_of_their_slots(viewer, layer, photograph, zoom)

    def have_the_colours_of_their_slots(self, viewer, layer, photograph, zoom):
        cube = layer.cube
        scene(viewer).camera.zoom = zoom
        scene(viewer).camera.center = place_of(cube, "R1;C1")
        bare = photograph(viewer)
        layer.selected_hexes = ["R1;C1", "R1;C2"]
        image = photograph(viewer)
        orange = tuple(int(COLOURS[0][k : k + 2], 16) for k in (1, 3, 5))
        ring = self.ring(viewer, image, cube, "R1;C1", inset=2.5)
        assert (np.abs(ring - orange).max(axis=1) < 40).mean() >= 0.5, zoom
        centre = pixel_of(viewer, image, *place_of(cube, "R1;C1"))
        np.testing.assert_array_equal(image[centre], bare[centre])
        layer.selected_hexes = ()
        np.testing.assert_array_equal(photograph(viewer), bare)

    def stay_through_the_life_of_the_layer(self, viewer, layer, photograph):
        viewer.reset_view()
        bare = photograph(viewer)
        layer.selected_hexes = ["R1;C1"]
        picked = photograph(viewer)
        assert (picked != bare).any()
        layer.visible = False
        assert (photograph(viewer) != bare).any()
        layer.visible = True
        viewer.dims.ndisplay = 3
        photograph(viewer)
        viewer.dims.ndisplay = 2
        viewer.reset_view()
        np.testing.assert_array_equal(photograph(viewer), picked)
        viewer.layers.remove(layer)
        assert photograph(viewer).max() == 0
        viewer.layers.append(layer)
        viewer.reset_view()
        assert layer.selected_hexes == ("R1;C1",)
        assert (photograph(viewer) != bare).any()

    @pytest.mark.parametrize("name", PICK_NAMES, ids=lambda name: name.path)
    def test_private_names_are_there(self, name):
        assert name.is_there(), str(name)

    @pytest.mark.parametrize("name", PICK_NAMES, ids=lambda name: name.path)
    def test_without_a_private_name_only_the_outlines_lack(self, cube, monkeypatch, name):
        monkeypatch.delattr(f"{name.module}.{name.path}")
        assert not name.is_there()
        layer = RecruitmentLayer(cube)
        layer.selected_hexes = ["R1;C1"]
        assert "picks" not in layer._overlays
        assert layer.selected_hexes == ("R1;C1",)

    def test_of_very_many_are_white(self, windowless):
        cube = sheet_cube(100, 2)
        _viewer, layer = windowless(cube)
        names = cube["hex"].to_numpy().tolist()
        layer.selected_hexes = names[:MOST_LINES]
        assert len(np.unique(layer.pick_overlay.outlines.colours, axis=0)) == len(COLOURS)
        layer.selected_hexes = names
        np.testing.assert_array_equal(layer.pick_overlay.outlines.colours, 1.0)
