"""The window is closed while a flat map is read: no more is read than what was at hand."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtTest import QTest
from tests.support.atlas_files import letter_flatmap
from tests.support.mouse import LEFT
from tests.support.waiting import PATIENCE_MS, PATIENCE_S, wait_until
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit._napari.widgets import loading
from napari_hexrecruit.atlas import volumes

N_BEFORE = 3


class Reading:
    """Counts blocks that are read, of hundreds; from the third on each waits for the closing."""

    def __init__(self, monkeypatch) -> None:
        self.n_read, self.closed, self.ended = 0, threading.Event(), threading.Event()
        blocks, guarded = volumes.read_blocks, loading._guarded

        def slowly(header):
            for first, block in blocks(header):
                for at in range(len(block)):
                    self.n_read += 1
                    if self.n_read > N_BEFORE:
                        assert self.closed.wait(PATIENCE_S)
                    yield first + at, block[at : at + 1]

        def told(work, monitor):
            try:
                return guarded(work, monitor)
            finally:
                self.ended.set()

        monkeypatch.setattr(volumes, "read_blocks", slowly)
        monkeypatch.setattr(loading, "_guarded", told)


@pytest.mark.parametrize("what", ["window", "panel"])
def test_it_ends_with_what_was_at_hand(make_napari_viewer, qtbot, monkeypatch, tmp_path, what):
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Flat map")
    panel.form.source.value = "atlas"
    letter_flatmap().save_nrrd(str(tmp_path / "flatmap.nrrd"))
    panel.form.flatmap.value = tmp_path / "flatmap.nrrd"
    reading = Reading(monkeypatch)
    QTest.mouseClick(panel.form.add.native, LEFT)
    qtbot.waitUntil(lambda: reading.n_read > N_BEFORE, timeout=PATIENCE_MS)
    if what == "window":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(panel.native)
    reading.closed.set()
    wait_until(reading.ended.is_set)
    assert reading.n_read <= N_BEFORE + 2
