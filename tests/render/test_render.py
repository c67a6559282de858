"""Which bins, which colours, which frames; and options that are refused."""

from __future__ import annotations

import dataclasses
import inspect
import math
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from tests.support.cubes import cube_of, letter_cube, sheet_cube, wave_cube

from napari_hexrecruit.hexgrid import rowcol_to_ij
from napari_hexrecruit.render import blend, painter, pixels
from napari_hexrecruit.render import frames as frames_module
from napari_hexrecruit.render.frames import RenderedFrames, render_frames
from napari_hexrecruit.render.overlays import header_texts, time_texts
from napari_hexrecruit.render.pixels import to_floats
from napari_hexrecruit.render.scene import Underlay
from napari_hexrecruit.render.style import Mark, MovieStyle

BARE = {"colorbar": False, "timestamp": False, "scale_bar": False}


@pytest.fixture
def cube():
    """40 bins of 10 ms from 3000 ms on; in bin b column b % 12 is at 60 %, the rest at 10 %."""
    made = wave_cube(n_bins=40, start_ms=3000.0)
    assert made["recruitment"].max() == 60 and made["recruitment"].min() == 10
    return made


def colour_at(frames, k, row, col):
    """Colour of the middle of a hexagon in a frame."""
    panel = frames.scene.panels[0]
    x, y = panel.hexes.grid.hex_to_xy(*rowcol_to_ij([row], [col]))
    px, py = panel.view.to_pixels(x, y)
    return tuple(frames[k][panel.box.top + int(py[0]), panel.box.left + int(px[0])].tolist())


# --- the window -----------------------------------------------------------------------------------


def test_the_whole_cube_by_default(cube):
    frames = render_frames(cube, size=(160, 120))
    assert isinstance(frames, RenderedFrames)
    assert len(frames) == 40 and frames.size == (160, 120)
    assert frames.times[[0, -1]].tolist() == [3000.0, 3390.0]
    assert frames.step_ms == 10.0


def test_the_published_window():
    frames = render_frames(
        sheet_cube(n_hexes=50, n_bins=200, start_ms=2500.0), start=3000, stop=3760
    )
    assert len(frames) == 76
    assert frames.times.tolist() == np.arange(3000.0, 3760.0, 10.0).tolist()


def test_step_takes_every_nth_bin(cube):
    frames = render_frames(cube, start=3010, stop=3100, step=30, size=(160, 120))
    assert frames.times.tolist() == [3010.0, 3040.0, 3070.0]
    bright = [colour_at(frames, k, 4, col) for k, col in enumerate((1, 4, 7))]
    assert bright == [colour_at(frames, 0, 4, 1)] * 3


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"start": 3004}, "start 3004 ms is inside a bin of 10 ms: use 3000 or 3010 ms"),
        ({"stop": 3395.5}, "stop 3395.5 ms is inside a bin of 10 ms: use 3390 or 3400 ms"),
        ({"start": 2990}, "start 2990 ms is outside of the cube: 3000 to 3400 ms"),
        ({"stop": 3410}, "stop 3410 ms is outside of the cube: 3000 to 3400 ms"),
        ({"start": 3100, "stop": 3100}, "the window from 3100 to 3100 ms is empty"),
        ({"start": 3200, "stop": 3100}, "stop must be after start"),
        ({"start": 3400}, "the window from 3400 to 3400 ms is empty"),
        ({"start": float("nan")}, "start must be a finite number of ms, not nan"),
        ({"step": 15}, "step 15 ms is not a whole number of 10 ms bins: use 10 or 20 ms"),
        ({"step": 4}, "step 4 ms is not a whole number of 10 ms bins: use 10 ms"),
        ({"step": 0}, "step must be a number of ms greater than 0, not 0"),
        ({"step": float("inf")}, "step must be a number of ms greater than 0"),
    ],
)
def test_a_window_that_is_not_made_of_bins_is_refused(cube, window, message):
    with pytest.raises(ValueError) as caught:
        render_frames(cube, **window)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_bins_of_a_tenth_are_found_despite_float_noise():
    made = wave_cube(n_bins=50, bin_ms=0.1, start_ms=0.3)
    frames = render_frames(made, start=0.7, stop=1.1, size=(160, 120))
    assert len(frames) == 4
    assert frames.times == pytest.approx([0.7, 0.8, 0.9, 1.0])


