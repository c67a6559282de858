"""Take screenshots of the analysis panels with the medium sample; `screenshots.py` calls it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit.synthetic import MEDIUM, write_simulation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

PLUGIN = "napari-hexrecruit"
WINDOW = (1360, 960)
PANEL_WIDTH = 300
ONSET_MS, TIME_MS = 100.0, 180.0
SOURCE = (659.0, 553.0)
"""Flat x and y of the start of the sample's waves."""

Photograph = "Callable[[napari.Viewer, Path], None]"


def photograph_analyses(simulation: Path, folder: Path, photograph: Photograph) -> None:
    """Photograph all panels, and the traces in both themes."""
    cube = recruitment_cube(simulation)
    for theme in ("dark", "light"):
        with opened(theme, cortex=cube) as viewer:
            traces = dock(viewer, "Traces")
            viewer.layers[0].selected_hexes = along_the_wave(cube, 5)
            settle(traces)
            photograph(viewer, folder / f"traces-{theme}.png")
    with opened("dark", cortex=cube) as viewer:
        selection, traces = dock(viewer, "Selection"), dock(viewer, "Traces")
        selection.values.value = ["S1HL"]
        selection.pick_values.native.click()
        viewer.layers[0].selected_hexes = along_the_wave(cube, 3)
        traces.column.raster.click()
        settle(selection, traces)
        viewer.reset_view()
        settle(selection, traces)
        photograph(viewer, folder / "selection-dark.png")
    classes = {
        name: recruitment_cube(simulation, where=f"synapse_class={name}") for name in ("INH", "EXC")
    }
    with opened("light", **classes) as viewer:
        compare = dock(viewer, "Compare")
        compare.a.value, compare.b.value = viewer.layers["INH"], viewer.layers["EXC"]
        press(compare, compare.compare)
        photograph(viewer, folder / "compare-light.png")
    with opened("dark", cortex=cube) as viewer:
        trials, traces = dock(viewer, "Trials"), dock(viewer, "Traces")
        trials.source.value = "inputs"
        settle(trials)
        press(trials, trials.cut)
        viewer.layers[-1].selected_hexes = along_the_wave(cube, 3)
        viewer.dims.set_point(0, 60.0)
        viewer.reset_view()
        settle(trials, traces)
        photograph(viewer, folder / "trials-dark.png")
    with opened("dark", cortex=cube) as viewer:
        waves = dock(viewer, "Waves")
        waves.onset.value, waves.until.value = ONSET_MS, ONSET_MS + 300.0
        press(waves, waves.find)
        viewer.reset_view()
        settle(waves)
        photograph(viewer, folder / "waves-dark.png")
    with opened("dark", cortex=cube) as viewer:
        waves = dock(viewer, "Wave list")
        press(waves, waves.find)
        waves.list.value = [0]
        viewer.dims.set_point(0, TIME_MS)
        viewer.reset_view()
        settle(waves)
        photograph(viewer, folder / "wave-list-dark.png")
    with opened(
        "light", cortex=recruitment_cube(long_run(simulation.parent), bin_ms=20.0)
    ) as viewer:
        test = dock(viewer, "Significance")
        test.first.value, test.period.value, test.length.value = ONSET_MS, 300.0, 80.0
        press(test, test.test)
        viewer.dims.set_point(0, 40.0)
        viewer.reset_view()
        settle(test)
        photograph(viewer, folder / "significance-light.png")


def long_run(folder: Path) -> Path:
    """Write the sample with ten stimuli: a cluster test needs more than three."""
    stimuli = tuple(np.arange(ONSET_MS, ONSET_MS + 3000.0, 300.0).tolist())
    story = replace(MEDIUM, stimuli_ms=stimuli, tstop_ms=3000.0)
    return write_simulation(folder / "ten-stimuli", story)


@contextmanager
def opened(theme: str, **cubes: xr.Dataset) -> Iterator[napari.Viewer]:
    """Open a viewer with layers of cubes by name."""
    viewer = napari.Viewer(title="Hexagon recruitment")
    viewer.theme = theme
    viewer.window.resize(*WINDOW)
    for name, cube in cubes.items():
        add_recruitment_layer(viewer, cube, name=name)
    viewer.dims.set_point(0, TIME_MS)
    yield viewer
    viewer.close()


def dock(viewer: napari.Viewer, name: str) -> Any:
    """Open a panel of the plugin."""
    widget_dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
    if name != "Traces":
        widget_dock.window().resizeDocks([widget_dock], [PANEL_WIDTH], Qt.Orientation.Horizontal)
    settle(widget)
    viewer.reset_view()
    settle(widget)
    return widget


def press(widget: Any, button: Any) -> None:
    button.native.click()
    settle(widget)


def settle(*widgets: Any) -> None:
    """Wait until no widget is busy."""
    QTest.qWait(400)
    for _ in range(6_000):
        if not any(widget.busy for widget in widgets):
            QTest.qWait(400)
            return
        QTest.qWait(10)
    raise TimeoutError("a panel was busy for a minute")


def along_the_wave(cube: xr.Dataset, n: int) -> list[str]:
    """Return hexagons on a line away from the source of the wave."""
    x, y = cube["x"].to_numpy(), cube["y"].to_numpy()
    away = np.linspace(250.0, 1500.0, n)
    angle = np.deg2rad(38.0)
    return [
        str(cube["hex"].to_numpy()[np.argmin(np.hypot(x - place_x, y - place_y))])
        for place_x, place_y in zip(
            SOURCE[0] + away * np.cos(angle), SOURCE[1] + away * np.sin(angle), strict=True
        )
    ]
