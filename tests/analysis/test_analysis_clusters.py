"""Cluster tests: the clusters of mne, calibrated, and one sentence for what cannot be tested."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from tests.support.cubes import cube_of, wave_cube

from napari_hexrecruit import analysis as an
from napari_hexrecruit import read_cube, write_cube
from napari_hexrecruit.analysis._permutations import (
    Lattice,
    Statistic,
    clusters,
    shuffled_labels,
    sign_flips,
)
from napari_hexrecruit.errors import RecruitmentWarning

N_ROWS, N_COLS, N_BINS = 6, 7, 5
ROW, COL = (a.ravel() for a in np.mgrid[0:N_ROWS, 0:N_COLS])


def cubes_of(n, seed, *, extra=0, n_bins=N_BINS, chance=0.3):
    """Cubes of independent seeds; `extra` more neurons in a patch of hexagons and bins."""
    rng = np.random.default_rng(seed)
    counts = rng.binomial(100, chance, (n, n_bins, len(ROW)))
    patch = (abs(ROW - 2) <= 1) & (abs(COL - 3) <= 1)
    counts[:, 2:4, patch] += extra
    return [cube_of(one, row=ROW, col=COL) for one in counts]


def trials_of(n, seed, **options):
    """Trials of two halves of equal length, the second from 0 on."""
    n_bins = 2 * N_BINS
    cubes = cubes_of(n, seed, n_bins=n_bins, **options)
    whole = cube_of(np.concatenate([c["n_recruited"] for c in cubes]), row=ROW, col=COL)
    half = 10.0 * N_BINS
    return an.cut_trials(whole, 10.0 * n_bins * np.arange(n) + half, before=half, after=half)


def distances(cube):
    x, y = cube["x"].to_numpy(), cube["y"].to_numpy()
    return np.hypot(x[:, None] - x, y[:, None] - y)


def adjacency_of(cube):
    """Neighbours as found from the centres, not from the grid indices."""
    from scipy.sparse import coo_array

    spacing = 50.0 * np.sqrt(3.0)
    apart = distances(cube)
    return coo_array((apart > 1.0) & (apart < 1.1 * spacing))


def values_of(cubes):
    return np.stack([cube["recruitment"].to_numpy() for cube in cubes]).astype(np.float64)


def held_to_mne(found, theirs, *, within):
    """Same t, same clusters, same masses; p as exactly as both are known."""
    t, members, p, _ = theirs
    np.testing.assert_allclose(found["t"], t, rtol=1e-5, atol=1e-5)
    table, label = an.clusters_table(found), found["cluster"].to_numpy()
    assert len(table) == len(members) > 3
    assert (np.diff(abs(table["mass"])) <= 1e-9).all()
    for member, p_there in zip(members, p, strict=True):
        (number,) = np.unique(label[member])
        assert number and ((label == number) == member).all()
        row = table.iloc[number - 1]
        assert row["mass"] == pytest.approx(t[member].sum(), rel=1e-6)
        assert row["p"] == pytest.approx(p_there, abs=within)
        bins, hexes = np.nonzero(member)
        assert row["n_hexes"] == len(np.unique(hexes))
        assert (row["first_ms"], row["last_ms"]) == (10.0 * bins.min(), 10.0 * bins.max())


@pytest.mark.slow
@pytest.mark.parametrize("tail", [-1, 0, 1])
@pytest.mark.parametrize("n", [8, 12])
def test_pairs_are_those_of_mne(tail, n):
    """256 arrangements of 8 pairs are all there are; 1000 of 4096 are drawn.

    One-sided, mne counts one of all arrangements twice and leaves another out.
    """
    from mne.stats import permutation_cluster_1samp_test

    a, b = cubes_of(n, 1, extra=5), cubes_of(n, 2)
    found = an.cluster_test(a, b, paired=True, tail=tail)
    told = an.clusters_table(found)
    assert told["p"].min() < 0.05 or tail == -1
    theirs = permutation_cluster_1samp_test(
        values_of(a) - values_of(b),
        threshold=(-1 if tail == -1 else 1) * threshold_of(found),
        n_permutations=1000,
        tail=tail,
        adjacency=adjacency_of(a[0]),
        out_type="mask",
        verbose="error",
        rng=3,
    )
    held_to_mne(found, theirs, within=0.06 if n == 12 else 1e-9 if tail == 0 else 2.01 / 256)


def of_mne(a, b, threshold, **options):
    from mne.stats import spatio_temporal_cluster_test, ttest_ind_no_p

    return spatio_temporal_cluster_test(
        [values_of(a), values_of(b)],
        threshold=threshold,
        stat_fun=ttest_ind_no_p,
        adjacency=adjacency_of(a[0]),
        out_type="mask",
        verbose="error",
        rng=5,
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize("tail", [-1, 1])
def test_two_groups_are_those_of_mne(tail):
    """mne takes the greatest of an arrangement, as for F: the greater group is its first."""
    a, b = cubes_of(9, 3, extra=5), cubes_of(7, 4)
    found = an.cluster_test(a, b, tail=tail)
    given = (a, b) if tail == 1 else (b, a)
    t, *rest = of_mne(*given, threshold_of(found), tail=1, n_permutations=1000)
    held_to_mne(found, (tail * t, *rest), within=0.06)


@pytest.mark.slow
def test_two_groups_two_sided_are_every_arrangement_of_mne():
    """All 70 ways to halve 8 cubes, each one's clusters found by mne."""
    a, b = cubes_of(4, 3, extra=5), cubes_of(4, 4)
    found = an.cluster_test(a, b)
    threshold, both = threshold_of(found), [*a, *b]
    largest, first = [], None
    for chosen in itertools.combinations(range(8), 4):
        rest = [k for k in range(8) if k not in chosen]
        sides = ([both[k] for k in group] for group in (chosen, rest))
        theirs = of_mne(*sides, threshold, tail=0, n_permutations=1)
        first = first or theirs
        largest.append(max((abs(theirs[0][member].sum()) for member in theirs[1]), default=0.0))
    t, members, *_ = first
    p = [np.mean(np.array(largest) >= abs(t[m].sum()) - 1e-6) for m in members]
    held_to_mne(found, (t, members, p, None), within=1e-9)