def test_frame_at_finds_the_bin_that_holds_a_time(cube):
    frames = render_frames(cube, start=3010, step=30)
    assert [frames.frame_at(t) for t in (3010, 3019.9, 3040)] == [0, 0, 1]
    with pytest.raises(ValueError, match="no frame shows 3025 ms: the nearest starts at 3010 ms"):
        frames.frame_at(3025)
    with pytest.raises(ValueError, match="no frame shows 5000 ms: the nearest starts at 3370 ms"):
        frames.frame_at(5000)


def test_dilation_to_frames_per_second(cube):
    assert render_frames(cube).fps_for(5.0) == pytest.approx(20.0)
    assert render_frames(cube, step=20).fps_for(5.0) == pytest.approx(10.0)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="dilation must be greater than 0"):
            render_frames(cube).fps_for(wrong)


# --- frames ---------------------------------------------------------------------------------------


def test_frames_are_new_arrays_of_the_asked_size(cube):
    frames = render_frames(cube, size=(161, 123), stop=3050)
    pictures = list(frames)
    assert [p.shape for p in pictures] == [(123, 161, 3)] * 5
    assert all(p.dtype == np.uint8 and p.flags.c_contiguous for p in pictures)
    assert not np.shares_memory(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[1])


def test_a_frame_is_the_same_whatever_was_drawn_before(cube):
    marks = [(3000, 3020, "on"), (3030, 3040, "off")]
    frames = render_frames(cube, size=(240, 180), strip=True, marks=marks)
    forth = list(frames)
    assert all(np.array_equal(frames[k], forth[k]) for k in (5, 0, 39, 3, 2))
    assert np.array_equal(frames[-1], forth[39])
    assert all(np.array_equal(a, b) for a, b in zip(frames, forth, strict=True))


@pytest.mark.parametrize("wrong", [40, -41])
def test_a_frame_that_is_not_there_is_an_index_error(cube, wrong):
    with pytest.raises(IndexError, match=f"frame {wrong} is not among the 40 frames"):
        render_frames(cube)[wrong]


def test_the_cube_is_not_changed(cube):
    before = cube.copy(deep=True)
    list(render_frames(cube, size=(160, 120), strip=True, average=3, metric="rate", stop=3030))
    assert cube.identical(before)


def test_colours_are_those_of_the_colormap(cube):
    import matplotlib as mpl

    frames = render_frames(cube, size=(320, 240), clim=(0, 100), colormap="magma", **BARE)
    table = mpl.colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    assert colour_at(frames, 0, 4, 0) == tuple(table[int(0.6 * 256)].tolist())
    assert colour_at(frames, 0, 4, 1) == tuple(table[int(0.1 * 256)].tolist())


def test_values_outside_of_the_limits_get_the_end_colours(cube):
    frames = render_frames(cube, size=(320, 240), clim=(20, 50), colormap="gray", **BARE)
    assert colour_at(frames, 0, 4, 0) == (255, 255, 255)
    assert colour_at(frames, 0, 4, 1) == (0, 0, 0)
    assert frames.scene.colours.below and frames.scene.colours.above


@pytest.mark.parametrize(("background", "light"), [("white", 255), ("black", 0)])
def test_background(cube, background, light):
    picture = render_frames(cube, size=(160, 120), background=background)[0]
    assert (picture[0] == light).all() and (picture[:, 0] == light).all()


