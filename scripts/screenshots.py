"""Take screenshots of viewer and panels with the medium sample for README and documentation.

Usage: make screenshots (or scripts/with-display.sh python scripts/screenshots.py [FOLDER])
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import napari
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QScrollArea

from analysis_screenshots import photograph_analyses
from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit.synthetic import MEDIUM, SMALL, write_simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget

PLUGIN, WIDGET, FLAT_MAP = "napari-hexrecruit", "Hexagon recruitment", "Flat map"
WINDOW = (1360, 960)
PANEL_WIDTH = 300
TIME_MS = 180.0
"""Time at which a wave of the sample travels, ms."""


def main() -> None:
    folder = _folder()
    with tempfile.TemporaryDirectory() as place:
        simulation = write_simulation(Path(place) / "sample", MEDIUM)
        for theme in ("dark", "light"):
            with loaded(simulation, theme) as (viewer, widget):
                photograph(viewer, folder / f"viewer-{theme}.png")
                photograph_panel(widget, folder / f"widget-{theme}.png")
            with loaded(doubtful_simulation(Path(place) / theme), theme) as (_, widget):
                photograph_details(widget, folder / f"details-{theme}.png")
        with loaded(simulation, "dark", split_by="synapse_class") as (viewer, _):
            photograph(viewer, folder / "viewer-split.png")
        photograph_flat_map(simulation, folder / "flatmap-dark.png")
        photograph_analyses(simulation, folder, photograph)


@contextmanager
def loaded(
    simulation: Path, theme: str, split_by: str = ""
) -> Iterator[tuple[napari.Viewer, RecruitmentWidget]]:
    """Open a viewer with the simulation loaded through the widget."""
    viewer = napari.Viewer(title="Hexagon recruitment")
    viewer.theme = theme
    viewer.window.resize(*WINDOW)
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    dock.window().resizeDocks([dock], [PANEL_WIDTH], Qt.Orientation.Horizontal)
    widget.form.file.value = simulation
    wait_until(lambda: not widget.busy)
    widget.form.split_by.value = split_by
    widget.form.load.native.click()
    wait_until(lambda: not widget.busy and not widget.details.busy)
    viewer.dims.set_point(0, TIME_MS)
    viewer.reset_view()
    QTest.qWait(500)
    yield viewer, widget
    viewer.close()


def photograph_flat_map(simulation: Path, path: Path) -> None:
    """Photograph hexagons with regions from their neurons, and the check of these regions."""
    viewer = napari.Viewer(title="Flat map")
    viewer.theme = "dark"
    viewer.window.resize(*WINDOW)
    add_recruitment_layer(viewer, recruitment_cube(simulation))
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, FLAT_MAP)
    dock.window().resizeDocks([dock], [PANEL_WIDTH], Qt.Orientation.Horizontal)
    widget.form.source.value = "neurons"
    for button in (widget.form.add, widget.form.check):
        button.native.click()
        wait_until(lambda: not widget.busy)
    viewer.dims.set_point(0, TIME_MS)
    viewer.layers["neurons, alignment"].visible = False
    viewer.reset_view()
    QTest.qWait(500)
    photograph(viewer, path)
    viewer.close()


def photograph(viewer: napari.Viewer, path: Path) -> None:
    """Photograph the whole window, as if the mouse were elsewhere."""
    viewer.mouse_over_canvas = False
    viewer.status = "Ready"
    QTest.qWait(100)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    print(f"{path}: {path.stat().st_size // 1024} kB")


def photograph_panel(widget: RecruitmentWidget, path: Path) -> None:
    """Photograph the whole panel, at its width in the window."""
    panel = widget.native.findChild(QScrollArea).widget()
    panel.grab().save(str(path))
    print(f"{path}: {path.stat().st_size // 1024} kB")


def doubtful_simulation(folder: Path) -> Path:
    """Write a sample whose times have no unit, with some spikes of unknown ids."""
    simulation = write_simulation(folder / "run", SMALL)
    with h5py.File(simulation.parent / "output" / "spikes.h5", "r+") as file:
        spikes = file["spikes/cortex"]
        del spikes["timestamps"].attrs["units"]
        spikes["node_ids"][:50] = 10 * SMALL.n_neurons
    return simulation


def photograph_details(widget: RecruitmentWidget, path: Path) -> None:
    """Photograph the open details."""
    section = widget.details.section
    section[0].native.click()
    QTest.qWait(100)
    section.native.grab().save(str(path))
    print(f"{path}: {path.stat().st_size // 1024} kB")


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if condition():
            return
        QTest.qWait(10)
    raise TimeoutError("the widget was busy for a minute")


def _folder() -> Path:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[1] / "docs" / "_static"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
