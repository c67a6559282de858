"""Lay out the rows of a panel side by side if their texts fit, and below each other if not."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, QRect, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QStyleOptionSpinBox,
    QWidget,
)

from napari_hexrecruit._napari.widgets.elided import Elided

_BESIDE, _BELOW = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
_TOP, _MIDDLE = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter
MOST_ROWS = "most_rows"
"""Qt property of a list: the number of values visible at once."""
_UNBOUND = 16_777_215
_MOST_OF_NAME = "x" * 15
"""Longer names from the data are elided in a list, and do not widen a panel."""
_USUAL_NUMBER = 1_000.0
"""A field always has room for numbers up to this one."""
_LINE = "MMMMMM"
_BESIDE_BAR = 4
"""Width that themes add to a scroll bar, px."""
_CURSOR = 4
"""Room for the cursor behind a number, px."""
_RENEWED = (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.LayoutRequest)


class Reflow(QObject):
    """Keeps the texts of a panel complete at any width and font size.

    Labels stand in a column to the left of their fields, all as wide as the widest. If one pair
    does not fit, all labels of the panel stand above their fields. Other rows, such as buttons,
    change their direction one by one.

    Parameters
    ----------
    scroll
        The scroll area of the panel; it owns this object.
    panel
        The Qt widget with all fields in it.
    """

    def __init__(self, scroll: QScrollArea, panel: QWidget) -> None:
        super().__init__(scroll)
        self._scroll: Any = scroll
        self._panel: Any = panel
        widgets = [panel, *panel.findChildren(QWidget)]
        rows: list[Any] = [one.layout() for one in widgets if _is_row(one)]
        self._labelled: list[Any] = [row for row in rows if _is_labelled(row)]
        self._others = [row for row in rows if row not in self._labelled]
        labelled = [row.parentWidget() for row in self._labelled]
        self._within = [
            row
            for row in self._others
            if any(one.isAncestorOf(row.parentWidget()) for one in labelled)
        ]
        self._fields: list[Any] = [one for one in widgets if _is_field(one)]
        self._lists = [one for one in widgets if isinstance(one, QListWidget)]
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.fit)
        panel.installEventFilter(self)
        scroll.installEventFilter(self)
        for field in self._fields:
            if isinstance(field, QAbstractSpinBox):
                line: Any = field.lineEdit()
                line.textChanged.connect(self._timer.start)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Fit immediately when the width changes, and soon after texts or their font change."""
        if watched is self._scroll and event.type() == QEvent.Type.Resize:
            self.fit()
        elif event.type() in _RENEWED:
            self._timer.start()
        return False

    def fit(self) -> None:
        """Give each row a direction in which its texts are complete."""
        room = self._room()
        for field in self._fields:
            least = min(_width_of(field), room)
            if field.minimumWidth() != least:
                field.setMinimumWidth(least)
        for one in self._lists:
            fit_rows(one)
        seen = [row for row in self._labelled if not row.parentWidget().isHidden()]
        widest = max((_first(row).sizeHint().width() for row in seen), default=0)
        fields = (_least(row.itemAt(1).widget()) + row.spacing() for row in seen)
        above = widest + max(fields, default=0) > room
        for row in self._labelled:
            row.setDirection(_BELOW if above else _BESIDE)
            _lay_label(row, widest, above=above)
        for row in self._others:
            taken = widest + row.spacing() if row in self._within and not above else 0
            row.setDirection(_BESIDE if _sum(row) <= room - taken else _BELOW)

    def _room(self) -> int:
        """Return the width for the contents; it excludes the scroll bar, even while hidden."""
        margins = self._panel.layout().contentsMargins()
        bar = self._scroll.verticalScrollBar().sizeHint().width() + _BESIDE_BAR
        return int(self._scroll.width() - bar - margins.left() - margins.right())


