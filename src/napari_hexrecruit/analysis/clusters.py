"""Cluster permutation tests on the lattice of hexagons."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis._observations import mean_of, observed
from napari_hexrecruit.analysis._permutations import (
    Arrangements,
    Clusters,
    Lattice,
    Statistic,
    clusters,
    shuffled_labels,
    sign_flips,
)
from napari_hexrecruit.analysis.comparison import PERCENTAGE_POINTS
from napari_hexrecruit.analysis.windows import bins_of, cut
from napari_hexrecruit.errors import Parameter, ParameterError, RecruitmentWarning
from napari_hexrecruit.metrics import Metric, plain_metric
from napari_hexrecruit.schema import CLUSTER, HEX, SIGNIFICANT, TIME, TIME_BOUNDS, notes_of
from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]
Window = tuple[float, float]

LEVEL = 0.05
"""Clusters with at most this p are significant."""
_TAILS = {0: "two-sided", 1: "greater", -1: "smaller"}
_COLUMNS = ("cluster", "p", "mass", "n_hexes", "first_ms", "last_ms")


def cluster_test(
    observations: xr.Dataset | Sequence[xr.Dataset],
    against: xr.Dataset | Sequence[xr.Dataset] | None = None,
    *,
    paired: bool = False,
    window: Window | None = None,
    baseline: Window | None = None,
    metric: str | None = None,
    tail: Literal[-1, 0, 1] = 0,
    threshold: float | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Find where and when observations differ from a baseline or from others by more than chance.

    Parameters
    ----------
    observations
        Trials from `cut_trials` or `count_trials`, or cubes with the same bins, for example of
        several seeds.
    against
        Observations to compare with; by default, each observation is compared with its own
        baseline.
    paired
        If True, each observation is paired with the one at the same position in `against`.
    window
        Start and stop of the tested bins, ms: by default all bins with `against`, else all from 0.
    baseline
        Start and stop of the baseline, ms, as long as the window; by default the bins just before
        it. Not with `against`.
    metric
        Metric to compare, one of `napari_hexrecruit.metrics.METRICS`.
    tail
        1 for greater only, -1 for smaller only, 0 for both.
    threshold
        Absolute t beyond which a bin of a hexagon can be in a cluster; by default that of p = 0.05.
    n_permutations
        Number of arrangements, including the observed one. If no more are possible, each is taken
        once.
    seed
        Seed of the arrangements.
    progress
        Called as ``progress("permutations", done, total)``.

    Returns
    -------
    xr.Dataset
        The mean of the observations, a recruitment cube, with (time, hex) ``difference``, ``t``
        (NaN if an observation lacks the hexagon, or nothing varies), ``cluster`` (numbers from 1,
        0 for none) and ``significant`` (p at most 0.05). `clusters_table` lists the clusters; the
        attribute ``analysis`` states how they were found.

    Raises
    ------
    ValueError
        If observations are too few, have different hexagons or bins, lack a baseline or values, or
        are all equal, or if a cube lacks the metric.

    Warns
    -----
    RecruitmentWarning
        If a p of 0.05 needs more arrangements, or some observations lack hexagons.

    Notes
    -----
    A cluster is a set of hexagons and bins that are neighbours on the lattice or in time, all
    beyond the threshold on the same side; its mass is the sum of t. The p of a cluster is the share
    of arrangements whose largest cluster has at least its mass, and so is corrected for all
    clusters together. Arrangements exchange response and baseline (paired: the two of a pair) by
    flipping the signs of whole observations, or reassign the labels of the two groups. The test
    shows that the conditions differ; it does not test where and when a cluster begins.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import cut_trials, recruitment_cube
    >>> from napari_hexrecruit.synthetic import Story, write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> onsets = tuple(range(100, 1000, 100))
    >>> story = Story(n_neurons=2_000, stimuli_ms=onsets, tstop_ms=1100.0)
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", story))
    >>> trials = cut_trials(cube, onsets, before=40, after=40)
    >>> found = cluster_test(trials, n_permutations=512)
    >>> bool(clusters_table(found)["p"].min() <= 0.05)
    True
    """
    _check(tail, threshold, n_permutations)
    if against is None and paired:
        raise ValueError("pairs need two: give what the observations are tested against")
    cubes = observed(observations)
    shown = plain_metric(cubes, metric, "cannot be tested")
    asked = _Asked(paired, n_permutations, seed)
    if against is None:
        made = _against_baseline(cubes, shown, window, baseline, asked)
    else:
        if baseline is not None:
            raise ValueError("give a baseline, or what the observations are tested against")
        made = _against_others(cubes, observed(against, cubes[0]), shown, window, asked)
    if made.arrangements.n_free < 1:
        raise ValueError("one observation does not tell how much they vary: give two or more")
    statistic = _statistic(made)
    limit = _limit(threshold, tail, made.arrangements.n_free)
    lattice = Lattice(made.cube["i"].values, made.cube["j"].values, made.cube.sizes[TIME])
    found = clusters(statistic, lattice, threshold=limit, tail=tail, progress=progress)
    told = {
        "test": made.how,
        "metric": metric,
        "tail": _TAILS[tail],
        "threshold": limit,
        "n_observations": made.n_observations,
        "n_permutations": len(made.arrangements.weights),
        "exact": made.arrangements.exact,
        "seed": seed,
    }
    return _result(made, found, shown, told, tail)


