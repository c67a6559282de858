"""Offers of an empty panel: a simulation of the user, the sample, and recent simulations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from magicgui.widgets import PushButton
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_hexrecruit._napari.widgets.parts import column, name_choice, row

MOST_RECENT = 8


class Start:
    """First steps, visible while there is neither a simulation nor hexagons.

    Attributes
    ----------
    section
        The widget to add to the panel.
    chosen
        Emitted with the path of the chosen simulation.
    sample_wanted, tour_wanted
        Emitted when the user requests the sample or the tour.
    """

    chosen = Signal(object)
    sample_wanted = Signal()
    tour_wanted = Signal()

    def __init__(self) -> None:
        self.open = PushButton(
            text="Open a simulation ...", tooltip="Choose a SONATA simulation configuration"
        )
        self.sample = PushButton(
            text="Try the sample",
            tooltip="2,000 neurons with a wave; written once into the cache, without a network",
        )
        self.recent = name_choice(
            "Recent", [("Recent ...", "")], "A simulation that was open before"
        )
        self.tour = PushButton(
            text="Show me around", tooltip="Five or six sentences on this panel; Esc ends it"
        )
        buttons = [self.open, self.sample, self.tour]
        self.section = column("", [row("", buttons), self.recent])
        self.open.changed.connect(self._open)
        self.sample.changed.connect(lambda: self.sample_wanted.emit())
        self.tour.changed.connect(lambda: self.tour_wanted.emit())
        self.recent.changed.connect(self._on_recent)

    def offer(self, recent: Sequence[Path], *, empty: bool) -> None:
        """Show the offers if the panel is empty, with the recent simulations that still exist.

        Parameters
        ----------
        recent
            Recently opened simulations, the latest first.
        empty
            If True, there is neither a simulation nor hexagons.
        """
        there = [path for path in recent if path.is_file()]
        choices = [("Recent ...", ""), *((_short(path), str(path)) for path in there)]
        if list(self.recent.choices) != [value for _, value in choices]:
            with self.recent.changed.blocked():
                self.recent.choices = choices
        self.recent.visible = empty and bool(there)
        self.section.visible = empty

    def _open(self) -> None:
        parent: QWidget = self.section.native
        path, _ = QFileDialog.getOpenFileName(
            parent, "Open a simulation", "", "SONATA simulations (*.json)"
        )
        if path:
            self.chosen.emit(Path(path))

    def _on_recent(self, path: str) -> None:
        if path:
            self.chosen.emit(Path(path))


def with_latest(recent: str, path: Path, most: int = MOST_RECENT) -> str:
    r"""Return recent paths, one per line, with this one first.

    Examples
    --------
    >>> with_latest("/a/x.json\n/b/x.json", Path("/b/x.json"))
    '/b/x.json\n/a/x.json'
    """
    others = [line for line in recent.splitlines() if line and line != str(path)]
    return "\n".join([str(path), *others][:most])


def _short(path: Path) -> str:
    """Return folder and file, which tell simulations apart."""
    return f"{path.parent.name}/{path.name}"
