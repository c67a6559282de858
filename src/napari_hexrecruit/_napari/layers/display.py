"""What a layer shows of a cube: positions, limits and sentences. Does not know napari."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.metrics import METRICS
from napari_hexrecruit.rounding import short
from napari_hexrecruit.schema import HEX, MICROMETRES, N_NEURONS, N_RECRUITED, TIME

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.metrics import Metric

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HexPoints:
    """Hexagons as points: one per hexagon, at the same position in every bin.

    Parameters
    ----------
    centres
        (n_hexes, 2) y and x of the centres, in the cube's flat units.
    names
        (n_hexes,) names such as ``R3;C-1``.
    n_neurons
        (n_hexes,) neurons of each hexagon.
    radius
        Distance from centre to corner, in the cube's flat units.
    n_bins, start_ms, bin_ms
        The time axis: number of bins, start of the first, width of each.
    flat_units
        Units of flat space as the cube states them.
    """

    centres: Floats
    names: npt.NDArray[np.object_]
    n_neurons: npt.NDArray[np.int32]
    radius: float
    n_bins: int
    start_ms: float
    bin_ms: float
    flat_units: str

    @property
    def size(self) -> float:
        """Distance from corner to opposite corner."""
        return 2.0 * self.radius

    @property
    def scale(self) -> tuple[float, float, float]:
        """World units per data unit, for (time, y, x); along time a data unit is a bin."""
        return (self.bin_ms, 1.0, 1.0)

    @property
    def translate(self) -> tuple[float, float, float]:
        """World coordinates of bin 0 and of the origin of flat space."""
        return (self.start_ms, 0.0, 0.0)

    @property
    def units(self) -> tuple[str, str, str]:
        """World units; pixels for flat space in unknown units or units other than µm."""
        flat = "um" if self.flat_units in MICROMETRES else "pixel"
        return ("ms", flat, flat)

    def window_ms(self, bin_: int) -> tuple[float, float]:
        """Return the start and end of a bin, ms."""
        start = self.start_ms + bin_ * self.bin_ms
        return (start, start + self.bin_ms)


def hex_points(cube: xr.Dataset) -> HexPoints:
    """Read the positions of a cube's hexagons and its time axis, but no values of bins.

    Parameters
    ----------
    cube
        A recruitment cube.

    Returns
    -------
    HexPoints
        In the order of the cube.
    """
    return HexPoints(
        centres=np.stack([cube["y"].values, cube["x"].values], axis=1).astype(np.float64),
        names=cube[HEX].values.astype(object),
        n_neurons=cube[N_NEURONS].values,
        radius=float(cube.attrs["hex_radius"]),
        n_bins=cube.sizes[TIME],
        start_ms=float(cube[TIME][0]),
        bin_ms=float(cube.attrs["bin_ms"]),
        flat_units=str(cube.attrs["flat_units"]),
    )


def numbers_of(cube: xr.Dataset) -> xr.Dataset:
    """Drop the coordinates that no metric reads, without a copy: selecting a bin is then faster."""
    return cube.drop_vars([name for name in cube.coords if name != N_NEURONS])


def plain_points(cube: xr.Dataset, metric: Metric) -> tuple[Floats, dict[str, npt.NDArray[Any]]]:
    """Lay a cube out as one point per (bin, hexagon).

    Parameters
    ----------
    cube
        A recruitment cube; it is read completely.
    metric
        The metric that the points show.

    Returns
    -------
    data : (n_bins * n_hexes, 3) float64
        Bin, y and x of each point, starting with the hexagons of bin 0.
    features : dict
        ``hex``, ``n_neurons`` and ``recruited``, one value per point.
    """
    points = hex_points(cube)
    n_hexes = len(points.names)
    data = np.empty((points.n_bins * n_hexes, 3))
    data[:, 0] = np.repeat(np.arange(points.n_bins), n_hexes)
    data[:, 1:] = np.tile(points.centres, (points.n_bins, 1))
    features = {
        "hex": np.tile(points.names, points.n_bins),
        "n_neurons": np.tile(points.n_neurons, points.n_bins),
        "recruited": metric.values(cube).ravel(),
    }
    return data, features


def contrast_limits(cube: xr.Dataset, metric: Metric) -> tuple[float, float]:
    """Choose the initial colour limits of a metric.

    Parameters
    ----------
    cube
        A recruitment cube.
    metric
        The metric shown.

    Returns
    -------
    low, high : float
        As `limits.first_limits`.
    """
    return first_limits([numbers_of(cube)], metric)


def reading(name: str, value: float, n_neurons: int, metric: Metric) -> str:
    """Describe the value of a hexagon in a sentence.

    Parameters
    ----------
    name
        Name of the hexagon.
    value
        Its value in the current bin; NaN if it has none.
    n_neurons
        The number of its neurons.
    metric
        The metric of the value.

    Returns
    -------
    str
        Text for a status bar.

    Examples
    --------
    >>> from napari_hexrecruit.metrics import DERIVED, METRICS
    >>> reading("R3;C-1", 12.5, 48, METRICS["recruitment"])
    'R3;C-1: 12.5 % of 48 neurons'
    >>> reading("R3;C-1", 6, 48, METRICS["n_recruited"])
    'R3;C-1: 6 recruited neurons of 48'
    >>> reading("R3;C-1", float("nan"), 3, METRICS["recruitment"])
    'R3;C-1: no value, 3 neurons'
    >>> reading("R3;C-1", 0.8, 48, DERIVED["correlation"])
    'R3;C-1: correlation 0.8, 48 neurons'
    >>> reading("R3;C-1", float("inf"), 48, DERIVED["log2_ratio"])
    'R3;C-1: a new response, 48 neurons'
    """
    neurons = f"{n_neurons:,} neuron" + ("" if n_neurons == 1 else "s")
    if np.isnan(value):
        return f"{name}: no value, {neurons}"
    if np.isinf(value):
        return f"{name}: {'a new response' if value > 0 else 'completely suppressed'}, {neurons}"
    if metric.units == "%" and metric.name in METRICS:
        return f"{name}: {short(value)} % of {neurons}"
    if metric.name == N_RECRUITED:
        return f"{name}: {short(value)} {metric.label.lower()} of {n_neurons:,}"
    if not metric.units:
        return f"{name}: {metric.label.lower()} {short(value)}, {neurons}"
    return f"{name}: {short(value)} {metric.units}, {neurons}"


def time_label(start_ms: float, stop_ms: float) -> str:
    """Return the window of a bin as text for a time stamp.

    Examples
    --------
    >>> time_label(3000.0, 3010.0)
    '3,000 - 3,010 ms'
    >>> time_label(0.1, 0.30000000000000004)
    '0.1 - 0.3 ms'
    """
    return f"{start_ms:,.10g} - {stop_ms:,.10g} ms"
