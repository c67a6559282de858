"""Panels of analyses and the export compute in threads; the window's looks at names and times."""

from __future__ import annotations

import sys

import pytest
from qtpy.QtTest import QTest
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
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
        self._codes: set[object] = set()

    def __enter__(self) -> set[str]:
        self._before = sys.gettrace()
        sys.settrace(self._look)
        return self.names

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _look(self, frame, _event, _argument):
        """Look at each call; without a result, Python tells of no line and no return."""
        code = frame.f_code
        if code in self._codes:
            return
        self._codes.add(code)
        module = frame.f_globals.get("__name__", "")
        if module.startswith(COMPUTES):
            self.names.add(f"{module.removeprefix('napari_hexrecruit.')}.{code.co_qualname}")


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


@pytest.fixture
def pressed(user, jobs):
    """Open a panel and press a button of it: what the window's thread calls; then close it."""

    def press_in(name, button, **values):
        dock, panel = user.viewer.window.add_plugin_dock_widget(PLUGIN, name)
        for field, value in values.items():
            getattr(panel, field).value = value
        names = press(user, panel, getattr(panel, button), jobs)
        assert panel.status.wrong == "", name
        if hasattr(panel, "stage"):  # layers of its own
            panel.stage.clear()
            let_events_pass()
        user.viewer.window.remove_dock_widget(dock)
        return names

    return press_in


def test_of_panels(user, pressed):
    assert pressed("Maps", "add") == set()
    assert pressed("Trials", "cut", first=50.0, before=20.0, after=40.0) == set()
    assert pressed("Waves", "find") == set()
    assert pressed("Wave list", "find") == set()
    assert pressed("Significance", "test", period=20.0, length=10.0) == set()
    user.form.split_by.value = "synapse_class"  # two layers to compare
    user.wait_until_idle()
    assert pressed("Compare", "compare") == set()


def test_of_the_export(user, jobs, tmp_path):
    export = user.widget.export
    export.file.value = str(tmp_path / "out.gif")
    assert press(user, user.widget, export.export, jobs) == set()
    assert (tmp_path / "out.gif").is_file()
