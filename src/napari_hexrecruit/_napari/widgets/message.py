"""The message area of a panel; an error stays visible until it is fixed."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import TextEdit
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QSizePolicy

_LOOK = "QTextEdit { background: transparent; border: none; padding: 0px; }"
_WRONG = (
    "QTextEdit { background: rgba(217, 83, 79, 40); border: none;"
    " border-left: 3px solid #d9534f; padding: 0px 0px 0px 2px; }"
)
"""The text has the theme's colour, legible on any theme; a bar and a background mark an error."""
_SPARE = 4
"""Extra height, px; without it Qt shows a scroll bar although the lines fit."""
_MOST_OF_TOAST = 300
"""Characters; napari cuts longer texts, and the panel shows them complete."""


class Message(TextEdit):
    """A text of fixed height; longer texts scroll.

    Summary, progress and error are stored separately: progress hides an error, and an error hides
    the summary, so that none is lost.

    Parameters
    ----------
    said
        Initial text.
    lines
        Height, in lines of its font.
    """

    def __init__(self, said: str = "", *, lines: int = 3) -> None:
        super().__init__(value=said)
        self._said, self._doing, self._wrong = said, "", ""
        native: Any = self.native
        native.setReadOnly(True)
        native.setTabChangesFocus(True)
        native.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        native.setFrameShape(QFrame.Shape.NoFrame)
        native.document().setDocumentMargin(1)
        native.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        native.setStyleSheet(_LOOK)
        self._room = _Room(native, lines)

    @property
    def wrong(self) -> str:
        """The current error; empty without an error."""
        return self._wrong

    def say(self, sentence: str) -> None:
        """Set the summary; it is visible while there is neither progress nor an error."""
        self._said = sentence
        self._show()

    def doing(self, sentence: str = "") -> None:
        """Show the progress of the work; an empty sentence removes it."""
        self._doing = sentence
        self._show()

    def refuse(self, sentence: str, panel: str) -> None:
        """Show an error until `mended` is called, and notify the user.

        Parameters
        ----------
        sentence
            The reason, followed by the place on further lines.
        panel
            Title of the panel, named in the notification.
        """
        is_path = sentence.startswith(("/", "~", "."))
        self._wrong = sentence if is_path else sentence[:1].upper() + sentence[1:]
        self._doing = ""
        self._show()
        show_error(toast(sentence, panel))

    def mended(self) -> None:
        """Clear the error."""
        self._wrong = ""
        self._show()

    def _show(self) -> None:
        shown = self._doing or self._wrong or self._said
        is_wrong = shown == self._wrong != ""
        native: Any = self.native
        look = _WRONG if is_wrong else _LOOK
        if native.styleSheet() != look:
            native.setStyleSheet(look)
        native.setAccessibleName("Error" if is_wrong else "Message")
        if self.value != shown:
            self.value = shown
        self.tooltip = self._wrong if is_wrong else ""


def toast(sentence: str, panel: str) -> str:
    r"""Return the text of a notification: the reason, shortened, and the panel with the full text.

    Examples
    --------
    >>> toast("The bin is 0 ms: give a positive width\nWhere: bin_ms", "Hexagon recruitment")
    'The bin is 0 ms: give a positive width (panel Hexagon recruitment)'
    """
    reason = sentence.partition("\n")[0]
    if len(reason) > _MOST_OF_TOAST:
        reason = reason[:_MOST_OF_TOAST].rpartition(" ")[0] + " ..."
    return f"{reason} (panel {panel})"


class _Room(QObject):
    """Keeps the height of a text at a number of lines of its font."""

    _RENEWED = (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Show)

    def __init__(self, text: Any, lines: int) -> None:
        super().__init__(text)
        self._text, self._lines = text, lines
        text.installEventFilter(self)
        self._fit()

    def _fit(self) -> None:
        text = self._text
        margins: QSize = QSize(2, 2) * int(text.document().documentMargin() + 1)
        height = self._lines * text.fontMetrics().lineSpacing() + margins.height() + _SPARE
        if text.height() != height or text.minimumHeight() != height:
            text.setFixedHeight(height)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Fit again when the font changes."""
        if event.type() in self._RENEWED:
            self._fit()
        return False
