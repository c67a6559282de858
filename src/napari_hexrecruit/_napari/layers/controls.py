"""Layer controls of hexagons, without the controls of napari that have no effect on hexagons."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from napari.layers import Layer
from napari.utils.events import disconnect_events
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)
from superqt import QLabeledDoubleRangeSlider, QLabeledDoubleSlider

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.look import fitted_limits, reach_of_limits
from napari_hexrecruit._napari.layers.shown_cube import cube_of
from napari_hexrecruit._napari.private.controls import (
    LayerControls,
    blendings,
    colormap_box,
    colour_field,
    decimals_of,
    linked_to,
    missing_controls,
    popup,
    range_slider,
    use_controls,
)
from napari_hexrecruit._napari.private.points import FramePoints
from napari_hexrecruit.metrics import metric_of, metrics_for
from napari_hexrecruit.rounding import short

_REACH_AFTER_MS = 200
"""Delay between the last change of the cube and the search for its greatest value."""
_WITHOUT_OPACITY = ("opaque", "minimum", "multiplicative")
_EVENTS = (
    *("opacity", "blending", "metric", "face_colormap", "face_contrast_limits"),
    *("outline_nan", "outline_color"),
)
_SPACING = 4
_LONGEST_UNITS = 3
"""Longest units shown beside the limits, in characters; longer ones are in the metric's name."""
_ROOM_FOR_METRIC = 17
"""Characters that a list shows: ``Recruited neurons``."""


