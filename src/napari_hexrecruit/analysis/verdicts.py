"""Verdict on whether a fitted front is a wave, as a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.analysis import _fits
from napari_hexrecruit.schema import MICROMETRES

if TYPE_CHECKING:
    from napari_hexrecruit.analysis._fits import Points, Trend
    from napari_hexrecruit.analysis._noise import Noise
    from napari_hexrecruit.analysis.waves import WaveFit

CRITERIA = {
    "n_hexes": 12,
    "r_squared": 0.5,
    "p_value": 0.01,
    "agreement": 0.5,
}
"""A front counts as a wave if it has at least this many hexagons, R squared and agreement, at most
this p-value, a delay across the sheet of at least one bin, and if it explains the latencies better
than two successive levels do."""


@dataclass(frozen=True, eq=False)
class Front:
    """A fitted front, its p-value, its agreement, and the autocorrelation of its errors."""

    trend: Trend
    noise: Noise
    p_value: float
    agreement: float


def against(front: Front, points: Points, resolution: float) -> str:
    """Return the reason why the front is not a wave, or an empty string if it is one."""
    trend, needed = front.trend, CRITERIA
    if trend.delay <= 0.0:
        return "all hexagons respond at the same time"
    if trend.r_squared < needed["r_squared"]:
        return (
            f"a {trend.kind} front explains {trend.r_squared:.0%} of the variance of the latencies,"
            f" at least {needed['r_squared']:.0%} is needed"
        )
    if front.agreement < needed["agreement"]:
        return (
            f"the latencies rise in the direction of the front around only {front.agreement:.0%}"
            f" of the hexagons, at least {needed['agreement']:.0%} is needed: it jumps, or"
            " stands still"
        )
    if _fits.step_is_better(trend, points):
        doubt = _undecidable(front, points)
        return (
            "two levels, one after the other, explain the latencies as well as a front that runs:"
            " it jumps, or stands still"
        ) + (f"; {doubt}" if doubt else "")
    if trend.kind == "radial" and trend.slowness[0] <= 0.0:
        return "the latencies fall with the distance from the source"
    if trend.delay < resolution:
        return (
            f"the front crosses the sheet in {trend.delay:.2g} ms, within one bin of"
            f" {resolution:g} ms: use narrower bins"
        )
    if _fits.is_wide(trend, points):
        return "the source would lie far outside of the sheet: fit a plane front"
    if front.p_value > needed["p_value"]:
        return _by_chance(front, points)
    return ""


def _by_chance(front: Front, points: Points) -> str:
    chance = f"the fit may be chance (p = {front.p_value:.2g})"
    doubt = _undecidable(front, points)
    return f"{doubt}, so {chance}" if doubt else chance


def _undecidable(front: Front, points: Points) -> str:
    """Return why one map cannot decide, or an empty string if it can."""
    size = float(np.hypot(*np.ptp(points.xy, axis=0)))
    alike = front.noise.correlation_length
    if alike <= size / 3.0:
        return ""
    return (
        f"undecidable, as the latencies are nearly a gradient: what a front leaves is correlated"
        f" over {alike:.3g}, more than a third of the sheet"
    )


def told(fit: WaveFit) -> str:
    """Describe a wave in a sentence: kind, speed, direction or source, and quality of the fit."""
    unit = "µm" if fit.flat_units in MICROMETRES else fit.flat_units
    speed = f"{fit.speed:.3g} {unit}/ms"
    if math.isfinite(fit.speed_m_per_s):
        speed += f" ({fit.speed_m_per_s:.2g} m/s)"
    where = (
        f"towards {fit.direction:.0f}°"
        if fit.kind == "plane"
        else f"from ({fit.source[0]:.0f}, {fit.source[1]:.0f})"
    )
    return (
        f"{fit.kind} wave: {speed} {where}; R² = {fit.r_squared:.3f} over {fit.n_hexes:,} hexagons"
    )
