"""Times that are relative say to what; a map has no time; titles say which neurons count."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from tests.support.cubes import wave_cube
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube, render_frames
from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.layer import name_of
from napari_hexrecruit._napari.traces.traces import empty_strip
from napari_hexrecruit.analysis import compare, cut, cut_trials, trial_cube, trial_mean
from napari_hexrecruit.metrics import METRICS
from napari_hexrecruit.render.header import times_as_text
from napari_hexrecruit.render.overlays import header_texts


@pytest.fixture(scope="module")
def long_run():
    return wave_cube(3, 4, 40)


@pytest.fixture(scope="module")
def kinds(long_run):
    """Cubes by what their times are relative to."""
    trials = cut_trials(long_run, [100.0, 200.0], before=20.0, after=50.0)
    return {
        "the onset at 200 ms": trial_cube(trials, 1),
        "the onset": trial_mean(trials),
        "200 ms": compare(cut(long_run, 200.0, 300.0), cut(long_run, 0.0, 100.0)),
        "": long_run,
    }


@pytest.mark.parametrize("since", ["the onset", "the onset at 200 ms", "200 ms", ""])
def test_in_movies_and_traces(kinds, since):
    cube = kinds[since]
    scene = render_frames(cube, size=(400, 300)).scene
    text, _ = header_texts(scene, 2)[0]
    assert text.endswith(f" ms from {since}" if since else " ms")
    assert (
        times_as_text(scene.style.replace(time_format="{start:g}"), scene.shown, [0])[0].strip(
            "-0123456789"
        )
        == ""
    )  # a format of the user's own stays
    title = empty_strip(cube, "recruitment").time_title
    assert title == (f"Time since {since} (ms)" if since else "Time (ms)")


def test_a_map_has_no_time_in_movies(long_run):
    mapped = long_run.assign(peak=("hex", np.arange(12.0)))
    assert header_texts(render_frames(mapped, metric="peak").scene, 0) == []
    assert header_texts(render_frames(mapped).scene, 0) != []


def slider_name():
    """The field beside the slider of time."""
    (shown,) = [
        field
        for field in QApplication.allWidgets()
        if field.objectName() == "axis_label" and field.isVisible()
    ]
    return shown


def has_room(field):
    return field.width() >= field.fontMetrics().horizontalAdvance("time from the onset")


def test_on_the_slider(make_napari_viewer, kinds):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    layer = add_recruitment_layer(viewer, kinds["the onset"])
    assert viewer.dims.axis_labels[0] == "time from the onset"
    assert has_room(slider_name())
    layer.cube = kinds[""]
    assert viewer.dims.axis_labels[0] == "time"
    other = add_recruitment_layer(viewer, kinds["200 ms"])
    viewer.layers.selection.active = other
    assert viewer.dims.axis_labels[0] == "time from 200 ms"
    viewer.layers.remove(other)
    assert viewer.dims.axis_labels[0] == "time"
    viewer.dims.axis_labels = ("mine", "y", "x")
    viewer.dims.set_point(0, 20.0)
    assert viewer.dims.axis_labels[0] == "mine"
    viewer.dims.axis_labels = ("time from the onset", "y", "x")  # as napari does for a new layer
    assert has_room(slider_name())


def test_titles_say_the_node_set(tmp_path):
    path = neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}}).write(tmp_path)
    cube = recruitment_cube(path, node_set="Even", where="layer=3")
    counted = "cortex, node set Even, layer 3"
    assert name_of(cube) == counted
    assert METRICS["recruitment"].bar_title([cube]) == "Recruited (%), node set Even, layer 3"
    assert render_frames(cube).scene.colour_label == "Recruited (%), node set Even, layer 3"
    assert empty_strip(cube, "recruitment").counted == counted
    assert cube.attrs["title"] == f"Recruitment, {counted}"  # also that of the page