def test_a_transparent_background_has_alpha_only_where_something_is():
    frames = render_frames(
        letter_cube(), size=(120, 160), background="transparent", clim=(0, 100), **BARE
    )
    white = render_frames(letter_cube(), size=(120, 160), clim=(0, 100), **BARE)[0]
    picture = frames[0]
    assert picture.shape == (160, 120, 4)
    alpha = picture[..., 3:].astype(float) / 255
    assert alpha.min() == 0 and alpha.max() == 1 and ((alpha > 0) & (alpha < 1)).any()
    on_white = picture[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(on_white - white).max() <= 2


def test_text_on_a_transparent_background_has_clean_edges():
    frames = render_frames(letter_cube(), size=(240, 180), background="transparent", strip=True)
    picture = frames[1]
    header = picture[: frames.scene.layout.header.bottom]
    some = header[header[..., 3] > 0]
    assert len(some) and (np.abs(some[:, :3].astype(int) - 0x26) <= 1).all()


# --- values ---------------------------------------------------------------------------------------


def test_average_is_centred_and_uses_what_there_is_at_the_ends():
    counts = np.array([[0], [30], [60], [0], [90]])
    made = cube_of(counts, row=[0], col=[0])
    frames = render_frames(made, average=3)
    shown = [float(frames.values(k)[0][0]) for k in range(5)]
    assert shown == pytest.approx([15.0, 30.0, 30.0, 50.0, 45.0])
    assert "mean of 3 bins" in frames.scene.colour_label


def test_average_looks_beyond_the_window_but_not_beyond_the_cube():
    made = cube_of([[0], [30], [60], [0], [90]], row=[0], col=[0])
    frames = render_frames(made, average=3, start=10, stop=50, step=20)
    assert [float(frames.values(k)[0][0]) for k in range(2)] == pytest.approx([30.0, 50.0])


def test_average_of_a_long_cube_does_not_depend_on_how_it_is_cut(monkeypatch):
    made = wave_cube(n_bins=40)
    whole = [render_frames(made, average=5, step=20).values(k)[0] for k in range(20)]
    monkeypatch.setattr("napari_hexrecruit.render.frames._BLOCK_VALUES", 300)
    pieces = render_frames(made, average=5, step=20)
    for k, expected in enumerate(whole):
        np.testing.assert_array_equal(pieces.values(k)[0], expected)


def test_metrics_change_what_is_shown():
    made = cube_of([[10]], n_spikes=[[30]], row=[0], col=[0], n_neurons=40, bin_ms=20.0)
    shown = {
        m: float(render_frames(made, metric=m).values(0)[0][0]) for m in ("recruitment", "rate")
    }
    assert shown == pytest.approx({"recruitment": 25.0, "rate": 30 / 40 / 0.02})
    assert render_frames(made, metric="rate").scene.colour_label.endswith("(spikes/s per neuron)")


def test_limits_are_shared_by_all_cubes():
    low = cube_of([[8]], row=[0], col=[0])
    high = cube_of([[75]], row=[0], col=[0])
    assert render_frames([low, high], metric="n_recruited").clim == (0.0, 75.0)
    assert render_frames([low, high], clim=(0, 60)).clim == (0.0, 60.0)


# --- hexagons without a value ---------------------------------------------------------------------


def test_hexagons_without_a_value_are_outlines():
    made = cube_of([[50, 2]], row=[0, 0], col=[0, 1], n_neurons=[100, 4], min_neurons=10)
    frames = render_frames(made, size=(200, 120), **BARE)
    assert colour_at(frames, 0, 0, 0) != (255, 255, 255)
    assert colour_at(frames, 0, 0, 1) == (255, 255, 255)
    assert ((frames[0] != 255) & (frames[0].max(axis=2, keepdims=True) < 200)).any()


def test_a_cube_without_any_value_is_drawn_as_outlines():
    made = cube_of([[1, 1]], row=[0, 0], col=[0, 1], min_neurons=1000)
    frames = render_frames(made, size=(300, 200), strip=True)
    assert frames.clim == (0.0, 50.0)
    picture = frames[0]
    assert colour_at(frames, 0, 0, 0) == (255, 255, 255)
    panel = frames.scene.panels[0].box
    inside = picture[panel.top : panel.bottom, panel.left : panel.right]
    assert (inside < 200).any()


def test_a_hexagon_without_a_value_in_one_bin_only_has_the_background_there():
    made = cube_of([[50], [50]], row=[0], col=[0])
    made["recruitment"][1] = np.nan
    frames = render_frames(made, size=(200, 120), **BARE)
    assert colour_at(frames, 0, 0, 0) != (255, 255, 255)
    assert colour_at(frames, 1, 0, 0) == (255, 255, 255)


# --- several cubes --------------------------------------------------------------------------------


def test_cubes_side_by_side_may_have_other_hexagons():
    left = wave_cube(n_bins=4, radius=50.0)
    right = wave_cube(n_rows=4, n_cols=6, n_bins=4, radius=100.0)
    frames = render_frames([left, right], panel_titles=["EXC", "INH"], size=(400, 200), strip=True)
    assert len(frames.scene.panels) == 2
    assert frames.scene.panels[0].view == frames.scene.panels[1].view
    assert frames[0].shape == (200, 400, 3)


@pytest.mark.parametrize(
    "other", [{"n_bins": 5}, {"n_bins": 4, "bin_ms": 5.0}, {"n_bins": 4, "start_ms": 10.0}]
)
def test_cubes_with_other_time_axes_are_refused(other):
    with pytest.raises(
        ValueError, match="the time axes differ: cube 1 has 4 bins of 10 ms from 0 ms"
    ):
        render_frames([wave_cube(n_bins=4), wave_cube(**other)])


def test_no_cube_is_refused():
    with pytest.raises(ValueError, match="there is no cube to show"):
        render_frames([])


def test_as_many_titles_as_cubes():
    with pytest.raises(ValueError, match="panel_titles has 2 titles for 1 cubes"):
        render_frames(letter_cube(), panel_titles=["a", "b"])


def test_what_is_no_cube_is_refused():
    with pytest.raises(ValueError, match="not a recruitment cube"):
        render_frames(letter_cube().drop_vars("n_spikes"))


def test_cubes_so_far_and_of_each_bin_are_not_mixed():
    so_far = letter_cube()
    so_far.attrs["recipe"] = '{"cumulative": true}'
    assert render_frames(so_far).scene.colour_label == "Recruited so far (%)"
    with pytest.raises(ValueError, match=r"quantities, Recruited \(%\) and Recruited so far \(%\)"):
        render_frames([letter_cube(), so_far])
    assert len(render_frames([letter_cube(), so_far], metric="rate").scene.panels) == 2


# --- the edge of the sheet ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "drawn"),
    [
        ({}, False),
        ({"colormap": "gray_r"}, True),
        ({"colormap": "magma", "background": "black"}, True),
        ({"colormap": "magma", "background": "transparent"}, False),
        ({"border": True}, True),
        ({"colormap": "gray_r", "border": False}, False),
    ],
)
def test_the_edge_of_the_sheet_is_drawn_where_it_would_not_be_seen(options, drawn):
    assert render_frames(letter_cube(), **options).scene.has_border is drawn