def threshold_of(found):
    return json.loads(found.attrs["analysis"])["clusters"]["threshold"]


@pytest.mark.parametrize(("tail", "share"), [(0, 0.975), (1, 0.95), (-1, 0.95)])
def test_the_threshold_is_that_of_p_005(tail, share):
    from scipy.stats import t

    a, b = cubes_of(6, 1), cubes_of(6, 2)
    assert threshold_of(an.cluster_test(a, b, tail=tail, n_permutations=50)) == pytest.approx(
        t.ppf(share, 10)
    )
    assert threshold_of(an.cluster_test(a, b, threshold=3.0, n_permutations=50)) == 3.0


def test_all_arrangements_are_taken_where_there_are_no_more():
    signs = sign_flips(4, 16, 0)
    assert signs.exact and len(np.unique(signs.weights, axis=0)) == 16
    assert (signs.weights[0] == 1).all()
    labels = shuffled_labels(3, 2, 10, 0)
    assert labels.exact and len(np.unique(labels.weights, axis=0)) == 10
    assert labels.weights[0].tolist() == [1, 1, 1, 0, 0]
    for drawn in (sign_flips(4, 15, 0), shuffled_labels(3, 2, 9, 0)):
        assert not drawn.exact
        assert len(drawn.weights) in (15, 9)
    assert (drawn.weights.sum(axis=1) == 3).all()
    found = an.cluster_test(cubes_of(7, 1), cubes_of(7, 2), paired=True)
    assert "clusters: all 128 arrangements were taken, as there are no more" in found.attrs["notes"]


@pytest.mark.slow
def test_a_seed_gives_the_same_numbers():
    a, b = cubes_of(9, 1, extra=3), cubes_of(9, 2)
    one, same, other = (an.cluster_test(a, b, n_permutations=200, seed=k) for k in (0, 0, 1))
    assert one.identical(same)
    assert not an.clusters_table(one)["p"].equals(an.clusters_table(other)["p"])


