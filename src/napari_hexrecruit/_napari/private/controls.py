"""napari's layer controls: which ones a class of layers has, and napari's own fields in them."""

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
"""Wide enough to hit a tenth of a percent, px."""


class LayerControls(QFrame):
    """What napari asks of the controls of a layer, or of several that are selected."""

    _controls: tuple[Any, ...] = ()
    """napari looks for histograms in it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("layer")  # its look in napari's themes
        self.ndisplay = 2

    def release(self) -> None:
        """Hear of the layers no longer."""

    def deleteLater(self) -> None:
        """Let go of the layers, too; napari calls it when a layer is removed."""
        self.release()
        super().deleteLater()

    def close(self) -> bool:
        """Let go of the layers, too; napari calls it when the window closes."""
        self.release()
        return bool(super().close())


def missing_controls() -> list[str]:
    """Say what napari lacks of what layer controls need; empty where they work."""
    return [str(name) for name in CONTROL_NAMES if not name.is_there()]


def use_controls(
    layer_class: type, make: Callable[[Layer | Sequence[Layer]], LayerControls]
) -> None:
    """Let napari show these controls for layers of a class, also where several are selected.

    Parameters
    ----------
    layer_class
        Class of the layers; its subclasses have the same controls.
    make
        Makes them, of a layer or of several.
    """
    container = module_of("napari._qt.layer_controls.qt_layer_controls_container")
    container.layer_to_controls[layer_class] = make
    of_napari = container.QtDynamicLayerControls

    def made(layers: Sequence[Layer]) -> Any:
        ours = all(isinstance(layer, layer_class) for layer in layers)
        return make(layers) if ours else of_napari(layers)

    container.QtDynamicLayerControls = made


def blendings() -> list[str]:
    """Names of the ways in which a layer covers those below it."""
    if missing_controls():
        return ["opaque", "translucent", "translucent_no_depth", "additive", "minimum"]
    module = module_of("napari.layers.base._base_constants")
    return [str(mode.value) for mode in module.Blending]


def range_slider(parent: QWidget, on_right_click: Callable[[], None]) -> Any:
    """Make napari's slider of contrast limits; in a napari without it, one that shows numbers."""
    if missing_controls():
        return QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal, parent)
    module = module_of("napari._qt.layer_controls.widgets.qt_contrast_limits")
    slider = module._QDoubleRangeSlider(Qt.Orientation.Horizontal, parent)
    slider.show_clim_popup.connect(on_right_click)
    return slider


def decimals_of(low: float, high: float) -> int:
    """Digits behind the point that a limit between two others needs."""
    if missing_controls():
        return 2
    module = module_of("napari._qt.layer_controls.widgets.qt_contrast_limits")
    return int(module.range_to_decimals((low, high), float))


def popup(parent: QWidget, content: QWidget) -> Any:
    """Make a popup as napari's, above a widget; None in a napari without it."""
    if missing_controls():
        return None
    shown = module_of("napari._qt.dialogs.qt_modal").QtPopup(parent)
    layout = QVBoxLayout()
    layout.addWidget(content)
    shown.frame.setLayout(layout)
    shown.move_to("top", min_length=_POPUP_WIDTH)
    return shown


def colormap_box(parent: QWidget) -> QComboBox:
    """Make napari's list of colormaps, which shows their colours; names are its data."""
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
    """Make napari's field for a colour; ``setColor`` shows one."""
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
    """Layers that are linked with one by napari, itself among them."""
    if missing_controls():
        return {layer}
    linked = module_of("napari.layers.utils._link_layers").get_linked_layers(layer)
    return {layer, *linked}
