"""Layers in a viewer that has no window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.viewers import a_viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from napari.components import ViewerModel

    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer


@pytest.fixture
def windowless() -> Callable[..., tuple[ViewerModel, RecruitmentLayer]]:
    """A viewer without a window, with a layer in it: sliders, list and camera are all there."""

    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

    def made(cube: xr.Dataset, **kwargs: object) -> tuple[ViewerModel, RecruitmentLayer]:
        viewer = a_viewer()
        return viewer, viewer.add_layer(RecruitmentLayer(cube, **kwargs))

    return made