def clusters_table(result: xr.Dataset) -> pd.DataFrame:
    """List the clusters of a test.

    Parameters
    ----------
    result
        Result of `cluster_test`, also after writing and reading it.

    Returns
    -------
    pd.DataFrame
        One row per cluster, largest absolute mass first: ``cluster``, ``p``, ``mass`` (with the
        sign of the difference), ``n_hexes``, and ``first_ms`` and ``last_ms``, the starts of its
        first and last bin.

    Raises
    ------
    ValueError
        If `result` is not a result of `cluster_test`.

    Examples
    --------
    >>> import xarray as xr
    >>> clusters_table(xr.Dataset(attrs={"clusters": "[]"})).columns.tolist()
    ['cluster', 'p', 'mass', 'n_hexes', 'first_ms', 'last_ms']
    """
    import pandas as pd

    if "clusters" not in result.attrs:
        raise ValueError("the dataset has no clusters: compute them with cluster_test")
    return pd.DataFrame(json.loads(result.attrs["clusters"]), columns=list(_COLUMNS))


class _Asked(NamedTuple):
    """Options of the rearrangement of observations."""

    paired: bool
    n_permutations: int
    seed: int


class _Made(NamedTuple):
    """Tested (n_observations, n_bins, n_hexes) values, and the cube that holds the result."""

    cube: xr.Dataset
    values: Floats
    difference: Floats
    arrangements: Arrangements
    n_observations: list[int]
    how: str
    label: str


def _check(tail: int, threshold: float | None, n_permutations: int) -> None:
    if tail not in _TAILS:
        raise ParameterError(Parameter("tail"), f"must be -1, 0 or 1, not {tail!r}")
    if threshold is not None and not 0.0 < threshold < math.inf:
        raise ParameterError(Parameter("threshold"), f"must be greater than 0, not {threshold!r}")
    if n_permutations < 1:
        raise ParameterError(
            Parameter("n_permutations"), f"must be 1 or more, not {n_permutations}"
        )


def _values(cubes: list[xr.Dataset], shown: Metric, window: Window) -> Floats:
    """Return the (n_observations, n_bins, n_hexes) values in a window."""
    each = [shown.values(cut(cube, *window)) for cube in cubes]
    return np.stack(each).astype(np.float64)


def _against_baseline(
    cubes: list[xr.Dataset],
    shown: Metric,
    window: Window | None,
    baseline: Window | None,
    asked: _Asked,
) -> _Made:
    bins = bins_of(cubes[0])
    start, stop = window or (0.0, bins.stop_ms)
    low, high = baseline or (start - (stop - start), start)
    if baseline is None and (low < bins.start_ms - EDGE_TOLERANCE_MS or start >= stop):
        raise ValueError(
            f"no baseline of {stop - start:g} ms fits before {start:g} ms, because the observations"
            f" run from {bins.start_ms:g} to {bins.stop_ms:g} ms: give a window and a baseline of"
            " the same length, or what to test against"
        )
    if abs((high - low) - (stop - start)) > EDGE_TOLERANCE_MS:
        raise ValueError(
            f"the baseline of {high - low:g} ms and the window of {stop - start:g} ms must have"
            " the same length, so that one can stand for the other by chance"
        )
    if low < stop - EDGE_TOLERANCE_MS and start < high - EDGE_TOLERANCE_MS:
        raise ValueError(
            f"the baseline from {low:g} to {high:g} ms and the window from {start:g} to {stop:g} ms"
            " overlap: choose one that ends before the other"
        )
    differences = _values(cubes, shown, (start, stop)) - _values(cubes, shown, (low, high))
    n = len(differences)
    return _Made(
        cut(mean_of(cubes), start, stop),
        differences,
        differences.mean(axis=0),
        sign_flips(n, asked.n_permutations, asked.seed),
        [n],
        f"response against {low:g} to {high:g} ms",
        f"{shown.label}, less {low:g} to {high:g} ms",
    )


