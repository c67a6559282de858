"""Threshold of a response: more neurons in a bin than expected from the baseline."""

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
"""Probability of a false response somewhere in the searched window, per hexagon."""
FEWEST_NEURONS = 2.0
"""Fewest neurons of a hexagon that make a response, even if its baseline is silent."""
ENOUGH_BINS = 20
"""Fewest bins of a reliable baseline."""
_STEPS = 60
ROUNDING = 1e-3
"""Tolerance of counts that are computed from float32 percentages."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of recruited neurons of each hexagon in the bins of a baseline.

    Attributes
    ----------
    n_bins
        Number of bins of the baseline.
    mean, variance
        (n_hexes,) mean and variance (with n - 1) of the counts over the bins in which the hexagon
        has a value.
    """

    n_bins: int
    mean: Floats
    variance: Floats

    def threshold(self, n_searched: int, alpha: float = ALPHA) -> Floats:
        """Return the (n_hexes,) least count that is a response in one of `n_searched` bins.

        The count ``n`` of a bin is judged given ``n + S``, its sum with the baseline's total ``S``:
        without a response it is binomial with the probability ``1 / (n_bins + 1)``, whatever the
        rate. If the baseline varies more than Poisson counts, all counts are divided by variance
        over mean. Each bin is tested at ``alpha / n_searched``.
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
    """Return the counts of the baseline: in a window, or in all bins before the onset."""
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
    """Return the (n_hexes,) neurons per percent, over all trials if the cube is their mean.

    Counts are computed from the percentages, because these are shown and can be masked.
    """
    return cube[N_NEURONS].values * (int(cube.attrs.get(N_TRIALS, 1)) / 100.0)


def check_baseline(n_bins: int) -> None:
    """Warn if a baseline is too short to be reliable."""
    if n_bins >= ENOUGH_BINS:
        return
    has = {0: "no bin: it is taken to be silent", 1: "1 bin"}.get(n_bins, f"{n_bins} bins")
    issue_warnings(
        [
            f"the baseline has {has}; at least {ENOUGH_BINS} are needed to know what is usual:"
            " use a longer baseline, or narrower bins"
        ]
    )
