"""Bins of a time window, and the bin of a spike. All times are in ms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError

Floats = npt.NDArray[np.float64]

EDGE_TOLERANCE_MS = 1e-6
"""Smallest tolerance of spikes, and the tolerance of times that users give as edges."""

_FLOAT64 = np.dtype(np.float64)
_LARGEST_N_BINS = 2**31 - 2
_PER_STEP = 1e-3
"""Tolerance as a part of the simulation's step, for rounding in its clock."""
_PER_BIN = 1e-2
"""Largest tolerance as a part of a bin."""
_DECIMALS = 9
"""Decimals of an edge in ms. One time computed in two ways (as the end of a part of the window, or
within the whole) differs in the last bits of a float64, but must give the same cut."""


@dataclass(frozen=True)
class Clock:
    """Precision of spike times.

    Parameters
    ----------
    stored
        Type of the times in the file; whole numbers are exact.
    dt_ms
        Step of the simulation, ms; None if unknown.

    Examples
    --------
    >>> Clock().tolerance_ms([100.0], 10.0).tolist()
    [1e-06]
    >>> Clock(np.dtype(np.float32)).tolerance_ms([100.0, 1000.0], 10.0).tolist()
    [7.62939453125e-06, 6.103515625e-05]
    >>> Clock(dt_ms=0.1).tolerance_ms([100.0], 10.0).tolist()
    [0.0001]
    """

    stored: np.dtype[Any] = _FLOAT64
    dt_ms: float | None = None

    def tolerance_ms(self, edges_ms: npt.ArrayLike, width_ms: float = math.inf) -> Floats:
        """Return how far below an edge a spike still belongs to the bin that starts there.

        Parameters
        ----------
        edges_ms
            (n,) edges, ms.
        width_ms
            Width of the bins, ms; infinite without bins.

        Returns
        -------
        (n,) float64
            The largest of 1e-6 ms, a thousandth of the simulation's step, and the spacing of the
            stored type at the edge; at most a hundredth of a bin.
        """
        edges = np.abs(np.asarray(edges_ms, dtype=np.float64))
        least = max(EDGE_TOLERANCE_MS, _PER_STEP * (self.dt_ms or 0.0))
        tolerance = np.full(edges.shape, least)
        if self.stored.kind == "f":
            with np.errstate(over="ignore", invalid="ignore"):
                spacing = np.spacing(edges.astype(self.stored)).astype(np.float64)
            tolerance = np.fmax(tolerance, spacing)  # NaN for an infinite edge
        capped: Floats = np.minimum(tolerance, _PER_BIN * width_ms)
        return capped

    def cuts(self, edges_ms: npt.ArrayLike, width_ms: float = math.inf) -> Floats:
        """Return the (n,) edges minus the tolerance: later times belong to the next bin."""
        edges = np.asarray(edges_ms, dtype=np.float64).round(_DECIMALS)
        return edges - self.tolerance_ms(edges, width_ms)

    def coarse_from_ms(self, width_ms: float) -> float:
        """Return the time from which the stored type is coarser than a hundredth of a bin."""
        if self.stored.kind != "f":
            return math.inf
        digits = np.finfo(self.stored).nmant
        _, exponent = math.frexp(_PER_BIN * width_ms)  # 2 ** (exponent - 1) <= this < 2 ** exponent
        return math.ldexp(1.0, min(exponent + digits, 1023))


EXACT = Clock()
"""Clock of float64 times of a simulation with unknown step."""