def test_the_edge_of_the_sheet_has_only_edges_without_neighbour():
    edges = render_frames(letter_cube()).scene.panels[0].hexes.border()
    n_hexes, n_touching = 8, 10
    assert len(edges) == 6 * n_hexes - 2 * n_touching
    assert np.hypot(*(edges[:, 0] - edges[:, 1]).T) == pytest.approx(50.0)


# --- image and outlines ---------------------------------------------------------------------------


def test_an_image_lies_under_the_hexagons_upright():
    made = letter_cube()
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    image[0] = (255, 0, 0)  # the upper row: large y
    image[1] = (0, 0, 255)
    frames = render_frames(
        made,
        under=(image, (-200, 600, -200, 500)),
        fit=(-200, 600, -200, 500),
        size=(160, 140),
        **BARE,
    )
    picture = frames[0]
    box = frames.scene.panels[0].box
    assert picture[box.top + 2, box.left + 2].tolist() == [255, 0, 0]
    assert picture[box.bottom - 3, box.right - 3].tolist() == [0, 0, 255]
    assert colour_at(frames, 0, 0, 0) not in [(255, 0, 0), (0, 0, 255)]


def test_opacity_lets_the_image_shine_through():
    image = np.full((4, 4), 255, dtype=np.uint8)
    options = {"under": (image, (-500, 900, -500, 900)), "clim": (50, 100), "colormap": "gray"}
    frames = render_frames(letter_cube(), opacity=0.25, size=(160, 140), **options, **BARE)
    assert colour_at(frames, 0, 0, 0) == pytest.approx((191, 191, 191), abs=2)


