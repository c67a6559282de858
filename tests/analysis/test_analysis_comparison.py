"""Two cubes against each other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cubes import cube_of, letter_cube, wave_cube

from napari_hexrecruit import MovieStyle, render_frames
from napari_hexrecruit.analysis import (
    align,
    bins_of,
    compare,
    cut,
    hex_positions,
    hex_traces,
    population_trace,
    z_score,
)
from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.metrics import METRICS, metric_named
from napari_hexrecruit.schema import validate_cube

NEW = ["difference", "ratio", "log2_ratio"]


def random_cube(seed, cells, n_bins=4, **options):
    rng = np.random.default_rng(seed)
    row, col = np.array(sorted(cells)).T
    neurons = rng.integers(1, 60, len(row))
    counts = rng.integers(0, neurons + 1, (n_bins, len(row)))
    return cube_of(counts, row=row, col=col, n_neurons=neurons, **options)


cells = st.sets(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=12)


# --- windows --------------------------------------------------------------------------------------


def test_a_window_keeps_its_bins_and_shares_its_values():
    cube = wave_cube(n_bins=20, start_ms=100.0)
    part = cut(cube, 130.0, 150.0)
    validate_cube(part)
    assert part["time"].to_numpy().tolist() == [130.0, 140.0]
    assert np.shares_memory(part["recruitment"].to_numpy(), cube["recruitment"].to_numpy())
    assert cut(cube).identical(cube)
    assert bins_of(part).stop_ms == 150.0


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((135.0, 150.0), "start 135 ms is inside a bin of 10 ms: use 130 or 140 ms"),
        ((90.0, 150.0), "start 90 ms is outside of the cube: 100 to 300 ms"),
        ((100.0, 310.0), "stop 310 ms is outside"),
        ((150.0, 150.0), "from 150 to 150 ms is empty"),
        ((150.0, 130.0), "is empty: stop must be after start"),
        ((float("nan"), None), "start must be a finite number"),
    ],
)
def test_a_window_that_is_none_is_refused(window, said):
    with pytest.raises(ValueError, match=said):
        cut(wave_cube(n_bins=20, start_ms=100.0), *window)


# --- the same hexagons, the same time -------------------------------------------------------------


@pytest.mark.slow
@given(cells, cells, st.integers(0, 99))
def test_aligned_cubes_have_the_hexagons_of_both_and_their_own_values(mine, theirs, seed):
    a, b = random_cube(seed, mine), random_cube(seed + 1, theirs)
    one, other = align(a, b)
    expected = [f"R{r};C{c}" for r, c in sorted(mine | theirs)]
    for before, after, had in ((a, one, mine), (b, other, theirs)):
        validate_cube(after)
        assert after["hex"].to_numpy().tolist() == expected
        own = [f"R{r};C{c}" for r, c in sorted(had)]
        back = after.isel(hex=hex_positions(after, own))
        for name in (*before.data_vars, "x", "y", "i", "j", "n_neurons"):
            np.testing.assert_array_equal(back[name], before[name])
            assert back[name].attrs == before[name].attrs
        absent = [k for k, name in enumerate(expected) if name not in own]
        assert np.isnan(after["recruitment"].to_numpy()[:, absent]).all()
        assert (after["n_neurons"].to_numpy()[absent] == 0).all()
        assert (after["n_spikes"].to_numpy()[:, absent] == 0).all()
    np.testing.assert_array_equal(one["x"], other["x"])


def test_cubes_that_go_together_are_not_copied():
    a, b = letter_cube(), letter_cube()
    one, other = align(a, b)
    assert np.shares_memory(one["recruitment"].to_numpy(), a["recruitment"].to_numpy())
    assert np.shares_memory(other["recruitment"].to_numpy(), b["recruitment"].to_numpy())


def test_windows_at_different_times_both_run_from_0():
    cube = wave_cube(n_bins=20, start_ms=100.0)
    one, other = align(cut(cube, 200.0, 230.0), cut(cube, 120.0, 150.0))
    for part, origin in ((one, 200.0), (other, 120.0)):
        validate_cube(part)
        assert part["time"].to_numpy().tolist() == [0.0, 10.0, 20.0]
        assert part["time"].attrs["units"] == "ms"
        assert part.attrs["time_origin_ms"] == origin
    assert cube["time"][0] == 100.0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (letter_cube(radius=40.0), "radius 50 in one cube and 40 in the other: compute both"),
        (letter_cube(bin_ms=5.0), "10 ms wide in one cube and 5 ms in the other"),
        (letter_cube(n_bins=4), "3 bins and the other 4: choose windows of the same length"),
        (letter_cube(flat_units="pixel"), "in um in one cube and in pixel in the other"),
        (letter_cube().assign_attrs(hex_origin_x=10.0), "lie at different places"),
        (
            letter_cube().assign_coords(x=letter_cube()["x"] + 5.0),
            "lie at different places in the two cubes",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(other, said):
    other["x"].attrs["units"] = other.attrs["flat_units"]
    with pytest.raises(ValueError, match=said) as error:
        compare(letter_cube(), other)
    assert "\n" not in str(error.value)


def test_a_cube_of_neurons_so_far_is_not_compared_with_one_of_bins():
    so_far = letter_cube().assign_attrs(recipe=json.dumps({"cumulative": True}))
    with pytest.raises(ValueError, match="recruited so far"):
        compare(letter_cube(), so_far)
    assert compare(so_far, so_far)["difference"].max() == 0.0


# --- difference and ratio -------------------------------------------------------------------------


@pytest.mark.slow
@given(cells, cells, st.integers(0, 99), st.sampled_from(list(METRICS)))
def test_difference_and_ratio_of_each_hexagon_and_bin(mine, theirs, seed, metric):
    a, b = random_cube(seed, mine), random_cube(seed + 1, theirs)
    result = compare(a, b, metric=metric)
    validate_cube(result)
    one, other = (metric_named(metric).values(c).astype(float) for c in align(a, b))
    tight = {"rtol": 1e-5, "atol": 1e-4}
    np.testing.assert_allclose(result["difference"], one - other, **tight)
    for at in np.ndindex(one.shape):
        v, w = one[at], other[at]
        ratio = v / w if w > 0 else np.inf if v > 0 and w == 0 else np.nan
        np.testing.assert_allclose(result["ratio"].to_numpy()[at], ratio, rtol=1e-5)
        log = -np.inf if ratio == 0 else np.log2(ratio)
        np.testing.assert_allclose(result["log2_ratio"].to_numpy()[at], log, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@given(cells, cells, st.integers(0, 99))
def test_the_other_way_round_changes_the_sign(mine, theirs, seed):
    a, b = random_cube(seed, mine), random_cube(seed + 1, theirs)
    there, back = compare(a, b), compare(b, a)
    np.testing.assert_array_equal(there["difference"], -back["difference"])
    np.testing.assert_allclose(there["log2_ratio"], -back["log2_ratio"], rtol=1e-4, atol=1e-5)


def test_a_hexagon_that_one_lacks_has_no_difference_and_a_silent_one_has():
    a = cube_of([[30, 20]], row=[0, 0], col=[0, 1])
    b = cube_of([[0, 10]], row=[0, 0], col=[1, 2])
    result = compare(a, b)
    np.testing.assert_array_equal(result["difference"], [[np.nan, 20.0, np.nan]])
    np.testing.assert_array_equal(result["ratio"], [[np.nan, np.inf, np.nan]])


def test_labels_say_what_and_in_which_units():
    result = compare(letter_cube(), letter_cube(), names=("whisker", "rest"))
    assert result["difference"].attrs == {
        "long_name": "Recruited, whisker − rest",
        "units": "percentage points",
    }
    assert metric_named("difference").title_for(result) == (
        "Recruited, whisker − rest (percentage points)"
    )
    rate = compare(letter_cube(), letter_cube(), metric="rate")
    assert rate["difference"].attrs["units"] == "spikes/s per neuron"
    with pytest.raises(ValueError, match="cannot be compared: use one of recruitment"):
        compare(letter_cube(), letter_cube(), metric="difference")


@pytest.mark.slow
def test_new_responses_and_complete_suppression_are_marked():
    a = cube_of([[30, 0, 0, 10]], row=[0] * 4, col=range(4))
    b = cube_of([[0, 20, 0, 20]], row=[0] * 4, col=range(4))
    result = compare(a, b)
    np.testing.assert_array_equal(result["ratio"], [[np.inf, 0.0, np.nan, 0.5]])
    np.testing.assert_array_equal(result["log2_ratio"], [[np.inf, -np.inf, np.nan, -1.0]])
    assert first_limits([result], metric_named("log2_ratio")) == (-1.0, 1.0)
    finite = result.assign(log2_ratio=result["log2_ratio"].clip(-1.0, 1.0))
    pictures = [
        next(iter(render_frames(one, metric="log2_ratio", style=MovieStyle(clim=(-1, 1)))))
        for one in (result, finite)
    ]
    maps = [picture[:, :1100] for picture in pictures]  # without the colour bar
    assert np.array_equal(*maps)  # drawn in the colours of the ends


def filtered(counts, n_neurons, where):
    cube = cube_of(counts, row=[0, 0], col=[0, 1], n_neurons=n_neurons)
    recipe = json.dumps(json.loads(cube.attrs["recipe"]) | {"where": where})
    return cube.assign_attrs(recipe=recipe)


EXC = filtered([[30, 10], [0, 4]], [100, 40], [{"column": "synapse_class", "value": "EXC"}])
INH = filtered([[2, 1], [5, 0]], [10, 50], [{"column": "synapse_class", "value": "INH"}])


def test_counts_are_pooled_before_they_are_compared():
    result = compare(EXC, INH, names=("E", "I"))
    assert result["n_neurons_with"].values.tolist() == [10, 50]
    one, other = 100.0 * np.array([40, 4]) / 140.0, 100.0 * np.array([3, 5]) / 60.0
    expected = {
        "difference": one - other,
        "ratio": one / other,
        "log2_ratio": np.log2(one / other),
    }
    for metric, values in expected.items():
        population = population_trace(result, metric=metric)
        np.testing.assert_allclose(population, values, rtol=1e-5)
        found = hex_traces(result, [0, 1], metric=metric)
        np.testing.assert_allclose(found["mean"], values, rtol=1e-5)
        single = hex_traces(result, [1], metric=metric)
        np.testing.assert_allclose(single["mean"], single["trace"][:, 0], rtol=1e-5)
    for metric in ("rate", "n_recruited"):
        both = [metric_named(metric).population(cube) for cube in (EXC, INH)]
        found = population_trace(compare(EXC, INH, metric=metric), metric="difference")
        np.testing.assert_allclose(found, both[0] - both[1], rtol=1e-5)


def test_a_hexagon_of_one_only_is_not_in_the_pools():
    both = compare(EXC, INH.isel(hex=[0]))
    np.testing.assert_allclose(population_trace(both, metric="difference"), [10.0, -50.0])


def test_titles_name_both_denominators_where_they_differ():
    result = compare(EXC, INH, names=("E", "I"))
    title = "Recruited, E (of synapse_class EXC) − I (of synapse_class INH) (percentage points)"
    assert metric_named("difference").bar_title([result]) == title
    assert metric_named("recruitment").bar_title([result]) == "Recruited (%), synapse_class EXC"
    same = compare(EXC, EXC, names=("E", "I"))
    assert metric_named("difference").bar_title([same]) == (
        "Recruited, E − I (percentage points), synapse_class EXC"
    )
    all_of = compare(EXC, INH.assign_attrs(recipe="{}"), names=("E", "I"))
    assert "E (of synapse_class EXC) − I (of all)" in all_of["difference"].attrs["long_name"]
    said = compare(EXC, INH, names=("EXC", "INH"))["difference"].attrs["long_name"]
    assert said == "Recruited, EXC − INH"


def test_nothing_that_is_compared_is_changed():
    a, b = wave_cube(n_bins=4), cut(wave_cube(n_bins=8), 40.0, 80.0)
    before = a.copy(deep=True), b.copy(deep=True)
    compare(a, b)["difference"][:] = 7.0
    z_score(a, b)
    assert a.identical(before[0]) and b.identical(before[1])


def test_a_single_hexagon_and_bin_and_hexagons_without_value():
    one = cube_of([[3]], row=[0], col=[0], n_neurons=10)
    none = cube_of([[3]], row=[0], col=[0], n_neurons=10, min_neurons=100)
    assert compare(one, one)["difference"].item() == 0.0
    assert np.isnan(compare(one, none)["difference"].item())
    assert np.isnan(compare(none, none)[NEW].to_array()).all()


# --- z-score --------------------------------------------------------------------------------------


@given(cells, st.integers(0, 99), st.sampled_from(list(METRICS)))
def test_z_scores_of_the_baseline_have_mean_0_and_deviation_1(cells, seed, metric):
    cube = random_cube(seed, cells, n_bins=9)
    baseline = cut(cube, 10.0, 70.0)
    result = z_score(cube, baseline, metric=metric)
    validate_cube(result)
    z = cut(result, 10.0, 70.0)["z_score"].to_numpy().astype(float)
    values = metric_named(metric).values(baseline)
    varies = np.ptp(values, axis=0) > 0
    np.testing.assert_allclose(z[:, varies].mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(z[:, varies].std(axis=0, ddof=1), 1.0, rtol=1e-3)
    assert np.isnan(z[:, ~varies]).all()


def test_the_baseline_may_be_of_another_simulation_and_lack_hexagons():
    cube = cube_of([[10, 20, 30]], row=[0, 0, 0], col=[0, 1, 2])
    rest = cube_of([[20, 0], [40, 0], [30, 0]], row=[0, 0], col=[2, 1])
    z = z_score(cube, rest)["z_score"].to_numpy()
    np.testing.assert_allclose(z, [[np.nan, np.nan, 0.0]], atol=1e-6)


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        (letter_cube(n_bins=1), "one bin has no standard deviation: use two bins or more"),
        (letter_cube(bin_ms=5.0), "compute both with the same bin"),
        (letter_cube(radius=40.0), "compute both with the same radius"),
    ],
)
def test_a_baseline_that_is_none_is_refused(baseline, said):
    with pytest.raises(ValueError, match=said):
        z_score(letter_cube(), baseline)
    with pytest.raises(ValueError, match="has no z-score"):
        z_score(letter_cube(), letter_cube(), metric="z_score")
