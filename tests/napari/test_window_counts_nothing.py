"""Panels of analyses and the export compute in threads; the window's looks at names and times."""

from __future__ import annotations

import sys

import pytest
from qtpy.QtTest import QTest
from tests.support.mouse import LEFT
from tests.support.widget_helpers import PLUGIN, User, neurons_in_a_row

from napari_hexrecruit._napari.widgets import loading

COMPUTES = tuple(
    f"napari_hexrecruit.{room}"
    for room in ("analysis", "counting", "hexgrid", "pipeline", "render", "sonata", "storage")
)
"""Rooms whose functions may take as long as there are neurons, or hexagons times bins."""
LOOKS = (
    *("analysis.windows.bins_of", "analysis.maps.map_options", "analysis.onsets.periodic_onsets"),
    *("analysis.maps.with_maps", "analysis.clusters.clusters_table", "pipeline.findings."),
    *("render.window.", "render.style.", "render.movie.check_output", "render.movie._kind_of"),
    *("render.picture.is_picture", "storage.atomic.check_", "storage.claims.clear_leftovers"),
    *("hexgrid._", "hexgrid.HexGrid.__", "hexgrid.HexGrid.from_attrs", "hexgrid.HexGrid.hex_to_xy"),
)
"""Those of them that look at names, times, attributes and places, once for each hexagon at most."""


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(), qtbot)
    user.open_and_load(neurons_in_a_row().write(tmp_path))
    user.wait_for_details()
    return user


class CalledHere:
    """Functions of the rooms that compute which this thread has called, by name."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __enter__(self) -> set[str]:
        sys.setprofile(self._look)
        return self.names

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _look(self, frame, event, _argument):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith(COMPUTES):
            self.names.add(
                f"{module.removeprefix('napari_hexrecruit.')}.{frame.f_code.co_qualname}"
            )


@pytest.fixture
def jobs(monkeypatch):
    """Jobs that have ended in threads."""
    ended, guarded = [], loading._guarded
    monkeypatch.setattr(loading, "_guarded", lambda *of: [guarded(*of), ended.append(of)][0])
    return ended


def press(user, panel, button, jobs):
    """What the window's thread calls until the job behind a button has ended and is shown."""
    user.wait(lambda: not panel.busy)
    before = len(jobs)
    with CalledHere() as names:
        QTest.mouseClick(button.native, LEFT)
        user.wait(lambda: len(jobs) > before and not panel.busy)
    return {name for name in names if not name.startswith(LOOKS)}


@pytest.mark.parametrize(
    "of",
    [
        *(("Maps", "add"), ("Trials", "cut"), ("Compare", "compare")),
        *(("Waves", "find"), ("Wave list", "find"), ("Significance", "test")),
    ],
    ids=lambda of: of[0],
)
def test_of_a_panel(user, jobs, of):
    name, button = of
    user.pick_filter("synapse_class")
    user.form.split_by.value = "synapse_class"  # two layers to compare
    user.wait_until_idle()
    _, panel = user.viewer.window.add_plugin_dock_widget(PLUGIN, name)
    if name == "Significance":
        panel.period.value, panel.length.value = 20.0, 10.0
    assert press(user, panel, getattr(panel, button), jobs) == set()


def test_of_the_export(user, jobs, tmp_path):
    export = user.widget.export
    export.file.value = str(tmp_path / "out.gif")
    assert press(user, user.widget, export.export, jobs) == set()
    assert (tmp_path / "out.gif").is_file()