def _lay_label(row: Any, width: int, *, above: bool) -> None:
    """Place a label, without setting unchanged values: Qt would lay out everything again."""
    label = _first(row)
    most = _UNBOUND if above else width
    if (label.minimumWidth(), label.maximumWidth()) != (width, most):
        label.setMinimumWidth(width)
        label.setMaximumWidth(most)
    label.setVisible(bool(label.text()) or not above)
    is_tall = row.itemAt(1).sizeHint().height() > 2 * label.sizeHint().height()
    where = _TOP if is_tall else _MIDDLE
    if row.itemAt(0).alignment() != where:
        row.setAlignment(label, where)


def fit_rows(native: Any) -> None:
    """Make a list as high as its values need, up to its `MOST_ROWS`, if it has this property."""
    most_rows = native.property(MOST_ROWS)
    if most_rows is not None:
        rows = max(2, min(native.count(), most_rows))
        height = rows * max(native.sizeHintForRow(0), 16) + 2 * native.frameWidth() + 4
        if native.height() != height:
            native.setFixedHeight(height)


def _is_row(widget: Any) -> bool:
    """Return whether a widget lays out others side by side; not for a slider and its number."""
    layout = widget.layout()
    is_row = isinstance(layout, QBoxLayout) and layout.direction() == _BESIDE
    return is_row and layout.count() > 1 and not isinstance(_first(layout), QSlider)


def _first(layout: Any) -> Any:
    return layout.itemAt(0).widget()


def _is_labelled(row: Any) -> bool:
    label = row.itemAt(0).widget()
    return row.count() == 2 and isinstance(label, QLabel) and not label.wordWrap()


def _is_field(widget: Any) -> bool:
    """Return whether a widget is a field, whose text width Qt does not take into account."""
    is_part = isinstance(widget.parentWidget(), (QAbstractSpinBox, QComboBox))
    return isinstance(widget, (QComboBox, QAbstractSpinBox, QLineEdit)) and not is_part


def _parts(layout: Any) -> list[Any]:
    items = [layout.itemAt(k) for k in range(layout.count())]
    return [item.widget() for item in items if item.widget() and not item.widget().isHidden()]


def _sum(row: Any) -> int:
    """Return the width that the parts of a row need side by side; fields share it evenly."""
    parts = _parts(row)
    widths = [_least(part) for part in parts]
    if all(map(_is_field, parts)):
        widths = [max(widths, default=0)] * len(parts)
    return sum(widths) + int(row.spacing()) * max(len(parts) - 1, 0)


def _least(widget: Any) -> int:
    """Return the width that a widget needs when its parts lie below each other."""
    layout = widget.layout()
    if isinstance(layout, QBoxLayout) and not isinstance(_first(layout), QSlider):
        return max(map(_least, _parts(layout)), default=0)
    return int(widget.minimumWidth() or widget.minimumSizeHint().width())


def _width_of(field: Any) -> int:
    """Return the width that shows the text of a field completely, px."""
    width = field.fontMetrics().horizontalAdvance
    style = QStyle.ComplexControl, QStyle.SubControl
    if isinstance(field, QComboBox):
        longest = max((width(field.itemText(k)) for k in range(field.count())), default=0)
        option: Any = QStyleOptionComboBox()
        parts = style[0].CC_ComboBox, style[1].SC_ComboBoxEditField
        is_name = any(elided.of_any_length for elided in field.findChildren(Elided))
        most = width(_MOST_OF_NAME) if is_name else longest
        return int(min(longest, most)) + 2 + _around(field, option, *parts)
    if isinstance(field, QAbstractSpinBox):
        usual = _usual_number(field)
        option = QStyleOptionSpinBox()
        parts = style[0].CC_SpinBox, style[1].SC_SpinBoxEditField
        return (
            int(max(width(usual), width(field.text()))) + _CURSOR + _around(field, option, *parts)
        )
    return int(width(_LINE))


def _usual_number(field: Any) -> str:
    if isinstance(field, QDoubleSpinBox):
        return f"{_USUAL_NUMBER:,.{field.decimals()}f}{field.suffix()}"
    return ""


def _around(field: Any, option: Any, control: Any, part: Any) -> int:
    """Return the width that a style adds to the text of a field, px."""
    field.initStyleOption(option)
    option.rect = QRect(0, 0, 400, 30)
    return int(400 - field.style().subControlRect(control, option, part, field).width())
