"""What to do with the hexagons of one simulation when another is loaded."""

from __future__ import annotations

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit._napari.widgets.parts import column, row, text


class SecondSimulation:
    """Asks once, on the panel: show two simulations side by side, or only the last one.

    Until the user answers, they are side by side, so that nothing is lost.

    Attributes
    ----------
    section
        The widget to add to the panel; visible only while it asks.
    answered
        Emitted with the answer: True for only the last simulation.
    replaces
        Whether the next simulation replaces the previous one.
    """

    answered = Signal(bool)

    def __init__(self) -> None:
        self.replaces = False
        self._is_answered = False
        self.keep = PushButton(
            text="Keep both", tooltip="Side by side, also the next simulation that is loaded"
        )
        self.replace = PushButton(
            text="Only the last",
            tooltip="Remove the hexagons of the first; so does the next simulation that is loaded",
        )
        question = text("Two simulations are side by side.")
        self.section = column("", [question, row("", [self.keep, self.replace])])
        self.section.visible = False
        self.keep.changed.connect(lambda: self._answer(False))
        self.replace.changed.connect(lambda: self._answer(True))

    def ask(self, beside: bool) -> None:
        """Show the question while two simulations are in view, unless the user has answered it."""
        self.section.visible = beside and not self._is_answered

    def _answer(self, replaces: bool) -> None:
        self.replaces, self._is_answered = replaces, True
        self.section.visible = False
        self.answered.emit(replaces)


def told_apart(one: Sources, other: Sources) -> tuple[str, str]:
    """Return names of two simulations: the last folder in which their paths differ.

    Examples
    --------
    >>> from pathlib import Path
    >>> sim = lambda *parts: Sources(Path("/data", *parts, "simulation_config.json"))
    >>> told_apart(sim("rest"), sim("stimulus"))
    ('rest', 'stimulus')
    >>> told_apart(sim("1", "run"), sim("2", "run"))
    ('1', '2')
    """
    pairs = list(zip(reversed(one.main.parts[:-1]), reversed(other.main.parts[:-1]), strict=False))
    for ours, theirs in pairs:
        if ours != theirs:
            return ours, theirs
    return one.main.stem, other.main.stem
