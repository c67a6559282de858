"""Values of a metric as integers that compress well; 0 stands for no value.

Counts are packed exactly, and the browser computes percentages and rates from them in the same
steps as the cube. Other values become codes of 8 or 16 bits.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import (
    HEX,
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    N_TRIALS,
    RECRUITMENT,
    SIGNIFICANT,
    has_clusters,
    significant_clusters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr

    from napari_hexrecruit.metrics import Metric
    from napari_hexrecruit.render.window import Shown

Codes = npt.NDArray[np.unsignedinteger[Any]]

Plans = dict["Stored", "Metric | None"]

BITS = (8, 16)
_LEVEL = 6
_BLOCK_VALUES = 1 << 19
"""Values compressed together; the browser draws as soon as it has the first block."""
_ROUNDING = 1e-6
"""Relative tolerance within which percentages equal those of the counts."""
_COUNTS = {RECRUITMENT: N_RECRUITED, N_RECRUITED: N_RECRUITED, "rate": N_SPIKES}


@dataclass(frozen=True)
class Stored:
    """Format of the values of one variable in the page.

    Attributes
    ----------
    name
        Variable of the cube, or the metric whose values are coded.
    kind
        ``counts``: a value is ``code - 1``; ``steps``: a value is ``low + step * (code - 1)``, the
        highest code is infinity, and the one below it minus infinity; or ``outlined``.
    bits
        Bits per code.
    low, step
        Parameters of ``steps``.
    """

    name: str
    kind: str
    bits: int
    low: float = 0.0
    step: float = 1.0

    def codes(self, values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Codes:
        """Return (n_bins, n_hexes) codes: 0 if no value is known."""
        if self.kind == "steps":
            known = known & ~np.isnan(values)
            highest = [np.isposinf(values), np.isneginf(values)]
            numbers = np.where(np.isfinite(values), values, self.low).astype(np.float64)
            values = np.rint((numbers - self.low) / self.step)
            for below, infinite in enumerate(highest):
                values[infinite] = 2**self.bits - 2 - below
        codes: Codes = np.where(known, values + 1, 0).astype(f"<u{self.bits // 8}")
        return codes


def bins_per_block(n_hexes: int) -> int:
    """Return the number of bins that are compressed together."""
    return max(1, _BLOCK_VALUES // max(1, n_hexes))


def blocks_of(shown: Shown, n_hexes: int) -> Iterator[slice]:
    """Yield positions on the cube's time axis, in blocks of the shown bins."""
    n = bins_per_block(n_hexes)
    for at in range(0, len(shown.bins), n):
        bins = shown.bins[at : at + n]
        yield slice(bins.start, bins.stop, bins.step)


def plan(cube: xr.Dataset, metric: Metric, shown: Shown, bits: int | None) -> Stored:
    """Choose how to store the values of a metric: as counts if these reproduce the values.

    Parameters
    ----------
    cube
        A recruitment cube.
    metric
        Metric to show.
    shown
        Bins to show.
    bits
        8 or 16: codes of this many bits; None: counts if possible, else 16 bits.
    """
    name = _COUNTS.get(metric.name)
    if bits is None and name is not None:
        most, exact = _counts(cube, metric, name, shown)
        if exact:
            fits = next(bits for bits in (8, 16, 32) if most + 1 < 2**bits)
            return Stored(name, "counts", fits)
    bits = bits or BITS[-1]
    low, high = _range(cube, metric, shown)
    step = (high - low) / (2**bits - 4) or 1.0
    return Stored(metric.name, "steps", bits, low, step)


OUTLINED = Stored(SIGNIFICANT, "outlined", 16)
"""Format whose code is the number of the significant cluster, 0 for none."""


def stored_in(plans: Sequence[Stored], metrics: Sequence[Metric], cube: xr.Dataset) -> Plans:
    """Return each distinct format with a metric that uses it; None for outlined clusters."""
    found: Plans = {}
    for stored, metric in zip(plans, metrics, strict=True):
        found.setdefault(stored, metric)
    return found | ({OUTLINED: None} if has_clusters(cube) else {})


def packed(part: xr.Dataset, metric: Metric | None, stored: Stored) -> str:
    """Encode some bins of a cube, in memory, as text."""
    if metric is None:
        return _as_text(significant_clusters(part).astype("<u2"))
    values = metric.values(part)
    counts = part[stored.name].values if stored.kind == "counts" else values
    return _as_text(stored.codes(counts, ~np.isnan(values)))


def _as_text(codes: Codes) -> str:
    """Compress all low bytes first, then the higher bytes, which are nearly all the same."""
    planes = np.ascontiguousarray(codes).view(np.uint8).reshape(-1, codes.dtype.itemsize).T
    squeezed = zlib.compress(planes.tobytes(), _LEVEL)
    return base64.b64encode(squeezed).decode("ascii")


def _counts(cube: xr.Dataset, metric: Metric, name: str, shown: Shown) -> tuple[int, bool]:
    """Return the largest count shown, and whether the counts reproduce the metric's values."""
    most, exact = 0, True
    for block in blocks_of(shown, cube.sizes[HEX]):
        part = cube.isel(time=block).load()
        values, counts = metric.values(part), part[name].values
        known = ~np.isnan(values)
        most = max(most, int(counts.max(initial=0, where=known)))
        exact &= int(counts.min(initial=0, where=known)) >= 0
        if metric.name == RECRUITMENT:
            neurons = part[N_NEURONS].values * float(cube.attrs.get(N_TRIALS, 1))
            with np.errstate(divide="ignore", invalid="ignore"):
                percent = 100.0 * counts / neurons
            exact &= np.allclose(percent[known], values[known], rtol=_ROUNDING, atol=0)
    return most, bool(exact)


def _range(cube: xr.Dataset, metric: Metric, shown: Shown) -> tuple[float, float]:
    """Return the smallest and largest finite value; 0 and 0 if there are none."""
    low, high = np.inf, -np.inf
    for block in blocks_of(shown, cube.sizes[HEX]):
        values = metric.values(cube.isel(time=block).load()).astype(np.float64)
        values = values[np.isfinite(values)]
        low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
    return (float(low), float(high)) if low <= high else (0.0, 0.0)
