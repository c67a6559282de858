"""Building blocks of panels: numbers with units, wrapped text, rows, headings, dropped files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from magicgui.widgets import (
    ComboBox,
    Container,
    FileEdit,
    FloatSpinBox,
    Label,
    ProgressBar,
    Select,
    Widget,
)
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QFrame, QScrollArea, QSizePolicy

from napari_hexrecruit._napari.widgets.elided import Elided
from napari_hexrecruit._napari.widgets.loading import Monitor
from napari_hexrecruit._napari.widgets.reflow import MOST_ROWS, Reflow, fit_rows
from napari_hexrecruit._napari.widgets.wheel import CalmWheel

LARGEST = 1e9
_SPACING = 4
_PROGRESS_HEIGHT = 6


def number(
    tooltip: str,
    *,
    label: str = "",
    value: float = 0.0,
    step: float = 1.0,
    unit: str = "",
    minimum: float = 0.0,
    decimals: int = 1,
) -> FloatSpinBox:
    """Make a field for a number, which takes effect when the user finishes typing."""
    field = FloatSpinBox(
        label=label, value=value, min=minimum, max=LARGEST, step=step, tooltip=tooltip
    )
    box: Any = field.native
    box.setDecimals(decimals)
    box.setSuffix(unit)
    box.setKeyboardTracking(False)
    box.setGroupSeparatorShown(True)
    return field


def choice(label: str, choices: Sequence[Any], tooltip: str) -> ComboBox:
    """Make a field to pick one of several choices, as wide as the longest."""
    return _choice(label, choices, tooltip, of_any_length=False)


def name_choice(label: str, choices: Any, tooltip: str) -> ComboBox:
    """Make a field to pick a name from the data; long names do not widen it."""
    return _choice(label, choices, tooltip, of_any_length=True)


def _choice(label: str, choices: Any, tooltip: str, *, of_any_length: bool) -> ComboBox:
    field = ComboBox(label=label, choices=choices, tooltip=tooltip)
    native: Any = field.native
    native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    Elided(native, of_any_length=of_any_length)
    return field


def list_of_one(tooltip: str) -> Select:
    """Make an empty list for the selection of one line."""
    field = Select(choices=[], tooltip=tooltip)
    native: Any = field.native
    native.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    native.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return field


def file_field(label: str, files: str, tooltip: str) -> FileEdit:
    """Make a field for an optional file."""
    field = FileEdit(label=label, filter=files, nullable=True, tooltip=tooltip)
    field.choose_btn.text = "Browse"
    line: Any = field.line_edit.native
    Elided(line)
    return field


def progress_bar() -> ProgressBar:
    """Make a thin progress bar without text."""
    bar = ProgressBar(value=0, min=0, max=1000)
    bar.native.setTextVisible(False)
    bar.native.setFixedHeight(_PROGRESS_HEIGHT)
    return bar


def text(value: str) -> Label:
    """Make a text that wraps, and never widens the panel."""
    label = Label(value=value)
    native: Any = label.native
    native.setWordWrap(True)
    native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
    return label


def heading(value: str) -> Label:
    """Make the title of a section."""
    label = text(f"<b>{value}</b>")
    label.native.setContentsMargins(0, 8, 0, 0)
    return label


def row(label: str, widgets: Sequence[Widget]) -> Container[Widget]:
    """Put fields side by side."""
    return _box(label, widgets, "horizontal")


def column(label: str, widgets: Sequence[Widget], *, labels: bool = False) -> Container[Widget]:
    """Put fields below each other."""
    return _box(label, widgets, "vertical", labels=labels)


def scrolled(
    outer: Container[Widget], sections: Sequence[Widget], *, stretch: int = 0
) -> Container[Widget]:
    """Fill a container with sections that scroll; return the panel that holds them.

    The wheel scrolls, and changes a field only if it has the focus.
    """
    panel = Container[Widget](widgets=sections, labels=False)
    panel.margins = (6, 0, 6, 6)
    panel.native.layout().setSpacing(5)
    panel.native.layout().addStretch(stretch)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(panel.native)
    outer.margins = (0, 0, 0, 0)
    outer.native.layout().addWidget(scroll)
    outer.native.setMinimumWidth(280)
    CalmWheel(panel.native)
    Reflow(scroll, panel.native)
    return panel


def fit_height(field: Select, most_rows: int) -> None:
    """Make a list as high as its values need, up to a number of rows."""
    native: Any = field.native
    native.setProperty(MOST_ROWS, most_rows)
    fit_rows(native)


class FileDrops(QObject):
    """Accepts files dropped anywhere on a widget.

    Parameters
    ----------
    target
        The Qt widget; it owns this object.
    on_drop
        Called with the paths of the dropped files, see `only_one`.
    """

    def __init__(self, target: Any, on_drop: Callable[[list[Path]], None]) -> None:
        super().__init__(target)
        self._on_drop = on_drop
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Accept drags of local files."""
        if event.type() not in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            return False
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if not files:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._on_drop([Path(file) for file in files])
        return True


def only_one(dropped: Sequence[Path]) -> Path:
    """Return the single file that was dropped.

    Raises
    ------
    ValueError
        If several files were dropped.
    """
    if len(dropped) != 1:
        names = ", ".join(path.name for path in dropped[:3]) + ", ..." * (len(dropped) > 3)
        raise ValueError(
            f"{len(dropped)} files were dropped ({names}): drop one, or one after another"
        )
    return dropped[0]


def _box(
    label: str, widgets: Sequence[Widget], layout: str, *, labels: bool = False
) -> Container[Widget]:
    box = Container[Widget](widgets=widgets, layout=layout, labels=labels, label=label)
    box.margins = (0, 0, 0, 0)
    box.native.layout().setSpacing(_SPACING)
    return box


def show_on_bar(bar: Any, monitor: Monitor | None) -> None:
    """Show the progress of a job: empty without a job, busy until the first step is done."""
    if monitor is not None and monitor.done == 0:
        bar.native.setRange(0, 0)
        return
    bar.native.setRange(0, 1000)
    done, total = (0, 1) if monitor is None else (monitor.done, monitor.total)
    bar.native.setValue(1000 * done // max(total, 1))


def one_shot(parent: Any, delay_ms: int, action: Any) -> QTimer:
    """Make a timer that acts once, after a pause."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.timeout.connect(action)
    return timer
