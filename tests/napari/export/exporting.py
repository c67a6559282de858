"""A user of the section Export."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from napari import Viewer
from napari.utils.notifications import notification_manager
from tests.support.looking import canvas, scene
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import User

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.shown_cube import cube_of as cube_of_layer
from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget


class Exporter(User):
    """A user of the section Export, in a window or with the widget alone."""

    def __init__(self, viewer, qtbot):
        self._alone = None
        if isinstance(viewer, Viewer):
            super().__init__(viewer, qtbot)
            return
        self.viewer, self.qtbot, self.told = viewer, qtbot, []
        notification_manager.notification_ready.connect(self._listen)
        self._alone = RecruitmentWidget(viewer)
        qtbot.addWidget(self._alone.native)

    @property
    def widget(self):
        return super().widget if self._alone is None else self._alone

    @property
    def panel(self):
        return self.widget.export

    def export(self, output, **fields):
        """Fill the fields, press Export, and wait for the end, good or bad."""
        self.fill(output, **fields)
        self.panel.export.native.click()
        self.wait(lambda: not self.panel.busy)

    def fill(self, output, **fields):
        name = str(output)
        self.panel.file.value = name if not name or Path(name).suffix else f"{name}/"
        for name, value in fields.items():
            getattr(self.panel, name).value = value


def user_of(viewer, qtbot, cube):
    add_recruitment_layer(viewer, cube)
    user = Exporter(viewer, qtbot)
    viewer.dims.set_point(0, 3020.0)
    viewer.reset_view()
    let_events_pass()
    return user


def forget_export(user):
    """As before anything was exported: for the next case of a test."""
    user.told.clear()
    user.panel.file.value = ""


def in_one_window(user, folder, *checks):
    """One check after the other, each with fields as at first and an empty folder of its own."""
    panel = user.panel
    for check in checks:
        path = folder / check.__name__
        path.mkdir()
        check(user, path)
        forget_export(user)
        panel.what.value = "hexagons"
        panel.start.value, panel.stop.value, panel.step.value = 3000.0, 3050.0, 10.0
        panel.background.value, panel.width.value, panel.height.value = "white", 320.0, 240.0


def state_of(viewer):
    """All that an export must not change."""
    layer = next(layer for layer in viewer.layers if cube_of_layer(layer) is not None)
    camera = scene(viewer).camera
    return (
        tuple(viewer.dims.point),
        tuple(camera.center),
        camera.zoom,
        tuple(camera.angles),
        {one.name for one in viewer.layers.selection},
        set(layer.selected_data),
        layer.current_bin,
        layer.face_colorbar.visible,
        canvas(viewer).overlays.scale_bar.visible,
    )


def frames_of(path):
    return np.stack(list(iio.imiter(path)))