class HexagonControls(LayerControls):
    """Controls of one or several layers of hexagons: they show the last layer and set all.

    Parameters
    ----------
    layers
        One or several layers that show a cube; plain points have fewer fields.
    """

    def __init__(self, layers: Layer | Sequence[Layer]) -> None:
        super().__init__()
        self._layers = [layers] if isinstance(layers, Layer) else list(layers)
        self._shown: Any = self._layers[-1]
        self._quiet, self._reach = False, (0.0, 1.0)
        self._popup: tuple[Any, Any] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REACH_AFTER_MS)
        self._timer.timeout.connect(self._find_reach)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_SPACING)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in self._rows():
            layout.addRow(_label(label), field)
        self._connect()
        self._show()
        self._find_reach()

    # --- fields -----------------------------------------------------------------------------------

    def _rows(self) -> Iterator[tuple[str, QWidget]]:
        is_ours = isinstance(self._shown, RecruitmentLayer)
        if is_ours:  # plain points have these two in napari's own controls
            yield "opacity:", self._opacity_field()
            yield "blending:", self._blending_field()
            yield "metric:", self._metric_field()
        yield "colormap:", self._colormap_field()
        yield "contrast limits:", self._limits_field()
        if is_ours:
            yield "no value:", self._outline_field()
            yield "outline:", self._colour_field()
        yield "colour bar:", self._bar_field()

    def _opacity_field(self) -> QWidget:
        self.opacity_slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal, self)
        self.opacity_slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        _set_range(self.opacity_slider, 0.0, 1.0, decimals=2)
        self.opacity_slider.valueChanged.connect(functools.partial(self._set, "opacity"))
        return self.opacity_slider

    def _blending_field(self) -> QWidget:
        self.blending_box = _box(QComboBox(self), "How hexagons cover what lies below them")
        for name in blendings():
            self.blending_box.addItem(name.replace("_", " "), name)
        self.blending_box.currentIndexChanged.connect(
            lambda _: self._set("blending", self.blending_box.currentData())
        )
        return self.blending_box

    def _metric_field(self) -> QWidget:
        self.metric_box = _box(QComboBox(self), "What the colours show")
        self.metric_box.currentIndexChanged.connect(
            lambda _: self._set("metric", self.metric_box.currentData())
        )
        return self.metric_box

    def _colormap_field(self) -> QWidget:
        self.colormap_box: Any = _box(colormap_box(self), "Colours from low to high")
        self.colormap_box.currentIndexChanged.connect(
            lambda _: self._set("face_colormap", self.colormap_box.currentData())
        )
        return self.colormap_box

    def _limits_field(self) -> QWidget:
        self.limits_slider = range_slider(self, self.show_popup)
        self.limits_slider.setToolTip(
            "Values of the first and the last colour, in the units of the colour bar."
            " Right click for numbers and a wider range."
        )
        self.limits_slider.valueChanged.connect(self._set_limits)
        self.numbers_button = QPushButton(self)
        self.numbers_button.setToolTip("Type the limits, or change how far they may go")
        self.numbers_button.clicked.connect(self.show_popup)
        self.fit_button = QPushButton("fit", self)
        self.fit_button.setToolTip("From 0 to the 99th percentile of all bins, rounded up")
        self.fit_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fit_button.clicked.connect(self._fit)
        field, layout = QWidget(self), QFormLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addRow(self.limits_slider)
        layout.addRow(_row(self.numbers_button, self.fit_button))
        field.setLayout(layout)
        return field

    def _outline_field(self) -> QWidget:
        self.outline_check = QCheckBox("outlined", self)
        self.outline_check.setToolTip(
            "Outline hexagons without a value: those with too few neurons"
        )
        self.outline_check.toggled.connect(functools.partial(self._set, "outline_nan"))
        return self.outline_check

    def _colour_field(self) -> QWidget:
        tooltip = "Colour of the outlines of hexagons without a value"
        change = functools.partial(self._set, "outline_color")
        field: QWidget = colour_field(self, tooltip, change)
        self.colour_edit: Any = field
        return field

    def _bar_field(self) -> QWidget:
        self.bar_check = QCheckBox(self)
        self.bar_check.setToolTip("Show the colour bar on the canvas")
        self.bar_check.toggled.connect(self._set_bar)
        return self.bar_check

    # --- from the fields to the layers ------------------------------------------------------------

    def _set(self, name: str, value: Any) -> None:
        if not self._quiet:
            for layer in self._layers:
                setattr(layer, name, value)

    def _set_limits(self, limits: tuple[float, float]) -> None:
        low, high = limits
        self._set("face_contrast_limits", (low, max(high, low)))

    def _set_bar(self, visible: bool) -> None:
        if not self._quiet:
            for layer in self._layers:
                layer.face_colorbar.visible = visible

    def _fit(self) -> None:
        cubes = [cube for layer in self._alike() if (cube := cube_of(layer)) is not None]
        self._set("face_contrast_limits", fitted_limits(cubes, self._metric()))

    def _alike(self) -> list[Layer]:
        """Return the layers and the layers linked with them that show the same metric."""
        linked = {other for layer in self._layers for other in linked_to(layer)}
        return [layer for layer in linked if getattr(layer, "metric", "") == self._metric()] or [
            self._shown
        ]

    def _metric(self) -> str:
        cube = cube_of(self._shown)
        default = "" if cube is None else metrics_for(cube)[0].name
        return str(getattr(self._shown, "metric", default))

    # --- from the layers to the fields ------------------------------------------------------------

    def _connect(self) -> None:
        events = self._shown.events
        for name in _EVENTS:
            if name in events.emitters:
                getattr(events, name).connect(self._show)
        for name in ("metric", "cube_changed"):
            if name in events.emitters:
                getattr(events, name).connect(self._ask_for_reach)
        self._shown.face_colorbar.events.visible.connect(self._show)

    def release(self) -> None:
        """Stop listening to the layers."""
        disconnect_events(self._shown.events, self)
        self._shown.face_colorbar.events.visible.disconnect(self._show, missing_ok=True)
        self._timer.stop()

    @contextmanager
    def _silence(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _show(self, event: object = None) -> None:
        """Show the look of the layer in the fields."""
        layer = self._shown
        with self._silence():
            if isinstance(layer, RecruitmentLayer):
                self._show_blending(layer)
                self._offer_metrics(layer)
                self.outline_check.setChecked(layer.outline_nan)
                self.colour_edit.setColor(layer.outline_color)
            name = layer.face_colormap.name
            if self.colormap_box.findData(name) < 0:
                self.colormap_box.addItem(name, name)
            self.colormap_box.setCurrentIndex(self.colormap_box.findData(name))
            self.bar_check.setChecked(layer.face_colorbar.visible)
            self._show_limits()

    def _show_blending(self, layer: RecruitmentLayer) -> None:
        self.opacity_slider.setValue(layer.opacity)
        self.opacity_slider.setEnabled(str(layer.blending) not in _WITHOUT_OPACITY)
        self.blending_box.setCurrentIndex(self.blending_box.findData(str(layer.blending)))

    def _offer_metrics(self, layer: RecruitmentLayer) -> None:
        metrics = {metric.name: metric.title_for(layer.cube) for metric in metrics_for(layer.cube)}
        box = self.metric_box
        if metrics != {box.itemData(k): box.itemText(k) for k in range(box.count())}:
            box.clear()
            for name, title in metrics.items():
                box.addItem(title, name)
        box.setCurrentIndex(box.findData(layer.metric))
        box.setToolTip(f"What the colours show: {box.currentText()}")

    def _show_limits(self) -> None:
        low, high = self._shown.face_contrast_limits
        least, most = min(self._reach[0], low), max(self._reach[1], high)
        for slider in (self.limits_slider, self._popup_slider()):
            if slider is not None and slider.value() != (low, high):
                _set_range(slider, least, most)
                slider.setValue((low, high))
        cube = cube_of(self._shown)
        units = "" if cube is None else metric_of(cube, self._metric()).label_for(cube)[1]
        units = f" {units}" if len(units) <= _LONGEST_UNITS else ""
        self.numbers_button.setText(f"{short(low)} to {short(high)}{units}")

    def _ask_for_reach(self, event: object = None) -> None:
        self._timer.start()

    def _find_reach(self) -> None:
        """Find the range of the limits."""
        cube = cube_of(self._shown)
        if cube is not None:
            low, high = self._shown.face_contrast_limits
            self._reach = reach_of_limits(cube, self._metric(), (low, high))
            with self._silence():
                _set_range(self.limits_slider, *self._reach)
                self.limits_slider.setValue((low, high))

    # --- the popup --------------------------------------------------------------------------------

    def show_popup(self) -> None:
        """Show napari's wide slider with editable numbers."""
        slider = QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal)
        low, high = self._shown.face_contrast_limits
        _set_range(slider, self.limits_slider.minimum(), self.limits_slider.maximum())
        slider.setValue((low, high))
        slider.valueChanged.connect(self._set_limits)
        slider.rangeChanged.connect(self._set_reach)
        shown = popup(self, _row(slider))
        if shown is not None:
            self._popup = (shown, slider)
            shown.finished.connect(self._forget_popup)
            shown.show()

    def _set_reach(self, least: float, most: float) -> None:
        self._reach = (least, most)
        with self._silence():
            _set_range(self.limits_slider, least, most)
            self.limits_slider.setValue(self._shown.face_contrast_limits)

    def _popup_slider(self) -> Any:
        return None if self._popup is None else self._popup[1]

    def _forget_popup(self, result: int = 0) -> None:
        self._popup = None


@functools.cache
def use_hexagon_controls() -> bool:
    """Register these controls for hexagon layers in napari; return False if a name is missing."""
    if missing_controls():
        return False
    use_controls(FramePoints, HexagonControls)
    return True


def _label(title: str) -> QLabel:
    label = QLabel(title)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label


def _box(box: QComboBox, tooltip: str) -> QComboBox:
    """Keep long names from widening a list."""
    box.setToolTip(tooltip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_ROOM_FOR_METRIC)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box


def _row(*fields: QWidget) -> QWidget:
    row, layout = QWidget(), QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_SPACING)
    for place, field in enumerate(fields):
        layout.addWidget(field, stretch=int(place == 0))
    row.setLayout(layout)
    return row


def _set_range(slider: Any, least: float, most: float, *, decimals: int | None = None) -> None:
    if decimals is None:
        decimals = decimals_of(least, most) if most > least and math.isfinite(most) else 2
    if hasattr(slider, "setDecimals"):
        slider.setDecimals(decimals)
    slider.setSingleStep(10.0**-decimals)
    if (slider.minimum(), slider.maximum()) != (least, most):
        slider.setRange(least, most)
