"""Confidence intervals of percentages of neurons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.analysis.responses import counts_per_percent
from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.metrics import metric_of
from napari_hexrecruit.schema import HEX, N_NEURONS, N_TRIALS, RECRUITMENT, TIME

if TYPE_CHECKING:
    import xarray as xr


def wilson_intervals(cube: xr.Dataset, *, level: float = 0.95) -> xr.Dataset:
    """Compute Wilson's intervals of the percentages of a cube.

    Parameters
    ----------
    cube
        A recruitment cube.
    level
        Probability that an interval contains the true value, between 0 and 1.

    Returns
    -------
    xr.Dataset
        ``low`` and ``high`` (time, hex) float64, percent; NaN if the hexagon has no value.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Notes
    -----
    The intervals hold for neurons that fire independently. Neurons of a hexagon do not: the unit of
    inference is the trial or the seed, and intervals over these are wider.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> found = wilson_intervals(cube)
    >>> bool((found["low"] <= found["high"]).all())
    True
    """
    import xarray as xr
    from scipy.special import ndtri

    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, not {level!r}: use 0.95")
    cube = as_cube(cube)
    metric_of(cube, RECRUITMENT)  # refuses a cube that was not counted from spikes
    z2 = float(ndtri(0.5 + level / 2.0)) ** 2
    n = cube[N_NEURONS].values.astype(np.float64) * int(cube.attrs.get(N_TRIALS, 1))
    n = np.where(n > 0, n, np.nan)
    p = cube[RECRUITMENT].values * counts_per_percent(cube) / n
    middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = math.sqrt(z2) * np.sqrt(p * (1.0 - p) / n + z2 / (4.0 * n**2)) / (1.0 + z2 / n)
    attrs = {"units": "%", "long_name": f"Recruited, {level:.0%} interval of independent neurons"}
    return xr.Dataset(
        {
            "low": ((TIME, HEX), 100.0 * np.maximum(middle - half, 0.0), attrs),
            "high": ((TIME, HEX), 100.0 * np.minimum(middle + half, 1.0), attrs),
        },
        {name: cube[name] for name in (TIME, HEX, N_NEURONS)},
    )
