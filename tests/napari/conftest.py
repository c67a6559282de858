"""Cubes, viewers and looking at the canvas."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.support.cubes import cube_of, wave_cube
from tests.support.napari_once import worked_out_once
from tests.support.viewers import with_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr
    from napari import Viewer
    from napari.layers import Points

    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer


@pytest.fixture
def cube() -> xr.Dataset:
    """3 x 4 hexagons of 100 neurons, 5 bins of 10 ms from 3000 ms.

    In bin b hexagon h is at 10 b + h percent, so that every value tells its bin and hexagon.
    """
    row, col = (a.ravel() for a in np.mgrid[0:3, 0:4])
    return cube_of(
        10 * np.arange(5)[:, None] + np.arange(12)[None, :],
        row=row,
        col=col,
        n_spikes=2 * (10 * np.arange(5)[:, None] + np.arange(12)[None, :]),
        start_ms=3000.0,
    )


@pytest.fixture
def gappy_cube() -> xr.Dataset:
    """One bin of 3 x 3 hexagons at 40 %; the middle one has too few neurons for a value."""
    row, col = (a.ravel() for a in np.mgrid[0:3, 0:3])
    middle = (row == 1) & (col == 1)
    return cube_of(
        np.where(middle, 1, 40)[None, :],
        row=row,
        col=col,
        n_neurons=np.where(middle, 3, 100),
        min_neurons=10,
    )


@pytest.fixture
def long_cube() -> xr.Dataset:
    """10,000 bins of a small sheet."""
    return wave_cube(n_rows=3, n_cols=4, n_bins=10_000)


@pytest.fixture
def add(
    make_napari_viewer: Callable[..., Viewer],
) -> Callable[..., tuple[Viewer, RecruitmentLayer]]:
    """A viewer with a layer in it; without ``show`` nothing is drawn."""
    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

    def added(cube: xr.Dataset, *, show: bool = False, **kwargs: object) -> tuple[Viewer, Points]:
        viewer = make_napari_viewer(show=show)
        layer = RecruitmentLayer(cube, **kwargs)
        viewer.add_layer(layer)
        return viewer, layer

    return added


@pytest.fixture
def photograph(qapp: object) -> Callable[[Viewer], np.ndarray]:
    """The canvas as (height, width, 3) uint8."""

    def photo(viewer: Viewer) -> np.ndarray:
        for _ in range(3):
            qapp.processEvents()
        return viewer.screenshot(canvas_only=True, flash=False)[..., :3]

    return photo


@pytest.fixture(autouse=True)
def _viewers_of_this_test(request: pytest.FixtureRequest) -> None:
    with_windows(request)


@pytest.fixture(scope="session", autouse=True)
def _windows_are_quick() -> Iterator[None]:
    """What is the same for each window is worked out once."""
    with worked_out_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _layers_are_registered() -> None:
    """The first layer registers how it is drawn and controlled, once in a process.

    It is made before a test takes away a name that this needs.
    """
    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

    RecruitmentLayer(wave_cube(2, 2, 2))


@pytest.fixture(autouse=True)
def _modules_are_no_garbage(qapp: object) -> None:
    """napari collects garbage each time that a layer is added or removed.

    That goes through every object there is, nearly all of which belong to imported modules:
    what is there before a test is left out.
    """
    from napari._qt.qt_viewer import QtViewer

    gc.collect()
    if not QtViewer._instances:
        gc.freeze()
