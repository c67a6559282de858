"""Which layers show a cube, and of what kind."""

from __future__ import annotations

import xarray as xr
from napari.layers import Layer

from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.copies import STATE_KEY
from napari_hexrecruit.metrics import DERIVED


def cube_of(layer: Layer | None) -> xr.Dataset | None:
    """Return the cube that a layer shows; None for layers of other kinds."""
    if isinstance(layer, RecruitmentLayer):
        return layer.cube
    recipe = None if layer is None else layer.metadata.get(STATE_KEY)
    return None if recipe is None else recipe.cube


def is_plain(layer: Layer | None) -> bool:
    """Return whether a layer shows a metric of ordinary cubes, not the result of an analysis."""
    return cube_of(layer) is not None and getattr(layer, "metric", "") not in DERIVED


def takes_cubes(layer: Layer | None) -> bool:
    """Return whether the cube of a layer can be replaced; False for a campaign or an analysis."""
    return is_plain(layer) and getattr(layer, "takes_cubes", True)
