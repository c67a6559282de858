"""Layers that are removed from a window in which they were drawn."""

from __future__ import annotations

from qtpy.QtGui import QOpenGLContext
from tests.support.qt_events import let_events_pass
from vispy.gloo.glir import GlirParser

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer


def test_what_was_drawn_is_deleted_in_the_context_of_its_canvas(
    make_napari_viewer, cube, monkeypatch
):
    viewer = make_napari_viewer(show=True)
    viewer.add_layer(RecruitmentLayer(cube))
    layer = viewer.add_layer(RecruitmentLayer(cube))
    layer.selected_hexes = [str(cube["hex"].values[3])]
    let_events_pass()
    own = viewer.window._qt_window._qt_viewer.canvas.native.context()
    deleted, parse = [], GlirParser._parse

    def watched(self, command):
        if command[0] == "DELETE":
            deleted.append(QOpenGLContext.currentContext() is own)
        return parse(self, command)

    monkeypatch.setattr(GlirParser, "_parse", watched)
    viewer.layers.remove(layer)
    assert len(deleted) > 10 and all(deleted)
    let_events_pass()
