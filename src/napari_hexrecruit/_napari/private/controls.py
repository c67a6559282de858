"""napari's layer controls: register them for a class of layers, and reuse napari's own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.colormaps import AVAILABLE_COLORMAPS
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFrame, QLineEdit, QVBoxLayout, QWidget
from superqt import QLabeledDoubleRangeSlider

from napari_hexrecruit._napari.private.names import CONTROL_NAMES, module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Layer

_POPUP_WIDTH = 480
"""Wide enough to set a tenth of a percent with the mouse, px."""


class LayerControls(QFrame):
    """Base class of the controls of one layer, or of several selected ones, as napari expects."""

    _controls: tuple[Any, ...] = ()
    """napari searches it for histograms."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("layer")  # selects its style in napari's themes
        self.ndisplay = 2

    def release(self) -> None:
        """Stop listening to the layers."""

    def deleteLater(self) -> None:
        """Release the layers, too; napari calls this when a layer is removed."""
        self.release()
        super().deleteLater()

    def close(self) -> bool:
        """Release the layers, too; napari calls this when the window closes."""
        self.release()
        return bool(super().close())


def missing_controls() -> list[str]:
    """Return the names needed for layer controls that napari lacks; empty if the controls work."""
    return [str(name) for name in CONTROL_NAMES if not name.is_there()]


def use_controls(
    layer_class: type, make: Callable[[Layer | Sequence[Layer]], LayerControls]
) -> None:
    """Make napari show these controls for layers of a class, also if several are selected.

    Parameters
    ----------
    layer_class
        Class of the layers; its subclasses get the same controls.
    make
        Makes the controls for one layer or for several.
    """
    container = module_of("napari._qt.layer_controls.qt_layer_controls_container")
    container.layer_to_controls[layer_class] = make
    of_napari = container.QtDynamicLayerControls

    def made(layers: Sequence[Layer]) -> Any:
        ours = all(isinstance(layer, layer_class) for layer in layers)
        return make(layers) if ours else of_napari(layers)

    container.QtDynamicLayerControls = made


def blendings() -> list[str]:
    """Return the names of napari's blending modes."""
    if missing_controls():
        return ["opaque", "translucent", "translucent_no_depth", "additive", "minimum"]
    module = module_of("napari.layers.base._base_constants")
    return [str(mode.value) for mode in module.Blending]


def range_slider(parent: QWidget, on_right_click: Callable[[], None]) -> Any:
    """Make napari's slider of contrast limits; if napari lacks it, a slider that shows numbers."""
    if missing_controls():
        return QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal, parent)
    module = module_of("napari._qt.layer_controls.widgets.qt_contrast_limits")
    slider = module._QDoubleRangeSlider(Qt.Orientation.Horizontal, parent)
    slider.show_clim_popup.connect(on_right_click)
    return slider


def decimals_of(low: float, high: float) -> int:
    """Return the number of decimals needed for a limit between two values."""
    if missing_controls():
        return 2
    module = module_of("napari._qt.layer_controls.widgets.qt_contrast_limits")
    return int(module.range_to_decimals((low, high), float))


def popup(parent: QWidget, content: QWidget) -> Any:
    """Make a popup like napari's, above a widget; None if napari lacks it."""
    if missing_controls():
        return None
    shown = module_of("napari._qt.dialogs.qt_modal").QtPopup(parent)
    layout = QVBoxLayout()
    layout.addWidget(content)
    shown.frame.setLayout(layout)
    shown.move_to("top", min_length=_POPUP_WIDTH)
    return shown


def colormap_box(parent: QWidget) -> QComboBox:
    """Make napari's list of colormaps, which shows their colours; its data are the names."""
    missing = missing_controls()
    if missing:
        box = QComboBox(parent)
    else:
        module = module_of("napari._qt.layer_controls.widgets.qt_colormap_control")
        box = module.QtColormapComboBox(parent)
    for name, colormap in AVAILABLE_COLORMAPS.items():
        box.addItem(name if missing else colormap._display_name, name)
    return box


def colour_field(parent: QWidget, tooltip: str, on_change: Callable[[Any], None]) -> Any:
    """Make napari's field for a colour; ``setColor`` sets the colour it shows."""
    if missing_controls():
        field: Any = QLineEdit(parent)
        field.setToolTip(tooltip)
        field.editingFinished.connect(lambda: on_change(field.text()))
        field.setColor = lambda colour: None
        return field
    module = module_of("napari._qt.widgets.qt_color_swatch")
    field = module.QColorSwatchEdit(parent, tooltip=tooltip)
    field.color_changed.connect(on_change)
    return field


def linked_to(layer: Layer) -> set[Layer]:
    """Return a layer and the layers linked to it in napari."""
    if missing_controls():
        return {layer}
    linked = module_of("napari.layers.utils._link_layers").get_linked_layers(layer)
    return {layer, *linked}
