"""Results of trials: a single trial, their mean, and how similar they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.trials import ORIGIN
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import plain_metric
from napari_hexrecruit.schema import (
    COORDINATES,
    HEX,
    N_RECRUITED,
    N_SPIKES,
    N_TRIALS,
    RECRUITMENT,
    TIME,
    TRIAL,
    VARIABLES,
    own_variables,
)

if TYPE_CHECKING:
    import xarray as xr


_SEM = "recruitment_sem"

Floats = npt.NDArray[np.float64]

_NO_LENGTH = 1e-6
"""Greatest length of a trace's deviation from its mean, percent, that is rounding only."""


def trial_cube(trials: xr.Dataset, trial: int) -> xr.Dataset:
    """Return one trial as a recruitment cube.

    Parameters
    ----------
    trials
        Result of `cut_trials` or `count_trials`.
    trial
        Number of the trial, from 0.

    Raises
    ------
    ValueError
        If the trial does not exist.
    """
    n_trials = _n_of(trials)
    if not 0 <= trial < n_trials:
        raise ValueError(f"there is no trial {trial}: use 0 to {n_trials - 1}")
    one = trials.isel({TRIAL: trial})
    onset = float(one["onset"])
    attrs: dict[str, Any] = {"title": f"Trial {trial} of {n_trials}, onset at {onset:g} ms"}
    if N_TRIALS not in trials.attrs:  # bins of a mean come from several times
        attrs[ORIGIN] = onset + float(trials.attrs.get(ORIGIN, 0.0))
    return as_cube(one.drop_vars([TRIAL, "onset", "shift"], errors="ignore").assign_attrs(attrs))


def trial_mean(trials: xr.Dataset) -> xr.Dataset:
    """Compute the mean over trials and its standard error.

    Parameters
    ----------
    trials
        Result of `cut_trials` or `count_trials`.

    Returns
    -------
    xr.Dataset
        A recruitment cube: `recruitment` is the mean over trials, ``recruitment_sem`` (metric
        ``sem``) the standard error ``sd / sqrt(n)`` with the sample standard deviation
        (``n - 1``), NaN for a single trial. `n_recruited` and `n_spikes` are *sums* over the
        trials; metrics divide them by the number of trials, the attribute ``n_trials``. Every other
        quantity of the cube has its mean under its name, and its standard error as ``<name>_sem``.
    """
    n_trials, first = _n_of(trials), trial_cube(trials, 0).load()
    sums = _sums_of(trials, first)
    made = first.assign(
        {key: one for name in sums.off for key, one in _means(first, name, sums).items()}
    )
    made = made.assign(
        {n: ((TIME, HEX), _int32(v), first[n].attrs) for n, v in sums.counts.items()}
    )
    before = int(trials.attrs.get(N_TRIALS, 1))
    of_means = f", each the mean of {before}" if before > 1 else ""
    attrs = {name: value for name, value in first.attrs.items() if name != ORIGIN}
    made.attrs = attrs | {
        "title": f"Mean of {n_trials} trials{of_means}",
        N_TRIALS: n_trials * before,
    }
    return made


class _Sums(NamedTuple):
    """Sums over trials by variable: of counts; of others' values minus the first, and squares."""

    n_trials: int
    counts: dict[str, npt.NDArray[np.int64]]
    off: dict[str, Floats]
    squares: dict[str, Floats]


def _sums_of(trials: xr.Dataset, first: xr.Dataset) -> _Sums:
    """Sum over the trials, with one trial in memory at a time."""
    names = own_variables(first)
    base = {name: first[name].values for name in names if name not in (N_RECRUITED, N_SPIKES)}
    counts = {name: first[name].values.astype(np.int64) for name in names if name not in base}
    sums = {name: np.where(np.isnan(values), np.nan, 0.0) for name, values in base.items()}
    squares = {name: np.zeros(values.shape) for name, values in base.items()}
    for k in range(1, trials.sizes[TRIAL]):
        one = trial_cube(trials, k)
        for name, total in counts.items():
            total += one[name].values
        for name, values in base.items():
            off = np.subtract(one[name].values, values, dtype=np.float64)
            sums[name] += off
            off *= off
            squares[name] += off
    return _Sums(int(trials.sizes[TRIAL]), counts, sums, squares)


