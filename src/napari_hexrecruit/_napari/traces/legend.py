"""Buttons and legend of the widget "Traces"."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_hexrecruit._napari.traces.traces import Traces

_SWATCH = QSize(26, 12)
_WRONG = "QLabel { border-left: 3px solid #d9534f; padding-left: 3px; }"
_ANY_WIDTH = 16_777_215


class TraceColumn(QWidget):
    """The column beside the plot of traces.

    Attributes
    ----------
    lasso, clear, raster, copy, save
        The buttons.
    legend
        List with the mean on top, then one entry per hexagon.
    status
        Label with the result of the last action.
    """

    def __init__(self) -> None:
        super().__init__()
        self._narrow = False
        self.lasso = _button(
            "Lasso",
            "Drag on the map to select several hexagons; Shift adds to the selection",
            on=True,
        )
        self.clear = _button("Clear", "Clear the selection (Esc)")
        self.raster = _button("Raster", "", on=True)
        self.copy = _button("Copy CSV", "Put the traces on the clipboard as a table")
        self.save = _button("Save ...", "Save the plot as PNG or SVG, dark on white")
        grid = QGridLayout()
        grid.setSpacing(4)
        for at, button in enumerate((self.lasso, self.clear, self.raster)):
            grid.addWidget(button, 0, 2 * at, 1, 2)
        grid.addWidget(self.copy, 1, 0, 1, 3)
        grid.addWidget(self.save, 1, 3, 1, 3)
        self.legend = QListWidget()
        self.legend.setFrameShape(QFrame.Shape.NoFrame)
        self.legend.setIconSize(_SWATCH)
        self.legend.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.legend.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.legend.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.legend.setStyleSheet("QListWidget { background: transparent; }")
        self.status = QLabel("")
        self.status.setWordWrap(True)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addWidget(self.legend, 1)
        layout.addWidget(self.status)
        self.offer_raster(False)
        self.show_entries(None)

    def set_width(self, width: int | None) -> None:
        """Set the width, px; None: as wide as possible, with a low legend."""
        self.setMinimumWidth(width or 0)
        self.setMaximumWidth(width or _ANY_WIDTH)
        self._narrow = width is None
        self._fit_legend()

    def offer_raster(self, offered: bool) -> None:
        """Enable the raster button, or disable it and explain why in its tooltip."""
        self.raster.setEnabled(offered)
        if not offered:
            self.raster.setChecked(False)
        self.raster.setToolTip(
            "Show the spikes of the neurons of the selected hexagons, read from the simulation"
            if offered
            else "The simulation is not at hand, or a bin is the mean of several times"
        )

    def say(self, text: str) -> None:
        """Show the result or the progress of an action."""
        self._show_status(text, "")

    def refuse(self, sentence: str) -> None:
        """Show an error, reason first; the tooltip has the complete text."""
        self._show_status(sentence, sentence)

    def _show_status(self, text: str, whole: str) -> None:
        self.status.setText(text)
        self.status.setToolTip(whole)
        self.status.setStyleSheet(_WRONG if whole else "")

    def show_entries(self, traces: Traces | None) -> None:
        """List the mean and the hexagons with samples of their lines."""
        self.say("")
        self._list(traces)
        self._fit_legend()

    def _fit_legend(self) -> None:
        """Keep the legend low in the narrow layout, and collapse it without entries."""
        low = 90 if self.legend.count() else 0
        self.legend.setMinimumHeight(0 if self._narrow and not low else 24)
        self.legend.setMaximumHeight(low if self._narrow else _ANY_WIDTH)

    def _list(self, traces: Traces | None) -> None:
        self.legend.clear()
        for button in (self.clear, self.copy):
            button.setEnabled(traces is not None)
        if traces is None:
            return
        colour = self.palette().windowText().color().name()
        if traces.n_hexes > 1:
            text = f"Mean of {traces.n_hexes:,} · {traces.n_neurons:,} neurons"
            self._add(text, _swatch(colour, 3.0, ()))
        if traces.band is not None:
            self._add("Middle 80 % of the hexagons", _block())
        for line in traces.lines:
            text = f"{line.name} · {_neurons(line.n_neurons)}"
            if not line.has_value:
                text += ", no value"
            self._add(text, _swatch(line.colour, 2.0, line.dash))

    def _add(self, text: str, icon: QIcon) -> None:
        item = QListWidgetItem(icon, text)
        item.setToolTip(text)
        self.legend.addItem(item)


def _neurons(n: int) -> str:
    return f"{n:,} neuron" + ("" if n == 1 else "s")


def _button(text: str, tooltip: str, *, on: bool = False) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setCheckable(on)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _swatch(colour: str, width: float, dash: tuple[float, ...]) -> QIcon:
    """Make an icon with a sample of a line."""
    pixmap = QPixmap(_SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        pen.setDashPattern([part * 1.2 for part in dash])
    painter = QPainter(pixmap)
    painter.setPen(pen)
    middle = _SWATCH.height() // 2
    painter.drawLine(1, middle, _SWATCH.width() - 1, middle)
    painter.end()
    return QIcon(pixmap)


def _block() -> QIcon:
    pixmap = QPixmap(_SWATCH)
    pixmap.fill(QColor(136, 136, 136, 130))
    return QIcon(pixmap)