@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_inside_of_one_hexagon_there_is_only_its_colour(opacity):
    frames = render_frames(
        letter_cube(),
        fit=(-10, 10, -10, 10),
        opacity=opacity,
        size=(60, 60),
        clim=(0, 50),
        colormap="gray_r",
        **BARE,
    )
    box = frames.scene.panels[0].box
    inside = frames[0][box.top : box.bottom, box.left : box.right]
    assert np.abs(inside.astype(int) - round(255 * (1 - opacity))).max() <= 1


def test_an_image_of_floats_and_of_bytes_look_the_same():
    grey = np.linspace(0, 255, 12).reshape(3, 4).astype(np.uint8)
    extent = (-500, 900, -500, 900)
    pictures = [
        render_frames(letter_cube(), under=Underlay(image, extent), size=(160, 140))[0]
        for image in (grey, grey / 255.0)
    ]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 2


def test_outlines_are_drawn_over_the_hexagons():
    x, y = letter_cube()["x"].to_numpy(), letter_cube()["y"].to_numpy()
    line = np.array([[x.min(), y.min()], [x.min(), y.max()], [np.nan, np.nan], [x.max(), y.max()]])
    without = render_frames(letter_cube(), size=(160, 140))[0]
    with_line = render_frames(letter_cube(), size=(160, 140), outlines=[line])[0]
    changed = np.abs(without.astype(int) - with_line).max(axis=2) > 100
    assert 30 < changed.sum() < 2000


def test_fit_all_shows_the_image_and_the_outlines():
    far = np.array([[5000.0, 0.0], [5000.0, 100.0]])
    scene = render_frames(letter_cube(), outlines=[far], fit="all").scene
    assert scene.panels[0].view.bounds[1] > 5000
    image = np.zeros((2, 2), dtype=np.uint8)
    scene = render_frames(letter_cube(), under=(image, (-9000, 0, 0, 1)), fit="all").scene
    assert scene.panels[0].view.bounds[0] < -9000


@pytest.mark.parametrize(
    ("image", "extent", "message"),
    [
        (np.zeros((2, 2, 2)), (0, 1, 0, 1), "an image must be .height, width."),
        (np.zeros((0, 2)), (0, 1, 0, 1), "an image must be .height, width."),
        (np.zeros((2, 2), dtype=int), (0, 1, 0, 1), "an image must be uint8 or float, not int64"),
        (np.zeros((2, 2)), (1, 0, 0, 1), "the extent must be"),
        (np.zeros((2, 2)), (0, np.nan, 0, 1), "the extent must be"),
    ],
)
def test_images_that_cannot_be_shown_are_refused(image, extent, message):
    with pytest.raises(ValueError, match=message):
        render_frames(letter_cube(), under=(image, extent))


@pytest.mark.parametrize("line", [[1.0, 2.0], [[1.0, 2.0, 3.0]], [[np.nan, np.nan]]])
def test_lines_that_are_none_are_refused(line):
    with pytest.raises(ValueError, match="an outline must be"):
        render_frames(letter_cube(), outlines=[line])


# --- options --------------------------------------------------------------------------------------


def test_options_go_to_a_plain_dict_and_back():
    import yaml

    style = MovieStyle(
        size=(500, 400),
        clim=(0, 50),
        colormap="cividis",
        background="black",
        marks=["3000:3100:whisker", (3200, 3300)],
        panel_titles=["EXC", "INH"],
        fit=(0, 1, 2, 3),
        strip=True,
    )
    options = yaml.safe_load(yaml.safe_dump(style.to_dict()))
    assert MovieStyle.from_dict(options) == style
    assert MovieStyle().to_dict() == {}
    assert set(options) == {
        *("size", "clim", "colormap", "background", "marks", "panel_titles", "fit", "strip")
    }