@dataclass(frozen=True)
class TimeBins:
    """Half-open bins ``[start + k * width, start + (k + 1) * width)`` of equal width.

    Parameters
    ----------
    start_ms, stop_ms
        The window, ms.
    width_ms
        Width of a bin, ms.

    Raises
    ------
    ValueError
        If a number is not finite, the width is not positive, the window is empty, or the window is
        not a whole number of bins; the message gives the nearest valid windows.

    Notes
    -----
    Simulators write times with rounding noise (22.3 ms is stored as 22.300000000099267, 0.3 ms as a
    number below 3 * 0.1). Therefore a spike at most the tolerance below an edge belongs to the bin
    that starts there: at the end of the window it is outside, at the start inside. `Clock` gives
    the tolerance.

    Examples
    --------
    >>> bins = TimeBins(start_ms=100.0, stop_ms=130.0, width_ms=10.0)
    >>> bins.edges().tolist()
    [100.0, 110.0, 120.0, 130.0]
    >>> bins.bin_of([99.0, 100.0, 109.9999999, 125.0, 130.0]).tolist()
    [-1, 0, 1, 2, -1]
    """

    start_ms: float
    stop_ms: float
    width_ms: float

    def __post_init__(self) -> None:
        for name in ("start_ms", "stop_ms", "width_ms"):
            value = getattr(self, name)
            number = isinstance(value, (int, float, np.integer, np.floating))
            if not number or isinstance(value, bool) or not math.isfinite(value):
                raise ParameterError(
                    Parameter(name), f"must be a finite number of ms, not {value!r}"
                )
            object.__setattr__(self, name, float(value))
        if self.width_ms <= 0:
            raise ValueError(f"the bin width must be greater than 0 ms, not {self.width_ms:g} ms")
        if self.stop_ms <= self.start_ms:
            raise ValueError(
                f"the window {self.start_ms:g} to {self.stop_ms:g} ms is empty:"
                " stop must be after start"
            )
        self._check_whole()

    @classmethod
    def within(cls, start_ms: float, stop_ms: float, width_ms: float) -> tuple[TimeBins, float]:
        """Return the whole bins that fit into a window, and the length of the dropped rest.

        Returns
        -------
        bins : TimeBins
            Bins from `start_ms` on.
        dropped_ms : float
            Rest of the window after the last bin, ms; 0 if the bins fill the window.

        Raises
        ------
        ValueError
            If not even one bin fits.
        """
        n_bins = _n_whole(start_ms, stop_ms, width_ms)
        if n_bins < 1:
            raise ValueError(
                f"a bin of {width_ms:g} ms does not fit into the window {start_ms:g} to"
                f" {stop_ms:g} ms: use a narrower bin or a longer window"
            )
        end_ms = start_ms + n_bins * width_ms
        dropped_ms = stop_ms - end_ms
        return cls(start_ms, end_ms, width_ms), max(0.0, dropped_ms) if dropped_ms > 1e-6 else 0.0

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return round((self.stop_ms - self.start_ms) / self.width_ms)

    @property
    def are_whole_ms(self) -> bool:
        """Whether all edges are whole numbers of ms."""
        return bool(np.all(np.round(np.remainder((self.start_ms, self.width_ms), 1.0), 6) % 1 == 0))

    def edges(self) -> npt.NDArray[np.float64]:
        """Return the (n_bins + 1,) float64 edges of the bins, ms."""
        return self.start_ms + self.width_ms * np.arange(self.n_bins + 1, dtype=np.float64)

    def cuts(self, clock: Clock = EXACT) -> Floats:
        """Return the times that separate the spikes of the bins.

        Parameters
        ----------
        clock
            Precision of the spike times.

        Returns
        -------
        (n_bins + 1,) float64
            The edges minus the tolerance, ms: bin k has the spikes of
            ``cuts[k] <= time < cuts[k + 1]``.
        """
        return clock.cuts(self.edges(), self.width_ms)

    def bin_of(self, times_ms: npt.ArrayLike, clock: Clock | None = None) -> npt.NDArray[np.int32]:
        """Return the bin of each time.

        Parameters
        ----------
        times_ms
            (n_spikes,) times, ms.
        clock
            Precision of the times; by default that of their type.

        Returns
        -------
        (n_spikes,) int32
            0 to ``n_bins - 1``; -1 outside the window and for NaN.
        """
        given = np.asarray(times_ms)
        cuts = self.cuts(clock or Clock(given.dtype))
        k = np.searchsorted(cuts, given.astype(np.float64), side="right") - 1
        return np.where(k < self.n_bins, k, -1).astype(np.int32)

    def starts(
        self, times_ms: npt.NDArray[np.floating[Any]], clock: Clock | None = None
    ) -> npt.NDArray[np.int64]:
        """Find the first spike of each bin and the end of the last bin, by binary search.

        Parameters
        ----------
        times_ms
            (n_spikes,) ascending float32 or float64 times, ms, NaN last.
        clock
            Precision of the times; by default that of their type.

        Returns
        -------
        (n_bins + 1,) int64
            The spikes of bin k are ``starts[k]`` to ``starts[k + 1]``.
        """
        return first_at(times_ms, self.cuts(clock or Clock(times_ms.dtype)))

    def _check_whole(self) -> None:
        n_bins = (self.stop_ms - self.start_ms) / self.width_ms
        if n_bins > _LARGEST_N_BINS:
            raise ValueError(f"{n_bins:.3g} bins are too many: use wider bins or a shorter window")
        whole = round(n_bins)
        off_ms = abs(self.start_ms + whole * self.width_ms - self.stop_ms)
        if whole >= 1 and off_ms <= EDGE_TOLERANCE_MS:
            return
        below = math.floor(n_bins)
        stops = [self.start_ms + n * self.width_ms for n in (below, below + 1) if n >= 1]
        choices = " or ".join(f"{self.start_ms:g} to {stop:.10g} ms" for stop in stops)
        raise ValueError(
            f"the window {self.start_ms:g} to {self.stop_ms:g} ms is not a whole number of"
            f" {self.width_ms:g} ms bins: use {choices}"
        )


