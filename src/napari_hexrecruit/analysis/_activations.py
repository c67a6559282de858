"""Activity of each hexagon above a threshold, and links between activity that belongs together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.responses import Counts, counts_per_percent

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]

_RARE = 1e-4
"""Probability that a hexagon at rest is above the threshold in a bin."""
_N_ROUNDS = 30
_QUIET = 20.0
"""Percentile of the bins from which the search for rest starts."""
_ROUNDING = 1.0 - 1e-5
"""Tolerance for float32 percentages: a value at the threshold counts as above it."""
_TROUGH = 0.5
"""A fall by this share of the lower of two peaks separates them."""
_JUMP, _LEAST_JUMP = 4.0, 2.0
"""A delay longer than this many times the usual one, and than this many bins, is a jump."""


class Level(NamedTuple):
    """Percentage of each hexagon, (n_hexes,), at rest and at the threshold of activity."""

    rest: Floats
    threshold: Floats

    @property
    def end(self) -> Floats:
        """Level below which activity is over: half-way from the threshold to rest."""
        return np.asarray((self.rest + self.threshold) / 2.0)


def usual_level(cube: xr.Dataset, percent: Values) -> Level:
    """Estimate the level between waves from the cube itself."""
    per_percent = counts_per_percent(cube)
    known = np.isfinite(percent)
    counts = np.where(known, np.rint(percent * per_percent), np.nan)
    mean = _rest_of(counts)
    # Waves would inflate the variance, so only counts below the mean enter it.
    low = np.where(counts < mean, counts - mean, 0.0)
    variance = 2.0 * np.einsum("th,th->h", low, low) / np.maximum(known.sum(axis=0), 1)
    threshold = Counts(len(counts), mean, variance).threshold(1, _RARE)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Level(mean / per_percent, threshold / per_percent)


def _rest_of(counts: Floats) -> Floats:
    """Estimate the (n_hexes,) mean count at rest, with the highest counts taken to be waves.

    Repeatedly estimates the Poisson mean from the counts up to one standard deviation above the
    last estimate, starting from the quietest fifth of the bins.
    """
    from scipy.special import gammaincc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # hexagons without a value
        mean = np.nan_to_num(np.nanpercentile(counts, _QUIET, axis=0)) + 0.5
    for _ in range(_N_ROUNDS):
        most = np.maximum(np.rint(mean + np.sqrt(mean)), 1.0)
        low = counts <= most
        seen = np.where(low, counts, 0.0).sum(axis=0) / np.maximum(low.sum(axis=0), 1)
        left_out = gammaincc(most + 1.0, mean) / np.maximum(gammaincc(most, mean), 1e-9)
        mean = seen * left_out
    return np.asarray(mean)


@dataclass(frozen=True, eq=False)
class Activations:
    """Periods in which a hexagon is active, sorted by hexagon, then by time.

    Attributes
    ----------
    hex
        (n,) position of the hexagon.
    first, stop
        (n,) first bin at or above the threshold, and the bin after the last.
    onset
        (n,) time at which activity rises through half of its peak above rest, in bins since the
        start of the cube; fractional.
    """

    hex: Ints
    first: Ints
    stop: Ints
    onset: Floats

    def take(self, which: Ints | npt.NDArray[np.bool_]) -> Activations:
        """Return the chosen activations."""
        return Activations(self.hex[which], self.first[which], self.stop[which], self.onset[which])

    def cells(self) -> tuple[Ints, Ints, Ints]:
        """Return, for every active bin, the position of its activation, the bin and the hexagon."""
        length = self.stop - self.first
        owner = np.repeat(np.arange(len(length)), length)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
        return owner, self.first[owner] + nth, self.hex[owner]


def activations(percent: Values, level: Level, gap: int) -> Activations:
    """Find the activations of each hexagon, one for each peak that stands out.

    Parameters
    ----------
    percent
        (n_bins, n_hexes); NaN counts as rest.
    level
        Rest and threshold.
    gap
        Longest pause, in bins below the threshold, that does not split activity.
    """
    from scipy.ndimage import grey_closing
    from scipy.signal import find_peaks

    found = []
    above = np.isfinite(percent).any(axis=0) & np.isfinite(level.threshold)
    known = np.nan_to_num(percent, nan=0.0)
    filled = grey_closing(known, size=(gap + 1, 1)) if gap else known
    for h in np.flatnonzero(above).tolist():
        values = filled[:, h] - level.rest[h]
        least = float(level.threshold[h] - level.rest[h]) * _ROUNDING
        if not values.max(initial=0.0) >= least > 0.0:
            continue
        padded = np.concatenate([[-np.inf], values, [-np.inf]])
        peaks, told = find_peaks(padded, height=least, prominence=0.0)
        stands_out = told["prominences"] >= np.maximum(least, _TROUGH * padded[peaks])
        own = known[:, h] - level.rest[h]
        for first, stop in _parts(values, peaks[stands_out] - 1, least):
            found.append((h, first, stop, _rise(own, first, stop, least)))
    table = np.array(found, dtype=np.float64).reshape(-1, 4)
    place = table[:, :3].astype(np.int64)
    return Activations(place[:, 0], place[:, 1], place[:, 2], table[:, 3])


def _parts(values: Floats, peaks: Ints, least: float) -> list[tuple[int, int]]:
    """Return the first bin, and the bin after the last, of the activity around each peak."""
    over = np.flatnonzero(values >= least / 2.0)
    parts_at = np.flatnonzero(np.diff(over) > 1)
    begins = over[np.concatenate([[0], parts_at + 1])]
    ends = over[np.concatenate([parts_at, [len(over) - 1]])] + 1
    parts = []
    for k, peak in enumerate(peaks.tolist()):
        at = int(np.searchsorted(begins, peak, side="right")) - 1
        first, stop = int(begins[at]), int(ends[at])
        if k > 0 and peaks[k - 1] >= first:
            first = int(peaks[k - 1] + values[peaks[k - 1] : peak].argmin())
        if k + 1 < len(peaks) and peaks[k + 1] < stop:
            stop = int(peak + values[peak : peaks[k + 1]].argmin())
        low = np.flatnonzero(values[first:peak] < least)
        first += int(low[-1]) + 1 if len(low) else 0
        parts.append((first, max(stop, peak + 1)))
    return parts


def _rise(values: Floats, first: int, stop: int, least: float) -> float:
    """Return the time, in bins, when a line through bin centres rises through half of the peak."""
    half = max(float(values[first:stop].max()) / 2.0, least)
    at = first + int((values[first:stop] >= half).argmax())
    if at == 0 or values[at - 1] >= half:
        return at + 0.5
    return at + 0.5 - float((values[at] - half) / (values[at] - values[at - 1]))


class Links(NamedTuple):
    """Pairs of activations that belong together: positions, each pair once."""

    one: Ints
    other: Ints


def links(found: Activations, xy: Floats, reach: float, gap: int) -> Links:
    """Link activations of hexagons within reach that touch and are each other's nearest in time.

    Parameters
    ----------
    found
        Activations.
    xy
        (n_hexes, 2) centres.
    reach
        Greatest distance between centres.
    gap
        Most bins between the end of one and the beginning of the other.
    """
    from scipy.spatial import cKDTree

    pairs = cKDTree(xy).query_pairs(reach, output_type="ndarray").astype(np.int64)
    if len(found.hex) == 0 or len(pairs) == 0:
        return Links(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    period = float(found.stop.max()) + 2.0
    key = found.hex * period + found.onset
    order = np.argsort(key, kind="stable")
    key, hexes = key[order], found.hex[order]
    bounds = np.searchsorted(hexes, np.arange(len(xy) + 1))
    count = np.diff(bounds)
    chosen: list[Ints] = []
    for mine, theirs in (pairs.T, pairs.T[::-1]):
        n = count[mine] * (count[theirs] > 0)
        owner = np.repeat(np.arange(len(pairs)), n)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)
        run = bounds[mine[owner]] + nth
        near = _nearest(key, bounds, theirs[owner], found.onset[order[run]], period)
        low, high = (run, near) if not chosen else (near, run)
        chosen.append(low * len(key) + high)
    both = np.intersect1d(chosen[0], chosen[1])
    one, other = order[both // len(key)], order[both % len(key)]
    touch = (found.first[one] <= found.stop[other] + gap) & (
        found.first[other] <= found.stop[one] + gap
    )
    return _without_jumps(found.onset, Links(one[touch], other[touch]))


def _without_jumps(onset: Floats, pairs: Links) -> Links:
    """Drop links whose delay is far longer than those around, so that crossing waves stay apart.

    The usual delay of an activation is the median over its links.
    """
    delay = np.abs(onset[pairs.one] - onset[pairs.other])
    usual = median_of(
        np.concatenate([pairs.one, pairs.other]), np.concatenate([delay, delay]), len(onset)
    )
    most = _JUMP * np.minimum(usual[pairs.one], usual[pairs.other])
    kept = delay <= np.maximum(most, _LEAST_JUMP)
    return Links(pairs.one[kept], pairs.other[kept])


def median_of(owner: Ints, values: Floats, n: int) -> Floats:
    """Return the (n,) lower median of each owner's values; 0 without values."""
    values = values[np.lexsort((values, owner))]
    count = np.bincount(owner, minlength=n)
    middle = np.cumsum(count) - count + (np.maximum(count, 1) - 1) // 2
    return np.where(count > 0, np.append(values, 0.0)[np.minimum(middle, len(values))], 0.0)


def _nearest(key: Floats, bounds: Ints, hexes: Ints, onset: Floats, period: float) -> Ints:
    """Return the activation of each hexagon with the onset nearest to a given one."""
    low, high = bounds[hexes], bounds[hexes + 1] - 1
    wanted = hexes * period + onset
    after = np.clip(np.searchsorted(key, wanted), low, high)
    before = np.clip(after - 1, low, high)
    nearer = np.abs(key[before] - wanted) <= np.abs(key[after] - wanted)
    return np.where(nearer, before, after)