def _against_others(
    cubes: list[xr.Dataset],
    others: list[xr.Dataset],
    shown: Metric,
    window: Window | None,
    asked: _Asked,
) -> _Made:
    bins = bins_of(cubes[0])
    chosen = window or (bins.start_ms, bins.stop_ms)
    mine, theirs = _values(cubes, shown, chosen), _values(others, shown, chosen)
    n, m = len(mine), len(theirs)
    if asked.paired and n != m:
        raise ValueError(f"{n} observations and {m} to test against are not pairs: give as many")
    if asked.paired:
        values = mine - theirs
        arrangements = sign_flips(n, asked.n_permutations, asked.seed)
    else:
        values = np.concatenate([mine, theirs])
        arrangements = shuffled_labels(n, m, asked.n_permutations, asked.seed)
    return _Made(
        cut(mean_of(cubes), *chosen),
        values,
        mine.mean(axis=0) - theirs.mean(axis=0),
        arrangements,
        [n, m],
        "pairs" if asked.paired else "two groups",
        f"{shown.label}, A − B",
    )


def _statistic(made: _Made) -> Statistic:
    """Return the statistic of the cells that vary; refuse values without any variation."""
    if not np.isfinite(made.values).all(axis=0).any():
        raise ValueError(
            "no hexagon has a value in all observations: absent is not 0, so choose observations"
            " with the same hexagons"
        )
    values = made.values.reshape(len(made.values), -1)
    statistic = Statistic.of(values, made.arrangements, centred=made.how == "two groups")
    if np.isinf(statistic.squares).all():
        raise ValueError(
            "all observations are equal, so nothing can be tested: give trials or seeds that differ"
        )
    return statistic


def _limit(threshold: float | None, tail: int, n_free: int) -> float:
    from scipy.special import stdtrit

    if threshold is not None:
        return float(threshold)
    return float(stdtrit(n_free, 1.0 - LEVEL / (1 if tail else 2)))


def _result(
    made: _Made, found: Clusters, shown: Metric, told: dict[str, Any], tail: int
) -> xr.Dataset:
    cube = made.cube
    shape = (cube.sizes[TIME], cube.sizes[HEX])
    label = found.label.reshape(shape)
    units = PERCENTAGE_POINTS if shown.units == "%" else shown.units
    is_significant = np.append(False, found.p <= LEVEL)[label]
    table = [_row(cube, label, k, found) for k in range(1, len(found.p) + 1)]
    notes = [*notes_of(cube), *_notes(made, found, tail)]
    variables = {
        "difference": (made.difference.astype(np.float32).reshape(shape), made.label, units),
        "t": (found.t.astype(np.float32).reshape(shape), f"t of {made.label}", ""),
        CLUSTER: (label, "Number of the cluster", ""),
        SIGNIFICANT: (is_significant, f"In a cluster with p <= {LEVEL:g}", ""),
    }
    return cube.assign(
        {
            name: ((TIME, HEX), values, {"long_name": text, "units": unit})
            for name, (values, text, unit) in variables.items()
        }
    ).assign_attrs(
        title=f"Clusters, {made.how}",
        analysis=json.dumps({"clusters": told}),
        clusters=json.dumps(table),
        notes=json.dumps(notes),
    )


def _row(
    cube: xr.Dataset, label: npt.NDArray[np.int32], k: int, found: Clusters
) -> dict[str, float | int]:
    bins, hexes = np.nonzero(label == k)
    starts = cube[TIME_BOUNDS].values[:, 0]
    numbers = (
        *(k, float(found.p[k - 1]), float(found.mass[k - 1]), len(np.unique(hexes))),
        *(float(starts[bins.min()]), float(starts[bins.max()])),
    )
    return dict(zip(_COLUMNS, numbers, strict=True))


def _notes(made: _Made, found: Clusters, tail: int) -> list[str]:
    """Note exact tests, too few arrangements, and hexagons or bins that are left out."""
    n = len(made.arrangements.weights)
    notes = []
    if made.arrangements.exact:
        notes.append(f"clusters: all {n} arrangements were taken, as there are no more")
    mirrored = tail == 0 and (made.how != "two groups" or len(set(made.n_observations)) == 1)
    least = (2 if mirrored and made.arrangements.exact else 1) / n
    if least > LEVEL:
        notes.append(
            f"clusters: p cannot be below {least:.3g} with {n} arrangements: give more"
            f" {'observations' if made.arrangements.exact else 'permutations'}"
        )
        warnings.warn(notes[-1], RecruitmentWarning, stacklevel=4)
    there = np.isfinite(made.difference)
    n_hexes = int((~there.any(axis=0)).sum())
    if n_hexes:
        notes.append(f"clusters: {n_hexes} hexagons lack a value in an observation: left out")
    constant = np.isnan(found.t.reshape(there.shape)) & there & (made.difference != 0.0)
    if constant.any():
        notes.append(
            f"clusters: {int(constant.sum())} bins of hexagons differ by the same amount"
            " in all observations, so they have no variance and no t"
        )
    return notes