def test_trials_are_tested_against_their_own_baseline():
    trials = trials_of(9, 1)
    n_recruited = trials["n_recruited"].to_numpy().copy()
    n_recruited[:, N_BINS + 1 : N_BINS + 3, 10:14] += 15
    trials["n_recruited"][:] = n_recruited
    trials["recruitment"][:] = n_recruited.astype(np.float32)
    found = an.cluster_test(trials)
    values = trials["recruitment"].to_numpy().astype(np.float64)
    np.testing.assert_allclose(
        found["difference"], (values[:, N_BINS:] - values[:, :N_BINS]).mean(axis=0), atol=1e-4
    )
    table = an.clusters_table(found)
    assert table["p"][0] == 2 / 512
    hit = (found["cluster"] == 1).to_numpy()
    assert hit[1:3, 10:14].all()
    assert (found["significant"] == (found["cluster"] == 1)).all()
    assert found.attrs["title"] == "Clusters, response against -50 to 0 ms"


def test_a_result_is_a_cube_that_is_written_and_read(tmp_path):
    found = an.cluster_test(cubes_of(8, 1, extra=5), cubes_of(8, 2), n_permutations=100)
    file = write_cube(found, tmp_path / "a.hexrecruit.nc")
    again = read_cube(file)
    assert again.identical(found)
    assert an.clusters_table(again).equals(an.clusters_table(found))


@pytest.mark.slow
def test_hexagons_that_one_observation_lacks_are_left_out_and_are_not_0():
    a, b = cubes_of(8, 1), cubes_of(8, 2)
    b[3]["recruitment"][:, 4] = np.nan
    found = an.cluster_test(a, b, n_permutations=50)
    assert np.isnan(found["t"][:, 4]).all() and int(found["t"].isnull().sum()) == N_BINS
    assert "1 hexagons lack a value in an observation" in found.attrs["notes"]
    keep = np.arange(len(ROW)) != 4
    lacking = [a[0].isel(hex=keep), *a[1:]]
    same = [[cube.isel(hex=keep) for cube in side] for side in (a, cubes_of(8, 2))]
    expected = an.cluster_test(*same, n_permutations=50)
    for first, other in ((lacking, cubes_of(8, 2)), (lacking[::-1], cubes_of(8, 2))):
        with pytest.warns(RecruitmentWarning, match="absent is not 0"):
            got = an.cluster_test(first, other, n_permutations=50)
        np.testing.assert_array_equal(np.sort(got["hex"]), np.sort(got["hex"].to_numpy()))
        shared = got.sel(hex=expected["hex"].to_numpy())
        np.testing.assert_allclose(np.abs(shared["t"]), np.abs(expected["t"]), rtol=1e-4)
        assert an.clusters_table(got)["mass"].tolist() == pytest.approx(
            an.clusters_table(expected)["mass"].tolist(), rel=1e-6
        )


def test_bins_that_differ_by_the_same_everywhere_have_no_t_and_it_is_noted():
    a, b = cubes_of(8, 1), cubes_of(8, 2)
    for cube, count in [(one, 40) for one in a] + [(one, 20) for one in b]:
        cube["recruitment"][2, 5] = count
    found = an.cluster_test(a, b, n_permutations=50)
    assert np.isnan(found["t"][2, 5]) and int(found["t"].isnull().sum()) == 1
    assert (
        "1 bins of hexagons differ by the same amount in all observations" in found.attrs["notes"]
    )