def test_the_label_of_the_colours_can_be_chosen():
    frames = render_frames(letter_cube(), colorbar_label="Perc. recruited", average=3)
    assert frames.scene.colour_label == "Perc. recruited"


def test_marks_are_taken_in_every_form():
    mark = Mark(1.0, 2.0, "a")
    forms = [mark, "1:2:a", (1, 2, "a"), {"start": 1, "stop": 2, "label": "a"}]
    assert MovieStyle(marks=forms).marks == (mark,) * 4


def test_options_replace_those_of_a_style():
    style = MovieStyle(size=(200, 100), title="a")
    frames = render_frames(letter_cube(), style=style, title="b")
    assert frames.style == MovieStyle(size=(200, 100), title="b")
    assert style.title == "a"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 100)}, "size must be (width, height) of 16 to 16384 px"),
        ({"size": (100.5, 100)}, "size must be (width, height)"),
        ({"size": (10_000, 10_000)}, "has 100,000,000 px, and 40,000,000 are the most"),
        ({"size": 100}, "size must be 2 numbers, not 100"),
        ({"size": "ab"}, "size must be 2 numbers, not 'ab'"),
        ({"metric": "spikes"}, "metric 'spikes' is unknown"),
        ({"clim": (5, 3)}, "clim must be (low, high) with low below high, not (5, 3)"),
        ({"clim": (0, float("nan"))}, "a colour limit must be finite"),
        ({"clim": ("a", 1)}, "a colour limit must be a number, not 'a'"),
        ({"background": "pink"}, "background must be one of white, black, transparent, not 'pink'"),
        ({"average": 2}, "average must be an odd number of bins (1, 3, 5, ...), not 2"),
        ({"average": 0}, "average must be an odd number"),
        ({"average": 1.5}, "average must be an odd number"),
        ({"average": True}, "average must be an odd number"),
        ({"opacity": 1.5}, "opacity must be 0 to 1, not 1.5"),
        ({"fit": "image"}, "fit must be one of hexagons, all, not 'image'"),
        ({"fit": (1, 0, 0, 1)}, "fit must be (x_min, x_max, y_min, y_max)"),
        ({"font_scale": 0}, "font_scale must be 0.1 to 10, not 0"),
        ({"time_format": "{end} ms"}, "time_format '{end} ms' cannot be used"),
        ({"time_format": "{start"}, "time_format '{start' cannot be used"),
        ({"time_format": "{}"}, "time_format '{}' cannot be used"),
        ({"marks": ["whisker"]}, "mark 'whisker' is not START:STOP:LABEL"),
        ({"marks": ["a:b:c"]}, "mark 'a:b:c': START and STOP must be numbers of ms"),
        ({"marks": [(5, 5, "x")]}, "the mark 'x' from 5 to 5 ms is empty"),
        ({"marks": [(1, float("inf"))]}, "a mark's stop must be finite"),
        ({"marks": [7]}, "mark 7 is not (start, stop, label)"),
        ({"marks": [{"begin": 1}]}, "is not (start, stop, label)"),
        ({"size": (40, 40)}, "a picture of 40 x 40 px has no room for the map"),
    ],
)
def test_options_that_cannot_be_used_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError) as caught:
        render_frames(letter_cube(), **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("colourmap", "did you mean 'colormap'"), ("qqqqqq", "use one of size, metric")],
)
def test_a_name_that_is_not_an_option_is_refused(name, hint):
    with pytest.raises(ValueError, match=f"'{name}' is not an option of a picture: {hint}"):
        MovieStyle().replace(**{name: 1})
    with pytest.raises(TypeError, match=name):
        render_frames(letter_cube(), **{name: 1})


