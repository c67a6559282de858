"""The section "Details" of the widget: findings in the files, and assumptions of the hexagons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from magicgui.widgets import PushButton, TextEdit
from napari.utils.theme import get_theme
from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFrame, QSizePolicy, QWidget

from napari_hexrecruit._napari.recruitment.details import (
    DARK,
    LIGHT,
    as_html,
    as_text,
    counted,
    gathered,
)
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit._napari.widgets.fold import Fold
from napari_hexrecruit._napari.widgets.loading import Jobs, Outcome
from napari_hexrecruit._napari.widgets.parts import row
from napari_hexrecruit.pipeline.findings import Finding

_AFTER_MS = 300
"""Pause after loading, so that the check does not delay the user's next action on the files."""
_MOST_HEIGHT = 340
_LEAST_HEIGHT = 40
_NOTHING = "No simulation is chosen."
_CHECKING = "Checking the files ..."


class DetailsPanel:
    """Checks the files of one simulation in a separate thread while nothing else is running.

    Parameters
    ----------
    viewer
        The viewer whose theme decides the text colours.
    parent
        The Qt widget that owns timer and job.

    Attributes
    ----------
    section
        The widget to add to the panel.
    """

    def __init__(self, viewer: Viewer, parent: QWidget) -> None:
        self._viewer = viewer
        self._sources: Sources | None = None
        self._findings: list[Finding] | None = None
        self._noted: tuple[Sources | None, tuple[str, ...]] = (None, ())
        self._warnings: tuple[str, ...] = ()
        self._error: str | None = None
        self._opened_itself = False
        self.text = _text_area()
        self.copy = PushButton(text="Copy", tooltip="Put this list on the clipboard as text")
        self.again = PushButton(text="Look again", tooltip="Look at the files again")
        self._fold = Fold(
            "Details",
            "What was found in the files of the simulation, and what is assumed;"
            " hexrecruit check prints the same",
            [self.text, row("", [self.copy, self.again])],
        )
        self.section = self._fold.section
        self._jobs = Jobs(lambda _: None, parent)
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER_MS)
        self._timer.timeout.connect(self._look)
        self._connect()
        self._show()

    @property
    def busy(self) -> bool:
        """Whether files are being checked, or are about to be."""
        return self.looking or self._timer.isActive()

    @property
    def looking(self) -> bool:
        """Whether files are being checked."""
        return self._jobs.running

    @property
    def opened(self) -> bool:
        """Whether the list is open."""
        return self._fold.opened

    @property
    def entries(self) -> list[Finding]:
        """Listed findings, errors first."""
        about, notes = self._noted
        same = self._sources is None or about == self._sources
        return gathered(self._findings or (), notes if same else (), self._error, self._warnings)

    def close(self) -> None:
        """Cancel the check, and stop listening to the viewer."""
        self.pause()
        self._viewer.events.theme.disconnect(self._show)

    # --- what it is told --------------------------------------------------------------------------

    def examine(self, sources: Sources, error: str | None = None) -> None:
        """Check files soon, and show the error that they caused.

        Parameters
        ----------
        sources
            The files. Findings in other files are removed.
        error
            Why they could not be opened or loaded; an error opens the list. None: no error.
        """
        self._sources, self._findings, self._error = sources, None, error
        if error is not None and not self._fold.opened:
            self._opened_itself = self._fold.opened = True
        elif error is None and self._opened_itself:
            self._opened_itself = self._fold.opened = False
        self._show()
        self._timer.start()

    def about(self, sources: Sources) -> None:
        """Check these files, which were loaded without an error, unless they are known."""
        if self._error is not None or self._sources != sources:
            self.examine(sources)

    def note(
        self, sources: Sources | None, notes: Iterable[str], warnings: Iterable[str] = ()
    ) -> None:
        """Show the assumptions behind the shown hexagons.

        Parameters
        ----------
        sources
            Files of the simulation.
        notes
            Assumptions, one sentence each.
        warnings
            The subset of the notes that report doubtful input.
        """
        self._noted, self._warnings = (sources, tuple(notes)), tuple(warnings)
        self._show()

    def pause(self) -> None:
        """Stop checking until `resume`: more urgent work needs the files and the processor."""
        self._timer.stop()
        self._jobs.cancel()

    def resume(self) -> None:
        """Start the check again if it is not finished."""
        if self._sources is not None and self._findings is None and not self.busy:
            self._timer.start()

    # --- at work ----------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.copy.changed.connect(self._copy)
        self.again.changed.connect(self._look_again)
        self._fold.toggled.connect(self._on_toggled)
        native: Any = self.text.native
        native.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._viewer.events.theme.connect(self._show)

    def _look(self) -> None:
        sources = self._sources
        if sources is not None:
            self._jobs.start(sources.check, self._on_looked)
            self._show()

    def _look_again(self) -> None:
        self._findings = None
        self._look()

    def _on_looked(self, outcome: Outcome[list[Finding]]) -> None:
        failed = [Finding("error", "", outcome.error)] if outcome.error is not None else []
        self._findings = outcome.value if outcome.value is not None else failed
        self._show()

    def _on_toggled(self) -> None:
        self._opened_itself = False

    def _copy(self) -> None:
        clipboard: Any = QApplication.clipboard()
        clipboard.setText(as_text(self.entries))

    # --- what is seen -----------------------------------------------------------------------------

    def _show(self, event: object = None) -> None:
        entries = self.entries
        waiting = self._sources is not None and self._findings is None
        self._fold.title = f"Details: {counted(entries)}" if entries else "Details"
        folder = self._sources.main.parent if self._sources is not None else None
        html = as_html(entries, folder, self._inks())
        ending = _CHECKING if waiting else "" if entries else _NOTHING
        native: Any = self.text.native
        native.setHtml(html + (f"<p>{ending}</p>" if ending else ""))
        self.copy.enabled = bool(entries)
        self.again.enabled = self._sources is not None and not waiting
        self._fit()

    def _inks(self) -> Any:
        red, green, blue = get_theme(self._viewer.theme).background.as_rgb_tuple()[:3]
        return DARK if red + green + blue < 3 * 128 else LIGHT

    def _fit(self, size: object = None) -> None:
        """Make the area as high as its text, up to a limit; beyond it, the text scrolls."""
        native: Any = self.text.native
        around = native.height() - native.viewport().height() if native.isVisible() else 10
        needed = int(native.document().size().height()) + max(around, 0)
        native.setFixedHeight(min(max(needed, _LEAST_HEIGHT), _MOST_HEIGHT))


def _text_area() -> TextEdit:
    """Make a read-only text area; mouse and keyboard can select and copy its text."""
    area = TextEdit()
    native: Any = area.native
    native.setReadOnly(True)
    native.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    native.setTabChangesFocus(True)
    native.setAccessibleName("Details")
    native.setFrameShape(QFrame.Shape.NoFrame)
    native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return area
