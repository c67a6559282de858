"""Private names of napari and vispy: which are used, why, and which are missing.

Importing the module needs public names only, so that it works in every napari.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Points


@dataclass(frozen=True)
class PrivateName:
    """A name that napari or vispy may change without notice.

    Parameters
    ----------
    module
        Module of the name.
    path
        Dotted name below the module.
    reason
        What the hexagon layer uses it for, as "to ...".
    """

    module: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.module}.{self.path} is gone, which the hexagon layer uses {self.reason}"

    def is_there(self) -> bool:
        """Return whether the installed napari and vispy have the name."""
        try:
            module = importlib.import_module(self.module)
        except ImportError:
            return False
        return _has(module, self.path)


def _has(owner: Any, path: str) -> bool:
    for part in path.split("."):
        if not hasattr(owner, part):
            return False
        owner = getattr(owner, part)
    return True


POINTS = "napari.layers.points.points"
_LAYER = "napari.layers.base.base"
VISPY_POINTS = "napari._vispy.layers.points"

PRIVATE_NAMES: tuple[PrivateName, ...] = (
    PrivateName(
        POINTS,
        "_PointsSlicingState.make_slice_request_internal",
        "to turn the slider's time into a bin",
    ),
    PrivateName(
        POINTS, "_PointsSlicingState._update_slice_response", "to announce the bin that is shown"
    ),
    PrivateName(
        _LAYER, "Layer._get_layer_slicing_state", "to answer the slider with one bin of the cube"
    ),
    PrivateName(
        "napari.layers.utils._slice_input", "_ThickNDSlice.copy_with", "to snap a time to its bin"
    ),
    PrivateName(
        "napari.layers.utils._slice_input", "_SliceInput.displayed", "to know the axes of the view"
    ),
    PrivateName(_LAYER, "Layer._extent_data", "to give the slider its range"),
    PrivateName(_LAYER, "Layer._clear_extent", "to give the slider its range"),
    PrivateName(_LAYER, "Layer._get_state", "to keep key frames small and copies whole"),
    PrivateName(_LAYER, "Layer._get_value", "to find the hexagon under the cursor"),
    PrivateName(_LAYER, "Layer._get_tooltip_text", "to show a value in the tool tip"),
    PrivateName(_LAYER, "Layer._type_string", "to be saved as points"),
    PrivateName(POINTS, "Points._move", "to keep hexagons where they are"),
    PrivateName(POINTS, "Points._paste_data", "to keep hexagons as many as they are"),
    PrivateName(POINTS, "Points._view_indices", "to know the hexagons in view"),
    PrivateName(POINTS, "Points._view_size", "to know how large hexagons are"),
    PrivateName(POINTS, "Points._view_symbol", "to upload the markers quickly"),
    PrivateName(POINTS, "Points._view_border_color", "to outline hexagons without a value"),
    PrivateName(POINTS, "Points._view_border_width", "to outline hexagons without a value"),
    PrivateName(VISPY_POINTS, "VispyPointsLayer._on_data_change", "to upload the markers"),
    PrivateName(VISPY_POINTS, "VispyPointsLayer._on_antialiasing_change", "to smooth edges"),
    PrivateName("napari._vispy.visuals.points", "Markers", "to draw hexagons"),
    PrivateName("napari._vispy.visuals.points", "PointsVisual.points_markers", "to draw hexagons"),
    PrivateName("napari._vispy.utils.visual", "layer_to_visual", "to draw its own visual"),
    PrivateName("vispy.visuals.markers", "MarkersVisual._symbol_shader", "to draw hexagons"),
    PrivateName("vispy.visuals.markers", "MarkersVisual._shaders", "to fit hexagons together"),
)
"""Private names that are looked up on modules and classes."""

LABEL_NAMES: tuple[PrivateName, ...] = (
    PrivateName("napari._vispy.overlays.text", "_VispyLayerTextOverlay", "to label colour bars"),
    PrivateName("napari._vispy.utils.visual", "overlay_to_visual", "to label colour bars"),
    PrivateName(POINTS, "Points.face_colorbar", "to label colour bars"),
    PrivateName(
        "napari._vispy.overlays.colorbar",
        "VispyColorBarOverlay._on_ticks_change",
        "to keep colour bars off the names of layers",
    ),
)
"""If one is missing, colour bars have neither label nor room above; all else works."""

OVERLAYS = "napari._vispy.overlays.base"
PICK_NAMES: tuple[PrivateName, ...] = (
    PrivateName(OVERLAYS, "LayerOverlayMixin", "to outline selected hexagons"),
    PrivateName(OVERLAYS, "VispySceneOverlay", "to outline selected hexagons"),
    PrivateName("napari._vispy.utils.visual", "overlay_to_visual", "to outline selected hexagons"),
)
"""If one is missing, picked hexagons have no outline on the map; all else works."""

_CONTROLS = "napari._qt.layer_controls"
_OF_CONTROLS = "to show controls for hexagons"
CONTROL_NAMES: tuple[PrivateName, ...] = (
    *(
        PrivateName(f"{_CONTROLS}.qt_layer_controls_container", name, _OF_CONTROLS)
        for name in ("layer_to_controls", "QtDynamicLayerControls")
    ),
    *(
        PrivateName(f"{_CONTROLS}.widgets.{module}", name, _OF_CONTROLS)
        for module, name in (
            ("qt_contrast_limits", "_QDoubleRangeSlider.show_clim_popup"),
            ("qt_contrast_limits", "range_to_decimals"),
            ("qt_colormap_control", "QtColormapComboBox"),
        )
    ),
    PrivateName("napari._qt.dialogs.qt_modal", "QtPopup.move_to", _OF_CONTROLS),
    PrivateName("napari._qt.widgets.qt_color_swatch", "QColorSwatchEdit", _OF_CONTROLS),
    PrivateName("napari.layers.base._base_constants", "Blending", _OF_CONTROLS),
    PrivateName("napari.layers.utils._link_layers", "get_linked_layers", "to fit linked limits"),
)
"""If one is missing, the widget shows the fields that are otherwise in the layer controls."""

INSTANCE_NAMES = {
    "_data": "to show the bin as a coordinate",
    "_face": "to colour a bin",
    "_overlays": "to label colour bars",
    "_slice_input": "to know the axes of the view",
    "_value": "to forget the hexagon under the cursor when the cube changes",
}
"""Private attributes of a `Points` layer, and what they are used for."""

SHADER_LINE = "float r = $marker(pointcoord, v_total_size, int(v_symbol));"
"""Statement of vispy's fragment shader after which the hexagon's own edge rule is inserted."""


def missing_names() -> list[str]:
    """List the private names that the installed napari and vispy lack.

    Returns
    -------
    list of str
        One sentence per name; empty if `FramePoints` works.
    """
    missing = [str(name) for name in PRIVATE_NAMES if not name.is_there()]
    if missing:
        return missing
    layer = Points(np.zeros((1, 3)))
    missing += [
        str(PrivateName(POINTS, f"Points().{name}", reason))
        for name, reason in INSTANCE_NAMES.items()
        if not hasattr(layer, name)
    ]
    if SHADER_LINE not in module_of("vispy.visuals.markers").MarkersVisual._shaders["fragment"]:
        missing.append(
            "vispy.visuals.markers has another fragment shader, in which the hexagon layer"
            f" does not find {SHADER_LINE!r}, which it uses to fit hexagons together"
        )
    return missing


def module_of(name: str) -> Any:
    return importlib.import_module(name)