def test_few_observations_cannot_have_a_small_p():
    with pytest.warns(RecruitmentWarning, match=r"p cannot be below 0.125 with 16 arrangements"):
        found = an.cluster_test(cubes_of(4, 1, extra=9), cubes_of(4, 2), paired=True)
    assert an.clusters_table(found)["p"].min() == 0.125


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (lambda: wave_cube(), {"window": (100.0, 200.0), "baseline": (0.0, 100.0)}, "one observ"),
        (lambda: [], {}, "no observation is given: give trials, or a list of cubes"),
        (lambda: cubes_of(5, 1), {}, "no baseline of 50 ms fits before 0 ms"),
        (lambda: cubes_of(5, 1), {"against": cubes_of(1, 1), "paired": True}, "are not pairs"),
        (lambda: cubes_of(5, 1), {"paired": True}, "pairs need two"),
        (
            lambda: trials_of(5, 1),
            {"baseline": (-50.0, -30.0)},
            "the baseline of 20 ms and the window of 50 ms must have the same length",
        ),
        (
            lambda: trials_of(5, 1),
            {"baseline": (-20.0, 30.0)},
            "the baseline from -20 to 30 ms and the window from 0 to 50 ms overlap",
        ),
        (
            lambda: [wave_cube()] * 5,
            {"against": [wave_cube()] * 5},
            "all observations are equal, so nothing can be tested",
        ),
        (lambda: cubes_of(5, 1), {"metric": "latency"}, "metric 'latency' cannot be tested: use"),
        (lambda: cubes_of(5, 1), {"tail": 2}, "tail must be -1, 0 or 1, not 2"),
        (lambda: cubes_of(5, 1), {"threshold": 0.0}, "threshold must be greater than 0, not 0.0"),
        (lambda: cubes_of(5, 1), {"n_permutations": 0}, "n_permutations must be 1 or more, not 0"),
        (
            lambda: [*cubes_of(5, 1), cube_of(np.zeros((5, 42)), row=ROW, col=COL, start_ms=10.0)],
            {"against": cubes_of(5, 2)},
            "observation 6 starts at 10 ms and the first at 0 ms: cut the same window",
        ),
        (
            lambda: [*cubes_of(5, 1), cube_of(np.zeros((5, 42)), row=ROW, col=COL, n_neurons=9)],
            {"against": cubes_of(5, 2)},
            "observation 6 has other neurons in its hexagons than the first",
        ),
    ],
)
def test_what_cannot_be_tested_is_said_in_one_sentence(given, options, said):
    with pytest.raises(ValueError) as caught:
        an.cluster_test(given(), **options)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_no_hexagon_in_common_or_all_nan_is_said():
    a, b = cubes_of(5, 1), cubes_of(5, 2)
    left = [cube.isel(hex=slice(0, 20)) for cube in a]
    right = [cube.isel(hex=slice(20, None)) for cube in b]
    with (
        pytest.warns(RecruitmentWarning, match="have other hexagons"),
        pytest.raises(ValueError, match="no hexagon has a value in all observations"),
    ):
        an.cluster_test(left, right)
    for cube in a:
        cube["recruitment"][:] = np.nan
    with pytest.raises(ValueError, match="no hexagon has a value in all observations"):
        an.cluster_test(a, b)
    with pytest.raises(ValueError, match="the dataset has no clusters"):
        an.clusters_table(b[0])


def test_progress_is_told_and_can_end_the_work():
    told = []
    a, b = cubes_of(8, 1), cubes_of(8, 2)
    an.cluster_test(a, b, n_permutations=200, progress=lambda *now: told.append(now))
    assert [done for _, done, _ in told] == [64, 128, 192, 200]
    assert {(what, total) for what, _, total in told} == {("permutations", 200)}

    def cancel(_what, done, _total):
        if done >= 128:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        an.cluster_test(a, b, n_permutations=200, progress=cancel)


# --- calibration ----------------------------------------------------------------------------------


def p_of(values, arrangements, lattice, *, centred):
    statistic = Statistic.of(values.reshape(len(values), -1), arrangements, centred=centred)
    found = clusters(statistic, lattice, threshold=2.2, tail=0)
    return found.p.min(initial=1.0), found


def smooth_noise(rng, n_sets, n, smooth, n_bins=6):
    """(n_sets, n, n_bins, n_hexes), as alike as the matrix makes hexagons, and in time."""
    white = rng.normal(size=(n_sets, n, n_bins + 1, smooth.shape[0])) @ smooth
    return white[:, :, 1:] + white[:, :, :-1]


