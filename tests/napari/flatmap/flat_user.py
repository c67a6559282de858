"""The panel "Flat map", handled as a user does."""

from __future__ import annotations

from tests.napari.widgets.windowless import held
from tests.support.waiting import PATIENCE_MS
from tests.support.widget_helpers import PLUGIN

from napari_hexrecruit._napari.flatmap.layers import METADATA_KEY
from napari_hexrecruit._napari.flatmap.widget import FlatMapWidget


class User:
    """Handles the panel in a window, or beside a viewer that draws nothing; and what is told."""

    def __init__(self, viewer, qtbot):
        from napari.utils.notifications import notification_manager

        self.viewer, self.qtbot, self.told = viewer, qtbot, []
        notification_manager.notification_ready.connect(self._listen)
        if hasattr(viewer, "window"):
            _, self.widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Flat map")
        else:
            self.widget = FlatMapWidget(viewer)
            self.holder = held(qtbot, self.widget.native)
        self.form = self.widget.form

    def _listen(self, notification):
        self.told.append(str(notification.message))

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.widget.busy, timeout=PATIENCE_MS)

    def press(self, button):
        button.native.click()
        self.wait()

    def add_image(self, path, **fields):
        self.form.source.value = "image"
        self.form.file.value = path
        self.wait()
        for name, value in fields.items():
            getattr(self.form, name).value = value
        self.press(self.form.add)

    def add_atlas(self, **files):
        self.form.source.value = "atlas"
        for name, path in files.items():
            getattr(self.form, name).value = path
        self.press(self.form.add)

    def add_neurons(self, column=None):
        self.form.source.value = "neurons"
        self.wait()
        if column is not None:
            self.form.region_column.value = column
        self.press(self.form.add)

    def check(self):
        self.press(self.form.check)
        return self.form.result.value

    def layer(self, part):
        return next(
            layer
            for layer in self.viewer.layers
            if METADATA_KEY in layer.metadata and layer.metadata[METADATA_KEY].part == part
        )

    @property
    def names(self):
        return [layer.name for layer in self.viewer.layers]
