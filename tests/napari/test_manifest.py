"""The manifest, and the commands of the Layers menu."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from npe2 import PluginManager, PluginManifest
from tests.support.widget_helpers import PLUGIN, WIDGET

from napari_hexrecruit._napari.commands import (
    fit_limits,
    next_quantity,
    toggle_time_and_colorbar,
)
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget
from napari_hexrecruit._napari.samples import SAMPLES, SCHEME
from napari_hexrecruit.analysis import peak, with_maps

ANALYSES = [
    "Traces",
    "Selection",
    "Compare",
    "Trials",
    "Maps",
    "Waves",
    "Wave list",
    "Significance",
]
"""Panels of analyses, as the Plugins menu lists them."""


@pytest.fixture(scope="module")
def manifest():
    path = resources.files("napari_hexrecruit") / "napari.yaml"
    return PluginManifest.from_file(str(path))


class TestManifest:
    def test_every_name_in_it_can_be_imported(self, manifest):
        manifest.validate_imports()

    def test_is_found_for_the_installed_package(self, manifest):
        installed = PluginManifest.from_distribution(PLUGIN)
        assert installed.contributions == manifest.contributions

    def test_every_contribution_has_a_command(self, manifest):
        parts = manifest.contributions
        ids = {command.id for command in parts.commands}
        used = {item.command for menu in parts.menus.values() for item in menu}
        used |= {part.command for part in (*parts.widgets, *parts.readers, *parts.writers)}
        assert used == ids

    def test_titles_in_the_palette_say_what_a_command_does(self, manifest):
        titles = {one.id: one.title for one in manifest.contributions.commands}
        for widget in manifest.contributions.widgets:
            panel, _, does = titles[widget.command].partition(": ")
            assert panel == widget.display_name
            assert len(does.split()) >= 2

    def test_menus_are_those_of_napari(self, manifest):
        from napari._app_model.constants import MenuId

        assert set(manifest.contributions.menus) <= {str(menu) for menu in MenuId.contributables()}

    def test_the_samples_are_those_there_are(self, manifest):
        samples = manifest.contributions.sample_data
        assert {sample.uri for sample in samples} == {SCHEME + name for name in SAMPLES}

    def test_a_plugin_manager_gives_widget_reader_and_writer(self, manifest):
        manager = PluginManager()
        manager.register(manifest)
        widget, *others = manager.iter_widgets()
        assert widget.display_name == WIDGET
        assert [other.display_name for other in others] == ["Flat map", *ANALYSES]
        manager.activate(PLUGIN)
        assert manager.commands.get(widget.command) is RecruitmentWidget
        for path in (
            "simulation_config.json",
            "/data/simulation_config_3.JSON",
            "run.2.hexrecruit.nc",
            "c:\\data\\simulation_config.json",
        ):
            assert [r.command for r in manager.iter_compatible_readers([path])] == [
                f"{PLUGIN}.get_reader"
            ], path
        for path in ("settings.json", "run.nc"):
            assert list(manager.iter_compatible_readers([path])) == [], path
        writer, _ = manager.get_writer("run.hexrecruit.nc", ["points"])
        assert writer.command == f"{PLUGIN}.write_layer"
        assert manager.get_writer("run.csv", ["points"]) == (None, "run.csv")
        assert manager.get_writer("run.hexrecruit.nc", ["points", "points"])[0] is None


class TestCommands:
    @pytest.fixture
    def viewer(self, make_napari_viewer, cube):
        viewer = make_napari_viewer()
        for name in ("first", "second"):
            viewer.add_layer(RecruitmentLayer(cube, name=name))
        viewer.layers.selection.clear()
        return viewer

    def test_are_in_the_layers_menu(self, viewer):
        from napari._app_model import get_app_model

        app = get_app_model()
        for menu, ids in (
            ("visualize", {"widget", "toggle_time_and_colorbar", "fit_limits", "next_quantity"}),
            ("measure", {"widget", *(name.lower().replace(" ", "_") for name in ANALYSES)}),
        ):
            items = app.menus.get_menu(f"napari/layers/{menu}")
            assert {f"{PLUGIN}.{name}" for name in ids} <= {item.command.id for item in items}

    def test_the_widget_opens_from_the_menu(self, viewer):
        from napari._app_model import get_app_model

        get_app_model().commands.execute_command(f"{PLUGIN}.widget").result()
        (widget,) = viewer.window.dock_widgets.values()
        assert isinstance(widget, RecruitmentWidget)

    def test_run_on_the_current_viewer(self, viewer):
        from napari._app_model import get_app_model

        app = get_app_model()
        app.commands.execute_command(f"{PLUGIN}.toggle_time_and_colorbar").result()
        assert all(layer.face_colorbar.visible for layer in viewer.layers)
        app.commands.execute_command(f"{PLUGIN}.fit_limits").result()
        assert viewer.layers[0].face_contrast_limits[1] != 50.0

    def test_time_and_colour_bar_come_and_go_together(self, viewer):
        stamp = show_time(viewer)
        stamp.visible = False
        toggle_time_and_colorbar(viewer)
        assert stamp.visible
        viewer.layers[0].face_colorbar.visible = False
        toggle_time_and_colorbar(viewer)
        assert all(layer.face_colorbar.visible for layer in viewer.layers)
        toggle_time_and_colorbar(viewer)
        assert not any(layer.face_colorbar.visible for layer in viewer.layers)
        assert not stamp.visible

    def test_limits_are_fitted_to_the_selected_layers(self, viewer, cube):
        first, second = viewer.layers
        viewer.layers.selection = {first}
        fit_limits(viewer)
        percentile = np.quantile(cube["recruitment"], 0.99)
        assert percentile <= first.face_contrast_limits[1] <= 1.1 * percentile
        assert tuple(second.face_contrast_limits) == (0.0, 50.0)

    def test_layers_of_another_metric_keep_their_limits(self, viewer):
        first, second = viewer.layers
        first.metric = "rate"
        before = tuple(first.face_contrast_limits)
        fit_limits(viewer)
        assert tuple(first.face_contrast_limits) == before
        assert second.face_contrast_limits[1] != 50.0

    def test_the_next_quantity_goes_round(self, viewer, cube):
        first, second = viewer.layers
        viewer.layers.selection = {first}
        first.cube = with_maps(cube, peak(cube))
        seen = []
        for _ in range(4):
            next_quantity(viewer)
            seen.append(first.metric)
        assert seen == ["n_recruited", "rate", "peak", "recruitment"]
        assert second.metric == "recruitment"

    @pytest.mark.parametrize("command", [fit_limits, next_quantity, toggle_time_and_colorbar])
    def test_without_hexagons_they_say_what_to_do(self, make_napari_viewer, command):
        from napari.utils.notifications import notification_manager

        viewer = make_napari_viewer()
        command(viewer)
        assert "load a simulation or a cube first" in notification_manager.records[-1].message