def _means(first: xr.Dataset, name: str, sums: _Sums) -> dict[str, Any]:
    """Return the variables of a mean and of its standard error."""
    n_trials, off = sums.n_trials, sums.off[name]
    square = np.maximum(sums.squares[name] - off**2 / n_trials, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sem = np.sqrt(square / np.float64(n_trials - 1) / n_trials)
    mean = first[name].values + off / n_trials
    of_spikes = name == RECRUITMENT
    attrs = VARIABLES[name].attrs if of_spikes else first[name].attrs
    label, units = attrs["long_name"], attrs["units"]
    mean_attrs = attrs | {"long_name": f"{label}, mean of {n_trials}"}
    what = "Recruited" if of_spikes else label
    sem_attrs = {"long_name": f"{what}, SEM over {n_trials} trials", "units": units}
    return {
        name: ((TIME, HEX), mean.astype(np.float32), mean_attrs),
        _SEM if of_spikes else f"{name}_sem": (
            (TIME, HEX),
            sem.astype(np.float32),
            sem_attrs,
        ),
    }


def _int32(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    if counts.max(initial=0) > np.iinfo(np.int32).max:
        raise ValueError(f"{counts.max():,} spikes or neurons are too many: use fewer trials")
    return counts.astype(np.int32)


def reliability(trials: xr.Dataset, *, metric: str | None = None) -> xr.DataArray:
    """Compute how similar the trace of each hexagon is from trial to trial.

    Parameters
    ----------
    trials
        Result of `cut_trials` or `count_trials`; all of its bins count.
    metric
        Metric to correlate, as for `compare`.

    Returns
    -------
    xr.DataArray
        (hex,) float64, mean of Pearson's correlation over all pairs of trials, -1/(n - 1) to 1. The
        pairs of a trial that does not vary count as 0. NaN for a single trial or a single bin, or
        if the hexagon has no value or no trial varies.

    Notes
    -----
    With ``z_k`` the traces shifted and scaled to mean 0 and length 1, the sum over all pairs is
    ``(|sum z_k|**2 - m) / 2`` for m trials that vary: one pass, not one per pair.
    """
    import xarray as xr

    n_trials, hexes = _n_of(trials), trial_cube(trials, 0)
    shown = plain_metric(hexes, metric, "has no reliability")
    total = np.zeros((hexes.sizes[TIME], hexes.sizes[HEX]))
    n_varying = np.zeros(hexes.sizes[HEX])
    for k in range(n_trials):
        course = shown.values(trial_cube(trials, k)).astype(np.float64)
        course -= course.mean(axis=0)
        n_varying[np.isnan(course).any(axis=0)] = np.nan
        length = np.sqrt(np.einsum("th,th->h", course, course))
        varies = length > _NO_LENGTH
        total += np.where(varies, course, 0.0) / np.where(varies, length, 1.0)
        n_varying += varies
    square = np.einsum("th,th->h", total, total)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (square - n_varying) / np.float64(n_trials * (n_trials - 1))
    mean[n_varying == 0] = np.nan
    return xr.DataArray(
        mean if n_trials > 1 else np.full(len(mean), np.nan),
        {name: hexes[name] for name in COORDINATES if hexes[name].dims == (HEX,)},
        (HEX,),
        name="reliability",
        attrs={"long_name": f"Correlation between {n_trials} trials", "units": ""},
    )


def _n_of(trials: xr.Dataset) -> int:
    """Return the number of trials; refuse a dataset without trials."""
    if TRIAL not in getattr(trials, "dims", ()) or not own_variables(trials):
        raise ValueError(
            "these are not trials: cut a cube with cut_trials(cube, onsets, before=..., after=...)"
        )
    if trials.sizes[TRIAL] == 0:
        raise ValueError("no trial is left: select one or more")
    return int(trials.sizes[TRIAL])
