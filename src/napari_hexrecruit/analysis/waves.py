"""Speed and direction of a travelling front, and whether there is one at all."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from napari_hexrecruit.analysis import _fits, verdicts
from napari_hexrecruit.analysis._fits import Points, Trend
from napari_hexrecruit.analysis.arrays import AMPLITUDE
from napari_hexrecruit.analysis.verdicts import CRITERIA, Front
from napari_hexrecruit.doubts import issue_warnings
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.schema import MICROMETRES

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
WaveKind = Literal["plane", "radial"]

AMPLITUDE_PRONE = ("latency", "first_spike_latency")
"""Maps that are earlier where a response is stronger."""

_RADIAL_IS_BETTER_BY = 6.0
"""Difference of BIC from which on a circle, with its one parameter more, is believed."""
_NAN2 = (math.nan, math.nan)


@dataclass(frozen=True)
class WaveFit:
    """A front fitted to latencies; `fit_wave` makes it.

    Attributes
    ----------
    kind
        ``"plane"`` or ``"radial"``.
    is_wave
        Whether all of `CRITERIA` hold. If not, speed, direction, source and their intervals are
        NaN.
    why
        The same as a sentence: the wave in numbers, or what speaks against one.
    speed, speed_ci
        Speed of the front and its 95 % interval; µm/ms, or the units of flat space per ms.
    direction, direction_ci
        Where a plane front runs to and the 95 % interval: degrees counter-clockwise from +x, 0 to
        360 (the end of the interval may lie beyond). NaN for a radial one.
    source
        x and y where a radial front starts; NaN for a plane one.
    start
        Latency of the front at the source, or, of a plane front, in the mean of the centres; ms.
    slowness
        Of a plane front the (x, y) components, of a radial one (outwards, 0): ms per unit of flat
        space. Given whether it is a wave or not.
    r_squared
        Share of the latencies' variance that the fit explains, weighted as the fit is.
    p_value
        Probability of as good a fit by chance: the share of 499 maps without a front, in which
        neighbours are as alike as in what this front leaves, that a front fits as well.
    correlation_length
        Distance over which what the front leaves is alike, where its correlation falls to 1/e;
        units of flat space, 0 where neighbours have nothing in common.
    agreement
        Share of hexagons around which the latencies rise within 45 degrees of the fitted direction.
        0.25 by chance.
    residual
        Root mean square of the residuals, ms.
    caution
        What the map of latencies makes doubtful, a sentence; empty for nothing.
    delay
        Fitted latency from the first to the last of the hexagons, ms.
    n_hexes
        Hexagons with a latency.
    flat_units
        Units of flat space.
    origin
        Where the latency is `start`: the mean of the centres, or the source.
    """

    kind: WaveKind
    is_wave: bool
    why: str
    speed: float = math.nan
    speed_ci: tuple[float, float] = _NAN2
    direction: float = math.nan
    direction_ci: tuple[float, float] = _NAN2
    source: tuple[float, float] = _NAN2
    start: float = math.nan
    slowness: tuple[float, float] = _NAN2
    r_squared: float = math.nan
    p_value: float = math.nan
    correlation_length: float = math.nan
    agreement: float = math.nan
    residual: float = math.nan
    delay: float = math.nan
    n_hexes: int = 0
    flat_units: str = "unknown"
    origin: tuple[float, float] = _NAN2
    caution: str = ""

    @property
    def speed_m_per_s(self) -> float:
        """Speed in m/s; NaN where flat space is not in µm."""
        return self.speed / 1000.0 if self.flat_units in MICROMETRES else math.nan

    def latency_at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Fitted latency, ms, at points of flat space; of any fit, wave or not."""
        dx = np.asarray(x, dtype=np.float64) - self.origin[0]
        dy = np.asarray(y, dtype=np.float64) - self.origin[1]
        if self.kind == "radial":
            return np.asarray(self.start + self.slowness[0] * np.hypot(dx, dy))
        return np.asarray(self.start + self.slowness[0] * dx + self.slowness[1] * dy)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON; None where there is no number."""
        values = dataclasses.asdict(self) | {"speed_m_per_s": self.speed_m_per_s}
        return {name: _plain(value) for name, value in values.items()}


def fit_wave(
    latency: xr.DataArray,
    *,
    kind: WaveKind | Literal["best"] = "best",
    weights: npt.ArrayLike | None = None,
    seed: int = 0,
) -> WaveFit:
    """Fit a travelling front to a map of latencies.

    Parameters
    ----------
    latency
        (hex,) ms, from `napari_hexrecruit.analysis.latencies`; hexagons with NaN do not count.
    kind
        ``"plane"`` for a straight front, ``t = t0 + s . x``; ``"radial"`` for circles around a
        source that is found, ``t = t0 + s |x - c|``; ``"best"`` for the one with the lower BIC
        (radial only if it is lower by more than 6, and the source is not far outside of the sheet).
    weights
        (n_hexes,) weight of each hexagon, 0 or more; by default all alike. Proportional to one over
        the variance of its latency.
    seed
        Of what is drawn by chance: the same seed gives the same numbers.

    Returns
    -------
    WaveFit
        Where there is no wave it says why, and its speed is NaN.

    Raises
    ------
    ValueError
        If the kind is unknown, or the weights are not one non-negative number per hexagon.

    Warns
    -----
    RecruitmentWarning
        If the map depends on how strongly hexagons respond, as `latency` and `first_spike_latency`
        do: a stronger response passes a threshold sooner.

    Notes
    -----
    Weighted least squares. Speed is ``1 / |s|``; a plane front runs in the direction of `s`. The
    intervals are those of least squares with errors that are as alike from neighbour to neighbour
    as what the front leaves; their autocorrelation is fitted by restricted maximum likelihood.

    References
    ----------
    Direction and speed from the gradient of latency, and the share of places that agree with it:
    Rubino, Robbins & Hatsopoulos (2006), Nature Neuroscience 9, 1549-1557.

    Examples
    --------
    >>> from napari_hexrecruit.synthetic import Story
    >>> import xarray as xr
    >>> story = Story(n_neurons=5_000, wave="plane")
    >>> sheet = story.sheet
    >>> latency = xr.DataArray(
    ...     story.latency_ms,
    ...     {"x": ("hex", sheet.x_um, {"units": "um"}), "y": ("hex", sheet.y_um)},
    ...     ("hex",),
    ... )
    >>> fit = fit_wave(latency)
    >>> fit.kind, fit.is_wave, round(fit.direction, 3)
    ('plane', True, 25.0)
    >>> round(fit.speed / story.speed_um_per_ms, 6)
    1.0
    """
    if kind not in (*get_args(WaveKind), "best"):
        raise ParameterError(Parameter("kind"), f"must be plane, radial or best, not {kind!r}")
    points = _points(latency, weights)
    units = str(latency["x"].attrs.get("units", "unknown"))
    caution = _caution(latency)
    if caution:
        issue_warnings([caution])
    against = _too_little(points)
    if against:
        shape: WaveKind = "radial" if kind == "radial" else "plane"
        why, n_hexes = f"no wave: {against}", len(points.t)
        return WaveFit(shape, False, why, n_hexes=n_hexes, flat_units=units, caution=caution)
    # The matrices are small: with a thread per core they take 3 to 10 times as long.
    with threadpool_limits(1, user_api="blas"):
        front = _front(points, kind, seed)
        unlike = verdicts.against(front, points, _resolution(latency))
        against = unlike or _of_amplitudes(latency, front.trend)
        fit = _described(front, points, units, caution, against)
        if against:
            return fit
        return _as_wave(fit, _fits.slowness_draws(front.trend, points, front.noise, seed))


def _front(points: Points, kind: str, seed: int) -> Front:
    trend = _fits.radial(points) if kind == "radial" else _fits.plane(points)
    leaves = trend
    if kind == "best":
        radial = _fits.radial(points)
        if trend.bic - radial.bic > _RADIAL_IS_BETTER_BY:
            leaves = radial  # also where its source is too far away to be believed
            usable = radial.slowness[0] > 0.0 and not _fits.is_wide(radial, points)
            trend = radial if usable else trend
    kinds = get_args(WaveKind) if kind == "best" else (kind,)
    noise = _fits.noise_of(leaves, points)
    p_value = _fits.p_value(kinds, points, noise, seed)
    return Front(trend, noise, p_value, _fits.agreement(trend, points))


def _caution(latency: xr.DataArray) -> str:
    """Why a map of latencies may show a front where amplitudes differ; empty for others."""
    if latency.name not in AMPLITUDE_PRONE:
        return ""
    return (
        f"{latency.name} is earlier where the response is stronger, which can look like a front:"
        " use half_peak_latency"
    )


def _of_amplitudes(latency: xr.DataArray, trend: Trend) -> str:
    """Whether the amplitudes explain the latencies as well as the front does; empty if not."""
    if latency.name not in AMPLITUDE_PRONE or AMPLITUDE not in latency.coords:
        return ""
    share = _fits.share_of_amplitude(latency.values, latency[AMPLITUDE].values)
    if share < trend.r_squared:
        return ""
    return (
        f"how strongly hexagons respond explains {share:.0%} of the variance of the latencies, and"
        f" a {trend.kind} front {trend.r_squared:.0%}: use half_peak_latency"
    )


def _points(latency: xr.DataArray, weights: npt.ArrayLike | None) -> Points:
    time = latency.values.astype(np.float64)
    weight = np.ones(len(time)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != time.shape or not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ParameterError(
            Parameter("weights"), f"must be {len(time)} numbers of 0 or more, one per hexagon"
        )
    kept = np.isfinite(time) & (weight > 0)
    x, y = (latency[axis].values.astype(np.float64)[kept] for axis in "xy")
    mean_weight = weight[kept].mean() if kept.any() else 1.0
    return Points(x, y, time[kept], weight[kept] / mean_weight)


def _resolution(latency: xr.DataArray) -> float:
    """Delay below which a front crosses the sheet within a bin; 0 of exact latencies."""
    return float(latency.attrs.get("bin_ms", 0.0))


def _too_little(points: Points) -> str:
    n = len(points.t)
    if n < CRITERIA["n_hexes"]:
        return f"only {n} hexagons have a latency, at least {CRITERIA['n_hexes']} are needed"
    if _fits.is_line(points):
        return "the hexagons that have a latency lie on a line, so a direction cannot be told"
    return ""


def _described(
    front: Front, points: Points, flat_units: str, caution: str, against: str
) -> WaveFit:
    """The fit in numbers that it has whether it is a wave or not."""
    trend = front.trend
    return WaveFit(
        kind=trend.kind,
        is_wave=False,
        why=f"no wave: {against}",
        start=trend.start,
        slowness=trend.slowness,
        r_squared=trend.r_squared,
        p_value=front.p_value,
        correlation_length=front.noise.correlation_length,
        agreement=front.agreement,
        residual=trend.residual,
        delay=trend.delay,
        n_hexes=len(points.t),
        flat_units=flat_units,
        origin=trend.origin,
        caution=caution,
    )


def _as_wave(fit: WaveFit, draws: Floats) -> WaveFit:
    """The fit with speed, direction or source, and their intervals from resampled slowness."""
    wave: dict[str, Any] = {
        "is_wave": True,
        "speed": 1.0 / math.hypot(*fit.slowness),
        "speed_ci": _interval(1.0 / np.hypot(*draws.T)),
    }
    if fit.kind == "radial":
        wave["source"] = fit.origin
    else:
        direction = math.degrees(math.atan2(fit.slowness[1], fit.slowness[0])) % 360.0
        low, high = _interval(_fits.turned(draws, fit.slowness))
        wave |= {"direction": direction, "direction_ci": (direction + low, direction + high)}
    found = dataclasses.replace(fit, **wave)
    return dataclasses.replace(found, why=verdicts.told(found))


def _interval(draws: Floats) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