@pytest.fixture(scope="module")
def sheet():
    row, col = (a.ravel() for a in np.mgrid[0:14, 0:14])
    cube = cube_of(np.zeros((1, len(row))), row=row, col=col)
    smooth = np.exp(-0.5 * (distances(cube) / (2.0 * 50.0 * np.sqrt(3.0))) ** 2)
    smooth /= np.sqrt((smooth**2).sum(axis=0))
    return cube, smooth


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["signs", "labels"])
def test_smooth_noise_is_called_different_as_often_as_claimed(sheet, kind):
    cube, smooth = sheet
    n_sets, n = 80, 12
    rng = np.random.default_rng(11)
    lattice = Lattice(cube["i"], cube["j"], 6)
    by_chance = 0
    for k, values in enumerate(smooth_noise(rng, n_sets, n, smooth)):
        if kind == "signs":
            p, _ = p_of(values, sign_flips(n, 60, k), lattice, centred=False)
        else:
            p, _ = p_of(values, shuffled_labels(5, 7, 60, k), lattice, centred=True)
        by_chance += p <= 0.05
    most = 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / n_sets)
    assert by_chance / n_sets <= most


@pytest.mark.slow
def test_sparse_counts_against_a_baseline_are_called_different_as_often_as_claimed():
    """Counts are skewed; a bin less the mean of a baseline would be skewed too, and fail here."""
    n_sets, by_chance = 80, 0
    lattice = Lattice(*(wave_cube(n_rows=8, n_cols=8)[axis] for axis in "ij"), 6)
    rng = np.random.default_rng(5)
    for k in range(n_sets):
        counts = rng.poisson(0.15, (20, 12, 64)).astype(np.float64)
        differences = counts[:, 6:] - counts[:, :6]
        p, _ = p_of(differences, sign_flips(20, 60, k), lattice, centred=False)
        by_chance += p <= 0.05
    assert by_chance / n_sets <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / n_sets)


def test_a_planted_blob_is_found(sheet):
    cube, smooth = sheet
    rng = np.random.default_rng(12)
    lattice = Lattice(cube["i"], cube["j"], 6)
    middle = 7 * 14 + 7
    blob = distances(cube)[middle] < 3.1 * 50.0 * np.sqrt(3.0)
    n_found = 0
    for k, values in enumerate(smooth_noise(rng, 10, 12, smooth)):
        values[:, 2:5, blob] += 2.5
        p, found = p_of(values, sign_flips(12, 100, k), lattice, centred=False)
        there = found.label.reshape(6, -1) == 1
        n_found += p <= 0.05 and there[2:5, blob].mean() > 0.9
    assert n_found == 10


# --- neighbours and false discovery ---------------------------------------------------------------


def test_clusters_meet_at_six_sides_and_in_time_and_keep_signs_apart():
    cube = wave_cube(n_rows=5, n_cols=5, n_bins=1)
    n = cube.sizes["hex"]
    near = adjacency_of(cube).toarray()
    lattice = Lattice(cube["i"], cube["j"], 2)
    for a, b in itertools.combinations(range(n), 2):
        joined, _ = lattice.labels(np.array([a, b]), np.ones(2))
        assert (joined == 1) == near[a, b]
        apart, _ = lattice.labels(np.array([a, n + b]), np.ones(2))
        assert apart == 2
    assert lattice.labels(np.array([3, n + 3]), np.ones(2))[0] == 1
    assert lattice.labels(np.array([3, n + 3]), np.array([1.0, -1.0]))[0] == 2


def test_fdr_is_that_of_the_hexagons_that_have_a_p():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).uniform(size=(4, 5)) ** 3
    p[1, 2] = np.nan
    found = an.fdr(xr.DataArray(p, dims=("time", "hex")))
    known = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(found), ~known)
    np.testing.assert_array_equal(found.to_numpy()[known], false_discovery_control(p[known]))
    with pytest.raises(ValueError, match="no hexagon has a p: the map is NaN everywhere"):
        an.fdr(xr.DataArray([np.nan], dims="hex"))
    with pytest.raises(ValueError, match=r"p must be between 0 and 1, not 1\.5"):
        an.fdr(xr.DataArray([0.5, 1.5], dims="hex"))
