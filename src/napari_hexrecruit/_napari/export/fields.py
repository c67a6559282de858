"""The fields of the section Export of the widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from magicgui.widgets import CheckBox, LineEdit, ProgressBar, PushButton, Widget

from napari_hexrecruit._napari.widgets.message import Message
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    heading,
    number,
    row,
)

HEXAGONS, CANVAS = "hexagons", "canvas"


FPS, DILATION = "fps", "dilation"


_GROUNDS = [("White", "white"), ("Black", "black")]


USUAL_SPEEDS = {FPS: 20.0, DILATION: 5.0}


SPEED_UNITS = {FPS: " per s", DILATION: " s per s"}


_PROGRESS_HEIGHT = 6


_LARGEST_SIDE = 8192


_KEPT = ("what", "width", "height", "background", "speed_kind", "speed")
"""Fields restored from the last session; the others follow the layer."""


class ExportFields:
    """The fields of the section in their initial state.

    Attributes
    ----------
    sections
        Contents of the panel from top to bottom.
    """

    def __init__(self) -> None:
        fields = [*self._what_fields(), *self._time_fields()]
        self.sections: list[Widget] = [
            heading("Export"),
            column("", fields, labels=True),
            *self._work_fields(),
        ]

    @property
    def choices(self) -> dict[str, Any]:
        """Values of the fields to keep for the next session."""
        return {name: getattr(self, name).value for name in _KEPT}

    def restore(self, choices: Mapping[str, Any]) -> None:
        """Restore kept values, except those that a field refuses."""
        for name in (one for one in _KEPT if one in choices):
            field: Any = getattr(self, name)
            with suppress(ValueError, TypeError):
                field.value = choices[name]

    def on_chosen(self, action: Callable[[], None]) -> None:
        """Call an action when one of the kept fields changes."""
        for name in _KEPT:
            getattr(self, name).changed.connect(lambda _: action())

    def _what_fields(self) -> list[Widget]:
        self.what = choice(
            "What",
            [("Hexagons", HEXAGONS), ("Canvas", CANVAS)],
            "Hexagons: all visible hexagon layers side by side, drawn for the size below. Canvas:"
            " what you see, with images and all other layers; the time slider moves meanwhile, and"
            " MP4 and WebM lack the last row or column of pixels where their number is odd.",
        )
        self.file = LineEdit(
            tooltip="Ends with .mp4, .webm or .gif, with .html for a web page, or with / for a"
            " folder of PNG files. Empty or without an ending, the kind is asked for.",
        )
        self.browse = PushButton(text="Browse", tooltip="Name the movie")
        self.overwrite = CheckBox(
            text="Allow overwriting", value=False, tooltip="Replace an existing file or folder"
        )
        side: dict[str, Any] = {"unit": " px", "decimals": 0, "step": 2.0, "minimum": 16.0}
        of_frame = "of a frame of hexagons, px; the canvas has its own"
        self.width = number(f"Width {of_frame}", label="Width", value=1280.0, **side)
        self.height = number(f"Height {of_frame}", label="Height", value=720.0, **side)
        for field in (self.width, self.height):
            field.max = _LARGEST_SIDE
        self.background = choice("Background", _GROUNDS, "Colour around the hexagons")
        return [
            self.what,
            row("File", [self.file, self.browse]),
            row("", [self.overwrite]),
            self.width,
            self.height,
            self.background,
        ]

    def _time_fields(self) -> list[Widget]:
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0}
        handles = " Follows the layer, and the handles that a right click on the time slider shows."
        first, last = "Start of the first bin, ms.", "End of the last bin, ms."
        self.start = number(first + handles, label="Start", minimum=-LARGEST, **time)
        self.stop = number(last + handles, label="Stop", minimum=-LARGEST, **time)
        self.step = number(
            "Time from frame to frame, ms: a whole number of bins, of which the others are left"
            " out",
            label="Step",
            value=10.0,
            unit=" ms",
            decimals=2,
        )
        self.speed_kind = choice(
            "Speed",
            [("Frames per s", FPS), ("Time dilation", DILATION)],
            "Frames per second, or seconds of movie per second of simulation",
        )
        self.speed = number(
            "Frames per second of movie, or seconds of movie per second of simulation",
            value=USUAL_SPEEDS[FPS],
            unit=SPEED_UNITS[FPS],
            decimals=2,
            minimum=0.01,
        )
        return [self.start, self.stop, self.step, self.speed_kind, row("", [self.speed])]

    def _work_fields(self) -> list[Widget]:
        self.export = PushButton(text="Export", enabled=False, tooltip="Write the movie")
        self.cancel = PushButton(text="Cancel", enabled=False, tooltip="Stop; nothing is left")
        self.folder = PushButton(
            text="Open folder", enabled=False, tooltip="Open the folder of the last export"
        )
        self.progress = ProgressBar(value=0, min=0, max=1000)
        self.progress.native.setTextVisible(False)
        self.progress.native.setFixedHeight(_PROGRESS_HEIGHT)
        self.status = Message(lines=4)
        self.copy = PushButton(
            text="Copy as command",
            tooltip="Put the command line that makes this movie of hexagons on the clipboard",
        )
        self.save = PushButton(
            text="Save run file ...",
            tooltip="Write these options as YAML, for hexrecruit movie --run-file",
        )
        return [
            row("", [self.export, self.cancel, self.folder]),
            self.progress,
            self.status,
            row("", [self.copy, self.save]),
        ]
