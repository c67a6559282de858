"""Saving the cube in view, in a thread."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QWidget

from napari_hexrecruit._napari.layers.saving import ask_for_cube
from napari_hexrecruit._napari.recruitment.chooser import TITLE
from napari_hexrecruit._napari.recruitment.shown import Shown
from napari_hexrecruit._napari.recruitment.work import summary
from napari_hexrecruit._napari.widgets.loading import Jobs, Outcome
from napari_hexrecruit._napari.widgets.message import Message
from napari_hexrecruit.storage.cubes import write_cube


class CubeFile:
    """Asks for a file and writes the cube of a layer into it.

    Parameters
    ----------
    shown
        The layers whose cube is saved.
    status
        Message area for the outcome.
    parent
        The Qt widget that is the parent of the dialog and owns the job.
    """

    def __init__(self, shown: Shown, status: Message, parent: QWidget) -> None:
        self._shown, self._status, self._parent = shown, status, parent
        self._jobs = Jobs(lambda _: None, parent)

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._jobs.running

    def close(self) -> None:
        """Cancel the writing."""
        self._jobs.cancel()

    def save(self) -> None:
        """Ask for a file name, and write the cube."""
        layer, cubes = self._shown.looked_at[-1], self._shown.cubes
        asked = ask_for_cube(self._parent, layer.name)
        if asked is None:
            return
        path, confirmed = asked
        self._jobs.start(lambda _: write_cube(cubes[-1], path, overwrite=confirmed), self._on_saved)

    def _on_saved(self, outcome: Outcome[Path]) -> None:
        if outcome.value is not None:
            self._status.mended()
            self._status.say(f"Saved {outcome.value.name}. {summary(self._shown.cubes)}")
        elif outcome.error is not None:
            self._status.refuse(outcome.reason, TITLE)
