"""What counts as a response: more neurons in a bin than the baseline lets expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.windows import bins_of, cut
from napari_hexrecruit.blocks import parts_of
from napari_hexrecruit.doubts import issue_warnings
from napari_hexrecruit.schema import HEX, N_NEURONS, N_TRIALS, RECRUITMENT, TIME

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Window = tuple[float, float]

ALPHA = 0.05
"""Probability that a hexagon without a response has one somewhere in the window searched."""
FEWEST_NEURONS = 2.0
"""Neurons of a hexagon that have to fire in a bin, however silent its baseline is."""
ENOUGH_BINS = 20
"""Bins that a baseline should have."""
_STEPS = 60
ROUNDING = 1e-3
"""Counts are whole numbers to this, as percentages are float32."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Recruited neurons of each hexagon in the bins of a baseline.

    Attributes
    ----------
    n_bins
        Bins of the baseline.
    mean, variance
        (n_hexes,) of the counts, with n - 1; over the bins in which the hexagon has a value.
    """

    n_bins: int
    mean: Floats
    variance: Floats

    def threshold(self, n_searched: int, alpha: float = ALPHA) -> Floats:
        """(n_hexes,) least count of neurons that is a response in one of so many bins.

        The count ``n`` of a bin is judged given its sum with the baseline's ``S``: without a
        response it is binomial with the chance ``1 / (bins + 1)``, whatever the rate is. Of a
        baseline that varies more than Poisson's counts do, all counts are divided by variance over
        mean. Each bin is searched at ``alpha / n_searched``.
        """
        from scipy.special import betainc

        if self.n_bins == 0:
            return np.full(len(self.mean), FEWEST_NEURONS)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.mean > 0, self.variance / self.mean, 1.0)
        excess = np.maximum(np.nan_to_num(ratio, nan=1.0), 1.0)
        total = np.nan_to_num(self.mean) * self.n_bins / excess
        chance, level = 1.0 / (self.n_bins + 1.0), alpha / max(1, n_searched)
        low, high = np.full(len(total), 1e-9), 20.0 * (total + 60.0)
        for _ in range(_STEPS):
            middle = (low + high) / 2.0
            rare = betainc(middle, total + 1.0, chance) <= level
            low, high = np.where(rare, low, middle), np.where(rare, middle, high)
        return np.asarray(np.maximum(np.ceil(high * excess - ROUNDING), FEWEST_NEURONS))


def baseline_counts(cube: xr.Dataset, onset: float, window: Window | None) -> Counts:
    """Counts of the baseline: of a window, or of all before the onset."""
    n_hexes = cube.sizes[HEX]
    if window is None and onset <= bins_of(cube).start_ms:
        check_baseline(0)
        return Counts(0, np.zeros(n_hexes), np.zeros(n_hexes))
    start, stop = (None, onset) if window is None else window
    part = cut(cube, start, stop)
    check_baseline(part.sizes[TIME])
    per_percent = counts_per_percent(cube)
    n, total, square = np.zeros(n_hexes), np.zeros(n_hexes), np.zeros(n_hexes)
    for bins in parts_of(part):
        percent = part[RECRUITMENT].isel({TIME: bins}).values
        known = np.isfinite(percent)
        counts = np.where(known, percent, 0.0) * per_percent
        n += known.sum(axis=0)
        total += counts.sum(axis=0)
        square += np.einsum("th,th->h", counts, counts)
    mean = total / np.maximum(n, 1)
    variance = np.maximum(square - n * mean**2, 0.0) / np.maximum(n - 1, 1)
    return Counts(part.sizes[TIME], mean, variance)


def counts_per_percent(cube: xr.Dataset) -> Floats:
    """(n_hexes,) neurons that a percent stands for, of all trials if the cube is their mean.

    Counts are taken from the percentages, which is what is shown, and may have been masked.
    """
    return cube[N_NEURONS].values * (int(cube.attrs.get(N_TRIALS, 1)) / 100.0)


def check_baseline(n_bins: int) -> None:
    """Warn of a baseline that is too short to be relied on."""
    if n_bins >= ENOUGH_BINS:
        return
    has = {0: "no bin: it is taken to be silent", 1: "1 bin"}.get(n_bins, f"{n_bins} bins")
    issue_warnings(
        [
            f"the baseline has {has}; at least {ENOUGH_BINS} are needed to know what is usual:"
            " use a longer baseline, or narrower bins"
        ]
    )
