"""Panels beside a model of a viewer: what is asked of fields, cubes and sentences needs no more.

Nothing is drawn then, which is most of what a window costs.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import User

from napari_hexrecruit._napari.recruitment.widget import RecruitmentWidget


class PanelUser(User):
    """Handles the panel as in a window, but beside a viewer that draws nothing."""

    def __init__(self, qtbot: Any, *, show: bool = False, viewer: Any = None) -> None:
        from napari.utils.notifications import notification_manager

        self.viewer = a_viewer() if viewer is None else viewer
        self.qtbot, self.told = qtbot, []
        notification_manager.notification_ready.connect(self._listen)
        self._panel = RecruitmentWidget(self.viewer)
        self.holder = held(qtbot, self._panel.native, show=show)

    @property
    def widget(self) -> RecruitmentWidget:
        return self._panel

    def close(self) -> None:
        """Close the panel, as when its dock is closed."""
        empty(self.holder)


def held(qtbot: Any, panel: QWidget, *, show: bool = False) -> QWidget:
    """A widget around a panel, in place of a dock; at the end the panel leaves it, as it does."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(panel)
    qtbot.addWidget(holder, before_close_func=empty)
    if show:
        with qtbot.waitExposed(holder):
            holder.show()
    return holder


def empty(holder: QWidget) -> None:
    """Let a panel leave what holds it, as when its dock is closed."""
    for panel in holder.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        panel.setParent(None)
        panel.deleteLater()
