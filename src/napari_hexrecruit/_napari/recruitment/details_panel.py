"""The part "Details" of the widget: what was found in the files, and what the hexagons assume."""

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
"""Pause after loading: the user may go on, and the files shall be free."""
_MOST_HEIGHT = 340
_LEAST_HEIGHT = 40
_NOTHING = "No simulation is chosen."
_CHECKING = "The files are being looked at ..."


class DetailsPanel:
    """Looks at the files of one simulation in a thread of its own, whenever nothing else is done.

    Parameters
    ----------
    viewer
        Whose theme the text is coloured for.
    parent
        The Qt widget that timer and thread end with.

    Attributes
    ----------
    section
        What is on the panel.
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
            "What was found in the files of the simulation, and what was taken for granted;"
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
        """Whether files are being looked at, or are about to be."""
        return self.looking or self._timer.isActive()

    @property
    def looking(self) -> bool:
        """Whether files are being looked at."""
        return self._jobs.running

    @property
    def opened(self) -> bool:
        """Whether the list is seen."""
        return self._fold.opened

    @property
    def entries(self) -> list[Finding]:
        """What is listed, errors first."""
        about, notes = self._noted
        same = self._sources is None or about == self._sources
        return gathered(self._findings or (), notes if same else (), self._error, self._warnings)

    def close(self) -> None:
        """Cancel, and hear no more of the viewer."""
        self.pause()
        self._viewer.events.theme.disconnect(self._show)

    # --- what it is told --------------------------------------------------------------------------

    def examine(self, sources: Sources, error: str | None = None) -> None:
        """Look at these files soon, and say what went wrong with them.

        Parameters
        ----------
        sources
            The files. What was found in others is not shown any more.
        error
            Why they could not be opened or loaded; opens the list. None: all went well.
        """
        self._sources, self._findings, self._error = sources, None, error
        if error is not None and not self._fold.opened:
            self._opened_itself = self._fold.opened = True
        elif error is None and self._opened_itself:
            self._opened_itself = self._fold.opened = False
        self._show()
        self._timer.start()

    def about(self, sources: Sources) -> None:
        """Say that all went well with these files, which are looked at unless they have been."""
        if self._error is not None or self._sources != sources:
            self.examine(sources)

    def note(
        self, sources: Sources | None, notes: Iterable[str], warnings: Iterable[str] = ()
    ) -> None:
        """Say what was assumed for the hexagons that are shown, of this simulation.

        Parameters
        ----------
        sources
            The simulation.
        notes
            The sentences.
        warnings
            Those of them that say what may not be meant.
        """
        self._noted, self._warnings = (sources, tuple(notes)), tuple(warnings)
        self._show()

    def pause(self) -> None:
        """Leave the files and the processor to more urgent work, until `resume`."""
        self._timer.stop()
        self._jobs.cancel()

    def resume(self) -> None:
        """Go on where something is left to look at."""
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
        """As high as the text, up to a limit; then it scrolls."""
        native: Any = self.text.native
        around = native.height() - native.viewport().height() if native.isVisible() else 10
        needed = int(native.document().size().height()) + max(around, 0)
        native.setFixedHeight(min(max(needed, _LEAST_HEIGHT), _MOST_HEIGHT))


def _text_area() -> TextEdit:
    """Text that can be selected and copied by mouse and keys, and wraps anywhere."""
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