def test_every_option_of_a_style_is_one_of_frames_that_leaves_it_as_it_is_by_default():
    parameters = inspect.signature(render_frames).parameters
    assert {field.name for field in dataclasses.fields(MovieStyle)} <= set(parameters)
    style = MovieStyle(size=(200, 100), colorbar=False, title="a", average=3, opacity=0.5)
    assert render_frames(letter_cube(), style=style).style == style
    changed = render_frames(letter_cube(), style=style, colorbar=True, title="", average=1).style
    assert changed == style.replace(colorbar=True, title="", average=1)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("viridi", "viridis"), ("Magma", "magma"), ("zzzzzzzzzz", "viridis")]
)
def test_an_unknown_colormap_lists_close_ones(wrong, meant):
    with pytest.raises(ValueError, match=f"colormap '{wrong}' is unknown to matplotlib.*{meant}"):
        render_frames(letter_cube(), colormap=wrong)


def test_marks_are_read_from_text():
    assert Mark.parse("3000:3100") == Mark(3000.0, 3100.0, "")
    assert Mark.parse("3000:3100:a:b") == Mark(3000.0, 3100.0, "a:b")
    assert Mark.parse("-1.5:2e3:x y") == Mark(-1.5, 2000.0, "x y")


def test_the_users_matplotlib_settings_do_not_matter():
    import matplotlib as mpl

    expected = render_frames(letter_cube(), size=(300, 200), strip=True)[0]
    with mpl.rc_context({"font.size": 40, "axes.facecolor": "red", "text.color": "green"}):
        before = dict(mpl.rcParams)
        found = render_frames(letter_cube(), size=(300, 200), strip=True)[0]
        assert dict(mpl.rcParams) == before
    assert np.array_equal(found, expected)


@pytest.mark.slow
def test_neither_pyplot_nor_a_display_is_needed():
    code = (
        "import sys; from tests.support.cubes import letter_cube\n"
        "from napari_hexrecruit import render_frames\n"
        "assert 'matplotlib' not in sys.modules, 'too early'\n"
        "render_frames(letter_cube(), size=(200, 150), strip=True)[0]\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert not {'napari', 'qtpy', 'vispy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- layout and text ------------------------------------------------------------------------------


def drawn_columns(picture, box):
    """Columns of a box in which something dark is."""
    part = picture[box.top : box.bottom]
    return np.flatnonzero((part < 128).all(axis=2).any(axis=0))


@pytest.mark.parametrize(
    "title", ["Short", "A title that is much too long for a picture so narrow"]
)
def test_a_title_never_covers_the_time_and_stays_inside(title):
    options = {"size": (400, 300), "time_format": "{start:.0f} ms", "font_scale": 1.4}
    frames = render_frames(wave_cube(), title=title, **options)
    bare = render_frames(wave_cube(), title="", **options)
    header = frames.scene.layout.header
    added = np.setdiff1d(drawn_columns(frames[3], header), drawn_columns(bare[3], header))
    time_ends = drawn_columns(bare[3], header).max()
    assert added.size and added.min() > time_ends and added.max() < 400


def test_many_panels_are_put_into_rows():
    frames = render_frames([wave_cube(n_rows=4, n_bins=2)] * 6, size=(400, 400))
    tops = [panel.box.top for panel in frames.scene.panels]
    assert len(set(tops)) >= 2
    boxes = [panel.box for panel in frames.scene.panels]
    for k, a in enumerate(boxes):
        assert a.right <= 400 and a.bottom <= 400
        for b in boxes[:k]:
            assert a.left >= b.right or b.left >= a.right or a.top >= b.bottom or b.top >= a.bottom


def test_the_time_keeps_its_place_while_its_digits_grow():
    frames = render_frames(wave_cube(n_bins=30, start_ms=900.0), size=(240, 180))
    header = frames.scene.layout.header
    ends = {int(drawn_columns(frame, header).max()) for frame in frames}
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("start_ms", "bin_ms", "text"),
    [(0.0, 10.0, "10 ms"), (0.0, 2.5, "2.5 ms"), (0.05, 0.1, "0.15 ms"), (0.0, 1 / 3, "0.3333 ms")],
)
def test_the_time_has_as_many_decimals_as_it_needs(start_ms, bin_ms, text):
    frames = render_frames(wave_cube(n_bins=3, bin_ms=bin_ms, start_ms=start_ms))
    assert time_texts(frames.scene, [1]) == [text]


