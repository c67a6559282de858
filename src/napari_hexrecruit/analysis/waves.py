"""Fit of a travelling front: its speed and direction, and whether it is a wave."""

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
"""Maps with earlier latencies for stronger responses."""

_RADIAL_IS_BETTER_BY = 6.0
"""Difference of BIC above which the radial front, with one more parameter, is preferred."""
_NAN2 = (math.nan, math.nan)


@dataclass(frozen=True)
class WaveFit:
    """A front fitted to latencies, made by `fit_wave`.

    Attributes
    ----------
    kind
        ``"plane"`` or ``"radial"``.
    is_wave
        Whether the front is a wave (see `CRITERIA`). If not, `why` gives the reason, and speed,
        direction, source and their intervals are NaN.
    why
        The verdict as a sentence: the wave in numbers, or the reason why it is not one.
    speed, speed_ci
        Speed of the front and its 95 % interval; µm/ms, or the units of flat space per ms.
    direction, direction_ci
        Direction in which a plane front runs and its 95 % interval: degrees counter-clockwise from
        +x, 0 to 360 (the interval can extend beyond). NaN for a radial front.
    source
        x and y where a radial front starts; NaN for a plane front.
    start
        Latency of the front at the source, or, for a plane front, at the mean of the centres; ms.
    slowness
        (x, y) components of a plane front, or (outwards, 0) of a radial front: ms per unit of flat
        space. Also given if the front is not a wave.
    r_squared
        Share of the latencies' variance that the fit explains, with the weights of the fit.
    p_value
        Probability of an equally good fit by chance: the share of maps without a front that a front
        fits as well, among 499 random maps with the autocorrelation of the residuals and this one.
    correlation_length
        Distance at which the correlation of the residuals falls to 1/e, units of flat space; 0 if
        neighbours are not correlated.
    agreement
        Share of hexagons around which the latencies rise within 45 degrees of the fitted direction;
        0.25 by chance.
    residual
        Root mean square of the residuals, ms.
    caution
        Sentence about why the map of latencies makes the fit doubtful; empty if it does not.
    delay
        Difference of the fitted latencies of the last and the first hexagon, ms.
    n_hexes
        Number of hexagons with a latency.
    flat_units
        Units of flat space.
    origin
        Point with the latency `start`: the mean of the centres, or the source.
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
        """Speed in m/s; NaN if flat space is not in µm."""
        return self.speed / 1000.0 if self.flat_units in MICROMETRES else math.nan

    def latency_at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Return the fitted latency at points of flat space, ms, also if it is not a wave."""
        dx = np.asarray(x, dtype=np.float64) - self.origin[0]
        dy = np.asarray(y, dtype=np.float64) - self.origin[1]
        if self.kind == "radial":
            return np.asarray(self.start + self.slowness[0] * np.hypot(dx, dy))
        return np.asarray(self.start + self.slowness[0] * dx + self.slowness[1] * dy)

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes as plain values for JSON; None instead of NaN or infinity."""
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
        fitted source, ``t = t0 + s |x - c|``; ``"best"`` for the one with the lower BIC (radial
        only if it is lower by more than 6, the latencies rise with the distance from the source,
        and the source is not far outside of the sheet).
    weights
        (n_hexes,) weight of each hexagon, 0 or more, proportional to the inverse variance of its
        latency; by default all equal.
    seed
        Seed of the random draws; the same seed gives the same numbers.

    Returns
    -------
    WaveFit
        If the front is not a wave, `why` gives the reason, and the speed is NaN.

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
    The fit is by weighted least squares. Speed is ``1 / |s|``; a plane front runs in the direction
    of `s`. The intervals are those of least squares with autocorrelated errors; the autocorrelation
    of the residuals is fitted by restricted maximum likelihood.

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
    # The matrices are small: one thread per core would take 3 to 10 times as long.
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
            leaves = radial  # even if its source is too far away
            usable = radial.slowness[0] > 0.0 and not _fits.is_wide(radial, points)
            trend = radial if usable else trend
    kinds = get_args(WaveKind) if kind == "best" else (kind,)
    noise = _fits.noise_of(leaves, points)
    p_value = _fits.p_value(kinds, points, noise, seed)
    return Front(trend, noise, p_value, _fits.agreement(trend, points))


def _caution(latency: xr.DataArray) -> str:
    """Return why amplitudes can look like a front in this map, or an empty string."""
    if latency.name not in AMPLITUDE_PRONE:
        return ""
    return (
        f"{latency.name} is earlier where the response is stronger, which can look like a front:"
        " use half_peak_latency"
    )


def _of_amplitudes(latency: xr.DataArray, trend: Trend) -> str:
    """Return a reason if amplitudes explain the latencies as well as the front, else nothing."""
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
    """Return the delay below which a front crosses the sheet within a bin; 0 if exact."""
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
    """Return the fit with the numbers that do not require a wave."""
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
    """Add speed, direction or source, and their intervals from resampled slowness."""
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
