"""The widget in a viewer, handled as a user does, and what napari tells meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.support.sonata_files import SonataFiles
from tests.support.waiting import PATIENCE_MS

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer

    from napari_hexrecruit._napari.recruitment.form import Form
    from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget

PLUGIN = "napari-hexrecruit"
WIDGET = "Hexagon recruitment"


class User:
    """Handles the widget, waits for what comes of it, and reads what napari tells meanwhile."""

    def __init__(self, viewer: Viewer, qtbot: Any) -> None:
        from napari.utils.notifications import notification_manager

        self.viewer, self.qtbot = viewer, qtbot
        self.told: list[str] = []
        notification_manager.notification_ready.connect(self._listen)
        viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)

    def _listen(self, notification: Any) -> None:
        self.told.append(str(notification.message))

    @property
    def widget(self) -> RecruitmentWidget:
        return next(iter(self.viewer.window.dock_widgets.values()))

    @property
    def form(self) -> Form:
        return self.widget.form

    def wait(self, condition: Any) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)

    def choose(self, path: Path) -> None:
        """Put a path into the file field, as the Browse button does."""
        self.form.file.value = path
        self.wait(lambda: not self.widget.busy)

    def load(self) -> None:
        """Press Load and wait for the end, good or bad."""
        self.form.load.native.click()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait for what runs and for what is about to start by itself."""
        self.wait(lambda: not self.widget.busy)

    def wait_for_details(self) -> None:
        """Wait until the files have been looked at."""
        self.wait(lambda: not self.widget.details.busy)

    def open_and_load(self, path: Path) -> Any:
        """Choose and load; the layer."""
        self.choose(path)
        self.load()
        assert self.told == []
        return self.viewer.layers[-1]

    def pick_filter(self, column: str, *values: object) -> None:
        self.form.filter_column.value = column
        self.wait_until_idle()
        if values:
            self.form.filter_values.value = list(values)


def neurons_in_a_row(n_neurons: int = 40, **changes: Any) -> SonataFiles:
    """Neurons 100 µm apart on a line; neuron k fires at 2 k ms; every second one is INH."""
    places = np.arange(n_neurons)
    options: dict[str, Any] = {
        "columns": {
            "ss_flat_x": 100.0 * places,
            "ss_flat_y": np.zeros(n_neurons),
            "synapse_class": ["EXC" if k % 2 == 0 else "INH" for k in range(n_neurons)],
            "layer": 1 + places % 6,
            "depth": 10.0 * places,
        },
        "times_ms": 2.0 * places,
        "node_ids": places,
    }
    return SonataFiles(**(options | changes))


def not_a_simulation(folder: Path) -> Path:
    """JSON of something else."""
    path = folder / "simulation_config_of_something_else.json"
    path.write_text(json.dumps({"name": "package", "version": "1.0"}))
    return path
