"""napari-animation with hexagons: a real movie, small key frames, and its wizard."""

from __future__ import annotations

import io
import itertools
import pickle
from importlib.util import find_spec

import imageio.v3 as iio
import numpy as np
import pytest
import xarray as xr
from tests.support.cubes import wave_cube
from tests.support.looking import go_to
from tests.support.qt_events import let_events_pass

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer

pytestmark = pytest.mark.skipif(
    find_spec("napari_animation") is None, reason="napari-animation is optional"
)


class OfOneKeyFrame(pickle.Pickler):
    """Leaves out what all key frames share: the cube, and the registry of units."""

    def persistent_id(self, value):
        shared = isinstance(value, xr.Dataset) or type(value).__module__.startswith("pint")
        return str(type(value)) if shared else None


def bytes_of(value):
    file = io.BytesIO()
    OfOneKeyFrame(file).dump(value)
    return file.tell()


def test_two_key_frames_make_a_movie(make_napari_viewer, tmp_path, cube):
    from napari_animation import Animation

    viewer = make_napari_viewer(show=True)
    layer = add_recruitment_layer(viewer, cube)
    let_events_pass()
    bins = []
    layer.events.bin_changed.connect(lambda event: bins.append(layer.current_bin))
    movie = Animation(viewer)
    go_to(viewer, 3000.0)
    movie.capture_keyframe()
    go_to(viewer, 3040.0)
    movie.capture_keyframe(steps=4)
    bins.clear()
    movie.animate(tmp_path / "wave.mp4", canvas_only=True, fps=10)
    frames = np.stack(list(iio.imiter(tmp_path / "wave.mp4"))).astype(int)
    assert len(frames) == 5
    assert set(bins) == {0, 1, 2, 3, 4}
    for before, after in itertools.pairwise(frames):
        assert np.abs(after - before).max() > 30


def test_a_key_frame_is_small(make_napari_viewer):
    from napari_animation import Animation

    viewer = make_napari_viewer()
    add_recruitment_layer(viewer, wave_cube(n_rows=50, n_cols=60, n_bins=1000))
    movie = Animation(viewer)
    movie.capture_keyframe()
    state = movie.key_frames[0].viewer_state
    assert bytes_of(state.layers) < 1_000_000


def test_the_wizard_opens_and_takes_key_frames(make_napari_viewer, qtbot, cube):
    from napari.utils.notifications import notification_manager

    viewer = make_napari_viewer()
    add_recruitment_layer(viewer, cube)
    n_before = len(notification_manager.records)
    _, wizard = viewer.window.add_plugin_dock_widget("napari-animation", "wizard")
    for time_ms in (3000.0, 3040.0):
        go_to(viewer, time_ms)
        wizard.animation.capture_keyframe()
    wizard.animation.set_to_keyframe(0)
    assert viewer.layers[0].current_bin == 0
    assert [str(record.message) for record in notification_manager.records[n_before:]] == []