def edge_position(name: str, time_ms: float, bins: TimeBins) -> int:
    """Return the number of the bin edge at a time.

    Parameters
    ----------
    name
        Name of the time in an error.
    time_ms
        A time within 1e-6 ms of an edge.
    bins
        The bins.

    Returns
    -------
    int
        0 for the start of the first bin, ``n_bins`` for the end of the last.

    Raises
    ------
    ValueError
        If the time is not finite, outside the bins or inside a bin; the message names the nearest
        edges.

    Examples
    --------
    >>> edge_position("stop", 120.0, TimeBins(100.0, 130.0, 10.0))
    2
    """
    first, width, n_bins = bins.start_ms, bins.width_ms, bins.n_bins
    if not math.isfinite(time_ms):
        raise ParameterError(Parameter(name), f"must be a finite number of ms, not {time_ms!r}")
    last = first + n_bins * width
    if time_ms < first - EDGE_TOLERANCE_MS or time_ms > last + EDGE_TOLERANCE_MS:
        raise ValueError(
            f"{name} {time_ms:.10g} ms is outside of the cube: {first:g} to {last:g} ms"
        )
    position = round((time_ms - first) / width)
    if abs(first + position * width - time_ms) > EDGE_TOLERANCE_MS * max(1.0, width):
        below = first + math.floor((time_ms - first) / width) * width
        raise ValueError(
            f"{name} {time_ms:.10g} ms is inside a bin of {width:g} ms:"
            f" use {below:.10g} or {below + width:.10g} ms"
        )
    return position


def first_at(
    times_ms: npt.NDArray[np.floating[Any]], cuts_ms: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return the (n_cuts,) positions of the first of ascending times at or after each cut.

    Unlike `numpy.searchsorted`, it does not copy float32 times to compare them with float64 cuts.
    """
    if times_ms.dtype == np.float64:
        return np.searchsorted(times_ms, cuts_ms)
    low = np.zeros(len(cuts_ms), dtype=np.int64)
    high = np.full(len(cuts_ms), len(times_ms), dtype=np.int64)
    while (open_ := low < high).any():
        middle = (low + high)[open_] // 2
        before = times_ms[middle].astype(np.float64) < cuts_ms[open_]
        low[open_] = np.where(before, middle + 1, low[open_])
        high[open_] = np.where(before, high[open_], middle)
    return low


def _n_whole(start_ms: float, stop_ms: float, width_ms: float) -> int:
    if not (width_ms > 0 and math.isfinite(width_ms)):
        raise ValueError(f"the bin width must be a number greater than 0 ms, not {width_ms!r}")
    if not (math.isfinite(start_ms) and math.isfinite(stop_ms)):
        raise ValueError(f"the window must be finite, not {start_ms!r} to {stop_ms!r} ms")
    return math.floor((stop_ms - start_ms + EDGE_TOLERANCE_MS) / width_ms)
