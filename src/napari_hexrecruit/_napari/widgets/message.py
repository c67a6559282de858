"""What a panel says of its work, with room of its own; what is wrong stands until it is mended."""

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
"""The ink is the theme's, which is legible on either; a bar and a ground say that it is wrong."""
_SPARE = 4
"""Without it Qt shows a scroll bar beside as many lines, px."""
_MOST_OF_TOAST = 300
"""Letters; napari cuts longer ones, and the panel has them all."""


class Message(TextEdit):
    """A text of some lines that takes the same room whatever it says; longer ones scroll.

    What is said, what is being done and what is wrong are kept apart: progress stands before an
    error, and this before a summary, so that neither is lost to another.

    Parameters
    ----------
    said
        What it says at first.
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
        """The sentence that stands until it is mended; empty where all is well."""
        return self._wrong

    def say(self, sentence: str) -> None:
        """Tell what there is, or what came of the work; seen once nothing is wrong."""
        self._said = sentence
        self._show()

    def doing(self, sentence: str = "") -> None:
        """Tell how far the work is; without a sentence, that it has ended."""
        self._doing = sentence
        self._show()

    def refuse(self, sentence: str, panel: str) -> None:
        """Tell what is wrong until `mended`, and notify of it.

        Parameters
        ----------
        sentence
            Reason first; in further lines where it is.
        panel
            Title of the panel, to which the notification points.
        """
        is_path = sentence.startswith(("/", "~", "."))
        self._wrong = sentence if is_path else sentence[:1].upper() + sentence[1:]
        self._doing = ""
        self._show()
        show_error(toast(sentence, panel))

    def mended(self) -> None:
        """Nothing is wrong any more."""
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
    r"""What a notification says: the reason, shortened, and where to read on.

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
    """Keeps a text as high as some lines of its font."""

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
        """Fit again where the font has changed."""
        if event.type() in self._RENEWED:
            self._fit()
        return False
