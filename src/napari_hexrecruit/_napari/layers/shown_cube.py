"""Which layers show a cube, and what is asked of those that do."""

from __future__ import annotations

import xarray as xr
from napari.layers import Layer

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit.metrics import DERIVED


def cube_of(layer: Layer | None) -> xr.Dataset | None:
    """Cube that a layer shows; None for layers of others."""
    if isinstance(layer, RecruitmentLayer):
        return layer.cube
    recipe = None if layer is None else layer.metadata.get(STATE_KEY)
    return None if recipe is None else recipe.cube


def is_plain(layer: Layer | None) -> bool:
    """Whether a layer shows what every cube can show, not the result of an analysis."""
    return cube_of(layer) is not None and getattr(layer, "metric", "") not in DERIVED


def takes_cubes(layer: Layer | None) -> bool:
    """Whether a layer can be given the cube of other parameters: not that of a campaign."""
    return is_plain(layer) and getattr(layer, "takes_cubes", True)
