"""What the analyses offer, how they are drawn, and that they load nothing before they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.cubes import cube_of, letter_cube, wave_cube

from napari_hexrecruit import analysis as an
from napari_hexrecruit import render_frames
from napari_hexrecruit.limits import default_limits
from napari_hexrecruit.metrics import DERIVED, metric_named, metrics_for


def test_every_name_is_there_and_documented():
    for name in an.__all__:
        assert getattr(an, name).__doc__
        assert name in dir(an)
    with pytest.raises(AttributeError, match="attribute latencys"):
        an.latencys  # noqa: B018


def test_no_name_is_that_of_a_module():
    """A module would take the place of the function once it is imported."""
    modules = {path.stem for path in Path(an.__file__).parent.glob("*.py")}
    assert not set(an.__all__) & modules


def test_scipy_pandas_and_matplotlib_are_loaded_when_they_are_used():
    code = (
        "import sys, napari_hexrecruit.analysis as an\n"
        "[getattr(an, n) for n in an.__all__]\n"
        "print({'scipy', 'pandas', 'matplotlib', 'numba', 'xarray'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- how results are drawn ------------------------------------------------------------------------


def difference_cube():
    counts = [[10, 50, 30, 30], [10, 10, 30, 30]]
    other = [[50, 10, 30, 30], [10, 10, 30, 30]]
    place = {"row": [0, 0, 0, 0], "col": [0, 1, 2, 3]}
    return an.compare(cube_of(counts, **place), cube_of(other, **place))


def test_a_cube_shows_its_own_variables_beside_those_of_every_cube():
    made = difference_cube()
    shown = [metric.name for metric in metrics_for(made)]
    assert shown == ["recruitment", "n_recruited", "rate", "difference", "ratio", "log2_ratio"]
    assert [m.name for m in metrics_for(letter_cube())] == shown[:3]


@pytest.mark.parametrize("name", DERIVED)
def test_limits_of_metrics_with_the_middle_at_0_are_symmetric(name):
    metric = metric_named(name)
    for values in ([-3.0, 1.0, np.nan], [-1.0, 4.0], [], [0.0, 0.0], [np.nan]):
        low, high = default_limits(metric, values)
        assert low == (-high if metric.diverging else 0.0) and high > 0
    assert metric.colormap == ("RdBu_r" if metric.diverging else "viridis")


def test_a_difference_is_drawn_symmetric_about_0_in_two_arms_of_colour():
    frames = render_frames(difference_cube(), metric="difference", size=(320, 200))
    assert frames.clim == (-40.0, 40.0)
    assert frames.scene.colours.name == "RdBu_r"
    assert frames.scene.colour_label == "Recruited, A − B (percentage points)"
    assert frames.scene.has_border  # 0 is as light as the paper
    np.testing.assert_array_equal(frames.values(0)[0], [-40, 40, 0, 0])
    picture = frames[0].reshape(-1, 3).astype(int)
    is_red = (picture[:, 0] > picture[:, 2] + 60).any()
    is_blue = (picture[:, 2] > picture[:, 0] + 60).any()
    assert is_red and is_blue
    given = render_frames(difference_cube(), metric="difference", clim=(-5, 9), colormap="PiYG")
    assert given.clim == (-5.0, 9.0) and given.scene.colours.name == "PiYG"


def test_a_plain_cube_is_drawn_as_ever():
    frames = render_frames(wave_cube(n_bins=3), size=(320, 200))
    assert frames.scene.colours.name == "viridis" and frames.clim == (0.0, 50.0)


def test_hexagons_without_a_value_of_the_map_are_outlined_only():
    cube = cube_of([[0, 0, 0], [0, 5, 9]], row=[0, 0, 0], col=[0, 1, 2])
    made = an.with_maps(cube, an.first_spike_latency(cube, onset=0.0))
    hexes = render_frames(made, metric="first_spike_latency").scene.panels[0].hexes
    assert hexes.filled.tolist() == [1, 2] and hexes.empty.tolist() == [0]


@pytest.mark.slow
def test_the_strip_of_a_difference_goes_below_0():
    frames = render_frames(difference_cube(), metric="difference", strip=True, size=(640, 360))
    assert frames[0].shape == (360, 640, 3)
    np.testing.assert_allclose(frames.scene.panels[0].mean, [0.0, 0.0], atol=1e-6)
    falls = an.compare(letter_cube(), letter_cube())
    falls["difference"][:] = -7.0
    assert render_frames(falls, metric="difference", strip=True)[0].any()


def test_the_mean_of_a_variable_counts_every_neuron_alike():
    cube = cube_of([[1, 3, 0]], row=[0] * 3, col=range(3), n_neurons=[10, 30, 60])
    made = an.compare(cube, cube_of([[0, 0]], row=[0, 0], col=[0, 1], n_neurons=[10, 30]))
    # 10 % of 10 and 10 % of 30 neurons; the third hexagon is absent in the other cube
    np.testing.assert_allclose(metric_named("difference").population(made), [10.0])
    made["difference"][:] = np.nan
    assert np.isnan(metric_named("difference").population(made)).all()


# --- traces as a picture --------------------------------------------------------------------------


@pytest.mark.parametrize("picked", [[], [0], list(range(30))])
@pytest.mark.parametrize("n_bins", [1, 20])
def test_every_hexagon_has_a_line_and_a_name_while_there_are_few(picked, n_bins):
    cube = wave_cube(n_bins=n_bins)
    traces = an.hex_traces(cube, picked)
    figure = an.trace_figure(traces, an.population_trace(cube))
    (axes,) = figure.axes
    assert len(axes.lines) == len(picked) + (len(picked) > 1)
    named = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
    named = [name.strip() for name in named]  # a blank keeps a name that begins with _
    few = [str(name) for name in traces["hex"].to_numpy()] if len(picked) <= 21 else []
    assert named[: len(few)] == few
    assert axes.get_ylabel() == "Recruited (%)" and axes.get_xlabel() == "Time (ms)"
    figure.canvas.draw()


def test_a_picture_of_differences_goes_below_0():
    cube = difference_cube()
    figure = an.trace_figure(an.hex_traces(cube, [0, 1], metric="difference"))
    (axes,) = figure.axes
    assert axes.get_ylim()[0] < -40.0
    assert axes.get_ylabel() == "Recruited, A − B (percentage points)"
    assert not axes.collections  # no population was given
