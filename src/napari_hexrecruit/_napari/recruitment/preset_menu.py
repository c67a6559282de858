"""The button "Presets": applies named choices to the simulation, and saves the current ones."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from magicgui.widgets import PushButton
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QMenu

from napari_hexrecruit._napari.recruitment.presets import (
    ENDING,
    presets_folder,
    ready_presets,
    saved_presets,
)
from napari_hexrecruit._napari.widgets.parts import row

_FILES = f"Run file (*{ENDING} *.yml)"


class PresetMenu:
    """A menu of presets: built-in ones, saved ones, and other run files.

    Attributes
    ----------
    section
        The widget to add to the panel.
    button
        Opens the menu.
    ready_chosen
        Emitted with the chosen `Ready`.
    file_chosen
        Emitted with the path of a run file whose choices to apply.
    file_named
        Emitted with the path of a run file for the current choices, and with True if the user has
        agreed to replace it.
    """

    ready_chosen = Signal(object)
    file_chosen = Signal(object)
    file_named = Signal(object, bool)

    def __init__(self) -> None:
        self.button = PushButton(
            text="Presets",
            enabled=False,
            tooltip="Choices by name: apply them to this simulation, save them, or share them as"
            " run files of hexrecruit cube",
        )
        self.section = row("", [self.button])
        self._columns: Collection[str] = ()
        native: Any = self.button.native
        self._menu = QMenu(native)
        self._menu.aboutToShow.connect(self._fill)
        native.setMenu(self._menu)

    def offer(self, columns: Collection[str]) -> None:
        """Offer the presets that fit a simulation with these properties."""
        self._columns = columns
        self.button.enabled = True

    def _fill(self) -> None:
        menu: Any = self._menu
        menu.clear()
        for preset in ready_presets(self._columns):
            menu.addAction(preset.title, lambda one=preset: self.ready_chosen.emit(one))
        menu.addSeparator()
        for path in saved_presets():
            menu.addAction(path.stem, lambda one=path: self.file_chosen.emit(one))
        menu.addSeparator()
        menu.addAction("Save these choices ...", self._save)
        menu.addAction("Apply a run file ...", self._open)

    def _save(self) -> None:
        folder = presets_folder()
        if folder is not None:
            with suppress(OSError):  # the dialog then opens another folder
                folder.mkdir(parents=True, exist_ok=True)
        start = "" if folder is None else str(folder / f"My choices{ENDING}")
        chosen, _ = QFileDialog.getSaveFileName(
            self.button.native, "Save the choices as a preset", start, _FILES
        )
        if chosen:
            path = Path(chosen)
            final = path if path.suffix else path.with_name(path.name + ENDING)
            self.file_named.emit(final, final == path)

    def _open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self.button.native, "Apply the choices of a run file", "", _FILES
        )
        if chosen:
            self.file_chosen.emit(Path(chosen))