def test_marks_outside_of_the_window_leave_no_trace():
    marks = [(-50, -10, "before"), (500, 600, "after")]
    plain_strip = render_frames(wave_cube(), size=(320, 240), strip=True)
    with_marks = render_frames(wave_cube(), size=(320, 240), strip=True, marks=marks)
    box = with_marks.scene.layout.strip
    for k in (0, 19):
        header = slice(0, with_marks.scene.layout.header.bottom)
        assert np.array_equal(plain_strip[k][header], with_marks[k][header])
        assert ((plain_strip[k] == with_marks[k])[box.top : box.bottom]).mean() > 0.9


def test_a_mark_is_active_in_every_bin_that_it_touches():
    frames = render_frames(wave_cube(n_bins=6), marks=[(15, 30, "on"), (40, 41, "on")])
    active = [len(header_texts(frames.scene, k)) > 1 for k in range(6)]
    assert active == [False, True, True, False, True, False]


def test_a_strip_of_a_silent_population_is_a_line_at_0():
    silent = cube_of(np.zeros((4, 2)), row=[0, 0], col=[0, 1])
    frames = render_frames(silent, size=(320, 240), strip=True)
    assert frames.clim == (0.0, 50.0) and frames.scene.panels[0].mean.tolist() == [0.0] * 4
    assert frames[0].shape == (240, 320, 3)


def test_there_is_no_scale_bar_without_a_unit_of_length():
    for units, shown in (("um", True), ("pixel", False), ("unknown", False)):
        layout = render_frames(letter_cube(flat_units=units)).scene.layout
        assert (layout.scale_bar is not None) is shown


def test_cubes_of_different_units_have_no_scale_bar():
    cubes = [letter_cube(), letter_cube(flat_units="pixel")]
    assert render_frames(cubes).scene.layout.scale_bar is None


def test_a_scale_bar_is_as_long_as_it_says():
    frames = render_frames(wave_cube(), size=(480, 320), colorbar=False, timestamp=False)
    box = frames.scene.layout.scale_bar
    row = frames[0][box.top + box.height // 2, :, 0] < 128
    lengths = np.diff(np.flatnonzero(np.diff(np.r_[False, row, False].astype(int))))[::2]
    assert lengths.max() * frames.scene.panels[0].view.scale == pytest.approx(200.0, abs=6.0)


def test_what_is_kept_does_not_grow_with_the_number_of_frames(monkeypatch):
    """One block of values and one picture are there at a time."""
    monkeypatch.setattr(frames_module, "_BLOCK_VALUES", 10_000)
    monkeypatch.setattr("napari_hexrecruit.render.scene._BLOCK_VALUES", 10_000)
    compute, blocks, pictures = frames_module._Values._compute, [], []

    def watched(self, block):
        values = compute(self, block)
        assert values.size <= 10_000
        blocks.append(weakref.ref(values))
        return values

    monkeypatch.setattr(frames_module._Values, "_compute", watched)
    for picture in render_frames(wave_cube(n_rows=20, n_cols=20, n_bins=600), size=(100, 80)):
        pictures.append(weakref.ref(picture))
        assert sum(ref() is not None for ref in blocks) <= 2
        assert all(ref() is None for ref in pictures[:-2])
    assert len(pictures) == 600 and len(blocks) >= 24


def test_large_pictures_are_numbers_in_parts_only(monkeypatch):
    """Numbers of four channels are 16 bytes a pixel, and a sum takes several of them."""
    size, sizes = (1800, 1200), []

    def watched(rgba):
        sizes.append(rgba.shape[:-1])
        return to_floats(rgba)

    for module in (blend, painter, pixels):
        monkeypatch.setattr(module, "to_floats", watched)
    render_frames(wave_cube(n_bins=2), size=size)[0]
    n_pixels = [math.prod(shape) for shape in sizes]
    assert sum(n_pixels) > size[0] * size[1]  # all of the picture, in parts
    assert max(n_pixels) < 0.25 * size[0] * size[1]
