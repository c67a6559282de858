"""A field for a file, which emits complete paths, not every character."""

from __future__ import annotations

import os
from typing import Any

from magicgui.widgets import FileEdit
from psygnal import Signal


class PathField:
    """Watches a file field.

    Parameters
    ----------
    field
        The field that the user types into, pastes into, or fills with Browse.

    Attributes
    ----------
    chosen
        Emitted with the path of an existing file, or with any text, even an empty one, when the
        user finishes typing.
    """

    chosen = Signal(str)

    def __init__(self, field: FileEdit) -> None:
        self.field = field
        self._known = ""
        field.changed.connect(self._on_changed)
        native: Any = field.line_edit.native
        native.editingFinished.connect(self._on_finished)

    def show(self, path: str) -> None:
        """Show a path without announcing it."""
        self._known = path
        self.field.line_edit.value = path
        self.field.line_edit.tooltip = path

    def _on_changed(self) -> None:
        text = self.field.line_edit.value
        if text != self._known and os.path.isfile(text):
            self._announce(text)

    def _on_finished(self) -> None:
        text = self.field.line_edit.value.strip()
        if text != self._known:
            self._announce(text)

    def _announce(self, text: str) -> None:
        self._known = text
        self.chosen.emit(text)
