"""A panel of analyses, handled as a user does."""

from __future__ import annotations

from napari import Viewer
from qtpy.QtTest import QTest
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import PATIENCE_MS, PLUGIN

from napari_hexrecruit._napari.analysis.compare import CompareWidget
from napari_hexrecruit._napari.analysis.maps import MapsWidget
from napari_hexrecruit._napari.analysis.selection import SelectionWidget
from napari_hexrecruit._napari.analysis.trials import TrialsWidget
from napari_hexrecruit._napari.analysis.waves import WavesWidget

WIDGETS = {
    "Compare": CompareWidget,
    "Trials": TrialsWidget,
    "Maps": MapsWidget,
    "Waves": WavesWidget,
    "Selection": SelectionWidget,
}


class Panel:
    """A panel in a viewer, handled as a user does, and what napari tells."""

    def __init__(self, viewer, qtbot, name):
        from napari.utils.notifications import notification_manager

        self.viewer, self.qtbot, self.told = viewer, qtbot, []
        notification_manager.notification_ready.connect(self._listen)
        if isinstance(viewer, Viewer):
            _, self.widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        else:
            self.widget = self._beside_no_window(WIDGETS[name])
        self.wait()

    def _beside_no_window(self, kind):
        """The widget alone, which hears of layers as it does in a window."""
        widget, events = kind(self.viewer), self.viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered):
            emitter.connect(widget.reset_choices)
        self.qtbot.addWidget(widget.native)
        return widget

    def _listen(self, notification):
        self.told.append(str(notification.message))

    def wait(self):
        let_events_pass()
        self.qtbot.waitUntil(lambda: not self.widget.busy, timeout=PATIENCE_MS)

    def press(self, button):
        QTest.mouseClick(button.native, LEFT)
        self.wait()

    def layer(self, role):
        return self.widget.stage.layer(role)

    @property
    def visible(self):
        return [layer.name for layer in self.viewer.layers if layer.visible]


def time_range(viewer):
    return tuple(viewer.dims.range[viewer.dims.ndim - 3])
