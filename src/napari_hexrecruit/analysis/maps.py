"""Maps, one number per hexagon: amounts of recruitment, correlations, and all maps by name.

Every map is a (hex,) array with units and the coordinates of the hexagons. `with_maps` adds maps to
a cube; the metric with the name of the map shows it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.analysis.arrays import hex_array
from napari_hexrecruit.analysis.blocks import highest, moments, parts
from napari_hexrecruit.analysis.latencies import (
    first_spike_latency,
    half_peak_latency,
    latency,
)
from napari_hexrecruit.analysis.selection import HexChoice, picked_in
from napari_hexrecruit.analysis.windows import bins_of, cut
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import Metric, is_cumulative, metric_of, plain_metric
from napari_hexrecruit.schema import (
    HEX,
    N_NEURONS,
    RECRUITMENT,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr

    from napari_hexrecruit.analysis.responses import Window

Floats = npt.NDArray[np.float64]


def peak(
    cube: xr.Dataset,
    *,
    start: float | None = None,
    stop: float | None = None,
    metric: str | None = None,
) -> xr.DataArray:
    """Compute the greatest value of each hexagon in a window.

    Parameters
    ----------
    cube
        A recruitment cube.
    start, stop
        Window, edges of bins, ms; by default the whole cube.
    metric
        A metric of spikes or another variable of the cube, not the result of an analysis. None: the
        first one of the cube.

    Returns
    -------
    xr.DataArray
        (hex,) in the units of the metric; NaN if the hexagon has no value.
    """
    cube = as_cube(cube)
    shown = plain_metric(cube, metric, _NO_MAP)
    found = highest(cut(cube, start, stop), shown)
    label = {"long_name": f"{shown.label}, peak", "units": shown.units}
    return hex_array(cube, found, "peak").assign_attrs(label)


def mean_recruitment(
    cube: xr.Dataset, *, start: float | None = None, stop: float | None = None
) -> xr.DataArray:
    """Compute the mean percentage over the bins of a window.

    Parameters
    ----------
    cube, start, stop
        As for `peak`.

    Returns
    -------
    xr.DataArray
        (hex,) percent; NaN if the hexagon has no value.
    """
    cube = as_cube(cube)
    found = moments(cut(cube, start, stop), metric_of(cube, RECRUITMENT))
    return hex_array(as_cube(cube), found.mean, "mean_recruitment")


def mean_rate(
    cube: xr.Dataset, *, start: float | None = None, stop: float | None = None
) -> xr.DataArray:
    """Compute the mean firing rate of each hexagon's neurons in a window.

    Parameters
    ----------
    cube, start, stop
        As for `peak`.

    Returns
    -------
    xr.DataArray
        (hex,) spikes/s per neuron: ``sum(n_spikes) / (n_neurons * duration)``. Spikes add up, so
        the rate does not depend on the bins. NaN if the hexagon has no value.
    """
    cube = as_cube(cube)
    found = moments(cut(cube, start, stop), metric_of(cube, "rate"))
    return hex_array(as_cube(cube), found.mean, "mean_rate")


def cumulative_fraction(cube: xr.Dataset, *, until: float | None = None) -> xr.DataArray:
    """Return the percentage of each hexagon's neurons that fired at least once.

    Parameters
    ----------
    cube
        A cube of the neurons recruited so far (`napari_hexrecruit.cumulative_cube`), which counts
        from the start of its window; or a cube of a single bin, which counts within the bin.
    until
        End of the count, the edge of a bin, ms; by default the end of the cube.

    Returns
    -------
    xr.DataArray
        (hex,) percent; NaN if the hexagon has no value.

    Raises
    ------
    ValueError
        If the cube counts the neurons of several bins: a neuron that fires in two of them is in
        both counts, so they do not add up to distinct neurons.
    """
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)
    if not is_cumulative(cube) and bins_of(cube).n_bins > 1:
        raise ValueError(
            "neurons that fire in several bins cannot be counted once from a cube of bins:"
            " use cumulative_cube, or a cube whose only bin is the whole window"
        )
    last = cut(cube, None, until)[RECRUITMENT][-1].values
    return hex_array(cube, last, "cumulative_fraction")


def correlation(
    cube: xr.Dataset,
    *,
    hexes: HexChoice,
    start: float | None = None,
    stop: float | None = None,
    metric: str | None = None,
) -> xr.DataArray:
    """Compute Pearson's correlation of each hexagon's trace with that of a selected hexagon.

    Parameters
    ----------
    cube, start, stop, metric
        As for `peak`.
    hexes
        Selected hexagon; for several, their mean, with equal weight for each neuron.

    Returns
    -------
    xr.DataArray
        (hex,) -1 to 1, over the bins of the window; 1 for a single selected hexagon itself. NaN if
        the hexagon has no value or does not vary, and everywhere if the selected one does not vary
        or there is only one bin.

    Raises
    ------
    ValueError
        If no hexagon is selected, or one is not in the cube.
    """
    cube, picked = picked_in(cube, hexes)
    shown = plain_metric(cube, metric, _NO_MAP)
    part = cut(cube, start, stop)
    if picked.size == 0:
        raise ValueError("no hexagon is selected: name one, as in R3;C-1")
    names = cube[HEX].values[picked].astype(str)
    of = names[0] if len(names) == 1 else f"{len(names)} hexagons"
    r = _pearson(part, shown, shown.population(part.isel({HEX: picked})))
    made = hex_array(cube, r, "correlation")
    return made.assign_attrs(long_name=f"{shown.label}, correlation with {of}")


MAPS: dict[str, Callable[..., xr.DataArray]] = {
    function.__name__: function
    for function in (
        first_spike_latency,
        latency,
        half_peak_latency,
        peak,
        mean_recruitment,
        mean_rate,
        cumulative_fraction,
        correlation,
    )
}
"""Maps by name, which is also the name of the metric that shows them."""


def map_options(name: str) -> tuple[str, ...]:
    """Return the options of a map: the names of its function's keywords.

    Examples
    --------
    >>> map_options("latency")
    ('onset', 'until', 'baseline', 'n_sd')
    """
    return tuple(inspect.signature(MAPS[name]).parameters)[1:]


def hex_map(
    cube: xr.Dataset,
    name: str,
    *,
    onset: float | None = None,
    until: float | None = None,
    baseline: Window | None = None,
    n_sd: float | None = None,
    start: float | None = None,
    stop: float | None = None,
    metric: str | None = None,
    hexes: HexChoice | None = None,
) -> xr.DataArray:
    """Compute a map by name.

    Parameters
    ----------
    cube
        A recruitment cube.
    name
        One of `MAPS`.
    onset, until, baseline, n_sd
        As for `latency`; of the other maps, `first_spike_latency` takes the first two,
        `half_peak_latency` all, and `cumulative_fraction` takes `until`.
    start, stop, metric
        As for `peak`; `mean_recruitment` and `mean_rate` take the first two, and `correlation`
        takes all.
    hexes
        As for `correlation`.

    Raises
    ------
    ValueError
        If the map is unknown, does not take an option, or lacks one that it requires.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> hex_map(cube, "peak", start=100.0, stop=200.0).dims
    ('hex',)
    >>> folder.cleanup()
    """
    if name not in MAPS:
        raise ValueError(f"map {name!r} is unknown: use one of {', '.join(MAPS)}")
    options = {
        **{"onset": onset, "until": until, "baseline": baseline, "n_sd": n_sd},
        **{"start": start, "stop": stop, "metric": metric, "hexes": hexes},
    }
    given = {option: value for option, value in options.items() if value is not None}
    known = inspect.signature(MAPS[name]).parameters
    strange = [option for option in given if option not in known]
    if strange:
        raise ValueError(f"{name} takes {', '.join(map_options(name))}, not {strange[0]}")
    needed = [o for o in map_options(name) if known[o].default is inspect.Parameter.empty]
    missing = [option for option in needed if option not in given]
    if missing:
        raise ValueError(f"{name} needs {' and '.join(missing)}: give {missing[0]}")
    return MAPS[name](cube, **given)


def with_maps(cube: xr.Dataset, *maps: xr.DataArray) -> xr.Dataset:
    """Add maps to a cube as variables, so that they can be drawn and saved.

    Raises
    ------
    ValueError
        If the hexagons of a map are not those of the cube.
    """
    cube = as_cube(cube)
    for one in maps:
        if not np.array_equal(one[HEX].values, cube[HEX].values):
            raise ValueError(
                f"the map {one.name} belongs to other hexagons: compute it from this cube"
            )
    return cube.assign({str(one.name): (HEX, one.values, one.attrs) for one in maps})


def maps_table(*maps: xr.DataArray) -> pd.DataFrame:
    """Return maps as a table: ``hex``, ``x``, ``y``, ``n_neurons``, and one column per map."""
    import pandas as pd

    first = maps[0]
    columns = {name: first[name].values for name in (HEX, "x", "y", N_NEURONS)}
    return pd.DataFrame(columns | {str(one.name): one.values for one in maps})


_NO_MAP = "has no such map"


def _pearson(cube: xr.Dataset, shown: Metric, course: Floats) -> Floats:
    """Return the correlation of each hexagon's trace with a given one; NaN if either is flat."""
    ours = course - course.mean()
    theirs = moments(cube, shown)
    product, most, at = np.zeros(cube.sizes[HEX]), np.zeros(cube.sizes[HEX]), 0
    for values in parts(cube, shown):
        product += ours[at : at + len(values)] @ (values - theirs.mean)
        most = np.maximum(most, np.abs(values).max(axis=0))
        at += len(values)
    lengths = np.sqrt(theirs.squares), np.sqrt(ours @ ours)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = product / (lengths[0] * lengths[1])
    flat = (lengths[0] <= _FLAT * most) | (lengths[1] <= _FLAT * np.abs(course).max())
    return np.where(flat, np.nan, np.clip(r, -1.0, 1.0))


_FLAT = 1e-6
"""A trace that varies by at most this share of its values varies by rounding only."""
